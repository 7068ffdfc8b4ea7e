"""What files say without a flow being compiled."""

import pytest
from tiny_hotline import FLOW, SOURCE, TINY

from ivrflow.flow.compiling.glances import calendar_in, check_standard, is_flow, standards_named, voice_named
from ivrflow.flow.days import TABLE_YEARS
from ivrflow.flow.keys.holiday_file import TABLE_FILE, table_text
from ivrflow.flow.problems import MOST_PROBLEMS

HOLIDAYS = "callflows/holidays.yaml"
MOVING_DAY = "until: 2027-12-31\nreason: the office moves\ndays_off:\n  - {on: 2027-06-30}\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (SOURCE[FLOW], ("tiny", "house")),
        ("standard: a\nphrase_files: [b, c]\n", ("a", "b", "c")),
        ("standard: a\nphrase_files: []\n", ("a",)),
        ("standard: [a]\n", ("house",)),
        ("standard: ../../etc\n", ("house",)),
        ("{", ()),
        ("", ()),
    ],
)
def test_the_files_a_flow_names(text: str, names: tuple[str, ...]) -> None:
    assert standards_named(text, FLOW) == names


def test_flows_and_standards_are_told_apart() -> None:
    assert is_flow(SOURCE[FLOW], FLOW)
    assert not is_flow(SOURCE[TINY], TINY)
    assert is_flow("{", FLOW)


def test_a_holiday_file_is_no_flow_whatever_stands_in_it() -> None:
    assert not is_flow(SOURCE[FLOW], HOLIDAYS)


def test_a_standard_by_itself() -> None:
    standard, problems = check_standard(SOURCE[TINY], TINY)

    assert standard is not None
    assert (standard.id, problems) == ("tiny", ())


def test_a_standard_with_an_error_is_none() -> None:
    standard, problems = check_standard(SOURCE[TINY].replace("id: tiny", "id: Tiny!"), TINY)

    assert standard is None
    assert problems


def test_reading_a_standard_ends_at_a_bound() -> None:
    phrases = "".join(f"  Bad-{number}: {{text: x}}\n" for number in range(300))

    standard, problems = check_standard(f"id: tiny\nname: T\nsource: s\nphrases:\n{phrases}", TINY)

    assert standard is None
    assert len(problems) == MOST_PROBLEMS + 1


@pytest.mark.parametrize(
    ("text", "voice"),
    [("flow: a\nvoice: zm_yunxi\n", "zm_yunxi"), ("flow: a\n", ""), ("voice: [a]\n", ""), ("{", "")],
)
def test_the_voice_a_flow_asks_for(text: str, voice: str) -> None:
    assert voice_named(text, FLOW).text == (voice or voice_named("", FLOW).text)


def test_the_calendar_is_in_the_holiday_file_and_in_as_much_of_the_table_as_was_known() -> None:
    alone = calendar_in(SOURCE)
    with_both = calendar_in({**SOURCE, TABLE_FILE: table_text((2020, 2025)), HOLIDAYS: MOVING_DAY})

    assert (alone.file, alone.years) == ("", TABLE_YEARS)
    assert (with_both.file, with_both.years) == (HOLIDAYS, (2020, 2025))
    assert [str(day) for day in with_both.own] == ["2027-06-30"]
