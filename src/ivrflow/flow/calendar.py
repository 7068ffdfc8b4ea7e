"""What holds when: the window of an `Hours` step, the line of a wording. Pure: the time is an argument."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

from ivrflow.flow.days import ALL_DAYS, HOLIDAYS, SATURDAY, Calendar, DayKind
from ivrflow.flow.model import CallFlow, Hours, Window, Wording, WordingLine
from ivrflow.flow.reading.times import written_days, written_minute

Times: TypeAlias = Window | WordingLine
"""What has days, an opening and a closing minute."""

_DAY = timedelta(days=1)
_MINUTES = 24 * 60
_NO_HOLIDAYS = Calendar()


def window_at(hours: Hours, local: datetime, calendar: Calendar = _NO_HOLIDAYS) -> Window | None:
    """The first window that holds at `local`, or None when none does."""
    return next((window for window in hours.windows if holds(window, local, calendar)), None)


def line_at(wording: Wording, local: datetime, calendar: Calendar) -> WordingLine:
    """The first line that holds at `local`; the last one always does."""
    return next((line for line in wording.lines if holds(line, local, calendar)), wording.lines[-1])


def holds(times: Times, local: datetime, calendar: Calendar = _NO_HOLIDAYS) -> bool:
    """Whether a window or line holds: from its opening minute up to, not including, its closing minute.

    One that closes no later than it opens runs past midnight; its small hours belong to the evening before.
    """
    minute = local.hour * 60 + local.minute
    opens, closes = times.opens, times.closes
    if opens < closes:
        return opens <= minute < closes and times.days.holds(calendar.on(local.date()))
    if minute >= opens and times.days.holds(calendar.on(local.date())):
        return True
    return minute < closes and times.days.holds(calendar.on(local.date() - _DAY))


def why(times: Times, local: datetime, calendar: Calendar) -> str:
    """Why a window or line holds at `local`, or does not: in words, "02:00 is before 08:00"."""
    minute = local.hour * 60 + local.minute
    today = calendar.on(local.date())
    runs_past_midnight = times.opens >= times.closes
    if runs_past_midnight and minute < times.closes:
        yesterday = calendar.on(local.date() - _DAY)
        belongs = f"{local:%H:%M} belongs to the evening before, {yesterday.date:%A}, a {yesterday}"
        return belongs if times.days.holds(yesterday) else f"{belongs}, none of its days"
    if not times.days.holds(today):
        return f"{today.date:%A}, a {today}, is none of its days"
    if minute < times.opens:
        return f"{local:%H:%M} is before {written_minute(times.opens)}"
    if not runs_past_midnight and minute >= times.closes:
        return f"{local:%H:%M} is not before {written_minute(times.closes)}"
    return f"it is {local:%H:%M} on a {today}"


def in_words(times: Times) -> str:
    """Days and hours as a flow writes them: "mon-fri 08:00-18:00"; "always" for every minute of every day."""
    days = "" if times.days == ALL_DAYS else written_days(times.days)
    is_all_day = (times.opens, times.closes) == (0, _MINUTES)
    hours = "" if is_all_day else f"{written_minute(times.opens)}-{written_minute(times.closes)}"
    return " ".join(part for part in (days, hours) if part) or "always"


def asks_for_holidays(flow: CallFlow) -> list[Times]:
    """The windows and lines for which the days of the week alone do not tell."""
    windows = [window for step in flow.steps.values() if isinstance(step, Hours) for window in step.windows]
    lines = [line for wording in flow.wordings.values() for line in wording.lines]
    every: list[Times] = [*windows, *lines]
    return [times for times in every if times.days.needs_holidays]


# ── whether some of them cover another ────────────────────────────────────────────────────────────────────────────────


_Sort: TypeAlias = tuple[int, DayKind, str]
"""A weekday, a kind of day, a holiday's name: all a day can be told by."""


def _sorts(weekday: int) -> list[_Sort]:
    """Every sort of day that this weekday can be."""
    holidays: list[_Sort] = [(weekday, "holiday", name) for name in (*HOLIDAYS, "")]
    kinds: list[DayKind] = ["workday", "weekend"] if weekday >= SATURDAY else ["workday"]
    return [*((weekday, kind, "") for kind in kinds), *holidays]


_SORTS = [sort for weekday in range(7) for sort in _sorts(weekday)]
_PAIRS = [
    (yesterday, today) for weekday in range(7) for yesterday in _sorts(weekday) for today in _sorts((weekday + 1) % 7)
]


class Coverage:
    """Minutes that are taken, whatever the kind of two days in a row: tells a window or line that can never hold."""

    def __init__(self) -> None:
        self._taken = dict.fromkeys(_PAIRS, 0)

    def take(self, times: Times) -> bool:
        """Add a window or line; whether it can hold at all when those before it come first."""
        runs_past_midnight = times.opens >= times.closes
        evening = _span(times.opens, _MINUTES if runs_past_midnight else times.closes)
        small_hours = _span(0, times.closes) if runs_past_midnight else 0
        has = {sort: times.days.has(*sort) for sort in _SORTS}
        is_new = False
        for pair, taken in self._taken.items():
            yesterday, today = pair
            minutes = (evening if has[today] else 0) | (small_hours if has[yesterday] else 0)
            is_new = is_new or bool(minutes & ~taken)
            self._taken[pair] = taken | minutes
        return is_new


def _span(begin: int, end: int) -> int:
    return (1 << end) - (1 << begin)
