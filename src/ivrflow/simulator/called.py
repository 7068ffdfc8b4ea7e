"""How the person behaves whom a tried call rings, and the words for it: `called: answers 6s` in a call file's head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import did_you_mean
from ivrflow.flow.reading.times import written
from ivrflow.simulator.durations import read_seconds

PickingUp: TypeAlias = Literal["answers", "busy", "refuses", "unreachable", "away"]

_USUALLY_AFTER: Mapping[PickingUp, float] = {
    "answers": 4.0,
    "busy": 0.0,
    "refuses": 4.0,
    "unreachable": 0.0,
    "away": 0.0,
}

USAGE = "answers [AFTER] | busy [AFTER] | refuses [AFTER] | unreachable [AFTER] | away"


@dataclass(frozen=True, slots=True)
class Called:
    """The person who is rung.

    Attributes:
        manner: answers, is busy, refuses the call, cannot be reached, or is away: it rings on.
        after: seconds it rings until then.
    """

    manner: PickingUp = "answers"
    after: float = _USUALLY_AFTER["answers"]

    def __str__(self) -> str:
        return self.manner if self.manner == "away" else f"{self.manner} {written(self.after)}"


def read_called(text: str) -> Called:
    """Read what is said about the person who is rung.

    Raises:
        ValueError: with what is wrong, and what to write as second argument.
    """
    word, _, rest = text.partition(" ")
    manner = next((one for one in _USUALLY_AFTER if one == word), None)
    if manner is None:
        raise ValueError(f"'{word}' is nothing somebody does who is rung", did_you_mean(word, _USUALLY_AFTER))
    if rest and manner == "away":
        raise ValueError("'away' takes no time", "it rings until ivrflow gives up")
    return Called(manner, read_seconds(rest.strip()) if rest.strip() else _USUALLY_AFTER[manner])


def some_number(flow: CallFlow) -> str:
    """A number that the flow may ring, for a call in which it does not matter; "" when there is none."""
    return flow.places_calls.to[0].removesuffix("*") if flow.places_calls else ""
