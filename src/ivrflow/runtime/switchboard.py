"""Every live call by its id: counting, draining, and what `ivrflow serve` reports about itself."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from ivrflow.runtime.call_loop import LiveCall

log = logging.getLogger("ivrflow.calls")


class CallCounts(msgspec.Struct, frozen=True):
    """What a serving engine can say about itself. `latest_timer_s`: the latest any deadline was served, in seconds."""

    live: int
    served: int
    latest_timer_s: float


class Switchboard:
    """The live calls of one engine process."""

    def __init__(self) -> None:
        self._live: dict[str, LiveCall] = {}
        self._served = 0
        self._latest = 0.0
        self._empty = asyncio.Event()
        self._empty.set()

    def connect(self, call: LiveCall) -> None:
        """A call begins."""
        self._live[call.call_id] = call
        self._empty.clear()

    def release(self, call: LiveCall) -> None:
        """A call is over."""
        if self._live.pop(call.call_id, None) is None:
            return
        self._served += 1
        self._latest = max(self._latest, call.lateness)
        if not self._live:
            self._empty.set()

    @property
    def live(self) -> tuple[LiveCall, ...]:
        """All live calls."""
        return tuple(self._live.values())

    def is_live(self, call_id: str) -> bool:
        """Whether the call goes on."""
        return call_id in self._live

    @property
    def counts(self) -> CallCounts:
        """How many calls live, how many were served, how late the latest timer was."""
        latest = max([self._latest, *(call.lateness for call in self._live.values())])
        return CallCounts(live=len(self._live), served=self._served, latest_timer_s=latest)

    async def drain(self, seconds: float) -> int:
        """Wait for the live calls to end in peace; hand those that are left after `seconds` to the fallback.

        Returns:
            How many had to be handed over.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            left = self.live
            log.warning("%d calls still live after %g s of draining go to the fallback", len(left), seconds)
            for call in left:
                call.abandon("the engine is stopping")
            return len(left)
        return 0
