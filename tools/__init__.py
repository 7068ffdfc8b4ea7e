"""Set-up: what `make` does beyond calling other programs. Nothing here runs at a call centre."""
