"""A report on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ivrflow.report import wording
from ivrflow.report.key_figures import Reached
from ivrflow.report.summary import Report

_STYLES: dict[Reached, str] = {"met": "green", "missed": "bold red", "no data": "yellow", "no target": ""}
_BAR = 40
"""Columns of the longest bar."""


def tables(report: Report, *, misses: int, all_rules: bool) -> RenderableType:
    """Arrange a report.

    Args:
        report: what.
        misses: how many calls are named behind a miss.
        all_rules: whether rules that never applied are listed too.
    """
    parts: list[RenderableType] = [
        Text(f"{report.period}, {report.scope}: {wording.heading(report)}", style="bold"),
        *(Text(f"note: {remark}") for remark in report.remarks),
        *_figures(report, misses),
        *_agents(report, misses),
        *_surveys(report, misses),
        *_rules(report, misses, all_rules=all_rules),
        *_promises(report, misses),
        *_callbacks(report, misses),
        *_calls(report),
    ]
    return Group(*parts)


def _grid(*headings: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for heading in headings:
        is_right = heading in right
        table.add_column(heading, justify="right" if is_right else "left", no_wrap=is_right, overflow="fold")
    return table


def _title(text: str) -> Iterator[RenderableType]:
    yield ""
    yield Text(text, style="bold")


def _figures(report: Report, misses: int) -> Iterator[RenderableType]:
    for standard, results in groupby(report.figures, lambda result: result.standard):
        yield from _title(f"key figures as {standard} defines them")
        for result in results:
            line = _grid("", "", "", "", right=("",))
            line.show_header = False
            line.columns[0].width, line.columns[1].width, line.columns[2].width = 10, 9, 10
            line.add_row(
                wording.percent(result),
                Text(result.reached.upper() if result.reached == "missed" else result.reached, _STYLES[result.reached]),
                Text(result.target),
                Text(f"{result.name}  {result.id}"),
            )
            yield line
            told = wording.counted(result)
            if result.misses and result.reached == "missed":
                told.append(f"misses: {wording.some(result.misses, misses)}")
            yield from (Padding(Text(text, style="dim"), (0, 0, 0, 35)) for text in told)


def _agents(report: Report, misses: int) -> Iterator[RenderableType]:
    if not report.service:
        return
    yield from _title("the way to a person")
    for one in report.service:
        line = _grid("", "", right=("",))
        line.show_header = False
        line.columns[0].width = 10
        line.add_row(wording.share(one), Text(f"{one.name}  {one.id}"))
        yield line
        told = [wording.share_counted(one), *([f"calls: {wording.some(one.calls, misses)}"] if one.calls else [])]
        yield from (Padding(Text(text, style="dim"), (0, 0, 0, 12)) for text in told)
    if report.queues:
        table = _grid("queue", *wording.QUEUE_HEADINGS, right=wording.QUEUE_HEADINGS)
        for queue in report.queues:
            table.add_row(queue.name, *wording.queue_cells(queue))
        yield ""
        yield table


def _surveys(report: Report, misses: int) -> Iterator[RenderableType]:
    if not report.surveys:
        return
    yield from _title("surveys")
    table = _grid("survey", *wording.SURVEY_HEADINGS, "below the middle on", right=wording.SURVEY_HEADINGS[:3])
    for survey in report.surveys:
        table.add_row(survey.survey, *wording.survey_cells(survey), wording.some(survey.misses, misses))
    yield table


def _callbacks(report: Report, misses: int) -> Iterator[RenderableType]:
    if not report.callbacks.asked_for:
        return
    yield from _title("callbacks")
    yield from map(Text, wording.callbacks(report.callbacks))
    if report.callbacks.misses:
        yield Text(f"late or not at all: {wording.some(report.callbacks.misses, misses)}", style="dim")


def _rules(report: Report, misses: int, *, all_rules: bool) -> Iterator[RenderableType]:
    shown, silent = wording.rules_shown(report)
    yield from _title("rules")
    if all_rules:
        shown, silent = [*shown, *(rule for rule in report.rules if not rule.kept and not rule.broken)], 0
    if shown:
        table = _grid(
            "rule", "kept", "broken", "not applicable", "broken on", right=("kept", "broken", "not applicable")
        )
        for rule in shown:
            table.add_row(
                rule.rule,
                str(rule.kept),
                Text(str(rule.broken), style="bold red" if rule.broken else ""),
                "?" if rule.not_applicable is None else str(rule.not_applicable),
                wording.some(rule.misses, misses),
            )
        yield table
    if silent:
        yield Text(f"{silent} more rules applied on no call (--all-rules lists them)", style="dim")
    elif not shown:
        yield Text("no rule applied", style="dim")


def _promises(report: Report, misses: int) -> Iterator[RenderableType]:
    yield from _title(f"promises of these calls, as they stand {report.made_at:%Y-%m-%d %H:%M}")
    if not report.promises:
        yield Text("none", style="dim")
        return
    numbers = ("made", "kept", "kept late", "broken", "open", "dropped")
    table = _grid("rule", "owed by", *numbers, "late or broken on", right=numbers)
    for one in report.promises:
        counts = (one.made, one.kept, one.kept_late, one.broken, one.open, one.dropped)
        cells = [Text(str(count)) for count in counts]
        if one.broken:
            cells[3].stylize("bold red")
        table.add_row(one.rule, one.owed_by, *cells, wording.some(one.misses, misses))
    yield table


def _calls(report: Report) -> Iterator[RenderableType]:
    if not report.calls:
        return
    yield from _title("how they ended")
    table = _grid("calls", "", "", right=("calls",))
    for way, outcome, number in report.outcomes:
        table.add_row(str(number), wording.WAYS[way], outcome.replace("_", " "))
    yield table
    yield from _title("who hung up first")
    table = _grid("calls", "", "", right=("calls",))
    for way, who, number in report.hung_up:
        table.add_row(str(number), wording.WAYS[way], who)
    yield table
    yield from _title("how long")
    table = _grid("", *wording.SPREAD_HEADINGS, right=wording.SPREAD_HEADINGS)
    for spread in report.spreads:
        if spread.values:
            table.add_row(spread.name, *wording.spread_cells(spread))
    yield table
    yield from _title("per hour of the day")
    highest = max(report.hours)
    table = _grid("hour", "calls", "", right=("calls",))
    for hour, number in enumerate(report.hours):
        if number:
            table.add_row(f"{hour:02d}", str(number), "#" * max(1, round(_BAR * number / highest)))
    yield table
