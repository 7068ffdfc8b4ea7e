"""What a call leaves behind besides its outcome (messages, scores, callbacks), and what the other side of look-ups does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from ivrflow.flow.model import Band
from ivrflow.flow.problems import Location, ProblemList, did_you_mean
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import Form, FormSpec, Key
from ivrflow.flow.reading.reader import NAME_SCHEMA, WORD, Kind, Named, from_text, one_or_more, wrong
from ivrflow.flow.reading.source import Node, Table, Text
from ivrflow.flow.reading.syntax import shortened
from ivrflow.flow.reading.times import duration
from ivrflow.scenario.language.step_words import VALUES
from ivrflow.scenario.language.written_values import RANGE

T = TypeVar("T")

NONE = "none"
ANY = "any"

WrittenTable: TypeAlias = tuple[tuple[Named, T, Location], ...]


def _by_name(
    what: str, example: str, schema: js.Schema, read_value: Callable[[Node, ProblemList], T | None]
) -> Kind[WrittenTable[T]]:
    """A table of names and what is expected of each; `none` alone says that there is nothing."""

    def read(node: Node, problems: ProblemList) -> WrittenTable[T] | None:
        if isinstance(node, Text) and node.text == NONE:
            return ()
        if not isinstance(node, Table) or not node.entries:
            wrong(node, f"a table of {what}, or none", example, problems)
            return None
        found: list[tuple[Named, T, Location]] = []
        for entry in node.entries:
            value = read_value(entry.value, problems)
            if value is not None:
                found.append((Named(entry.key.text, entry.key.where), value, entry.key.where))
        return tuple(found)

    both: js.Schema = {"anyOf": [js.one_of([NONE]), js.table_of(schema, may_be_empty=False)]}
    return Kind(f"a table of {what}, or `{NONE}`", example, (), read, schema=both)


@dataclass(frozen=True, slots=True)
class Length:
    """The length of a message; None for any."""

    band: Band | None


def _read_length(node: Node, problems: ProblemList) -> Length | None:
    if isinstance(node, Text) and node.text == ANY:
        return Length(None)
    band = RANGE.read(node, problems)
    return None if band is None else Length(band)


MESSAGES = _by_name(
    "message boxes and lengths",
    "{voicemail: 6s-9s}",
    {"anyOf": [js.one_of([ANY]), RANGE.schema]},
    _read_length,
)


@dataclass(frozen=True, slots=True)
class Given:
    """The score given in a survey; None for none at all."""

    score: int | None


def _read_given(node: Node, problems: ProblemList) -> Given | None:
    if isinstance(node, Text) and node.text == NONE:
        return Given(None)
    if isinstance(node, Text) and node.text.isascii() and node.text.isdigit() and len(node.text) <= 3:
        return Given(int(node.text))
    wrong(node, "a score, or none", "5", problems)
    return None


SCORES = _by_name(
    "surveys and scores", "{satisfaction: 5}", {"anyOf": [js.one_of([NONE]), js.digits("[0-9]{1,3}")]}, _read_given
)


_FLOWS = one_or_more(WORD, "flows")


def _read_callbacks(node: Node, problems: ProblemList) -> tuple[Named, ...] | None:
    if isinstance(node, Text) and node.text == NONE:
        return ()
    return _FLOWS.read(node, problems)


CALLBACKS: Kind[tuple[Named, ...]] = Kind(
    f"the flows that call back, or `{NONE}`", "callback", (), _read_callbacks, schema=js.one_or_list_of(NAME_SCHEMA)
)

# ── look-ups ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Ending: TypeAlias = Literal["answers", "wrong", "fails", "never"]

_ENDINGS: dict[str, Ending] = {"wrong": "wrong", "fails": "fails", "never": "never"}


def _read_ending(text: Text, problems: ProblemList) -> Ending | None:
    if text.text in _ENDINGS:
        return _ENDINGS[text.text]
    hint = "write {answers: {status: open}}" if text.text == "answers" else did_you_mean(text.text, _ENDINGS)
    problems.error(text.where, f"'{shortened(text.text)}' is no way a look-up ends", hint)
    return None


_ENDING: Kind[Ending] = from_text(
    "a way a look-up ends", "never", "never", _read_ending, "`wrong` `fails` `never`", js.one_of(_ENDINGS)
)

ANSWERS = Key("answers", VALUES, "the fields of its answer", example="{status: open}")
ENDS = Key(
    "ends",
    _ENDING,
    "`wrong`: what comes is no answer; `fails`: an error comes, or nobody can be asked; `never`: nothing ever comes",
)
AFTER = Key("after", duration(0.0, 600.0, "1s"), "how long that takes", "200ms", example="2s")
LOOK_UP_SPEC = FormSpec("a look-up", (ANSWERS, ENDS, AFTER))


@dataclass(frozen=True, slots=True)
class WrittenLookUp:
    """What is said of the other side of one look-up."""

    step: Named
    where: Location
    form: Form


def _read_look_ups(node: Node, problems: ProblemList) -> tuple[WrittenLookUp, ...] | None:
    if not isinstance(node, Table) or not node.entries:
        wrong(node, "a table of steps", _LOOK_UPS_EXAMPLE, problems)
        return None
    found: list[WrittenLookUp] = []
    for entry in node.entries:
        name, value = Named(entry.key.text, entry.key.where), entry.value
        if isinstance(value, Text) and value.text:
            ending = _read_ending(value, problems)
            form = Form(value.where, {ENDS.name: ending}, {ENDS.name: value.where}) if ending else None
        elif isinstance(value, Table):
            form = LOOK_UP_SPEC.read(value, value.where, problems)
            if form.wrote(ANSWERS) == form.wrote(ENDS):
                hint = "write {answers: {status: open}}, or ends: never"
                problems.error(value.where, "a look-up is answered, or ends otherwise: one of the two", hint)
        else:
            wrong(value, "what comes of the look-up", "{answers: {status: open}}", problems)
            form = None
        if form is not None:
            found.append(WrittenLookUp(name, entry.key.where, form))
    return tuple(found)


_LOOK_UPS_EXAMPLE = "{case_status: {answers: {status: open}, after: 2s}}"

LOOK_UPS: Kind[tuple[WrittenLookUp, ...]] = Kind(
    "a table of steps",
    _LOOK_UPS_EXAMPLE,
    (),
    _read_look_ups,
    schema=js.table_of({"anyOf": [js.one_of(_ENDINGS), LOOK_UP_SPEC.schema]}, may_be_empty=False),
)
