"""What a tried caller can be told to do: the commands as values, and the table of them that help and documents show."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from ivrflow.flow.reading.times import written
from ivrflow.simulator.agents import AgentChange, AgentDeed
from ivrflow.simulator.look_ups import LookUp
from ivrflow.simulator.queues import QueueChange


class Bare(Enum):
    """The commands that need nothing said with them; the value is how each is written."""

    NEXT = "/next"
    LISTEN = "/listen"
    HANG_UP = "/hangup"
    CANCEL = "/cancel"
    DONE = "/done"
    DEAF = "/deaf"
    HEAR = "/hear"
    WHERE = "/where"
    HELP = "/help"
    QUIT = "/quit"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Press:
    """The caller presses these keys one after the other."""

    keys: str

    def __str__(self) -> str:
        return self.keys


@dataclass(frozen=True, slots=True)
class Speak:
    """The caller speaks for this many seconds."""

    seconds: float

    def __str__(self) -> str:
        return f"/speech {written(self.seconds)}"


@dataclass(frozen=True, slots=True)
class Stay:
    """The caller stays silent for this many seconds; None: until the call is over."""

    seconds: float | None = None

    def __str__(self) -> str:
        return "/silence" if self.seconds is None else f"/silence {written(self.seconds)}"


@dataclass(frozen=True, slots=True)
class StartSituation:
    """Somebody says which documented situation this is."""

    name: str

    def __str__(self) -> str:
        return f"/situation {self.name}"


@dataclass(frozen=True, slots=True)
class GiveSignal:
    """Somebody judges what the caller said or did: "understood"."""

    word: str

    def __str__(self) -> str:
        return f"/signal {self.word}"


@dataclass(frozen=True, slots=True)
class LearnValue:
    """The value of a placeholder becomes known."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"/value {self.name}={self.value}"


@dataclass(frozen=True, slots=True)
class TellAgent:
    """An agent does something, or will do it when next asked."""

    change: AgentChange

    def __str__(self) -> str:
        return f"/agent {self.change}"


@dataclass(frozen=True, slots=True)
class AgentActs:
    """The agent on the line does something now."""

    deed: AgentDeed

    def __str__(self) -> str:
        return f"/agent {self.deed}"


@dataclass(frozen=True, slots=True)
class TellQueue:
    """Something changes in a queue, now for a caller who waits in it, otherwise for the next time."""

    change: QueueChange

    def __str__(self) -> str:
        return f"/queue {self.change}"


@dataclass(frozen=True, slots=True)
class TellLookUp:
    """How a look-up ends: the one under way, or the next one."""

    look_up: LookUp

    def __str__(self) -> str:
        return f"/lookup {self.look_up}"


Command: TypeAlias = (
    Bare
    | Press
    | Speak
    | Stay
    | StartSituation
    | GiveSignal
    | LearnValue
    | TellAgent
    | AgentActs
    | TellQueue
    | TellLookUp
)

HELP: tuple[tuple[str, str], ...] = (
    ("1    123#", "press a key, or keys 0.3 s apart; a # followed by a blank begins a comment"),
    ("(empty) /next", "let time pass until the next thing happens"),
    ("/listen", "let time pass until it is the caller's turn, or the call is over"),
    ("/silence [5s]", "the caller says nothing for so long; without a length: until the call is over"),
    ("/speech [2s]", "the caller speaks for so long (1s)"),
    ("/hangup", "the caller hangs up"),
    ("/situation NAME", "start a situation of the standard, as an agent would"),
    ("/signal WORD", "judge what the caller did: understood, caller_agrees, refusal …"),
    ("/cancel", "take the situation back"),
    ("/done", "the agent has done the task that was asked for"),
    (
        "/agent answers [5s] [talks 60s]",
        "also busy, away, unreachable, leaves: now if it rings, otherwise the next time",
    ),
    ("/agent works 90s", "how long an agent's task takes; begin with 1001 for one extension only"),
    ("/agent holds [20s]", "the agent's telephone puts the caller on hold; so long, or until: /agent is back"),
    ("/agent keys *80", "the agent keys a code"),
    ("/agent transfers STEP", "the agent sends the caller to a transfer step of the flow"),
    ("/queue NAME 1001 answers 12s", "an agent of a queue, as after /agent; also paused, logged_out"),
    ("/queue NAME nobody", "nobody is logged in; also full, open, position 3 expects 90s"),
    ("/lookup answers 2s status=open", "how a look-up ends; also wrong 2s, fails 2s, never"),
    ("/value NAME=VALUE", "a placeholder's value becomes known: honorific=女士"),
    ("/deaf  /hear", "the caller cannot be heard; can be heard again"),
    ("/where", "where the call stands, what it waits for, seconds left"),
    ("/help  /quit", "this table; leave the call as it is"),
)
"""How each command is written, and what it does."""


def help_text() -> str:
    """The table of commands for a terminal."""
    width = max(len(usage) for usage, _ in HELP)
    return "\n".join(f"  {usage:{width}}  {meaning}" for usage, meaning in HELP)
