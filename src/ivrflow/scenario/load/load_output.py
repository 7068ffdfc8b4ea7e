"""What a load came to on stdout: tables for people, one JSON object for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ivrflow.scenario.load.load_figures import LATE_S, VERY_LATE_S, LoadFigures, ProcessFigures, Spread
from ivrflow.scenario.report.words import tell

WIDTH = 110
"""Columns where there is no terminal."""

MOST_TOLD = 2
"""How many calls that were listened to, and failed, are told in full; the pages have them all."""

_MIB = 1024 * 1024

SPREADS: Mapping[str, str] = {
    "setup": "answered after",
    "first_sound": "first sound after the answer",
    "gap": "longest gap in a call's audio",
    "jitter": "jitter",
    "waits": "waits off, by the engine",
    "wire": "waits off, as they were heard",
}
"""Attributes of `LoadFigures`, and what they are called for people."""

PROCESSES: Mapping[str, str] = {"engine": "engine", "pbx": "Asterisk", "caller": "caller"}


def verdict_in_words(shortcomings: Sequence[str], *, stopped: bool) -> str:
    """The verdict on one line."""
    if shortcomings:
        return f"NOT PASSED: {'; '.join(shortcomings)}"
    return "stopped before the end; passed so far" if stopped else "PASSED"


def headline(shown: LoadFigures) -> str:
    """What was played how often."""
    side = shown.side
    by = "SIPp" if side.kind == "sipp" else "our own phone"
    return (
        f"{shown.scenario}: {side.planned} calls by {by} to {shown.number} ({shown.flow}), {side.rate:g} a second, at most "
        f"{side.most} at once"
    )


def calls_in_words(shown: LoadFigures) -> str:
    """How many calls did what."""
    side = shown.side
    parts = [f"{side.placed} placed", f"{side.answered} answered", f"{side.well} well", f"{side.failed} failed"]
    parts += [f"{side.cut} cut short"] if side.cut else []
    return f"{', '.join(parts)}; {side.most_live} at once, {side.rate_reached:.1f} a second; {side.took:.1f} s"


def waits_in_words(shown: LoadFigures) -> str:
    """How many documented waits were late."""
    if shown.waits is None:
        return "none known"
    count = shown.waits.count
    return (
        f"{shown.late} of {count} ({shown.late / count:.1%}) by more than {LATE_S * 1000:.0f} ms, "
        f"{shown.very_late} ({shown.very_late / count:.1%}) by more than {VERY_LATE_S * 1000:.0f} ms"
    )


def print_figures(
    shown: LoadFigures, shortcomings: Sequence[str], remarks: Sequence[str], *, stopped: bool, console: Console
) -> None:
    """Print everything a load showed.

    Args:
        shown: the figures.
        shortcomings: why it has not passed.
        remarks: what should be known when reading them.
        stopped: whether it was stopped before its end.
        console: where to.
    """
    console.print(Text(headline(shown), style="bold"))
    console.print()
    facts = _table("", "")
    for name, told in facts_in_words(shown):
        facts.add_row(Text(name, "dim"), Text(told, "red" if name in {"failures", "rules broken"} else ""))
    console.print(facts)
    console.print()
    spreads = _table("milliseconds", "how many", "least", "p50", "p95", "p99", "most")
    for attribute, name in SPREADS.items():
        spread: Spread | None = getattr(shown, attribute)
        if spread is not None:
            seconds = (spread.least, spread.p50, spread.p95, spread.p99, spread.most)
            spreads.add_row(name, str(spread.count), *(f"{value * 1000:.1f}" for value in seconds))
    console.print(spreads)
    console.print()
    processes = _table("process", "cpu mean", "cpu peak", "memory first", "peak", "last")
    for attribute, name in PROCESSES.items():
        process: ProcessFigures | None = getattr(shown, attribute)
        if process is not None:
            memory = (process.memory_start, process.memory_peak, process.memory_end)
            cpu = [f"{process.cpu_mean:.0f} %", f"{process.cpu_peak:.0f} %"]
            processes.add_row(name, *cpu, *(f"{amount / _MIB:.0f} MiB" for amount in memory))
    if processes.row_count:
        console.print(processes)
        console.print()
    failed = [result for result in shown.side.listened if result.word != "passed"]
    for result in failed[:MOST_TOLD]:
        words = "\n".join(["a call that was listened to:", *(f"  {line}" for line in tell(result)), ""])
        console.print(Text(words))
    if len(failed) > MOST_TOLD:
        console.print(f"… and {len(failed) - MOST_TOLD} more that were listened to and not as the scenario says")
        console.print()
    for remark in remarks:
        console.print(Text(f"note: {remark}", "yellow"))
    style = "bold red" if shortcomings else "bold green"
    console.print(Text(verdict_in_words(shortcomings, stopped=stopped), style))


def facts_in_words(shown: LoadFigures) -> Iterator[tuple[str, str]]:
    """What is told in words: name and text."""
    side = shown.side
    yield "calls", calls_in_words(shown)
    if side.faults:
        yield "failures", _counted(side.faults)
    if side.statuses:
        yield "SIP statuses", _counted({str(status): count for status, count in side.statuses.items()})
    if shown.kept:
        yield "rules kept", _counted(shown.kept)
    if shown.broken:
        yield "rules broken", _counted(shown.broken)
    if shown.waits is not None:
        yield "late waits", waits_in_words(shown)
    if side.listened:
        well = sum(result.word == "passed" for result in side.listened)
        yield "listened to", f"{len(side.listened)}, of which {well} went as the scenario says"
    if side.packets:
        yield "packets lost", str(shown.packets_lost)
    machine = f"{shown.others_mean:.0f} % used by other processes, {shown.stolen_mean:.0f} % taken by other machines"
    if shown.pacer_late is not None:
        machine += f"; our audio was late by {shown.pacer_late.p50 * 1000:.0f} ms, at worst {shown.pacer_late.most * 1000:.0f} ms"
    yield "this machine", machine


def _counted(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} × {name}" for name, count in ordered)


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_header=bool(headings[0]))
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place == 0 or not headings[0] else "right", overflow="fold")
    return table


# ── for programs ──────────────────────────────────────────────────────────────────────────────────────────────────────


def as_json(shown: LoadFigures, shortcomings: Sequence[str], remarks: Sequence[str], *, stopped: bool) -> bytes:
    """Everything about a load as one JSON object; times in seconds, processor time in percent of a core."""
    side = shown.side
    data: dict[str, object] = {
        "passed": not shortcomings,
        "shortcomings": shortcomings,
        "remarks": remarks,
        "stopped": stopped,
        "scenario": shown.scenario,
        "file": shown.file,
        "flow": shown.flow,
        "number": shown.number,
        "caller": side.kind,
        "asked": {"calls": side.planned, "rate": side.rate, "at_once": side.most},
        "began_at": side.began_at,
        "took": round(side.took, 3),
        "rate_reached": round(side.rate_reached, 3),
        "at_once": side.most_live,
        "placed": side.placed,
        "answered": side.answered,
        "well": side.well,
        "failed": side.failed,
        "cut_short": side.cut,
        "failures": side.faults,
        "statuses": {str(status): count for status, count in side.statuses.items()},
        "listened": len(side.listened),
        "journaled": shown.journaled,
        "kept": shown.kept,
        "broken": shown.broken,
        "broken_calls": shown.broken_calls,
        "late": {"over_20_ms": shown.late, "over_100_ms": shown.very_late},
        "packets_lost": shown.packets_lost,
        "spreads": {name: getattr(shown, name) for name in SPREADS},
        "processes": {name: getattr(shown, name) for name in PROCESSES},
        "pacer_late": shown.pacer_late,
        "other_processes": {"mean": shown.others_mean, "peak": shown.others_peak},
        "stolen": {"mean": shown.stolen_mean, "peak": shown.stolen_peak},
        "each_second": shown.samples,
    }
    return msgspec.json.format(msgspec.json.encode(data), indent=2)
