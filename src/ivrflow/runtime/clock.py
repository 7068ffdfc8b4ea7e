"""The one clock of live calls: seconds that never go back, and waking at one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol


class Waking(Protocol):
    """A wake-up that can be taken back."""

    def cancel(self) -> None:
        """Do not wake."""


class Clock(Protocol):
    """What a live call needs of time."""

    def now(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    def wake_at(self, when: float, wake: Callable[[], None]) -> Waking:
        """Call `wake` at `when` (in the seconds of `now`) or as soon after it as can be."""


class LoopClock:
    """The event loop's monotonic clock."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.now = loop.time

    def wake_at(self, when: float, wake: Callable[[], None]) -> Waking:
        """Call `wake` from the loop at `when`."""
        return self._loop.call_at(when, wake)
