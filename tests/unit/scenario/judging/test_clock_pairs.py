from dataclasses import replace

import pytest
from judged_scenarios import (
    AS_IT_SHOULD_BE,
    CHANGE,
    CONNECTED,
    FLOW,
    GREETING,
    a_caller,
    an_engine,
    observed,
    silent_trace,
    sound,
)

from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.flow.model import Band
from ivrflow.scenario.judging.clock_pairs import clock_pairs, in_words, recording_end
from ivrflow.scenario.observation import ClockPair, Heard, Observation


def seconds(observation: Observation) -> list[tuple[float | None, float | None]]:
    """What both clocks say of each wait: engine, wire."""
    return [(pair.engine, pair.wire) for pair in clock_pairs(FLOW, observation)]


def test_each_documented_wait_on_both_clocks() -> None:
    caller = a_caller(sound(GREETING, 0.1), sound(CONNECTED, 5.12), sound(CHANGE, 10.12))
    found = clock_pairs(FLOW, observed(caller, engine=an_engine(*silent_trace())))
    assert found == (
        ClockPair("gov/silent_call", 1, "3 s", 3, 3, 3.0, 3.02, 2.1),
        ClockPair("gov/silent_call", 2, "3 s", 3, 3, 3.0, 3.0, 7.12),
    )
    assert found[0].apart == pytest.approx(0.02)


def test_the_engine_s_clock_begins_when_the_call_arrives() -> None:
    engine = an_engine(*silent_trace(answered_at=1.5), answered_at=1.5)
    found = clock_pairs(FLOW, observed(a_caller(*AS_IT_SHOULD_BE), engine=engine))
    assert [(pair.engine, pair.wire, pair.at) for pair in found] == [(3.0, 3.0, 2.1), (3.0, 3.0, 7.1)]
    unheard = clock_pairs(FLOW, observed(a_caller(), engine=engine))
    assert [(pair.wire, round(pair.at, 6)) for pair in unheard] == [(None, 2.1), (None, 7.1)]


def test_the_simulator_has_no_wire() -> None:
    observation = observed(a_caller(*AS_IT_SHOULD_BE), engine=an_engine(*silent_trace()), stage="simulator")
    assert seconds(observation) == [(3.0, None), (3.0, None)]


def test_without_the_engine_there_is_nothing_to_compare() -> None:
    assert clock_pairs(FLOW, observed(a_caller(*AS_IT_SHOULD_BE), without_engine=True)) == ()


def test_a_phrase_that_was_not_heard_leaves_the_wire_without_a_word() -> None:
    """The second phrase is missing: neither the wait before it nor the one after it can be measured; nothing shifts."""
    caller = a_caller(sound(GREETING, 0.1), sound(CHANGE, 10.1))
    assert seconds(observed(caller, engine=an_engine(*silent_trace()))) == [(3.0, None), (3.0, None)]


@pytest.mark.parametrize("answered_at", [0.0, 3.0])
def test_of_repeated_phrases_the_nearest_is_meant(answered_at: float) -> None:
    """The same words twice on the wire and once in the trace: something else said them, six seconds before."""
    trace = (
        TraceLine(10.0, Fact.PHRASE_STARTED, rule="gov/silent_call", rung=1, phrase=GREETING),
        TraceLine(12.0, Fact.PHRASE_ENDED, rule="gov/silent_call", rung=1, phrase=GREETING, detail="finished"),
        TraceLine(12.0, Fact.WAIT_BEGUN, rule="gov/silent_call", rung=1),
        TraceLine(15.0, Fact.WAIT_USED_UP, rule="gov/silent_call", rung=1),
        TraceLine(15.0, Fact.PHRASE_STARTED, rule="gov/silent_call", rung=2, phrase=CONNECTED),
    )
    begun = 10.0 - answered_at
    caller = a_caller(sound(GREETING, begun - 6), sound(GREETING, begun), sound(CONNECTED, begun + 5))
    assert seconds(observed(caller, engine=an_engine(*trace, answered_at=answered_at))) == [(3.0, 3.0)]


