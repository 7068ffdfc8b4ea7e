from dataclasses import replace

import msgspec
from simulated_calls import HOTLINE, a_call

from ivrflow.engine import messages as m
from ivrflow.flow.model import CallFlow, Climb
from ivrflow.simulator.caller_commands import Bare, Press, Speak, Stay
from ivrflow.simulator.replay import replay
from ivrflow.simulator.simulation import Simulation


def through_to_the_agent() -> Simulation:
    call = a_call()
    for command in (Bare.LISTEN, Press("0"), Stay()):
        call.caller(command)
    return call


def test_the_same_events_bring_the_same_actions() -> None:
    call = through_to_the_agent()
    report = replay(HOTLINE, call.record)
    assert report.parting is None
    assert report.events == len(call.record)
    assert report.actions == sum(len(happening.actions) for happening in call.record)
    assert report.session.trace == call.session.trace
    assert report.session.verdicts == call.session.verdicts


def test_it_does_not_matter_when_the_clock_began() -> None:
    call = through_to_the_agent()
    later = [msgspec.structs.replace(happening, at=happening.at + 1000.0) for happening in call.record]
    assert replay(HOTLINE, later).parting is None


def test_the_first_other_answer_is_named() -> None:
    call = through_to_the_agent()
    number = next(i for i, happening in enumerate(call.record) if isinstance(happening.event, m.AgentAnswered))
    record = list(call.record)
    record[number] = msgspec.structs.replace(record[number], actions=(m.StopMusic(),))
    parting = replay(HOTLINE, record).parting
    assert parting
    assert parting.number == number + 1
    assert parting.at == record[number].at
    assert parting.expected == (m.StopMusic(),)
    assert parting.got == call.record[number].actions
    assert not parting.over_before


def test_it_ends_where_the_answers_part() -> None:
    call = through_to_the_agent()
    record = [msgspec.structs.replace(call.record[0], actions=()), *call.record[1:]]
    report = replay(HOTLINE, record)
    assert report.parting
    assert (report.parting.number, report.events, report.actions) == (1, 0, 0)
    assert len(report.session.trace) == 1


def with_silent_call_waits(seconds: float) -> CallFlow:
    welcome = HOTLINE.steps["welcome"]
    assert isinstance(welcome, Climb)
    rungs = tuple(replace(rung, wait=seconds if rung.wait else 0.0) for rung in welcome.ladder.rungs)
    changed = replace(welcome, ladder=replace(welcome.ladder, rungs=rungs))
    return replace(HOTLINE, steps={**HOTLINE.steps, "welcome": changed})


def silent_then(seconds: float) -> Simulation:
    """The caller speaks so long after the greeting's end."""
    call = a_call()
    for command in (Bare.LISTEN, Stay(seconds), Speak(1.0), Bare.HANG_UP):
        call.caller(command)
    return call


def test_a_shorter_wait_would_have_been_used_up_before_the_caller_spoke() -> None:
    call = silent_then(2.5)
    parting = replay(with_silent_call_waits(2.0), call.record, HOTLINE).parting
    assert parting
    assert (parting.at, parting.waited_for, parting.expected) == (6.0, "the rung's wait", ())
    assert isinstance(parting.event, m.SpeechStarted)
    (play,) = parting.got
    assert isinstance(play, m.Play)
    assert play.phrase == "connected"


def test_a_longer_wait_would_not_have_been_used_up() -> None:
    call = a_call()
    call.run_out()
    parting = replay(with_silent_call_waits(5.0), call.record, HOTLINE).parting
    assert parting
    assert isinstance(parting.event, m.DeadlineReached)
    assert (parting.at, parting.got, parting.waited_for) == (7.0, (), "")


def test_an_edit_this_call_never_met_changes_nothing() -> None:
    assert replay(with_silent_call_waits(5.0), silent_then(2.5).record, HOTLINE).parting is None


def test_a_late_timer_is_no_difference() -> None:
    call = a_call()
    call.run_out()
    late = [
        msgspec.structs.replace(happening, at=happening.at + 0.5 * (i + 1)) for i, happening in enumerate(call.record)
    ]
    assert replay(HOTLINE, late, HOTLINE).parting is None


def test_an_answer_expected_after_the_end_says_so() -> None:
    call = a_call()
    call.run_out()
    late = msgspec.structs.replace(call.record[-1], event=m.KeyPressed(key="1"), actions=(m.StopMusic(),))
    parting = replay(HOTLINE, [*call.record, late]).parting
    assert parting
    assert parting.over_before
    assert parting.got == ()
