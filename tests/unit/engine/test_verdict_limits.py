"""The further numbers of rules, judged on traces made by hand; and none of them overlooked in any standard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_flows import ABUSE, HOLD_REMINDER, HOLD_REQUEST, HOLD_RETURN, SHORT_HOLD, SLOW_SYSTEM, WHERE, rule, rule_rung

from ivrflow.engine.trace import Fact, Judgement, TraceLine, Verdict
from ivrflow.engine.verdict import judge
from ivrflow.engine.verdict_limits import COUNTED, JUDGED, NOT_JUDGED
from ivrflow.flow.compiling.glances import check_standard
from ivrflow.flow.model import Limit, Rule, Standard

STANDARDS = Path(__file__).parents[3] / "callflows" / "standards"


def verdict(rule_: Rule, *lines: TraceLine) -> Verdict:
    standard = Standard("gov", "Gov", "", WHERE, {}, {rule_.name: rule_})
    (given,) = judge(standard, lines, tolerance=0.25)
    return given


def line(at: float, fact: Fact, of: Rule | None = None, rung: int = 1, detail: str = "", phrase: str = "") -> TraceLine:
    return TraceLine(at, fact, rule=of.id if of else "", rung=rung if of else 0, detail=detail, phrase=phrase)


def said(at: float, of: Rule, rung: int = 1) -> list[TraceLine]:
    phrase = of.rungs[rung - 1].say or ""
    return [
        line(at, Fact.PHRASE_STARTED, of, rung, phrase=phrase),
        line(at, Fact.PHRASE_ENDED, of, rung, "finished", phrase=phrase),
    ]


def held(at: float, seconds: float, of: Rule, rung: int = 1) -> list[TraceLine]:
    over = TraceLine(at + seconds, Fact.HOLD_OVER, rule=of.id, rung=rung, seconds=seconds)
    return [line(at, Fact.HOLD_BEGUN, of, rung), line(at, Fact.TASK_ASKED, of, rung), over]


# ── none is overlooked ────────────────────────────────────────────────────────────────────────────────────────────────


def rules_with_limits() -> Iterator[tuple[Rule, str, Limit]]:
    for path in sorted(STANDARDS.glob("*.yaml")):
        standard, problems = check_standard(path.read_text(encoding="utf-8"), path.name)
        assert standard is not None, problems
        yield from ((one, name, limit) for one in standard.rules.values() for name, limit in one.limits.items())


def test_every_limit_of_every_standard_is_judged_or_says_why_not() -> None:
    used = {name for _, name, _ in rules_with_limits()}
    assert used == set(JUDGED) | set(NOT_JUDGED), "a limit nobody uses, or one nobody judges"
    assert not set(JUDGED) & set(NOT_JUDGED)
    assert all(NOT_JUDGED.values())


def test_what_a_limit_counts_is_what_the_ladder_has() -> None:
    """A number of the document and the rungs it was turned into must not disagree."""
    for one, name, limit in rules_with_limits():
        if name in COUNTED:
            rungs_of, besides = COUNTED[name]
            assert isinstance(limit, float)
            assert len(rungs_of(one)) == limit + besides, f"{one.id}: {name}"


# ── the whole call ────────────────────────────────────────────────────────────────────────────────────────────────────

CALL_LENGTH = rule("call_length", rule_rung(task="think before dialling"), limits={"max_call_s": 180.0})
OPENING = rule("opening", rule_rung("good day"), limits={"max_call_min": 5.0})


def whole(length: float, *lines: TraceLine, answered: float = 0.0) -> list[TraceLine]:
    return [line(0, Fact.ARRIVED), line(answered, Fact.ANSWERED), *lines, line(answered + length, Fact.ENDED)]


@pytest.mark.parametrize(("length", "judged"), [(180.0, "kept"), (180.2, "kept"), (180.3, "broken")])
def test_the_length_of_a_call_is_judged_on_every_call(length: float, judged: str) -> None:
    given = verdict(CALL_LENGTH, *whole(length, answered=20.0))
    assert given.judgement == judged
    assert given.observed.startswith(f"the call lasted {length:.2f} s")


def test_a_call_that_goes_on_may_be_too_long_already_and_one_never_answered_has_no_length() -> None:
    on = [line(0, Fact.ARRIVED), line(0, Fact.ANSWERED), line(100.0, Fact.SPEECH_STARTED)]
    assert verdict(CALL_LENGTH, *on).judgement is Judgement.NOT_APPLICABLE
    assert verdict(CALL_LENGTH, *on, line(200.0, Fact.SPEECH_ENDED)).judgement is Judgement.BROKEN
    assert verdict(CALL_LENGTH, line(0, Fact.ARRIVED), line(300, Fact.ENDED)).judgement is Judgement.NOT_APPLICABLE


def test_minutes_are_minutes() -> None:
    assert verdict(OPENING, *whole(299.0, *said(1.0, OPENING))).observed == "the call lasted 299.00 s"
    assert (
        verdict(OPENING, *whole(301.0, *said(1.0, OPENING))).observed == "the call lasted 301.00 s, not at most 300 s"
    )


def test_a_rule_with_wording_is_not_kept_by_its_numbers_alone() -> None:
    assert verdict(OPENING, *whole(10.0)).judgement is Judgement.NOT_APPLICABLE
    assert verdict(OPENING, *whole(301.0)).judgement is Judgement.BROKEN


@pytest.mark.parametrize("name", ["max_rings_before_answer", "answer_within_rings"])
def test_answering_is_counted_in_rings_of_five_seconds(name: str) -> None:
    greeting = rule("greeting", rule_rung("hello"), limits={name: 3.0})
    in_time = whole(9.0, *said(15.0, greeting), answered=15.0)
    assert verdict(greeting, *in_time).judgement is Judgement.KEPT
    late = verdict(greeting, *whole(9.0, *said(16.0, greeting), answered=16.0))
    assert (late.judgement, late.observed) == (
        Judgement.BROKEN,
        "answered after 16.00 s, not within 3 rings of 5 s",
    )
    assert verdict(greeting, line(0, Fact.ARRIVED), line(3, Fact.CALLER_HUNG_UP)).judgement is Judgement.NOT_APPLICABLE


def test_an_agents_telephone_is_counted_in_rings_too() -> None:
    greeting = rule("greeting", rule_rung("hello"), limits={"max_rings_before_answer": 3.0})
    for rang, judgement in ((14.0, Judgement.KEPT), (16.0, Judgement.BROKEN)):
        picked_up = TraceLine(30.0, Fact.AGENT_ANSWERED, seconds=rang)
        judged = verdict(greeting, *whole(40.0, *said(1.0, greeting), picked_up, answered=0.1))
        assert judged.judgement is judgement
        assert f"an agent's telephone {'rang for' if judgement is Judgement.BROKEN else 'within'} {rang:.2f} s" in (
            judged.observed
        )


@pytest.mark.parametrize(
    ("name", "limit", "rang", "judged"),
    [
        ("rings_before_giving_up", 7.0, 30.0, "kept"),
        ("rings_before_giving_up", 7.0, 36.0, "broken"),
        ("give_up_within_s", 30.0, 30.0, "kept"),
        ("give_up_within_s", 30.0, 31.0, "broken"),
        ("min_rings_before_giving_up", 6.0, 30.0, "kept"),
        ("min_rings_before_giving_up", 6.0, 29.0, "broken"),
    ],
)
def test_ringing_somebody_in_vain(name: str, limit: float, rang: float, judged: str) -> None:
    dials = rule("no_answer", rule_rung(task="ring"), then="hangup", limits={name: limit})
    ordered = [line(0, Fact.ORDERED), line(0, Fact.DIALLING, dials)]
    given = verdict(dials, *ordered, line(rang, Fact.WAIT_USED_UP, dials), line(rang, Fact.ENDED))
    assert given.judgement == judged
    answered = verdict(dials, *ordered, line(3, Fact.LADDER_LEFT, dials, 1, "answered"), line(3, Fact.ANSWERED))
    assert answered.judgement is Judgement.KEPT


# ── holds ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("seconds", "judged"), [(59.0, "kept"), (60.2, "kept"), (61.0, "broken")])
def test_nobody_waits_longer_than_promised(seconds: float, judged: str) -> None:
    given = verdict(SHORT_HOLD, *said(0, SHORT_HOLD), *held(1.0, seconds, SHORT_HOLD, 2))
    assert given.judgement == judged
    assert f"kept waiting {seconds:.2f} s" in given.observed


def test_progress_must_be_reported_in_time() -> None:
    late = verdict(HOLD_REMINDER, *held(0, 20.0, HOLD_REMINDER))
    assert late.judgement is Judgement.BROKEN
    assert "kept waiting 20.00 s, not at most 15 s" in late.observed


def test_a_reminder_is_owed_for_every_wait_of_the_call() -> None:
    reminder = rule("reminder", rule_rung(task="hold", wait=(60, 60)), limits={"remind_after_s": 60.0})
    assert verdict(reminder, *held(0, 60.0, SHORT_HOLD)).judgement is Judgement.NOT_APPLICABLE
    given = verdict(reminder, *held(0, 200.0, SHORT_HOLD))
    assert (given.judgement, given.observed) == (
        Judgement.BROKEN,
        "kept waiting 200.00 s without a reminder, not at most 60 s",
    )


def test_who_waits_longer_must_have_been_asked_to() -> None:
    asked = [*said(0, HOLD_REQUEST), *held(1.0, 40.0, HOLD_REQUEST, 2)]
    assert verdict(HOLD_REQUEST, *asked).judgement is Judgement.KEPT
    unasked = [*asked, *held(50.0, 6.0, HOLD_REQUEST, 2)]
    assert "kept waiting 6.00 s without being asked to wait" in verdict(HOLD_REQUEST, *unasked).observed
    assert "asked to wait" not in verdict(HOLD_REQUEST, *asked, *held(50.0, 4.0, HOLD_REQUEST, 2)).observed


LOOKUP = rule("lookup", rule_rung(task="look_up"))


def test_an_apology_owed_and_not_said() -> None:
    went_on = line(20.0, Fact.STEP_ENTERED)
    missed = verdict(HOLD_RETURN, *held(0, 7.0, LOOKUP), went_on)
    assert missed.judgement is Judgement.BROKEN
    assert missed.observed == "the caller waited 7.00 s, longer than 6 s, and nothing was said about it"
    assert verdict(HOLD_RETURN, *held(0, 7.0, LOOKUP), *said(8.0, HOLD_RETURN), went_on).judgement is Judgement.KEPT
    assert verdict(HOLD_RETURN, *held(0, 6.0, LOOKUP), went_on).judgement is Judgement.NOT_APPLICABLE
    gone = verdict(HOLD_RETURN, line(7.0, Fact.CALLER_HUNG_UP), *held(0, 7.0, LOOKUP))
    assert gone.judgement is Judgement.NOT_APPLICABLE
    assert verdict(HOLD_RETURN, *held(0, 7.0, LOOKUP), line(8.0, Fact.ENDED)).judgement is Judgement.NOT_APPLICABLE
    other = verdict(HOLD_RETURN, *held(0, 7.0, SHORT_HOLD), went_on)
    assert other.observed == "its situation did not arise", "another wait"


def test_an_apology_within_the_same_ladder() -> None:
    slow = rule("slow_system", *SLOW_SYSTEM.rungs, limits={"apologise_if_waited_over_s": 120.0})
    begun, _, over = held(2.0, 130.0, slow, 2)
    asked = [*said(0, slow), begun, line(2.0, Fact.TASK_ASKED, slow, 2), line(3.0, Fact.TASK_ASKED, slow, 3), over]
    assert verdict(slow, *asked, line(140.0, Fact.STEP_ENTERED)).judgement is Judgement.BROKEN
    assert "the caller waited 130.00 s" in verdict(slow, *asked, *said(133.0, slow, 4)).observed


# ── how often ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def climbed(of: Rule, *rungs: int, used_up: bool = True) -> list[TraceLine]:
    lines = [line(0, Fact.LADDER_BEGUN, of, 1, of.name)]
    for place in rungs:
        lines += said(float(place), of, place)
    return [*lines, line(9.0, Fact.LADDER_USED_UP, of, rungs[-1], of.then), line(9.0, Fact.ENDED)] if used_up else lines


def test_giving_up_before_the_last_repetition_breaks_the_rule() -> None:
    silent = rule("silent", rule_rung("hello"), rule_rung("hello"), rule_rung("bye"), limits={"repeats": 1.0})
    assert verdict(silent, *climbed(silent, 1, 2, 3)).judgement is Judgement.KEPT
    assert verdict(silent, *climbed(silent, 1, used_up=False)).judgement is Judgement.KEPT, "left early"
    assert "repeats: 0 before it was given up, not 1" in verdict(silent, *climbed(silent, 1, 3)).observed


def test_a_phrase_alone_owes_no_repetition() -> None:
    silent = rule("silent", rule_rung("hello"), rule_rung("hello"), limits={"repeats": 1.0})
    step = [line(0, Fact.LADDER_BEGUN, silent, 1, "welcome"), *said(0, silent), line(2, Fact.LADDER_USED_UP, silent)]
    assert verdict(silent, *step).judgement is Judgement.KEPT


def test_reminders_are_counted_over_all_occurrences() -> None:
    first = climbed(ABUSE, 1, used_up=False)
    again = climbed(ABUSE, 2, used_up=False)
    last = climbed(ABUSE, 3)
    assert verdict(ABUSE, *first, *again, *last).judgement is Judgement.KEPT
    skipped = verdict(ABUSE, *first, *last)
    assert "rung 3 came when it happened again, not rung 2" in skipped.observed
    assert "reminders: 1 before it was given up, not 2" in skipped.observed
    at_once = verdict(ABUSE, *first, *said(5.0, ABUSE, 2))
    assert at_once.observed == "rung 2 came after rung 1, and it had not happened again"
    assert verdict(ABUSE, *first, *first).observed == "rung 1 came when it happened again, not rung 2"


# ── the clock on the wall ─────────────────────────────────────────────────────────────────────────────────────────────

MORNING = rule("morning", rule_rung("good morning"), limits={"from_clock": "08:30", "to_clock": "12:00"})


@pytest.mark.parametrize(
    ("local", "observed"),
    [
        ("2026-11-20T08:29:59+08:00", "said"),
        ("2026-11-20T08:29:40+08:00", "said at 08:29, not from 08:30"),
        ("2026-11-20T11:59:58+08:00", "said"),
        ("2026-11-20T11:59:59+08:00", "said at 12:00, not until 12:00"),
        ("", "said"),
    ],
)
def test_a_greeting_of_the_wrong_hour(local: str, observed: str) -> None:
    begun = TraceLine(0, Fact.ARRIVED, local=local)
    assert verdict(MORNING, begun, *said(1.0, MORNING)).observed == observed


def test_a_greeting_of_the_wrong_day() -> None:
    festival = rule("festival", rule_rung("happy festival"), limits={"holidays": ("端午", "国庆")})
    local = "2026-10-01T10:00:00+08:00"
    on = [TraceLine(0, Fact.ARRIVED, local=local, day="国庆"), *said(1.0, festival)]
    assert verdict(festival, *on).observed == "said on 国庆"
    spring = [TraceLine(0, Fact.ARRIVED, local=local, day="春节"), *said(1.0, festival)]
    assert verdict(festival, *spring).observed == "said on 春节, not on 端午, 国庆"
    ordinary = [TraceLine(0, Fact.ARRIVED, local=local), *said(1.0, festival)]
    assert verdict(festival, *ordinary).observed == "said on a day that is no holiday of these, not on 端午, 国庆"
