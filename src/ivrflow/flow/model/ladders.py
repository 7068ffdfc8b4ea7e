"""Rungs to climb, as a call climbs them, and wordings that the calendar chooses."""

from __future__ import annotations

from dataclasses import dataclass

from ivrflow.flow.days import ALL_DAYS, DaySet
from ivrflow.flow.model.standards import Band
from ivrflow.flow.problems import Location

RETURN = "continue"
"""The standard's word for a situation that is over: back to where the caller was."""


WHEN = "when"
"""A phrase key that begins so names a wording of the flow: "when/greeting"."""


@dataclass(frozen=True, slots=True)
class WordingLine:
    """What is said on these days, at these minutes of the day; may run past midnight like a `Window`.

    Attributes:
        says: phrase keys, one after the other; empty says nothing.
        rules: for each of them the id of the rule that owns it, or None.
    """

    where: Location
    says: tuple[str, ...]
    rules: tuple[str | None, ...]
    days: DaySet = ALL_DAYS
    opens: int = 0
    closes: int = 24 * 60


@dataclass(frozen=True, slots=True)
class Wording:
    """Which wording when: the first line that holds at the moment something is said. The last one always does."""

    name: str
    where: Location
    lines: tuple[WordingLine, ...]


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung as a call climbs it.

    Attributes:
        say: phrase key to play, or None.
        task: something the agent must do, or None.
        wait: seconds to wait after the phrase ended; 0 goes on at once.
        band: the documented seconds, or None where the number is the flow's own choice.
        leave_on: the word that leaves the ladder here ("speech", "understood", …), or None.
        rule: id of the rule this rung obeys, or None for the flow's own wording.
        also_rule: id of a second rule the same phrase obeys (a greeting that opens the silent-call ladder).
        on_recurrence: whether the next rung waits until the situation happens again on the same call.
        is_waited_for: whether the ladder stands still until the task is done; a mute that a hold follows is only asked for, and
            so is un-muting that comes first, when the hold is over.
        why: why this wording, once a call has chosen it by the calendar; empty otherwise.
    """

    where: Location
    say: str | None = None
    task: str | None = None
    wait: float = 0.0
    band: Band | None = None
    leave_on: str | None = None
    rule: str | None = None
    also_rule: str | None = None
    on_recurrence: bool = False
    is_waited_for: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs in order; `then` is the standard's word for what follows when they are used up.

    Attributes:
        greets: how many rungs at the beginning are the flow's greeting, before the rule's own first rung.
    """

    name: str
    rungs: tuple[Rung, ...]
    then: str
    where: Location
    loops_from: int = 0
    """Position (from 1) of the rung that follows the last one; 0: none does."""
    rounds: int = 0
    """How often that happens at most."""
    greets: int = 0


@dataclass(frozen=True, slots=True)
class Follow:
    """A situation that comes by itself when a caller who was kept waiting is back.

    Attributes:
        situation: its name.
        over: seconds; it comes when the caller waited longer.
    """

    situation: str
    over: float = 0.0
