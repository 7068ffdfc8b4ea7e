"""YAML text as located nodes. Scalars stay text: `011`, `22:15`, `no` and `on` are what their author wrote.

Built from PyYAML's events with a stack of our own, never by recursion: nesting, aliases and sizes are bounded here, so
nothing that reads the nodes has to care. All functions are pure; they note problems and return what can be read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeAlias

import yaml

from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.encoding import too_large
from ivrflow.flow.reading.syntax import in_plain_words, shortened

DEEPEST = 24
"""Levels of lists and tables a file may nest. A flow needs six."""

MOST_VALUES = 50_000
"""Values a file may have once its aliases are written out."""


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar, as written. `quoted` tells `""` from nothing at all."""

    text: str
    where: Location
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    where: Location


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a table."""

    key: Text
    value: Node


@dataclass(frozen=True, slots=True)
class Table:
    """Keys and values, each key once, in the order of the file.

    Attributes:
        dropped: values of keys that cannot be used (written twice, no words); their problems are noted.
    """

    entries: tuple[Entry, ...]
    where: Location
    dropped: tuple[Node, ...] = ()

    def get(self, key: str) -> Node | None:
        """The value of `key`, or None."""
        return next((entry.value for entry in self.entries if entry.key.text == key), None)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A value whose problem is noted already; readers pass over it in silence. `text`: what it may have meant."""

    where: Location
    text: str = ""


Node: TypeAlias = Text | Items | Table | Unreadable


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file holds, for the words of its problems: "a call flow is a page of text", "one file holds one flow"."""

    name: str
    short: str
    begins: str


FLOW_FILE = FileKind("a call flow", "flow", "flow: NAME")
SCENARIO_FILE = FileKind("a scenario", "scenario", "scenario: WHAT HAPPENS")


def parse(text: str, file: str, problems: ProblemList, kind: FileKind = FLOW_FILE) -> Node | None:
    """Read one YAML document into located nodes; None when there is nothing to read on with."""
    if too_large(len(text), file, problems):
        return None
    text = _readable(text, file, problems)
    attempt = _Attempt(file, kind)
    error = attempt.read(text)
    if error is not None and (tabs := _tabs(text)):
        for line, column in tabs.items():
            problems.error(Location(file, line, column), "a tab in the indentation", "indent with spaces")
        attempt, error = _without_tabs(text, tabs, attempt, error)
        _note_syntax(error, text, file, problems, known=tabs)
    else:
        _note_syntax(error, text, file, problems)
        for place in _hash_keys(text):
            problems.warn(
                Location(file, *place), "'#' begins a comment: this line is not read", 'for the key write "#"'
            )
    for where, message, hint in attempt.found:
        problems.error(where, message, hint)
    if error is not None or attempt.gave_up:
        return None
    if attempt.root is None or attempt.root == Text("", attempt.root.where):
        problems.error(Location(file, 1, 1), "the file is empty", f"{kind.name} begins with '{kind.begins}'")
        return None
    return attempt.root


# ── characters ────────────────────────────────────────────────────────────────────────────────────────────────────────

_INVISIBLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_INVISIBLE_SHOWN = 10
_CHARACTER_NAMES = {
    "\0": "NUL",
    "\ufeff": "byte order mark",
    "\x1b": "ESC",
    "\x85": "next line",
    "\u2028": "line separator",
}


def _readable(text: str, file: str, problems: ProblemList) -> str:
    """The text without byte order mark and characters YAML does not allow, its lines ending in newlines."""
    if text.startswith("\ufeff"):
        problems.warn(Location(file, 1, 1), "the file begins with a byte order mark", "save it as UTF-8 without BOM")
        text = text[1:]
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for count, hit in enumerate(_INVISIBLE.finditer(text)):
        if count == _INVISIBLE_SHOWN:
            break
        before = text[: hit.start()]
        where = Location(file, before.count("\n") + 1, hit.start() - (before.rfind("\n") + 1) + 1)
        name = _CHARACTER_NAMES.get(hit[0])
        shown = f"U+{ord(hit[0]):04X}" + (f" ({name})" if name else "")
        problems.error(where, f"the invisible character {shown}", "delete it")
    return _INVISIBLE.sub("", text)


def _hash_keys(text: str) -> list[tuple[int, int]]:
    """Places where a whole line reads `#: something`: meant as the key #, read as a comment."""
    return [
        (number, line.index("#") + 1)
        for number, line in enumerate(text.split("\n"), start=1)
        if re.match(r"\s*#\s?:\s+[a-z0-9_]+\s*$", line)
    ]


