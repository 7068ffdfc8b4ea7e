"""Phrases and their placeholders: the wording of a standard, or of the house where a standard names none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ivrflow.flow.model import Phrase, Placeholder
from ivrflow.flow.problems import Location, ProblemList, did_you_mean, near_word
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import (
    LONGEST_NAME,
    NAME_PATTERN,
    TEXT,
    Kind,
    check_name,
    from_text,
    one_or_more,
    wrong,
)
from ivrflow.flow.reading.source import Node, Table, Text
from ivrflow.flow.reading.syntax import shortened
from ivrflow.flow.speaking.spoken_values import WAYS, SpokenAs

PHRASE_TEXT = Key("text", TEXT, "what callers hear, with {placeholders}", required=True, example='"关于{topic}"')
WITHOUT = Key("without", TEXT, "the wording when a value is not known", example='"关于您反映的问题"')
NOTE = Key("note", TEXT, "when to use it", example='"trainee"')
ALLOWED = Key(
    "allowed",
    TEXT,
    "why this wording stands although a taboo sentence is in it; without a reason it is refused",
    example='"the document itself words it so"',
)
PHRASE_SPEC = FormSpec("a phrase", (PHRASE_TEXT, WITHOUT, NOTE, ALLOWED))
_PHRASE = form_kind(PHRASE_SPEC, '{text: "您好！"}')

VALUES = Key(
    "values",
    one_or_more(TEXT, "texts"),
    "the only values it takes; without it the call brings the value",
    example='["先生", "女士"]',
)
ABOUT = Key("about", TEXT, "what belongs there", example='"the matter in a few words"')


def _read_spoken_as(text: Text, problems: ProblemList) -> SpokenAs | None:
    for way in WAYS:
        if text.text == way:
            return way
    hint = near_word(text.text, WAYS) or f"write one of: {', '.join(WAYS)}"
    problems.error(text.where, f"'{shortened(text.text)}' is no way to read a value", hint)
    return None


_SPOKEN_AS: Kind[SpokenAs] = from_text(
    "a way to read a value", "digits", "words", _read_spoken_as, schema=js.one_of(WAYS)
)
SPOKEN_AS = Key(
    "spoken_as",
    _SPOKEN_AS,
    "how the value is read: " + "; ".join(f"{way}: {how}" for way, how in WAYS.items()),
    default="words",
)
PLACEHOLDER_SPEC = FormSpec("a placeholder", (VALUES, ABOUT, SPOKEN_AS))
_PLACEHOLDER = form_kind(PLACEHOLDER_SPEC, '{about: "the matter in a few words"}')

_PHRASE_NAME = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")
_IN_BRACES = re.compile(r"\{([^{}]*)\}")


def _read_placeholders(node: Node, problems: ProblemList) -> Mapping[str, Placeholder] | None:
    if not isinstance(node, Table):
        wrong(node, "a table of placeholders", '{topic: {about: "the matter"}}', problems)
        return None
    placeholders: dict[str, Placeholder] = {}
    for entry in node.entries:
        if not check_name(entry.key, "a placeholder", problems):
            continue
        form = _PLACEHOLDER.read(entry.value, problems)
        if form is None:
            placeholders[entry.key.text] = Placeholder(entry.key.text, entry.key.where)
            continue
        values, spoken_as = form[VALUES], form[SPOKEN_AS]
        if values and form.wrote(SPOKEN_AS):
            message = "a placeholder that lists its values is spoken as they are written"
            problems.error(form.place(SPOKEN_AS), message, "delete 'spoken_as' or 'values'")
        placeholders[entry.key.text] = Placeholder(entry.key.text, entry.key.where, values, form[ABOUT], spoken_as)
    return placeholders


PLACEHOLDERS: Kind[Mapping[str, Placeholder]] = Kind(
    "a table of placeholders",
    '{topic: {about: "the matter"}}',
    {},
    _read_placeholders,
    schema=js.table_of(_PLACEHOLDER.schema, NAME_PATTERN),
)


def _read_phrase_table(node: Node, problems: ProblemList) -> Table | None:
    if isinstance(node, Table):
        return node
    wrong(node, "a table of phrases", '{greeting: {text: "您好！"}}', problems)
    return None


PHRASE_TABLE: Kind[Table | None] = Kind(
    "a table of phrases",
    '{greeting: {text: "您好！"}}',
    None,
    _read_phrase_table,
    schema=js.table_of(_PHRASE.schema, _PHRASE_NAME.pattern),
)


def read_phrases(
    book: str, table: Table, placeholders: Mapping[str, Placeholder], problems: ProblemList
) -> dict[str, Phrase]:
    """The phrases of `book` by full key ("house/menu.main").

    A phrase with a problem is in the result too: nobody needs to be told that it does not exist.
    """
    phrases: dict[str, Phrase] = {}
    for entry in table.entries:
        name = entry.key
        if not _PHRASE_NAME.fullmatch(name.text) or len(name.text) > 2 * LONGEST_NAME:
            message = f"'{shortened(name.text)}' cannot be a phrase's name"
            problems.error(name.where, message, "use a-z, 0-9 and '_', with dots between: silent_call.greeting")
            continue
        key = f"{book}/{name.text}"
        phrases[key] = _read_phrase(key, name, entry.value, placeholders, problems)
    return phrases


def _read_phrase(
    key: str, name: Text, node: Node, placeholders: Mapping[str, Placeholder], problems: ProblemList
) -> Phrase:
    form = _PHRASE.read(node, problems)
    if form is None:
        return Phrase(key, "", name.where)
    text = form[PHRASE_TEXT]
    where = _value_place(node, "text") or name.where
    used = _used_placeholders(text, where, placeholders, problems)
    without = form[WITHOUT] if form.wrote(WITHOUT) else None
    if used and without is None:
        message = f"'{name.text}' has no wording for when {_listed(used)} is not known"
        problems.error(name.where, message, "add without: and what is said then")
    if without is not None and (hit := _IN_BRACES.search(without)):
        place = _value_place(node, "without") or name.where
        problems.error(place, f"'without' needs {hit[0]} itself", "word it without any value")
    if without is not None and not used and text:
        problems.error(form.place(WITHOUT), "'without' is never said: the text has no placeholder", "delete it")
    spoken_as = {
        name: known.spoken_as
        for name in used
        if (known := placeholders.get(name)) is not None and (known.values or known.spoken_as != "words")
    }
    return Phrase(key, text, name.where, used, without, form[NOTE], spoken_as, form[ALLOWED])


def _used_placeholders(
    text: str, where: Location, declared: Mapping[str, Placeholder], problems: ProblemList
) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(_IN_BRACES.findall(text)))
    for name in names:
        if name not in declared:
            hint = did_you_mean(name.strip(), declared) or "declare it under 'placeholders:'"
            problems.error(where, f"the placeholder '{{{name[:LONGEST_NAME]}}}' is not declared", hint)
    if re.search(r"[{}]", _IN_BRACES.sub("", text)):
        problems.error(where, "a brace without its partner", "write {placeholder}; callers hear no braces")
    return names


def _value_place(node: Node, key: str) -> Location | None:
    value = node.get(key) if isinstance(node, Table) else None
    return None if value is None else value.where


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)
