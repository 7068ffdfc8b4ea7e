"""What the picture of a call shows, in seconds and words: lanes, rows in them, and what stands in each row.

Nothing here knows pixels (`arrangement` does) or markup (the templates do).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal, TypeAlias

Look: TypeAlias = Literal[
    "speech", "keys", "hold", "act", "order", "hang_up", "stuck",
    "phrase", "music", "tone", "unknown",
    "step", "situation", "says", "waits", "ringing", "queue", "talk", "parted", "task", "asks", "hears", "event", "trouble",
    "silence",
]  # fmt: skip
"""How something is drawn; the style sheet has a class for each."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Something that happened, from `start` to `end`; a mark when both are the same.

    Attributes:
        label: what is written on it or beside it.
        small: a second line below the label, in rows that have room for two.
        details: lines for who wants to know more; the first is its title.
        rest: second up to which it would have gone on, had it not been cut; None when it was not.
    """

    look: Look
    start: float
    end: float
    label: str
    small: str = ""
    details: tuple[str, ...] = ()
    rest: float | None = None


Fit: TypeAlias = Literal["within", "too short", "too long"]


@dataclass(frozen=True, slots=True)
class WaitShown:
    """A wait with what is allowed for it. Seconds; `start` and `end` are moments of the call, the others lengths.

    Attributes:
        least: allowed at least.
        most: allowed at most.
        tolerance: by which it may be off and still be right.
        fit: how it compares, the tolerance included.
        label: the number, and what is wrong with it when something is.
        other_end: moment at which it ended by the other clock; None when that is the same to the eye, or not known.
    """

    start: float
    end: float
    least: float
    most: float
    tolerance: float
    fit: Fit
    label: str
    details: tuple[str, ...]
    other_end: float | None = None

    @property
    def reach(self) -> float:
        """The last moment that belongs to its drawing: its own end, or that of what was allowed."""
        return max(self.end, self.start + self.most + self.tolerance)


RowKind: TypeAlias = Literal["two lines", "bars", "marks", "waits"]


@dataclass(frozen=True, slots=True)
class Row:
    """Things of one sort, side by side; `waits` only in a row of that kind."""

    kind: RowKind
    shown: tuple[Shown, ...] = ()
    waits: tuple[WaitShown, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        return not self.shown and not self.waits


Side: TypeAlias = Literal["caller", "heard", "engine", "agent"]


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane of the picture.

    Attributes:
        name: what it shows.
        about: a remark on it; says what is missing when something is.
        rows: from top to bottom.
    """

    side: Side
    name: str
    about: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Pin:
    """A finding at its second: `number` is that of the list on the page."""

    number: int
    at: float
    fails: bool
    words: str


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything about the picture of one call.

    Attributes:
        stalls: (from, seconds) in which the machine stood still.
        ended: when the caller's call ended; None when it never began.
        ended_words: how.
    """

    lanes: tuple[Lane, ...]
    pins: tuple[Pin, ...]
    stalls: tuple[tuple[float, float], ...]
    ended: float | None
    ended_words: str

    def moments(self) -> Iterator[float]:
        """Every moment at which something begins or ends, in no order."""
        yield 0.0
        if self.ended is not None:
            yield self.ended
        for pin in self.pins:
            yield pin.at
        for start, seconds in self.stalls:
            yield from (start, start + seconds)
        for row in chain.from_iterable(lane.rows for lane in self.lanes):
            for shown in row.shown:
                yield from (shown.start, shown.end if shown.rest is None else shown.rest)
            for wait in row.waits:
                yield from (wait.start, wait.start + wait.least - wait.tolerance, wait.end, wait.reach)

    @property
    def span(self) -> tuple[float, float]:
        """First and last second of the picture; at least a second apart."""
        moments = list(self.moments())
        start = min(moments)
        return start, max(*moments, start + 1.0)


def fit_of(observed: float, least: float, most: float, tolerance: float) -> Fit:
    """How a wait of `observed` seconds compares with what is allowed; a microsecond is nobody's fault."""
    if observed < least - tolerance - 1e-6:
        return "too short"
    return "too long" if observed > most + tolerance + 1e-6 else "within"


def band_words(least: float, most: float) -> str:
    """What is allowed, in words: "3 s", "10-30 s"."""
    return f"{least:g} s" if least == most else f"{least:g}-{most:g} s"


def rows(*all_rows: Row) -> tuple[Row, ...]:
    """Those that are not empty."""
    return tuple(row for row in all_rows if not row.is_empty)


def in_order(shown: Sequence[Shown]) -> tuple[Shown, ...]:
    """By their beginning."""
    return tuple(sorted(shown, key=lambda one: (one.start, one.end)))
