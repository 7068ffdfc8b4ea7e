"""The schemas for editors: what the reader takes they take, and they mark the mistakes people make."""

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from tiny_hotline import FLOW, HOUSE, SOURCE, TINY

from ivrflow.commands.schema_commands import SCHEMAS, as_text
from ivrflow.flow.keys import grammar
from ivrflow.flow.keys.holiday_file import HOLIDAY_SPEC
from ivrflow.flow.keys.standard import STANDARD_SPEC
from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading.forms import FormSpec
from ivrflow.flow.reading.json_schema import SCHEMA_LINE
from ivrflow.flow.reading.source import Items, Node, Table, Text, parse

ROOT = Path(__file__).parents[4]
SHIPPED = sorted([*ROOT.glob("callflows/**/*.yaml"), *ROOT.glob("scenarios/**/*.yaml")])
VALIDATORS = {kind: Draft202012Validator(make()) for kind, make in SCHEMAS.items()}


def as_an_editor_reads(node: Node) -> Any:
    """A node as a YAML 1.2 parser gives it to a schema."""
    match node:
        case Table(entries=entries):
            return {entry.key.text: as_an_editor_reads(entry.value) for entry in entries}
        case Items(items=items):
            return [as_an_editor_reads(item) for item in items]
        case Text(text=text, quoted=False):
            if re.fullmatch(r"[-+]?[0-9]+", text):
                return int(text)
            if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
                return float(text)
            return {"true": True, "false": False, "null": None, "~": None, "": None}.get(text.lower(), text)
        case Text(text=text):
            return text
        case _:
            raise AssertionError(f"{node} cannot be read")


def read(text: str) -> Any:
    problems = ProblemList()
    node = parse(text, "file.yaml", problems)
    assert node is not None, problems.problems
    return as_an_editor_reads(node)


def as_an_old_editor_reads(text: str) -> Any:
    """The same by a YAML 1.1 parser: `no` is false, 22:15 a number, a date a date."""

    def plain(value: Any) -> Any:
        match value:
            case dict():
                return {"on" if key is True else str(key): plain(inner) for key, inner in value.items()}
            case list():
                return [plain(item) for item in value]
            case date() | datetime():
                return value.isoformat()
            case _:
                return value

    return plain(yaml.safe_load(text))


def faults(kind: str, data: Any) -> list[str]:
    return [f"{'/'.join(map(str, one.absolute_path))}: {one.message}" for one in VALIDATORS[kind].iter_errors(data)]


def kind_of(path: Path) -> str:
    if path.is_relative_to(ROOT / "scenarios"):
        return "scenario"
    return "standard" if path.parent.name == "standards" else "flow"


# ── the files ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_schema_in_the_repository_is_not_stale(kind: str) -> None:
    written = (ROOT / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8")
    assert written == as_text(kind), "renew it: ivrflow schema --into schemas"


@pytest.mark.parametrize("kind", SCHEMAS)
def test_it_is_a_schema(kind: str) -> None:
    Draft202012Validator.check_schema(json.loads(as_text(kind)))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_shipped_file_is_valid_for_new_and_old_editors(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert faults(kind_of(path), read(text)) == []
    assert faults(kind_of(path), as_an_old_editor_reads(text)) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_shipped_file_names_its_schema_in_the_first_line(path: Path) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first.startswith(SCHEMA_LINE), f"begin with {SCHEMA_LINE}… (docs/editors.md)"
    named = (path.parent / first.removeprefix(SCHEMA_LINE)).resolve()
    assert named == ROOT / "schemas" / f"{kind_of(path)}.schema.json"


@pytest.mark.parametrize(("file", "kind"), [(FLOW, "flow"), (TINY, "standard"), (HOUSE, "standard")])
def test_the_tiny_hotline_is_valid(file: str, kind: str) -> None:
    assert faults(kind, read(SOURCE[file])) == []


# ── mistakes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "path", "old", "new", "told"),
    [
        ("flow", "callflows/gov12345.yaml", "start: opening_hours", "begin: opening_hours", "'begin' was unexpected"),
        ("flow", "callflows/gov12345.yaml", "title: ", "titel: ", "'titel' was unexpected"),
        ("flow", "callflows/gov12345.yaml", "    ring_for: 20s", "    ring_for: 20", "is not of type 'string'"),
        ("flow", "callflows/gov12345.yaml", "    ring_for: 20s", "    ring_for: 20 s", "does not match"),
        ("flow", "callflows/gov12345.yaml", "    ring_for: 20s\n", "", "'ring_for' is a required property"),
        ("flow", "callflows/gov12345.yaml", "first_digit: 6s", "first_digit: six", "does not match"),
        ("flow", "callflows/gov12345.yaml", "0: night_duty", "00: night_duty", "does not match"),
        ("flow", "callflows/gov12345.yaml", 'transfer: "1001"', "transfer: [1001]", "is not valid under any"),
        (
            "flow",
            "callflows/gov12345.yaml",
            "barge_in: [key]\n    wait",
            "barge_in: [keys]\n    wait",
            "is not valid under",
        ),
        (
            "flow",
            "callflows/gov12345.yaml",
            "    say: hold_request.lookup",
            "    says: hold_request.lookup",
            "is not valid",
        ),
        ("flow", "callflows/gov12345.yaml", "invalid: {say: house/menu.invalid, ", "invalid: {", "'say' is a required"),
        ("standard", "callflows/standards/gov12345.yaml", "phrases:", "phrase:", "'phrase' was unexpected"),
        (
            "standard",
            "callflows/standards/gov12345.yaml",
            "trainee_months: 3",
            "trainee_months: {a: 3}",
            "is not valid",
        ),
        ("scenario", "scenarios/examples/silent_caller.yaml", "hear:", "here:", "is not valid under any"),
        ("scenario", "scenarios/examples/silent_caller.yaml", "scenario:", "scenarios:", "'scenarios' was unexpected"),
    ],
)
def test_a_mistake_is_marked(kind: str, path: str, old: str, new: str, told: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert old in text
    found = faults(kind, read(text.replace(old, new, 1)))
    assert any(told in fault for fault in found), found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("until: 2027-12-31\n", "'reason' is a required property"),
        ("until: 31.12.2027\nreason: so\n", "does not match"),
        ("until: 2027-12-31\nreason: so\ndays_of: []\n", "'days_of' was unexpected"),
    ],
)
def test_a_mistake_in_a_holiday_file_is_marked(text: str, told: str) -> None:
    found = faults("holidays", read(text))
    assert any(told in fault for fault in found), found


# ── every kind of value says what it is ───────────────────────────────────────────────────────────────────────────────


def test_every_key_describes_its_value() -> None:
    every: list[FormSpec] = [
        grammar.FLOW_SPEC,
        STANDARD_SPEC,
        HOLIDAY_SPEC,
        *(kind.spec for kind in grammar.STEP_KINDS),
    ]
    bare = [f"{spec.title}: {key.name}" for spec in every for key in spec.keys if not key.kind.schema]
    assert bare == [], "give these kinds of values a schema (flow/reading/json_schema.py)"


def test_a_step_is_described_by_its_main_key() -> None:
    make: Callable[[], Any] = SCHEMAS["flow"]
    assert {kind.main.name for kind in grammar.STEP_KINDS} | {"step"} == set(make()["$defs"])
