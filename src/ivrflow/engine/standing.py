"""Where a call can stand: each kind of waiting as a value, with all it needs to go on.

Exactly one at a time, each under one absolute deadline. A new kind of step that waits for something new gets its own
value here, its branch in `CallSession._deadline_reached`, and the event that ends it its line in
`CallSession._happened`; the type checker names every other place that must decide about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TypeAlias

from ivrflow.engine.digits import DigitEntry
from ivrflow.engine.leg import Leads
from ivrflow.engine.messages import Ticket
from ivrflow.flow.model import Ask, Close, Collect, Ladder, Queue, Record, Rung, Transfer

LOOKUP_DONE = "lookup_done"
"""The leave word that says no more than that the task is done."""

_WAITED_NO_MORE_THAN = re.compile(r"waited_no_more_than_(\d+)_s")


@dataclass(frozen=True, slots=True)
class Footing:
    """A foot on a ladder."""

    ladder: Ladder
    index: int = 0
    rounds: int = 0
    """How often the ladder has begun again from `loops_from`."""

    @property
    def rung(self) -> Rung:
        """The rung stood on."""
        return self.ladder.rungs[self.index]

    @property
    def number(self) -> int:
        """The rung's position within its own rule, from 1: one ladder may join the rungs of several rules."""
        rule = self.rung.rule
        return sum(rung.rule == rule for rung in self.ladder.rungs[: self.index + 1])

    def next(self) -> Footing | None:
        """The next rung, or None when the ladder is used up."""
        ladder = self.ladder
        if self.index + 1 < len(ladder.rungs):
            return replace(self, index=self.index + 1)
        if ladder.loops_from and self.rounds < ladder.rounds:
            return replace(self, index=ladder.loops_from - 1, rounds=self.rounds + 1)
        return None

    def is_left_by_task(self, seconds: float) -> bool:
        """Whether the rung's task, when it is done, leaves the ladder: the caller waited `seconds` for it.

        The lookup is done, or the caller "waited_no_more_than_120_s": the clock knows that, nobody has to say it.
        """
        word = self.rung.leave_on or ""
        bound = _WAITED_NO_MORE_THAN.fullmatch(word)
        return word == LOOKUP_DONE or (bound is not None and seconds <= float(bound[1]))


# ── what follows when the phrases of a `Saying` are over ──────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ThenPause:
    """The rung's wait."""

    footing: Footing


@dataclass(frozen=True, slots=True)
class ThenClimb:
    """The same rung again: after a correction."""

    footing: Footing


@dataclass(frozen=True, slots=True)
class ThenAsk:
    """The question of a `Collect` again."""

    step: Collect


@dataclass(frozen=True, slots=True)
class ThenCollect:
    """Collecting digits."""

    step: Collect


@dataclass(frozen=True, slots=True)
class ThenRing:
    """Ringing the extension."""

    step: Transfer


@dataclass(frozen=True, slots=True)
class ThenQueue:
    """Waiting for an agent of the step's queue."""

    step: Queue


@dataclass(frozen=True, slots=True)
class ThenRecord:
    """Recording a message."""

    step: Record


@dataclass(frozen=True, slots=True)
class ThenEnquire:
    """Waiting on for the answer of a look-up, after the filler phrase."""

    ticket: Ticket
    step: Ask
    ends: float


@dataclass(frozen=True, slots=True)
class ThenTalk:
    """Being joined, or joined again, with the agent the step led to."""

    step: Leads


@dataclass(frozen=True, slots=True)
class ThenThank:
    """Thanking the caller for waiting, once the colleague was told who is coming."""

    step: Transfer


@dataclass(frozen=True, slots=True)
class ThenGuard:
    """Waiting for the caller to hang up, for the last time."""

    step: Close


@dataclass(frozen=True, slots=True)
class ThenEnter:
    """Another step."""

    name: str


After: TypeAlias = (
    ThenPause
    | ThenClimb
    | ThenAsk
    | ThenCollect
    | ThenRing
    | ThenQueue
    | ThenRecord
    | ThenEnquire
    | ThenTalk
    | ThenThank
    | ThenGuard
    | ThenEnter
)


# ── standings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Answering:
    """The line is being opened."""


@dataclass(frozen=True, slots=True)
class Dialling:
    """The person we want to talk to is rung; the ladder's only rung says for how long."""

    footing: Footing


@dataclass(frozen=True, slots=True)
class Saying:
    """A prompt plays; `rest` are the phrases still to come."""

    ticket: Ticket
    phrase: str
    rest: tuple[str, ...]
    after: After


@dataclass(frozen=True, slots=True)
class Pausing:
    """A rung's wait: the caller may speak, key or stay silent."""

    footing: Footing


@dataclass(frozen=True, slots=True)
class Keying:
    """Digits are being collected."""

    entry: DigitEntry


@dataclass(frozen=True, slots=True)
class Tasking:
    """The agent does what the rung asks; `since` is when it was asked for, in session time."""

    ticket: Ticket
    since: float
    footing: Footing


@dataclass(frozen=True, slots=True)
class Ringing:
    """An extension rings."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Talking:
    """Caller and agent are joined."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Queueing:
    """The caller waits in a queue whose announcements are used up: music, and keys."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Recording:
    """The caller's message is being recorded, since `since` in session time."""

    ticket: Ticket
    step: Record
    since: float


@dataclass(frozen=True, slots=True)
class Asking:
    """A look-up is under way; at `ends` in session time it is too late. `filled`: the filler phrase was said."""

    ticket: Ticket
    step: Ask
    ends: float
    filled: bool


@dataclass(frozen=True, slots=True)
class Guarding:
    """The farewell is said; the caller should hang up first."""

    step: Close
    reminded: bool


@dataclass(frozen=True, slots=True)
class Deciding:
    """Nowhere, while one event is being dealt with; no event ever finds a living call here."""


Interruptible: TypeAlias = Saying | Pausing | Keying | Talking | Guarding
"""Where a situation of the standard may interrupt a call, and where it then comes back to."""

Standing: TypeAlias = (
    Interruptible | Answering | Dialling | Tasking | Ringing | Queueing | Recording | Asking | Deciding
)


def is_of_the_talk(standing: Standing) -> bool:
    """Whether caller and agent talk, or something is said to them before they are joined."""
    match standing:
        case Talking() | Saying(after=ThenTalk() | ThenThank()):
            return True
        case _:
            return False
