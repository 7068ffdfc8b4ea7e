from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from tiny_hotline import FLOW, SOURCE, TINY, compiled, told

from ivrflow.flow.compiling.compiler import check_flow
from ivrflow.flow.keys.outgoing import is_always_quiet, may_ring, may_ring_all, quiet_until, ringing_band
from ivrflow.flow.model import Band, PlacesCalls

NUMBERS = 'numbers: ["100"]\n'
GOV12345 = 'quiet: ["21:00-07:30", "12:30-14:00"]'
DIALS = """  - id: tiny/no_answer
    situation: outbound_no_answer
    trigger: nobody answers
    ladder: [{do: dial, wait_s: [25, 30], leave_on: answered}]
    then: hangup
"""
COUNTS_RINGS = DIALS.replace(", wait_s: [25, 30]", "").rstrip("\n") + "\n    limits: {min_rings_before_giving_up: 6}\n"


def placing(says: str) -> PlacesCalls:
    flow = compiled((NUMBERS, f"places_calls: {{{says}}}\n"))
    assert flow.places_calls is not None
    return flow.places_calls


def under(rule: str, says: str) -> tuple[PlacesCalls | None, list[str]]:
    """The flow under a standard with one rule more."""
    text = SOURCE[FLOW].replace(NUMBERS, f"places_calls: {{rule: no_answer, {says}}}\n")
    checked = check_flow({**SOURCE, FLOW: text, TINY: SOURCE[TINY] + rule}, FLOW)
    flow = checked.flow
    return (flow.places_calls if flow else None), [problem.message for problem in checked.problems]


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def test_a_flow_that_is_only_rung_places_no_calls() -> None:
    assert compiled().places_calls is None


def test_a_flow_that_only_places_calls_needs_no_number() -> None:
    assert compiled((NUMBERS, 'places_calls: {to: "1001"}\n')).numbers == ()


def test_a_flow_may_be_rung_and_place_calls() -> None:
    flow = compiled((NUMBERS, NUMBERS + 'places_calls: {to: "1001"}\n'))

    assert flow.numbers == ("100",)
    assert flow.places_calls is not None


def test_without_either_nobody_ever_calls() -> None:
    assert told((NUMBERS, "")) == ["1:1: a flow needs 'numbers'"]


@pytest.mark.parametrize(
    ("says", "seconds"),
    [
        ('to: "1"', 30.0),
        ('to: "1", ring_for: 20s', 20.0),
        ('to: "1", rings: 4', 20.0),
        ('to: "1", ring_for: 1m, rings: 7', 35.0),
        ('to: "1", ring_for: 30s, rings: 7', 30.0),
    ],
)
def test_the_earlier_bound_counts(says: str, seconds: float) -> None:
    assert placing(says).ring_for == seconds


def test_the_call_begins_where_the_flow_does_or_where_it_says() -> None:
    assert placing('to: "1"').start == "welcome"
    assert placing('to: "1", start: main_menu').start == "main_menu"


@pytest.mark.parametrize(
    ("number", "may"),
    [
        ("1001", True),
        ("10010", False),
        ("9", True),
        ("95588", True),
        ("8", False),
        ("", False),
        ("9*", False),
        ("9@elsewhere", False),
        ("9&8", False),
        ("9" * 21, False),
        ("９５", False),
    ],
)
def test_nobody_else_is_rung(number: str, may: bool) -> None:
    assert may_ring(placing('to: ["1001", "9*"]'), number) is may


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-11-20T07:29:59", "2026-11-20T07:30:00"),
        ("2026-11-20T07:30:00", None),
        ("2026-11-20T12:29:59", None),
        ("2026-11-20T12:30:00", "2026-11-20T14:00:00"),
        ("2026-11-20T14:00:00", None),
        ("2026-11-20T20:59:59", None),
        ("2026-11-20T21:00:00", "2026-11-21T07:30:00"),
        ("2026-12-31T23:59:59", "2027-01-01T07:30:00"),
    ],
)
def test_quiet_hours_of_the_hotline(at: str, until: str | None) -> None:
    ends = quiet_until(placing(f'to: "1", {GOV12345}'), shanghai(at))

    assert ends == (None if until is None else shanghai(until))


def test_quiet_hours_that_follow_one_another_are_one() -> None:
    quiet = placing('to: "1", quiet: ["21:00-24:00", "00:00-06:00", "05:00-08:00"]')

    assert quiet_until(quiet, shanghai("2026-11-20T22:00:00")) == shanghai("2026-11-21T08:00:00")
    assert not is_always_quiet(quiet)


def test_the_rule_of_the_standard_bounds_the_ringing() -> None:
    placed, problems = under(DIALS, 'to: "1"')

    assert problems == []
    assert placed is not None
    rung = placed.ladder.rungs[0]
    assert (rung.rule, rung.wait, rung.band) == ("tiny/no_answer", 30.0, Band(25.0, 30.0))


@pytest.mark.parametrize(
    ("rule", "says", "message"),
    [
        (DIALS, "rings: 7, ring_for: 40s", "35s of ringing is not what tiny/no_answer asks for: 25s to 30s"),
        (DIALS, "rings: 4", "20s of ringing is not what tiny/no_answer asks for: 25s to 30s"),
        (COUNTS_RINGS, "rings: 5", "25s of ringing is not what tiny/no_answer asks for: at least 30s"),
        (COUNTS_RINGS, "ring_for: 29s", "29s of ringing is not what tiny/no_answer asks for: at least 30s"),
    ],
)
def test_ringing_that_the_standard_does_not_allow(rule: str, says: str, message: str) -> None:
    placed, problems = under(rule, f'to: "1", {says}')

    assert placed is None
    assert problems == [message]


def test_a_rule_that_counts_rings() -> None:
    placed, problems = under(COUNTS_RINGS, 'to: "1", rings: 6')

    assert problems == []
    assert placed is not None
    assert placed.ring_for == 30.0


def test_a_rule_about_something_else_says_nothing_of_ringing() -> None:
    rules = compiled().standard.rules

    assert [rule.name for rule in rules.values() if ringing_band(rule)] == []


@pytest.mark.parametrize(
    ("to", "numbers", "may"),
    [
        (("1*",), "1*", True),
        (("1*",), "138*", True),
        (("138*",), "1*", False),
        (("1*", "0*"), "12345", True),
        (("12345",), "12345", True),
        (("12345",), "12345*", False),
        ((), "1", False),
    ],
)
def test_whoever_is_meant_must_all_be_among_those_who_may_be_rung(
    to: tuple[str, ...], numbers: str, *, may: bool
) -> None:
    assert may_ring_all(to, numbers) is may
