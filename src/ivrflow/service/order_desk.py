"""Carries out the orders that are answered: to live calls, whose session decides, and to the engine itself.

What came of an order to a call is read from the call's own trace: what was done stands there, and so does why not.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from typing import Protocol

from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.bridge.orders.answered import Asked, CallSeen, Reply
from ivrflow.bridge.orders.to_calls import OrderRefused, masked, read_order
from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession
from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import FlowError, did_you_mean
from ivrflow.runtime.call_loop import LiveCall
from ivrflow.runtime.clock import Clock
from ivrflow.runtime.switchboard import Switchboard
from ivrflow.service.reading_aside import ReadingFailed
from ivrflow.settings import SettingsError

log = logging.getLogger("ivrflow.calls")

MOST_CALLS = 500
"""Running calls listed in one answer."""

NAMED_CALLS = 5
"""Calls named when several begin with what was given."""

_SHOWS: dict[str, frozenset[Fact]] = {
    "situation": frozenset({Fact.SITUATION_STARTED}),
    "cancel": frozenset({Fact.SITUATION_OVER}),
    "signal": frozenset({Fact.LADDER_LEFT}),
    "done": frozenset({Fact.TASK_DONE}),
    "transfer": frozenset({Fact.STEP_ENTERED}),
}
"""The trace lines that show that an order was carried out."""

_NAMES = frozenset({"situation", "signal", "transfer"})
"""The kinds whose Word is the name of something in the flow, which `unknown_word` has looked up; only that is logged."""


class Door(Protocol):
    """Where answers go."""

    def heard(self, ask: str) -> None:
        """The order takes a while."""

    def reply(self, ask: str, reply: Reply) -> None:
        """What came of it."""


class Reloads(Protocol):
    """Who reads the flows anew, see `reloading`."""

    async def reload(self) -> Sequence[str]:
        """What changed, in sentences.

        Raises:
            FlowError, SettingsError, ReadingFailed: the old flows stay, and why.
        """


class OrderDesk:
    """Takes orders whose givers wait for an answer.

    Args:
        door: takes the answers.
        switchboard: knows the live calls.
        clock: of the calls.
        reloads: reads the flows anew.
    """

    def __init__(self, door: Door, switchboard: Switchboard, clock: Clock, reloads: Reloads) -> None:
        self._door = door
        self._switchboard = switchboard
        self._clock = clock
        self._reloads = reloads
        self._reloading: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def ordered(self, order: Asked) -> None:
        """Carry it out, or say why not."""
        match order.what:
            case "reload" if self._is_closed:
                self._door.reply(order.ask, Reply(done=False, words=("the engine is stopping",)))
            case "reload":
                self._door.heard(order.ask)
                task = asyncio.get_running_loop().create_task(self._reload(order.ask))
                self._reloading.add(task)
                task.add_done_callback(self._reloading.discard)
            case "live":
                self._door.reply(order.ask, self._live())
            case _:
                self._door.reply(order.ask, self._to_call(order))

    async def close(self) -> None:
        """Break a reload off, and take no further one; orders to live calls are taken as long as there are any."""
        self._is_closed = True
        tasks = list(self._reloading)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ── the engine itself ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _reload(self, ask: str) -> None:
        try:
            reply = Reply(done=True, words=tuple(await self._reloads.reload()))
        except FlowError as error:
            reply = Reply(done=False, words=("the flows are not in order; the old ones stay",), problems=error.problems)
        except (SettingsError, ReadingFailed) as error:
            reply = Reply(done=False, words=("the flows were not read; the old ones stay", *str(error).splitlines()))
        except Exception:
            log.exception("a reload failed")
            reply = Reply(done=False, words=("the reload failed; the engine's log says why",))
        self._door.reply(ask, reply)

    def _live(self) -> Reply:
        calls = sorted(self._switchboard.live, key=lambda call: call.since)
        now, today = self._clock.now(), time.time()
        seen = tuple(_seen(call, since=today - (now - call.since)) for call in calls[:MOST_CALLS])
        return Reply(done=True, calls=seen, more_calls=max(0, len(calls) - MOST_CALLS))

    # ── a live call ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _to_call(self, order: Asked) -> Reply:
        found = self._found(order.call)
        if isinstance(found, Reply):
            return found
        call, session = found, found.session
        try:
            event = read_order(order.event, session.task)
        except OrderRefused as problem:
            return _refused(call, str(problem))
        word = order.event.get("Word")
        if unknown := unknown_word(session.flow, order.what, word, word):
            return _refused(call, unknown)
        before = len(session.trace)
        call.happened(event)
        said = session.trace[before:]
        why_not = "" if order.what == "value" else _why_not(order.what, said, session)
        if why_not:
            return _refused(call, why_not)
        log.info("call %s: ordered: %s", call.call_id, f"{order.what} {word}" if order.what in _NAMES else order.what)
        return Reply(done=True, call=call.call_id, words=(_where(session),))

    def _found(self, beginning: str) -> LiveCall | Reply:
        live = self._switchboard.live
        those = [call for call in live if call.call_id == beginning] or [
            call for call in live if call.call_id.startswith(beginning)
        ]
        if len(those) == 1:
            return those[0]
        if not those:
            log.warning("an order is ignored: no live call has its Call %s", masked(beginning))
            return Reply(done=False, words=(f"no running call is called {beginning}; see: ivrflow live",))
        names = ", ".join(sorted(call.call_id for call in those)[:NAMED_CALLS])
        more = ", …" if len(those) > NAMED_CALLS else ""
        return Reply(
            done=False, words=(f"{len(those)} running calls begin with {beginning}: {names}{more}; write more of it",)
        )


def understood(event: AmiEvent, session: CallSession) -> m.CallEvent:
    """What an order that nobody answers means to the call.

    Raises:
        OrderRefused: nothing at all, or the call's flow does not have what it names. The text goes to the log.
    """
    meant = read_order(event, session.task)
    word = event.get("Word")
    if unknown := unknown_word(session.flow, event.get("Order"), word, masked(word)):
        raise OrderRefused(unknown)
    return meant


def unknown_word(flow: CallFlow, what: str, word: str, shown: str) -> str:
    """Why the flow knows nothing of that name, and what was probably meant; empty when it does.

    Args:
        flow: the call's.
        what: the kind of order.
        word: what it names.
        shown: that name as it may be read; names with digits may hold somebody's number.
    """
    known: Collection[str]
    if what == "situation":
        known, called = tuple(flow.situations), "situation"
        rule = flow.standard.rules.get(word)
        if rule is not None and rule.not_on_phone:
            return f"{word} does not happen on a phone line: {rule.not_on_phone}"
    elif what == "transfer":
        known, called = flow.agents.transfers, "transfer step that agents may send callers to"
    elif what == "signal":
        known, called = flow.signals, "signal"
    else:
        return ""
    if word in known:
        return ""
    hint = did_you_mean(word, known)
    return f"the flow {flow.id} has no {called} named {shown}" + (f"; {hint}" if hint else "")


def _why_not(what: str, said: Sequence[TraceLine], session: CallSession) -> str:
    """Why the order did nothing, from what the session noted; empty when it was carried out."""
    facts = {line.fact for line in said}
    if facts & _SHOWS[what]:
        return ""
    ignored = [line.detail for line in said if line.fact is Fact.IGNORED]
    if ignored:
        return f"not now: {ignored[-1]}"
    if what == "signal":
        words = _leave_words(session)
        hint = f"; what leaves it: {', '.join(words)}" if words else ""
        return f"not now: nothing is left by that word where the call is ({session.step}){hint}"
    return f"not now: the call waits for {session.waiting_for}"


def _leave_words(session: CallSession) -> list[str]:
    """The words that leave the situation being played, in the order of its rungs."""
    ladder = session.flow.situations.get(session.step.removeprefix("situation "))
    rungs = ladder.rungs if ladder else ()
    return list(dict.fromkeys(rung.leave_on for rung in rungs if rung.leave_on))


def _refused(call: LiveCall, why: str) -> Reply:
    return Reply(done=False, call=call.call_id, words=(why,))


def _where(session: CallSession) -> str:
    if session.is_over:
        return "the call is over"
    return f"the call is at {session.step}, waiting for {session.waiting_for}"


def _seen(call: LiveCall, since: float) -> CallSeen:
    session = call.session
    return CallSeen(
        call=call.call_id,
        flow=session.flow.id,
        since=since,
        step=session.step,
        phase=session.phase,
        waiting_for=session.waiting_for,
        agent=agent_of(session.trace),
    )


def agent_of(trace: Sequence[TraceLine]) -> str:
    """Whom the caller talks with, as the PBX names them, or "an agent" when it did not; empty when nobody."""
    for line in reversed(trace):
        if line.fact is Fact.AGENT_LEFT and line.detail != "handed over":
            return ""
        if line.fact is Fact.AGENT_ANSWERED:
            return line.detail or "an agent"
    return ""
