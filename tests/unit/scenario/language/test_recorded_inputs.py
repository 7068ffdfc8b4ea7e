from dataclasses import replace

from recorded_calls import call, events, stored

from ivrflow.engine import messages as m
from ivrflow.scenario.language.recorded_inputs import (
    HungUp,
    Input,
    Ordered,
    Played,
    Pressed,
    RecordedAgent,
    RecordedInputs,
    Said,
    recorded_inputs,
)
from ivrflow.simulator.agents import AgentChange
from ivrflow.simulator.caller_commands import Bare, LearnValue, Press, Speak, Stay

ARRIVED = m.CallArrived(number="12345", arrived_at=0.0)


def inputs(*timed: tuple[float, m.CallEvent], actions: dict[int, tuple[m.Action, ...]] | None = None) -> RecordedInputs:
    """The inputs of a call that arrives at second 100 and is answered at 100.5."""
    started: list[tuple[float, m.CallEvent]] = [(100.0, ARRIVED), (100.5, m.CallAnswered())]
    found = recorded_inputs(events(*started, *((100.5 + at, event) for at, event in timed), actions=actions))
    assert found
    return found


def done(*timed: tuple[float, m.CallEvent]) -> list[tuple[float, object]]:
    return [(round(one.at, 3), one.doing) for one in inputs(*timed).inputs]


def test_a_call_that_was_never_answered_has_none() -> None:
    assert recorded_inputs(events((100.0, ARRIVED), (101.0, m.CallerHungUp()))) is None
    assert recorded_inputs([]) is None


def test_seconds_count_from_the_answer() -> None:
    assert done((2.0, m.KeyPressed(key="7")), (3.25, m.CallerHungUp())) == [(2.0, Pressed("7")), (3.25, HungUp())]


def test_what_was_said_to_ivrflow() -> None:
    assert done(
        (1.0, m.SituationStarted(name="noise")),
        (2.0, m.SignalGiven(word="audible")),
        (3.0, m.SituationCancelled()),
        (4.0, m.ValuesLearned(values={"honorific": "女士"})),
    ) == [
        (1.0, Ordered("situation", "noise")),
        (2.0, Ordered("signal", "audible")),
        (3.0, Ordered("cancel")),
        (4.0, Ordered("value", "honorific", "女士")),
    ]


def test_values_that_came_with_the_call_are_told_at_once() -> None:
    arrived = m.CallArrived(number="12345", arrived_at=0.0, values={"surname": "王"})
    found = recorded_inputs(events((0.0, arrived), (0.5, m.CallAnswered())))

    assert found
    assert found.inputs == [Input(0.0, 0, Ordered("value", "surname", "王"))]


def test_a_task_is_done_only_when_it_was_asked_for() -> None:
    found = inputs(
        (1.0, m.TaskDone(ticket=7)),
        (2.0, m.PromptEnded(ticket=1)),
        (3.0, m.TaskDone(ticket=2)),
        actions={4: (m.Instruct(ticket=2, task="record"),)},
    )

    assert [(one.at, one.doing) for one in found.inputs] == [(3.0, Ordered("done"))]


# ── speech ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_speech_begins_before_it_is_noticed_and_stops_before_it_counts_as_over() -> None:
    assert done((2.0, m.SpeechStarted()), (4.0, m.SpeechEnded())) == [(1.78, Said(1.72))]


def test_the_shortest_speech_is_still_speech() -> None:
    assert done((2.0, m.SpeechStarted()), (2.1, m.SpeechEnded())) == [(1.78, Said(0.14))]


def test_nobody_speaks_before_the_answer() -> None:
    assert done((0.1, m.SpeechStarted()), (2.1, m.SpeechEnded())) == [(0.0, Said(1.6))]


def test_who_hangs_up_while_speaking_speaks_until_then() -> None:
    assert done((2.0, m.SpeechStarted()), (4.0, m.CallerHungUp())) == [(1.78, Said(2.17)), (4.0, HungUp())]


def test_who_is_cut_off_while_speaking_has_spoken_a_little_less() -> None:
    assert done((2.0, m.SpeechStarted()), (4.0, m.DeadlineReached())) == [(1.78, Said(2.17))]


