"""Seconds to pixels. A long call is squeezed where nothing happens, and says so; everywhere else a second is a second.

Pure arithmetic: what is drawn at which moment comes from `scene`, where it goes in pixels from `arrangement`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

LONG_CALL_S = 45.0
"""Seconds up to which a call is drawn to scale throughout."""

QUIET_S = 10.0
"""A stretch in which nothing begins or ends for longer than that is squeezed in a long call."""

MARGIN_S = 1.5
"""Seconds at both ends of a quiet stretch that stay to scale, so that a wait can be read off where it ends."""

BREAK_PX = 64.0
"""Pixels a squeezed stretch takes, however long it is."""

FURTHEST_PX, CLOSEST_PX = 6.0, 240.0
"""Pixels per second below which nothing can be told apart, and beyond which nothing more is to be seen."""

LEFT_PX = 14.0
RIGHT_PX = 170.0
"""Pixels before the first moment and after the last; the labels of what happens last stand there."""

_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_TICK_PX = 58.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds `start` to `end` lie between the pixels `x0` and `x1`."""

    start: float
    end: float
    x0: float
    x1: float
    squeezed: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """A second worth a number on the axis."""

    second: float
    x: float
    label: str


class TimeScale:
    """Where each second of a call is drawn."""

    def __init__(self, start: float, end: float, quiet: Iterable[tuple[float, float]], px_per_second: float) -> None:
        """Lay the seconds from `start` to `end` out.

        Args:
            start: first second shown.
            end: last second shown; later than `start`.
            quiet: stretches to squeeze, in order, apart from each other and within the call.
            px_per_second: pixels a second takes elsewhere.
        """
        self.px_per_second = px_per_second
        self.stretches: tuple[Stretch, ...] = tuple(_stretches(start, end, quiet, px_per_second))
        self._starts = [stretch.start for stretch in self.stretches]
        self._lefts = [stretch.x0 for stretch in self.stretches]

    @property
    def start(self) -> float:
        """First second shown."""
        return self.stretches[0].start

    @property
    def end(self) -> float:
        """Last second shown."""
        return self.stretches[-1].end

    @property
    def width(self) -> float:
        """Pixels of the whole picture, margins included."""
        return self.stretches[-1].x1 + RIGHT_PX

    @property
    def knots(self) -> list[tuple[float, float]]:
        """Seconds and their pixels, between which the line is straight: enough to do `x` and `second` elsewhere."""
        first = self.stretches[0]
        return [(first.start, first.x0), *((stretch.end, stretch.x1) for stretch in self.stretches)]

    def x(self, second: float) -> float:
        """Pixel of `second`; what lies outside the call is drawn at its edge."""
        stretch = self.stretches[max(0, bisect_right(self._starts, second) - 1)]
        share = (second - stretch.start) / (stretch.end - stretch.start)
        return stretch.x0 + min(1.0, max(0.0, share)) * (stretch.x1 - stretch.x0)

    def second(self, x: float) -> float:
        """Second at pixel `x`, the other way round."""
        stretch = self.stretches[max(0, bisect_right(self._lefts, x) - 1)]
        share = (x - stretch.x0) / (stretch.x1 - stretch.x0)
        return stretch.start + min(1.0, max(0.0, share)) * (stretch.end - stretch.start)

    def ticks(self) -> list[Tick]:
        """The seconds to write on the axis: round ones, none in a squeezed stretch, none so near that numbers touch."""
        step = next((step for step in _STEPS if step * self.px_per_second >= _TICK_PX), _STEPS[-1])
        ticks: list[Tick] = []
        for stretch in self.stretches:
            if stretch.squeezed:
                continue
            for number in range(math.ceil(stretch.start / step - 1e-9), math.floor(stretch.end / step + 1e-9) + 1):
                second = number * step
                x = self.x(second)
                if not ticks or x - ticks[-1].x >= _TICK_PX * 0.75:
                    ticks.append(Tick(second, x, clock(second, step)))
        return ticks


def quiet_stretches(moments: Iterable[float], start: float, end: float) -> list[tuple[float, float]]:
    """What may be squeezed of a call in which something begins or ends at `moments`; nothing in a short one."""
    if end - start <= LONG_CALL_S:
        return []
    known = sorted({start, end, *(moment for moment in moments if start < moment < end)})
    return [(before + MARGIN_S, after - MARGIN_S) for before, after in pairwise(known) if after - before > QUIET_S]


def fitting(start: float, end: float, quiet: Iterable[tuple[float, float]], width: float) -> float:
    """Pixels per second at which the whole call takes about `width` pixels, but never an unreadable few."""
    quiet = list(quiet)
    to_scale = end - start - sum(after - before for before, after in quiet)
    room = width - LEFT_PX - RIGHT_PX - BREAK_PX * len(quiet)
    return min(CLOSEST_PX, max(FURTHEST_PX, room / max(to_scale, 0.1)))


def clock(second: float, step: float = 1.0) -> str:
    """A second as axes show it: "0.5 s", "12 s", "2:05"."""
    if abs(second) >= 60 and step >= 1:
        return f"{int(second) // 60}:{int(second) % 60:02d}"
    return f"{second:.1f} s" if step < 1 else f"{second:.0f} s"


def lasting(seconds: float) -> str:
    """How long something took, briefly: "4.2 s", "118 s", "25 min"."""
    if seconds < 20:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"


def _stretches(
    start: float, end: float, quiet: Iterable[tuple[float, float]], px_per_second: float
) -> Iterable[Stretch]:
    at, x = start, LEFT_PX
    for before, after in quiet:
        if before > at:
            yield Stretch(at, before, x, x := x + (before - at) * px_per_second)
        yield Stretch(before, after, x, x := x + BREAK_PX, squeezed=True)
        at = after
    if end > at:
        yield Stretch(at, end, x, x + (end - at) * px_per_second)
