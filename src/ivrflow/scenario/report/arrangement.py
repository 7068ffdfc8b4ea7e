"""Where everything in the picture of a call goes, in pixels: lanes from top to bottom, seconds from left to right.

Pure: a `Scene` and a scale in, numbers out. The template that draws them decides on nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ivrflow.scenario.report.packing import Body, Spot, Where, pack
from ivrflow.scenario.report.scene import Lane, Pin, RowKind, Scene, Shown, Side, WaitShown
from ivrflow.scenario.report.text_width import fitted, width
from ivrflow.scenario.report.time_scale import CLOSEST_PX, RIGHT_PX, Tick, TimeScale, fitting, lasting, quiet_stretches

WHOLE_CALL_PX = 1120.0
"""Pixels of the picture that shows the whole call; as wide as the page."""

READABLE_PX = 20.0
"""Pixels per second at which most phrases can be read; where the whole call would be smaller, the picture scrolls."""

WIDEST_PX = 24000.0

MARK_PX = 12.0
"""Pixels a mark takes, though it has no length."""

LEAST_BAR_PX = 3.0

AXIS_PX = 24.0
FOOT_PX = 22.0
PIN_PX, PIN_ROW_PX = 20.0, 26.0
LANE_HEAD_PX, LANE_FOOT_PX, LANE_GAP_PX = 24.0, 8.0, 8.0
ROW_GAP_PX = 6.0

_LINE_PX: dict[RowKind, float] = {"two lines": 50.0, "bars": 22.0, "marks": 22.0, "waits": 38.0}
_LINE_GAP_PX = 3.0
_LINES_OF_TEXT: dict[RowKind, int] = {"two lines": 2, "bars": 1, "marks": 1, "waits": 1}
_LEADING_PX, _SMALL_LEADING_PX, _ASCENT_PX = 14.0, 12.5, 11.0

_LINES_FOR_LABELS: dict[RowKind, int] = {"two lines": 1, "bars": 1, "marks": 4, "waits": 3}


@dataclass(frozen=True, slots=True)
class Text:
    """A line of a label: `y` is its baseline."""

    words: str
    x: float
    y: float
    is_small: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A bar or a mark.

    Attributes:
        texts: its label, line by line; `where` it stands.
        rest: pixel up to which the unheard rest goes; None when there is none.
    """

    shown: Shown
    x: float
    y: float
    width: float
    height: float
    where: Where
    texts: tuple[Text, ...]
    rest: float | None

    @property
    def is_mark(self) -> bool:
        """Whether it has no length of its own."""
        return self.shown.end <= self.shown.start


@dataclass(frozen=True, slots=True)
class PlacedWait:
    """A wait: its line from `x` to `end`, what is allowed from `least` to `most`, with tolerance from `early` to `late`."""

    wait: WaitShown
    x: float
    y: float
    end: float
    least: float
    most: float
    early: float
    late: float
    other: float | None
    height: float
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class PlacedLane:
    """A lane and what is in it."""

    side: Side
    name: str
    about: str
    y: float
    height: float
    items: tuple[Placed, ...]
    waits: tuple[PlacedWait, ...]


@dataclass(frozen=True, slots=True)
class PlacedPin:
    """One finding, or several that are too near each other to be told apart.

    Attributes:
        first: number of the first of them.
        x, y: the middle, in pixels, as are `width` and the `moments` they happened at; of many only the first and the last.
        at: second of the first.
    """

    label: str
    first: int
    fails: bool
    words: tuple[str, ...]
    x: float
    y: float
    width: float
    moments: tuple[float, ...]
    at: float