def test_the_wait_before_a_hang_up_ends_with_the_call() -> None:
    trace = (
        TraceLine(1.0, Fact.PHRASE_STARTED, rule="gov/noise", rung=3, phrase="noisy"),
        TraceLine(3.0, Fact.PHRASE_ENDED, rule="gov/noise", rung=3, phrase="noisy", detail="finished"),
        TraceLine(3.0, Fact.WAIT_BEGUN, rule="gov/noise", rung=3),
        TraceLine(5.0, Fact.WAIT_USED_UP, rule="gov/noise", rung=3),
        TraceLine(5.0, Fact.LADDER_USED_UP, rule="gov/noise", rung=3),
        TraceLine(5.0, Fact.ENDED),
    )
    caller = a_caller(sound("noisy", 1.0), ended_at=5.03)
    assert seconds(observed(caller, engine=an_engine(*trace))) == [(2.0, 2.03)]
    by_caller = an_engine(*trace, hung_up_first="caller")
    assert seconds(observed(caller, engine=by_caller)) == [(2.0, None)], "then its end says nothing about the wait"


@pytest.mark.parametrize("last", [Fact.ENDED, Fact.PHRASE_STARTED])
def test_what_comes_only_later_is_not_the_end_of_the_wait(last: Fact) -> None:
    """The wait is used up, an extension rings; nobody on the wire can tell when the wait was over."""
    trace = (
        TraceLine(1.0, Fact.PHRASE_STARTED, rule="gov/noise", rung=3, phrase="noisy"),
        TraceLine(3.0, Fact.PHRASE_ENDED, rule="gov/noise", rung=3, phrase="noisy", detail="finished"),
        TraceLine(3.0, Fact.WAIT_BEGUN, rule="gov/noise", rung=3),
        TraceLine(5.0, Fact.WAIT_USED_UP, rule="gov/noise", rung=3),
        TraceLine(5.0, Fact.RINGING),
        TraceLine(8.0, last, phrase=CONNECTED),
    )
    caller = a_caller(sound("noisy", 1.0), sound(CONNECTED, 8.0), ended_at=8.0)
    assert seconds(observed(caller, engine=an_engine(*trace))) == [(2.0, None)]


def test_a_phrase_that_ended_before_is_not_the_one_the_wait_began_with() -> None:
    trace = (
        TraceLine(1.0, Fact.PHRASE_STARTED, rule="gov/noise", rung=3, phrase="noisy"),
        TraceLine(3.0, Fact.PHRASE_ENDED, rule="gov/noise", rung=3, phrase="noisy", detail="finished"),
        TraceLine(3.5, Fact.WAIT_BEGUN, rule="gov/noise", rung=3),
        TraceLine(5.5, Fact.WAIT_USED_UP, rule="gov/noise", rung=3),
        TraceLine(5.5, Fact.PHRASE_STARTED, phrase=CONNECTED),
    )
    caller = a_caller(sound("noisy", 1.0), sound(CONNECTED, 5.5))
    assert seconds(observed(caller, engine=an_engine(*trace))) == [(2.0, None)]


def waiting(*after: TraceLine) -> tuple[TraceLine, ...]:
    return (*silent_trace()[:5], *after)


@pytest.mark.parametrize(
    "fact",
    [
        Fact.LADDER_LEFT,
        Fact.SITUATION_STARTED,
        Fact.HEARING_LOST,
        Fact.LIMIT_REACHED,
        Fact.HANDED_OVER,
        Fact.CALLER_HUNG_UP,
        Fact.LINE_LOST,
    ],
)
def test_a_wait_cut_short_by_somebody_else_is_none(fact: Fact) -> None:
    trace = waiting(TraceLine(3.0, fact), TraceLine(3.0, Fact.STEP_ENTERED), TraceLine(3.0, Fact.ENDED))
    assert seconds(observed(a_caller(*AS_IT_SHOULD_BE), engine=an_engine(*trace))) == []


