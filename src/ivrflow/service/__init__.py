"""`ivrflow serve`: the parts wired together on a PBX, orders carried out, calls placed, flows read anew."""
