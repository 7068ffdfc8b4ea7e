from datetime import date
from pathlib import Path

import pytest

from ivrflow.flow.days import TABLE_YEARS
from ivrflow.flow.keys.holiday_file import is_holiday_file, read_calendar, table_text, table_years

CASES = Path(__file__).parents[3] / "problems" / "holidays"
GOOD = (CASES / "nothing_wrong.yaml").read_text(encoding="utf-8")


def test_a_file_gives_days_off_and_working_days_with_their_reasons() -> None:
    calendar = read_calendar(GOOD, "callflows/holidays.yaml")

    assert calendar.problems == ()
    assert (calendar.until, str(calendar.until_where)) == (date(2027, 12, 31), "callflows/holidays.yaml:1:1")
    assert len(calendar.own) == 7 + 1 + 1 + 1
    assert str(calendar.on(date(2027, 2, 9))) == "public holiday (spring_festival 春节)"
    moving = calendar.on(date(2027, 6, 30))
    assert (str(moving), str(moving.where)) == ("public holiday (the office moves)", "callflows/holidays.yaml:6:5")
    sunday = calendar.on(date(2027, 2, 14))
    assert (sunday.kind, sunday.moved, sunday.reason) == ("workday", True, "国务院办公厅 2027 年放假通知")
    assert calendar.on(date(2027, 3, 1)).source == "weekday"


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.glob("*.yaml") if path.stem != "nothing_wrong"))
def test_a_file_with_an_error_is_not_used_at_all(case: str) -> None:
    calendar = read_calendar((CASES / case).read_text(encoding="utf-8"), case)

    assert calendar.problems
    assert (calendar.own, calendar.until, calendar.file) == ({}, None, case)
    assert calendar.on(date(2026, 10, 1)).kind == "holiday"


def test_reading_ends_at_too_many_problems() -> None:
    entries = "".join(f"  - {{on: nonsense{number}}}\n" for number in range(100))
    calendar = read_calendar(f"until: 2027-01-01\nreason: r\ndays_off:\n{entries}", "holidays.yaml")
    assert len(calendar.problems) == 51


@pytest.mark.parametrize(
    ("file", "is_one"),
    [
        ("callflows/holidays.yaml", True),
        ("holidays.yml", True),
        ("callflows\\holidays.yaml", True),
        ("holidays.table", True),
        ("callflows/standards/holidays.yaml", False),
        ("callflows/holiday.yaml", False),
    ],
)
def test_which_file_it_is(file: str, is_one: bool) -> None:
    assert is_holiday_file(file) is is_one


def test_the_years_of_the_table_are_kept_and_never_widened() -> None:
    assert table_years(table_text((2004, 2025))) == (2004, 2025)
    assert table_years("1990-2999") == TABLE_YEARS
    assert table_years("nonsense") == table_years(None) == TABLE_YEARS
