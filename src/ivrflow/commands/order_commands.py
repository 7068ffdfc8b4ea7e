"""Orders to the running engine: situations started and taken back on live calls, a caller sent on, a reload, who is there."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from datetime import datetime
from typing import NoReturn

import click
from rich.console import Console
from rich.table import Table

from ivrflow.bridge.orders.answered import CallSeen, Reply, What
from ivrflow.bridge.orders.giving import NotAsked, ask_engine
from ivrflow.commands.flow_commands import problem_as_json, problem_as_text
from ivrflow.commands.shared_options import Form, format_option
from ivrflow.flow.reading.syntax import counted
from ivrflow.service.reading_aside import LONGEST_S
from ivrflow.settings import Settings, SettingsError, read_settings

COULD_NOT_ASK = 2
"""Exit code when nobody could be asked."""

PIPE_WIDTH = 200
"""Columns of a table that goes somewhere else than to a terminal."""


@click.command()
@click.argument("call")
@click.argument("situation")
@format_option
def play(call: str, situation: str, form: Form) -> NoReturn:
    """Start SITUATION on the running call CALL: what its standard says is said, with its pauses and repeats.

    During a talk caller and agent hear it together, and cannot talk over it. It ends as the standard says, or when you
    take it back with `ivrflow cancel`.

    \b
      ivrflow live                                   which calls run?
      ivrflow play pbx-1795310660.0 noise            the line is noisy
      ivrflow play pbx-1795310660.0 harassment

    CALL is the call's id, or a beginning of it that no other running call has. SITUATION is a name of the flow's standard;
    `ivrflow standards coverage` lists them. Exit codes: 0 it began, 1 it did not, 2 the engine could not be asked.
    """  # noqa: D301 - \b keeps the lines apart in --help
    _order("situation", call, situation, form, ("started", "not started"))


@click.command()
@click.argument("call")
@format_option
def cancel(call: str, form: Form) -> NoReturn:
    """Take the situation that plays on CALL back, at any of its rungs; the call goes on where it was.

    Exit codes: 0 taken back, 1 there was none, 2 the engine could not be asked.
    """
    _order("cancel", call, "", form, ("taken back", "not taken back"))


@click.command()
@click.argument("call")
@format_option
def done(call: str, form: Form) -> NoReturn:
    """Say that the task the agent on CALL was asked to do is done: the lookup, the hold, the note.

    Exit codes: 0 noted, 1 no task waits, 2 the engine could not be asked.
    """
    _order("done", call, "", form, ("noted", "not noted"))


@click.command()
@click.argument("call")
@click.argument("word")
@format_option
def signal(call: str, word: str, form: Form) -> NoReturn:
    """Give WORD, a judgement that leaves what is being played on CALL: `understood`, `caller_agrees`, `refusal`.

    The words are the `leave_on` of the standard's rungs. Exit codes: 0 it was left, 1 it was not, 2 the engine could not
    be asked.
    """
    _order("signal", call, word, form, ("given", "no effect"))


@click.command()
@click.argument("call")
@click.argument("step")
@format_option
def transfer(call: str, step: str, form: Form) -> NoReturn:
    """Send the caller of the talk CALL to STEP, a transfer step to which the flow's agents may send callers.

    Exit codes: 0 the caller is on the way, 1 not sent, 2 the engine could not be asked.
    """
    _order("transfer", call, step, form, ("on the way", "not sent"))


def _order(what: What, call: str, word: str, form: Form, ends: tuple[str, str]) -> NoReturn:
    reply = _asked(what, call, word)
    if form == "json":
        _print({"done": reply.done, "call": reply.call, "words": list(reply.words)})
    else:
        click.echo(f"{ends[0] if reply.done else ends[1]}: {'; '.join(reply.words)}")
    sys.exit(0 if reply.done else 1)


@click.command()
@format_option
def live(form: Form) -> None:
    """List the calls that run now: since when, where they are, what they wait for, who talks with the caller.

    Callers' numbers are not shown; `ivrflow trace CALL --show-personal` knows them. Exit code 2: the engine could not be
    asked.
    """
    reply = _asked("live")
    if form == "json":
        _print([_call_as_json(each) for each in reply.calls])
        return
    if not reply.calls:
        click.echo("no call runs")
        return
    table = Table("call", "since", "lasts", "flow", "at", "waits for", "agent", box=None, pad_edge=False)
    now = datetime.now().astimezone().timestamp()
    for each in reply.calls:
        seconds = max(0, round(now - each.since))
        table.add_row(
            each.call,
            f"{_local(each.since):%H:%M:%S}",
            f"{seconds // 60}:{seconds % 60:02d}",
            each.flow,
            each.step,
            each.waiting_for,
            each.agent,
        )
    console().print(table)
    if reply.more_calls:
        click.echo(f"and {reply.more_calls} more")


def _call_as_json(seen: CallSeen) -> dict[str, str]:
    return {
        "call": seen.call,
        "flow": seen.flow,
        "since": _local(seen.since).isoformat(timespec="seconds"),
        "step": seen.step,
        "phase": seen.phase,
        "waiting_for": seen.waiting_for,
        "agent": seen.agent,
    }


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at).astimezone()


@click.command()
@format_option
def reload(form: Form) -> NoReturn:
    """Let the running engine read flows, standards and prompts anew, for the calls to come.

    Calls that run keep the flow they began with. When anything is not in order, nothing changes: every problem is told
    here and in the engine's log, and the old flows stay. Look before with `ivrflow check`.

    SIGHUP to `ivrflow serve` does the same, and tells the log alone. Exit codes: 0 reloaded, 1 refused, 2 the engine could
    not be asked.
    """
    reply = _asked("reload", seconds=LONGEST_S + 10, on_heard=lambda: click.echo("reading the flows …", err=True))
    if form == "json":
        problems = [problem_as_json(problem) for problem in reply.problems]
        _print({"done": reply.done, "words": list(reply.words), "problems": problems})
        sys.exit(0 if reply.done else 1)
    for problem in reply.problems:
        click.echo(problem_as_text(problem))
    if reply.done:
        click.echo("reloaded: " + "\n".join(reply.words))
        sys.exit(0)
    errors = sum(problem.severity == "error" for problem in reply.problems)
    click.echo("not reloaded: " + "\n".join((*([counted(errors, "problem")] if errors else []), *reply.words)))
    sys.exit(1)


def _asked(
    what: What, call: str = "", word: str = "", *, seconds: float = 5.0, on_heard: Callable[[], None] | None = None
) -> Reply:
    try:
        settings: Settings = read_settings(needs=("ami_secret",))
        return asyncio.run(ask_engine(settings, what, call, word, seconds=seconds, on_heard=on_heard))
    except (SettingsError, NotAsked) as problem:
        click.echo(str(problem), err=True)
        sys.exit(COULD_NOT_ASK)
    except ValueError:  # a header cannot be written: a line break in an argument
        click.echo("an argument holds a line break or another character no name has", err=True)
        sys.exit(COULD_NOT_ASK)


def _print(data: object) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


def console() -> Console:
    """Where tables go: as wide as the terminal, or wide enough to be cut by nobody."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=PIPE_WIDTH)
