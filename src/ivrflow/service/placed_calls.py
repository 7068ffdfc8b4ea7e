"""Calls we place: from an order at the engine's door to a live call, and back to whoever ordered it what became of it."""

from __future__ import annotations

import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Protocol

from ivrflow.bridge.exchange import Exchange
from ivrflow.bridge.orders.to_place_calls import Answer, CallOff, CallWanted
from ivrflow.bridge.outgoing_line import OUTGOING, OutgoingLine
from ivrflow.engine.hindrance import NOT_ALLOWED, hindrance
from ivrflow.engine.messages import CallAnswered, CallEvent, CallOrdered
from ivrflow.engine.session import CallSession
from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import did_you_mean
from ivrflow.flow.reading.times import read_time
from ivrflow.runtime.call_loop import LiveCall, LookUps
from ivrflow.runtime.clock import Clock
from ivrflow.runtime.journal import Journal
from ivrflow.runtime.switchboard import Switchboard
from ivrflow.service.order_desk import understood

log = logging.getLogger("ivrflow.calls")

REMEMBERED_ORDERS = 1000
"""Latest orders whose repetition is recognised: no order ever rings twice."""


class PlacedCalls:
    """Takes orders to place calls.

    Args:
        flows: by id.
        exchange: rings.
        journal: every call placed, answered or not, is kept there; so is one that the hour forbade.
        switchboard: knows the live calls.
        clock: of the calls.
        dial: what Asterisk rings, with `{number}` for the digits.
        calling_number: shown to whom we ring.
        are_test_calls: whether an order may say which local time counts.
        look_ups: asks for calls whose flow looks something up.
    """

    def __init__(
        self,
        flows: Mapping[str, CallFlow],
        exchange: Exchange,
        journal: Journal,
        switchboard: Switchboard,
        clock: Clock,
        *,
        dial: str,
        calling_number: str,
        are_test_calls: bool,
        look_ups: LookUps | None = None,
    ) -> None:
        self._flows = flows
        self._exchange = exchange
        self._journal = journal
        self._switchboard = switchboard
        self._clock = clock
        self._dial = dial
        self._calling_number = calling_number
        self._are_test_calls = are_test_calls
        self._look_ups = look_ups
        self._asked: OrderedDict[str, OutgoingLine | None] = OrderedDict()
        self._is_closed = False

    def ordered(self, order: CallWanted | CallOff) -> None:
        """Carry an order out, or say why not."""
        if isinstance(order, CallOff):
            line = self._asked.get(order.ask)
            if line is not None:
                line.cancel()
            return
        if order.ask in self._asked:
            log.warning("an order to place a call came twice and is carried out once")
            return
        self._asked[order.ask] = None
        while len(self._asked) > REMEMBERED_ORDERS:
            self._asked.popitem(last=False)
        flow = self._flows.get(order.flow)
        if flow is None:
            known = [one.id for one in self._flows.values() if one.places_calls]
            hint = did_you_mean(order.flow, known)
            self._refuse(order, f"the engine has no flow {order.flow}" + (f"; {hint}" if hint else ""))
        elif self._is_closed:
            self._refuse(order, "the engine is stopping")
        elif not self._exchange.is_up:
            self._refuse(order, "the engine has no connection to Asterisk's manager at the moment")
        else:
            self._place(order, flow)

    def use(self, flows: Mapping[str, CallFlow]) -> None:
        """Place calls with these flows from now on; calls that run keep theirs."""
        self._flows = flows

    @property
    def is_ready(self) -> bool:
        """Whether anybody can be rung at the moment."""
        return self._exchange.is_up and not self._is_closed

    def call_back(
        self,
        call: str,
        flow: CallFlow,
        number: str,
        values: Mapping[str, str],
        on_answered: Callable[[], None],
        on_over: Callable[[str], None],
    ) -> bool:
        """Ring somebody who waits to be called back, whom nothing hinders; False when nobody is rung after all.

        Args:
            call: its id, fit to be told from those of other calls.
            flow: that places it.
            number: digits; personal.
            values: for placeholders; personal.
            on_answered: called once, when the person picks up.
            on_over: called once, with the call's outcome.
        """
        if not self.is_ready:
            return False
        ordered = CallOrdered(caller=number, arrived_at=time.time(), values=dict(values))
        self._begin(call, flow, ordered, _CalledBack(on_answered, on_over))
        return True

    def close(self) -> None:
        """Ring nobody from now on, and stop what rings."""
        self._is_closed = True
        self._exchange.stop_dialling()

    def _refuse(self, order: CallWanted, why: str, again: datetime | None = None, call: str = "") -> None:
        log.warning("a call is not placed: %s", why)
        words = "" if again is None else again.isoformat(timespec="minutes")
        self._exchange.answer(Answer(ask=order.ask, state="refused", call=call, why=why, again=words))

    def _place(self, order: CallWanted, flow: CallFlow) -> None:
        now = time.time()
        call_id = f"{OUTGOING}{int(now)}.{secrets.token_hex(3)}"
        at = (pretended(call_id, flow, order.at) if self._are_test_calls else None) or now
        refusal = hindrance(flow, order.number, at)
        if refusal is not None and refusal.outcome == NOT_ALLOWED:
            self._refuse(order, refusal.why)  # a number nobody may ring leaves no record either
            return
        news = _News(self._exchange, order.ask, call_id, self._clock)
        if refusal is None:
            news.dialling(flow.places_calls.ring_for if flow.places_calls else 0.0)

        def over() -> None:
            if order.ask in self._asked:
                self._asked[order.ask] = None

        ordered = CallOrdered(caller=order.number, arrived_at=at, values=order.values)
        line = self._begin(call_id, flow, ordered, news, over, lambda line: self._asked.update({order.ask: line}))
        if refusal is not None:
            line.never_mind()
            self._refuse(order, refusal.why, refusal.again_at, call_id)

    def _begin(
        self,
        call_id: str,
        flow: CallFlow,
        ordered: CallOrdered,
        news: _Told,
        on_over: Callable[[], None] = lambda: None,
        on_line: Callable[[OutgoingLine], object] = lambda _: None,
    ) -> OutgoingLine:
        """Let the call begin: the session rings, or finds that it must not."""
        line = self._exchange.outgoing(call_id, self._dial.replace("{number}", ordered.caller), self._calling_number)
        line.flow = flow.id
        on_line(line)
        record = self._journal.call_arrived(call_id, flow, time.time())

        def over(call: LiveCall) -> None:
            self._switchboard.release(call)
            on_over()
            news.over(call.session)

        session = CallSession(flow)
        call = LiveCall(call_id, session, line, self._clock, record, on_over=over, look_ups=self._look_ups)
        self._switchboard.connect(call)

        def happened(event: CallEvent) -> None:
            if isinstance(event, CallAnswered):
                news.answered()  # first: a call may be over in the same moment
            call.happened(event)

        line.on_event, line.read = happened, partial(understood, session=session)
        call.happened(ordered)
        return line


