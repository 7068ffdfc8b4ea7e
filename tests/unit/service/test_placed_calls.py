"""From an order to a call and back: once, within bounds, and with an answer for every ending."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest
from placing_flows import HERE, placing_flow
from pretended_line import RecordedManager

from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.bridge.exchange import Exchange
from ivrflow.bridge.orders.to_calls import OrderRefused
from ivrflow.bridge.orders.to_place_calls import Answer, CallOff, CallWanted
from ivrflow.bridge.outgoing_line import OutgoingLine
from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession
from ivrflow.engine.trace import TraceLine, Verdict
from ivrflow.flow.model import CallFlow, Quiet
from ivrflow.runtime.clock import LoopClock
from ivrflow.runtime.journal import Journal
from ivrflow.runtime.switchboard import Switchboard
from ivrflow.service.placed_calls import REMEMBERED_ORDERS, PlacedCalls

ALL_DAY_BUT_A_MINUTE = (Quiet(0, 1439, HERE), Quiet(1439, 0, HERE))


class Pbx:
    """What an exchange does for calls we place."""

    def __init__(self) -> None:
        self.is_up = True
        self.manager = RecordedManager()
        self.lines: dict[str, OutgoingLine] = {}
        self.answers: list[Answer] = []
        self.shown: list[tuple[str, str]] = []

    def outgoing(self, unique_id: str, dial_string: str, calling_number: str) -> OutgoingLine:
        self.shown.append((dial_string, calling_number))
        line = OutgoingLine(unique_id, dial_string, calling_number, self.manager, self._settled)
        self.lines[unique_id] = line
        return line

    def _settled(self, line: OutgoingLine) -> None:
        del self.lines[line.unique_id]

    def stop_dialling(self) -> None:
        for line in list(self.lines.values()):
            line.cancel()

    def answer(self, answer: Answer) -> None:
        self.answers.append(answer)

    @property
    def line(self) -> OutgoingLine:
        (line,) = self.lines.values()
        return line

    @property
    def originates(self) -> int:
        return sum(action == "Originate" for action, _ in self.manager.orders)


class Book:
    """What a journal keeps of them."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.outcomes: list[str] = []

    def call_arrived(self, call: str, flow: CallFlow, now: float) -> "Book":
        assert flow.id == "small"
        assert now > 0
        self.calls.append(call)
        return self

    def handled(self, at: float, event: m.CallEvent, actions: Sequence[m.Action]) -> None: ...

    def over(self, outcome: str, ended_by: str, trace: Sequence[TraceLine], verdicts: Sequence[Verdict]) -> None:
        assert trace
        assert verdicts
        assert ended_by in {"", "ivrflow", "caller"}
        self.outcomes.append(outcome)


class Setup:
    def __init__(self, flow: CallFlow, *, are_test_calls: bool = False) -> None:
        self.pbx, self.book, self.switchboard = Pbx(), Book(), Switchboard()
        self.placed = PlacedCalls(
            {flow.id: flow},
            cast("Exchange", self.pbx),
            cast("Journal", self.book),
            self.switchboard,
            LoopClock(asyncio.get_running_loop()),
            dial="PJSIP/{number}@trunk",
            calling_number="12345",
            are_test_calls=are_test_calls,
        )

    def order(self, number: str = "1002", ask: str = "ask-00000001", flow: str = "small", at: str = "") -> None:
        self.placed.ordered(CallWanted(ask, flow, number, {"surname": "李"}, at))

    @property
    def states(self) -> list[str]:
        return [answer.state for answer in self.pbx.answers]


@pytest.fixture
async def setup() -> Setup:
    return Setup(placing_flow())


async def test_an_order_rings_once_and_is_told_so(setup: Setup) -> None:
    setup.order()
    setup.order()
    assert setup.pbx.originates == 1
    assert setup.pbx.shown == [("PJSIP/1002@trunk", "12345")]
    (answer,) = setup.pbx.answers
    assert (answer.state, answer.seconds, answer.call) == ("dialling", 30.0, setup.book.calls[0])
    assert setup.switchboard.counts.live == 1
    setup.placed.close()


async def test_another_order_for_the_same_number_is_another_call(setup: Setup) -> None:
    setup.order()
    setup.order(ask="ask-00000002")
    assert setup.pbx.originates == 2
    setup.placed.close()


async def test_nobody_answering_is_journaled_and_told(setup: Setup) -> None:
    setup.order()
    setup.pbx.line.channel_gone(17)
    assert setup.book.outcomes == ["busy"]
    assert setup.states == ["dialling", "over"]
    assert setup.pbx.answers[-1].outcome == "busy"
    assert setup.switchboard.counts.live == 0


async def test_taking_it_back_while_it_rings(setup: Setup) -> None:
    setup.order()
    setup.placed.ordered(CallOff("ask-00000001"))
    setup.placed.ordered(CallOff("ask-00000001"))
    setup.placed.ordered(CallOff("nobody-knows"))
    assert setup.book.outcomes == ["cancelled"]
    assert setup.states == ["dialling", "over"]


