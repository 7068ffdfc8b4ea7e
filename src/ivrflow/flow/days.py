"""Kinds of day: working days, weekends and public holidays as China really has them, by date.

Every date is exactly one of three kinds. A `Calendar` is a value that is handed in with the flow: the published table
of public holidays and moved working days (`chinesecalendar`, as far as it reaches), and the house's own file, which
wins where it speaks. For a date nobody knows the day of the week decides. Pure: the date is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, TypeAlias

import chinese_calendar

from ivrflow.flow.problems import Location, Problem

DayKind: TypeAlias = Literal["workday", "weekend", "holiday"]
"""A working day (a moved one too), a day off that is no public holiday, a public holiday."""

DaySource: TypeAlias = Literal["table", "file", "weekday"]
"""Who says so: the published table, the house's own file, or nobody but the day of the week."""

HOLIDAYS: Mapping[str, str] = {
    "new_year": "元旦",
    "spring_festival": "春节",
    "tomb_sweeping": "清明",
    "labour_day": "五一",
    "dragon_boat": "端午",
    "mid_autumn": "中秋",
    "national_day": "国庆",
}
"""The public holidays that come every year, by the name a flow writes, with what people call them."""

_TABLE = chinese_calendar.holidays
_MOVED_DAYS = chinese_calendar.workdays
_TABLE_NAMES = {
    "New Year's Day": "new_year",
    "Spring Festival": "spring_festival",
    "Tomb-sweeping Day": "tomb_sweeping",
    "Labour Day": "labour_day",
    "Dragon Boat Festival": "dragon_boat",
    "Mid-autumn Festival": "mid_autumn",
    "National Day": "national_day",
}

TABLE_YEARS = (min(_TABLE).year, max(_TABLE).year)
"""First and last year the installed table knows."""

SATURDAY = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """What kind of day a date is, and who says so.

    Attributes:
        holiday: the public holiday's name in `HOLIDAYS`; empty on other days, and for a day off with no such name.
        moved: whether it is a Saturday or Sunday that is worked.
        reason: the words of the house's own file; empty without.
        where: the line of that file.
    """

    date: date
    kind: DayKind
    source: DaySource
    holiday: str = ""
    moved: bool = False
    reason: str = ""
    where: Location | None = None

    def __str__(self) -> str:
        if self.kind == "holiday":
            name = f"{self.holiday} {HOLIDAYS[self.holiday]}" if self.holiday else self.reason
            return f"public holiday ({name})" if name else "public holiday"
        if self.kind == "workday":
            return "moved working day" if self.moved else "working day"
        return "weekend"


@dataclass(frozen=True, slots=True)
class OwnDay:
    """One date of the house's own file."""

    kind: Literal["workday", "holiday"]
    where: Location
    holiday: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which kind of day each date is.

    Attributes:
        own: the days of the house's own file, by date.
        until: the last day on which that file counts; None without a file.
        until_where: where it says so.
        file: its name; empty without one.
        problems: what is wrong with it; one that has errors is not used at all.
        years: first and last year in which the published table is believed.
    """

    own: Mapping[date, OwnDay] = field(default_factory=dict)
    until: date | None = None
    until_where: Location | None = None
    file: str = ""
    problems: tuple[Problem, ...] = ()
    years: tuple[int, int] = TABLE_YEARS

    def on(self, day: date) -> Day:
        """The kind of a day; there is an answer for every date."""
        weekend = day.weekday() >= SATURDAY
        own = self.own.get(day) if self.until is not None and day <= self.until else None
        if own is not None:
            moved = own.kind == "workday" and weekend
            return Day(day, own.kind, "file", own.holiday, moved, own.reason, own.where)
        if not self.knows(day):
            return Day(day, "weekend" if weekend else "workday", "weekday")
        if day in _TABLE:
            return Day(day, "holiday", "table", _TABLE_NAMES.get(_TABLE[day], ""))
        if day in _MOVED_DAYS:
            return Day(day, "workday", "table", moved=weekend)
        return Day(day, "weekend" if weekend else "workday", "table")

    def knows(self, day: date) -> bool:
        """Whether the published table reaches this date; otherwise only the house's own file knows its holidays."""
        return self.years[0] <= day.year <= self.years[1]

    def after_working_days(self, day: date, count: int) -> date:
        """The date of the `count`-th working day after `day`; `day` itself for none."""
        while count > 0:
            day += _DAY
            count -= self.on(day).kind == "workday"
        return day


@dataclass(frozen=True, slots=True)
class DaySet:
    """Days as a flow names them: a date belongs when any of the three says so.

    Attributes:
        weekdays: 0 (Monday) to 6, whatever kind of day it is.
        kinds: kinds of day.
        holidays: single public holidays.
    """

    weekdays: frozenset[int] = frozenset()
    kinds: frozenset[DayKind] = frozenset()
    holidays: frozenset[str] = frozenset()

    def holds(self, day: Day) -> bool:
        """Whether `day` belongs."""
        return self.has(day.date.weekday(), day.kind, day.holiday)

    def has(self, weekday: int, kind: DayKind, holiday: str) -> bool:
        """Whether a day of this weekday, kind and holiday belongs."""
        return weekday in self.weekdays or kind in self.kinds or holiday in self.holidays

    @property
    def needs_holidays(self) -> bool:
        """Whether the days of the week alone do not tell."""
        return bool(self.kinds or self.holidays)

    def __bool__(self) -> bool:
        return bool(self.weekdays or self.kinds or self.holidays)


ALL_DAYS = DaySet(frozenset(range(7)))
