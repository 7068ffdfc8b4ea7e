"""Which keys the files have: flows, standards, phrase files, the holiday file; each declared once."""
