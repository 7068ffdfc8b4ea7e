"""A service standard, or a file of phrases, read from YAML: wordings, rules with their pauses, what nobody may say."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TypeAlias

from ivrflow.flow.forms import Form, FormSpec, Key, form_kind
from ivrflow.flow.model import Band, Phrase, Rule, RuleRung, Standard
from ivrflow.flow.phrasebook import PHRASE_TABLE, PLACEHOLDERS, read_phrases
from ivrflow.flow.problems import Location, ProblemList, did_you_mean
from ivrflow.flow.reader import (
    NAMES,
    PHRASE,
    TEXT,
    WORD,
    Kind,
    Named,
    check_name,
    found,
    name_of,
    one_or_more,
    scalar,
    wrong,
)
from ivrflow.flow.source import Items, Node, Table, Text, Unreadable
from ivrflow.flow.syntax import shortened

LONGEST_WAIT = 3600.0
"""Seconds a documented wait may have; longer ones are deadlines for people, not waits of a call."""

# ── kinds ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_NUMBER = re.compile(r"\d{1,7}(?:\.\d{1,3})?", flags=re.ASCII)
_NOT_YET = math.nan


def _number(node: Node, what: str, problems: ProblemList) -> float | None:
    text = scalar(node, what, "[3, 5]", problems)
    if text is None:
        return None
    if _NUMBER.fullmatch(text.text):
        return float(text.text)
    if re.fullmatch(r"-\d+(\.\d+)?", text.text, flags=re.ASCII):
        problems.error(text.where, f"{text.text} is negative", "write the number without '-'")
    elif re.fullmatch(r"[\d.]+m?s", text.text, flags=re.ASCII):
        problems.error(text.where, f"'{text.text}' has a unit", "here numbers are plain: wait_s: [3, 5] are seconds")
    else:
        problems.error(text.where, f"{found(text)} is not a number", f"write {what}, for example 3")
    return None


def _pair(node: Items, what: str, problems: ProblemList) -> tuple[float, float] | None:
    numbers = [_number(item, what, problems) for item in node.items]
    if len(numbers) != 2:
        problems.error(node.where, f"{what} is one number or two, not {len(numbers)}", "write [least, most]")
        return None
    least, most = numbers
    if least is None or most is None:
        return None
    if least > most:
        problems.error(node.where, f"[{least:g}, {most:g}] is in the wrong order", f"write [{most:g}, {least:g}]")
        return None
    return least, most


def _read_band(node: Node, problems: ProblemList) -> Band | None:
    what = "a wait in seconds"
    if isinstance(node, Items):
        pair = _pair(node, what, problems)
    else:
        only = _number(node, what, problems)
        pair = None if only is None else (only, only)
    if pair is not None and pair[1] > LONGEST_WAIT:
        problems.error(node.where, f"a wait of {pair[1]:g} s is no wait of a call", f"at most {LONGEST_WAIT:g}")
        return None
    return None if pair is None else Band(*pair)


BAND: Kind[Band] = Kind("seconds, least and most", "[3, 5]", Band(0.0, 0.0), _read_band)

Limit: TypeAlias = float | tuple[float, float]


def _read_rule_limits(node: Node, problems: ProblemList) -> Mapping[str, Limit] | None:
    if not isinstance(node, Table):
        wrong(node, "a table of numbers", "{repeats: 1}", problems)
        return None
    limits: dict[str, Limit] = {}
    for entry in node.entries:
        value: Limit | None
        if isinstance(entry.value, Items):
            value = _pair(entry.value, f"'{shortened(entry.key.text)}'", problems)
        else:
            value = _number(entry.value, "a number", problems)
        if check_name(entry.key, "a limit", problems) and value is not None:
            limits[entry.key.text] = value
    return limits


RULE_LIMITS: Kind[Mapping[str, Limit]] = Kind("a table of numbers", "{repeats: 1}", {}, _read_rule_limits)


def _read_items(node: Node, problems: ProblemList) -> Items | None:
    if isinstance(node, Items):
        return node
    wrong(node, "a list", "[]", problems)
    return None


_ITEMS: Kind[Items | None] = Kind("a list", "[]", None, _read_items)


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


TABOO: Kind[Mapping[str, tuple[str, ...]]] = Kind("a table of sentences", "{shirk: [这是规定]}", {}, _read_taboo)


def _read_rule_id(text: Text, problems: ProblemList) -> Named | None:
    if re.fullmatch(r"[a-z0-9_]+/[a-z0-9_]+", text.text):
        return Named(text.text, text.where)
    hint = "write the standard's id, a slash and a name: gov12345/silent_call"
    problems.error(text.where, f"'{shortened(text.text)}' is no rule id", hint)
    return None


def _read_any_rule_id(node: Node, problems: ProblemList) -> Named | None:
    text = scalar(node, "a rule id", "gov12345/silent_call", problems)
    return None if text is None else _read_rule_id(text, problems)


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

RUNG_SAY = Key("say", PHRASE, "phrase of this file")
RUNG_DO = Key("do", WORD, "something the agent does", example="record_contact")
RUNG_WAIT = Key("wait_s", BAND, "documented seconds after the phrase ended (for `do`: at most); absent: no number")
RUNG_LEAVE = Key("leave_on", WORD, "the event that leaves the ladder here", example="speech")
RUNG_SPEC = FormSpec("a rung", (RUNG_SAY, RUNG_DO, RUNG_WAIT, RUNG_LEAVE))
_RUNG = form_kind(RUNG_SPEC, "{say: silent_call.greeting, wait_s: [3, 3], leave_on: speech}")

RULE_ID = Key("id", Kind("a rule id", "gov12345/silent_call", Named("", Location("", 0, 0)), _read_any_rule_id),
              "the standard's id, a slash, the rule's name", required=True)  # fmt: skip
SITUATION = Key("situation", WORD, "what kind of situation it is", required=True, example="silent_call")
TRIGGER = Key("trigger", TEXT, "when the rule applies", required=True, example='"caller is silent after the greeting"')
RUNGS = Key(
    "ladder",
    _ITEMS,
    "the rungs, from top to bottom",
    required=True,
    example="[{say: silent_call.greeting, wait_s: [3, 3], leave_on: speech}]",
)
RULE_THEN = Key("then", WORD, "what follows when the rungs are used up", required=True, example="hangup")
LIMITS_OF_RULE = Key("limits", RULE_LIMITS, "further numbers of the document")
NOTES = Key("notes", TEXT, "the item of the document, and how it is read", example='"item 5"')
RULE_SPEC = FormSpec("a rule", (RULE_ID, SITUATION, TRIGGER, RUNGS, RULE_THEN, LIMITS_OF_RULE, NOTES))
_RULE = form_kind(RULE_SPEC, "{id: gov12345/praise, situation: praise, trigger: …, ladder: […], then: continue}")

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
    _ITEMS,
    "when to say it, how long to wait, who hangs up",
    default="[]",
    example="[{id: gov12345/praise, …}]",
)
TABOO_KEY = Key("taboo", TABOO, "sentences nobody may say, by situation")
_KEPT = "kept for people; the engine does not use it"
TIMING_RULES = Key("timing_rules", _ITEMS, _KEPT, default="[]", example="[]")
KPI = Key("kpi", _ITEMS, _KEPT, default="[]")
ETIQUETTE = Key("etiquette", _ITEMS, _KEPT, default="[]")
STANDARD_SPEC = FormSpec(
    "a standard",
    (STANDARD_ID, STANDARD_NAME, SOURCE, CHANNEL, DIRECTION, PLACES, PHRASES_KEY, RULES, TABOO_KEY, TIMING_RULES, KPI,
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
    rules = _read_rules(identity.text, form, phrases, problems)
    return Standard(
        id=identity.text,
        name=form[STANDARD_NAME],
        source=form[SOURCE],
        where=identity.where,
        phrases=phrases,
        rules=rules,
        taboo=form[TABOO_KEY],
        placeholders=placeholders,
    )


def _read_rules(standard: str, form: Form, phrases: Mapping[str, Phrase], problems: ProblemList) -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    items = form[RULES]
    for node in items.items if items else ():
        rule = _read_rule(standard, node, phrases, problems)
        if rule is None:
            continue
        if rule.name in rules:
            first = rules[rule.name].where.line
            problems.error(
                rule.where, f"the rule '{rule.id}' is there twice, first in line {first}", "rename one of them"
            )
        else:
            rules[rule.name] = rule
    return rules


def _read_rule(standard: str, node: Node, phrases: Mapping[str, Phrase], problems: ProblemList) -> Rule | None:
    form = _RULE.read(node, problems)
    if form is None:
        return None
    identity = form[RULE_ID]
    owner, _, name = identity.text.partition("/")
    stem = PurePosixPath(identity.where.file.replace("\\", "/")).stem
    if identity and owner not in {standard, stem}:  # when those two differ, that is noted once
        message = f"the rule '{identity.text}' does not begin with '{standard}/'"
        problems.error(identity.where, message, f"write {standard}/{name}")
    items = form[RUNGS]
    if items is not None and not items.items:
        problems.error(items.where, "a ladder without rungs", "write at least one, for example - {say: …}")
    rungs = [_read_rung(standard, rung, phrases, problems) for rung in (items.items if items else ())]
    if not identity:
        return None
    return Rule(
        id=f"{standard}/{name}",
        situation=form[SITUATION].text,
        trigger=form[TRIGGER],
        rungs=tuple(rung for rung in rungs if rung is not None),
        then=form[RULE_THEN].text,
        limits=form[LIMITS_OF_RULE],
        notes=form[NOTES],
        where=identity.where,
    )


def _read_rung(standard: str, node: Node, phrases: Mapping[str, Phrase], problems: ProblemList) -> RuleRung | None:
    if isinstance(node, Unreadable):
        return None
    form = _RUNG.read(node, problems)
    if form is None:
        return None
    if form.wrote(RUNG_SAY) and form.wrote(RUNG_DO):
        problems.error(form.place(RUNG_DO), "a rung says or does, not both", "make two rungs of it")
    elif not form.wrote(RUNG_SAY) and not form.wrote(RUNG_DO):
        problems.error(
            node.where, "the rung neither says nor does anything", "write say: and a phrase, or do: and a task"
        )
    say = form[RUNG_SAY]
    key = f"{standard}/{say.text}" if say else None
    if key is not None and key not in phrases:
        known = [phrase.partition("/")[2] for phrase in phrases]
        problems.error(say.where, f"there is no phrase '{say.text}'", did_you_mean(say.text, known))
    return RuleRung(
        where=node.where,
        say=key,
        task=form[RUNG_DO].text or None,
        wait=form[RUNG_WAIT] if form.wrote(RUNG_WAIT) else None,
        leave_on=form[RUNG_LEAVE].text or None,
    )
