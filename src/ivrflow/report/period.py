"""The stretch of time a report is about: whole days, or moments, by the flows' own clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class BadPeriodError(ValueError):
    """It is no stretch of time; the text says what to write."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` up to, not including, `until`."""

    since: datetime
    until: datetime

    @property
    def is_whole_days(self) -> bool:
        """Whether it begins and ends at midnight."""
        return (self.since.time(), self.until.time()) == (time(), time())

    def __str__(self) -> str:
        if not self.is_whole_days:
            return f"{self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M}"
        first, last = self.since.date(), self.until.date() - timedelta(days=1)
        return f"{first}" if first == last else f"{first} to {last}"


def period_of(begins: str | None, ends: str | None, zone: tzinfo, now: datetime) -> Period:
    """Read a period as people write it.

    Args:
        begins: "2026-11-01", or with a time; None for the first day of the present month.
        ends: a day, which belongs to the period, or a moment; None for the present moment's day.
        zone: the clock by which it is meant.
        now: the present moment.

    Raises:
        BadPeriodError: no such day, or it ends before it begins.
    """
    today = now.astimezone(zone).date()
    since = _moment(begins, zone, "--from") if begins else _midnight(today.replace(day=1), zone)
    if not ends:
        until = _midnight(today + timedelta(days=1), zone)
    elif _DATE.fullmatch(ends):
        until = _midnight(_moment(ends, zone, "--to").date() + timedelta(days=1), zone)
    else:
        until = _moment(ends, zone, "--to")
    if since >= until:
        last = ends or f"today, {today}"
        raise BadPeriodError(
            f"it begins with {begins or since.date()} and ends with {last}: write the earlier one as --from"
        )
    return Period(since, until)


def _moment(text: str, zone: tzinfo, option: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadPeriodError(f"{option}: '{text}' is no day; write 2026-11-01, or 2026-11-01T08:30") from None
    return found.replace(tzinfo=zone) if found.tzinfo is None else found.astimezone(zone)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)
