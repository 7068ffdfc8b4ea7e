"""What a rule promises a caller and by when, read from YAML: `promise: {within: 24h, about: enquiry}`."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, cast

from ivrflow.flow.model import Promise
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import Form, FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import WORD, YES_NO, Kind, from_text, one_or_more
from ivrflow.flow.reading.source import Text
from ivrflow.flow.reading.syntax import shortened

_WITHIN = re.compile(
    r"(?P<hours>\d{1,4})h|(?P<working>\d{1,3}) working days?|\{(?P<value>[a-z_]+)\}|\{(?P<days>[a-z_]+)\} days",
    flags=re.ASCII,
)

_WITHIN_SCHEMA = r"[0-9]{1,4}h|[0-9]{1,3} working days?|[{][a-z_]+[}]( days)?"


class _Due(NamedTuple):
    """When something is due: exactly one of them."""

    hours: float | None = None
    working_days: int | None = None
    value: str = ""
    days_value: str = ""


def _read_within(text: Text, problems: ProblemList) -> _Due | None:
    hit = _WITHIN.fullmatch(text.text)
    if hit is None:
        hint = 'write 24h, "3 working days", or what the agent fills in: "{hours}", "{days} days"'
        problems.error(text.where, f"'{shortened(text.text)}' is no time for a promise", hint)
        return None
    due = _Due(
        float(hit["hours"]) if hit["hours"] else None,
        int(hit["working"]) if hit["working"] else None,
        hit["value"] or "",
        hit["days"] or "",
    )
    if due.hours == 0 or due.working_days == 0:
        problems.error(text.where, f"'{text.text}' is due before it is promised", "write at least 1h or 1 working day")
        return None
    return due


_TIME: Kind[_Due] = from_text(
    "hours or working days", "24h", _Due(), _read_within, schema=js.only_text_like(_WITHIN_SCHEMA)
)
WITHIN = Key(
    "within",
    one_or_more(_TIME, "placeholders"),
    'when it is due: `24h`, `"3 working days"`, or what the agent fills in: `"{hours}"`, `["{hours}", "{days} days"]`',
    required=True,
    example="24h",
)
_ABOUTS = ("enquiry", "complaint", "other")


def _read_about(text: Text, problems: ProblemList) -> str | None:
    if text.text in _ABOUTS:
        return text.text
    problems.error(text.where, f"'{shortened(text.text)}' is nothing promised", "write enquiry, complaint or other")
    return None


PROMISED = Key(
    "about",
    from_text("what is answered", "enquiry", "other", _read_about, schema=js.one_of(_ABOUTS)),
    "what is promised an answer: enquiry, complaint or other",
    required=True,
)
OR_WITHIN = Key(
    "or",
    from_text("hours", "24h", _Due(), _read_within, schema=js.only_text_like(_WITHIN_SCHEMA)),
    "the hours that count when the agent named none; our own choice, never documented",
)


REPEATS = Key(
    "repeats",
    YES_NO,
    "whether the same is owed again until the matter is closed",
    default="no",
)
OWED_BY = Key("owed_by", WORD, "who keeps it", default="agent", example="manager")
THEN_WITHIN = Key("within", _TIME, "hours after the first promise was kept", required=True)
THEN_SPEC = FormSpec("what is owed next", (THEN_WITHIN, OWED_BY))
THEN_OWED = Key(
    "then",
    form_kind(THEN_SPEC, "{within: 2h, owed_by: manager}"),
    "what is owed next once this is kept and the matter is not closed by that",
)
PROMISE_SPEC = FormSpec("a promise", (WITHIN, PROMISED, OR_WITHIN, REPEATS, OWED_BY, THEN_OWED))

PROMISE = Key(
    "promise",
    form_kind(PROMISE_SPEC, "{within: 24h, about: enquiry}"),
    "what the rule promises the caller, and by when",
)


def promise_of(form: Form, where: Location, problems: ProblemList) -> Promise:
    """The promise that was written at `where`; what is wrong with it is noted."""
    times = form[WITHIN]
    due = times[0] if times else _Due()
    if len(times) > 1:
        values = [one.value for one in times if one.value]
        days = [one.days_value for one in times if one.days_value]
        due = _Due(value="".join(values[:1]), days_value="".join(days[:1]))
        if (len(values), len(days)) != (1, 1) or len(times) != 2:
            hint = 'write one time, or what the agent may fill in: ["{hours}", "{days} days"]'
            problems.error(form.place(WITHIN), "a promise cannot be due at several times", hint)
    or_due = form[OR_WITHIN]
    if form.wrote(OR_WITHIN) and or_due != _Due() and or_due.hours is None:
        problems.error(form.place(OR_WITHIN), "'or' takes hours", "write or: 24h")
    if (due.value or due.days_value) and or_due.hours is None:
        message = f"nothing is due when {{{due.value or due.days_value}}} is not named"
        problems.error(form.place(WITHIN), message, "add or: 24h, your own choice")
    if form[REPEATS] and due.hours is None and due != _Due():
        problems.error(form.place(REPEATS), "only what is due after hours can be due again", "write within: 24h")
    next_one = form[THEN_OWED] if form.wrote(THEN_OWED) else None
    then = next_one[THEN_WITHIN] if next_one else _Due()
    if next_one and then != _Due() and then.hours is None:
        problems.error(next_one.place(THEN_WITHIN), "what is owed next is due after hours", "write within: 2h")
    if next_one and form[REPEATS]:
        problems.error(form.place(THEN_OWED), "what repeats has nothing after it", "delete 'repeats' or 'then'")
    return Promise(
        about=cast('Literal["enquiry", "complaint", "other"]', form[PROMISED]),
        where=where,
        hours=due.hours,
        working_days=due.working_days,
        value=due.value,
        days_value=due.days_value,
        or_hours=or_due.hours,
        repeats=form[REPEATS],
        owed_by=form[OWED_BY].text or "agent",
        then_hours=then.hours,
        then_owed_by=(next_one[OWED_BY].text or "agent") if next_one else "",
    )
