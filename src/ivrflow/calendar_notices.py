"""What an operator should know about holidays: a holiday file that is broken or over, a year nobody knows yet.

None of it stops a call. `check`, `explain` and `doctor` say it each time, the log of `serve` once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo

from ivrflow.flow.calendar import asks_for_holidays
from ivrflow.flow.days import Calendar
from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import Problem

AHEAD = timedelta(days=60)
"""How long before the last known holiday's year ends one is told: the next year's are published in November."""

_MEND = "upgrade the package chinesecalendar, or write them into holidays.yaml beside the flows (docs/calendar.md)"


def calendar_notices(flows: Iterable[CallFlow], today: date | None = None) -> list[Problem]:
    """Warnings about the calendars of `flows`, by place.

    Args:
        flows: whose calendars.
        today: the local date; by default each flow's own.
    """
    every = list(flows)
    notices: set[Problem] = set()
    for flow in every:
        notices.update(_about_file(flow.calendar, today or _today(flow.timezone)))
    notices.update(_about_years(every, today))
    return sorted(notices)


def _today(zone: tzinfo) -> date:
    return datetime.now(zone).date()


def _about_file(calendar: Calendar, today: date) -> list[Problem]:
    errors = [problem for problem in calendar.problems if problem.severity == "error"]
    if errors:
        first = errors[0]
        more = f" ({len(errors)} problems; this is the first)" if len(errors) > 1 else ""
        message = f"the holiday file is not used: {first.message}{more}; the published holidays count alone"
        return [Problem(first.where, message, first.hint or "run: ivrflow check", "warning")]
    if calendar.until is not None and calendar.until_where is not None and calendar.until < today:
        message = f"the holiday file ended on {calendar.until}; the published holidays count alone"
        return [Problem(calendar.until_where, message, "write the coming holidays and a later until:", "warning")]
    return []


def _about_years(flows: list[CallFlow], today: date | None) -> list[Problem]:
    asking: dict[int, list[CallFlow]] = {}
    for flow in flows:
        year = unknown_year(flow.calendar, today or _today(flow.timezone))
        if year is not None and asks_for_holidays(flow):
            asking.setdefault(year, []).append(flow)
    notices: list[Problem] = []
    for year, those in asking.items():
        first = asks_for_holidays(those[0])[0]
        who = f"{those[0].id} asks" if len(those) == 1 else f"{len(those)} flows ask"
        message = f"nobody knows the public holidays of {year} yet, and {who} for them: the weekly hours go on"
        notices.append(Problem(first.where, message, _MEND, "warning"))
    return notices


def unknown_year(calendar: Calendar, day: date) -> int | None:
    """The year without known holidays that `day` lies in, or that soon begins; None when all is known."""
    return next((each.year for each in (day, day + AHEAD) if not is_known(calendar, each)), None)


def is_known(calendar: Calendar, day: date) -> bool:
    """Whether the published table or a holiday file that still counts knows the holidays around `day`."""
    if calendar.knows(day):
        return True
    own = calendar.until is not None and day <= calendar.until
    return own and any(each.year == day.year for each in calendar.own)


class CalendarWatch:
    """Says each notice once, however long the service runs: looked at no more than once a day."""

    def __init__(self, flows: Iterable[CallFlow]) -> None:
        self._flows = list(flows)
        self._looked_on: date | None = None
        self._told: set[Problem] = set()

    def news(self, today: date) -> list[Problem]:
        """The notices of `today` that were not given before."""
        if today == self._looked_on:
            return []
        self._looked_on = today
        fresh = [notice for notice in calendar_notices(self._flows, today) if notice not in self._told]
        self._told.update(fresh)
        return fresh
