"""`ivrflow agents`: who serves the queues, and logging them in and out, pausing them, making them ready."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Literal, TypeAlias, TypeVar

import click
import msgspec
from rich.table import Table

from ivrflow.bridge import queue_members
from ivrflow.bridge.ami_client import AmiClient
from ivrflow.bridge.ami_protocol import AmiError, AmiEvent
from ivrflow.bridge.queue_members import Member, NotPossible, QueueSeen
from ivrflow.commands.order_commands import COULD_NOT_ASK, console
from ivrflow.commands.shared_options import Form, format_option
from ivrflow.commands_on_demand import CommandsOnDemand
from ivrflow.settings import SettingsError, read_settings

_Result = TypeVar("_Result")
_Command = TypeVar("_Command", bound=Callable[..., object])
Did: TypeAlias = Literal["login", "logout", "pause", "ready"]

_WORDS: dict[Did, str] = {
    "login": "logged in to",
    "logout": "logged out of",
    "pause": "pauses in",
    "ready": "ready in",
}

_COMMANDS = {
    "codes": (
        "ivrflow.commands.code_commands:codes",
        "List what agents can key in a talk, for their desks; --format html to print.",
    ),
    "login": ("ivrflow.commands.agent_commands:login", "Log AGENT in: calls of the queue are offered from now on."),
    "logout": ("ivrflow.commands.agent_commands:logout", "Log AGENT out of every queue, or of those given."),
    "pause": (
        "ivrflow.commands.agent_commands:pause",
        "Offer AGENT no calls for now, in every queue or in those given.",
    ),
    "ready": (
        "ivrflow.commands.agent_commands:ready",
        "Offer AGENT calls again: ends a pause, and the rest after a talk.",
    ),
}


def _queue_option(command: _Command) -> _Command:
    return click.option(
        "--queue", "wanted", multiple=True, metavar="QUEUE", help="Only this queue; may be given several times."
    )(command)


@click.group(cls=CommandsOnDemand, listed=_COMMANDS, invoke_without_command=True)
@format_option
@click.pass_context
def agents(context: click.Context, form: Form) -> None:
    """List the queues and their agents; log agents in and out, pause them, make them ready.

    \b
      ivrflow agents                              queues, who is in them, what they do, since when
      ivrflow agents login 1001 --queue agents
      ivrflow agents pause 1001 --reason lunch
      ivrflow agents ready 1001
      ivrflow agents logout 1001
      ivrflow agents codes gov12345               the codes of a flow, as a list to print

    AGENT is the extension of the agent's telephone. Agents can do all this themselves by telephone: *11 log in, *12 log
    out, *13 pause, *14 ready. Exit codes: 0 done, 1 not possible, 2 Asterisk could not be asked.
    """  # noqa: D301 - \b keeps the lines apart in --help
    if context.invoked_subcommand is not None:
        return
    seen = _with_manager(queue_members.queues)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(seen)).decode())
        return
    if not seen:
        click.echo("Asterisk has no queue; write one into queues.conf")
        return
    _show(seen)


def _show(seen: Sequence[QueueSeen]) -> None:
    for queue in seen:
        click.echo(f"{queue.name}: {queue.waiting} waiting, {queue.served} served, {queue.given_up} gave up")
        if not queue.members:
            click.echo("  nobody is logged in")
            continue
        table = Table("agent", "state", "since", "calls taken", "last call ended", box=None, pad_edge=False)
        for member in queue.members:
            table.add_row(member.agent, _state(member), _at(member.since), str(member.calls), _at(member.last_call))
        console().print(table)


def _state(member: Member) -> str:
    words = {"gone": "telephone not there", "holding": "holds the caller"}.get(member.state, member.state)
    if not member.paused:
        return words
    reason = f" ({member.reason})" if member.reason else ""
    return f"pauses{reason}" + ("" if member.state == "free" else f", {words}")


def _at(unix: float) -> str:
    if not unix:
        return ""
    then = datetime.fromtimestamp(unix).astimezone()
    today = datetime.now().astimezone().date()
    return f"{then:%H:%M:%S}" if then.date() == today else f"{then:%Y-%m-%d %H:%M}"


@click.command()
@click.argument("agent")
@_queue_option
@click.option("--penalty", type=click.IntRange(0, 100), default=0, help="The lower, the earlier asked.")
@format_option
def login(agent: str, wanted: tuple[str, ...], penalty: int, form: Form) -> None:
    """Log AGENT in: calls of the queue are offered from now on.

    Without --queue: to the only queue there is.
    """
    _report("login", agent, form, lambda manager: queue_members.log_in(manager, agent, wanted, penalty))


@click.command()
@click.argument("agent")
@_queue_option
@format_option
def logout(agent: str, wanted: tuple[str, ...], form: Form) -> None:
    """Log AGENT out of every queue, or of those given. A talk under way goes on."""
    _report("logout", agent, form, lambda manager: queue_members.log_out(manager, agent, wanted))


@click.command()
@click.argument("agent")
@_queue_option
@click.option("--reason", default="", help="Shown in the list: lunch, training.")
@format_option
def pause(agent: str, wanted: tuple[str, ...], reason: str, form: Form) -> None:
    """Offer AGENT no calls for now, in every queue or in those given."""
    _report("pause", agent, form, lambda manager: queue_members.pause(manager, agent, wanted, reason))


@click.command()
@click.argument("agent")
@_queue_option
@format_option
def ready(agent: str, wanted: tuple[str, ...], form: Form) -> None:
    """Offer AGENT calls again: ends a pause, and the rest after a talk."""
    _report("ready", agent, form, lambda manager: queue_members.ready(manager, agent, wanted, time.time))


def _report(did: Did, agent: str, form: Form, order: Callable[[AmiClient], Awaitable[list[str]]]) -> None:
    there = _with_manager(order)
    if form == "json":
        click.echo(json.dumps({"agent": agent, "did": did, "queues": there}, ensure_ascii=False))
    elif there:
        click.echo(f"{agent} {_WORDS[did]} {', '.join(there)}")
    else:
        click.echo(f"{agent} was logged in already")


def _with_manager(order: Callable[[AmiClient], Awaitable[_Result]]) -> _Result:
    """Log in at the manager, do it, leave; say why it could not be done."""
    try:
        return asyncio.run(_done(order))
    except NotPossible as problem:
        click.echo(str(problem), err=True)
        sys.exit(1)
    except (SettingsError, AmiError) as problem:
        click.echo(str(problem), err=True)
        sys.exit(COULD_NOT_ASK)


async def _done(order: Callable[[AmiClient], Awaitable[_Result]]) -> _Result:
    settings = read_settings(needs=("ami_secret",))
    manager = AmiClient(
        settings.ami_host,
        settings.ami_port,
        settings.ami_user,
        settings.ami_secret,
        on_event=_nothing,
        on_up=lambda: None,
        on_down=_nothing,
    )
    try:
        await manager.start()
        return await order(manager)
    finally:
        await manager.close()


def _nothing(_event: AmiEvent | str) -> None:
    """What else happens in Asterisk is not of interest."""
