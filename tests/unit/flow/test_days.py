from datetime import date

import pytest

from ivrflow.flow.days import HOLIDAYS, TABLE_YEARS, Calendar, DaySet, OwnDay
from ivrflow.flow.problems import Location

HERE = Location("holidays.yaml", 4, 5)


@pytest.mark.parametrize(
    ("day", "words", "source"),
    [
        ("2026-10-01", "public holiday (national_day 国庆)", "table"),
        ("2026-02-17", "public holiday (spring_festival 春节)", "table"),
        ("2025-10-06", "public holiday (mid_autumn 中秋)", "table"),
        ("2026-10-10", "moved working day", "table"),  # a Saturday
        ("2026-10-17", "weekend", "table"),
        ("2026-11-20", "working day", "table"),
        ("2015-09-03", "public holiday", "table"),  # came once, and has no name a flow could write
        ("2003-05-01", "working day", "weekday"),  # before the table begins
        ("2150-10-01", "working day", "weekday"),  # a Thursday
        ("2150-10-03", "weekend", "weekday"),
    ],
)
def test_a_day_is_what_china_made_of_it(day: str, words: str, source: str) -> None:
    found = Calendar().on(date.fromisoformat(day))
    assert (str(found), found.source) == (words, source)


def test_the_table_knows_every_named_holiday_of_every_year_it_reaches() -> None:
    calendar = Calendar()
    for year in range(max(TABLE_YEARS[0], 2008), TABLE_YEARS[1] + 1):  # three of them are holidays since 2008
        days = [
            calendar.on(date.fromordinal(n))
            for n in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
        ]
        named = {day.holiday for day in days if day.holiday}
        assert named >= set(HOLIDAYS) - {"mid_autumn"}, year  # it may fall into the week of the national day


def test_the_house_wins_up_to_the_day_its_file_ends() -> None:
    own = {
        date(2026, 10, 1): OwnDay("workday", HERE, reason="stocktaking"),
        date(2026, 10, 10): OwnDay("holiday", HERE, reason="the office moves"),
        date(2027, 1, 1): OwnDay("holiday", HERE, "new_year", "notice"),
    }
    calendar = Calendar(own, until=date(2026, 12, 31))

    first = calendar.on(date(2026, 10, 1))
    assert (first.kind, first.source, first.moved, first.reason, first.where) == (
        "workday",
        "file",
        False,
        "stocktaking",
        HERE,
    )
    assert str(calendar.on(date(2026, 10, 10))) == "public holiday (the office moves)"
    assert str(calendar.on(date(2027, 1, 1))) == "working day"
    assert str(Calendar(own, until=date(2027, 1, 1)).on(date(2027, 1, 1))) == "public holiday (new_year 元旦)"
    assert Calendar(own).on(date(2026, 10, 1)).kind == "holiday"


def test_a_saturday_that_the_house_works_is_a_moved_day() -> None:
    calendar = Calendar({date(2026, 10, 17): OwnDay("workday", HERE)}, until=date(2026, 12, 31))
    assert str(calendar.on(date(2026, 10, 17))) == "moved working day"


def test_the_table_is_believed_for_the_years_it_was_known_to_know() -> None:
    calendar = Calendar(years=(2004, 2025))
    assert calendar.on(date(2026, 10, 1)).source == "weekday"
    assert calendar.on(date(2025, 10, 1)).kind == "holiday"


@pytest.mark.parametrize(
    ("day", "count", "due"),
    [
        ("2026-09-30", 0, "2026-09-30"),
        ("2026-09-30", 1, "2026-10-08"),  # over the national day
        ("2026-09-30", 3, "2026-10-10"),  # the third is a Saturday that is worked
        ("2026-11-20", 3, "2026-11-25"),
    ],
)
def test_working_days_are_counted_as_they_are_worked(day: str, count: int, due: str) -> None:
    assert Calendar().after_working_days(date.fromisoformat(day), count) == date.fromisoformat(due)


def test_a_set_of_days_has_a_day_by_weekday_kind_or_name() -> None:
    calendar = Calendar()
    national, worked, saturday = (calendar.on(date(2026, 10, day)) for day in (1, 10, 17))

    assert [DaySet(frozenset({3})).holds(day) for day in (national, worked, saturday)] == [True, False, False]
    assert [DaySet(frozenset({5})).holds(day) for day in (national, worked, saturday)] == [False, True, True]
    workdays = DaySet(kinds=frozenset({"workday"}))
    assert [workdays.holds(day) for day in (national, worked, saturday)] == [False, True, False]
    named = DaySet(holidays=frozenset({"national_day", "new_year"}))
    assert [named.holds(day) for day in (national, worked, saturday)] == [True, False, False]
    assert not DaySet()
    assert named.needs_holidays
    assert not DaySet(frozenset({3})).needs_holidays
