"""The calendar answers for every date, each day is exactly one kind of day, and windows say so for every minute."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ivrflow.flow.calendar import Coverage, holds, why, window_at
from ivrflow.flow.days import HOLIDAYS, Calendar, DayKind, DaySet, OwnDay
from ivrflow.flow.keys.holiday_file import read_calendar
from ivrflow.flow.model import Hours, Window
from ivrflow.flow.problems import Location

HERE = Location("x.yaml", 1, 1)
DATES = st.dates(date(1900, 1, 1), date(2200, 12, 31))
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 12, 31))  # noqa: DTZ001 - local times
KINDS: tuple[DayKind, ...] = ("workday", "weekend", "holiday")
DAY_SETS = st.builds(
    DaySet,
    st.frozensets(st.integers(0, 6)),
    st.frozensets(st.sampled_from(KINDS)),
    st.frozensets(st.sampled_from(sorted(HOLIDAYS))),
)
WINDOWS = st.builds(
    Window, DAY_SETS, st.integers(0, 1439), st.integers(0, 1440), st.just(()), st.sampled_from("abc"), st.just(HERE)
)
OWN = st.dictionaries(DATES, st.builds(OwnDay, st.sampled_from(["workday", "holiday"]), st.just(HERE)), max_size=8)


def window(days: DaySet, opens: int = 0, closes: int = 1440) -> Window:
    return Window(days, opens, closes, (), "x", HERE)


@given(DATES, OWN, st.none() | DATES)
def test_every_date_is_one_kind_of_day(day: date, own: dict[date, OwnDay], until: date | None) -> None:
    found = Calendar(own, until).on(day)
    assert found.date == day
    assert found.kind in KINDS
    assert str(found)
    assert sum(DaySet(kinds=frozenset({kind})).holds(found) for kind in KINDS) == 1
    assert not found.holiday or found.kind == "holiday"


@given(MOMENTS, st.integers(0, 1439), st.integers(1, 1440))
def test_kinds_of_day_part_every_moment_among_them(moment: datetime, opens: int, closes: int) -> None:
    """Three windows with the same hours, one for each kind of day: the same as one window for every day."""
    kinds = [holds(window(DaySet(kinds=frozenset({kind})), opens, closes), moment, Calendar()) for kind in KINDS]
    every = holds(window(DaySet(frozenset(range(7))), opens, closes), moment, Calendar())
    assert any(kinds) == every
    assert sum(kinds) <= (1 if opens < closes else 2)  # past midnight two days may both hold


@given(WINDOWS, MOMENTS)
def test_the_reason_agrees_with_what_holds(one: Window, moment: datetime) -> None:
    reason = why(one, moment, Calendar())
    denied = "none of its days" in reason or " is before " in reason or " is not before " in reason
    assert holds(one, moment, Calendar()) is not denied


@given(st.lists(WINDOWS, max_size=5), MOMENTS)
def test_a_window_that_is_covered_never_holds_first(windows: list[Window], moment: datetime) -> None:
    covered = Coverage()
    dead = [not covered.take(one) for one in windows]
    found = window_at(Hours("h", HERE, tuple(windows), "x"), moment, Calendar())
    first = next((index for index, one in enumerate(windows) if one is found), None)
    assert first is None or not dead[first]


@given(MOMENTS)
def test_a_break_at_noon_parts_the_day(moment: datetime) -> None:
    workdays = DaySet(kinds=frozenset({"workday"}))
    morning, afternoon = window(workdays, 480, 720), window(workdays, 840, 1080)
    is_open = holds(morning, moment, Calendar()) or holds(afternoon, moment, Calendar())
    is_worked = Calendar().on(moment.date()).kind == "workday"
    assert is_open == (is_worked and moment.hour in {8, 9, 10, 11, 14, 15, 16, 17})


@given(st.text(max_size=200))
def test_no_text_is_too_strange_for_a_holiday_file(text: str) -> None:
    calendar = read_calendar(text, "holidays.yaml")
    assert calendar.on(datetime.now(UTC).date() + timedelta(days=1)).kind in KINDS
