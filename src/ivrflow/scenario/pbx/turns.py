"""Taking turns at something that is in one state at a time: who needs the same state shares it, the others wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """First come, first served: nobody who needs another state can be kept waiting for ever by those who share one."""

    def __init__(self) -> None:
        self._state: object = None
        self._users = 0
        self._waiting: deque[tuple[object, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def taken(self, state: object) -> AsyncIterator[None]:
        """Wait for a turn, and have it: shared with all whose `state` is equal, so a fresh `object()` is alone."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (state, turn)
        self._waiting.append(entry)
        if len(self._waiting) == 1:  # else it would overtake somebody
            self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove(entry)
                self._admit()
            else:  # its turn came in the same moment
                self._leave()
            raise
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        self._users -= 1
        self._admit()

    def _admit(self) -> None:
        """Let in who is first, and with it all who need the same."""
        if not self._waiting or (self._users and self._waiting[0][0] != self._state):
            return
        state = self._state = self._waiting[0][0]
        let_in = [turn for wanted, turn in self._waiting if wanted == state]
        self._waiting = deque(entry for entry in self._waiting if entry[0] != state)
        self._users += len(let_in)
        for turn in let_in:
            turn.set_result(None)
