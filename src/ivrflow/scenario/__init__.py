"""Scenarios: a caller and agents as a script in plain words, played on a real PBX or the simulator, and judged."""
