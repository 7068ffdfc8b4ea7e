"""What is said about a report, in the same words on a terminal and on a page."""

from __future__ import annotations

import math

from ivrflow.report.key_figures import Result
from ivrflow.report.summary import Report, RuleCount, Spread

WAYS = {"in": "incoming", "out": "placed"}
"""The direction of a call, in words."""


def percent(result: Result) -> str:
    """The figure: "92.31 %", or a dash."""
    return "–" if result.percent is None else f"{result.percent:.2f} %"


def counted(result: Result) -> list[str]:
    """Exactly which calls the figure counts, or why there is none; then what is left out."""
    lines: list[str] = []
    if result.part is not None and result.whole is not None and result.reached != "no data":
        lines.append(
            f"{result.part.count} / {result.whole.count}: {result.whole.what}; {result.part.count} {result.part.what}"
        )
    elif result.part is not None:
        lines.append(f"{result.part.count} {result.part.what}")
    elif result.whole is not None and result.whole.count:
        lines.append(f"{result.whole.count} {result.whole.what}")
    lines += [result.why] if result.why else []
    return [*lines, *result.notes]


def heading(report: Report) -> str:
    """How many calls, of which kind."""
    if not report.calls:
        return "no calls"
    parts = [f"{report.calls} calls"]
    if report.placed:
        parts.append(f"{report.incoming} incoming, {report.placed} placed")
    return ": ".join(parts)


def seconds(value: float) -> str:
    """A length: "0.02 s", "8.4 s", "3:05" (minutes)."""
    if math.isnan(value):
        return "–"
    if value < 60:
        return f"{value:.2f} s" if value < 1 else f"{value:.1f} s"
    return f"{int(value // 60)}:{int(value % 60):02d}"


def spread_cells(spread: Spread) -> list[str]:
    """How many, the middle one, what 95 of 100 do not exceed, the longest."""
    return [str(len(spread.values)), *(seconds(spread.at(share)) for share in (0.5, 0.95, 1.0))]


def rules_shown(report: Report) -> tuple[list[RuleCount], int]:
    """Rules that applied, broken ones first; and how many did not."""
    applied = [rule for rule in report.rules if rule.kept or rule.broken]
    order = sorted(applied, key=lambda rule: -rule.broken)
    return order, len(report.rules) - len(applied)


def some(calls: tuple[str, ...], most: int) -> str:
    """The first ids of calls, and how many more there are."""
    more = f" … and {len(calls) - most} more" if len(calls) > most else ""
    return ", ".join(calls[:most]) + more
