"""`ivrflow scenario run`: many scenarios, bounded, judged and told."""
