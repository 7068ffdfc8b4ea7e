import math

import pytest
from simulated_calls import a_call, a_call_with

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact
from ivrflow.simulator.agents import Agent, AgentChange
from ivrflow.simulator.caller_commands import (
    Bare,
    GiveSignal,
    LearnValue,
    Press,
    Speak,
    StartSituation,
    Stay,
    TellAgent,
)
from ivrflow.simulator.simulation import KEY_GAP_S, Simulation


def facts(call: Simulation, *wanted: Fact) -> list[tuple[float, Fact]]:
    return [(line.at, line.fact) for line in call.session.trace if not wanted or line.fact in wanted]


def to_agent(call: Simulation) -> None:
    """Through the greeting and the announcement, until the extension rings."""
    call.caller(Bare.LISTEN)
    call.caller(Press("0"))
    call.caller(Bare.NEXT)


# ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_line_is_open_at_once() -> None:
    call = a_call()
    assert [type(h.event) for h in call.record] == [m.CallArrived, m.CallAnswered]
    assert call.now == 0.0
    assert not call.is_listening  # the first phrase plays


def test_a_prompt_takes_exactly_its_length_and_the_wait_counts_from_its_end() -> None:
    call = a_call()
    call.run_out()
    waits = facts(call, Fact.WAIT_BEGUN, Fact.WAIT_USED_UP)
    # good day 2 s, greeting 2 s, then 3 s of silence; connected 2 s, then 3 s.
    assert waits == [
        (4.0, Fact.WAIT_BEGUN),
        (7.0, Fact.WAIT_USED_UP),
        (9.0, Fact.WAIT_BEGUN),
        (12.0, Fact.WAIT_USED_UP),
    ]
    assert call.is_over
    assert call.now == 14.0
    assert call.session.outcome == "hung_up"


def test_each_step_goes_to_the_next_happening() -> None:
    call = a_call()
    assert call.next_at == 2.0
    happening = call.step()
    assert happening
    assert isinstance(happening.event, m.PromptEnded)
    assert call.now == 2.0


def test_a_length_of_time_includes_its_last_moment() -> None:
    call = a_call()
    call.caller(Stay(4.0))
    assert call.is_listening
    call.caller(Stay(3.0))
    assert facts(call, Fact.WAIT_USED_UP) == [(7.0, Fact.WAIT_USED_UP)]


def test_many_small_lengths_make_a_whole_one() -> None:
    call = a_call()
    call.caller(Stay(4.0))
    for _ in range(30):
        call.caller(Stay(0.1))
    assert facts(call, Fact.WAIT_USED_UP) == [(7.0, Fact.WAIT_USED_UP)]


def test_time_stands_still_once_the_call_is_over() -> None:
    call = a_call()
    call.run_out()
    ended = call.now
    call.advance(100.0)
    assert call.now == ended
    assert call.step() is None
    assert call.next_at is None
    assert call.caller(Press("1")) == "the call is over"
    assert call.feed(m.CallerHungUp()) is None


# ── the caller ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_keys_typed_together_are_a_little_apart() -> None:
    call = a_call()
    call.caller(Press("1"))  # barges into the greeting that follows "good day"
    call.caller(Bare.LISTEN)
    began = call.now
    call.caller(Press("12"))
    pressed = [h.at for h in call.record if isinstance(h.event, m.KeyPressed)]
    assert pressed[-2:] == pytest.approx([began, began + KEY_GAP_S])


def test_speech_lasts_and_time_passes_meanwhile() -> None:
    call = a_call()
    call.caller(Bare.LISTEN)
    call.caller(Speak(2.5))
    assert facts(call, Fact.SPEECH_STARTED, Fact.SPEECH_ENDED) == [
        (4.0, Fact.SPEECH_STARTED),
        (6.5, Fact.SPEECH_ENDED),
    ]
    assert call.session.step == "menu"


def test_hanging_up_is_known_at_once() -> None:
    call = a_call()
    call.caller(Stay(1.0))
    call.caller(Bare.HANG_UP)
    assert call.is_over
    assert call.session.first_to_hang_up == "caller"
    assert call.now == 1.0


def test_listening_is_the_callers_turn_only() -> None:
    call = a_call()
    call.caller(Bare.LISTEN)
    assert call.now == 4.0
    assert call.is_listening
    call.caller(Bare.LISTEN)
    assert call.now == 4.0, "it already is the caller's turn"


def test_values_reach_the_session() -> None:
    call = a_call()
    call.caller(LearnValue("honorific", "女士"))
    assert call.record[-1].event == m.ValuesLearned(values={"honorific": "女士"})


def test_lost_hearing_makes_silence_mean_nothing() -> None:
    call = a_call()
    call.caller(Bare.LISTEN)
    call.caller(Bare.DEAF)
    call.caller(Stay(4.0))
    assert not facts(call, Fact.WAIT_USED_UP)
    call.caller(Bare.HEAR)
    call.caller(Stay(3.0))
    assert facts(call, Fact.WAIT_USED_UP) == [(11.0, Fact.WAIT_USED_UP)]


@pytest.mark.parametrize("command", [Bare.WHERE, Bare.HELP, Bare.QUIT])
def test_asking_changes_nothing(command: Bare) -> None:
    call = a_call()
    before = list(call.record)
    assert call.caller(command) == ""
    assert call.record == before


