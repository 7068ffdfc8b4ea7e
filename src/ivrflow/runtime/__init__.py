"""Live calls on asyncio: the loop, the switchboard, the journal, the clock."""
