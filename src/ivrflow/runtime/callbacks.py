"""Calling people back: whoever waits for it is rung when they may be, again when nobody answered, and not for ever.

The journal is the only memory (`journal_callbacks`): a killed engine loses no callback and rings nobody twice for the same
one. Time is given (`now`, Unix time), so that a test decides what time it is.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ivrflow.engine.hindrance import NOT_ALLOWED, hindrance
from ivrflow.flow.model import CallFlow, PlacesCalls
from ivrflow.runtime.journal_callbacks import (
    ANSWERED,
    INTERRUPTED,
    NOBODY_ANSWERED,
    CallbackBook,
    StoredCallback,
)
from ivrflow.settings import SettingsError

log = logging.getLogger("ivrflow.calls")

LOOK_EVERY_S = 5.0
"""How often the journal is asked whose moment has come, in seconds."""

LOOKED_AT = 200
"""How many are looked at in one round."""

RINGS_ON_S = 15.0
"""Seconds after the longest ringing at which the telephone of a killed engine's call is silent for sure."""

STILL_TALKING_S = 30.0
"""Seconds until it is looked again whether the call on which the callback was ordered is over."""


class Placing(Protocol):
    """What can place a call. The two functions are called at most once each, `on_over` last, with the call's outcome."""

    @property
    def is_ready(self) -> bool:
        """Whether anybody can be rung at the moment."""

    def call_back(
        self,
        call: str,
        flow: CallFlow,
        number: str,
        values: Mapping[str, str],
        on_answered: Callable[[], None],
        on_over: Callable[[str], None],
    ) -> bool:
        """Ring; False when nobody is rung after all."""


@dataclass(frozen=True, slots=True)
class _News:
    """What came of a try, at `at` (Unix time), not yet in the journal."""

    callback: str
    call: str
    outcome: str
    at: float


T = TypeVar("T")


