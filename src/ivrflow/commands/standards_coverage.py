"""How every rule of the standards is met, and which golden call, scenario or refused file proves it.

Nothing here plays a call: what a golden call or a scenario shows is compared with the engine by the tests and by
`ivrflow scenario run`. Here their statements are only brought together with the rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ivrflow.flow.keys.rules import MEANS
from ivrflow.flow.model import CallFlow, Means, Rule, Standard
from ivrflow.scenario.language.reading import load_scenarios

ProofKind: TypeAlias = Literal["golden call", "scenario", "virtual clock", "problem"]


@dataclass(frozen=True, slots=True, order=True)
class Proof:
    """A file that shows a rule met.

    Attributes:
        kind: golden call: the whole call as text, compared by the tests. scenario: played with real phones on a
            real PBX. virtual clock: a scenario kept to the simulator, for hours and days. problem: a file that
            `ivrflow check` refuses because of the rule.
        file: its path.
    """

    kind: ProofKind
    file: str


@dataclass(frozen=True, slots=True)
class RuleCoverage:
    """One rule with how it is met and what proves it."""

    standard: Standard
    rule: Rule
    proofs: tuple[Proof, ...]

    @property
    def is_numbered(self) -> bool:
        """Whether the document gives the rule a number: seconds, a count, hours."""
        return bool(self.rule.limits) or any(rung.wait is not None for rung in self.rule.rungs)

    @property
    def lacks(self) -> str:
        """What is missing, in words; empty when nothing is."""
        if self.rule.not_on_phone:
            return ""
        if not self.rule.met_by:
            return "nobody said how it is met"
        kinds = {proof.kind for proof in self.proofs}
        if not kinds & {"golden call", "problem"}:
            return "no golden call shows it"
        clocks = {"scenario", "virtual clock"} if self.rule.promise else {"scenario"}
        if self.is_numbered and not kinds & clocks:
            return "it has a number and no scenario proves it"
        return ""


def cover(standards: Iterable[Standard], proofs: Mapping[str, Sequence[Proof]]) -> list[RuleCoverage]:
    """Every rule of the standards, in the order of the files, with its proofs (by rule id)."""
    return [
        RuleCoverage(standard, rule, tuple(sorted(set(proofs.get(rule.id, ())))))
        for standard in standards
        for rule in standard.rules.values()
    ]


def counts(covered: Sequence[RuleCoverage]) -> dict[str, int]:
    """How many rules there are, how many are numbered, met in which way, not on a phone line, and without a proof."""
    ways: dict[str, int] = {means: sum(means in one.rule.met_by for one in covered) for means in MEANS}
    return {
        "rules": len(covered),
        "numbered": sum(one.is_numbered for one in covered),
        **ways,
        "not_on_phone": sum(bool(one.rule.not_on_phone) for one in covered),
        "lacking": sum(bool(one.lacks) for one in covered),
    }


def means_in_words(means: Means) -> str:
    """A way to meet a rule, as people call it."""
    return {
        "clock": "engine's clock",
        "flow": "every call",
        "on_demand": "on demand",
        "lint": "lint",
        "promise": "promise",
        "report": "report",
    }[means]


# ── proofs ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_KEPT = re.compile(r"^kept +([a-z0-9_]+/[a-z0-9_.]+):", flags=re.MULTILINE)
_CITED = re.compile(r"\b([a-z0-9_]+/[a-z0-9_.]*[a-z0-9_])\b")


def golden_proofs(folder: Path) -> dict[str, list[Proof]]:
    """By rule id: the golden calls below a folder on which the rule was kept, by their last lines."""
    found: dict[str, list[Proof]] = {}
    for file in sorted(folder.rglob("*.call")):
        for rule in _KEPT.findall(file.read_text("utf-8")):
            found.setdefault(rule, []).append(Proof("golden call", file.as_posix()))
    return found


def scenario_proofs(folder: Path, flows: Mapping[str, CallFlow]) -> dict[str, list[Proof]]:
    """By rule id: the scenarios below a folder that say they prove the rule.

    Raises `FlowError` when a scenario cannot be read.
    """
    found: dict[str, list[Proof]] = {}
    if not folder.is_dir():
        return found
    for scenario in load_scenarios([folder], flows):
        kind: ProofKind = "scenario" if "pbx" in scenario.stages else "virtual clock"
        for rule in scenario.proves:
            found.setdefault(rule, []).append(Proof(kind, Path(scenario.file).as_posix()))
    return found


def problem_proofs(folder: Path, rules: Iterable[str]) -> dict[str, list[Proof]]:
    """By rule id: the texts of problems below a folder (`*.txt`) that cite the rule."""
    known = set(rules)
    found: dict[str, list[Proof]] = {}
    for file in sorted(folder.rglob("*.txt")):
        for rule in sorted(known.intersection(_CITED.findall(file.read_text("utf-8")))):
            found.setdefault(rule, []).append(Proof("problem", file.as_posix()))
    return found


def joined(*several: Mapping[str, Sequence[Proof]]) -> dict[str, list[Proof]]:
    """Proofs of several kinds together."""
    together: dict[str, list[Proof]] = {}
    for proofs in several:
        for rule, files in proofs.items():
            together.setdefault(rule, []).extend(files)
    return together
