"""A tried call as a file: how it was placed, what the caller did, and below `---` what came of it.

    # A caller who never says a word.
    flow: gov12345
    at: 2026-11-20T10:00
    lengths: wording
    agent: answers 4s talks 1m works 20s
    queue: agents 1001 answers 12s
    lookup: answers 1500ms status=open

    /silence
    ---
        0.00  caller   calls 12345 …

A call that the flow places says `called: answers 6s` (or busy, refuses, unreachable, away) in its head; a flow that is
never rung places its call without that.

Header and transcript may be missing: a file with nothing but commands is a script. The header ends with its first
empty line or with the first command.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, TypeAlias

from ivrflow.engine.session import SECONDS_PER_CHARACTER
from ivrflow.flow.model import CallFlow, PromptCatalogue
from ivrflow.flow.problems import FlowError, Location, Problem, did_you_mean
from ivrflow.flow.reading.times import read_time
from ivrflow.flow.speaking.composing import VALUE_HERE
from ivrflow.simulator.agents import Agent, AgentChange, read_agent
from ivrflow.simulator.called import Called, read_called
from ivrflow.simulator.caller import Mistake, Vocabulary, read_command, without_comment
from ivrflow.simulator.caller_commands import Bare, Command
from ivrflow.simulator.look_ups import LookUp, read_look_up
from ivrflow.simulator.queues import QueueChange, SimulatedQueue, read_queue
from ivrflow.simulator.simulation import Simulation
from ivrflow.simulator.transcript import whole_transcript

Lengths: TypeAlias = Literal["recordings", "wording"]

RULE = "---"
"""The line between the commands and the transcript."""

USUAL_TIME = datetime(2026, 11, 20, 10, 0)  # noqa: DTZ001 - local time of the flow, whose zone is added when a call is placed
"""When a call is placed that does not say when: a Friday at ten, so that it goes the same way every time."""

_HEADER = re.compile(r"([a-z]+):\s*(.*)")
_HEADER_WORDS = ("flow", "at", "lengths", "agent", "queue", "lookup", "from", "called")


@dataclass(slots=True)
class CallFile:
    """What a call file says.

    Attributes:
        file: its name, for problems.
        about: the comment lines at its head, without `#`.
        flow: id of the flow; empty when it names none.
        at: local time of the call.
        lengths: what tells how long a prompt takes: its recording, or its wording alone.
        agents: what is said about agents, in order.
        queues: what is said about queues, in order.
        look_up: how look-ups end; None when nothing is said of that.
        caller: the number the caller rings from; empty for one that is withheld.
        called: how the person behaves whom the flow rings; None when nothing is said of that.
        lines: the command lines, by line number.
        transcript: what stands below `---`.
        problems: what is wrong with the header.
    """

    file: str
    about: list[str] = field(default_factory=list)
    flow: str = ""
    at: datetime = USUAL_TIME
    lengths: Lengths = "recordings"
    agents: list[AgentChange] = field(default_factory=list)
    queues: list[QueueChange] = field(default_factory=list)
    look_up: LookUp | None = None
    caller: str = ""
    called: Called | None = None
    lines: dict[int, str] = field(default_factory=dict)
    transcript: str = ""
    problems: list[Problem] = field(default_factory=list)
    names: list[tuple[Location, Callable[[Vocabulary], None]]] = field(default_factory=list)
    """Names in the head that a flow has to know, each with its check."""

    def commands(self, vocabulary: Vocabulary) -> list[Command]:
        """The commands.

        Raises:
            FlowError: with everything that is wrong in the header and the commands.
        """
        problems = list(self.problems)
        commands: list[Command] = []
        for where, check in self.names:
            try:
                check(vocabulary)
            except ValueError as problem:
                problems.append(Problem(where, *problem.args))
        for number, line in self.lines.items():
            try:
                command = read_command(line, vocabulary)
            except Mistake as mistake:
                problems.append(mistake.at(Location(self.file, number, len(line) - len(line.lstrip()) + 1)))
            else:
                commands += [command] if command is not None else []
        if problems:
            raise FlowError(problems)
        return commands

    def place(self, flow: CallFlow) -> Simulation:
        """Let the call begin as the head says.

        Raises:
            FlowError: somebody is to be rung, and the flow places no calls.
        """
        if self.called and not flow.places_calls:
            where = Location(self.file, 1, 1)
            raise FlowError([Problem(where, f"the flow {flow.id} places no calls", "leave 'called' out")])
        flow = by_wording(flow) if self.lengths == "wording" else flow
        return place_call(flow, self.at, self.agents, self.called, self.queues, self.look_up, self.caller)


def read_call_file(text: str, file: str) -> CallFile:
    """Take a call file apart. What is wrong with it is raised when its commands are asked for."""
    call = CallFile(file)
    lines = text.splitlines()
    end = lines.index(RULE) if RULE in lines else len(lines)
    call.transcript = "".join(f"{line}\n" for line in lines[end + 1 :])
    in_head = True
    for number, line in enumerate(lines[:end], start=1):
        header = _HEADER.fullmatch(without_comment(line)) if in_head else None
        if header is not None:
            _read_header(call, Location(file, number, 1), header[1], header[2])
        elif in_head and line.lstrip().startswith("# "):
            call.about.append(line.strip().removeprefix("# "))
        elif in_head and number > 1 and not line.strip():
            in_head = False
        else:
            in_head = False
            call.lines[number] = line
    return call


def _read_header(call: CallFile, where: Location, word: str, value: str) -> None:
    try:
        match word:
            case "flow":
                call.flow = value
            case "at":
                call.at = read_time(value)
            case "lengths":
                call.lengths = _read_lengths(value)
            case "agent":
                call.agents.append(read_agent(value))
            case "queue":
                change = read_queue(value)
                call.queues.append(change)
                call.names.append((where, lambda known: known.check_queue(change)))
            case "lookup":
                look_up = call.look_up = read_look_up(value)
                call.names.append((where, lambda known: known.check_look_up(look_up)))
            case "from":
                call.caller = _read_number(value)
            case "called":
                call.called = read_called(value)
            case _:
                call.problems.append(
                    Problem(where, f"a call's head has no '{word}'", did_you_mean(word, _HEADER_WORDS))
                )
    except ValueError as problem:
        call.problems.append(Problem(where, *problem.args))


def _read_number(text: str) -> str:
    if re.fullmatch(r"\+?[0-9]{1,20}", text, flags=re.ASCII) is None:
        raise ValueError(f"'{text}' is no telephone number", "write digits, with a + before them where there is one")
    return text


def _read_lengths(text: str) -> Lengths:
    match text:
        case "wording" | "recordings":
            return text
        case _:
            raise ValueError(f"'{text}' does not say how long prompts are", "write wording or recordings")


def by_wording(flow: CallFlow) -> CallFlow:
    """The flow with every prompt as long as its wording lets expect: new recordings then change no golden call."""
    prompts = {
        wording: replace(prompt, seconds=round(len(prompt.text.strip(VALUE_HERE)) * SECONDS_PER_CHARACTER, 2))
        for wording, prompt in flow.prompts.prompts.items()
    }
    return replace(flow, prompts=PromptCatalogue(prompts))


def place_call(
    flow: CallFlow,
    at: datetime,
    agents: Sequence[AgentChange] = (),
    called: Called | None = None,
    queues: Sequence[QueueChange] = (),
    look_up: LookUp | None = None,
    caller: str = "",
) -> Simulation:
    """Let a call begin at local time `at` with agents, queues and look-ups behaving as said.

    With `called` the flow rings that person, and so does a flow that nobody can ring; otherwise somebody rings the flow.
    """
    if called is None and flow.places_calls and not flow.numbers:
        called = Called()
    known: dict[str, Agent] = {"": Agent()}
    for change in [*agents, *(queue.agent for queue in queues if queue.agent)]:
        extensions = [change.extension] if change.extension else list(known)
        known |= {extension: change.made_to(known.get(extension, known[""])) for extension in extensions}
    joined: dict[str, SimulatedQueue] = {}
    for queue in queues:
        joined[queue.queue] = queue.made_to(joined.get(queue.queue, SimulatedQueue()))
    return Simulation(
        flow,
        agents=known,
        arrived_at=at.replace(tzinfo=flow.timezone).timestamp(),
        called=called,
        queues=joined,
        look_up=look_up,
        caller=caller,
    )


def play(simulation: Simulation, commands: Iterable[Command]) -> list[tuple[Command, str]]:
    """Do one command after the other; then the caller stays silent until the call is over, unless `/quit` leaves it.

    Returns:
        The commands that came to nothing, and why.
    """
    remarks: list[tuple[Command, str]] = []
    for command in commands:
        if command is Bare.QUIT:
            return remarks
        remark = simulation.caller(command)
        if remark:
            remarks.append((command, remark))
    simulation.run_out()
    return remarks


def write_call_file(head: CallFile, commands: Sequence[Command], simulation: Simulation) -> str:
    """The text of a call file; played again it gives the same transcript.

    Args:
        head: how the call was placed; of it everything above the commands is written.
        commands: what was done.
        simulation: what came of it.
    """
    lines = [f"# {line}".rstrip() for line in head.about]
    lines += [f"flow: {head.flow}", f"at: {head.at.isoformat(timespec='seconds' if head.at.second else 'minutes')}"]
    lines += [f"lengths: {head.lengths}"] if head.lengths != "recordings" else []
    lines += [f"agent: {change}" for change in head.agents]
    lines += [f"queue: {change}" for change in head.queues]
    lines += [f"lookup: {head.look_up}"] if head.look_up else []
    lines += [f"from: {head.caller}"] if head.caller else []
    lines += [f"called: {head.called}"] if head.called else []
    lines += ["", *(str(command) for command in commands if command not in {Bare.WHERE, Bare.HELP, Bare.QUIT})]
    lines += [] if simulation.is_over else [str(Bare.QUIT)]
    return "\n".join([*lines, RULE]) + "\n" + whole_transcript(simulation)
