"""What is said about a report, in the same words on a terminal and on a page."""

from __future__ import annotations

import math

from ivrflow.report.agents import QueueCount, Share
from ivrflow.report.callbacks import CallbackCount
from ivrflow.report.key_figures import Result
from ivrflow.report.summary import Report, RuleCount, Spread
from ivrflow.report.surveys import SurveyCount

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
    """What stands below `SPREAD_HEADINGS`."""
    numbers = (spread.average, *(spread.at(share) for share in (0.5, 0.95, 1.0)))
    return [str(len(spread.values)), *map(seconds, numbers)]


SPREAD_HEADINGS = ("how many", "average", "middle", "95 %", "longest")
"""How many, the average, the middle one, what 95 of 100 do not exceed, the longest."""

QUEUE_HEADINGS = ("sought", "answered", "in time", "gave up", "next level", "elsewhere", "average wait", "longest wait")
"""What is told of a queue."""


def queue_cells(queue: QueueCount) -> list[str]:
    """What stands below `QUEUE_HEADINGS`."""
    counts = (queue.sought, queue.answered, queue.in_time, queue.abandoned, queue.next_level, queue.elsewhere)
    return [*map(str, counts), seconds(queue.average), seconds(queue.longest)]


def share(one: Share) -> str:
    """A share: "92.31 %", or a dash."""
    return "–" if one.percent is None else f"{one.percent:.2f} %"


def share_counted(one: Share) -> str:
    """Exactly what a share counts."""
    return f"{one.part.count} / {one.whole.count}: {one.whole.what}; {one.part.count} {one.part.what}"


SURVEY_HEADINGS = ("scores", "average", "satisfied", "how often each")
"""What is told of a survey."""


def survey_cells(survey: SurveyCount) -> list[str]:
    """What stands below `SURVEY_HEADINGS`; satisfied is a score above the middle of the scale."""
    return [
        str(survey.count),
        f"{survey.average:.2f} of {survey.most}",
        f"{100 * survey.satisfied / survey.count:.2f} %",
        ", ".join(f"{score}: {number}" for score, number in survey.given),
    ]


def callbacks(told: CallbackCount) -> list[str]:
    """What became of those who asked to be called back, a sentence each."""
    parts = {
        "called back in time": told.kept,
        "late": told.kept_late,
        "not at all": told.broken,
        "still to be called": told.open,
        "taken back": told.cancelled,
    }
    sentences = [f"{told.asked_for} asked for: " + ", ".join(f"{number} {what}" for what, number in parts.items())]
    placed = sum(told.tries.values())
    if placed:
        outcomes = ", ".join(
            f"{number} {(what or 'under way').replace('_', ' ')}" for what, number in told.tries.items()
        )
        sentences.append(f"{placed} calls placed for them: {outcomes}")
    return sentences


def rules_shown(report: Report) -> tuple[list[RuleCount], int]:
    """Rules that applied, broken ones first; and how many did not."""
    applied = [rule for rule in report.rules if rule.kept or rule.broken]
    order = sorted(applied, key=lambda rule: -rule.broken)
    return order, len(report.rules) - len(applied)


def some(calls: tuple[str, ...], most: int) -> str:
    """The first ids of calls, and how many more there are."""
    more = f" … and {len(calls) - most} more" if len(calls) > most else ""
    return ", ".join(calls[:most]) + more
