"""Small plots as SVG in the report's style: how often which value came, how many of each, values along the time.

Each is a picture on its own, with its colours in it: to be put into a page as it is, or saved as a file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from ivrflow.scenario.report.packing import Body, pack
from ivrflow.scenario.report.templating import environment
from ivrflow.scenario.report.text_width import fitted, width

WIDTH_PX, HEIGHT_PX = 720.0, 260.0
_TOP_PX, _BOTTOM_PX, _LEFT_PX, _RIGHT_PX = 34.0, 40.0, 58.0, 18.0
_LABEL_PX = 12.0
_MARK_LINE_PX = 16.0
_MOST_MARK_LINES = 3
_DASHES = ("", "7 4", "2 4", "9 3 2 3", "4 4")
"""Lines are told apart by their dashes too, not by colour alone."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a plot: its name and its points, x and y, in order of x."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Grid:
    """A number on an axis and its pixel."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class _Bin:
    x: float
    y: float
    width: float
    height: float
    told: str


@dataclass(frozen=True, slots=True)
class _Mark:
    x: float
    label: str
    label_x: float
    label_y: float


@dataclass(frozen=True, slots=True)
class _Line:
    points: str
    dash: str
    label: str
    label_y: float
    end_x: float
    end_y: float
    number: int


def histogram(
    values: Sequence[float],
    *,
    title: str,
    unit: str = "s",
    band: tuple[float, float] | None = None,
    marks: Mapping[str, float] | None = None,
    bins: int = 40,
) -> Markup:
    """How often which value came.

    Args:
        values: in any order; infinite ones and those that are no number are left out.
        title: what they are; also the picture's text alternative, with the marks.
        unit: theirs.
        band: what is allowed, least and most; shaded.
        marks: values to point out, by name: {"p95": 3.02}.
        bins: how many columns.

    Returns:
        An `<svg>` element; a picture that says so when there is no value.
    """
    finite = [value for value in values if math.isfinite(value)]
    named = {name: value for name, value in (marks or {}).items() if math.isfinite(value)}
    if not finite:
        return _nothing(title)
    low, high = _spread([*finite, *named.values(), *(band or ())])
    x_grid, low, high = _axis(low, high, 8)
    edge = (high - low) / bins
    counts = [0] * bins
    for value in finite:
        counts[min(bins - 1, max(0, int((value - low) / edge)))] += 1
    y_grid, _, top = _axis(0.0, float(max(counts)), 4, whole=True)
    x_of, y_of = _scale(low, high, _LEFT_PX, WIDTH_PX - _RIGHT_PX), _scale(0.0, top, *_vertical(named))
    columns = [
        _Bin(
            x_of(low + number * edge),
            y_of(count),
            x_of(low + edge) - x_of(low),
            y_of(0.0) - y_of(count),
            f"{_number(low + number * edge)} to {_number(low + (number + 1) * edge)} {unit}: {count}",
        )
        for number, count in enumerate(counts)
        if count
    ]
    told = f"{title}: {len(finite)} values from {_number(min(finite))} to {_number(max(finite))} {unit}"
    told += "".join(f", {name} {_number(value)} {unit}" for name, value in named.items())
    return _drawn(
        title, told, unit, "how many",
        x_grid=[_Grid(x_of(value), _number(value)) for value in x_grid],
        y_grid=[_Grid(y_of(value), _number(value)) for value in y_grid],
        band=(x_of(band[0]), max(2.0, x_of(band[1]) - x_of(band[0]))) if band else None,
        bins=columns,
        marks=_placed_marks(named, x_of, unit),
        base=y_of(0.0),
        top=y_of(top),
    )  # fmt: skip


def bars(
    counts: Sequence[tuple[str, int]], *, title: str, x_unit: str = "", y_unit: str = "how many", labels: int = 12
) -> Markup:
    """How many of each: one column per name, in the order given.

    Args:
        counts: name and number of each column.
        title: what is counted; also the picture's text alternative.
        x_unit: what the names are.
        y_unit: what the numbers are.
        labels: about how many names are written below the axis.

    Returns:
        An `<svg>` element; a picture that says so when every number is 0.
    """
    highest = max((number for _, number in counts), default=0)
    if not highest:
        return _nothing(title)
    y_grid, _, top = _axis(0.0, float(highest), 4, whole=True)
    y_of = _scale(0.0, top, *_vertical({}))
    edge = (WIDTH_PX - _LEFT_PX - _RIGHT_PX) / len(counts)
    every = max(1, math.ceil(len(counts) / labels))
    columns = [
        _Bin(_LEFT_PX + place * edge, y_of(number), edge, y_of(0.0) - y_of(number), f"{name}: {number}")
        for place, (name, number) in enumerate(counts)
        if number
    ]
    most, _ = max(counts, key=lambda count: count[1])
    told = f"{title}: {sum(number for _, number in counts)} in all, most of them {most}: {highest}"
    return _drawn(
        title, told, x_unit, y_unit,
        x_grid=[
            _Grid(_LEFT_PX + (place + 0.5) * edge, name)
            for place, (name, _) in enumerate(counts)
            if place % every == 0
        ],
        y_grid=[_Grid(y_of(value), _number(value)) for value in y_grid],
        bins=columns,
        base=y_of(0.0),
        top=y_of(top),
    )  # fmt: skip


def lines(
    series: Sequence[Series], *, title: str, x_unit: str = "s", y_unit: str = "", from_zero: bool = True
) -> Markup:
    """Values along the time, or along whatever x is.

    Args:
        series: at most a handful; points that are no finite numbers are left out.
        title: what is shown; also the picture's text alternative.
        x_unit: of the points' x.
        y_unit: of their y.
        from_zero: whether the y axis begins at 0 whatever the values are.

    Returns:
        An `<svg>` element; a picture that says so when there is no point.
    """
    clean = [
        Series(one.name, [(x, y) for x, y in one.points if math.isfinite(x) and math.isfinite(y)]) for one in series
    ]
    clean = [one for one in clean if one.points]
    if not clean:
        return _nothing(title)
    xs = [x for one in clean for x, _ in one.points]
    ys = [y for one in clean for _, y in one.points]
    names_px = min(180.0, max(width(one.name, _LABEL_PX) for one in clean) + 12)
    x_low, x_high = _spread(xs)
    y_low, y_high = _spread(ys) if any(ys) or not from_zero else (0.0, 1.0)
    if from_zero:
        y_low, y_high = min(y_low, 0.0), max(y_high, 0.0)
    x_grid = _axis(x_low, x_high, 8)[0]
    y_grid, y_low, y_high = _axis(y_low, y_high, 5)
    right = WIDTH_PX - _RIGHT_PX - names_px
    x_of, y_of = _scale(x_low, x_high, _LEFT_PX, right), _scale(y_low, y_high, *_vertical({}))
    label_ys = _apart([y_of(one.points[-1][1]) for one in clean], y_of(y_high), y_of(y_low))
    drawn = [
        _Line(
            " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in one.points),
            _DASHES[number % len(_DASHES)],
            fitted(one.name, _LABEL_PX, names_px - 10),
            label_ys[number],
            x_of(one.points[-1][0]),
            y_of(one.points[-1][1]),
            number % 5,
        )
        for number, one in enumerate(clean)
    ]
    ranges = (
        f"{one.name} from {_number(min(y for _, y in one.points))} to {_number(max(y for _, y in one.points))} {y_unit}"
        for one in clean
    )
    return _drawn(
        title, f"{title}: " + ", ".join(told.strip() for told in ranges), x_unit, y_unit,
        x_grid=[_Grid(x_of(value), _number(value)) for value in x_grid if x_low <= value <= x_high],
        y_grid=[_Grid(y_of(value), _number(value)) for value in y_grid],
        lines=drawn,
        base=y_of(y_low),
        top=y_of(y_high),
        right=right,
    )  # fmt: skip


# ── numbers to pixels ─────────────────────────────────────────────────────────────────────────────────────────────────


class _scale:  # noqa: N801 - used as a function: a straight line from numbers to pixels
    def __init__(self, low: float, high: float, from_px: float, to_px: float) -> None:
        self._low, self._from = low, from_px
        self._slope = (to_px - from_px) / (high - low)

    def __call__(self, value: float) -> float:
        return self._from + (value - self._low) * self._slope


def _vertical(marks: Mapping[str, float]) -> tuple[float, float]:
    """Pixels of the lowest and the highest number; names of marks stand above."""
    lines_of_marks = min(len(marks), _MOST_MARK_LINES)
    return HEIGHT_PX - _BOTTOM_PX, _TOP_PX + 8 + lines_of_marks * _MARK_LINE_PX


def _spread(values: Sequence[float]) -> tuple[float, float]:
    """Least and greatest, apart from each other even when they are the same."""
    low, high = min(values), max(values)
    if high - low > 1e-9 * max(1.0, abs(high)):
        return low, high
    room = max(abs(high) * 0.05, 0.5)
    return low - room, high + room


def _axis(low: float, high: float, about: int, *, whole: bool = False) -> tuple[list[float], float, float]:
    """Round numbers that enclose `low` to `high`, in about so many steps; the first and the last of them."""
    raw = max((high - low) / about, 1.0 if whole else 0.0, 1e-12)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return [number * step for number in range(first, last + 1)], first * step, last * step


def _number(value: float) -> str:
    """As short as it can be said on an axis."""
    return f"{value:.4g}" if abs(value) < 10000 else f"{value:,.0f}"


def _placed_marks(marks: Mapping[str, float], x_of: _scale, unit: str) -> list[_Mark]:
    """Names above the columns, side by side or on lines of their own."""
    labels = [f"{name} {_number(value)} {unit}" for name, value in marks.items()]
    bodies = [
        Body(x_of(value) - 1, x_of(value) + 1, label) for label, value in zip(labels, marks.values(), strict=True)
    ]
    spots = pack(bodies, _MOST_MARK_LINES, WIDTH_PX)
    return [
        _Mark(x_of(value), "".join(spot.label), spot.label_x, _TOP_PX + 8 + spot.line * _MARK_LINE_PX)
        for value, spot in zip(marks.values(), spots, strict=True)
    ]


def _apart(wanted: Sequence[float], top: float, bottom: float) -> list[float]:
    """The same heights, at least a line of text apart where there is room for that."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    gap = min(15.0, (bottom - top) / max(1, len(wanted) - 1))
    heights = [wanted[index] for index in order]
    for place in range(1, len(heights)):
        heights[place] = max(heights[place], heights[place - 1] + gap)
    if heights and heights[-1] > bottom:
        heights[-1] = bottom
        for later, earlier in pairwise(range(len(heights) - 1, -1, -1)):
            heights[earlier] = min(heights[earlier], heights[later] - gap)
    placed = dict(zip(order, heights, strict=True))
    return [placed[index] for index in range(len(wanted))]


# ── markup ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _nothing(title: str) -> Markup:
    return _drawn(title, f"{title}: there is nothing to show", "", "")


def _drawn(title: str, told: str, x_unit: str, y_unit: str, **parts: object) -> Markup:
    nothing: dict[str, object] = {"x_grid": [], "y_grid": [], "band": None, "bins": [], "marks": [], "lines": []}
    frame = {"base": HEIGHT_PX - _BOTTOM_PX, "top": _TOP_PX, "left": _LEFT_PX, "right": WIDTH_PX - _RIGHT_PX}
    template = environment().get_template("plot.svg.jinja")
    return Markup(  # noqa: S704 - the template has escaped what was put into it
        template.render(
            title=title,
            told=told,
            x_unit=x_unit,
            y_unit=y_unit,
            width=WIDTH_PX,
            height=HEIGHT_PX,
            is_empty=not parts,
            **{**nothing, **frame, **parts},
        )
    )
