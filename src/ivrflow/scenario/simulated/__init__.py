"""A scenario on the simulator: virtual time, and phones that only the simulator hears."""
