"""What a scenario expects to have been promised: `promises: {cannot_answer_now: 24h}`."""

from __future__ import annotations

import re
from typing import TypeAlias

from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.reader import Kind, Named, from_text
from ivrflow.flow.reading.source import Text
from ivrflow.flow.reading.syntax import shortened
from ivrflow.scenario.language.written_values import table_by_rule
from ivrflow.scenario.script import NEVER_PROMISED, PromisedTime

WrittenPromises: TypeAlias = tuple[tuple[Named, PromisedTime, Location], ...]

_TIME_FORM = r"([0-9]{1,4})h|([0-9]{1,3}) working days?|never"
_TIME = re.compile(_TIME_FORM)


def _read_time(text: Text, problems: ProblemList) -> PromisedTime | None:
    hit = _TIME.fullmatch(text.text)
    if hit is None:
        hint = 'write 24h, "3 working days", or never'
        problems.error(text.where, f"'{shortened(text.text)}' is no time for a promise", hint)
        return None
    hours, days = hit.groups()
    if hours is None and days is None:
        return NEVER_PROMISED
    return PromisedTime(hours=float(hours) if hours else None, working_days=int(days) if days else None)


PROMISED_TIME: Kind[PromisedTime] = from_text(
    "hours, working days or never", "24h", NEVER_PROMISED, _read_time, schema=js.only_text_like(_TIME_FORM)
)

PROMISE_TABLE: Kind[WrittenPromises] = table_by_rule(
    PROMISED_TIME,
    "a table of rules and times",
    "{cannot_answer_now: 24h}",
    '`24h`, `"3 working days"`, `never`',
)