def test_a_wait_that_was_never_over_is_none() -> None:
    assert seconds(observed(a_caller(*AS_IT_SHOULD_BE), engine=an_engine(*waiting()))) == []


def test_a_wait_that_we_cut_short_is_as_long_as_it_was() -> None:
    early = TraceLine(4.1, Fact.PHRASE_STARTED, rule="gov/silent_call", rung=2, phrase=CONNECTED)
    caller = a_caller(sound(GREETING, 0.1), sound(CONNECTED, 4.1))
    assert seconds(observed(caller, engine=an_engine(*waiting(early)))) == [(2.0, 2.0)]


def test_a_wait_begun_anew_has_no_phrase_before_it() -> None:
    """After a situation the wait begins again: the wire cannot tell when."""
    line = silent_trace()[4]
    anew = (
        TraceLine(3.0, Fact.SITUATION_STARTED),
        TraceLine(3.5, Fact.SITUATION_OVER),
        TraceLine(3.5, Fact.WAIT_BEGUN, rule=line.rule, rung=line.rung),
        TraceLine(6.5, Fact.WAIT_USED_UP),
        TraceLine(6.5, Fact.PHRASE_STARTED, rung=2, rule=line.rule, phrase=CONNECTED),
    )
    caller = a_caller(sound(GREETING, 0.1), sound(CONNECTED, 6.5))
    assert seconds(observed(caller, engine=an_engine(*waiting(*anew)))) == [(3.0, None)]


def test_waits_of_no_rule_are_not_documented() -> None:
    trace = tuple(
        TraceLine(line.at, line.fact, line.step, phrase=line.phrase, detail=line.detail) for line in silent_trace()
    )
    assert seconds(observed(a_caller(*AS_IT_SHOULD_BE), engine=an_engine(*trace))) == []


def test_a_band_says_what_the_rule_allows() -> None:
    rules = dict(FLOW.standard.rules)
    rule = rules["silent_call"]
    rules["silent_call"] = replace(rule, rungs=(replace(rule.rungs[0], wait=Band(3, 5)), *rule.rungs[1:]))
    flow = replace(FLOW, standard=replace(FLOW.standard, rules=rules))
    found = clock_pairs(flow, observed(a_caller(), engine=an_engine(*silent_trace())))
    assert (found[0].band, found[0].least, found[0].most) == ("3-5 s", 3, 5)
    assert in_words(Band(2.5, 2.5)) == "2.5 s"


@pytest.mark.parametrize(
    ("heard", "ends"),
    [
        (Heard("phrase", "a", 1.0, 3.0, 1.0, length=2.0), 3.0),
        (Heard("phrase", "a", 1.0, 2.85, 0.97, length=2.0), 3.0),  # the last sound lies before the recording's end
        (Heard("phrase", "a", 1.0, 2.0, 1.0, length=2.0), 3.0),  # all of its sound was heard: the rest is silence
        (Heard("phrase", "a", 1.0, 2.0, 0.5, length=2.0), 2.0),  # cut
        (Heard("phrase", "a", 1.0, 3.02, 1.0, length=2.0), 3.02),
        (Heard("music", "", 1.0, 9.0, 1.0, length=8.0), 9.0),
    ],
)
def test_when_a_recording_is_over(heard: Heard, ends: float) -> None:
    assert recording_end(heard) == ends


def test_a_recording_whose_sender_slipped_ends_after_its_last_sound_and_not_where_its_length_says() -> None:
    torn = Heard("phrase", "house/menu.main", 0.0, 3.79, completeness=0.98, length=3.82, tail=0.09)
    assert recording_end(torn) == pytest.approx(3.88)
    cut = Heard("phrase", "house/menu.main", 0.0, 1.5, completeness=0.4, length=3.82, tail=2.26)
    assert recording_end(cut) == 1.5
