"""When a call began, as its first trace line says it: greetings of the wrong hour or day are told by that alone."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ivrflow.engine.trace import TraceLine
from ivrflow.flow.days import HOLIDAYS
from ivrflow.flow.model import CallFlow


def dated(line: TraceLine, flow: CallFlow, local: datetime) -> TraceLine:
    """The line with the local time, and with what people call the public holiday it is."""
    day = HOLIDAYS.get(flow.calendar.on(local.date()).holiday, "")
    return msgspec.structs.replace(line, local=local.isoformat(), day=day)