# ── tabs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_TABBED = re.compile(r"( *)\t[ \t]*[^\s#]")


def _tabs(text: str) -> dict[int, int]:
    """Line and column of the first tab of every line indented with tabs."""
    lines = enumerate(text.split("\n"), start=1)
    return {number: len(hit[1]) + 1 for number, line in lines if (hit := _TABBED.match(line))}


def _without_tabs(
    text: str, tabs: Collection[int], attempt: _Attempt, error: yaml.YAMLError
) -> tuple[_Attempt, yaml.YAMLError | None]:
    """Read the text with spaces for its tabs, as wide as its author sees them, to find the other problems too."""
    lines = text.split("\n")
    for width in (2, 4, 8):
        spaced = [_spaced(line, width) if number in tabs else line for number, line in enumerate(lines, start=1)]
        retry = _Attempt(
            attempt.file, attempt.kind, tab_width=width, tabbed={number: lines[number - 1] for number in tabs}
        )
        if _looks_nested(spaced) and retry.read("\n".join(spaced)) is None:
            return retry, None
    return attempt, error


def _spaced(line: str, width: int) -> str:
    rest = line.lstrip(" \t")
    return line[: len(line) - len(rest)].replace("\t", " " * width) + rest


def _looks_nested(lines: list[str]) -> bool:
    """Whether what follows a line that ends in a colon is indented deeper than that line."""
    written = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return all(
        not above.rstrip().endswith(":") or below.lstrip().startswith("- ") or _indent(below) > _indent(above)
        for above, below in pairwise(written)
    )


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _note_syntax(
    error: yaml.YAMLError | None, text: str, file: str, problems: ProblemList, *, known: Collection[int] = ()
) -> None:
    """Note what ended the parser, unless it is one of the lines that are `known` to be wrong."""
    if error is not None:
        place, message, hint = in_plain_words(error, text)
        if place[0] not in known:
            problems.error(Location(file, *place), message, hint)


# ── events to nodes ───────────────────────────────────────────────────────────────────────────────────────────────────

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is twenty times faster; the same positions


@dataclass(slots=True)
class _Open:
    """A list or table whose end has not come yet."""

    where: Location
    is_table: bool
    anchor: str | None
    children: list[Node] = field(default_factory=list)
    values: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class _Anchored:
    node: Node
    values: int
    height: int


class _GaveUp(Exception):
    """A bound was met; the rest is not read. It is noted already."""


