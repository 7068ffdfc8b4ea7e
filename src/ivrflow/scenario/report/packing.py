"""Side by side without touching: which line of a row something is put on, and how much of its label fits where.

Pure arithmetic in pixels. Two promises, whatever comes in: bodies on one line do not overlap, and no label overlaps another
label or somebody else's body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ivrflow.scenario.report.text_width import fitted, width, wrapped

FONT_PX, SMALL_FONT_PX = 12.0, 10.5
PADDING_PX = 5.0
"""Pixels between a bar's edge and the label on it."""

GAP_PX = 5.0
"""Pixels between a label beside a body and what stands next to it."""

MOST_WANTED_PX = 210.0
"""Pixels of label for which something moves to a line of its own; a longer one is cut rather."""

_ROUNDING_PX = 1e-6


@dataclass(frozen=True, slots=True)
class Body:
    """Something to put down: from pixel `x0` to `x1`, with a label on at most `lines` lines and a small one below."""

    x0: float
    x1: float
    label: str
    small: str = ""
    lines: int = 1

    @property
    def label_width(self) -> float:
        """Pixels of the longer of the two lines."""
        return max(width(self.label, FONT_PX), width(self.small, SMALL_FONT_PX))


Where: TypeAlias = Literal["inside", "right", "nowhere"]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a body has gone.

    Attributes:
        line: of its row, from 0.
        label: as much of it as fits, line by line; `small` likewise.
        label_x: pixel at which they begin.
    """

    line: int
    where: Where
    label: tuple[str, ...]
    small: str
    label_x: float


def pack(bodies: Sequence[Body], lines_for_labels: int, right_edge: float) -> list[Spot]:
    """Find a spot for every body, in their order.

    Args:
        bodies: in any order.
        lines_for_labels: lines that may be used so that labels have room; more are used only for bodies that overlap.
        right_edge: pixel at which labels end at the latest.
    """
    lines = _lines(bodies, lines_for_labels)
    spots: dict[int, Spot] = {}
    for number, line in enumerate(lines):
        for place, index in enumerate(line):
            following = bodies[line[place + 1]].x0 if place + 1 < len(line) else right_edge + GAP_PX
            spots[index] = _labelled(bodies[index], number, following)
    return [spots[index] for index in range(len(bodies))]


def _lines(bodies: Sequence[Body], lines_for_labels: int) -> list[list[int]]:
    """Indexes of the bodies on each line, from left to right."""
    lines: list[list[int]] = []
    taken: list[float] = []
    wanted: list[float] = []
    for index in sorted(range(len(bodies)), key=lambda index: (bodies[index].x0, bodies[index].x1)):
        body = bodies[index]
        free = [number for number, end in enumerate(wanted[:lines_for_labels]) if end <= body.x0 + _ROUNDING_PX]
        fits = [number for number, end in enumerate(taken) if end <= body.x0 + _ROUNDING_PX]
        if free:
            number = free[0]
        elif fits and len(lines) >= lines_for_labels:
            first = [number for number in fits if number < lines_for_labels] or fits
            number = min(first, key=lambda number: wanted[number])
        else:
            number = len(lines)
            lines.append([])
            taken.append(0.0)
            wanted.append(0.0)
        lines[number].append(index)
        taken[number] = body.x1
        wanted[number] = _wanted(body)
    return lines


def _wanted(body: Body) -> float:
    """Up to where it would like to have the line for itself."""
    wide = body.label_width
    if not wide or wide + 2 * PADDING_PX <= body.x1 - body.x0:
        return body.x1
    return body.x1 + min(wide, MOST_WANTED_PX) + 2 * GAP_PX


def _labelled(body: Body, line: int, following: float) -> Spot:
    """Inside when all of it can stand there, else beside when it can, else where more of it can."""
    inside = body.x1 - body.x0 - 2 * PADDING_PX
    beside = following - body.x1 - 2 * GAP_PX
    wide = body.label_width
    label = _broken(body, inside)
    is_whole = "".join("".join(label).split()) == "".join(body.label.split())
    if is_whole or (wide > beside and inside * body.lines >= beside):
        where: Where = "inside"
        small, x = fitted(body.small, SMALL_FONT_PX, inside), body.x0 + PADDING_PX
    else:
        where = "right"
        label, small, x = _broken(body, beside), fitted(body.small, SMALL_FONT_PX, beside), body.x1 + GAP_PX
    return Spot(line, where, label, small, x) if label or small else Spot(line, "nowhere", (), "", body.x0)


def _broken(body: Body, room: float) -> tuple[str, ...]:
    if body.lines == 1 or width(body.label, FONT_PX) <= room:
        label = fitted(body.label, FONT_PX, room)
        return (label,) if label else ()
    return wrapped(body.label, FONT_PX, room, body.lines)
