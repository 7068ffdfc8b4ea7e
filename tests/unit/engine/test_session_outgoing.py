"""Calls we place: rung for so long and no longer, at no quiet hour, and over politely."""

from dataclasses import replace

import pytest
from driven_call import ARRIVED_AT, BEGIN
from placing_flows import HERE, placing_flow

from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession
from ivrflow.engine.trace import Fact, Judgement
from ivrflow.flow.model import CallFlow, Quiet


class Placed:
    """One call that was ordered."""

    def __init__(self, flow: CallFlow, number: str = "1002", at: float = ARRIVED_AT) -> None:
        self.session = CallSession(flow)
        self.now = BEGIN
        self.first = self.session.handle(m.CallOrdered(caller=number, arrived_at=at), self.now)

    def happens(self, event: m.CallEvent, after: float = 0.0) -> list[m.Action]:
        self.now += after
        return self.session.handle(event, self.now)

    @property
    def facts(self) -> list[Fact]:
        return [line.fact for line in self.session.trace]

    @property
    def verdict(self) -> tuple[Judgement, str]:
        (verdict,) = self.session.verdicts
        return verdict.judgement, verdict.observed


def test_the_person_is_rung_under_one_deadline() -> None:
    call = Placed(placing_flow())
    assert call.first == [m.Dial(seconds=30.0)]
    assert call.session.deadline == BEGIN + 30.0
    assert call.session.waiting_for == "somebody to pick up"
    assert call.session.phase == "dialling"
    assert call.facts == [Fact.ORDERED, Fact.LADDER_BEGUN, Fact.DIALLING]


def test_who_picks_up_enters_the_step_for_calls_we_place() -> None:
    call = Placed(placing_flow())
    (play,) = call.happens(m.CallAnswered(), after=6.0)
    assert isinstance(play, m.Play)
    assert call.session.step == "other"
    assert call.session.phase == "conversing"
    assert call.verdict == (Judgement.KEPT, "left on answered")
    assert [line.rule for line in call.session.trace if line.fact is Fact.STEP_ENTERED] == [""]


def test_nobody_picks_up_within_the_bound() -> None:
    call = Placed(placing_flow())
    assert call.happens(m.DeadlineReached(), after=29.999) == []
    assert call.happens(m.DeadlineReached(), after=0.001) == [m.StopDialling()]
    assert (call.session.outcome, call.session.first_to_hang_up) == ("no_answer", "")
    judgement, observed = call.verdict
    assert judgement is Judgement.KEPT
    assert observed == "30.00 s, then hung up"


@pytest.mark.parametrize("ring", [20.0, 40.0])
def test_giving_up_too_soon_or_too_late_breaks_the_rule(ring: float) -> None:
    call = Placed(placing_flow(ring=ring))
    call.happens(m.DeadlineReached(), after=ring)
    judgement, observed = call.verdict
    assert judgement is Judgement.BROKEN
    assert f"{ring:.2f} s" in observed


@pytest.mark.parametrize("why", ["no_answer", "busy", "refused", "unreachable", "cancelled"])
def test_why_nobody_picked_up_is_the_outcome(why: str) -> None:
    call = Placed(placing_flow())
    assert call.happens(m.CallNotAnswered(why=why), after=3.0) == []  # type: ignore[arg-type]  # one of the five
    assert call.session.is_over
    assert call.session.outcome == why
    assert call.verdict[0] is Judgement.KEPT
    assert call.session.verdicts[0].observed == f"not answered: {why.replace('_', ' ')}"


def test_a_late_refusal_changes_nothing() -> None:
    call = Placed(placing_flow())
    call.happens(m.CallAnswered(), after=6.0)
    assert call.happens(m.CallNotAnswered(why="busy"), after=1.0) == []
    assert not call.session.is_over


def test_nothing_else_happens_to_a_telephone_that_rings() -> None:
    call = Placed(placing_flow())
    for event in (
        m.KeyPressed(key="1"),
        m.SpeechStarted(),
        m.SignalGiven(word="answered"),
        m.SituationStarted(name="no_answer"),
        m.HearingLost(),
        m.HearingRestored(),
        m.CallArrived(number="1", arrived_at=0.0),
        m.CallOrdered(caller="1", arrived_at=0.0),
    ):
        assert call.happens(event, after=0.5) == []
    assert call.session.deadline == BEGIN + 30.0
    assert not call.session.is_over


def test_the_longest_a_call_may_last_ends_the_ringing_too() -> None:
    plain = placing_flow()
    call = Placed(replace(plain, limits=replace(plain.limits, call_length=10.0)))
    (ending,) = call.happens(m.DeadlineReached(), after=10.0)
    assert ending == m.EndCall(outcome="call_too_long")


def test_at_a_quiet_hour_nobody_is_rung() -> None:
    whole_night = Quiet(21 * 60, 7 * 60 + 30, HERE)  # 22:13:20 in the flow's zone lies in it
    call = Placed(placing_flow(quiet=(whole_night,)))
    assert call.first == []
    assert call.session.is_over
    assert (call.session.outcome, call.session.deadline) == ("quiet_hours", None)
    (line,) = [line for line in call.session.trace if line.fact is Fact.NOT_PLACED]
    assert line.detail.startswith("quiet hours until 2023-11-15 07:30")
    assert call.verdict[0] is Judgement.NOT_APPLICABLE


@pytest.mark.parametrize("number", ["2001", "", "1@elsewhere"])
def test_a_number_the_flow_may_not_ring_is_not_rung(number: str) -> None:
    call = Placed(placing_flow(), number)
    assert call.first == []
    assert call.session.outcome == "not_allowed"
    assert number not in str(call.session.trace) or not number


def test_a_flow_that_places_no_calls_rings_nobody() -> None:
    call = Placed(replace(placing_flow(), places_calls=None))
    assert call.first == []
    assert call.session.outcome == "not_allowed"
