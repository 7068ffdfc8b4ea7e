"""How whoever sits at an extension behaves in a tried call, and the words for it.

The same words stand in a call file's header (`agent: 1001 answers 4s talks 60s`) and in the command `/agent`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ivrflow.flow import notations
from ivrflow.flow.problems import did_you_mean
from ivrflow.flow.reading.times import written
from ivrflow.simulator.durations import read_seconds

Manner: TypeAlias = Literal["answers", "busy", "away", "unreachable", "paused", "logged_out"]

_MANNERS: Mapping[str, Manner | Literal["leaves"]] = {
    "answers": "answers",
    "busy": "busy",
    "away": "away",
    "unreachable": "unreachable",
    "paused": "paused",
    "logged_out": "logged_out",
    "leaves": "leaves",
}
_AFTER_A_WHILE = frozenset({"answers", "busy"})
_LENGTHS = ("talks", "works", "rings")

USAGE = (
    "[EXTENSION] answers [AFTER] | busy [AFTER] | away | unreachable | paused | logged_out, "
    "then [talks TIME] [works TIME] [rings TIME]"
)


@dataclass(frozen=True, slots=True)
class Agent:
    """What happens at an extension that rings, or when a queue comes to this agent. All times are seconds.

    Attributes:
        manner: the agent answers, is busy, is away (it rings on), or cannot be reached. A queue gives no calls to one who
            is paused or logged out; an extension rung all the same answers, or cannot be reached.
        after: how long it rings until the answer, or until the busy signal; in a queue, how long the caller waits.
        talks: how long the agent talks before hanging up; while parted from the caller nobody talks.
        works: how long a task that a ladder asks for takes.
        rings: how long of a wait in a queue this agent's telephone rang.
    """

    manner: Manner = "answers"
    after: float = 4.0
    talks: float = 60.0
    works: float = 20.0
    rings: float = 4.0

    def __str__(self) -> str:
        manner = f"{self.manner} {written(self.after)}" if self.manner in _AFTER_A_WHILE else self.manner
        return f"{manner} talks {written(self.talks)} works {written(self.works)} rings {written(self.rings)}"


@dataclass(frozen=True, slots=True)
class AgentChange:
    """What is said about an agent: what is None stays as it was.

    Attributes:
        extension: whom it is about; empty for every extension, or for the one that rings.
        manner: how the agent behaves, or "leaves": hangs up now.
    """

    extension: str = ""
    manner: Manner | Literal["leaves"] | None = None
    after: float | None = None
    talks: float | None = None
    works: float | None = None
    rings: float | None = None

    def __str__(self) -> str:
        words = [word for word in (self.extension, self.manner) if word]
        words += [written(self.after)] if self.after is not None else []
        words += [f"talks {written(self.talks)}"] if self.talks is not None else []
        words += [f"works {written(self.works)}"] if self.works is not None else []
        words += [f"rings {written(self.rings)}"] if self.rings is not None else []
        return " ".join(words)

    def made_to(self, agent: Agent) -> Agent:
        """The agent after this change."""
        manner = agent.manner if self.manner is None or self.manner == "leaves" else self.manner
        after = self.after
        if after is None:
            after = 0.0 if self.manner == "busy" else agent.after  # a busy signal comes at once
        return Agent(
            manner,
            after,
            agent.talks if self.talks is None else self.talks,
            agent.works if self.works is None else self.works,
            agent.rings if self.rings is None else self.rings,
        )


def read_agent(text: str) -> AgentChange:
    """Read what is said about an agent.

    Raises:
        ValueError: with what is wrong, and what to write as second argument.
    """
    words = text.split()
    extension = words.pop(0) if words and words[0].isdecimal() else ""
    manner = _MANNERS.get(words[0]) if words else None
    after: float | None = None
    if manner:
        words.pop(0)
        if words and words[0][0].isdecimal():
            if manner not in _AFTER_A_WHILE:
                raise ValueError(f"'{manner}' takes no time", "only 'answers' and 'busy' come after a while")
            after = read_seconds(words.pop(0))
    lengths: dict[str, float] = {}
    while words:
        word = words.pop(0)
        if word not in _LENGTHS:
            raise ValueError(f"'{word}' is nothing an agent does", did_you_mean(word, (*_MANNERS, *_LENGTHS, *_DEEDS)))
        if not words:
            raise ValueError(f"'{word}' does not say how long", f"write for example: {word} 30s")
        lengths[word] = read_seconds(words.pop(0))
    if manner is None and not lengths:
        raise ValueError("nothing is said about the agent", f"write {USAGE}")
    return AgentChange(extension, manner, after, lengths.get("talks"), lengths.get("works"), lengths.get("rings"))


Deed: TypeAlias = Literal["holds", "back", "keys", "transfers"]

_DEEDS: tuple[Deed, ...] = ("holds", "back", "keys", "transfers")


@dataclass(frozen=True, slots=True)
class AgentDeed:
    """What an agent on the line does now.

    Attributes:
        what: puts the caller on hold with the telephone's own key, is back, keys a code, or sends the caller on.
        extension: who; empty for the one on the line.
        word: the code, "*80", or the name of the transfer step.
        seconds: after how long somebody who holds is back by themselves; None: not before they are told.
    """

    what: Deed
    extension: str = ""
    word: str = ""
    seconds: float | None = None

    def __str__(self) -> str:
        words = [word for word in (self.extension, "is" if self.what == "back" else "", self.what, self.word) if word]
        words += [written(self.seconds)] if self.seconds is not None else []
        return " ".join(words)


def read_deed(text: str) -> AgentDeed | None:
    """Read what an agent does now; None when this is something else, for `read_agent`.

    Raises:
        ValueError: with what is wrong, and what to write as second argument.
    """
    words = text.split()
    extension = words.pop(0) if words and words[0].isdecimal() else ""
    if words[:1] == ["is"]:
        del words[0]
        if words[:1] != ["back"]:
            raise ValueError(f"'is {' '.join(words)}' is nothing an agent does", "write: is back")
    what = next((deed for deed in _DEEDS if words[:1] == [deed]), None)
    if what is None:
        return None
    rest = words[1:]
    if len(rest) > 1 or (rest and what == "back"):
        raise ValueError(f"'{rest[-1]}' is too much", _example(what))
    if not rest and what in {"keys", "transfers"}:
        raise ValueError(f"'{what}' does not say {'which code' if what == 'keys' else 'where to'}", _example(what))
    word = rest[0] if rest else ""
    if what == "holds":
        return AgentDeed(what, extension, seconds=read_seconds(word) if word else None)
    if what == "keys" and not notations.CODE.fullmatch(word):
        raise ValueError(f"'{word}' is no code", "a code is a star and two digits: *80")
    return AgentDeed(what, extension, word)


_EXAMPLES: Mapping[Deed, str] = {
    "holds": "holds 20s",
    "back": "is back",
    "keys": "keys *80",
    "transfers": "transfers to_supervisor",
}


def _example(what: Deed) -> str:
    return f"write for example: {_EXAMPLES[what]}"
