"""Verdicts on traces made by hand: a verdict rests on what happened, whatever the engine meant."""

import pytest
from small_flows import (
    ANYTHING_ELSE,
    CLOSING,
    NOISE,
    SHORT_LOOKUP,
    SILENT_CALL,
    SLOW_SYSTEM,
    THANKS,
    WHERE,
    rule,
    rule_rung,
)

from ivrflow.engine.trace import Fact, Judgement, TraceLine, Verdict
from ivrflow.engine.verdict import describe, judge
from ivrflow.flow.model import Rule, Standard

TOLERANCE = 0.25


def verdict(rule_: Rule, *lines: TraceLine) -> Verdict:
    standard = Standard("gov", "Gov", "", WHERE, {}, {rule_.name: rule_})
    (given,) = judge(standard, lines, tolerance=TOLERANCE)
    assert given.rule == rule_.id
    return given


def line(at: float, fact: Fact, rung: int = 0, detail: str = "", *, rule: str = "", also: str = "") -> TraceLine:
    return TraceLine(at, fact, rule=rule, also_rule=also, rung=rung, detail=detail)


def silent(at: float, fact: Fact, rung: int = 0, detail: str = "") -> TraceLine:
    return line(at, fact, rung, detail, rule="gov/silent_call")


def said(at: float, rung: int, how: str = "finished", *, rule: str = "gov/silent_call") -> list[TraceLine]:
    """A phrase of 2 s."""
    return [
        line(at, Fact.PHRASE_STARTED, rung, rule=rule),
        line(at + 2.0, Fact.PHRASE_ENDED, rung, how, rule=rule),
    ]


def waited(at: float, rung: int, seconds: float, *, rule: str = "gov/silent_call") -> list[TraceLine]:
    return [
        line(at, Fact.WAIT_BEGUN, rung, rule=rule),
        line(at + seconds, Fact.WAIT_USED_UP, rung, rule=rule),
    ]


ENDED = line(12.0, Fact.ENDED)
USED_UP = silent(12.0, Fact.LADDER_USED_UP, 3, "hangup")
BEGUN = silent(0, Fact.LADDER_BEGUN, 1, "silent_call")
WHOLE = [BEGUN, *said(0, 1), *waited(2, 1, 3), *said(5, 2), *waited(7, 2, 3), *said(10, 3), USED_UP, ENDED]


def test_a_rule_whose_situation_did_not_arise_is_not_applicable() -> None:
    given = verdict(SILENT_CALL, *said(0, 1, rule="gov/noise"), ENDED)
    assert (given.judgement, given.observed) == (Judgement.NOT_APPLICABLE, "its situation did not arise")
    assert verdict(SILENT_CALL).judgement is Judgement.NOT_APPLICABLE


def test_a_ladder_climbed_to_its_end_is_kept_and_shows_its_waits() -> None:
    given = verdict(SILENT_CALL, *WHOLE)
    assert (given.judgement, given.observed) == (Judgement.KEPT, "3.00 s, 3.00 s, then hung up")
    assert [(wait.rung, wait.least, wait.most, wait.observed) for wait in given.waits] == [(1, 3, 3, 3), (2, 3, 3, 3)]
    assert given.evidence == tuple(range(len(WHOLE) - 1))
    assert given.expected == "say, wait 3 s, say, wait 3 s, say, then hangup"


@pytest.mark.parametrize(("seconds", "judged"), [(2.74, "broken"), (2.76, "kept"), (3.24, "kept"), (3.26, "broken")])
def test_a_wait_must_be_within_its_band_give_or_take_the_tolerance(seconds: float, judged: str) -> None:
    given = verdict(SILENT_CALL, *said(0, 1), *waited(2, 1, seconds), *said(2 + seconds, 2))
    assert given.judgement == judged
    if judged == "broken":
        assert given.observed == f"waited {seconds:.2f} s after rung 1, not 3 s"


def test_a_band_has_two_ends() -> None:
    patient = rule("patient", rule_rung("hello", (3, 5)), rule_rung("hello"))
    for seconds, judged in ((2.7, "broken"), (2.8, "kept"), (4.0, "kept"), (5.2, "kept"), (5.3, "broken")):
        given = verdict(patient, *said(0, 1, rule="gov/patient"), *waited(2, 1, seconds, rule="gov/patient"))
        assert given.judgement == judged


@pytest.mark.parametrize("how", ["missing", "failed", "stopped", "its end was never reported"])
def test_a_phrase_that_was_not_heard_breaks_the_rule(how: str) -> None:
    given = verdict(SILENT_CALL, *said(0, 1, how), *waited(2, 1, 3), *said(5, 2))
    assert given.judgement is Judgement.BROKEN
    assert how in given.observed


@pytest.mark.parametrize("why", ["barge-in by speech", "barge-in by key", "situation noise", "caller hung up"])
def test_a_phrase_that_somebody_cut_does_not(why: str) -> None:
    left = silent(1, Fact.LADDER_LEFT, 1, "speech")
    assert verdict(SILENT_CALL, *said(0, 1, f"stopped: {why}"), left).judgement is Judgement.KEPT


