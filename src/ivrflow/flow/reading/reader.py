"""Single values of a flow: what a scalar or a list of scalars may say, and what to write instead.

A `Kind` reads one node into a value, or notes a problem and gives None. The reference in the docs is written from the
same kinds, so that the reader and its description cannot part.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Generic, TypeAlias, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from ivrflow.flow import notations
from ivrflow.flow.model import BargeIn
from ivrflow.flow.problems import Location, ProblemList, did_you_mean
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.source import Items, Node, Table, Text, Unreadable
from ivrflow.flow.reading.syntax import full_width_hint, shortened

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

KEYS = "0123456789*#ABCD"
"""The keys of a telephone; A to D exist on old military and some SIP ones."""

LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Kind(Generic[T_co]):
    """One kind of value.

    Attributes:
        name: what it is, with its article: "a duration".
        example: how it is written, for hints and the reference.
        blank: stands in for a value that is absent or could not be read.
        read: the value of a node, or None after noting what is wrong with it.
        bounds: its least and greatest value as they are written; empty where there are none.
        schema: what an editor may know of it, as JSON Schema.
    """

    name: str
    example: str
    blank: T_co
    read: Callable[[Node, ProblemList], T_co | None]
    bounds: str = ""
    schema: js.Schema = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Named:
    """The name of something else (a step, a phrase, a rule) and where it is written. Blank when absent."""

    text: str
    where: Location

    def __bool__(self) -> bool:
        return bool(self.text)


NOWHERE = Location("", 0, 0)
NOBODY = Named("", NOWHERE)


def found(node: Node) -> str:
    """What stands there, in words."""
    match node:
        case Text(text="", quoted=False):
            return "nothing"
        case Text(text=text):
            return f"'{shortened(text)}'"
        case Items(items=items):
            return "a list" if items else "an empty list"
        case Table(entries=entries, dropped=dropped):
            return "keys and values" if entries or dropped else "an empty table"
        case Unreadable():
            return "something unreadable"


def wrong(node: Node, what: str, example: str, problems: ProblemList) -> None:
    """Note that `node` is not `what`, unless it is noted already that it cannot be read."""
    if isinstance(node, Unreadable):
        return
    full_width = full_width_hint(node.text) if isinstance(node, Text) and not node.quoted else ""
    hint = full_width or f"write {what}, for example {example}"
    if isinstance(node, Text) and not node.text:
        problems.error(node.where, "the value is missing", hint)
    else:
        problems.error(node.where, f"expected {what}, found {found(node)}", hint)


def scalar(node: Node, what: str, example: str, problems: ProblemList) -> Text | None:
    """The scalar that stands here; None after noting that something else does."""
    if isinstance(node, Text) and node.text:
        return node
    wrong(node, what, example, problems)
    return None


def from_text(
    name: str,
    example: str,
    blank: T,
    convert: Callable[[Text, ProblemList], T | None],
    bounds: str = "",
    schema: js.Schema = js.SCALAR,
) -> Kind[T]:
    """A kind whose values are read from a scalar."""

    def read(node: Node, problems: ProblemList) -> T | None:
        text = scalar(node, name, example, problems)
        return None if text is None else convert(text, problems)

    return Kind(name, example, blank, read, bounds, schema)


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
_PHRASE = re.compile(r"(?:[a-z0-9_]+/)?[a-z0-9_]+(?:\.[a-z0-9_]+)*")
RULE_NAME = re.compile(r"[a-z0-9][a-z0-9_]*(?:\.[a-z0-9_]+)*")
"""How a rule may be called within its standard: "silent_call", "closing.hangup_order"."""


NAME_PATTERN = _NAME.pattern
NAME_SCHEMA = js.text_like(NAME_PATTERN, LONGEST_NAME)


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def check_name(name: Text, what: str, problems: ProblemList) -> bool:
    """Whether `name` is a slug; notes what to write when it is not."""
    if _NAME.fullmatch(name.text) and len(name.text) <= LONGEST_NAME:
        return True
    better = _slug(name.text)[:LONGEST_NAME]
    hint = f"write '{better}'" if better else "use a-z, 0-9 and '_'"
    message = f"'{shortened(name.text)}' cannot be {what}: small letters, digits and '_', at most {LONGEST_NAME}"
    problems.error(name.where, message, hint)
    return False


def _read_text(text: Text, problems: ProblemList) -> str | None:  # noqa: ARG001 - any text will do
    return text.text


def name_of(what: str, example: str) -> Kind[Named]:
    """A slug, with its place."""

    def convert(text: Text, problems: ProblemList) -> Named | None:
        return Named(text.text, text.where) if check_name(text, what, problems) else None

    return from_text(what, example, NOBODY, convert, schema=NAME_SCHEMA)


def _read_phrase(text: Text, problems: ProblemList) -> Named | None:
    if _PHRASE.fullmatch(text.text) and len(text.text) <= 2 * LONGEST_NAME:
        return Named(text.text, text.where)
    hint = "write its key, not its wording: silent_call.greeting or house/menu.main"
    problems.error(text.where, f"'{shortened(text.text)}' is no phrase", hint)
    return None


def check_dotted_name(name: Text, what: str, problems: ProblemList) -> bool:
    """Whether `name` is a name, or names with dots between; notes what to write when it is not."""
    if RULE_NAME.fullmatch(name.text) and len(name.text) <= 2 * LONGEST_NAME:
        return True
    better = ".".join(_slug(part) for part in name.text.split("."))[: 2 * LONGEST_NAME].strip(".")
    hint = f"write '{better}'" if better else "use a-z, 0-9 and '_'"
    message = f"'{shortened(name.text)}' cannot be {what}: small letters, digits, '_', and dots between names"
    problems.error(name.where, message, hint)
    return False


def _read_rule(text: Text, problems: ProblemList) -> Named | None:
    return Named(text.text, text.where) if check_dotted_name(text, "a rule", problems) else None


def _read_yes_no(text: Text, problems: ProblemList) -> bool | None:
    if text.text in {"yes", "no"}:
        return text.text == "yes"
    problems.error(text.where, f"{found(text)} is neither yes nor no", "write yes or no")
    return None


_NO = False
TEXT = from_text("text", '"政府服务热线"', "", _read_text)
YES_NO = from_text("yes or no", "yes", _NO, _read_yes_no, schema=js.YES_OR_NO)
STEP = name_of("a step", "main_menu")
RULE = from_text("a rule", "silent_call", NOBODY, _read_rule, schema=js.text_like(RULE_NAME.pattern, 2 * LONGEST_NAME))
WORD = name_of("a word", "understood")
PHRASE = from_text(
    "a phrase", "silent_call.greeting", NOBODY, _read_phrase, schema=js.text_like(_PHRASE.pattern, 2 * LONGEST_NAME)
)


# ── keys and inputs ───────────────────────────────────────────────────────────────────────────────────────────────────


def check_key(text: Text, problems: ProblemList) -> bool:
    """Whether `text` is one key of a telephone."""
    if len(text.text) == 1 and text.text in KEYS:
        return True
    plain = unicodedata.normalize("NFKC", text.text).upper()
    if len(plain) == 1 and plain in KEYS:
        hint = f"write '{plain}'"
    elif len(plain) > 1 and all(key in KEYS for key in plain):
        hint = "one key at a time; several digits are a 'collect' step"
    else:
        hint = 'write 0-9, "*" or "#"'
    problems.error(text.where, f"'{shortened(text.text)}' is no key of a telephone", hint)
    return False


@dataclass(frozen=True, slots=True)
class KeyTarget:
    """A key and the step it leads to."""

    key: str
    where: Location
    step: Named


def _read_key_table(node: Node, problems: ProblemList) -> tuple[KeyTarget, ...] | None:
    if not isinstance(node, Table) or not node.entries:
        wrong(node, "a table of keys", "{1: consult, 0: agent}", problems)
        return None
    return tuple(
        KeyTarget(entry.key.text, entry.key.where, step)
        for entry in node.entries
        if (step := STEP.read(entry.value, problems)) is not None and check_key(entry.key, problems)
    )


KEY_TABLE: Kind[tuple[KeyTarget, ...]] = Kind(
    "a table of keys",
    "{1: consult, 0: agent}",
    (),
    _read_key_table,
    schema=js.table_of(NAME_SCHEMA, f"[{KEYS}]", may_be_empty=False),
)


def _read_end_key(text: Text, problems: ProblemList) -> str | None:
    if text.text == "none":
        return ""
    if check_key(text, problems):
        if not text.text.isdecimal():
            return text.text
        problems.error(text.where, "a digit cannot end the digits", 'write "#", "*" or none')
    return None


END_KEY = from_text("a key", '"#"', "", _read_end_key, schema=js.one_of(["none", *KEYS[10:]]))


@dataclass(frozen=True, slots=True)
class Input:
    """Something a caller can do, and where it is written."""

    name: BargeIn
    where: Location


_INPUTS: Mapping[str, BargeIn] = {"speech": "speech", "key": "key"}


def _read_input(text: Text, problems: ProblemList) -> Input | None:
    name = _INPUTS.get(text.text)
    if name is not None:
        return Input(name, text.where)
    hint = full_width_hint(text.text) or "write [speech, key], [key], [speech] or []"
    problems.error(text.where, f"'{shortened(text.text)}' is nothing a caller can do", hint)
    return None


INPUT: Kind[Input] = from_text("an input", "key", Input("key", NOWHERE), _read_input, schema=js.one_of(_INPUTS))


# ── numbers to dial, places on earth ──────────────────────────────────────────────────────────────────────────────────


def _read_number(text: Text, problems: ProblemList) -> Named | None:
    if re.fullmatch(r"\+?[0-9*#]{1,24}", text.text, flags=re.ASCII):
        return Named(text.text, text.where)
    hint = full_width_hint(text.text) or 'write its digits, for example "12345"'
    problems.error(text.where, "this is no number that can be dialled", hint)
    return None


def _read_extension(text: Text, problems: ProblemList) -> str | None:
    if notations.EXTENSION.fullmatch(text.text):
        return text.text
    # Nothing but digits goes to the PBX: '&', '@' or '/' in a dial string would ring whatever the author likes.
    hint = full_width_hint(text.text) or 'write its digits, for example "1001"'
    problems.error(text.where, f"'{shortened(text.text)}' is no extension", hint)
    return None


def _read_timezone(text: Text, problems: ProblemList) -> tzinfo | None:
    try:
        return ZoneInfo(text.text)
    except (KeyError, ValueError, OSError):  # unknown, outside the database, a folder of it
        near = did_you_mean(text.text, available_timezones())
        hint = near if near.startswith("did you mean") else "write one like Asia/Shanghai"
        problems.error(text.where, f"there is no time zone '{shortened(text.text)}'", hint)
        return None


NUMBER = from_text("a number to dial", '"12345"', NOBODY, _read_number, schema=js.digits("[+]?[0-9*#]{1,24}"))
EXTENSION = from_text("an extension", '"1001"', "", _read_extension, schema=js.digits(notations.EXTENSION.pattern))
TIMEZONE: Kind[tzinfo] = from_text(
    "a time zone", "Asia/Shanghai", ZoneInfo("UTC"), _read_timezone, schema=js.only_text_like("[A-Za-z0-9_+/-]+")
)


# ── values with their places ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Located(Generic[T]):
    """A value and where it is written."""

    value: T
    where: Location


def located(kind: Kind[T]) -> Kind[Located[T]]:
    """The same kind, remembering the place."""

    def read(node: Node, problems: ProblemList) -> Located[T] | None:
        value = kind.read(node, problems)
        return None if value is None else Located(value, node.where)

    return Kind(kind.name, kind.example, Located(kind.blank, NOWHERE), read, schema=kind.schema)


# ── several of a kind ─────────────────────────────────────────────────────────────────────────────────────────────────

Several: TypeAlias = tuple[T, ...]


def one_or_more(kind: Kind[T], plural: str, *, may_be_empty: bool = False) -> Kind[Several[T]]:
    """One value of `kind`, or a list of them."""

    def read(node: Node, problems: ProblemList) -> Several[T] | None:
        if not isinstance(node, Items):
            only = kind.read(node, problems)
            return None if only is None else (only,)
        if not node.items and not may_be_empty:
            problems.error(node.where, "the list is empty", f"write {kind.name}, for example {kind.example}")
            return None
        values = [kind.read(item, problems) for item in node.items]
        good = tuple(value for value in values if value is not None)
        return good if len(good) == len(values) else None

    schema = js.one_or_list_of(kind.schema, may_be_empty=may_be_empty)
    return Kind(f"{kind.name}, or a list of {plural}", f"[{kind.example}]", (), read, schema=schema)


PHRASES = one_or_more(PHRASE, "phrases")
INPUTS = one_or_more(INPUT, "inputs", may_be_empty=True)
NUMBERS = one_or_more(NUMBER, "numbers")
NAMES = one_or_more(WORD, "words", may_be_empty=True)
