"""A caller who is kept waiting: music, the clock of the wait, what is said meanwhile and afterwards."""

import pytest
from driven_call import DrivenCall, call
from small_flows import HOLD_RULES, RULES, climb, flow, menu, rule, rule_rung, rung

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact, Judgement


def hotline(**more: object) -> DrivenCall:
    return call(flow(menu(keys={"1": "hang_up"}), rules=(*RULES, *HOLD_RULES), **more))  # type: ignore[arg-type]  # the tests' own


def done(asked: DrivenCall, after: float) -> DrivenCall:
    """The agent has done what was asked for last."""
    return asked.happens(m.TaskDone(ticket=asked.ticket(m.Instruct)), after)


def waits(asked: DrivenCall) -> list[float | None]:
    return [line.seconds for line in asked.trace if line.fact is Fact.HOLD_OVER]


def tasks(asked: DrivenCall) -> list[str]:
    return [action.task for action in asked.actions if isinstance(action, m.Instruct)]


def music(asked: DrivenCall) -> list[type[m.Action]]:
    return [type(action) for action in asked.actions if isinstance(action, m.StartMusic | m.StopMusic)]


def test_a_hold_begins_with_music_and_ends_before_the_next_word() -> None:
    asked = hotline().situation("hold_request", 0.5).prompt_ends()
    assert [type(action) for action in asked.last] == [m.StartMusic, m.Instruct, m.Instruct]
    assert tasks(asked) == ["mute", "hold"], "the mute is asked for; the hold is waited for"
    assert asked.waits_for == 15.0
    asked.time_passes()
    assert [type(action) for action in asked.last] == [m.StopMusic, m.Play]
    assert asked.says[-1] == "still looking"


def test_progress_is_reported_again_and_again_until_the_lookup_is_done() -> None:
    asked = hotline().situation("hold_request", 0.5).silence(2.0 + 3 * 17.0)
    assert asked.says[-3:] == ["still looking"] * 3
    done(asked, 4.0)
    assert (asked.session.step, asked.says[-1]) == ("menu", "offer")
    assert waits(asked) == [15.0, 15.0, 15.0, 4.0]
    assert asked.verdict("gov/hold_reminder").judgement is Judgement.KEPT
    assert asked.verdict("gov/hold_request").judgement is Judgement.KEPT


def test_a_ladder_that_goes_round_is_bounded() -> None:
    asked = hotline().situation("hold_request", 0.5).silence(600.0)
    assert asked.says.count("still looking") == 21, "once, and twenty rounds more"
    assert asked.verdict("gov/hold_reminder").judgement is Judgement.KEPT


def test_a_lookup_is_done_when_its_task_is() -> None:
    asked = done(hotline().situation("short_lookup", 0.5).prompt_ends(), 3.0)
    assert [line.detail for line in asked.trace if line.fact is Fact.LADDER_LEFT] == ["lookup_done"]


@pytest.mark.parametrize(("look_up", "apologises"), [(3.0, False), (4.9, True)])
def test_an_apology_comes_by_itself_when_the_wait_was_longer(look_up: float, *, apologises: bool) -> None:
    asked = hotline().situation("lookup", 0.5)
    done(done(done(asked, 1.0), look_up), 0.5)
    assert waits(asked) == [pytest.approx(1.5 + look_up)], "one wait, whatever the agent does in it"
    assert ("sorry for the wait" in asked.says) == apologises
    if apologises:
        assert [line.detail for line in asked.trace if line.fact is Fact.SITUATION_FOLLOWED] == ["hold_return"]
        asked.prompt_ends()
    assert (asked.session.step, asked.says[-1]) == ("menu", "offer")
    verdict = asked.verdict("gov/hold_return")
    if apologises:
        assert (verdict.judgement, verdict.observed) == (Judgement.KEPT, "then continue, the caller waited 6.40 s")
    else:
        assert verdict.judgement is Judgement.NOT_APPLICABLE
        assert verdict.observed == "the caller waited 4.50 s, no longer than 6 s"


