"""A report for programs: JSON with everything in it, CSV with one number a line."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from typing import Any

from ivrflow.report import wording
from ivrflow.report.summary import Report, Spread

_SHARES = {"p50": 0.5, "p95": 0.95, "most": 1.0}


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain values."""
    return {
        "from": report.period.since.isoformat(),
        "to": report.period.until.isoformat(),
        "scope": report.scope,
        "made_at": report.made_at.isoformat(timespec="seconds"),
        "calls": {
            "over": report.calls,
            "incoming": report.incoming,
            "placed": report.placed,
            "unfinished": report.unfinished,
            "per_flow": dict(report.flows),
            "outcomes": [_way(*one, "outcome") for one in report.outcomes],
            "hung_up_first": [_way(*one, "who") for one in report.hung_up],
            "per_hour": list(report.hours),
            "per_day": dict(report.days),
            "seconds": {_name(spread): _spread(spread) for spread in report.spreads if spread.values},
        },
        "key_figures": [
            {
                "id": one.id,
                "name": one.name,
                "standard": one.standard,
                "formula": one.formula,
                "target": one.target,
                "reached": one.reached.replace(" ", "_"),
                "percent": None if one.percent is None else round(one.percent, 4),
                "numerator": one.part.count if one.part else None,
                "denominator": one.whole.count if one.whole else None,
                "counts": wording.counted(one),
                "why_no_data": one.why or None,
                "misses": list(one.misses),
            }
            for one in report.figures
        ],
        "rules": [
            {
                "rule": one.rule,
                "kept": one.kept,
                "broken": one.broken,
                "not_applicable": one.not_applicable,
                "misses": list(one.misses),
            }
            for one in report.rules
        ],
        "promises": [
            {
                "rule": one.rule,
                "owed_by": one.owed_by,
                "made": one.made,
                "kept": one.kept,
                "kept_late": one.kept_late,
                "broken": one.broken,
                "open": one.open,
                "dropped": one.dropped,
                "misses": list(one.misses),
            }
            for one in report.promises
        ],
        "remarks": list(report.remarks),
    }


def as_csv(report: Report) -> str:
    """One number a line: section, item, measure, value; an empty value where there is no data."""
    paper = io.StringIO()
    writer = csv.writer(paper, lineterminator="\n")
    writer.writerow(("section", "item", "measure", "value"))
    writer.writerows(_lines(report))
    return paper.getvalue()


_Line = tuple[str, str, str, str]


def _lines(report: Report) -> Iterator[_Line]:
    told = as_json(report)
    for name in ("from", "to", "scope", "made_at"):
        yield "report", "", name, told[name]
    yield from _call_lines(report, told["calls"])
    for figure in told["key_figures"]:
        for measure in ("percent", "numerator", "denominator", "target", "reached", "why_no_data"):
            yield "key_figure", figure["id"], measure, "" if figure[measure] is None else str(figure[measure])
        yield "key_figure", figure["id"], "misses", " ".join(figure["misses"])
    for section in ("rules", "promises"):
        for one in told[section]:
            yield from _rule_lines(section, one)


def _call_lines(report: Report, told: Mapping[str, Any]) -> Iterator[_Line]:
    for name in ("over", "incoming", "placed", "unfinished"):
        yield "calls", "", name, str(told[name])
    for flow, number in report.flows.items():
        yield "calls", flow, "over", str(number)
    for way, outcome, number in report.outcomes:
        yield "outcome", outcome, wording.WAYS[way], str(number)
    for way, who, number in report.hung_up:
        yield "hung_up_first", who, wording.WAYS[way], str(number)
    for name, numbers in told["seconds"].items():
        for measure, value in numbers.items():
            yield "seconds", name, measure, str(value)
    for hour, number in enumerate(report.hours):
        yield "per_hour", f"{hour:02d}", "calls", str(number)
    for day, number in report.days:
        yield "per_day", day, "calls", str(number)


def _rule_lines(section: str, one: Mapping[str, Any]) -> Iterator[_Line]:
    """Several people may owe promises of one rule: then the item names them too."""
    item = f"{one['rule']} ({one['owed_by']})" if section == "promises" else one["rule"]
    for measure, value in one.items():
        if measure not in {"rule", "owed_by", "misses"}:
            yield section, item, measure, "" if value is None else str(value)
    yield section, item, "misses", " ".join(one["misses"])


def _way(way: str, name: str, number: int, of: str) -> dict[str, Any]:
    return {"direction": wording.WAYS[way], of: name, "calls": number}


def _name(spread: Spread) -> str:
    return spread.name.replace(" ", "_")


def _spread(spread: Spread) -> dict[str, float]:
    numbers = {name: round(spread.at(share), 3) for name, share in _SHARES.items()}
    mean = math.fsum(spread.values) / len(spread.values)
    return {"count": len(spread.values), "mean": round(mean, 3), **numbers}
