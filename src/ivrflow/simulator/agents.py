"""How whoever sits at an extension behaves in a tried call, and the words for it.

The same words stand in a call file's header (`agent: 1001 answers 4s talks 60s`) and in the command `/agent`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ivrflow.flow.problems import did_you_mean
from ivrflow.flow.reading.times import written
from ivrflow.simulator.durations import read_seconds

Manner: TypeAlias = Literal["answers", "busy", "away", "unreachable"]

_MANNERS: Mapping[str, Manner | Literal["leaves"]] = {
    "answers": "answers",
    "busy": "busy",
    "away": "away",
    "unreachable": "unreachable",
    "leaves": "leaves",
}
_LENGTHS = ("talks", "works")

USAGE = "[EXTENSION] answers [AFTER] | busy [AFTER] | away | unreachable, then [talks TIME] [works TIME]"


@dataclass(frozen=True, slots=True)
class Agent:
    """What happens at an extension that rings. All times are seconds.

    Attributes:
        manner: the agent answers, is busy, is away (it rings on), or cannot be reached.
        after: how long it rings until the answer, or until the busy signal.
        talks: how long the agent talks before hanging up.
        works: how long a task that a ladder asks for takes.
    """

    manner: Manner = "answers"
    after: float = 4.0
    talks: float = 60.0
    works: float = 20.0

    def __str__(self) -> str:
        manner = self.manner if self.manner in {"away", "unreachable"} else f"{self.manner} {written(self.after)}"
        return f"{manner} talks {written(self.talks)} works {written(self.works)}"


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

    def __str__(self) -> str:
        words = [word for word in (self.extension, self.manner) if word]
        words += [written(self.after)] if self.after is not None else []
        words += [f"talks {written(self.talks)}"] if self.talks is not None else []
        words += [f"works {written(self.works)}"] if self.works is not None else []
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
            if manner not in {"answers", "busy"}:
                raise ValueError(f"'{manner}' takes no time", "only 'answers' and 'busy' come after a while")
            after = read_seconds(words.pop(0))
    lengths: dict[str, float] = {}
    while words:
        word = words.pop(0)
        if word not in _LENGTHS:
            raise ValueError(f"'{word}' is nothing an agent does", did_you_mean(word, (*_MANNERS, *_LENGTHS)))
        if not words:
            raise ValueError(f"'{word}' does not say how long", f"write for example: {word} 30s")
        lengths[word] = read_seconds(words.pop(0))
    if manner is None and not lengths:
        raise ValueError("nothing is said about the agent", f"write {USAGE}")
    return AgentChange(extension, manner, after, lengths.get("talks"), lengths.get("works"))
