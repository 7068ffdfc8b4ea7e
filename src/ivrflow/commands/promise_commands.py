"""`ivrflow promises`: what callers were promised, what is due, and what became of it."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from ivrflow.commands.shared_options import Form, by_option, format_option, login_name
from ivrflow.runtime.journal_promises import (
    TAGS,
    NoSuchPromiseError,
    PromiseBook,
    PromiseSettledError,
    State,
    StoredPromise,
)
from ivrflow.runtime.journal_store import CALLBACK
from ivrflow.settings import SettingsError, read_settings
from ivrflow.timeline import show

TABLE_WIDTH = 250
"""Columns the table may take; one promise stays one line for grep."""

_AHEAD = re.compile(r"(\d{1,4})([mhd])")
_UNIT_S = {"m": 60.0, "h": 3600.0, "d": 86_400.0}
_NOW = "now"
_LONG_NUMBER = re.compile(r"\d(?:[ -]?\d){4,}")
_LONGEST_WHY = 300

_WHAT = {
    "enquiry": "an answer to the enquiry",
    "complaint": "an answer to the complaint",
    "other": "an answer to the matter",
    CALLBACK: "a call back",
}

_STYLES: dict[State, str] = {"open": "", "broken": "bold red", "kept": "green", "kept late": "yellow", "dropped": "dim"}


class _Ahead(click.ParamType[float]):
    """How far ahead to look, in seconds; `now` is 0."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401 - click's signature
        if value == _NOW:
            return 0.0
        if isinstance(value, float):
            return value
        hit = _AHEAD.fullmatch(value)
        if hit is None:
            self.fail(
                f"'{value}' is no length of time; write --due for now, or --due 30m, --due 2h, --due 3d", param, ctx
            )
        return int(hit[1]) * _UNIT_S[hit[2]]


class _Moment(click.ParamType[float]):
    """A local date and time that is past. Converted to Unix time in seconds."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401 - click's signature
        if isinstance(value, float):
            return value
        try:
            moment = datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError):
            self.fail(f"'{value}' is no point in time; write 2027-01-31T08:30", param, ctx)
        if moment > time.time():
            self.fail(f"{value} is still to come; note a promise when it is kept", param, ctx)
        return moment


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--due",
    type=_Ahead(),
    is_flag=False,
    flag_value=_NOW,
    metavar="[TIME]",
    help="Only what is due now, or within TIME: 30m, 2h, 3d. Exit code 1 when something of it is overdue.",
)
@click.option("--all", "everything", is_flag=True, help="Also what is kept and dropped.")
@click.option("--flow", metavar="FLOW", help="Only promises of this flow.")
@format_option
@click.pass_context
def promises(context: click.Context, *, due: float | None, everything: bool, flow: str | None, form: Form) -> None:
    """List what callers were promised: what is open, by due time.

    A promise begins on a call, where a rule of the standard promises an answer. Once it is past due and still open it
    is broken. The journal keeps it until somebody notes what became of it.

    \b
    Examples:
      ivrflow promises                                         what is open, the most urgent first
      ivrflow promises --due                                   what should have been answered by now
      ivrflow promises --due 2h                                and what falls due within two hours
      ivrflow trace pbx-1790000000.7                           the call on which it was promised
      ivrflow promises keep pbx-1790000000.7/1                 the answer was given, now
      ivrflow promises keep pbx-1790000000.7/1 --satisfied yes and the caller was satisfied with it
      ivrflow promises drop pbx-1790000000.7/1 --why "the caller took it back"
      ivrflow promises tag pbx-1790000000.7/1 key_account      for the key figures of `ivrflow report`

    An ID may be cut short as long as it is the only one that begins so. Exit code: 0; with --due 1 when something is
    overdue, so that a watchdog needs nothing else.
    """  # noqa: D301 - \b keeps the lines apart in --help
    if context.invoked_subcommand is not None:
        if due is not None or everything or flow is not None:
            raise click.UsageError(f"--due, --all and --flow belong to the list, not to '{context.invoked_subcommand}'")
        return
    now = time.time()
    with _book() as book:
        found = book.owed(flow=flow, due_by=None if due is None else now + due, with_settled=everything)
    if form == "json":
        click.echo(json.dumps([_told(promise, now) for promise in found], ensure_ascii=False, indent=2))
    elif found:
        show(_table(found, now), width=TABLE_WIDTH)
    else:
        click.echo("nothing is owed" if due is None else "nothing is due")
    if due is not None and any(promise.state(now) == "broken" for promise in found):
        sys.exit(1)


@promises.command()
@click.argument("promise", metavar="ID")
@click.option(
    "--satisfied", type=click.Choice(["yes", "no"]), help="What the person said about the answer; may be added later."
)
@click.option("--at", type=_Moment(), metavar="WHEN", help="When it was kept: 2027-01-31T08:30.  [default: now]")
@click.option("--closed", is_flag=True, help="The matter is over: nothing more is owed, though the rule asks for more.")
@click.option("--call", metavar="CALL", default="", help="The call that gave the answer, an id from `ivrflow calls`.")
@by_option
@format_option
def keep(
    *, promise: str, satisfied: str | None, at: float | None, closed: bool, call: str, by: str | None, form: Form
) -> None:
    """Note that a promise was kept: the answer was given.

    Where the rule owes the same again (daily feedback), or somebody else goes on (the manager, after the agent), the
    next promise begins now, unless --closed says that the matter is over.
    """
    now = time.time()
    with _book() as book:
        kept, following = book.keep(
            promise,
            at=now if at is None else at,
            by=by or login_name(),
            satisfied=None if satisfied is None else satisfied == "yes",
            is_closed=closed,
            call=call,
        )
    if form == "json":
        following_told = None if following is None else _told(following, now)
        click.echo(json.dumps({"kept": _told(kept, now), "next": following_told}, ensure_ascii=False, indent=2))
        return
    late = "" if kept.kept_at is None or kept.kept_at <= kept.due_at else f", {_span(kept.kept_at - kept.due_at)} late"
    click.echo(f"{kept.id} is kept{late}")
    if following is not None:
        click.echo(f"next: {following.id} is owed by {following.owed_by}, due {_local(following.due_at)}")


@promises.command()
@click.argument("promise", metavar="ID")
@click.option("--why", required=True, metavar="TEXT", help="The reason, without names and numbers of callers.")
@by_option
def drop(*, promise: str, why: str, by: str | None) -> None:
    """Give a promise up, with the reason: it counts neither as kept nor as broken."""
    if not why.strip() or len(why) > _LONGEST_WHY:
        raise click.UsageError(f"--why: write the reason, in at most {_LONGEST_WHY} characters")
    if _LONG_NUMBER.search(why):
        raise click.UsageError("--why: a caller's number does not belong in a reason; leave it out")
    with _book() as book:
        dropped = book.drop(promise, at=time.time(), by=by or login_name(), why=why.strip())
    click.echo(f"{dropped.id} is dropped: {dropped.why}")


@promises.command()
@click.argument("subject", metavar="ID")
@click.argument("names", metavar="TAG...", nargs=-1, required=True, type=click.Choice(TAGS))
@click.option("--remove", is_flag=True, help="Take the tags away instead.")
def tag(*, subject: str, names: tuple[str, ...], remove: bool) -> None:
    """Say what nobody can hear on the line, for the key figures of `ivrflow report`.

    ID is a promise, or a call: then the tag holds for all that was promised on it.

    \b
    cross_province   the complaint concerns another province
    key_account      the caller is a key account
    repeat           it was complained of before: the first answer came late or did not satisfy
    first            somebody looked, and it was not
    """  # noqa: D301 - \b keeps the lines apart in --help
    with _book() as book:
        tagged = book.tag(subject, names, is_removed=remove)
    click.echo(f"{tagged}: {', '.join(names)} {'removed' if remove else 'noted'}")


@contextmanager
def _book() -> Iterator[PromiseBook]:
    """The promises of the settings' journal; what is wrong with it or with the question ends with exit code 1."""
    try:
        book = PromiseBook(read_settings().journal)
        try:
            yield book
        finally:
            book.close()
    except (SettingsError, NoSuchPromiseError, PromiseSettledError) as problem:
        raise click.ClickException(str(problem)) from problem