class _Told(Protocol):
    """Whoever is told what becomes of a call."""

    def answered(self) -> None:
        """The person picked up."""

    def over(self, session: CallSession) -> None:
        """The call is over."""


class _CalledBack:
    """Tells whoever calls people back."""

    def __init__(self, on_answered: Callable[[], None], on_over: Callable[[str], None]) -> None:
        self.answered = on_answered
        self._on_over = on_over

    def over(self, session: CallSession) -> None:
        self._on_over(session.outcome or "handed_to_fallback")


class _News:
    """What whoever ordered one call is told about it."""

    def __init__(self, exchange: Exchange, ask: str, call: str, clock: Clock) -> None:
        self._exchange = exchange
        self._ask = ask
        self._call = call
        self._clock = clock
        self._since: float | None = None

    def dialling(self, seconds: float) -> None:
        self._since = self._clock.now()
        self._exchange.answer(Answer(ask=self._ask, state="dialling", call=self._call, seconds=seconds))

    def answered(self) -> None:
        rang = self._clock.now() - (self._since or 0.0)
        self._exchange.answer(Answer(ask=self._ask, state="answered", call=self._call, seconds=rang))

    def over(self, session: CallSession) -> None:
        if self._since is None:
            return  # it was refused, which is told with its reason
        outcome = session.outcome or "handed_to_fallback"
        self._exchange.answer(
            Answer(ask=self._ask, state="over", call=self._call, outcome=outcome, by=session.first_to_hang_up)
        )


def pretended(call: str, flow: CallFlow, at: str) -> float | None:
    """Unix time of a tester's local time; None when there is none."""
    if not at:
        return None
    try:
        return read_time(at).replace(tzinfo=flow.timezone).timestamp()
    except ValueError:
        log.warning("call %s: the local time it asks for is none such as 2026-11-20T10:00; now counts", call)
        return None
