"""The same engine without Asterisk, on a virtual clock."""
