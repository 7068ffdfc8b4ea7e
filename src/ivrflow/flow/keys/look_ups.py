"""The look_up step: asking another system over HTTP while the caller waits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import urlsplit

from ivrflow.flow.keys.step_keys import StepKind
from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import (
    NAME_PATTERN,
    NAME_SCHEMA,
    NOBODY,
    PHRASES,
    STEP,
    Kind,
    Named,
    check_name,
    from_text,
    name_of,
    one_or_more,
    wrong,
)
from ivrflow.flow.reading.source import Node, Table, Text
from ivrflow.flow.reading.syntax import full_width_hint, shortened
from ivrflow.flow.reading.times import duration

_LONGEST_URL = 500
_LONGEST_CASE = 100
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_URL_EXAMPLE = "https://crm.example/cases"


def _read_url(text: Text, problems: ProblemList) -> str | None:
    shown = f"'{shortened(text.text)}'"
    hint = f"write {_URL_EXAMPLE}"
    try:
        parts = urlsplit(text.text)
        host, _ = parts.hostname, parts.port  # reading a port that is none raises too
    except ValueError:
        problems.error(text.where, f"{shown} is no address of a web service", hint)
        return None
    if parts.username is not None or parts.password is not None:
        # The address stays out of the message: what stands before the '@' may be a password.
        problems.error(text.where, "an address with a user or password in it", "take out what stands before the '@'")
    elif re.search(r"[{}]", text.text):
        message = "what a caller said or keyed is never part of the address"
        problems.error(text.where, message, "take out the braces, and name the value under 'send'")
    elif parts.scheme not in {"http", "https"}:
        problems.error(text.where, f"{shown} does not begin with https:// or http://", hint)
    elif not host or not re.fullmatch(r"[!-~]+", text.text) or len(text.text) > _LONGEST_URL:
        problems.error(text.where, f"{shown} is no address of a web service", full_width_hint(text.text) or hint)
    elif parts.fragment:
        problems.error(text.where, f"{shown}: no server is told what stands behind '#'", "delete it from the '#' on")
    else:
        return text.text
    return None


URL: Kind[str] = from_text(
    "an address",
    _URL_EXAMPLE,
    "",
    _read_url,
    schema={**js.only_text_like("https?://[^@{}#\\s]+"), "maxLength": _LONGEST_URL},
)


def _read_field(text: Text, problems: ProblemList) -> Named | None:
    if _FIELD.fullmatch(text.text):
        return Named(text.text, text.where)
    hint = full_width_hint(text.text) or "write letters, digits, '_' and '-': status"
    problems.error(text.where, f"'{shortened(text.text)}' is no field of an answer", hint)
    return None


FIELD: Kind[Named] = from_text(
    "a field of the answer", "status", NOBODY, _read_field, schema=js.text_like(_FIELD.pattern)
)

Learns: TypeAlias = tuple[tuple[Named, Named], ...]
"""Placeholders and the fields that fill them."""


def _read_learns(node: Node, problems: ProblemList) -> Learns | None:
    if not isinstance(node, Table) or not node.entries:
        wrong(node, "placeholders and the fields that fill them", _LEARN_EXAMPLE, problems)
        return None
    return tuple(
        (Named(entry.key.text, entry.key.where), field)
        for entry in node.entries
        if check_name(entry.key, "a placeholder", problems) and (field := FIELD.read(entry.value, problems)) is not None
    )


_LEARN_EXAMPLE = "{surname: surname}"
LEARNS: Kind[Learns] = Kind(
    "placeholders and fields",
    _LEARN_EXAMPLE,
    (),
    _read_learns,
    schema=js.table_of(FIELD.schema, NAME_PATTERN, may_be_empty=False),
)

Cases: TypeAlias = Mapping[str, Named]
"""Steps by what stands in the field that chooses."""


def _read_cases(node: Node, problems: ProblemList) -> Cases | None:
    if not isinstance(node, Table) or not node.entries:
        wrong(node, "values and the steps they lead to", _CASES_EXAMPLE, problems)
        return None
    cases: dict[str, Named] = {}
    for entry in node.entries:
        step = STEP.read(entry.value, problems)
        if len(entry.key.text) > _LONGEST_CASE:
            message = f"'{shortened(entry.key.text)}' is too long to choose by"
            problems.error(entry.key.where, message, f"write at most {_LONGEST_CASE} characters")
        elif step is not None:
            cases[entry.key.text] = step
    return cases


_CASES_EXAMPLE = "{open: say_open, closed: say_closed}"
CASES: Kind[Cases] = Kind(
    "values and steps",
    _CASES_EXAMPLE,
    {},
    _read_cases,
    schema=js.table_of(NAME_SCHEMA, may_be_empty=False),
)

LOOK_UP = Key(
    "look_up",
    URL,
    "where to ask, by POST; http or https, without a user, nothing of the caller's in it",
    required=True,
)
SEND = Key(
    "send",
    one_or_more(name_of("a value", "case_number"), "values"),
    "values that are sent, as fields of a JSON object: what a collect step keeps, a placeholder, or `caller` for the"
    " number the caller rings from",
    example="[case_number, caller]",
)
LEARN = Key("learn", LEARNS, "placeholders that phrases may speak from then on, and the field each is taken from")
CHOOSE = Key("choose", FIELD, "the field of the answer that chooses the next step")
CASES_KEY = Key("cases", CASES, "step per value of that field; any other value leads where `done` does")
FILLER_AFTER = Key(
    "after", duration(0.1, 60.0, "2s"), "how long the caller has waited when it is said", default="2s", example="2s"
)
FILLER_SAY = Key("say", PHRASES, "what is said", required=True, example="house/lookup.filler")
FILLER_SPEC = FormSpec("'filler'", (FILLER_AFTER, FILLER_SAY))
FILLER = Key(
    "filler",
    form_kind(FILLER_SPEC, "{after: 2s, say: house/lookup.filler}"),
    "said when the answer takes long; then music until it comes",
)
LOOK_UP_AT_MOST = Key("at_most", duration(0.5, 120.0, "8s"), "how long the answer may take", required=True)
LOOK_UP_DONE = Key("done", STEP, "step when an answer came, and no case fits", required=True, example="say_status")
FAILED = Key("failed", STEP, "step when nobody could be asked, or an error came back", required=True, example="agent")
LATE = Key("late", STEP, "step when no answer came in time; without it as `failed`", example="agent")
WRONG_ANSWER = Key(
    "wrong", STEP, "step when the answer is none that is understood; without it as `failed`", example="agent"
)
LOOK_UP_EXITS = FormSpec("'on' of a look_up step", (LOOK_UP_DONE, FAILED, LATE, WRONG_ANSWER))
LOOK_UP_ON = Key("on", form_kind(LOOK_UP_EXITS, "{done: say_status, failed: agent}"), "where it leads", required=True)
LOOK_UP_STEP = StepKind(
    "a look_up step",
    "Ask another system over HTTP, for so long and no longer; the caller hears a phrase when it takes a while.",
    LOOK_UP,
    (SEND, LEARN, CHOOSE, CASES_KEY, FILLER, LOOK_UP_AT_MOST, LOOK_UP_ON),
    "look_up: https://crm.example/cases\nsend: [case_number, caller]\nlearn: {surname: surname}\nchoose: status\n"
    "cases: {open: say_open, closed: say_closed}\nfiller: {after: 2s, say: house/lookup.filler}\nat_most: 8s\n"
    "on: {done: say_status, late: agent, failed: agent}",
    LOOK_UP_EXITS,
)