def test_nothing_follows_when_nobody_was_kept_waiting_or_the_caller_is_led_elsewhere() -> None:
    led = flow(
        menu(keys={}),
        climb("next", rung("bye", 5.0)),
        outcomes={"elsewhere": "next"},
        rules=(
            rule("lookup", rule_rung(task="look_up"), then="elsewhere"),
            rule("ask", rule_rung("may I?", leave_on="refusal"), rule_rung(task="look_up")),
            rule("sorry", rule_rung("sorry"), after="lookup"),
            rule("thanks", rule_rung("thanks"), after="ask"),
        ),
    )
    assert done(call(led).situation("lookup", 0.5), 20.0).says == ["offer", "bye"]
    refused = call(led).situation("ask", 0.5).signal("refusal", 0.5)
    assert refused.says == ["offer", "may I?", "offer"]
    assert done(call(led).situation("ask", 0.5).prompt_ends(), 1.0).says == ["offer", "may I?", "thanks"]


def test_a_caller_waits_no_longer_than_was_promised() -> None:
    asked = hotline().situation("short_hold", 0.5).prompt_ends()
    assert asked.waits_for == 60.0
    asked.time_passes()
    assert asked.session.step == "menu"
    verdict = asked.verdict("gov/short_hold")
    assert (verdict.judgement, verdict.observed) == (Judgement.KEPT, "then continue, kept waiting 60.00 s")


def test_an_open_line_has_no_music() -> None:
    opened = flow(menu(keys={}), rules=(rule("lookup", rule_rung(task="lookup_with_line_open")),))
    asked = call(opened).situation("lookup", 0.5)
    assert music(asked) == []
    assert [line.detail for line in asked.trace if line.fact is Fact.HOLD_BEGUN] == ["with the line open"]
    assert waits(done(asked, 5.0)) == [5.0]


def test_a_task_that_keeps_nobody_waiting_ends_a_hold_or_begins_none() -> None:
    mixed = flow(
        menu(keys={}),
        rules=(rule("mixed", rule_rung(task="work_then_unmute"), rule_rung(task="hold"), rule_rung(task="note_it")),),
    )
    asked = call(mixed).situation("mixed", 0.5)
    assert music(asked) == []
    done(asked, 1.0)
    done(asked, 7.0)
    assert music(asked) == [m.StartMusic, m.StopMusic]
    assert waits(asked) == [7.0]


@pytest.mark.parametrize(
    "ends", [m.SituationCancelled(), m.SignalGiven(word="lookup_done"), m.CallerHungUp(), m.LineLost()]
)
def test_whatever_ends_a_hold_stops_the_music(ends: m.CallEvent) -> None:
    asked = hotline().situation("hold_request", 0.5).prompt_ends().happens(ends, 5.0)
    assert music(asked) == [m.StartMusic, m.StopMusic]
    assert waits(asked) == [5.0]


def test_the_wait_for_a_slow_system_is_counted_from_the_mute() -> None:
    asked = hotline().situation("slow_system", 0.5).prompt_ends()
    done(asked, 50.0)
    done(asked, 71.0)
    assert asked.says[-1] == "thank you for waiting", "121 s, of which the work took 71"


def test_what_was_done_when_the_call_was_answered_is_asked_of_nobody() -> None:
    rungs = (rung(task="answer_within_three_rings", rule="gov/answer"), rung("good morning", 3.0, rule="gov/answer"))
    answer = rule(
        "answer",
        rule_rung(task="answer_within_three_rings"),
        rule_rung("good morning"),
        limits={"answer_within_rings": 3.0},
    )
    asked = call(flow(climb("welcome", *rungs, ladder_name="answer"), rules=(answer,)))
    assert (tasks(asked), asked.says) == ([], ["good morning"])
    assert asked.prompt_ends().verdict("gov/answer").judgement is Judgement.KEPT


def test_a_rule_that_cannot_be_on_a_phone_line_is_no_situation() -> None:
    window = rule(
        "window", rule_rung("still there?", (600, 600)), then="close", not_on_phone="minutes of a chat window"
    )
    asked = call(flow(menu(keys={}), rules=(window,))).situation("window", 0.5)
    assert [line.detail for line in asked.trace if line.fact is Fact.IGNORED] == [
        "situation window: not on a phone line: minutes of a chat window"
    ]
    verdict = asked.verdict("gov/window")
    assert verdict.judgement is Judgement.NOT_APPLICABLE
    assert verdict.observed == "not on a phone line: minutes of a chat window"
