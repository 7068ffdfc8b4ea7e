"""What was observed, held against what the scenario says. Pure."""