# ── agents ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_agent_answers_talks_and_leaves() -> None:
    call = a_call_with(_1001=Agent("answers", 5.0, 30.0))
    to_agent(call)
    rang = call.now
    call.run_out()
    assert facts(call, Fact.RINGING, Fact.AGENT_ANSWERED, Fact.AGENT_LEFT) == [
        (rang, Fact.RINGING),
        (rang + 5.0, Fact.AGENT_ANSWERED),
        (rang + 35.0, Fact.AGENT_LEFT),
    ]


@pytest.mark.parametrize(
    ("agent", "why", "after"),
    [(Agent("busy", 2.0), "busy", 2.0), (Agent("unreachable"), "unreachable", 0.0), (Agent("away"), "no_answer", 20.0)],
)
def test_an_agent_who_cannot_be_had(agent: Agent, why: str, after: float) -> None:
    call = a_call_with(_1001=agent)
    to_agent(call)
    rang = call.now
    call.run_out()
    (missed,) = [line for line in call.session.trace if line.fact is Fact.AGENT_UNAVAILABLE]
    assert (missed.detail, missed.at) == (why, rang + after)


def test_whoever_rings_can_be_told_to_answer_now_and_to_leave() -> None:
    call = a_call()
    to_agent(call)
    assert call.caller(TellAgent(AgentChange(manner="leaves"))) == "no agent is talking"
    rang = call.now
    call.caller(TellAgent(AgentChange(manner="answers")))
    assert facts(call, Fact.AGENT_ANSWERED) == [(rang, Fact.AGENT_ANSWERED)]
    call.caller(Stay(7.0))
    call.caller(TellAgent(AgentChange(manner="leaves")))
    assert facts(call, Fact.AGENT_LEFT) == [(rang + 7.0, Fact.AGENT_LEFT)]


def test_the_length_of_the_talk_counts_for_the_one_who_rings() -> None:
    call = a_call()
    to_agent(call)
    call.caller(TellAgent(AgentChange(manner="answers", after=1.0, talks=3.0)))
    rang = call.now
    call.caller(Stay(4.0))
    assert facts(call, Fact.AGENT_LEFT) == [(rang + 4.0, Fact.AGENT_LEFT)]


def test_an_agent_told_beforehand_does_it_when_it_rings() -> None:
    call = a_call()
    call.caller(TellAgent(AgentChange("1001", "busy")))
    to_agent(call)
    assert facts(call, Fact.AGENT_UNAVAILABLE)


def test_telling_another_extension_leaves_the_one_that_rings_alone() -> None:
    call = a_call()
    to_agent(call)
    call.caller(TellAgent(AgentChange("1000", "busy")))
    assert not facts(call, Fact.AGENT_UNAVAILABLE)
    call.caller(Stay(4.0))
    assert facts(call, Fact.AGENT_ANSWERED)


# ── situations and tasks ──────────────────────────────────────────────────────────────────────────────────────────────


def begin_lookup(call: Simulation) -> float:
    """Start a situation whose second rung is a task; the second at which it is asked for."""
    call.caller(Bare.LISTEN)
    call.caller(StartSituation("short_lookup"))
    call.caller(Bare.NEXT)
    assert isinstance(call.record[-1].actions[-1], m.Instruct)
    return call.now


def test_a_task_is_done_after_its_time() -> None:
    call = a_call_with(_=Agent(works=8.0))
    asked = begin_lookup(call)
    call.caller(Bare.NEXT)
    assert facts(call, Fact.TASK_DONE) == [(asked + 8.0, Fact.TASK_DONE)]


def test_a_task_can_be_done_by_command_and_take_longer() -> None:
    call = a_call()
    assert call.caller(Bare.DONE) == "no task is asked for"
    asked = begin_lookup(call)
    call.caller(TellAgent(AgentChange(works=25.0)))
    call.caller(Stay(21.0))
    assert not facts(call, Fact.TASK_DONE)
    call.caller(Bare.DONE)
    assert facts(call, Fact.TASK_DONE) == [(asked + 21.0, Fact.TASK_DONE)]
    assert call.caller(Bare.DONE) == "no task is asked for"


def test_a_task_the_engine_gave_up_is_no_longer_under_way() -> None:
    call = a_call()
    call.caller(TellAgent(AgentChange(works=1000.0)))
    asked = begin_lookup(call)
    call.caller(Stay(30.0))  # the documented bound of this lookup
    assert (asked + 30.0, Fact.WAIT_USED_UP) in facts(call)
    assert call.caller(Bare.DONE) == "no task is asked for"


def test_a_task_of_a_cancelled_situation_is_no_longer_under_way() -> None:
    call = a_call()
    begin_lookup(call)
    call.caller(Bare.CANCEL)
    assert call.is_listening
    assert call.caller(Bare.DONE) == "no task is asked for"


def test_a_signal_leaves_the_ladder() -> None:
    call = a_call()
    call.caller(Bare.LISTEN)
    call.caller(StartSituation("noise"))
    call.caller(GiveSignal("audible"))
    left = [line for line in call.session.trace if line.fact is Fact.LADDER_LEFT]
    assert [line.detail for line in left] == ["audible"]


# ── the record ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_record_holds_every_event_its_answer_and_its_trace() -> None:
    call = a_call()
    call.run_out()
    assert call.record[-1].trace_end == len(call.session.trace)
    ends = [happening.trace_end for happening in call.record]
    assert ends == sorted(ends)
    plays = [action for happening in call.record for action in happening.actions if isinstance(action, m.Play)]
    assert [play.phrase for play in plays] == ["good day", "greeting", "connected", "change phone"]
    assert all(math.isfinite(happening.at) for happening in call.record)