class CallbackScheduler:
    """Places the callbacks of a journal.

    Args:
        book: where they stand.
        flow_of: the flow of an id as it is served now; None when there is none.
        placing: rings.
        is_live: whether a call goes on, by its id.
        at_once: how many calls it has under way at the same time, at most; 0: it places none.
        new_call: gives the next call's id.
        now: Unix time in seconds.
        look_every: seconds from one look to the next.
    """

    def __init__(
        self,
        book: CallbackBook,
        flow_of: Callable[[str], CallFlow | None],
        placing: Placing,
        *,
        is_live: Callable[[str], bool],
        at_once: int,
        new_call: Callable[[float], str],
        now: Callable[[], float] = time.time,
        look_every: float = LOOK_EVERY_S,
    ) -> None:
        self._book = book
        self._flow_of = flow_of
        self._placing = placing
        self._is_live = is_live
        self._at_once = at_once
        self._new_call = new_call
        self._now = now
        self._look_every = look_every
        self._under_way: dict[str, str] = {}
        """Number rung, per callback; until the call is over."""
        self._news: list[_News] = []
        self._woken = asyncio.Event()
        self._is_closing = False
        self._is_refused = False
        self._task: asyncio.Task[None] | None = None

    # ── its life ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._go_round(), name="callbacks")
        self._task.add_done_callback(_tell_bug)

    async def close(self) -> None:
        """Place nothing more, and write down what came of the last tries."""
        self._is_closing = True
        self._woken.set()
        if self._task is not None:
            await asyncio.wait([self._task])
        try:
            await self._write_news()
        except SettingsError as problem:
            log.warning("what came of %d callbacks is found out at the next start: %s", len(self._news), problem)
        self._book.close()

    async def _go_round(self) -> None:
        while not self._is_closing:
            await self.round()
            try:
                async with asyncio.timeout(self._look_every):
                    await self._woken.wait()
            except TimeoutError:
                pass
            if not self._is_closing:
                self._woken.clear()

    async def round(self) -> None:
        """Look once: write what came of tries, take up those of an engine that died, place those whose moment has come."""
        try:
            await self._write_news()
            for callback in await self._ask(self._book.to_look_at, self._now(), LOOKED_AT):
                if self._is_closing:
                    break
                if callback.id in self._under_way or any(news.callback == callback.id for news in self._news):
                    continue
                if callback.state == "placed":
                    await self._take_up(callback)
                elif len(self._under_way) < self._at_once and self._placing.is_ready:
                    await self._try(callback)
        except SettingsError as problem:
            if not self._is_refused:
                log.warning("callbacks wait until the journal can be used again: %s", problem)
            self._is_refused = True
        else:
            self._is_refused = False

    # ── one callback ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _take_up(self, callback: StoredCallback) -> None:
        """Its engine is gone, or could not write what came of it."""
        call, outcome = await self._ask(self._book.recall, callback)
        log.warning("callback %s: the engine stopped during the call %s: %s", callback.id, call, _words(outcome))
        await self._note(_News(callback.id, call, outcome, self._now()))

    async def _try(self, callback: StoredCallback) -> None:
        now = self._now()
        flow = self._flow_of(callback.flow)
        if flow is None:
            await self._give_up(callback, f"the engine has no flow {callback.flow}")
            return
        obstacle = hindrance(flow, callback.caller, now)
        if obstacle is not None and obstacle.outcome == NOT_ALLOWED:
            await self._give_up(callback, obstacle.why)
        elif callback.is_used_up:
            await self._give_up(callback, "no try is left")
        elif obstacle is not None:
            until = obstacle.again_at.timestamp() if obstacle.again_at else now + callback.retry_after
            log.info("callback %s: %s", callback.id, obstacle.why)
            await self._ask(self._book.put_off, callback, until, obstacle.why)
        elif self._is_live(callback.call):
            await self._ask(self._book.put_off, callback, now + STILL_TALKING_S, "the first call goes on")
        elif callback.caller not in {*self._under_way.values(), *await self._ask(self._book.being_rung, now)}:
            # Never two calls to the same telephone: who has two wishes waits for the second.
            assert flow.places_calls is not None, "that hinders it"
            await self._place(callback, flow, flow.places_calls, now)

    async def _place(self, callback: StoredCallback, flow: CallFlow, allowed: PlacesCalls, now: float) -> None:
        call = self._new_call(now)
        self._under_way[callback.id] = callback.caller
        until = now + allowed.ring_for + RINGS_ON_S
        try:
            is_ours = await self._ask(lambda: self._book.claim(callback, call=call, now=now, until=until))
        except BaseException:
            del self._under_way[callback.id]
            raise
        if not is_ours:
            del self._under_way[callback.id]
            return
        log.info("callback %s: call %s, try %d of %d", callback.id, call, callback.tried + 1, callback.tries)
        has_answered = False

        def answered() -> None:
            nonlocal has_answered
            has_answered = True
            self._happened(_News(callback.id, call, ANSWERED, self._now()))

        def over(outcome: str) -> None:
            del self._under_way[callback.id]
            if not has_answered:
                why = outcome if outcome in NOBODY_ANSWERED else INTERRUPTED
                self._happened(_News(callback.id, call, why, self._now()))

        if self._is_closing or not self._placing.call_back(
            call, flow, callback.caller, callback.values, answered, over
        ):
            over(INTERRUPTED)

    async def _give_up(self, callback: StoredCallback, why: str) -> None:
        await self._ask(self._book.give_up, callback, self._now(), why)
        log.error("callback %s is given up: %s", callback.id, why)

    # ── news ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _happened(self, news: _News) -> None:
        self._news.append(news)
        self._woken.set()

    async def _write_news(self) -> None:
        while self._news:
            await self._note(self._news[0])
            self._news.pop(0)

    async def _note(self, news: _News) -> None:
        stands = await self._ask(
            lambda: self._book.came_of(news.callback, call=news.call, outcome=news.outcome, now=news.at)
        )
        if stands is None:
            return
        if stands.state == "kept":
            late = stands.late_by(news.at)
            log.info("callback %s is kept%s", stands.id, f", {late / 60:.0f} min late" if late else "")
        elif stands.state == "given_up":
            log.warning("callback %s is given up: %s", stands.id, stands.why)
        else:
            log.info("callback %s: %s", stands.id, _words(news.outcome))

    async def _ask(self, what: Callable[..., T], *arguments: object) -> T:
        """Let the database work on another thread: calls do not wait for it."""
        return await asyncio.to_thread(what, *arguments)


def new_call(prefix: str) -> Callable[[float], str]:
    """Ids for calls placed, each begun by `prefix`: unique also when the clock jumps."""
    return lambda now: f"{prefix}{int(now)}.{secrets.token_hex(3)}"


def _words(outcome: str) -> str:
    return outcome.replace("_", " ")


def _tell_bug(task: asyncio.Task[None]) -> None:
    problem = None if task.cancelled() else task.exception()
    if problem is not None:
        log.error("a bug: nobody is called back any more until the engine is restarted", exc_info=problem)