@dataclass(frozen=True, slots=True)
class PlacedBreak:
    """A stretch that is squeezed."""

    x: float
    width: float
    label: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole picture at one scale."""

    scale: TimeScale
    width: float
    height: float
    axis_y: float
    ticks: tuple[Tick, ...]
    breaks: tuple[PlacedBreak, ...]
    stalls: tuple[tuple[float, float, str], ...]
    pins: tuple[PlacedPin, ...]
    lanes: tuple[PlacedLane, ...]
    answered_x: float
    ended_x: float | None
    ended_words: str


def pictures(scene: Scene) -> list[Picture]:
    """The same call at several scales, the whole of it first; each shows a second at least twice as wide as the one before."""
    start, end = scene.span
    quiet = quiet_stretches(scene.moments(), start, end)
    px = fitting(start, end, quiet, WHOLE_CALL_PX)
    scales = [TimeScale(start, end, quiet, px)]
    while len(scales) < 4 and px * 2 <= CLOSEST_PX:
        px *= 2
        scale = TimeScale(start, end, quiet, px)
        if scale.width > WIDEST_PX:
            break
        scales.append(scale)
    return [arranged(scene, scale) for scale in scales]


def opening(drawn: Sequence[Picture]) -> int:
    """Which of them to show first: the widest view in which most phrases can still be read."""
    readable = (index for index, picture in enumerate(drawn) if picture.scale.px_per_second >= READABLE_PX)
    return next(readable, len(drawn) - 1)


def arranged(scene: Scene, scale: TimeScale) -> Picture:
    """Put everything in its place."""
    pins = _pins(scene.pins, scale)
    axis_y = max((pin.y for pin in pins), default=-PIN_ROW_PX / 2) + PIN_ROW_PX / 2
    y = axis_y + AXIS_PX
    lanes: list[PlacedLane] = []
    for lane in scene.lanes:
        placed = _lane(lane, scale, y)
        lanes.append(placed)
        y += placed.height + LANE_GAP_PX
    return Picture(
        scale,
        scale.width,
        y + FOOT_PX,
        axis_y,
        tuple(scale.ticks()),
        tuple(
            PlacedBreak(stretch.x0, stretch.x1 - stretch.x0, lasting(stretch.end - stretch.start))
            for stretch in scale.stretches
            if stretch.squeezed
        ),
        tuple(
            (
                scale.x(at),
                max(2.0, scale.x(at + seconds) - scale.x(at)),
                f"stood still for {seconds:.2f} s at {at:.2f} s",
            )
            for at, seconds in scene.stalls
        ),
        pins,
        tuple(lanes),
        scale.x(0.0),
        None if scene.ended is None else scale.x(scene.ended),
        fitted(scene.ended_words, 12.0, RIGHT_PX - 8),
    )


# ── lanes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _lane(lane: Lane, scale: TimeScale, top: float) -> PlacedLane:
    y = top + LANE_HEAD_PX
    items: list[Placed] = []
    waits: list[PlacedWait] = []
    for row in lane.rows:
        bodies = [_wait_body(wait, scale) for wait in row.waits]
        bodies += [_body(shown, scale, row.kind) for shown in row.shown]
        spots = pack(bodies, _LINES_FOR_LABELS[row.kind], scale.width)
        height = _LINE_PX[row.kind]
        for shown, body, spot in zip(row.shown, bodies, spots, strict=bool(row.shown)):
            items.append(_placed(shown, body, spot, y + spot.line * (height + _LINE_GAP_PX), height, scale))
        for wait, spot in zip(row.waits, spots, strict=bool(row.waits)):
            waits.append(_placed_wait(wait, spot, y + spot.line * (height + _LINE_GAP_PX), height, scale))
        lines = 1 + max((spot.line for spot in spots), default=0)
        y += lines * (height + _LINE_GAP_PX) - _LINE_GAP_PX + ROW_GAP_PX
    if lane.rows:
        y += LANE_FOOT_PX - ROW_GAP_PX
    return PlacedLane(lane.side, lane.name, lane.about, top, y - top, tuple(items), tuple(waits))


def _body(shown: Shown, scale: TimeScale, kind: RowKind) -> Body:
    """What is drawn of it, the unheard rest included; a mark stands with its middle on its moment."""
    left, lines = scale.x(shown.start), _LINES_OF_TEXT[kind]
    if shown.end <= shown.start:
        return Body(left - MARK_PX / 2, left + MARK_PX / 2, shown.label, shown.small, lines)
    right = scale.x(shown.end if shown.rest is None else shown.rest)
    return Body(
        left, max(right, left + (MARK_PX if kind == "marks" else LEAST_BAR_PX)), shown.label, shown.small, lines
    )


def _placed(shown: Shown, body: Body, spot: Spot, y: float, height: float, scale: TimeScale) -> Placed:
    wide, rest = body.x1 - body.x0, None
    if shown.rest is not None:
        wide, rest = max(LEAST_BAR_PX, scale.x(shown.end) - body.x0), body.x1
    return Placed(shown, body.x0, y, wide, height, spot.where, _texts(spot, y + height / 2), rest)


def _texts(spot: Spot, middle: float) -> tuple[Text, ...]:
    """The lines of a label, their middle at `middle`."""
    top = middle - (len(spot.label) * _LEADING_PX + (_SMALL_LEADING_PX if spot.small else 0.0)) / 2
    texts = [
        Text(words, spot.label_x, top + _ASCENT_PX + place * _LEADING_PX) for place, words in enumerate(spot.label)
    ]
    if spot.small:
        baseline = top + len(spot.label) * _LEADING_PX + _ASCENT_PX - 1.5
        texts.append(Text(spot.small, spot.label_x, baseline, is_small=True))
    return tuple(texts)


def _wait_body(wait: WaitShown, scale: TimeScale) -> Body:
    return Body(scale.x(wait.start), max(scale.x(wait.reach), scale.x(wait.start) + LEAST_BAR_PX), wait.label)


def _placed_wait(wait: WaitShown, spot: Spot, y: float, height: float, scale: TimeScale) -> PlacedWait:
    start = wait.start
    return PlacedWait(
        wait,
        scale.x(start),
        y,
        scale.x(wait.end),
        scale.x(start + wait.least),
        scale.x(start + wait.most),
        scale.x(start + max(0.0, wait.least - wait.tolerance)),
        scale.x(start + wait.most + wait.tolerance),
        None if wait.other_end is None else scale.x(wait.other_end),
        height,
        _texts(spot, y + _LEADING_PX / 2 + 1),
    )


# ── findings ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _pins(pins: Sequence[Pin], scale: TimeScale) -> tuple[PlacedPin, ...]:
    """Those that fail in the first line, the others below; what would touch becomes one pin."""
    placed: list[PlacedPin] = []
    y = PIN_ROW_PX / 2
    for fails in (True, False):
        of_line = sorted((pin for pin in pins if pin.fails is fails), key=lambda pin: (pin.at, pin.number))
        groups: list[list[Pin]] = []
        for pin in of_line:
            groups.append([pin])
            while len(groups) > 1 and _touch(groups[-2], groups[-1], scale):
                last = groups.pop()
                groups[-1] += last
        placed += [_pin(group, scale, y) for group in groups]
        y += PIN_ROW_PX if groups else 0.0
    return tuple(placed)


def _touch(left: Sequence[Pin], right: Sequence[Pin], scale: TimeScale) -> bool:
    one, other = _pin(left, scale, 0.0), _pin(right, scale, 0.0)
    return one.x + one.width / 2 + 2 > other.x - other.width / 2


def _pin(group: Sequence[Pin], scale: TimeScale, y: float) -> PlacedPin:
    numbers = sorted(pin.number for pin in group)
    label = _numbers(numbers)
    at = group[0].at
    wide = max(PIN_PX, width(label, 12.0) + 12.0)
    return PlacedPin(
        label, numbers[0], group[0].fails, tuple(pin.words for pin in group),
        min(max(scale.x(at), wide / 2 + 1), scale.width - wide / 2 - 1), y, wide,
        tuple(dict.fromkeys(scale.x(pin.at) for pin in (group if len(group) < 3 else (group[0], group[-1])))), at,
    )  # fmt: skip


def _numbers(numbers: Sequence[int]) -> str:
    """In few characters: "3", "3, 4", "3-9", "3 +4"."""
    if len(numbers) == 1:
        return str(numbers[0])
    if len(numbers) == 2:
        return f"{numbers[0]}, {numbers[1]}"
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]}–{numbers[-1]}"
    return f"{numbers[0]} +{len(numbers) - 1}"
