"""What agents can do while they talk with a caller, and that talks are recorded."""

from __future__ import annotations

import re
from typing import TypeAlias

from ivrflow.flow import notations
from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import FormSpec, Key
from ivrflow.flow.reading.reader import (
    NOBODY,
    PHRASES,
    RULE,
    STEP,
    YES_NO,
    Kind,
    Named,
    check_dotted_name,
    from_text,
    one_or_more,
    wrong,
)
from ivrflow.flow.reading.source import Node, Table, Text
from ivrflow.flow.reading.syntax import full_width_hint, shortened

_CODES_EXAMPLE = '{"*21": noise, "*80": cancel}'
_MOST_DAYS = 3650

Codes: TypeAlias = tuple[tuple[Named, Named], ...]
"""Codes and what each orders."""


def _read_code(text: Text, problems: ProblemList) -> bool:
    if notations.CODE.fullmatch(text.text):
        return True
    hint = full_width_hint(text.text) or 'write a star and two digits, in quotes: "*80"'
    problems.error(text.where, f"'{shortened(text.text)}' is no code", hint)
    return False


def _read_codes(node: Node, problems: ProblemList) -> Codes | None:
    if not isinstance(node, Table) or not node.entries:
        wrong(node, "a table of codes", _CODES_EXAMPLE, problems)
        return None
    return tuple(
        (Named(entry.key.text, entry.key.where), word)
        for entry in node.entries
        if _read_code(entry.key, problems) and (word := ORDER.read(entry.value, problems)) is not None
    )


def _read_order(text: Text, problems: ProblemList) -> Named | None:
    return Named(text.text, text.where) if check_dotted_name(text, "what a code orders", problems) else None


ORDER: Kind[Named] = from_text(
    "a situation, a transfer step, cancel, done or leave", "noise", NOBODY, _read_order, schema=RULE.schema
)

CODES_KIND: Kind[Codes] = Kind(
    "a table of codes",
    _CODES_EXAMPLE,
    (),
    _read_codes,
    schema=js.table_of(RULE.schema, notations.CODE.pattern, may_be_empty=False),
)


def _read_days(text: Text, problems: ProblemList) -> int | None:
    hit = re.fullmatch(r"([0-9]{1,5})d", text.text, flags=re.ASCII)
    if hit and 1 <= int(hit[1]) <= _MOST_DAYS:
        return int(hit[1])
    size = "" if hit is None else " is too short" if int(hit[1]) < 1 else " is too long"
    message = f"'{shortened(text.text)}'{size or ' is no number of days'}"
    problems.error(text.where, message, f"write days, 1d to {_MOST_DAYS}d, for example 90d")
    return None


KEEP_DAYS: Kind[int] = from_text(
    "days", "90d", 1, _read_days, f"1d to {_MOST_DAYS}d", js.only_text_like("[1-9][0-9]{0,3}d")
)

HOLD = Key(
    "hold",
    RULE,
    "the situation that runs when an agent's telephone puts the caller on hold; without it there is music",
    example="hold_request",
)
TRANSFERS = Key(
    "transfers",
    one_or_more(STEP, "steps"),
    "transfer steps an agent may send a caller to; nobody is sent anywhere else",
    example="[to_colleague]",
)
CODES = Key(
    "codes",
    CODES_KIND,
    "what an agent keys during the talk, a star and two digits, and what it orders: a situation of the standard, one of"
    " `transfers`, or `cancel` (take the situation back), `done` (the task is done), `leave` (what the situation waits"
    " for has happened)",
    example='{"*21": noise, "*70": to_colleague, "*80": cancel, "*81": done, "*82": leave}',
)
AGENTS_SPEC = FormSpec("'agents'", (HOLD, TRANSFERS, CODES))

RECORDING_ANNOUNCE = Key("announce", PHRASES, "said before it begins", example="house/recording.notice")
WHOLE_CALL = Key(
    "whole_call", YES_NO, "from the first word on; otherwise only while an agent is on the line", default="no"
)
KEEP = Key("keep", KEEP_DAYS, "after how many days a recording is deleted", default="90d")
RECORDING_SPEC = FormSpec("'recording'", (RECORDING_ANNOUNCE, WHOLE_CALL, KEEP))
