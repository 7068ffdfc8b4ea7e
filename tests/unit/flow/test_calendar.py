from datetime import datetime, timedelta

import pytest
from small_flows import hours, window

from ivrflow.flow.calendar import holds, window_at

MONDAY = datetime(2026, 3, 2)  # noqa: DTZ001 - a local time, as the caller's clock shows it
DAY, NIGHT = (9 * 60, 17 * 60), (22 * 60, 6 * 60)


def at(day: int, clock: str) -> datetime:
    """Day 0 is a Monday."""
    hour, minute = clock.split(":")
    return MONDAY + timedelta(days=day, hours=int(hour), minutes=int(minute))


@pytest.mark.parametrize(
    ("clock", "held"), [("08:59", False), ("09:00", True), ("12:00", True), ("16:59", True), ("17:00", False)]
)
def test_a_window_holds_from_its_opening_to_just_before_its_closing(clock: str, held: bool) -> None:
    assert holds(window({0}, *DAY, then="x"), at(0, clock)) is held
    assert holds(window({0}, *DAY, then="x"), at(1, clock)) is False


@pytest.mark.parametrize(
    ("day", "clock", "held"),
    [
        (0, "21:59", False),
        (0, "22:00", True),
        (0, "23:59", True),
        (1, "00:00", True),
        (1, "05:59", True),
        (1, "06:00", False),
        (1, "22:00", False),
        (0, "03:00", False),
    ],
)
def test_a_window_past_midnight_belongs_to_the_evening_it_began_on(day: int, clock: str, held: bool) -> None:
    assert holds(window({0}, *NIGHT, then="x"), at(day, clock)) is held


def test_sunday_night_runs_into_monday() -> None:
    assert holds(window({6}, *NIGHT, then="x"), at(0, "03:00"))


def test_a_whole_day_can_be_written_two_ways() -> None:
    for opens, closes in ((0, 24 * 60), (0, 0)):
        made = window({0}, opens, closes, then="x")
        assert all(holds(made, at(0, clock)) for clock in ("00:00", "12:00", "23:59"))
        assert not holds(made, at(1, "00:00"))


def test_the_first_window_that_holds_counts() -> None:
    lunch, day = window({0}, 12 * 60, 13 * 60, then="lunch"), window({0}, *DAY, then="day")
    assert window_at(hours("h", lunch, day), at(0, "12:30")) is lunch
    assert window_at(hours("h", lunch, day), at(0, "14:00")) is day
    assert window_at(hours("h", lunch, day), at(0, "20:00")) is None
    assert window_at(hours("h"), at(0, "12:30")) is None
