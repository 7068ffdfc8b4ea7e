"""`ivrflow callbacks`: who waits to be called back, which tries were made, what became of each."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from ivrflow.commands.shared_options import Form, by_option, format_option, login_name
from ivrflow.runtime.journal_callbacks import (
    STATES,
    CallbackBook,
    CallbackSettledError,
    CallbackState,
    NoSuchCallbackError,
    StoredCallback,
)
from ivrflow.runtime.journal_reader import MASK
from ivrflow.settings import SettingsError, read_settings
from ivrflow.timeline import show

TABLE_WIDTH = 250
"""Columns the table may take; one callback stays one line for grep."""

_OPEN: tuple[CallbackState, ...] = ("waiting", "placed")
_LONG_NUMBER = re.compile(r"\d(?:[ -]?\d){4,}")
_LONGEST_WHY = 300
_STYLES: dict[CallbackState, str] = {
    "waiting": "",
    "placed": "bold",
    "kept": "green",
    "given_up": "bold red",
    "cancelled": "dim",
}


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--state",
    "states",
    type=click.Choice(STATES),
    multiple=True,
    help="Only callbacks in this state; may be given several times.  [default: waiting and placed]",
)
@click.option("--all", "everything", is_flag=True, help="Also what is kept, given up and cancelled.")
@click.option("--flow", metavar="FLOW", help="Only callbacks that this flow places.")
@click.option("--show-personal", is_flag=True, help="Show whom to ring instead of masking it.")
@format_option
@click.pass_context
def callbacks(
    context: click.Context,
    *,
    states: tuple[CallbackState, ...],
    everything: bool,
    flow: str | None,
    show_personal: bool,
    form: Form,
) -> None:
    """List who waits to be called back, the most urgent first.

    A caller asked for it on a call. The running engine rings them within the hours of the flow that places the call, and
    again when nobody picks up, as often as the flow says. Each is a promise too, with the same ID: kept once somebody
    picks up, broken when all tries are used up.

    \b
    Examples:
      ivrflow callbacks                                        who waits, and who is being rung
      ivrflow callbacks --state given_up                       whom nobody reached: call them yourself, then
      ivrflow promises keep pbx-1790000000.7/callback-1        note that it was kept after all
      ivrflow callbacks --all --format json
      ivrflow callbacks cancel pbx-1790000000.7 --why "a colleague called already"

    \b
    waiting     the next try is still to come
    placed      the telephone rings
    kept        somebody picked up
    given_up    all tries are used up, or the call can never be placed; the reason stands beside it
    cancelled   somebody took it back
    """  # noqa: D301 - \b keeps the lines apart in --help
    if context.invoked_subcommand is not None:
        if states or everything or flow is not None:
            raise click.UsageError(
                f"--state, --all and --flow belong to the list, not to '{context.invoked_subcommand}'"
            )
        return
    if states and everything:
        raise click.UsageError("--state and --all contradict each other; write one of them")
    now = time.time()
    with _book() as book:
        found = book.listed(STATES if everything else states or _OPEN, flow=flow)
    if form == "json":
        told = [_told(callback, now, show_personal=show_personal) for callback in found]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    elif found:
        show(_table(found, now, show_personal=show_personal), width=TABLE_WIDTH)
    else:
        click.echo("nobody waits to be called back" if not (states or everything) else "no callbacks")


@callbacks.command()
@click.argument("callback", metavar="ID")
@click.option("--why", required=True, metavar="TEXT", help="The reason, without names and numbers of callers.")
@by_option
@format_option
def cancel(*, callback: str, why: str, by: str | None, form: Form) -> None:
    """Take a callback back: nobody is rung for it any more, and its promise is dropped.

    ID is one of the list, its beginning, or the call's when only one callback of that call is open. A telephone that rings
    already rings on; whoever picks up was called back.
    """
    if not why.strip() or len(why) > _LONGEST_WHY:
        raise click.UsageError(f"--why: write the reason, in at most {_LONGEST_WHY} characters")
    if _LONG_NUMBER.search(why):
        raise click.UsageError("--why: a caller's number does not belong in a reason; leave it out")
    now = time.time()
    with _book() as book:
        cancelled = book.cancel(callback, at=now, by=by or login_name(), why=why.strip())
    if form == "json":
        click.echo(json.dumps(_told(cancelled, now, show_personal=False), ensure_ascii=False, indent=2))
    else:
        click.echo(f"{cancelled.id} is cancelled: {cancelled.why}")


@contextmanager
def _book() -> Iterator[CallbackBook]:
    """The callbacks of the settings' journal; what is wrong with it or with the question ends with exit code 1."""
    try:
        book = CallbackBook(read_settings().journal)
        try:
            yield book
        finally:
            book.close()
    except (SettingsError, NoSuchCallbackError, CallbackSettledError) as problem:
        raise click.ClickException(str(problem)) from problem


# ── for programs ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _told(callback: StoredCallback, now: float, *, show_personal: bool) -> dict[str, Any]:
    return {
        "id": callback.id,
        "state": callback.state,
        "call": callback.call,
        "flow": callback.flow,
        "caller": callback.caller if show_personal else MASK * 3,
        "made_at": _iso(callback.made_at),
        "due_at": _iso(callback.due_at),
        "seconds_late": round(callback.late_by(now)),
        "tries": callback.tries,
        "tried": callback.tried,
        "retry_after": callback.retry_after,
        "next_at": _iso(callback.next_at) if callback.state == "waiting" else None,
        "settled_at": _iso(callback.settled_at),
        "why": callback.why or None,
        "calls": [
            {"call": one.call, "placed_at": _iso(one.placed_at), "outcome": one.outcome or None}
            for one in callback.made
        ],
    }


def _iso(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")


# ── for people ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _table(found: Sequence[StoredCallback], now: float, *, show_personal: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    cells: dict[str, Callable[[StoredCallback], str]] = {
        "due": lambda one: _local(one.due_at),
        "state": lambda one: one.state.replace("_", " "),
        "late": lambda one: _minutes(one.late_by(now)) if one.late_by(now) else "",
        "callback": lambda one: one.id,
        "flow": lambda one: one.flow,
        "whom": lambda one: one.caller,
        "tries": lambda one: f"{one.tried} of {one.tries}",
        "next try": lambda one: _local(one.next_at) if one.next_at is not None and one.state == "waiting" else "",
        "calls": lambda one: ", ".join(
            f"{a_try.call} {(a_try.outcome or 'rings').replace('_', ' ')}" for a_try in one.made
        ),
        "why": lambda one: one.why,
    }
    if not show_personal:
        del cells["whom"]
    for heading in cells:
        table.add_column(heading, no_wrap=True)
    for one in found:
        styles = {"state": _STYLES[one.state], "late": "bold red"}
        table.add_row(*(Text(cell(one), style=styles.get(name, "")) for name, cell in cells.items()))
    return table


def _minutes(seconds: float) -> str:
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _local(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M")
