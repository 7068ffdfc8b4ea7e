"""When a call began, as its first trace line says it: greetings of the wrong hour or day are told by that alone."""

from __future__ import annotations

from datetime import datetime

from ivrflow.flow.days import HOLIDAYS
from ivrflow.flow.model import CallFlow


def local_and_day(flow: CallFlow, local: datetime) -> tuple[str, str]:
    """The local time as text, with its offset, and what people call the public holiday it is; "" on other days."""
    return local.isoformat(), HOLIDAYS.get(flow.calendar.on(local.date()).holiday, "")
