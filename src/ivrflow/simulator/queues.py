"""How a queue of the PBX behaves in a tried call, and the words for it.

The same words stand in a call file's head (`queue: agents 1001 answers 12s`) and in the command `/queue`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ivrflow.flow.problems import did_you_mean
from ivrflow.flow.reading.times import written
from ivrflow.simulator.agents import AgentChange, read_agent
from ivrflow.simulator.durations import read_seconds

State: TypeAlias = Literal["nobody", "full", "open"]

_STATES: tuple[State, ...] = ("nobody", "full", "open")
_FURTHEST = 999

USAGE = "QUEUE nobody | full | open | position NUMBER [expects TIME] | EXTENSION answers 12s (as after /agent)"


@dataclass(frozen=True, slots=True)
class SimulatedQueue:
    """A queue, seen by one caller.

    Attributes:
        members: the extensions of its agents; None: somebody who behaves as agents do of whom nothing else is said.
        is_full: whether it takes nobody else.
        position: where the caller stands on joining it; until somebody answers they come to be the next one.
        expects: seconds until it is the caller's turn, as the PBX reckons on joining; 0 when it does not know.
    """

    members: tuple[str, ...] | None = None
    is_full: bool = False
    position: int = 1
    expects: float = 0.0


@dataclass(frozen=True, slots=True)
class QueueChange:
    """What is said about a queue: what is None stays as it was.

    Attributes:
        queue: its name on the PBX.
        state: nobody is logged in; it takes nobody else; it is as usual again.
        position: where the caller stands.
        expects: seconds until it is the caller's turn.
        agent: one of its agents, and how they behave.
    """

    queue: str
    state: State | None = None
    position: int | None = None
    expects: float | None = None
    agent: AgentChange | None = None

    def __str__(self) -> str:
        words = [self.queue]
        words += [self.state] if self.state else []
        words += [f"position {self.position}"] if self.position is not None else []
        words += [f"expects {written(self.expects)}"] if self.expects is not None else []
        words += [str(self.agent)] if self.agent else []
        return " ".join(words)

    def made_to(self, queue: SimulatedQueue) -> SimulatedQueue:
        """The queue after this change. How its agents behave is theirs to say."""
        match self.state:
            case "nobody":
                queue = replace(queue, members=())
            case "full":
                queue = replace(queue, is_full=True)
            case "open":
                queue = replace(queue, is_full=False, members=queue.members or None)
            case None:
                pass
        if self.position is not None:
            queue = replace(queue, position=self.position, expects=self.expects or 0.0)
        if self.agent and self.agent.extension not in (queue.members or ()):
            queue = replace(queue, members=(*(queue.members or ()), self.agent.extension))
        return queue


def read_queue(text: str) -> QueueChange:
    """Read what is said about a queue.

    Raises:
        ValueError: with what is wrong, and what to write as second argument.
    """
    name, _, rest = text.partition(" ")
    words = rest.split()
    if not words:
        raise ValueError("nothing is said about the queue", f"write {USAGE}")
    state = next((state for state in _STATES if words[0] == state), None)
    if state:
        if len(words) > 1:
            raise ValueError(f"'{state}' stands alone", f"leave out '{' '.join(words[1:])}'")
        return QueueChange(name, state)
    if words[0] == "position":
        return _read_position(name, words[1:])
    if not words[0].isdecimal():
        known = (*_STATES, "position")
        raise ValueError(f"'{words[0]}' is nothing a queue does, nor an extension", did_you_mean(words[0], known))
    return QueueChange(name, agent=read_agent(rest))


def _read_position(name: str, words: list[str]) -> QueueChange:
    example = "write for example: position 3 expects 90s"
    if not words or not words[0].isdecimal() or not 1 <= int(words[0]) <= _FURTHEST:
        raise ValueError("which position?", f"1 is the next one, {_FURTHEST} the last that can be tried; {example}")
    match words[1:]:
        case []:
            return QueueChange(name, position=int(words[0]))
        case ["expects", seconds]:
            return QueueChange(name, position=int(words[0]), expects=read_seconds(seconds))
        case _:
            raise ValueError(f"'{' '.join(words[1:])}' is nothing to say about a position", example)
