"""A tried call at a terminal: the caller types, the call is told as it goes.

The same commands come through a pipe; then a line that is no command is reported with its number, and the rest goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import click
import msgspec

from ivrflow.engine.trace import Judgement
from ivrflow.flow.problems import Location
from ivrflow.flow.reading.times import written
from ivrflow.simulator.caller import Mistake, Vocabulary, read_command
from ivrflow.simulator.caller_commands import Bare, Command, help_text
from ivrflow.simulator.simulation import Simulation
from ivrflow.simulator.transcript import Told, Transcript

_COLOURS = {"caller": "cyan", "agent": "magenta", "clock": "yellow", "line": "yellow"}
_VERDICT_COLOURS = {"kept": "green", "broken": "red"}


class Teller:
    """Tells a simulation on stdout as it goes; as JSON everything at its end, and what people read on stderr."""

    def __init__(self, simulation: Simulation, *, as_json: bool = False) -> None:
        self._simulation = simulation
        self._transcript = Transcript(simulation)
        self._as_json = as_json

    def tell(self) -> None:
        """Tell what happened since the last time."""
        for line in self._transcript.news():
            click.secho(_coloured(line), err=self._as_json)

    def remark(self, text: str) -> None:
        """Say something about the trying, not about the call."""
        click.echo(text, err=self._as_json)

    def tell_end(self) -> None:
        """Tell how the call ended and what the verdicts are."""
        self.tell()
        if self._as_json:
            click.echo(msgspec.json.format(msgspec.json.encode(as_data(self._simulation)), indent=2).decode())
            return
        click.echo()
        for text in self._transcript.verdicts():
            word, blank, rest = text.partition(" ")
            click.echo(click.style(word, fg=_VERDICT_COLOURS.get(word)) + blank + rest)
        if not self._simulation.is_over:
            click.echo("the call is not over: the verdicts are about what happened so far")


def as_data(simulation: Simulation) -> dict[str, object]:
    """Everything about a call, for machines."""
    session = simulation.session
    return {
        "flow": session.flow.id,
        "seconds": round(simulation.now, 6),
        "is_over": session.is_over,
        "outcome": session.outcome,
        "first_to_hang_up": session.first_to_hang_up,
        "happenings": simulation.record,
        "trace": session.trace,
        "verdicts": session.verdicts,
        "broken": [verdict.rule for verdict in session.verdicts if verdict.judgement is Judgement.BROKEN],
    }


def _coloured(line: Told) -> str:
    return click.style(str(line), fg=_COLOURS[line.who]) if line.who in _COLOURS else str(line)


@dataclass(slots=True)
class Terminal:
    """Takes commands from stdin, one a line.

    Attributes:
        commands: what was done, in order.
        mistakes: how many lines were no commands.
    """

    simulation: Simulation
    vocabulary: Vocabulary
    teller: Teller
    commands: list[Command] = field(default_factory=list)
    mistakes: int = 0

    def converse(self) -> None:
        """Take commands until the call is over or left.

        `/quit`, Ctrl-D and Ctrl-C leave the call as it is; at the end of a pipe the caller stays silent until it is over.
        """
        if sys.stdin.isatty():
            self.teller.remark("Type keys or /help; an empty line lets time pass until the next thing happens.")
        self.teller.tell()
        try:
            for number, line in enumerate(self._lines(), start=1):
                if self._take(number, line) is Bare.QUIT:
                    return
                if self.simulation.is_over and sys.stdin.isatty():
                    return
        except KeyboardInterrupt:
            self.teller.remark("")
            return
        if not sys.stdin.isatty():
            self.simulation.run_out()

    def do(self, command: Command) -> None:
        """Do a command and tell what came of it."""
        if command is Bare.HELP:
            self.teller.remark(help_text())
        elif command is Bare.WHERE:
            self.teller.remark(f"    {where_it_stands(self.simulation)}")
        else:
            self.commands.append(command)
            remark = self.simulation.caller(command)
            self.teller.tell()
            if remark:
                self.teller.remark(f"    not done: {remark}")

    def _take(self, number: int, line: str) -> Command | None:
        try:
            command = read_command(line, self.vocabulary)
        except Mistake as mistake:
            self.mistakes += 1
            at_terminal = sys.stdin.isatty()
            text = f"    {mistake.message}\n    hint: {mistake.hint}"
            click.echo(text if at_terminal else str(mistake.at(Location("<stdin>", number, 1))), err=True)
            return None
        if command is not None and command is not Bare.QUIT:
            self.do(command)
        return command

    def _lines(self) -> Iterator[str]:
        """Lines from stdin; at a terminal with a prompt and, where there is one, the line editor."""
        if not sys.stdin.isatty():
            yield from (line.rstrip("\r\n") for line in sys.stdin)
            return
        edited = sys.stdout.isatty()
        if edited:
            import readline  # noqa: F401 - importing it is what gives input() its line editor
        while True:
            prompt = f"{self.simulation.now:8.2f}  > "
            if not edited:
                click.echo(prompt, nl=False, err=True)
            try:
                yield input(prompt if edited else "")
            except EOFError:
                click.echo(err=not edited)
                return


def where_it_stands(simulation: Simulation) -> str:
    """One line: the step, what is waited for, how long still."""
    session = simulation.session
    if session.is_over:
        return f"the call is over: {session.outcome}"
    deadline = session.deadline
    left = f", {written(deadline - simulation.now)} left" if deadline is not None else ""
    upcoming = simulation.next_at
    ends = ""
    if upcoming is not None and deadline is not None and upcoming < deadline:
        ends = f"; ends by itself in {written(upcoming - simulation.now)}"
    return f"{session.phase}, {session.step}: waiting for {session.waiting_for}{left}{ends}"