@dataclass(slots=True)
class _Attempt:
    """One run of the parser over one text.

    Attributes:
        tabbed: lines whose tabs were replaced by `tab_width` spaces, as written: columns count what was written.
        found: what is wrong, apart from the one thing that ends the parser.
        gave_up: whether a bound was met.
    """

    file: str
    kind: FileKind
    tab_width: int = 1
    tabbed: dict[int, str] = field(default_factory=dict)
    root: Node | None = None
    found: list[tuple[Location, str, str]] = field(default_factory=list)
    gave_up: bool = False
    _open: list[_Open] = field(default_factory=list)
    _anchors: dict[str, _Anchored] = field(default_factory=dict)
    _values: int = 0

    def read(self, text: str) -> yaml.YAMLError | None:
        """Read `text` into `root`; the error that ended the parser, if one did."""
        try:
            self._take(yaml.parse(text, Loader=_LOADER))
        except _GaveUp:
            self.gave_up = True
        except yaml.YAMLError as error:
            return error
        return None

    def _take(self, events: Iterator[Any]) -> None:
        for event in events:
            match event:
                case yaml.DocumentStartEvent() if self.root is not None:
                    where = self._where(event)
                    hint = f"one file holds one {self.kind.short}: delete the '---' or make two files"
                    self.found.append((where, "a second document begins here", hint))
                    return
                case yaml.ScalarEvent():
                    where = self._where(event)
                    text = Text(event.value, where, quoted=event.style is not None and event.style != "")
                    self._add(self._untagged(event, text), event.anchor, 1, 1)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._begin(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._end()
                case yaml.AliasEvent():
                    self._alias(event.anchor or "", self._where(event))
                case _:
                    pass

    def _where(self, event: yaml.Event) -> Location:
        mark = event.start_mark
        assert mark is not None, "both parsers mark every event"
        line, column = mark.line + 1, mark.column + 1
        if line in self.tabbed:
            written = self.tabbed[line]
            tabs = written[: len(written) - len(written.lstrip(" \t"))].count("\t")
            column -= tabs * (self.tab_width - 1)
        return Location(self.file, line, column)

    def _untagged(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, node: Text) -> Node:
        if event.tag is None:
            return node
        self.found.append((node.where, f"tags like '{shortened(event.tag)}' mean nothing here", "delete it"))
        return Unreadable(node.where, node.text)

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        where = self._where(event)
        if event.tag is not None:
            self._untagged(event, Text("", where))
        self._open.append(_Open(where, isinstance(event, yaml.MappingStartEvent), event.anchor))
        self._check_depth(len(self._open), where)

    def _end(self) -> None:
        done = self._open.pop()
        node = self._table(done) if done.is_table else Items(tuple(done.children), done.where)
        self._add(node, done.anchor, done.values, done.height)

    def _add(self, node: Node, anchor: str | None, values: int, height: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = _Anchored(node, values, height)
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.children.append(node)
        parent.values += values
        parent.height = max(parent.height, height + 1)
        if parent.values > MOST_VALUES:
            message = f"the file has more than {MOST_VALUES:,} values"
            self.found.append(
                (node.where, message, f"{self.kind.name} is a page of text; do aliases refer to aliases?")
            )
            raise _GaveUp

    def _alias(self, name: str, where: Location) -> None:
        known = self._anchors.get(name)
        shown = shortened(name)
        if any(waiting.anchor == name for waiting in self._open):
            self.found.append((where, f"'*{shown}' refers to the value it stands in", "write the value out"))
        elif known is None:
            hint = f'for the text itself write "*{shown}"'
            self.found.append((where, f"'*{shown}' refers to '&{shown}', which is not written above", hint))
        else:
            self._check_depth(len(self._open) + known.height, where)
            self._add(known.node, None, known.values, known.height)
            return
        self._add(Unreadable(where, name), None, 1, 1)

    def _check_depth(self, depth: int, where: Location) -> None:
        if depth > DEEPEST:
            message = f"lists and tables are nested more than {DEEPEST} levels deep"
            self.found.append((where, message, "is a bracket left open?"))
            raise _GaveUp

    def _table(self, done: _Open) -> Table:
        first: dict[str, Location] = {}
        entries: list[Entry] = []
        dropped: list[Node] = []
        for key, value in zip(done.children[::2], done.children[1::2], strict=True):
            if not isinstance(key, Text):
                if not isinstance(key, Unreadable):
                    self.found.append((key.where, "a key must be a word", "put text with brackets in quotes"))
                dropped.append(value)
            elif key.text == "<<" and not key.quoted:
                self.found.append((key.where, "tables cannot be merged with '<<'", "write the keys out"))
                dropped.append(value)
            elif key.text in first:
                line = first[key.text].line
                message = f"'{shortened(key.text)}' is written twice, first in line {line}"
                self.found.append((key.where, message, "keep one of them"))
                dropped.append(value)
            else:
                first[key.text] = key.where
                entries.append(Entry(key, value))
        return Table(tuple(entries), done.where, tuple(dropped))
