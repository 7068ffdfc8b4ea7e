"""Weekly hours: which window of an `Hours` step holds at a local time. Pure: the time is an argument."""

from __future__ import annotations

from datetime import datetime

from ivrflow.flow.model import Hours, Window


def window_at(hours: Hours, local: datetime) -> Window | None:
    """The first window that holds at `local`, or None when none does."""
    return next((window for window in hours.windows if holds(window, local)), None)


def holds(window: Window, local: datetime) -> bool:
    """Whether the window holds: from its opening minute up to, not including, its closing minute.

    A window that closes no later than it opens runs past midnight; its small hours belong to the evening before.
    """
    minute = local.hour * 60 + local.minute
    today = local.weekday() in window.days
    if window.opens < window.closes:
        return today and window.opens <= minute < window.closes
    yesterday = (local.weekday() - 1) % 7 in window.days
    return (today and minute >= window.opens) or (yesterday and minute < window.closes)
