"""Whatever happens on a call, nothing in its picture lies on something else."""

from itertools import combinations, pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ivrflow.scenario.report.arrangement import Picture, Placed, PlacedWait, pictures
from ivrflow.scenario.report.packing import GAP_PX, Body, Spot, pack
from ivrflow.scenario.report.scene import Lane, Pin, Row, RowKind, Scene, Shown, WaitShown
from ivrflow.scenario.report.text_width import width
from ivrflow.scenario.report.time_scale import TimeScale, quiet_stretches

texts = st.text("您好，政府热线 iWm.•…", max_size=40)
bodies = st.builds(
    lambda x, wide, label, small, lines: Body(x, x + wide, label, small, lines),
    st.floats(0, 900),
    st.floats(3, 300),
    texts,
    texts,
    st.integers(1, 2),
)
seconds = st.floats(0, 300, allow_nan=False)
lengths = st.floats(0, 60)


def extents(bodies: list[Body], spots: list[Spot]) -> list[tuple[int, int, float, float]]:
    """(line, whose, from, to) of every body and of every label that stands outside its body."""
    found = []
    for index, (body, spot) in enumerate(zip(bodies, spots, strict=True)):
        found.append((spot.line, index, body.x0, body.x1))
        wide = max([width(text, 12) for text in spot.label] + [width(spot.small, 10.5)])
        if spot.where != "nowhere":
            found.append((spot.line, index, spot.label_x, spot.label_x + wide))
    return found


@given(st.lists(bodies, max_size=25), st.integers(1, 4))
def test_no_body_and_no_label_overlaps_another(bodies: list[Body], lines: int) -> None:
    spots = pack(bodies, lines, 1300)
    for (line, whose, x0, x1), (other_line, others, other_x0, other_x1) in combinations(extents(bodies, spots), 2):
        if line == other_line and whose != others:
            assert min(x1, other_x1) <= max(x0, other_x0) + 1e-6
    for body, spot in zip(bodies, spots, strict=True):
        wide = max([width(text, 12) for text in spot.label] + [width(spot.small, 10.5)])
        if spot.where == "inside":
            assert body.x0 <= spot.label_x
            assert spot.label_x + wide <= body.x1
        if spot.where == "right":
            assert spot.label_x >= body.x1
            assert spot.label_x + wide <= 1300 + GAP_PX


def shown_of(start: float, long: float, label: str, rest: float | None) -> Shown:
    end = start + long
    return Shown("phrase", start, end, label, label, rest=None if rest is None or not long else end + rest)


shown = st.builds(shown_of, seconds, lengths, texts, st.none() | lengths)
waits = st.builds(
    lambda start, long, least, more, tolerance, label: WaitShown(
        start, start + long, least, least + more, tolerance, "within", label, (label,)
    ),
    seconds, lengths, lengths, lengths, st.floats(0, 1), texts,
)  # fmt: skip
kinds: list[RowKind] = ["two lines", "bars", "marks"]
rows = st.builds(lambda kind, shown: Row(kind, tuple(shown)), st.sampled_from(kinds), st.lists(shown, max_size=12))
wait_rows = st.builds(lambda waits: Row("waits", waits=tuple(waits)), st.lists(waits, max_size=6))
lanes = st.builds(
    lambda rows, wait_row: Lane("heard", "lane", "", (*rows, wait_row)), st.lists(rows, max_size=3), wait_rows
)
pins = st.builds(Pin, st.integers(1, 99), seconds, st.booleans(), texts)
scenes = st.builds(
    lambda lanes, pins, ended: Scene(tuple(lanes), tuple(pins), (), ended, "over"),
    st.lists(lanes, min_size=1, max_size=3),
    st.lists(pins, max_size=30),
    st.none() | seconds,
)


@given(scenes)
def test_everything_stays_in_the_picture_and_in_its_lane(scene: Scene) -> None:
    for picture in pictures(scene):
        assert_apart(picture)


def assert_apart(picture: Picture) -> None:
    assert all(one.y + one.height <= next_one.y for one, next_one in pairwise(picture.lanes))
    for lane in picture.lanes:
        everything: list[Placed | PlacedWait] = [*lane.items, *lane.waits]
        for placed in everything:
            assert lane.y <= placed.y
            assert placed.y + placed.height <= lane.y + lane.height + 1e-6
        for item in lane.items:
            assert item.x + item.width <= picture.width
            assert item.rest is None or item.rest >= item.x
        for wait in lane.waits:
            assert wait.early <= wait.least + 1e-6
            assert wait.least <= wait.most + 1e-6
            assert wait.most <= wait.late + 1e-6
            assert wait.x <= wait.end + 1e-6
        edges = [(item.y, item.x, max(item.x + item.width, item.rest or 0)) for item in lane.items]
        for (y, x0, x1), (other_y, other_x0, other_x1) in combinations(edges, 2):
            assert y != other_y or min(x1, other_x1) <= max(x0, other_x0) + 1e-6
    for one, other in combinations(picture.pins, 2):
        assert one.y != other.y or abs(one.x - other.x) >= (one.width + other.width) / 2


@given(st.lists(seconds, min_size=1, max_size=20), st.floats(1, 200), st.lists(seconds, min_size=2, max_size=10))
def test_later_is_further_right(moments: list[float], px: float, probed: list[float]) -> None:
    start, end = min(moments), max(moments) + 1.0
    scale = TimeScale(start, end, quiet_stretches(moments, start, end), px)
    inside = sorted(second for second in probed if start <= second <= end)
    drawn = [scale.x(second) for second in inside]
    assert drawn == sorted(drawn)
    assert [scale.second(x) for x in drawn] == pytest.approx(inside, abs=1e-6 * end)