def test_a_rung_left_out_breaks_the_rule() -> None:
    given = verdict(SILENT_CALL, *said(0, 1), *waited(2, 1, 3), *said(5, 3), USED_UP, ENDED)
    assert (given.judgement, given.observed) == (Judgement.BROKEN, "rung 3 came after rung 1")


def test_beginning_in_the_middle_breaks_the_rule() -> None:
    assert verdict(SILENT_CALL, *said(0, 2)).observed == "rung 2 came after rung 0"


def test_a_rung_said_again_and_a_ladder_begun_again_are_fine() -> None:
    again = [*said(0, 1, "stopped: situation thanks"), *said(3, 1), silent(6, Fact.LADDER_LEFT, 1, "speech")]
    assert verdict(SILENT_CALL, *again, *WHOLE).judgement is Judgement.KEPT


def test_a_wait_left_out_breaks_the_rule() -> None:
    given = verdict(SILENT_CALL, *said(0, 1), *said(2, 2))
    assert (given.judgement, given.observed) == (Judgement.BROKEN, "no wait after rung 1, not 3 s")


def test_a_wait_left_out_at_the_end_of_a_rule_breaks_it_too() -> None:
    given = verdict(
        ANYTHING_ELSE, *said(0, 1, rule="gov/anything_else"), *said(2, 1, rule="gov/closing"), line(4, Fact.ENDED)
    )
    assert given.observed == "no wait after rung 1, not 2 s"


@pytest.mark.parametrize("fact", [Fact.PHRASE_STARTED, Fact.STEP_ENTERED, Fact.RINGING, Fact.ENDED])
def test_a_wait_cut_short_by_ourselves_breaks_the_rule(fact: Fact) -> None:
    given = verdict(SILENT_CALL, *said(0, 1), silent(2, Fact.WAIT_BEGUN, 1), line(4.9, fact))
    assert given.judgement is Judgement.BROKEN
    assert f"the wait after rung 1 was cut short: {fact}" in given.observed


@pytest.mark.parametrize("fact", [Fact.LADDER_LEFT, Fact.CALLER_HUNG_UP, Fact.SITUATION_STARTED, Fact.HEARING_LOST])
def test_a_wait_cut_short_by_others_does_not(fact: Fact) -> None:
    given = verdict(SILENT_CALL, *said(0, 1), silent(2, Fact.WAIT_BEGUN, 1), silent(2.5, fact, 1), line(3, Fact.ENDED))
    assert (given.judgement, given.waits) == (Judgement.KEPT, ())


def test_noise_and_keys_in_between_cut_no_wait_short() -> None:
    noise = [line(2.5, Fact.SPEECH_STARTED), line(2.6, Fact.KEY_PRESSED), line(2.7, Fact.IGNORED)]
    begun, over = waited(2, 1, 3)
    assert verdict(SILENT_CALL, *said(0, 1), begun, *noise, over, *said(5, 2)).judgement is Judgement.KEPT


def test_a_wait_begun_again_counts_from_its_new_beginning() -> None:
    lost = [silent(2, Fact.WAIT_BEGUN, 1), line(3, Fact.HEARING_LOST), line(4, Fact.HEARING_RESTORED)]
    given = verdict(SILENT_CALL, *said(0, 1), *lost, *waited(4, 1, 3), *said(7, 2))
    assert (given.judgement, [wait.observed for wait in given.waits]) == (Judgement.KEPT, [3.0])


def test_a_hang_up_that_the_standard_asks_for_must_come_next() -> None:
    went_on = verdict(SILENT_CALL, *WHOLE[:-1], *said(12, 1, rule=""))
    assert went_on.observed == "the standard hangs up here; the call went on"
    assert verdict(SILENT_CALL, *WHOLE[:-1]).judgement is Judgement.BROKEN


def test_a_fault_in_an_earlier_run_is_not_forgiven_by_a_later_one() -> None:
    later = [*said(20, 1), silent(22, Fact.LADDER_LEFT, 1, "speech")]
    assert verdict(SILENT_CALL, *WHOLE[:-1], *later).judgement is Judgement.BROKEN


def test_giving_a_ladder_up_early_breaks_the_rule() -> None:
    short = verdict(
        SILENT_CALL, BEGUN, *said(0, 1), *waited(2, 1, 3), silent(5, Fact.LADDER_USED_UP, 1), line(5, Fact.ENDED)
    )
    assert short.observed == "given up after rung 1 of 3"


def test_a_step_that_says_only_the_rules_first_phrase_promises_no_more() -> None:
    begun = line(0, Fact.LADDER_BEGUN, 1, "a step of the flow", rule="gov/noise")
    used_up = line(2, Fact.LADDER_USED_UP, 1, "continue", rule="gov/noise")
    given = verdict(NOISE, begun, *said(0, 1, rule="gov/noise"), used_up, *said(2, 1, rule=""))
    assert (given.judgement, given.observed) == (Judgement.KEPT, "said")


