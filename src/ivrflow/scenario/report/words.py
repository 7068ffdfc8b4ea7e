"""What is to be said about a result: the same words on a page and on a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ivrflow.scenario.observation import Finding, FindingKind, Result
from ivrflow.scenario.script import HungUpFirst, Stage

HEADINGS: Mapping[FindingKind, str] = {
    "not heard": "a phrase was not heard",
    "cut": "a phrase was cut short",
    "not cut": "a phrase was not cut",
    "unexpected": "an unexpected sound",
    "never": "heard, though it must never be",
    "pause": "a pause out of bounds",
    "ended": "the end of the call",
    "outcome": "the outcome",
    "verdict": "a verdict",
    "promise": "a promise",
    "length": "the length of the call",
    "gave up": "the script got stuck",
    "noted": "what was noted of the call",
    "clocks": "the two clocks differ",
    "leak": "something was left behind",
    "trouble": "a phone could not play its part",
    "transcript": "what was understood differs",
}

STAGES: Mapping[Stage, str] = {"pbx": "PBX", "simulator": "simulator"}

_HUNG_UP: Mapping[HungUpFirst, str] = {
    "caller": "the caller hung up first",
    "ivrflow": "ivrflow hung up first",
    "agent": "the agent hung up first",
    "nobody": "nobody hung up",
}

_COMMENT = re.compile(r"\s+#\s.*$")
"""What may stand behind a step, as the starter has it: not the scenario's own words. `"86420#"` is none."""


def tell(result: Result) -> list[str]:
    """A result for a terminal, without colours: nothing for one that passed without a remark.

    Each finding takes three lines: the place and the scenario's own words, what was expected, what was observed.
    """
    scenario = result.scenario
    lines: list[str] = []
    if result.trouble:
        has_place = result.trouble.startswith(f"{scenario.file}:")
        place = "" if has_place else f"{scenario.where.file}:{scenario.where.line}: "
        lines.append(f"{place}{result.trouble}")
    source = scenario.text.splitlines()
    for finding in by_weight(result.findings):
        where = finding.where
        quoted = source[where.line - 1] if where.file == scenario.file and where.line <= len(source) else ""
        quoted = _COMMENT.sub("", quoted).strip()
        heading = quoted or HEADINGS[finding.kind]
        worth = "" if finding.fails else "worth a word: "
        at = "" if finding.at is None else f", at {finding.at:.2f} s"
        lines += [
            f"{where.file}:{where.line}: {worth}{heading}",
            f"    expected  {finding.expected}",
            f"    observed  {finding.observed}{at}",
        ]
    return lines


def by_weight(findings: Sequence[Finding]) -> list[Finding]:
    """Those that fail first, and of these what kept a phone or the journal from their part: all else may come of it.

    Then by when they happened, those without a moment last.
    """
    return sorted(
        findings,
        key=lambda finding: (
            not finding.fails,
            finding.kind != "trouble",
            finding.at is None,
            finding.at or 0.0,
            finding.where,
        ),
    )


def in_one_sentence(result: Result) -> str:
    """What came of it."""
    if result.skipped:
        return f"Not run: {result.trouble or 'it was left out'}"
    if result.trouble:
        return f"It could not be played: {result.trouble}"
    failing = [finding for finding in by_weight(result.findings) if finding.fails]
    if failing:
        first = failing[0]
        more = f" And {_counted(len(failing) - 1, 'more finding')}." if len(failing) > 1 else ""
        return f"{capital(HEADINGS[first.kind])}: expected {first.expected}; observed {first.observed}.{more}"
    remarks = len(result.findings)
    but = f"; {_counted(remarks, 'remark')}" if remarks else ""
    return f"Everything was as the scenario says: {', '.join(_seen(result))}{but}."


def first_words(result: Result) -> str:
    """The first thing to know about it, for a table that may cut it short: empty when all was well."""
    if result.trouble:
        return result.trouble
    for finding in by_weight(result.findings)[:1]:
        return f"{HEADINGS[finding.kind]}: {finding.observed}; expected {finding.expected}"
    return ""


def hung_up(who: HungUpFirst | None) -> str:
    """Who hung up first, as a clause; empty when nobody knows."""
    return _HUNG_UP[who] if who else ""


def first_to_hang_up(result: Result) -> HungUpFirst | None:
    """By the engine where it was asked, else by what the caller's phone saw."""
    observation = result.observation
    if observation is None:
        return None
    if observation.engine is not None and observation.engine.hung_up_first:
        return observation.engine.hung_up_first
    return "caller" if observation.caller.ended_by == "phone" else None


def _seen(result: Result) -> list[str]:
    observation = result.observation
    assert observation is not None, "a scenario that passed was played"
    heard = sum(heard.kind == "phrase" for heard in observation.caller.heard)
    parts = [f"{_counted(heard, 'phrase')} heard"]
    if result.clocks:
        parts.append(f"{_counted(len(result.clocks), 'documented wait')}")
    if who := hung_up(first_to_hang_up(result)):
        parts.append(who)
    if observation.caller.ended_at is not None:
        parts.append(f"over after {observation.caller.ended_at:.1f} s")
    return parts


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count or 'no'} {thing}s"


def capital(text: str) -> str:
    """The same with a capital first letter."""
    return text[:1].upper() + text[1:]