# ── for programs ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _told(promise: StoredPromise, now: float) -> dict[str, Any]:
    return {
        "id": promise.id,
        "state": promise.state(now).replace(" ", "_"),
        "call": promise.call,
        "flow": promise.flow,
        "rule": promise.rule,
        "about": promise.about,
        "owed_by": promise.owed_by,
        "made_at": _iso(promise.made_at),
        "due_at": _iso(promise.due_at),
        "seconds_left": round(promise.due_at - now) if promise.is_open else None,
        "counted": promise.counted,
        "matter": promise.matter,
        "kept_at": _iso(promise.kept_at),
        "kept_by": promise.kept_by,
        "kept_by_call": promise.kept_by_call,
        "satisfied": promise.satisfied,
        "dropped_at": _iso(promise.dropped_at),
        "dropped_by": promise.dropped_by,
        "why": promise.why,
        "tags": list(promise.tags),
    }


def _iso(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")


# ── for people ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _table(found: Sequence[StoredPromise], now: float) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    cells: dict[str, Callable[[StoredPromise], str]] = {
        "due": lambda one: _local(one.due_at),
        "state": lambda one: _state(one, now),
        "promise": lambda one: one.id,
        "flow": lambda one: one.flow,
        "owed by": lambda one: one.owed_by,
        "what": lambda one: _WHAT.get(one.about, "an answer"),
        "rule": lambda one: one.rule,
        "counted": lambda one: one.counted,
        "tags": lambda one: ", ".join(one.tags),
    }
    for heading in cells:
        table.add_column(heading, no_wrap=True)
    for one in found:
        style = _STYLES[one.state(now)]
        table.add_row(*(Text(cell(one), style=style if name == "state" else "") for name, cell in cells.items()))
    return table


def _state(promise: StoredPromise, now: float) -> str:
    state = promise.state(now)
    if state == "open":
        return f"in {_span(promise.due_at - now)}"
    if state == "broken" and promise.failed_at is not None and now <= promise.due_at:
        return "BROKEN, all tries used up"
    if state == "broken":
        return f"BROKEN, {_span(now - promise.due_at)} overdue"
    return state


def _span(seconds: float) -> str:
    """Roughly how long: "45 min", "3 h 20 min", "2 d 4 h"."""
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{max(minutes, 0)} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def _local(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M")