def test_but_it_owes_the_wait_that_the_rule_documents_after_it() -> None:
    begun = line(0, Fact.LADDER_BEGUN, 1, "a step of the flow", rule="gov/anything_else")
    said_only = said(0, 1, rule="gov/anything_else")
    given = verdict(ANYTHING_ELSE, begun, *said_only, line(2, Fact.STEP_ENTERED))
    assert given.observed == "no wait after rung 1, not 2 s"


@pytest.mark.parametrize("fact", [Fact.LIMIT_REACHED, Fact.HANDED_OVER])
def test_a_rule_cut_off_by_a_limit_or_the_fallback_is_broken(fact: Fact) -> None:
    given = verdict(SILENT_CALL, *said(0, 1), silent(2, Fact.WAIT_BEGUN, 1), silent(2, fact, 1, "why"))
    assert (given.judgement, given.observed) == (Judgement.BROKEN, "cut off: why")


def test_leaving_says_how() -> None:
    left = silent(1, Fact.LADDER_LEFT, 1, "caller_agrees")
    assert verdict(SILENT_CALL, *said(0, 1), left).observed == "left on caller agrees"
    assert verdict(SILENT_CALL, *said(0, 1), silent(1, Fact.CALLER_HUNG_UP, 1)).observed == "until the caller hung up"
    assert verdict(SILENT_CALL, *said(0, 1), silent(1, Fact.LINE_LOST, 1)).observed == "until the line was lost"
    assert verdict(SILENT_CALL, *said(0, 1)).observed == "said"


def test_another_ending_than_hanging_up_is_the_flows_to_arrange() -> None:
    begun = line(0, Fact.LADDER_BEGUN, 1, "closing", rule="gov/closing")
    used_up = line(2, Fact.LADDER_USED_UP, 1, "survey", rule="gov/closing")
    given = verdict(CLOSING, begun, *said(0, 1, rule="gov/closing"), used_up, *said(9, 1, rule=""))
    assert (given.judgement, given.observed) == (Judgement.KEPT, "then survey")


def test_a_phrase_that_opens_another_rules_ladder_is_evidence_for_its_own_rule_too() -> None:
    opened = [line(0, Fact.PHRASE_STARTED, 1, rule="gov/silent_call", also="gov/thanks")]
    opened += [line(2, Fact.PHRASE_ENDED, 1, "finished", rule="gov/silent_call", also="gov/thanks")]
    given = verdict(THANKS, *opened, *waited(2, 1, 3))
    assert (given.judgement, given.observed, given.evidence) == (Judgement.KEPT, "said", (0, 1))
    missing = [opened[0], line(2, Fact.PHRASE_ENDED, 1, "missing", rule="gov/silent_call", also="gov/thanks")]
    assert verdict(THANKS, *missing).judgement is Judgement.BROKEN


def lookup(*lines: TraceLine) -> Verdict:
    asked = line(2, Fact.TASK_ASKED, 2, "look_up", rule="gov/short_lookup")
    return verdict(SHORT_LOOKUP, *said(0, 1, rule="gov/short_lookup"), asked, *lines)


def test_a_task_has_its_bound_and_may_be_done_sooner() -> None:
    done = lookup(line(4, Fact.TASK_DONE, 2, rule="gov/short_lookup"), line(4, Fact.STEP_ENTERED))
    assert (done.judgement, done.waits) == (Judgement.KEPT, ())
    bounded = lookup(line(32, Fact.WAIT_USED_UP, 2, rule="gov/short_lookup"))
    assert (bounded.judgement, bounded.observed) == (Judgement.KEPT, "30.00 s")
    late = lookup(line(40, Fact.WAIT_USED_UP, 2, rule="gov/short_lookup"))
    assert late.observed == "waited 38.00 s after rung 2, not 10-30 s"


def test_several_faults_are_all_named() -> None:
    given = verdict(SILENT_CALL, BEGUN, *said(0, 1, "missing"), *waited(2, 1, 9), *said(11, 3), USED_UP)
    assert given.observed.split("; ") == [
        ": missing",
        "rung 3 came after rung 1",
        "waited 9.00 s after rung 1, not 3 s",
        "the standard hangs up here",
        "the call went on",
    ]


def test_rules_are_described_in_words() -> None:
    assert describe(NOISE) == "say, say, say, wait 2 s, then hangup"
    assert describe(SHORT_LOOKUP) == "say, look up, at most 10-30 s, then continue"
    assert describe(SLOW_SYSTEM) == "say, mute, work then unmute, say, then continue"


def test_there_is_a_verdict_for_every_rule_in_the_order_of_the_standard() -> None:
    standard = Standard("gov", "Gov", "", WHERE, {}, {item.name: item for item in (THANKS, NOISE, CLOSING)})
    given = judge(standard, WHOLE, tolerance=TOLERANCE)
    assert [item.rule for item in given] == ["gov/thanks", "gov/noise", "gov/closing"]
