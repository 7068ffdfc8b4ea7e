"""Reload: new calls get the new flows, standards and prompts; running calls keep theirs; a broken file changes nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import FlowError
from ivrflow.flow.reading.syntax import counted
from ivrflow.service.reading_aside import ReadingFailed
from ivrflow.settings import SettingsError

log = logging.getLogger("ivrflow")


@dataclass(frozen=True, slots=True)
class Change:
    """What a reload changed.

    Attributes:
        added, changed, gone: ids of flows.
        same: how many are as they were.
        numbers_gone: dialled numbers that no flow serves any more.
        running: calls that go on with the flow they began with.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    same: int
    numbers_gone: tuple[str, ...]
    running: int

    def sentences(self) -> list[str]:
        """It in words, one sentence each."""
        named = (("new", self.added), ("changed", self.changed), ("gone", self.gone))
        parts = [f"{word}: {', '.join(ids)}" for word, ids in named if ids]
        if self.same:
            parts.append(f"as before: {counted(self.same, 'flow')}")
        told = ["; ".join(parts)]
        if self.numbers_gone:
            told.append(f"callers of {', '.join(self.numbers_gone)} get the fallback: no flow serves that any more")
        if self.running:
            told.append(f"calls that run keep the flow they began with: {self.running}")
        return told


class Reloading:
    """Reads the flows anew, one reload after the other.

    Args:
        read: reads and checks all flows, beside the running calls.
        served: the flows served now, by id.
        use: serve these from now on, all at once.
        running: how many calls live.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[Mapping[str, CallFlow]]],
        served: Callable[[], Mapping[str, CallFlow]],
        use: Callable[[Mapping[str, CallFlow]], None],
        running: Callable[[], int],
    ) -> None:
        self._read = read
        self._served = served
        self._use = use
        self._running = running
        self._one_at_a_time = asyncio.Lock()

    async def reload(self) -> Sequence[str]:
        """Read everything; if all of it is in order, serve it from now on.

        Returns:
            What changed, in sentences.

        Raises:
            FlowError, SettingsError, ReadingFailed: the old flows stay, and why. The log says so too.
        """
        async with self._one_at_a_time:
            began = time.monotonic()
            log.info("reload: reading the flows")
            try:
                flows = await self._read()
            except FlowError as error:
                _log_refusal([str(problem).replace("\n    ", "; ") for problem in error.problems])
                raise
            except (SettingsError, ReadingFailed) as error:
                _log_refusal(str(error).splitlines())
                raise
            change = await self._compared(flows)
            self._use(flows)
            told = change.sentences()
            log.info("reloaded in %.1f s: %s", time.monotonic() - began, "; ".join(told))
            return told

    async def _compared(self, flows: Mapping[str, CallFlow]) -> Change:
        """What is new about them; a chance for the calls after each."""
        old = self._served()
        changed: list[str] = []
        for name in old.keys() & flows.keys():
            if old[name] != flows[name]:
                changed.append(name)
            await asyncio.sleep(0)
        numbers = {number for flow in flows.values() for number in flow.numbers}
        return Change(
            added=tuple(sorted(flows.keys() - old.keys())),
            changed=tuple(sorted(changed)),
            gone=tuple(sorted(old.keys() - flows.keys())),
            same=len(old.keys() & flows.keys()) - len(changed),
            numbers_gone=tuple(sorted({number for flow in old.values() for number in flow.numbers} - numbers)),
            running=self._running(),
        )


def _log_refusal(why: Sequence[str]) -> None:
    for reason in why:
        log.error("reload: %s", reason)
    log.error("reload refused; the old flows stay")
