"""`ivrflow call`: let the running engine ring somebody, and show what becomes of it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

import click
import msgspec

from ivrflow.bridge.ami_client import AmiClient
from ivrflow.bridge.ami_protocol import AmiError, AmiEvent
from ivrflow.bridge.call_orders import Answer, CallWanted, call_off_fields, read_answer, wanted_fields
from ivrflow.settings import Settings, SettingsError, read_settings

Form: TypeAlias = Literal["text", "json"]

ENGINE_WITHIN_S = 5.0
"""Seconds the engine has to answer an order; it takes milliseconds."""

RINGS_AT_MOST_BEYOND_S = 10.0
"""Seconds beyond the longest ringing after which an engine that says nothing any more counts as gone."""

_COULD_NOT_ASK = 2


class NotAsked(Exception):
    """The order could not be given, or its answer was lost; says what to do."""


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
@click.option("--wait", is_flag=True, help="Wait until the call is over, and tell how it ended.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs.",
)
def call(number: str, flow: str, values: Sequence[str], form: Form, *, wait: bool) -> None:
    """Let the running engine ring NUMBER and go through FLOW with whoever picks up.

    \b
    The flow says whom it may ring, for how long, and in which hours nobody is disturbed (`places_calls`):
      ivrflow call 1001 --flow china_mobile
      ivrflow call 1001 --flow china_mobile --value surname=李 --value honorific=先生 --wait

    What happens is told on stderr while it happens, the result on stdout; `ivrflow trace CALL` has every detail, also of
    a call that nobody answered. Ctrl-C while it rings takes the call back; once somebody has picked up it goes on.

    Exit codes: 0 somebody picked up, 1 nobody did or the flow may not ring now, 2 the engine could not be asked.
    """  # noqa: D301 - \b keeps the lines apart in --help
    wanted = CallWanted(secrets.token_hex(8), flow, _number(number), _values(values))
    try:
        settings = read_settings(needs=("ami_secret",))
        report = asyncio.run(_Ordering(settings, wanted, wait=wait, progress=_Progress()).order())
    except (SettingsError, NotAsked) as problem:
        click.echo(str(problem), err=True)
        sys.exit(_COULD_NOT_ASK)
    click.echo(msgspec.json.format(msgspec.json.encode(report)).decode() if form == "json" else in_words(report))
    sys.exit(0 if report.state == "answered" else 1)


def _number(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,20}", text, flags=re.ASCII):
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


class _Progress:
    """What is told on stderr while it rings: a running count at a terminal, else one line."""

    def __init__(self) -> None:
        self._counts = sys.stderr.isatty()

    def ringing(self, call: str, seconds: float) -> None:
        click.echo(f"ringing, {seconds:g} s at most (call {call})", err=True)

    def rings(self, since: float) -> None:
        if self._counts:
            click.echo(f"\r  {since:3.0f} s ", err=True, nl=False)

    def rings_no_more(self) -> None:
        if self._counts:
            click.echo("\r        \r", err=True, nl=False)

    def say(self, text: str) -> None:
        click.echo(text, err=True)


class _Ordering:
    """One order, from the login at the manager to its last answer."""

    def __init__(self, settings: Settings, wanted: CallWanted, *, wait: bool, progress: _Progress) -> None:
        self._wanted = wanted
        self._wait = wait
        self._progress = progress
        self._answers: asyncio.Queue[Answer] = asyncio.Queue()
        self._lost = ""
        self._interrupted = asyncio.Event()
        self._manager = AmiClient(
            settings.ami_host,
            settings.ami_port,
            settings.ami_user,
            settings.ami_secret,
            on_event=self._said,
            on_up=lambda: None,
            on_down=self._manager_down,
        )

    async def order(self) -> Report:
        """Give the order and follow it.

        Raises:
            SettingsError: the manager cannot be reached, or refuses the login.
            NotAsked: no engine answers, or the connection broke.
        """
        await self._manager.start()
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotImplementedError):  # no such handlers on that platform: Ctrl-C just ends us
            loop.add_signal_handler(signal.SIGINT, self._interrupted.set)
        try:
            await self._manager.action("UserEvent", wanted_fields(self._wanted))
            return await self._follow()
        except AmiError as error:
            raise NotAsked(f"the order could not be given: {error}") from error
        finally:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(signal.SIGINT)
            await self._manager.close()

    async def _follow(self) -> Report:
        first = await self._next(ENGINE_WITHIN_S)
        if first is None:
            raise NotAsked(
                "no engine answers: is `ivrflow serve` running at this Asterisk, and does manager.conf give its user the "
                "class 'user' in 'read' and 'write'?"
            )
        if first.state == "refused":
            return Report(self._wanted.flow, "refused", first.call, why=first.why, again=first.again)
        rings = first.seconds or 0.0
        self._progress.ringing(first.call, rings)
        answer = await self._while_it_rings(rings + RINGS_AT_MOST_BEYOND_S)
        self._progress.rings_no_more()
        if answer.state == "over":
            state: Literal["cancelled", "not_answered"] = (
                "cancelled" if answer.outcome == "cancelled" else "not_answered"
            )
            return Report(self._wanted.flow, state, first.call, outcome=answer.outcome)
        report = Report(self._wanted.flow, "answered", first.call, rang_s=answer.seconds)
        if self._wait:
            self._progress.say("answered")
            over = await self._next(None)
            if over is None:
                self._progress.say("the call goes on without being watched")
            else:
                report.outcome, report.first_to_hang_up = over.outcome, over.by
        return report

    async def _while_it_rings(self, seconds: float) -> Answer:
        loop = asyncio.get_running_loop()
        since = loop.time()
        while loop.time() < since + seconds:
            answer = await self._next(1.0)
            if answer is not None:
                return answer
            if self._interrupted.is_set():
                self._interrupted.clear()
                await self._manager.action("UserEvent", call_off_fields(self._wanted.ask))
            self._progress.rings(loop.time() - since)
        raise NotAsked("the engine says nothing any more; look with: ivrflow calls")

    async def _next(self, seconds: float | None) -> Answer | None:
        """The next answer; None when none came in time, or somebody pressed Ctrl-C."""
        waiting = [asyncio.ensure_future(self._answers.get()), asyncio.ensure_future(self._interrupted.wait())]
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if self._lost:
                raise NotAsked(f"the manager connection broke ({self._lost}); look with: ivrflow calls")
            answered = waiting[0]
            result = answered.result() if answered.done() else None
            return result if isinstance(result, Answer) else None
        finally:
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def _said(self, event: AmiEvent) -> None:
        if event.name == "UserEvent" and (answer := read_answer(event, self._wanted.ask)) is not None:
            self._answers.put_nowait(answer)

    def _manager_down(self, reason: str) -> None:
        self._lost = reason
        self._interrupted.set()
