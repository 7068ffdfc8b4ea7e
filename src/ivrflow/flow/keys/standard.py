"""A service standard, or a file of phrases, read from YAML: wordings, rules with their pauses, what nobody may say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from ivrflow.flow.keys.phrasebook import PHRASE_TABLE, PLACEHOLDERS, read_phrases
from ivrflow.flow.keys.rules import ITEMS, RULE_SPEC, read_rules
from ivrflow.flow.model import KeyFigure, Placeholder, Rule, Standard
from ivrflow.flow.problems import ProblemList, did_you_mean
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import (
    NAME_PATTERN,
    NAMES,
    TEXT,
    Kind,
    Named,
    check_name,
    from_text,
    name_of,
    one_or_more,
    wrong,
)
from ivrflow.flow.reading.source import Items, Node, Table, Text
from ivrflow.flow.reading.syntax import shortened
from ivrflow.flow.wording.script import Script

# ── kinds ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_taboo(node: Node, problems: ProblemList) -> Mapping[str, tuple[str, ...]] | None:
    if not isinstance(node, Table):
        wrong(node, "a table of sentences", "{shirk: [这是规定]}", problems)
        return None
    read = one_or_more(TEXT, "sentences").read
    return {
        entry.key.text: sentences
        for entry in node.entries
        if check_name(entry.key, "a situation", problems) and (sentences := read(entry.value, problems)) is not None
    }


TABOO: Kind[Mapping[str, tuple[str, ...]]] = Kind(
    "a table of sentences",
    "{shirk: [这是规定]}",
    {},
    _read_taboo,
    schema=js.table_of(one_or_more(TEXT, "sentences").schema, NAME_PATTERN),
)


def _read_script(text: Text, problems: ProblemList) -> Script | None:
    for script in ("simplified", "traditional"):
        if text.text == script:
            return script
    problems.error(text.where, f"'{shortened(text.text)}' is no script", "write simplified or traditional")
    return None


_SIMPLIFIED: Script = "simplified"
SCRIPT_KIND: Kind[Script] = from_text(
    "a script", "traditional", _SIMPLIFIED, _read_script, schema=js.one_of(["simplified", "traditional"])
)

# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

FIGURE_ID = Key("id", name_of("a key figure's id", "agent_answer_rate"), "its short name", required=True)
FIGURE_NAME = Key("name", TEXT, "what people call it", required=True, example='"人工应答率"')
FORMULA = Key("formula", TEXT, "how the document computes it", required=True, example='"(人工应答次数 / …) * 100%"')
TARGET = Key("target", TEXT, "what the document wants it to be", required=True, example='">= 85%"')
FIGURE_SPEC = FormSpec("a key figure", (FIGURE_ID, FIGURE_NAME, FORMULA, TARGET))
_FIGURE = form_kind(FIGURE_SPEC, "{id: agent_answer_rate, name: …, formula: …, target: …}")

STANDARD_ID = Key(
    "id", name_of("a standard's id", "gov12345"), "its short name, and the name of its file", required=True
)
STANDARD_NAME = Key("name", TEXT, "what people call it", required=True, example='"12345 政府服务热线"')
SOURCE = Key("source", TEXT, "the document it was taken from", required=True, example='"service wording, 2023 edition"')
CHANNEL = Key("channel", NAMES, "where it applies", default="phone", example="phone")
DIRECTION = Key("direction", NAMES, "who calls whom", default="[inbound, outbound]", example="[inbound, outbound]")
PLACES = Key("placeholders", PLACEHOLDERS, "the {words in braces} of the phrases")
PHRASES_KEY = Key("phrases", PHRASE_TABLE, "what callers hear, by name", required=True)
RULES = Key(
    "rules",
    replace(ITEMS, schema=js.list_of(RULE_SPEC.schema)),
    "when to say it, how long to wait, who hangs up",
    default="[]",
    example="[{id: gov12345/praise, …}]",
)
TABOO_KEY = Key("taboo", TABOO, "sentences nobody may say, by situation; a gap in one is written {number}, XX, * or …")
TABOO_ANYWHERE = Key(
    "taboo_anywhere",
    NAMES,
    "situations of `taboo` whose short sentences (up to four characters) count wherever they stand; those of the others"
    " count only as whole utterances",
    default="[]",
    example="[shirk]",
)
CONDUCT = Key(
    "conduct", TABOO, "what nobody may do, by situation; for people: it is no wording and is compared with none"
)
SCRIPT = Key("script", SCRIPT_KIND, "the characters of its wordings: simplified or traditional", default="simplified")
_KEPT = "kept for people; the engine does not use it"
TIMING_RULES = Key("timing_rules", ITEMS, _KEPT, default="[]", example="[]")
KPI = Key(
    "kpi",
    replace(ITEMS, schema=js.list_of(FIGURE_SPEC.schema)),
    "the figures it wants to be measured by; `ivrflow report` computes them",
    default="[]",
)
ETIQUETTE = Key("etiquette", ITEMS, _KEPT, default="[]")
STANDARD_SPEC = FormSpec(
    "a standard",
    (STANDARD_ID, STANDARD_NAME, SOURCE, CHANNEL, DIRECTION, PLACES, SCRIPT, PHRASES_KEY, RULES, TABOO_KEY,
     TABOO_ANYWHERE, CONDUCT, TIMING_RULES, KPI,
     ETIQUETTE),
)  # fmt: skip


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_standard(node: Node, problems: ProblemList) -> Standard | None:
    """The standard in `node`; None when there is nothing like one."""
    if not isinstance(node, Table):
        wrong(node, "a standard", "id: gov12345", problems)
        return None
    form = STANDARD_SPEC.read(node, node.where, problems)
    stem = PurePosixPath(node.where.file.replace("\\", "/")).stem
    identity = form[STANDARD_ID] or Named(stem, node.where)
    if stem != identity.text:
        problems.error(identity.where, f"the file is called '{stem}', its id is '{identity.text}'", f"write id: {stem}")
    placeholders = form[PLACES]
    table = form[PHRASES_KEY]
    phrases = read_phrases(identity.text, table, placeholders, problems) if table else {}
    rules = read_rules(identity.text, form[RULES], phrases, problems)
    _check_promises(rules, placeholders, problems)
    for group in form[TABOO_ANYWHERE]:
        if group.text not in form[TABOO_KEY]:
            hint = did_you_mean(group.text, form[TABOO_KEY])
            problems.error(group.where, f"'taboo' has no '{group.text}'", hint)
    return Standard(
        id=identity.text,
        name=form[STANDARD_NAME],
        source=form[SOURCE],
        where=identity.where,
        phrases=phrases,
        rules=rules,
        taboo=form[TABOO_KEY],
        taboo_anywhere=tuple(word.text for word in form[TABOO_ANYWHERE]),
        conduct=form[CONDUCT],
        script=form[SCRIPT],
        key_figures=_read_figures(form[KPI], problems),
        direction=tuple(word.text for word in form[DIRECTION]),
        placeholders=placeholders,
    )


def _check_promises(rules: Mapping[str, Rule], places: Mapping[str, Placeholder], problems: ProblemList) -> None:
    """What an agent is to fill in must have a name the call knows."""
    for promise in (rule.promise for rule in rules.values() if rule.promise is not None):
        for name in filter(None, (promise.value, promise.days_value)):
            if name not in places:
                hint = did_you_mean(name, places) or "name it under placeholders:"
                problems.error(promise.where, f"there is no placeholder '{name}'", hint)


def _read_figures(items: Items | None, problems: ProblemList) -> tuple[KeyFigure, ...]:
    forms = [_FIGURE.read(node, problems) for node in (items.items if items else ())]
    return tuple(
        KeyFigure(form[FIGURE_ID].text, form[FIGURE_NAME], form[FORMULA], form[TARGET], form.where)
        for form in forms
        if form is not None
    )
