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
        "service": [
            {
                "id": one.id,
                "name": one.name,
                "percent": None if one.percent is None else round(one.percent, 4),
                "numerator": one.part.count,
                "denominator": one.whole.count,
                "counts": wording.share_counted(one),
                "calls": list(one.calls),
            }
            for one in report.service
        ],
        "queues": [
            {
                "queue": one.name,
                "sought": one.sought,
                "answered": one.answered,
                "in_time": one.in_time,
                "abandoned": one.abandoned,
                "next_level": one.next_level,
                "elsewhere": one.elsewhere,
                "average_wait": _rounded(one.average),
                "longest_wait": _rounded(one.longest),
            }
            for one in report.queues
        ],
        "surveys": [
            {
                "survey": one.survey,
                "most": one.most,
                "scores": one.count,
                "average": round(one.average, 4),
                "satisfied": one.satisfied,
                "given": {str(score): number for score, number in one.given},
                "misses": list(one.misses),
            }
            for one in report.surveys
        ],
        "callbacks": {
            "asked_for": report.callbacks.asked_for,
            "kept": report.callbacks.kept,
            "kept_late": report.callbacks.kept_late,
            "broken": report.callbacks.broken,
            "open": report.callbacks.open,
            "cancelled": report.callbacks.cancelled,
            "calls_placed": {outcome or "under_way": number for outcome, number in report.callbacks.tries.items()},
            "misses": list(report.callbacks.misses),
        },
        "remarks": list(report.remarks),
    }


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 3)


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
    yield from _agent_lines(told)
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


def _agent_lines(told: Mapping[str, Any]) -> Iterator[_Line]:
    for one in told["service"]:
        for measure in ("percent", "numerator", "denominator"):
            yield "service", one["id"], measure, "" if one[measure] is None else str(one[measure])
        yield "service", one["id"], "calls", " ".join(one["calls"])
    for one in told["queues"]:
        for measure, value in one.items():
            if measure != "queue":
                yield "queue", one["queue"], measure, "" if value is None else str(value)
    for one in told["surveys"]:
        item = f"{one['survey']} (1 to {one['most']})"
        for measure in ("scores", "average", "satisfied"):
            yield "survey", item, measure, str(one[measure])
        for score, number in one["given"].items():
            yield "survey", item, f"score {score}", str(number)
        yield "survey", item, "misses", " ".join(one["misses"])
    for measure, value in told["callbacks"].items():
        if measure == "calls_placed":
            for outcome, number in value.items():
                yield "callbacks", outcome, "calls", str(number)
        else:
            yield "callbacks", "", measure, " ".join(value) if measure == "misses" else str(value)


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
    return {"count": len(spread.values), "mean": round(spread.average, 3), **numbers}
