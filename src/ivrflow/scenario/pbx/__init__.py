"""A scenario on a PBX: real phones, what they heard, and what PBX and engine tell of the call."""
