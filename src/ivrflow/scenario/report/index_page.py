"""The run's page: all results, which rules they prove, and how far wire and engine are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ivrflow.scenario.observation import CLOCKS_APART_S, ClockPair, Result, ResultWord
from ivrflow.scenario.report.words import STAGES, first_words

_ORDER: Mapping[ResultWord, int] = {"failed": 0, "not run": 1, "passed": 2}

MOST_CLOCKS = 10
"""Waits shown of those on which the clocks differ most."""


@dataclass(frozen=True, slots=True)
class Row:
    """One result in the table; `lasted` is None when there was no call."""

    title: str
    page: str
    place: str
    stage: str
    word: ResultWord
    lasted: float | None
    took: float
    rules: tuple[str, ...]
    first: str
    findings: int
    remarks: int


Proof: TypeAlias = Literal["proven", "failed", "not run", "no scenario"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """A rule, and the scenarios that are to prove it."""

    rule: str
    situation: str
    proof: Proof
    by: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Apart:
    """A documented wait on which both clocks were read; `apart` in seconds."""

    page: str
    title: str
    clock: ClockPair
    apart: float

    @property
    def is_too_far(self) -> bool:
        """Whether it is worth a word."""
        return abs(self.apart) > CLOCKS_APART_S


@dataclass(frozen=True, slots=True)
class IndexPage:
    """What stands on the page."""

    headline: str
    counts: Mapping[ResultWord, int]
    rows: tuple[Row, ...]
    rules: tuple[str, ...]
    coverage: tuple[Coverage, ...]
    clocks: tuple[Apart, ...]
    compared: int
    too_far: int


def index_page(results: Sequence[Result], pages: Sequence[str], left_behind: Sequence[str] = ()) -> IndexPage:
    """Work a run out for its page.

    Args:
        results: all of them, in the order they are to be told within their kind.
        pages: the address of each one's own page.
        left_behind: what the run as a whole left behind.
    """
    rows = [_row(result, page) for result, page in zip(results, pages, strict=True)]
    counts = {word: sum(row.word == word for row in rows) for word in _ORDER}
    apart = sorted(
        (
            Apart(page, result.scenario.title, clock, clock.apart)
            for result, page in zip(results, pages, strict=True)
            for clock in result.clocks
            if clock.apart is not None
        ),
        key=lambda one: -abs(one.apart),
    )
    return IndexPage(
        _headline(counts, is_clean=not left_behind),
        counts,
        tuple(sorted(rows, key=lambda row: _ORDER[row.word])),
        tuple(sorted({rule for row in rows for rule in row.rules})),
        tuple(_coverage(results, rows)),
        tuple(apart[:MOST_CLOCKS]),
        len(apart),
        sum(one.is_too_far for one in apart),
    )


def _row(result: Result, page: str) -> Row:
    scenario, observation = result.scenario, result.observation
    return Row(
        scenario.title,
        page,
        f"{scenario.file}:{scenario.where.line}",
        STAGES[result.stage],
        result.word,
        observation.caller.ended_at if observation else None,
        result.took,
        scenario.proves,
        first_words(result),
        sum(finding.fails for finding in result.findings),
        sum(not finding.fails for finding in result.findings),
    )


def _headline(counts: Mapping[ResultWord, int], *, is_clean: bool) -> str:
    total = sum(counts.values())
    if not total:
        return "No scenario was played"
    if counts["failed"]:
        return f"{counts['failed']} of {total} failed"
    if not is_clean:
        return "Something was left behind"
    if not counts["passed"]:
        return "None was run"
    return "All passed" if not counts["not run"] else "All that were run passed"


def _coverage(results: Sequence[Result], rows: Sequence[Row]) -> list[Coverage]:
    """Every rule of the standards concerned, and what else scenarios claim to prove: what needs a look first."""
    situations = {rule.id: rule.trigger for result in results for rule in result.scenario.flow.standard.rules.values()}
    situations |= {rule: "" for row in rows for rule in row.rules if rule not in situations}
    coverage = []
    for rule, situation in situations.items():
        by = tuple(row for row in rows if rule in row.rules)
        coverage.append(Coverage(rule, situation, _proof(by), by))
    order: Sequence[Proof] = ("failed", "not run", "no scenario", "proven")
    return sorted(coverage, key=lambda one: order.index(one.proof))


def _proof(by: Sequence[Row]) -> Proof:
    words = {row.word for row in by}
    if "failed" in words:
        return "failed"
    if "passed" in words:
        return "proven"
    return "not run" if words else "no scenario"
