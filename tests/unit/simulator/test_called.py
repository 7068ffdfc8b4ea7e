"""Calls the flow places, on the simulator: the words for whom it rings, and what comes of each."""

from dataclasses import replace
from datetime import datetime

import pytest
from small_flows import flow as small_flow
from small_flows import say

from ivrflow.engine import messages as m
from ivrflow.flow.model import HANG_UP, CallFlow, Ladder, PlacesCalls, Rung
from ivrflow.flow.problems import FlowError, Location
from ivrflow.simulator.call_file import place_call, read_call_file, write_call_file
from ivrflow.simulator.called import Called, read_called, some_number
from ivrflow.simulator.simulation import Simulation
from ivrflow.simulator.transcript import whole_transcript

HERE = Location("flow.yaml", 1, 1)
TEN = datetime(2026, 11, 20, 10, 0)  # noqa: DTZ001 - local to the flow


def placing(*to: str, numbers: tuple[str, ...] = ()) -> CallFlow:
    plain = small_flow(say("welcome", "s/hello", then=HANG_UP))
    rung = Rung(HERE, task="dial", wait=30.0, leave_on="answered")
    places = PlacesCalls(Ladder("places_calls", (rung,), "hangup", HERE), (), to or ("9*",), "welcome", HERE)
    return replace(plain, places_calls=places, numbers=numbers)


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("answers", Called("answers", 4.0)),
        ("answers 6s", Called("answers", 6.0)),
        ("busy", Called("busy", 0.0)),
        ("busy 1.5s", Called("busy", 1.5)),
        ("refuses 3s", Called("refuses", 3.0)),
        ("unreachable", Called("unreachable", 0.0)),
        ("away", Called("away", 0.0)),
    ],
)
def test_the_words_for_it(text: str, called: Called) -> None:
    assert read_called(text) == called
    assert read_called(str(called)) == called


@pytest.mark.parametrize(
    ("text", "why"),
    [("answer", "is nothing somebody does"), ("away 3s", "takes no time"), ("", "is nothing"), ("busy soon", "soon")],
)
def test_other_words_are_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_called(text)


def test_a_number_that_may_be_rung() -> None:
    assert some_number(placing("9*")) == "9"
    assert some_number(placing("1001", "9*")) == "1001"
    assert some_number(replace(placing(), places_calls=None)) == ""


@pytest.mark.parametrize(
    ("called", "outcome", "ended_at"),
    [
        (Called("answers", 6.0), "hung_up", 8.0),
        (Called("busy", 1.0), "busy", 1.0),
        (Called("refuses", 3.0), "refused", 3.0),
        (Called("unreachable", 0.0), "unreachable", 0.0),
        (Called("away"), "no_answer", 30.0),
    ],
    ids=str,
)
def test_what_comes_of_it(called: Called, outcome: str, ended_at: float) -> None:
    call = place_call(placing(), TEN, called=called)
    call.run_out()
    assert call.was_placed
    assert call.session.outcome == outcome
    assert call.now == pytest.approx(ended_at)


def test_a_flow_that_nobody_can_ring_places_its_call() -> None:
    assert place_call(placing(), TEN).was_placed
    assert not place_call(placing(numbers=("100",)), TEN).was_placed


def test_a_call_may_begin_before_second_0() -> None:
    call = Simulation(placing(), called=Called("answers", 2.0), begins_at=-2.0)
    assert call.now == pytest.approx(0.0, abs=2.0)
    call.advance(0.0 - call.now)
    answered = [one.at for one in call.record if isinstance(one.event, m.CallAnswered)]
    assert answered == [0.0]


def test_a_call_file_keeps_it() -> None:
    call = read_call_file("flow: small\nat: 2026-11-20T10:00\ncalled: answers 6s\n\n/silence\n---\n", "x.call")
    assert call.called == Called("answers", 6.0)
    simulation = call.place(placing())
    simulation.run_out()
    text = write_call_file(call, [], simulation)
    assert "\ncalled: answers 6s\n" in text
    assert "picks up" in whole_transcript(simulation)


def test_a_call_file_for_a_flow_that_places_none() -> None:
    call = read_call_file("called: busy\n\n/silence\n", "x.call")
    with pytest.raises(FlowError, match="places no calls"):
        call.place(replace(placing(), places_calls=None))


def test_a_call_file_with_other_words() -> None:
    call = read_call_file("called: sleeps\n\n/silence\n", "x.call")
    (problem,) = call.problems
    assert "is nothing somebody does" in problem.message