def test_a_script_does_one_thing_at_a_time() -> None:
    assert done(
        (2.0, m.SpeechStarted()),
        (3.0, m.KeyPressed(key="1")),
        (3.5, m.SituationStarted(name="noise")),
        (6.0, m.SpeechEnded()),
    ) == [
        (1.78, Said(1.22)),
        (3.0, Pressed("1")),
        (3.2, Said(0.3)),
        (3.5, Ordered("situation", "noise")),
        (3.7, Said(1.8)),
    ]


def test_who_speaks_for_long_draws_breath() -> None:
    found = done((1.22, m.SpeechStarted()), (26.5, m.SpeechEnded()))

    assert found == [(1.0, Said(10.0)), (11.2, Said(10.0)), (21.4, Said(4.6))]


# ── what was played ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_phrases_with_their_ends_and_their_cuts() -> None:
    simulation = call(Stay(1.0), Press("1"), Stay(None))
    found = recorded_inputs(stored(simulation).happenings)

    assert found
    first, second = found.played[:2]
    assert (first.phrase, first.start, first.end, first.is_whole) == (
        "gov12345/greeting_inbound.standard",
        0,
        1.0,
        False,
    )
    assert (second.phrase, second.start, second.is_whole) == ("gov12345/hold_request.lookup", 1.0, True)


def test_a_phrase_whose_end_was_never_reported_was_heard_all_the_same() -> None:
    play, stop = m.Play(ticket=1, phrase="x/y", prompt="", seconds=2.0), m.StopPlaying(ticket=1)
    found = inputs((0.0, m.SpeechEnded()), (5.0, m.DeadlineReached()), actions={3: (play,), 4: (stop,)})

    assert found.played == [Played("x/y", 0.0, 2.0, 3, 5.0, 4, is_whole=True)]


def test_what_plays_when_the_call_ends_ends_with_it() -> None:
    simulation = call(Stay(1.0), Bare.HANG_UP)
    found = recorded_inputs(stored(simulation).happenings)

    assert found
    assert [(one.end, one.is_whole) for one in found.played] == [(1.0, False)]


# ── agents ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def rung(*commands: Bare | Stay | LearnValue | Speak, agent: AgentChange) -> list[RecordedAgent]:
    found = recorded_inputs(stored(call(Press("0"), *commands, agent=agent)).happenings)
    assert found
    return [replace(agent, since=0.0, rang=0.0) for agent in found.agents if not agent.queue]


def test_how_an_extension_rang() -> None:
    silence = Stay(None)
    answers = AgentChange(manner="answers", after=4.0, talks=30.0)
    assert rung(silence, agent=answers) == [RecordedAgent("1001", answered=True, after=4.0, talked=30.0)]
    assert rung(Stay(20.0), Bare.HANG_UP, agent=answers) == [RecordedAgent("1001", answered=True, after=4.0)]
    assert rung(silence, agent=AgentChange(manner="busy", after=1.0)) == [RecordedAgent("1001", why="busy", after=1.0)]
    assert rung(silence, agent=AgentChange(manner="unreachable")) == [RecordedAgent("1001", why="unreachable")]
    assert rung(silence, agent=AgentChange(manner="away")) == [RecordedAgent("1001")]


def test_answers_to_a_telephone_that_rings_no_more_are_nothing() -> None:
    found = inputs((1.0, m.AgentAnswered(ticket=9)), (2.0, m.AgentLeft(ticket=9)))

    assert found.agents == []


# ── what no scenario can do ───────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_scenario_cannot_make_happen_is_known() -> None:
    found = inputs((1.0, m.HearingLost()), (2.0, m.HearingRestored()), (3.0, m.LineLost()))

    assert (found.deaf, found.lost) == (True, True)


def test_a_key_that_could_not_be_let_go_any_more_is_left_out_unless_it_ended_the_call() -> None:
    assert done((2.0, m.KeyPressed(key="1")), (2.05, m.DeadlineReached())) == []
    assert done((2.0, m.KeyPressed(key="1")), (2.2, m.DeadlineReached())) == [(2.0, Pressed("1"))]
    assert done((2.0, m.KeyPressed(key="1")), (2.05, m.CallerHungUp())) == [(2.0, Pressed("1")), (2.05, HungUp())]
    assert done((2.0, m.KeyPressed(key="1"))) == [(2.0, Pressed("1"))]
