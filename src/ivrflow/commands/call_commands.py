"""`ivrflow call`: let the running engine ring somebody, and show what becomes of it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

import click
import msgspec

from ivrflow.bridge.orders.giving import NotAsked
from ivrflow.bridge.orders.ordering_calls import Ordering
from ivrflow.bridge.orders.to_place_calls import Answer, CallWanted
from ivrflow.commands.shared_options import Form, format_option
from ivrflow.flow import notations
from ivrflow.runtime.journal_promises import NoSuchPromiseError, PromiseBook, PromiseSettledError
from ivrflow.settings import Settings, SettingsError, read_settings

RINGS_AT_MOST_BEYOND_S = 10.0
"""Seconds beyond the longest ringing after which an engine that says nothing any more counts as gone."""

_COULD_NOT_ASK = 2


class Report(msgspec.Struct, omit_defaults=True):
    """What became of the order, for machines.

    Attributes:
        state: answered, not_answered, refused, or cancelled: taken back while it rang.
        rang_s: seconds it rang before somebody picked up.
        outcome: how the call ended, where that is known.
        again: local time of the flow from which it may be ordered again.
    """

    flow: str
    state: Literal["answered", "not_answered", "refused", "cancelled"]
    call: str = ""
    rang_s: float | None = None
    outcome: str = ""
    first_to_hang_up: str = ""
    why: str = ""
    again: str = ""


@click.command()
@click.argument("number")
@click.option("--flow", "flow", required=True, metavar="FLOW", help="The flow that places the call; its id.")
@click.option(
    "--value",
    "values",
    multiple=True,
    metavar="NAME=VALUE",
    help="What a placeholder of the flow's phrases holds: surname=李. May be given several times.",
)
@click.option(
    "--promise", metavar="ID", help="What was promised this person: noted as kept by this call once somebody picks up."
)
@click.option("--wait", is_flag=True, help="Wait until the call is over, and tell how it ended.")
@format_option
def call(number: str, flow: str, values: Sequence[str], form: Form, *, promise: str | None, wait: bool) -> None:
    """Let the running engine ring NUMBER and go through FLOW with whoever picks up.

    \b
    The flow says whom it may ring, for how long, and in which hours nobody is disturbed (`places_calls`):
      ivrflow call 1001 --flow china_mobile
      ivrflow call 1001 --flow china_mobile --value surname=李 --value honorific=先生 --wait
      ivrflow call 1001 --flow china_mobile --promise pbx-1790000000.7/1

    What happens is told on stderr while it happens, the result on stdout; `ivrflow trace CALL` has every detail, also of
    a call that nobody answered. Ctrl-C while it rings takes the call back; once somebody has picked up it goes on.

    Exit codes: 0 somebody picked up, 1 nobody did or the flow may not ring now, 2 the engine could not be asked.
    """  # noqa: D301 - \b keeps the lines apart in --help
    wanted = CallWanted(secrets.token_hex(8), flow, _number(number), _values(values))
    try:
        settings = read_settings(needs=("ami_secret",))
        report = asyncio.run(place(settings, wanted, wait=wait, progress=Progress()))
    except (SettingsError, NotAsked) as problem:
        click.echo(str(problem), err=True)
        sys.exit(_COULD_NOT_ASK)
    click.echo(msgspec.json.format(msgspec.json.encode(report)).decode() if form == "json" else in_words(report))
    if promise is not None and report.state == "answered":
        _keep(settings, promise, report.call)
    sys.exit(0 if report.state == "answered" else 1)


def _keep(settings: Settings, promise: str, call: str) -> None:
    """Note that the call gave the answer that was promised; a call is worth more than its note, so nothing fails here."""
    try:
        book = PromiseBook(settings.journal)
        try:
            kept, following = book.keep(promise, at=time.time(), by="ivrflow call", call=call, is_call_certain=True)
        finally:
            book.close()
    except (SettingsError, NoSuchPromiseError, PromiseSettledError) as problem:
        click.echo(f"the promise is not noted as kept: {problem}", err=True)
        return
    click.echo(f"{kept.id} is kept" + (f"; {following.id} is owed next" if following else ""), err=True)


def _number(text: str) -> str:
    if not notations.EXTENSION.fullmatch(text):
        raise click.BadParameter("write its digits, at most 20", param_hint="NUMBER")
    return text


def _values(texts: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"[a-z0-9][a-z0-9_]*", name) or not value:
            raise click.BadParameter("write NAME=VALUE, for example surname=李", param_hint="--value")
        values[name] = value
    return values


def in_words(report: Report) -> str:
    """The result as a sentence."""
    trace = f"ivrflow trace {report.call}"
    match report.state:
        case "answered":
            text = f"answered after {report.rang_s or 0:.1f} s of ringing"
            if report.outcome:
                by = f", {report.first_to_hang_up} hung up first" if report.first_to_hang_up else ""
                text += f"; ended: {report.outcome.replace('_', ' ')}{by}"
            return f"{text}; {trace}"
        case "not_answered":
            return f"not answered: {report.outcome.replace('_', ' ')}; {trace}"
        case "cancelled":
            return f"taken back while it rang; {trace}"
        case "refused":
            again = f"; allowed again from {_local(report.again)}" if report.again else ""
            return f"not placed: {report.why}{again}"


def _local(text: str) -> str:
    try:
        return f"{datetime.fromisoformat(text):%A %Y-%m-%d %H:%M}"
    except ValueError:
        return text


class Progress:
    """What is told on stderr while it rings: a running count at a terminal, else one line."""

    def __init__(self) -> None:
        self._counts = sys.stderr.isatty()

    def ringing(self, call: str, seconds: float) -> None:
        """Say for how long it may ring."""
        click.echo(f"ringing, {seconds:g} s at most (call {call})", err=True)

    def rings(self, since: float) -> None:
        """Say for how many seconds it has been ringing."""
        if self._counts:
            click.echo(f"\r  {since:3.0f} s ", err=True, nl=False)

    def rings_no_more(self) -> None:
        """Leave nothing of the count."""
        if self._counts:
            click.echo("\r        \r", err=True, nl=False)

    def say(self, text: str) -> None:
        """Say something else."""
        click.echo(text, err=True)


async def place(settings: Settings, wanted: CallWanted, *, wait: bool, progress: Progress) -> Report:
    """Give the order and follow it until somebody has picked up, or with `wait` until the call is over.

    Raises:
        SettingsError: the manager cannot be reached, or refuses the login.
        NotAsked: no engine answers, or the connection broke.
    """
    async with Ordering(settings, wanted) as ordering:
        with _interruptions() as interrupted:
            first = await ordering.give()
            if first.state == "refused":
                return Report(wanted.flow, "refused", first.call, why=first.why, again=first.again)
            progress.ringing(first.call, first.seconds or 0.0)
            answer = await _while_it_rings(ordering, first.seconds or 0.0, interrupted, progress)
            progress.rings_no_more()
            if answer.state == "over":
                state: Literal["cancelled", "not_answered"] = (
                    "cancelled" if answer.outcome == "cancelled" else "not_answered"
                )
                return Report(wanted.flow, state, first.call, outcome=answer.outcome)
            report = Report(wanted.flow, "answered", first.call, rang_s=answer.seconds)
            if wait:
                progress.say("answered")
                over = await _next(ordering, interrupted)
                if over is None:
                    progress.say("the call goes on without being watched")
                else:
                    report.outcome, report.first_to_hang_up = over.outcome, over.by
            return report


async def _while_it_rings(ordering: Ordering, rings: float, interrupted: asyncio.Event, progress: Progress) -> Answer:
    loop = asyncio.get_running_loop()
    since = loop.time()
    while loop.time() < since + rings + RINGS_AT_MOST_BEYOND_S:
        answer = await _next(ordering, interrupted, 1.0)
        if answer is not None:
            return answer
        if interrupted.is_set():
            interrupted.clear()
            await ordering.take_back()
        progress.rings(loop.time() - since)
    raise NotAsked("the engine says nothing any more; look what became of it with: ivrflow calls")


async def _next(ordering: Ordering, interrupted: asyncio.Event, seconds: float | None = None) -> Answer | None:
    """The next answer; None when none came in time, or somebody pressed Ctrl-C."""
    answer = asyncio.ensure_future(ordering.next(seconds))
    stop = asyncio.ensure_future(interrupted.wait())
    try:
        await asyncio.wait((answer, stop), return_when=asyncio.FIRST_COMPLETED)
        return answer.result() if answer.done() else None
    finally:
        answer.cancel()
        stop.cancel()
        await asyncio.gather(answer, stop, return_exceptions=True)


@contextlib.contextmanager
def _interruptions() -> Iterator[asyncio.Event]:
    """An event that Ctrl-C sets instead of ending us."""
    loop, interrupted = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_signal_handler(signal.SIGINT, interrupted.set)
    except (NotImplementedError, RuntimeError, ValueError):  # not on every platform, and only in the main thread
        yield interrupted
        return
    try:
        yield interrupted
    finally:
        loop.remove_signal_handler(signal.SIGINT)
