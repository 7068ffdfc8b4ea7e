"""From the bytes of a file to located nodes and to values of known kinds."""
