"""What a call flow is: read, checked and held as plain data. Pure: no clock, no file, no socket."""
