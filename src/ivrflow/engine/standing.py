"""Where a call can stand: each kind of waiting as a value. Exactly one at a time, each under one absolute deadline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from ivrflow.engine.digits import DigitEntry
from ivrflow.engine.messages import Ticket
from ivrflow.flow.model import Ladder, Rung, Step


class After(StrEnum):
    """What follows when the phrases of a `Saying` are over."""

    RUNG = "the rung's wait"
    RUNG_AGAIN = "the same rung again"
    KEYING = "collecting digits"
    ASK_AGAIN = "the question again"
    STEP = "another step"
    RING = "ringing the extension"
    GUARD = "waiting for the caller to hang up"


@dataclass(frozen=True, slots=True)
class Answering:
    """The line is being opened."""


@dataclass(frozen=True, slots=True)
class Saying:
    """A prompt plays; `rest` are the phrases still to come, `target` the step for `After.STEP`."""

    ticket: Ticket
    phrase: str
    rest: tuple[str, ...]
    after: After
    target: str = ""


@dataclass(frozen=True, slots=True)
class Pausing:
    """A rung's wait: the caller may speak, key or stay silent."""


@dataclass(frozen=True, slots=True)
class Keying:
    """Digits are being collected."""

    entry: DigitEntry


@dataclass(frozen=True, slots=True)
class Tasking:
    """The agent does something; `since` is when it was asked for, in session time."""

    ticket: Ticket
    since: float


@dataclass(frozen=True, slots=True)
class Ringing:
    """An extension rings."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Talking:
    """Caller and agent are joined."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Guarding:
    """The farewell is said; the caller should hang up first."""

    reminded: bool


@dataclass(frozen=True, slots=True)
class Deciding:
    """Nowhere, while one event is being dealt with; no event ever finds a call here."""


Standing: TypeAlias = Answering | Saying | Pausing | Keying | Tasking | Ringing | Talking | Guarding | Deciding


@dataclass(frozen=True, slots=True)
class Footing:
    """A foot on a ladder: which rung, and the step or situation the ladder belongs to."""

    ladder: Ladder
    index: int = 0

    @property
    def rung(self) -> Rung:
        """The rung stood on."""
        return self.ladder.rungs[self.index]

    @property
    def place(self) -> int:
        """The rung's position within its own rule, from 1: one ladder may join the rungs of several rules."""
        rule = self.rung.rule
        return sum(rung.rule == rule for rung in self.ladder.rungs[: self.index + 1])

    def next(self) -> Footing | None:
        """The next rung, or None when the ladder is used up."""
        return replace(self, index=self.index + 1) if self.index + 1 < len(self.ladder.rungs) else None


@dataclass(frozen=True, slots=True)
class Place:
    """Everything needed to come back to where a call was when a situation interrupted it."""

    step: Step
    footing: Footing | None
    standing: Standing
