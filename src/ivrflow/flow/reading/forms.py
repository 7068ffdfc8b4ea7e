"""Tables with known keys: declared once, read and described from the same declaration."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from ivrflow.flow.problems import Location, ProblemList, did_you_mean, near_word
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.reader import NAME_SCHEMA, NOWHERE, Kind, wrong
from ivrflow.flow.reading.source import Entry, Node, Table, Text, parse
from ivrflow.flow.reading.syntax import shortened

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_UNKNOWN_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Key(Generic[T_co]):
    """One key of a table.

    Attributes:
        about: what it means, in the words of the reference; also told to whoever forgot it.
        default: what counts when it is not written, as it would be written; None when nothing does.
        required: whether it must be written.
        unless: another key of the same table that makes this one needless; "" for none.
        example: how it is written here, where that says more than the kind's own example.
    """

    name: str
    kind: Kind[T_co]
    about: str
    default: str | None = None
    required: bool = False
    example: str = ""
    unless: str = ""

    @property
    def shown(self) -> str:
        """An example of the value."""
        return self.example or self.kind.example

    @property
    def schema(self) -> js.Schema:
        """The value as JSON Schema, with what the reference says of it."""
        bounds = f" {self.kind.bounds}." if self.kind.bounds else ""
        default = "" if self.default is None else f" Default: {self.default}"
        about = f"{self.about[:1].upper()}{self.about[1:]}.{bounds}\nExample: {self.name}: {self.shown}{default}"
        return {"description": about, **self.kind.schema}

    @property
    def unwritten(self) -> T_co:
        """The value when the key is absent or could not be read."""
        if self.default is None:
            return self.kind.blank
        problems = ProblemList()
        node = parse(self.default, "default", problems)
        value = None if node is None else self.kind.read(node, problems)
        assert value is not None, f"default of {self.name}: {problems.problems}"
        return value


@dataclass(frozen=True, slots=True)
class Form:
    """A table that was read: every declared key has a value, written, by default, or blank after a problem.

    Attributes:
        where: the place to point at for something that is missing.
        rest: entries whose keys are not declared, where the form allows them.
    """

    where: Location
    values: Mapping[str, object] = field(default_factory=dict)
    places: Mapping[str, Location] = field(default_factory=dict)
    rest: tuple[Entry, ...] = ()

    def __getitem__(self, key: Key[T]) -> T:
        return cast("T", self.values[key.name]) if key.name in self.values else key.unwritten

    def wrote(self, key: Key[Any]) -> bool:
        """Whether the key is written, readable or not."""
        return key.name in self.places

    def place(self, key: Key[Any]) -> Location:
        """Where the key is written; the form itself when it is not."""
        return self.places.get(key.name, self.where)


@dataclass(frozen=True, slots=True)
class FormSpec:
    """What a table may hold.

    Attributes:
        title: "a menu step": stands in messages.
        rest: what further keys mean, where any are allowed; else empty.
    """

    title: str
    keys: tuple[Key[Any], ...]
    rest: str = ""

    @property
    def schema(self) -> js.Schema:
        """The table as JSON Schema: its keys with their descriptions, and nothing else."""
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {key.name: key.schema for key in self.keys},
            "additionalProperties": NAME_SCHEMA if self.rest else False,
        }
        if required := [key.name for key in self.keys if key.required and not key.unless]:
            schema["required"] = required
        either = [
            [{"required": [key.name]}, {"required": [key.unless]}] for key in self.keys if key.required and key.unless
        ]
        return schema | {"allOf": [{"anyOf": ways} for ways in either]} if either else schema

    def read(self, table: Table, where: Location, problems: ProblemList) -> Form:
        """Read all keys, noting unknown, unreadable and missing ones."""
        known = {key.name: key for key in self.keys}
        values: dict[str, object] = {}
        places: dict[str, Location] = {}
        strangers: list[Entry] = []
        for entry in table.entries:
            key = known.get(entry.key.text)
            if key is None:
                strangers.append(entry)
                continue
            places[key.name] = entry.key.where
            value = key.kind.read(entry.value, problems)
            if value is not None:
                values[key.name] = value
        if not self.rest:
            unknown_keys(self.title, strangers, known, places, problems)
        misspelt = {near_word(entry.key.text, known) for entry in strangers[:_UNKNOWN_SHOWN]}
        for key in self.keys:
            if key.required and key.unless not in places and key.name not in places and key.name not in misspelt:
                message = f"{self.title} needs '{key.name}'"
                problems.error(where, message, f"write {key.name}: {key.shown}  ({key.about})")
        return Form(where, values, places, tuple(strangers) if self.rest else ())


def unknown_keys(
    title: str, strangers: list[Entry], known: Iterable[str], there: Collection[str], problems: ProblemList
) -> None:
    """Note keys that mean nothing in `title`; `there` are the known ones that are written too."""
    names = list(known)
    missing = [name for name in names if name not in there]
    for entry in strangers[:_UNKNOWN_SHOWN]:
        name = entry.key.text
        hint = did_you_mean(name, missing)
        if not hint.startswith("did you mean") and (twin := near_word(name, there)):
            hint = f"'{twin}' is there already; delete this"
        elif not hint.startswith("did you mean") and entry.value == Text("", entry.value.where):
            hint = "between braces a comma ends the value before it; put that value in quotes or in [ ]"
        # Where every known key is written already, the list of them still says what may stand here.
        hint = hint or did_you_mean(name, names) or "delete it"
        problems.error(entry.key.where, f"{title} has no '{shortened(name)}'", hint)
    if len(strangers) > _UNKNOWN_SHOWN:
        more = len(strangers) - _UNKNOWN_SHOWN
        problems.error(strangers[_UNKNOWN_SHOWN].key.where, f"{more} more unknown keys", "")


def form_kind(spec: FormSpec, example: str) -> Kind[Form]:
    """A table with the keys of `spec`, as a value."""

    def read(node: Node, problems: ProblemList) -> Form | None:
        if not isinstance(node, Table):
            wrong(node, "keys and values", example, problems)
            return None
        return spec.read(node, node.where, problems)

    return Kind(spec.title, example, Form(NOWHERE), read, schema=spec.schema)
