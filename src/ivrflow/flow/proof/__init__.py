"""What holds for every call, computed without one: silence, ways to a person, loops, dead ends."""
