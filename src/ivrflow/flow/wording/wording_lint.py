"""What is wrong with the wordings of a standard or phrase file: script, taboo, courtesy, and lint nobody can carry out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ivrflow.flow.compiling.ladders import says
from ivrflow.flow.keys.lint import asks_nothing
from ivrflow.flow.model import Phrase, Rule, Standard
from ivrflow.flow.problems import Location, ProblemList, did_you_mean
from ivrflow.flow.wording.script import strangers
from ivrflow.flow.wording.taboo import TabooHit, TabooList, comparable, wordings


def lint_standard(standard: Standard, problems: ProblemList) -> None:
    """Note what is wrong with a standard's own wordings, each with the rule or taboo that says so."""
    _lint_script(standard, problems)
    taboo = TabooList(standard)
    for phrase in standard.phrases.values():
        for hit in () if phrase.allowed else taboo.found_in(wordings(phrase, standard.placeholders)):
            _note_taboo(phrase, phrase.where, hit, problems)
    for rule in standard.rules.values():
        _lint_declaration(standard, rule, problems)
        _lint_courtesy(standard, rule, problems)


def lint_said(
    standard: Standard, files: Mapping[str, Standard], said: Mapping[str, Location], problems: ProblemList
) -> None:
    """Note what a flow says from other files against its standard's taboo.

    Args:
        standard: of the flow.
        files: every standard and phrase file of the flow, by id.
        said: where the flow says each phrase, by full key.
        problems: where to note it.
    """
    taboo = TabooList(standard)
    for key, where in said.items():
        file = files.get(key.partition("/")[0])
        phrase = file.phrases.get(key) if file else None
        if file is None or phrase is None or file.id == standard.id or phrase.allowed:
            continue
        for hit in taboo.found_in(wordings(phrase, file.placeholders)):
            _note_taboo(phrase, where, hit, problems)


def lint_against(spoken: Iterable[Standard], forbidding: Iterable[Standard], problems: ProblemList) -> None:
    """Warn of wordings of `spoken` that one of the standards `forbidding` calls taboo, other than their own."""
    lists = [taboo for standard in forbidding if (taboo := TabooList(standard))]
    for standard in spoken:
        own = TabooList(standard)
        for phrase in standard.phrases.values():
            if phrase.allowed:
                continue
            said = wordings(phrase, standard.placeholders)
            known = {hit.sentence for hit in own.found_in(said)}
            for taboo in lists:
                for hit in taboo.found_in(said) if taboo.standard != standard.id else ():
                    if hit.sentence not in known:
                        message = f"'{phrase.key}' says “{hit.sentence}”, which another standard forbids: {hit.cited}"
                        problems.warn(phrase.where, message, "reword it, or say why it stands: allowed: …")


def _note_taboo(phrase: Phrase, where: Location, hit: TabooHit, problems: ProblemList) -> None:
    hint = "say it in other words"
    if where != phrase.where:
        hint = f"say another phrase, or reword it in {phrase.where}"
    problems.error(where, f"'{phrase.key}' says “{hit.sentence}”, which nobody may say: {hit.cited}", hint)


# ── script ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _lint_script(standard: Standard, problems: ProblemList) -> None:
    other = "Traditional" if standard.script == "simplified" else "Simplified"
    texts = [(phrase.where, f"'{phrase.key}'", text) for phrase in standard.phrases.values() for text in _texts(phrase)]
    texts += [
        (place.where, f"the placeholder '{place.name}'", value)
        for place in standard.placeholders.values()
        for value in place.values
    ]
    for where, what, text in texts:
        found = strangers(text, standard.script)
        if found is not None:
            one = len(found.characters) == 1
            which = f"a {other} character" if one else f"{other} characters"
            message = f"{what} holds {which}: {found.characters}; {standard.id} is written in {standard.script} ones"
            problems.error(where, message, f"write “{found.better}”")


def _texts(phrase: Phrase) -> tuple[str, ...]:
    return (phrase.text,) if phrase.without is None else (phrase.text, phrase.without)


# ── courtesy ──────────────────────────────────────────────────────────────────────────────────────────────────────────

_GAP = re.compile(r"…+|\.{3,}|\*+")


def _lint_courtesy(standard: Standard, rule: Rule, problems: ProblemList) -> None:
    if rule.lint is None or not rule.lint.courtesy:
        return
    patterns = [_like(pattern) for pattern in rule.lint.courtesy]
    asked = " or ".join(f"“{pattern}”" for pattern in rule.lint.courtesy)
    for phrase in standard.phrases.values():
        if not says(rule, phrase.key):
            continue
        for text in _texts(phrase):
            if not any(pattern.search(comparable(text).text) for pattern in patterns):
                message = f"'{phrase.key}' does not ask as {rule.id} wants it asked: {asked}"
                problems.error(phrase.where, message, f"reword “{text}”")


def _like(pattern: str) -> re.Pattern[str]:
    pieces = [re.escape(comparable(piece).text) for piece in _GAP.split(pattern)]
    return re.compile(".*".join(pieces))


# ── declarations ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _lint_declaration(standard: Standard, rule: Rule, problems: ProblemList) -> None:
    if "lint" in rule.met_by and (rule.lint is None or asks_nothing(rule.lint)):
        hint = "write lint: and what is checked, for example {opening: greeting_inbound.standard}"
        problems.error(rule.where, f"{rule.id} is met by lint, and nothing says what is checked", hint)
    if rule.lint is None:
        return
    if "lint" not in rule.met_by:
        problems.error(rule.lint.where, f"{rule.id} is not met by lint", "add lint to met_by, or delete 'lint'")
    _lint_groups(standard, rule, rule.lint.taboo, problems)
    if rule.lint.courtesy and not any(rung.say for rung in rule.rungs):
        problems.error(rule.lint.where, f"{rule.id} says nothing that could be asked politely", "delete 'courtesy'")


def _lint_groups(standard: Standard, rule: Rule, groups: Sequence[str], problems: ProblemList) -> None:
    for group in groups:
        if group not in standard.taboo and rule.lint is not None:
            hint = did_you_mean(group, standard.taboo) or "list the sentences under 'taboo:'"
            problems.error(rule.lint.where, f"'taboo' has no '{group}'", hint)
