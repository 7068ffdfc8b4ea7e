"""The rules of a standard, read from YAML: ladders with their pauses, how each rule is met, what it promises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import cast

from ivrflow.flow.keys.lint import LINT_SPEC, read_lint
from ivrflow.flow.keys.promises import PROMISE, promise_of
from ivrflow.flow.model import Band, Limit, Means, Phrase, Promise, Rule, RuleRung
from ivrflow.flow.problems import Location, ProblemList, did_you_mean
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import Form, FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import (
    NAME_PATTERN,
    PHRASE,
    RULE,
    RULE_NAME,
    TEXT,
    WORD,
    Kind,
    Named,
    check_name,
    found,
    from_text,
    one_or_more,
    scalar,
    wrong,
)
from ivrflow.flow.reading.source import Items, Node, Table, Text, Unreadable
from ivrflow.flow.reading.syntax import shortened
from ivrflow.flow.reading.times import count

# ── kinds ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

LONGEST_WAIT = 3600.0
"""Seconds a documented wait may have; longer ones are deadlines for people, not waits of a call."""

# ── kinds ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_PLAIN_NUMBER: js.Schema = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^[0-9]{1,7}([.][0-9]{1,3})?$"}]
}
_TWO_NUMBERS: js.Schema = {"type": "array", "items": _PLAIN_NUMBER, "minItems": 2, "maxItems": 2}
_NUMBER = re.compile(r"\d{1,7}(?:\.\d{1,3})?", flags=re.ASCII)


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


BAND: Kind[Band] = Kind(
    "seconds, least and most", "[3, 5]", Band(0.0, 0.0), _read_band, schema={"anyOf": [_PLAIN_NUMBER, _TWO_NUMBERS]}
)

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_TELEPHONE = re.compile(r"\d{2,20}", flags=re.ASCII)


def _read_limit(name: Text, node: Node, problems: ProblemList) -> Limit | None:
    """A number, least and most, a time of day or telephone number in quotes, or a list of names in quotes."""
    if isinstance(node, Items):
        words = tuple(item.text for item in node.items if isinstance(item, Text) and item.quoted)
        if words and len(words) == len(node.items):
            return words
        return _pair(node, f"'{shortened(name.text)}'", problems)
    if isinstance(node, Text) and node.quoted and (_CLOCK.fullmatch(node.text) or _TELEPHONE.fullmatch(node.text)):
        return node.text
    return _number(node, "a number", problems)


def _read_rule_limits(node: Node, problems: ProblemList) -> Mapping[str, Limit] | None:
    if not isinstance(node, Table):
        wrong(node, "a table of numbers", "{repeats: 1}", problems)
        return None
    limits: dict[str, Limit] = {}
    for entry in node.entries:
        value = _read_limit(entry.key, entry.value, problems)
        if check_name(entry.key, "a limit", problems) and value is not None:
            limits[entry.key.text] = value
    return limits


RULE_LIMITS: Kind[Mapping[str, Limit]] = Kind(
    "a table of numbers",
    "{repeats: 1}",
    {},
    _read_rule_limits,
    schema=js.table_of({"anyOf": [js.SCALAR, _TWO_NUMBERS, js.list_of({"type": "string"})]}, NAME_PATTERN),
)


def _read_items(node: Node, problems: ProblemList) -> Items | None:
    if isinstance(node, Items):
        return node
    wrong(node, "a list", "[]", problems)
    return None


ITEMS: Kind[Items | None] = Kind("a list", "[]", None, _read_items, schema=js.list_of(js.ANYTHING))


def _read_rule_id(text: Text, problems: ProblemList) -> Named | None:
    owner, _, name = text.text.partition("/")
    if re.fullmatch(r"[a-z0-9_]+", owner) and RULE_NAME.fullmatch(name):
        return Named(text.text, text.where)
    hint = "write the standard's id, a slash and a name: gov12345/silent_call"
    problems.error(text.where, f"'{shortened(text.text)}' is no rule id", hint)
    return None


def _read_any_rule_id(node: Node, problems: ProblemList) -> Named | None:
    text = scalar(node, "a rule id", "gov12345/silent_call", problems)
    return None if text is None else _read_rule_id(text, problems)


# ── how a rule is met, and what it promises ───────────────────────────────────────────────────────────────────────────

MEANS: Mapping[str, str] = {
    "clock": "the engine's clock keeps its waits, repetitions and who hangs up",
    "flow": "it happens on every call without anybody asking for it",
    "on_demand": "an agent starts it as a situation",
    "lint": "`ivrflow check` refuses a flow or a wording against it",
    "promise": "a due time is kept for it",
    "report": "it is counted, call by call",
}


def _read_means(text: Text, problems: ProblemList) -> Means | None:
    if text.text in MEANS:
        return cast("Means", text.text)
    hint = did_you_mean(text.text, MEANS) or f"write one of {', '.join(MEANS)}"
    problems.error(text.where, f"'{shortened(text.text)}' is no way to meet a rule", hint)
    return None


_WAY: Kind[Means] = from_text("a way to meet a rule", "on_demand", "on_demand", _read_means, schema=js.one_of(MEANS))


ON_RECURRENCE = "on_recurrence"


def _read_next(text: Text, problems: ProblemList) -> bool | None:
    if text.text == ON_RECURRENCE:
        return True
    problems.error(text.where, f"{found(text)} is not when a rung comes", f"write {ON_RECURRENCE}, or leave it out")
    return None


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

RUNG_SAY = Key("say", PHRASE, "phrase of this file")
RUNG_DO = Key("do", WORD, "something the agent does", example="record_contact")
RUNG_WAIT = Key("wait_s", BAND, "documented seconds after the phrase ended (for `do`: at most); absent: no number")
RUNG_LEAVE = Key("leave_on", WORD, "the event that leaves the ladder here", example="speech")
RUNG_NEXT = Key(
    "next",
    from_text("when the next rung comes", ON_RECURRENCE, False, _read_next, schema=js.one_of([ON_RECURRENCE])),  # noqa: FBT003 - unwritten: at once
    f"{ON_RECURRENCE}: the next rung waits until the situation happens again on the same call; without it: at once",
)
RUNG_SPEC = FormSpec("a rung", (RUNG_SAY, RUNG_DO, RUNG_WAIT, RUNG_LEAVE, RUNG_NEXT))
_RUNG = form_kind(RUNG_SPEC, "{say: silent_call.greeting, wait_s: [3, 3], leave_on: speech}")

RULE_ID = Key("id", Kind("a rule id", "gov12345/silent_call", Named("", Location("", 0, 0)), _read_any_rule_id,
                          schema=js.only_text_like("[a-z0-9_]+/" + RULE_NAME.pattern)),
              "the standard's id, a slash, the rule's name", required=True)  # fmt: skip
SITUATION = Key("situation", WORD, "what kind of situation it is", required=True, example="silent_call")
TRIGGER = Key("trigger", TEXT, "when the rule applies", required=True, example='"caller is silent after the greeting"')
RUNGS = Key(
    "ladder",
    replace(ITEMS, schema=js.list_of(_RUNG.schema, may_be_empty=False)),
    "the rungs, from top to bottom",
    required=True,
    example="[{say: silent_call.greeting, wait_s: [3, 3], leave_on: speech}]",
)
RULE_THEN = Key("then", WORD, "what follows when the rungs are used up", required=True, example="hangup")
LOOPS_FROM = Key(
    "loops_from",
    count(1, 50, "2"),
    "the rung (from 1) that follows the last one, round after round, until the ladder is left; bounded by"
    " the flow's `limits.rounds`",
)
AFTER = Key(
    "after",
    RULE,
    "the rule this one follows by itself: a rule that begins with a hold goes on where that one leaves the caller waiting;"
    " any other comes when a caller who was kept waiting there is back",
    example="hold_request",
)
LIMITS_OF_RULE = Key("limits", RULE_LIMITS, "further numbers of the document")
NOTES = Key("notes", TEXT, "the item of the document, and how it is read", example='"item 5"')
MET_BY = Key(
    "met_by",
    one_or_more(_WAY, "ways"),
    "how ivrflow meets the rule: " + "; ".join(f"{word}: {how}" for word, how in MEANS.items()),
    example="[clock, on_demand]",
)
NOT_ON_PHONE = Key(
    "not_on_phone",
    TEXT,
    "why the rule cannot apply to a phone line; instead of `met_by`",
    example='"minutes of a chat window"',
)
LINT = Key(
    "lint",
    form_kind(LINT_SPEC, "{opening: greeting_inbound.standard}"),
    "what `ivrflow check` asks of wordings and flows because of the rule",
)
RULE_SPEC = FormSpec(
    "a rule",
    (
        RULE_ID,
        SITUATION,
        TRIGGER,
        RUNGS,
        LOOPS_FROM,
        RULE_THEN,
        AFTER,
        LIMITS_OF_RULE,
        MET_BY,
        LINT,
        NOT_ON_PHONE,
        PROMISE,
        NOTES,
    ),
)
_RULE = form_kind(RULE_SPEC, "{id: gov12345/praise, situation: praise, trigger: …, ladder: […], then: continue}")


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_rules(
    standard: str, items: Items | None, phrases: Mapping[str, Phrase], problems: ProblemList
) -> dict[str, Rule]:
    """The rules of a standard by name, in the order of the file; ladders may name `phrases` only."""
    rules: dict[str, Rule] = {}
    followers: list[tuple[Rule, Location]] = []
    for node in items.items if items else ():
        rule = _read_rule(standard, node, phrases, problems, followers)
        if rule is None:
            continue
        if rule.name in rules:
            first = rules[rule.name].where.line
            problems.error(
                rule.where, f"the rule '{rule.id}' is there twice, first in line {first}", "rename one of them"
            )
        else:
            rules[rule.name] = rule
    for rule, after in followers:
        _check_after(rule, after, rules, problems)
    return rules


def _check_after(rule: Rule, after: Location, rules: Mapping[str, Rule], problems: ProblemList) -> None:
    """What a rule follows must be there, and must not lead back to it."""
    if rule.after not in rules:
        hint = did_you_mean(rule.after, set(rules) - {rule.name})
        problems.error(after, f"there is no rule '{rule.after}' that {rule.id} could follow", hint)
        return
    seen = {rule.name}
    before = rule.after
    while before in rules and before not in seen:
        seen.add(before)
        before = rules[before].after
    if before in seen:
        problems.error(after, f"{rule.id} follows itself", "take 'after' out of one of these rules")


def _read_rule(
    standard: str,
    node: Node,
    phrases: Mapping[str, Phrase],
    problems: ProblemList,
    followers: list[tuple[Rule, Location]],
) -> Rule | None:
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
    if form[LOOPS_FROM] > max(1, len(rungs)):
        message = f"the ladder has {len(rungs)} rungs; it cannot go round from rung {form[LOOPS_FROM]}"
        problems.error(form.place(LOOPS_FROM), message, f"write 1 to {len(rungs)}")
    rule = Rule(
        id=f"{standard}/{name}",
        situation=form[SITUATION].text,
        trigger=form[TRIGGER],
        rungs=tuple(rung for rung in rungs if rung is not None),
        then=form[RULE_THEN].text,
        limits=form[LIMITS_OF_RULE],
        notes=form[NOTES],
        where=identity.where,
        met_by=tuple(dict.fromkeys(form[MET_BY])),
        not_on_phone=form[NOT_ON_PHONE],
        promise=_read_promise(form, problems),
        lint=read_lint(standard, form[LINT], phrases, problems) if LINT.name in form.values else None,
        loops_from=form[LOOPS_FROM] if form.wrote(LOOPS_FROM) else 0,
        after=form[AFTER].text,
    )
    if rule.after:
        followers.append((rule, form.place(AFTER)))
    return rule


def _read_promise(rule: Form, problems: ProblemList) -> Promise | None:
    if rule.wrote(MET_BY) and rule.wrote(NOT_ON_PHONE):
        message = "a rule is met, or it cannot apply to a phone line, not both"
        problems.error(rule.place(NOT_ON_PHONE), message, "delete 'met_by' or 'not_on_phone'")
    if not rule.wrote(PROMISE):
        if "promise" in rule[MET_BY]:
            hint = "write promise: {within: 24h, about: enquiry}"
            problems.error(rule.place(MET_BY), "the rule is met by a promise and promises nothing", hint)
        return None
    return promise_of(rule[PROMISE], rule.place(PROMISE), problems)


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
        on_recurrence=form[RUNG_NEXT],
    )
