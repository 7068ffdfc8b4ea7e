import math
import re
from xml.etree import ElementTree as ET

from ivrflow.scenario.report.plot import HEIGHT_PX, WIDTH_PX, Series, histogram, lines
from ivrflow.scenario.report.plot import bars as bar_chart

NAME = "{http://www.w3.org/2000/svg}"


def read(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def texts(svg: str) -> list[str]:
    return ["".join(one.itertext()) for one in read(svg).iter(f"{NAME}text")]


def bars(svg: str) -> list[ET.Element]:
    return [one for one in read(svg).iter(f"{NAME}rect") if one.get("class") == "bin"]


def test_every_value_is_in_a_column() -> None:
    svg = histogram([1.0, 1.0, 1.0, 2.0, 3.0], title="waits", bins=20)
    counts = [int("".join(bar.itertext()).rpartition(": ")[2]) for bar in bars(svg)]
    assert counts == [3, 1, 1]
    heights = [float(bar.get("height", 0)) for bar in bars(svg)]
    assert abs(heights[0] / heights[1] - 3) < 0.01


def test_marks_and_band_are_named() -> None:
    svg = histogram([2.9, 3.0, 3.1], title="waits", band=(2.75, 3.25), marks={"p50": 3.0, "p99": 3.1})
    assert {"p50 3 s", "p99 3.1 s"} <= set(texts(svg))
    assert 'class="band"' in svg
    assert read(svg).get("aria-label") == "waits: 3 values from 2.9 to 3.1 s, p50 3 s, p99 3.1 s"


def test_many_marks_in_one_place_do_not_lie_on_each_other() -> None:
    svg = histogram([3.0, 4.0], title="waits", marks={f"p{n}": 3.0 + n / 1000 for n in range(3)})
    labels = [(one.get("y"), one.get("x")) for one in read(svg).iter(f"{NAME}text") if one.get("class") == "halo"]
    assert len({y for y, _ in labels}) == 3


def test_nothing_to_show_is_said() -> None:
    for svg in (
        histogram([], title="waits"),
        histogram([math.nan, math.inf], title="waits"),
        lines([], title="load"),
        lines([Series("a", [(0, math.nan)])], title="load"),
    ):
        assert "There is nothing to show." in texts(svg)


def test_one_value_and_equal_values_have_an_axis() -> None:
    for values in ([3.0], [0.0, 0.0], [1e9] * 3, [-5.0]):
        assert len(bars(histogram(values, title="waits"))) == 1


def test_lines_have_their_names_at_their_ends() -> None:
    svg = lines(
        [Series("calls", [(0, 0), (10, 100)]), Series("CPU", [(0, 20), (10, 99)]), Series("memory", [(0, 5), (10, 98)])],
        title="load", y_unit="%",
    )  # fmt: skip
    heights = [
        float(one.get("y", 0)) for one in read(svg).iter(f"{NAME}text") if re.match(r"t\d", one.get("class", ""))
    ]
    assert len(heights) == 3
    assert min(abs(a - b) for a in heights for b in heights if a != b) >= 14
    assert len({one.get("stroke-dasharray") for one in read(svg).iter(f"{NAME}polyline")}) == 3


def test_lines_stay_in_the_picture() -> None:
    many = [Series(f"a series with a long name {n}", [(x, (x * n) % 37 - 10) for x in range(100)]) for n in range(9)]
    for one in read(lines(many, title="load")).iter(f"{NAME}polyline"):
        for point in (one.get("points") or "").split():
            x, _, y = point.partition(",")
            assert 0 <= float(x) <= WIDTH_PX
            assert 0 <= float(y) <= HEIGHT_PX


def test_zero_is_the_bottom_unless_told_otherwise() -> None:
    flat = [Series("a", [(0, 90.0), (1, 95.0)])]
    assert texts(lines(flat, title="load"))[1] == "0"
    assert texts(lines(flat, title="load", from_zero=False))[1] == "90"
    assert texts(lines([Series("a", [(0, 0.0), (1, 0.0)])], title="load"))[1] == "0"


def test_markup_stays_text() -> None:
    hostile = '</text><script>alert(1)</script>"'
    for svg in (
        histogram([1.0], title=hostile, unit=hostile, marks={hostile: 1.0}),
        lines([Series(hostile, [(0, 1), (1, 2)])], title=hostile, x_unit=hostile, y_unit=hostile),
    ):
        assert "<script>" not in svg
        assert hostile in texts(svg)


def test_bars_stand_side_by_side_in_the_order_given() -> None:
    svg = str(bar_chart([("a", 2), ("b", 0), ("<c>", 5)], title="Calls", y_unit="calls"))
    assert svg.count('class="bin"') == 2
    assert "Calls: 7 in all, most of them &lt;c&gt;: 5" in svg
    assert ">a</text>" in svg


def test_many_bars_leave_most_names_out_and_none_says_so() -> None:
    svg = str(bar_chart([(f"day{n}", 1) for n in range(60)], title="Days", labels=10))
    assert svg.count('class="axis middle"') == 10
    assert "There is nothing to show." in str(bar_chart([("a", 0)], title="None"))
