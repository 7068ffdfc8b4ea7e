"""The latest moment of every way out of the steps in which agents, messages and look-ups have their part, to the second."""

from dataclasses import replace

import pytest
from agent_flows import QUEUE_EXITS, ask, call_back, colleague, queue, record
from small_flows import PROMPT_S, WHERE, close, flow, rule, rule_rung, say

from ivrflow.flow.model import HANG_UP, CallFlow, CallRecording, Keep, PlayBack, Score, Step
from ivrflow.flow.proof.departures import TONE_S, Departure, departures, longest_message, opening

NOTICE = rule("notice", rule_rung("recorded from now on"))


def left(step: Step, *others: Step, whole_call: bool | None = None) -> dict[str, Departure]:
    """The ways out of the step, by word."""
    return {way.word: way for way in departures(made(step, *others, whole_call=whole_call))[step.name]}


def made(*steps: Step, whole_call: bool | None = None) -> CallFlow:
    small = flow(*steps, rules=[NOTICE])
    if whole_call is None:
        return small
    return replace(small, recording=CallRecording(WHERE, ("recorded from now on",), whole_call=whole_call))


def seconds(ways: dict[str, Departure]) -> dict[str, float]:
    return {word: way.seconds for word, way in ways.items()}


def test_a_queue_is_left_after_its_bound_at_the_latest_or_after_the_thanks_and_the_talk() -> None:
    ways = left(queue("queue", "joining", keys={"1": "full"}), *QUEUE_EXITS)

    waited = PROMPT_S + 180
    assert seconds(ways) == {
        "key 1": waited,
        "agent_left": waited + PROMPT_S + 600,
        "no_answer": waited,
        "nobody": waited,
        "full": waited,
    }
    assert ways["key 1"].by == "caller"
    assert {way.by for word, way in ways.items() if word != "key 1"} == {"agent"}


def test_nobody_is_thanked_for_a_wait_that_is_never_long_enough() -> None:
    assert left(queue(thanks_over=180.0), *QUEUE_EXITS)["agent_left"].seconds == 180 + 600


def test_a_warm_transfer_is_whispered_and_thanked_before_the_talk() -> None:
    others = [one for one in QUEUE_EXITS if one.name in {"agent_left", "no_answer"}]

    assert left(colleague(), *others)["agent_left"].seconds == PROMPT_S + 20 + 2 * PROMPT_S + 600
    assert left(colleague(), *others)["no_answer"].seconds == PROMPT_S + 20
    assert left(colleague(warm=False), *others)["agent_left"].seconds == PROMPT_S + 20 + 600


@pytest.mark.parametrize(("whole_call", "said"), [(None, 0.0), (False, PROMPT_S), (True, 0.0)])
def test_that_talks_are_recorded_is_said_before_an_agent_is_sought(*, whole_call: bool | None, said: float) -> None:
    assert left(queue(), *QUEUE_EXITS, whole_call=whole_call)["no_answer"].seconds == 180 + said


def test_that_the_whole_call_is_recorded_is_said_before_its_first_step() -> None:
    assert [leg.seconds for leg in opening(made(queue(), *QUEUE_EXITS, whole_call=True))] == [PROMPT_S]
    assert opening(made(queue(), *QUEUE_EXITS, whole_call=False)) == ()
    assert opening(made(queue(), *QUEUE_EXITS)) == ()


def test_a_message_is_as_long_as_it_may_be_and_none_is_told_by_silence() -> None:
    ways = left(record(), say("recorded", "a"), say("nothing", "b"))

    assert seconds(ways) == {"done": PROMPT_S + TONE_S + 120, "nothing": PROMPT_S + TONE_S + 1 + 4}
    assert (ways["done"].by, ways["nothing"].by) == ("caller", "time")


def test_a_message_is_played_back_as_long_as_the_longest_may_be() -> None:
    recorded = record()
    play = PlayBack("recorded", WHERE, HANG_UP)

    assert left(play, recorded, say("nothing", "b"))["then"].seconds == longest_message(made(recorded)) == 120
    assert left(play)["then"].legs == ()


def test_keeping_scoring_and_noting_a_callback_take_no_time() -> None:
    undiallable = say("undiallable", "a")

    assert seconds(left(Keep("keep", WHERE, HANG_UP))) == {"then": 0}
    assert seconds(left(Score("score", WHERE, "survey", 3, 5, HANG_UP))) == {"then": 0}
    ways = left(call_back(), say("noted", "b"), undiallable)
    assert seconds(ways) == {"then": 0, "undiallable": 0}
    assert {way.by for way in ways.values()} == {"data"}


ANSWERS = tuple(say(name, name) for name in ("open", "done", "late", "wrong", "failed"))


def test_a_look_up_takes_as_long_as_it_may() -> None:
    ways = left(ask(), *ANSWERS)

    assert seconds(ways) == dict.fromkeys(("late", "wrong", "failed", "done", "case open"), 8)
    assert [leg.seconds for leg in ways["late"].legs] == [2, PROMPT_S, 4]
    assert {way.by for way in ways.values()} == {"data"}
    assert [leg.seconds for leg in left(ask(filler=False), *ANSWERS)["late"].legs] == [8]


def test_an_answer_waits_until_the_filler_is_said() -> None:
    assert left(replace(ask(), filler_after=7.0), *ANSWERS)["done"].seconds == 7 + PROMPT_S


def test_a_filler_that_would_come_too_late_is_not_said() -> None:
    assert left(replace(ask(), filler_after=8.0), *ANSWERS)["late"].seconds == 8


def test_a_survey_comes_after_the_farewell_of_a_caller_who_talked_with_an_agent() -> None:
    asked = replace(close(request="asked"), survey="asked")
    ways = left(asked, say("asked", "a"))

    assert seconds(ways) == {"request": PROMPT_S + 2, "survey": PROMPT_S + 2 + PROMPT_S}
    assert (ways["request"].by, ways["survey"].by) == ("caller", "agent")
