"""A real SIP/RTP telephone of our own: calls, is called, speaks, presses keys, holds, and keeps every packet it hears."""
