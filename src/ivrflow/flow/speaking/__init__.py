"""Values in phrases: how Mandarin speakers say them, and out of which recordings."""
