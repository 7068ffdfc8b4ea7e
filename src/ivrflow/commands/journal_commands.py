"""`ivrflow calls` and `ivrflow trace`: what the journal knows, for people and, with `--format json`, for programs.

Numbers, keys and names stay masked in both unless `--show-personal` is given.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click
import msgspec
from rich.table import Table
from rich.text import Text

from ivrflow.commands.recording_commands import recordings_of
from ivrflow.commands.shared_options import Form, format_option
from ivrflow.engine.trace import TraceLine
from ivrflow.runtime.journal_reader import CallSummary, JournalReader, NoSuchCallError, StoredCall
from ivrflow.runtime.journal_unfinished import lines_of
from ivrflow.settings import SettingsError, read_settings
from ivrflow.timeline import show, timeline

TABLE_WIDTH = 250
"""Columns the table of calls may take; one call stays one line for grep."""

_AGO = re.compile(r"(\d+)([smhdw])")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class _Moment(click.ParamType[float]):
    """A point in time: so long ago, or a local date, with or without a time. Converted to Unix time in seconds."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401 - click's signature
        if isinstance(value, float):
            return value
        ago = _AGO.fullmatch(value)
        if ago:
            return time.time() - int(ago[1]) * _UNIT_S[ago[2]]
        try:
            return datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError):
            self.fail(
                f"'{value}' is no point in time; write 2h, 30m or 7d, or 2027-01-31, or 2027-01-31T08:30", param, ctx
            )


def _common(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--show-personal", is_flag=True, help="Show callers' numbers and keys instead of masking them."),
        format_option,
    ):
        command = option(command)
    return command


@click.command()
@click.option(
    "--since", type=_Moment(), metavar="WHEN", help="Only calls since then: 2h, 7d, 2027-01-31, 2027-01-31T08:30."
)
@click.option("--flow", metavar="FLOW", help="Only calls of this flow.")
@click.option("--broken", is_flag=True, help="Only calls on which a rule was broken.")
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many, the newest ones."
)
@_common
def calls(*, since: float | None, flow: str | None, broken: bool, limit: int, form: Form, show_personal: bool) -> None:
    """List the calls in the journal, newest first."""
    with _reader(show_personal=show_personal) as reader:
        found = reader.calls(since=since, flow=flow, only_broken=broken, limit=limit)
    if form == "json":
        click.echo(json.dumps([_summary(call) for call in found], ensure_ascii=False, indent=2))
    elif found:
        show(_table(found, show_personal=show_personal), width=TABLE_WIDTH)
    else:
        click.echo("no calls")


@click.command()
@click.argument("call")
@_common
def trace(*, call: str, form: Form, show_personal: bool) -> None:
    """Show what happened on one call, with the verdict per rule.

    CALL is an id from `ivrflow calls`, the beginning of one, or "last".
    """
    with _reader(show_personal=show_personal) as reader:
        stored = reader.call(call)
    if form == "json":
        everything = {**_everything(stored), "recordings": _recordings(stored)}
        click.echo(json.dumps(everything, ensure_ascii=False, indent=2))
        return
    summary = stored.summary
    placed = ", placed by us" if summary.direction == "outbound" else ""
    click.echo(f"call {summary.call}, flow {summary.flow}, {_local(summary.arrived_at)}{placed}")
    if show_personal and summary.caller:
        click.echo(f"caller {summary.caller}")
    for file in _recordings(stored):
        click.echo(f"recorded in {file}")
    for note in _notes(stored):
        click.echo(f"note: {note}")
    click.echo()
    show(timeline(_lines(stored), stored.verdicts, lambda phrase: stored.phrases.get(phrase, "")))


@contextmanager
def _reader(*, show_personal: bool) -> Iterator[JournalReader]:
    """The journal of the settings; what is wrong with it or with the question ends the command with exit code 1."""
    try:
        reader = JournalReader(read_settings().journal, show_personal=show_personal)
        try:
            yield reader
        finally:
            reader.close()
    except (SettingsError, NoSuchCallError) as problem:
        raise click.ClickException(str(problem)) from problem


def _lines(stored: StoredCall) -> Sequence[TraceLine]:
    return stored.trace or lines_of(stored.happenings)


def _recordings(stored: StoredCall) -> list[str]:
    """The files recorded of the call that are still there."""
    return recordings_of(read_settings(), stored.summary.flow, stored.summary.call)


def _notes(stored: StoredCall) -> Iterator[str]:
    if stored.calls_back:
        yield f"placed to call back: {stored.calls_back}, asked for on the call {stored.calls_back.partition('/')[0]}"
    if not stored.summary.is_over:
        yield "no ending is stored: the call is live, or the engine stopped under it. Steps, waits and rules:"
        yield f"ivrflow replay {stored.summary.call}"
    if stored.missing:
        yield f"{stored.missing} lines of this call were lost when the journal could not be written"


# ── for programs ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _summary(call: CallSummary) -> dict[str, Any]:
    return {
        "call": call.call,
        "flow": call.flow,
        "arrived_at": datetime.fromtimestamp(call.arrived_at).astimezone().isoformat(),
        "seconds": round(call.lasted, 3),
        "direction": call.direction,
        "caller": call.caller,
        "outcome": call.outcome,
        "first_to_hang_up": call.ended_by,
        "kept": list(call.kept),
        "broken": list(call.broken),
    }


def _everything(stored: StoredCall) -> dict[str, Any]:
    lines = []
    for line in _lines(stored):
        fields = msgspec.to_builtins(line)
        if line.phrase:
            fields["text"] = stored.phrases.get(line.phrase, "")
        lines.append(fields)
    return {
        **_summary(stored.summary),
        "calls_back": stored.calls_back or None,
        "missing_lines": stored.missing,
        "trace": lines,
        "verdicts": msgspec.to_builtins(stored.verdicts),
    }


# ── for people ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _table(found: list[CallSummary], *, show_personal: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for heading in ("arrived", "call", "flow"):
        table.add_column(heading, no_wrap=True)
    if show_personal:
        table.add_column("caller", no_wrap=True)
    table.add_column("lasted", justify="right", no_wrap=True)
    table.add_column("outcome")
    table.add_column("hung up first", no_wrap=True)
    table.add_column("rules")
    for call in found:
        arrow = "→ " if call.direction == "outbound" else ""
        cells = [_local(call.arrived_at), call.call, arrow + call.flow]
        if show_personal:
            cells.append(call.caller)
        cells += [_minutes(call.lasted), _outcome(call), call.ended_by or "-"]
        table.add_row(*map(Text, cells), _rules(call))
    return table


def _outcome(call: CallSummary) -> str:
    return call.outcome.replace("_", " ") if call.outcome is not None else "no ending stored"


def _rules(call: CallSummary) -> Text:
    if not call.broken:
        return Text(f"{len(call.kept)} kept", style="green" if call.kept else "dim")
    named = ", ".join(rule.rpartition("/")[2] for rule in call.broken)
    return Text.assemble(f"{len(call.kept)} kept, ", (f"{len(call.broken)} BROKEN: {named}", "bold red"))


def _local(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
