"""The commands: each module holds one group of `ivrflow COMMAND`, and beside them what only they use."""
