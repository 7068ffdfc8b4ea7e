"""JSON Schema for what people write in YAML: the pieces that kinds of values describe themselves with.

An editor's YAML parser gives `1` as a number and `true` as a truth value before any schema sees it, an older one also `yes`
and `22:15`. So a text is whatever scalar stands there, and a pattern holds for what arrives as text. A schema never
refuses what the reader takes; what only the reader can know (whether a step is there) it leaves to `ivrflow check`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

SCHEMA_LINE = "# yaml-language-server: $schema="
"""How a file names its schema to editors, in its first line."""

ANYTHING: Schema = {}

SCALAR: Schema = {"type": ["string", "number", "boolean"], "not": {"const": ""}}
"""Any text, with or without quotes."""


def text_like(pattern: str, longest: int | None = None) -> Schema:
    """A text of this form. Numbers and truth values are let through: they were such a text before they were read."""
    schema: dict[str, Any] = {"type": ["string", "number", "boolean"], "pattern": f"^(?:{pattern})$"}
    if longest is not None:
        schema["maxLength"] = longest
    return schema


def only_text_like(pattern: str) -> Schema:
    """A text of this form that no YAML parser takes for anything else."""
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def digits(pattern: str, least: int = 0, most: int | None = None) -> Schema:
    """Digits, quoted or not."""
    number: dict[str, Any] = {"type": "integer", "minimum": least}
    if most is not None:
        number["maximum"] = most
    return {"anyOf": [number, {"type": "string", "pattern": f"^(?:{pattern})$"}]}


def one_of(words: Iterable[str]) -> Schema:
    """One of these words."""
    return {"enum": list(words)}


YES_OR_NO: Schema = {"enum": ["yes", "no", True, False]}
"""`yes` and `no` arrive as truth values from older YAML parsers."""


def list_of(item: Schema, *, may_be_empty: bool = True) -> Schema:
    """A list."""
    return {"type": "array", "items": item} | ({} if may_be_empty else {"minItems": 1})


def one_or_list_of(item: Schema, *, may_be_empty: bool = False) -> Schema:
    """One value, or a list of them."""
    return {"anyOf": [item, list_of(item, may_be_empty=may_be_empty)]}


def table_of(value: Schema, keys: str = "", *, may_be_empty: bool = True) -> Schema:
    """A table whose keys have this form."""
    schema: dict[str, Any] = {"type": "object", "additionalProperties": value}
    if keys:
        schema["propertyNames"] = {"pattern": f"^(?:{keys})$"}
    return schema if may_be_empty else schema | {"minProperties": 1}


def document(name: str, title: str, about: str, schema: Schema) -> Schema:
    """A whole file."""
    return {"$schema": DIALECT, "$id": f"{name}.schema.json", "title": title, "description": about, **schema}
