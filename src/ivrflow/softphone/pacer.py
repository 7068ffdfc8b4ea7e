"""One clock for all calls of a process: every call's turn comes once in 20 ms, and the turns never drift."""

import asyncio
import time
from collections import deque
from typing import Protocol

FRAME_S = 0.02
TURNS = 4  # the calls are spread over this many turns of 5 ms, so that 300 of them do not send at the same instant
CATCH_UP_S = 0.2  # after a longer hold-up the missed frames are skipped instead of sent in one burst
STALL_S = 0.1  # seconds; a turn later than this is remembered


class Paced(Protocol):
    """Something that acts every 20 ms."""

    def frame_due(self) -> None:
        """20 ms have passed: send."""

    def frame_missed(self) -> None:
        """20 ms have passed unnoticed: do not send, but count them."""


class Pacer:
    """Runs while something is attached.

    `latest_s` is the worst lateness of a turn so far, in seconds; `stalls` are the last turns that were late by more than
    `STALL_S`: when each was due (monotonic seconds), and by how many seconds it was late.
    """

    def __init__(self) -> None:
        self.latest_s = 0.0
        self.stalls: deque[tuple[float, float]] = deque(maxlen=1000)
        self._turns: list[list[Paced]] = [[] for _ in range(TURNS)]
        self._began = 0.0
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def attach(self, paced: Paced) -> None:
        """Give `paced` a turn in every 20 ms from now on."""
        if not any(self._turns):
            self._began, self._count = time.monotonic(), 0
        min(self._turns, key=len).append(paced)
        if self._timer is None:
            self._wait()

    def detach(self, paced: Paced) -> None:
        """Take the turn away; unknown ones are ignored."""
        for turn in self._turns:
            if paced in turn:
                turn.remove(paced)
        if self._timer and not any(self._turns):
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        due = self._began + self._count * FRAME_S / TURNS
        self._timer = asyncio.get_running_loop().call_later(max(0.0, due - time.monotonic()), self._run)

    def _run(self) -> None:
        self._timer = None
        now = time.monotonic()
        due = self._began + self._count * FRAME_S / TURNS
        if now - due > STALL_S:
            self.stalls.append((due, now - due))
        while (late := now - (self._began + self._count * FRAME_S / TURNS)) >= 0:
            self.latest_s = max(self.latest_s, late)
            for paced in tuple(self._turns[self._count % TURNS]):
                if late < CATCH_UP_S:
                    paced.frame_due()
                else:
                    paced.frame_missed()
            self._count += 1
        if any(self._turns) and self._timer is None:
            self._wait()