async def test_a_stopping_engine_stops_ringing_and_takes_no_order(setup: Setup) -> None:
    setup.order()
    setup.placed.close()
    setup.order(ask="ask-00000002")
    assert setup.states == ["dialling", "over", "refused"]
    assert setup.pbx.answers[-1].why == "the engine is stopping"
    assert setup.pbx.originates == 1


async def test_without_the_manager_nobody_is_rung(setup: Setup) -> None:
    setup.pbx.is_up = False
    setup.order()
    assert setup.states == ["refused"]
    assert setup.pbx.originates == 0


async def test_a_flow_nobody_has(setup: Setup) -> None:
    setup.order(flow="smal")
    (answer,) = setup.pbx.answers
    assert answer.why == "the engine has no flow smal; did you mean 'small'?"


async def test_a_number_the_flow_may_not_ring_leaves_no_record(setup: Setup) -> None:
    setup.order(number="2002")
    (answer,) = setup.pbx.answers
    assert answer.why == "the flow small may not ring this number"
    assert setup.book.calls == []


async def test_a_quiet_hour_is_refused_with_the_next_moment_and_a_record() -> None:
    setup = Setup(placing_flow(quiet=(Quiet(12 * 60, 14 * 60, HERE),)), are_test_calls=True)
    setup.order(at="2026-11-20T12:45")
    (answer,) = setup.pbx.answers
    assert (answer.state, answer.why) == ("refused", "quiet hours until 2026-11-20 14:00")
    assert answer.again.startswith("2026-11-20T14:00")
    assert answer.call == setup.book.calls[0]
    assert setup.book.outcomes == ["quiet_hours"]
    assert setup.pbx.originates == 0
    assert setup.pbx.lines == {}


async def test_only_testers_choose_the_time() -> None:
    setup = Setup(placing_flow(quiet=ALL_DAY_BUT_A_MINUTE))
    setup.order(at="2026-11-20T10:00")
    assert setup.states == ["refused"]


async def test_a_time_that_is_none_counts_as_now() -> None:
    setup = Setup(placing_flow(), are_test_calls=True)
    setup.order(at="noon")
    assert setup.states == ["dialling"]
    setup.placed.close()


async def test_orders_long_ago_are_forgotten(setup: Setup) -> None:
    for number in range(REMEMBERED_ORDERS + 5):
        setup.order(number="2002", ask=f"ask-{number:08}")
    assert len(setup.placed._asked) == REMEMBERED_ORDERS


async def test_a_call_that_goes_to_the_fallback_is_told_too(setup: Setup) -> None:
    setup.order()
    (call,) = setup.switchboard.live
    call.abandon("the engine is stopping")
    assert setup.pbx.answers[-1].outcome == "handed_to_fallback"
    assert setup.pbx.lines == {}


class CalledBack:
    """What somebody who calls people back is told."""

    def __init__(self, setup: Setup) -> None:
        self.told: list[str] = []
        self.is_rung = setup.placed.call_back(
            "out-1.1",
            placing_flow(),
            "1002",
            {"surname": "李"},
            lambda: self.told.append("answered"),
            self.told.append,
        )


async def test_somebody_is_called_back_and_nobody_at_the_door_hears_of_it(setup: Setup) -> None:
    back = CalledBack(setup)
    assert (back.is_rung, setup.pbx.originates, setup.book.calls) == (True, 1, ["out-1.1"])
    assert setup.pbx.shown == [("PJSIP/1002@trunk", "12345")]
    setup.pbx.line.channel_gone(17)
    assert (back.told, setup.pbx.answers) == (["busy"], [])
    assert setup.switchboard.counts.live == 0


async def test_its_line_asks_the_session_what_an_order_means(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    CalledBack(setup)
    monkeypatch.setattr(CallSession, "task", 7)
    assert setup.pbx.line.read(AmiEvent({"Order": "done"})) == m.TaskDone(ticket=7)
    with pytest.raises(OrderRefused, match="no situation named 'earthquake'"):
        setup.pbx.line.read(AmiEvent({"Order": "situation", "Word": "earthquake"}))


async def test_who_picks_up_is_told_before_the_end(setup: Setup) -> None:
    back = CalledBack(setup)
    (call,) = setup.switchboard.live
    call._line = Mute()  # the person's line: nobody listens what is played
    setup.pbx.line.on_event(m.CallAnswered())
    assert back.told == ["answered"]
    call.happened(m.CallerHungUp())
    assert back.told == ["answered", "caller_hung_up"]


class Mute:
    def perform(self, action: m.Action) -> None:
        """Do nothing."""


async def test_nobody_is_called_back_without_a_pbx_or_by_an_engine_that_stops(setup: Setup) -> None:
    setup.pbx.is_up = False
    assert not setup.placed.is_ready
    assert not CalledBack(setup).is_rung
    setup.pbx.is_up = True
    back = CalledBack(setup)
    setup.placed.close()
    assert (back.told, setup.placed.is_ready) == (["cancelled"], False)
    assert not CalledBack(setup).is_rung
    assert setup.pbx.originates == 1
