"""`ivrflow try` and `ivrflow replay`: a call without a PBX, and a journaled call once more."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click
import msgspec

from ivrflow.commands.shared_options import Form, format_option
from ivrflow.engine.messages import CallEvent
from ivrflow.engine.trace import Judgement
from ivrflow.flow.compiling.compiler import compile_flow
from ivrflow.flow.compiling.glances import is_flow
from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import FlowError, Location, Problem, did_you_mean
from ivrflow.flow.reading.times import read_time
from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex, ahead_folder
from ivrflow.runtime.journal_reader import JournalReader, NoSuchCallError, StoredCall
from ivrflow.settings import Settings, SettingsError, read_settings
from ivrflow.simulator.agents import AgentChange, read_agent
from ivrflow.simulator.call_file import (
    USUAL_TIME,
    CallFile,
    Lengths,
    play,
    read_call_file,
    write_call_file,
)
from ivrflow.simulator.called import Called, read_called
from ivrflow.simulator.caller import Vocabulary
from ivrflow.simulator.caller_commands import Bare, Command, StartSituation
from ivrflow.simulator.look_ups import LookUp, read_look_up
from ivrflow.simulator.queues import QueueChange, read_queue
from ivrflow.simulator.replay import Replay
from ivrflow.simulator.replay import replay as replay_call
from ivrflow.simulator.terminal import Teller, Terminal

_UNTRIED = 2
"""Exit code when there is no verdict, because there was no call."""


def _read_at(_context: click.Context, _parameter: click.Parameter, text: str | None) -> datetime | None:
    try:
        return read_time(text) if text else None
    except ValueError as problem:
        raise click.BadParameter("; ".join(problem.args)) from None


def _read_agents(_context: click.Context, _parameter: click.Parameter, texts: Sequence[str]) -> list[AgentChange]:
    try:
        return [read_agent(text) for text in texts]
    except ValueError as problem:
        raise click.BadParameter("; ".join(problem.args)) from None


def _read_queues(_context: click.Context, _parameter: click.Parameter, texts: Sequence[str]) -> list[QueueChange]:
    try:
        return [read_queue(text) for text in texts]
    except ValueError as problem:
        raise click.BadParameter("; ".join(problem.args)) from None


def _read_look_up(_context: click.Context, _parameter: click.Parameter, text: str | None) -> LookUp | None:
    try:
        return read_look_up(text) if text else None
    except ValueError as problem:
        raise click.BadParameter("; ".join(problem.args)) from None


def _read_called(_context: click.Context, _parameter: click.Parameter, text: str | None) -> Called | None:
    try:
        return read_called(text) if text else None
    except ValueError as problem:
        raise click.BadParameter("; ".join(problem.args)) from None


@click.command("try")
@click.argument("flow_name", metavar="FLOW")
@click.option(
    "--caller",
    "script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A script or a .call file instead of the terminal.",
)
@click.option(
    "--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the call, commands and transcript."
)
@click.option(
    "--at", callback=_read_at, metavar="TIME", help=f"Local time of the call.  [default: {USUAL_TIME:%Y-%m-%dT%H:%M}]"
)
@click.option("--situation", metavar="NAME", help="Start this situation as soon as ivrflow first waits for the caller.")
@click.option(
    "--agent",
    "agents",
    multiple=True,
    callback=_read_agents,
    metavar="WORDS",
    help='How agents behave: "answers 4s talks 60s", "1001 busy", "away". May be given several times.',
)
@click.option(
    "--queue",
    "queues",
    multiple=True,
    callback=_read_queues,
    metavar="WORDS",
    help='How a queue behaves: "agents 1001 answers 12s", "agents nobody", "agents full".',
)
@click.option(
    "--lookup",
    "look_up",
    callback=_read_look_up,
    metavar="WORDS",
    help='How look-ups end: "answers 2s status=open", "wrong", "fails", "never".',
)
@click.option(
    "--called",
    callback=_read_called,
    metavar="WORDS",
    help='Let the flow place the call; how the person rung behaves: "answers 4s", "busy", "refuses", "away".',
)
@click.option(
    "--lengths",
    type=click.Choice(["recordings", "wording"]),
    help="How long a prompt takes: as its recording, or 0.22 s a character, which no new recording changes.",
)
@format_option
def try_(
    flow_name: str,
    script: Path | None,
    save: Path | None,
    at: datetime | None,
    situation: str | None,
    agents: list[AgentChange],
    queues: list[QueueChange],
    look_up: LookUp | None,
    called: Called | None,
    lengths: Lengths | None,
    form: Form,
) -> None:
    """Be the caller of FLOW (its id, or a path) without a PBX: the same engine on a virtual clock.

    \b
    At the terminal type keys, or a command; an empty line lets time pass until the next thing happens:
      1              press 1                     /speech 2s     speak for two seconds
      123#           press four keys             /silence 5s    say nothing for five seconds
      /hangup        hang up                     /help          everything else

    \b
    Examples:
      ivrflow try gov12345                                 by hand
      echo 1 | ivrflow try gov12345                        press 1 at once, then stay silent
      ivrflow try gov12345 --caller impatient.call         a scripted caller
      ivrflow try gov12345 --situation harassment          one rule of the standard, by name
      ivrflow try gov12345 --at 2026-11-20T23:30           at night
      ivrflow try gov12345 --agent "busy" --save busy.call
      ivrflow try china_mobile --called away               a call the flow places, and nobody picks up

    A script ends with the caller silent until the call is over; /quit leaves it as it is. Nothing here takes longer than
    you do: the clock jumps. docs/try.md tells more.

    Exit codes: 0 no rule broken, 1 a rule broken, 2 the call could not be tried.
    """  # noqa: D301 - \b keeps the lines apart in --help
    with _refusals():
        flow = _find_flow(flow_name, read_settings())
        vocabulary = Vocabulary.of(flow)
        call = _call_file(script)
        opening = _opening(situation, vocabulary)
        commands = [*opening, *call.commands(vocabulary)]
        _check_names(vocabulary, queues, look_up)
    call.flow, call.at, call.lengths = flow.id, at or call.at, lengths or call.lengths
    call.agents += agents
    call.queues += queues
    call.look_up = look_up or call.look_up
    call.called = called or call.called
    with _refusals():
        simulation = call.place(flow)
    teller = Teller(simulation, as_json=form == "json")
    mistakes = 0
    if script is not None:
        for command, remark in play(simulation, commands):
            click.echo(f"{script}: note: {command} was not done: {remark}", err=True)
    else:
        terminal = Terminal(simulation, vocabulary, teller)
        for command in commands:
            terminal.do(command)
        terminal.converse()
        commands, mistakes = terminal.commands, 0 if sys.stdin.isatty() else terminal.mistakes
    teller.tell_end()
    if save is not None:
        _save(save, write_call_file(call, commands, simulation))
    broken = any(verdict.judgement is Judgement.BROKEN for verdict in simulation.session.verdicts)
    sys.exit(_UNTRIED if mistakes else int(broken))


def _check_names(vocabulary: Vocabulary, queues: Sequence[QueueChange], look_up: LookUp | None) -> None:
    """Whether the flow has the queues and fields that the options name."""
    option = "--queue"
    try:
        for change in queues:
            vocabulary.check_queue(change)
        option = "--lookup"
        if look_up:
            vocabulary.check_look_up(look_up)
    except ValueError as problem:
        raise click.BadParameter("; ".join(problem.args), param_hint=option) from None


@contextmanager
def _refusals() -> Iterator[None]:
    """What an author, operator or tester can mend is said once, and the call not placed."""
    try:
        yield
    except FlowError as error:
        click.echo(str(error), err=True)
        sys.exit(_UNTRIED)
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(_UNTRIED)


def _find_flow(name: str, settings: Settings) -> CallFlow:
    """The flow with this id in the flows' folder, or the one in this file; prompts not yet recorded are estimated.

    Raises:
        FlowError: it is not in order.
        SettingsError: an index of prompts is damaged.
        click.BadParameter: there is no such flow.
    """
    path, in_folder = Path(name), settings.flows / f"{name}.yaml"
    if path.is_file():
        flows = load_flows([path])
        flow = next(iter(flows.values()), None)
    else:  # a flow with a mistake must not stand in the way of another
        flows = load_flows([in_folder if in_folder.is_file() else settings.flows])
        flow = flows.get(name)
    if flow is None:
        raise click.BadParameter(
            f"there is no flow '{name}' in {settings.flows}, and no such file; {did_you_mean(name, flows)}".rstrip(
                "; "
            ),
            param_hint="FLOW",
        )
    index = PromptIndex.load(settings.masters, ahead_folder(settings.prompts_dir))
    return replace(flow, prompts=index.catalogue().spoken_by(flow.voice))


def _call_file(script: Path | None) -> CallFile:
    if script is None:
        return CallFile("<terminal>")
    try:
        return read_call_file(script.read_text(encoding="utf-8"), str(script))
    except UnicodeDecodeError as error:
        problem = Problem(Location(str(script), 1, 1), "this is not UTF-8 text", "save it as UTF-8")
        raise FlowError([problem]) from error


def _opening(situation: str | None, vocabulary: Vocabulary) -> list[Command]:
    """What comes before the tester's own commands: listen until it is the caller's turn, then start the situation."""
    if situation is None:
        return []
    if situation not in vocabulary.situations:
        raise click.BadParameter(
            f"the flow knows no situation '{situation}'; {did_you_mean(situation, vocabulary.situations)}",
            param_hint="--situation",
        )
    return [Bare.LISTEN, StartSituation(situation)]


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        click.echo(f"{path} was not written: {error.strerror}", err=True)
        sys.exit(_UNTRIED)
    click.echo(f"saved {path}", err=True)


# ── replay ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@click.command()
@click.argument("call", metavar="CALL")
@click.option(
    "--flow",
    "edited",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another flow file instead of the one the call walked: what would have been different?",
)
@format_option
def replay(call: str, edited: Path | None, form: Form) -> None:
    """Put a journaled CALL (its id, the beginning of its id, or "last") through the engine again and compare.

    \b
    The journal holds the flow and the lengths of the prompts as they were, so the same engine must answer the same:
      ivrflow replay last
      ivrflow replay 1795255402.17 --flow callflows/gov12345.yaml     how an edited flow would have answered

    Exit codes: 0 identical, 1 the answers part (where, and how), 2 the call could not be replayed.
    """  # noqa: D301 - \b keeps the lines apart in --help
    with _refusals():
        stored = _stored(call, read_settings())
        original = _flow_as_it_was(stored)
        report = (
            replay_call(_edited(edited, stored), stored.happenings, original)
            if edited
            else replay_call(original, stored.happenings)
        )
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(_as_data(stored, report)), indent=2).decode())
    else:
        click.echo(_in_words(report))
    if stored.missing:
        click.echo(
            f"{stored.missing} events of this call never reached the journal: no replay of it is exact", err=True
        )
    sys.exit(0 if report.parting is None else 1)


def _flow_as_it_was(stored: StoredCall) -> CallFlow:
    """The flow and the prompts that the call had, compiled again from the journal.

    Raises:
        FlowError: this version of ivrflow does not understand it any more.
    """
    main = next(file for file, text in stored.source.items() if is_flow(text, file))
    return replace(compile_flow(stored.source, main), prompts=stored.prompts)


def _edited(path: Path, stored: StoredCall) -> CallFlow:
    """The flow in a file, with the lengths of the prompts as they were: the edit shall be the only difference.

    Raises:
        FlowError: it is not in order.
    """
    (flow,) = load_flows([path]).values()
    return replace(flow, prompts=stored.prompts)


def _stored(call: str, settings: Settings) -> StoredCall:
    reader = JournalReader(settings.journal, show_personal=True)  # a replay needs the very keys; none are printed
    try:
        return reader.call(call)
    except NoSuchCallError as error:
        raise click.BadParameter(str(error), param_hint="CALL") from None
    finally:
        reader.close()


def _in_words(report: Replay) -> str:
    parting = report.parting
    if parting is None:
        return f"identical: {_counted(report)}"
    if parting.waited_for:
        begin = f"the answers part before event {parting.number}, second {parting.at:.2f}: {parting.waited_for} is up"
    else:
        begin = f"the answers part at event {parting.number}, second {parting.at:.2f}: {_name(parting.event)}"
    nothing = "nothing: the call was over by then" if parting.over_before else "nothing"
    return "\n".join(
        [
            begin,
            *(f"  expected  {action}" for action in parting.expected or ("nothing",)),
            *(f"  got       {action}" for action in parting.got or (nothing,)),
            f"identical before it: {_counted(report)}",
        ]
    )


def _counted(report: Replay) -> str:
    events = "1 event" if report.events == 1 else f"{report.events} events"
    actions = "1 action" if report.actions == 1 else f"{report.actions} actions"
    return f"{events}, {actions}"


def _name(event: CallEvent) -> str:
    """The event without its values, which may be personal."""
    return type(event).__name__


def _as_data(stored: StoredCall, report: Replay) -> dict[str, object]:
    parting = report.parting
    return {
        "call": stored.summary.call,
        "identical": parting is None,
        "events": report.events,
        "actions": report.actions,
        "missing": stored.missing,
        "parting": parting
        and {
            "number": parting.number,
            "second": round(parting.at, 6),
            "event": _name(parting.event),
            "expected": parting.expected,
            "got": parting.got,
            "waited_for": parting.waited_for,
        },
    }
