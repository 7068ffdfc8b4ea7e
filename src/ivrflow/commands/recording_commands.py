"""`ivrflow recordings` and `ivrflow messages`: what was recorded, and deleting what is too old."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from ivrflow.bridge.recording_files import (
    KEEP_DAYS,
    Kind,
    RecordedFile,
    RecordingRefusedError,
    prune,
    recorded,
    recording_of,
)
from ivrflow.commands.shared_options import Form, format_option
from ivrflow.flow.problems import FlowError
from ivrflow.flow_files import load_flows
from ivrflow.service.recordings_kept import recordings_kept
from ivrflow.settings import Settings, SettingsError, read_settings
from ivrflow.timeline import show

TABLE_WIDTH = 250
"""Columns the table may take; one recording stays one line for grep."""

_CALL = click.option("--call", metavar="CALL", default="", help="Only of this call: its id, or the beginning of it.")
_FLOW = click.option("--flow", metavar="FLOW", help="Only of calls of this flow.")


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@_CALL
@_FLOW
@format_option
@click.pass_context
def recordings(context: click.Context, *, call: str, flow: str | None, form: Form) -> None:
    """List the recorded calls, newest first.

    \b
    Examples:
      ivrflow recordings                              when, how long, which call, which file
      ivrflow recordings --call pbx-1790000000.7      the recording of that call
      ivrflow recordings prune                        delete now what is older than its flow says

    Whose call it was is in the journal: `ivrflow trace CALL`. Who may listen is said in docs/recordings.md.
    """  # noqa: D301 - \b keeps the lines apart in --help
    if context.invoked_subcommand is not None:
        if call or flow is not None:
            raise click.UsageError(f"--call and --flow belong to the list, not to '{context.invoked_subcommand}'")
        return
    _list("call", [file for file in _found("call") if file.call.startswith(call) and flow in {None, file.flow}], form)


@recordings.command("prune")
def prune_() -> None:
    """Delete recordings older than `recording.keep` of their flow says, and messages older than the settings say.

    `ivrflow serve` does the same when it starts and once a day.
    """
    with _problems_told():
        settings = read_settings()
        days = recordings_kept(load_flows([settings.flows]).values())
        today = datetime.now().astimezone().date()
        gone = prune(
            settings.recordings_dir, today, lambda flow: days.get(flow, KEEP_DAYS), settings.messages_keep_days
        )
    click.echo("nothing is too old" if not gone else f"{gone} deleted")


@click.command()
@_CALL
@_FLOW
@click.option("--box", metavar="BOX", help="Only of this message box.")
@format_option
def messages(*, call: str, flow: str | None, box: str | None, form: Form) -> None:
    """List the messages callers left, newest first.

    \b
    Examples:
      ivrflow messages                    when, how long, which box, which call, which file
      ivrflow messages --box voicemail    those of one box
      ivrflow messages --format json      for programs
    """  # noqa: D301 - \b keeps the lines apart in --help
    found = [file for file in _found("message") if file.call.startswith(call)]
    _list("message", [file for file in found if flow in {None, file.flow} and box in {None, file.box}], form)


def recordings_of(settings: Settings, flow: str, call: str) -> list[str]:
    """The files recorded of that call: the call itself first, then the messages kept from it."""
    try:
        whole = recording_of(settings.recordings_dir, flow, call)
        left = [file for file in recorded(settings.recordings_dir, "message") if file.call == call]
    except (RecordingRefusedError, OSError):  # who may not look into the folder may look into the journal all the same
        return []
    return [str(path) for path in ([whole] if whole else []) + [file.path for file in left]]


def _found(kind: Kind) -> list[RecordedFile]:
    with _problems_told():
        found = list(recorded(read_settings().recordings_dir, kind))
    return sorted(found, key=lambda file: (file.began_at, file.path), reverse=True)


@contextmanager
def _problems_told() -> Iterator[None]:
    try:
        yield
    except (SettingsError, FlowError, RecordingRefusedError) as problem:
        raise click.ClickException(str(problem)) from problem


def _list(kind: Kind, found: Sequence[RecordedFile], form: Form) -> None:
    if form == "json":
        click.echo(json.dumps([_told(file) for file in found], ensure_ascii=False, indent=2))
    elif found:
        show(_table(kind, found), width=TABLE_WIDTH)
    else:
        click.echo("no recordings" if kind == "call" else "no messages")


def _told(file: RecordedFile) -> dict[str, Any]:
    told: dict[str, Any] = {
        "call": file.call,
        "flow": file.flow,
        "began_at": datetime.fromtimestamp(file.began_at).astimezone().isoformat(),
        "seconds": file.seconds,
        "file": str(file.path),
    }
    return told if file.kind == "call" else {**told, "box": file.box, "number": file.number}


def _table(kind: Kind, found: Sequence[RecordedFile]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for heading in ("began", "call", "flow", *(("box",) if kind == "message" else ())):
        table.add_column(heading, no_wrap=True)
    table.add_column("lasts", justify="right", no_wrap=True)
    table.add_column("file", no_wrap=True)
    for file in found:
        began = datetime.fromtimestamp(file.began_at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        box = (file.box,) if kind == "message" else ()
        table.add_row(*map(Text, (began, file.call, file.flow, *box, _minutes(file.seconds), str(file.path))))
    return table


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
