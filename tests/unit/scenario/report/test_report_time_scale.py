from itertools import pairwise

import pytest

from ivrflow.scenario.report.time_scale import (
    BREAK_PX,
    LEFT_PX,
    MARGIN_S,
    RIGHT_PX,
    TimeScale,
    clock,
    fitting,
    lasting,
    quiet_stretches,
)


def test_a_second_is_a_second_without_anything_quiet() -> None:
    scale = TimeScale(0.0, 20.0, [], 50.0)
    assert scale.x(0.0) == LEFT_PX
    assert scale.x(7.5) - scale.x(5.0) == pytest.approx(125.0)
    assert scale.width == pytest.approx(LEFT_PX + 1000.0 + RIGHT_PX)


def test_pixels_lead_back_to_their_second() -> None:
    scale = TimeScale(-0.5, 200.0, [(20.0, 150.0)], 13.0)
    for second in (-0.5, 0.0, 19.0, 20.0, 77.0, 149.9, 150.0, 199.0, 200.0):
        assert scale.second(scale.x(second)) == pytest.approx(second)


def test_what_lies_outside_the_call_is_drawn_at_its_edge() -> None:
    scale = TimeScale(0.0, 10.0, [], 10.0)
    assert scale.x(-3.0) == scale.x(0.0)
    assert scale.x(99.0) == scale.x(10.0)


def test_a_quiet_stretch_takes_the_same_room_however_long() -> None:
    scale = TimeScale(0.0, 1500.0, [(10.0, 1490.0)], 20.0)
    assert scale.x(1490.0) - scale.x(10.0) == pytest.approx(BREAK_PX)
    assert scale.x(1491.0) - scale.x(1490.0) == pytest.approx(20.0)
    assert scale.knots[0] == (0.0, LEFT_PX)
    assert [second for second, _ in scale.knots] == [0.0, 10.0, 1490.0, 1500.0]


def test_only_long_calls_are_squeezed_and_never_next_to_a_moment() -> None:
    assert quiet_stretches([3.0, 30.0], 0.0, 40.0) == []
    assert quiet_stretches([5.0, 135.0, 140.0], 0.0, 141.0) == [(5.0 + MARGIN_S, 135.0 - MARGIN_S)]
    assert quiet_stretches([0, 9, 18, 27, 36, 45, 54, 60], 0.0, 60.0) == []


def test_ticks_are_round_and_apart_and_none_is_in_a_break() -> None:
    scale = TimeScale(0.0, 160.0, [(10.0, 140.0)], 30.0)
    ticks = scale.ticks()
    assert [tick.label for tick in ticks][:3] == ["0 s", "2 s", "4 s"]
    assert not [tick for tick in ticks if 10.0 < tick.second < 140.0]
    assert all(later.x - earlier.x >= 40 for earlier, later in pairwise(ticks))
    assert "2:24" in [tick.label for tick in ticks]


def test_close_up_ticks_have_decimals() -> None:
    assert [tick.label for tick in TimeScale(0.0, 1.0, [], 200.0).ticks()][:3] == ["0.0 s", "0.5 s", "1.0 s"]


def test_the_whole_call_fits_the_width_asked_for() -> None:
    quiet = [(20.0, 140.0)]
    scale = TimeScale(0.0, 180.0, quiet, fitting(0.0, 180.0, quiet, 1120.0))
    assert scale.width == pytest.approx(1120.0)
    assert fitting(0.0, 1.0, [], 1120.0) == 240.0
    assert fitting(0.0, 1e6, [], 1120.0) == 6.0


def test_seconds_in_words() -> None:
    assert [clock(0.5, 0.1), clock(59), clock(61), clock(-0.5, 0.1)] == ["0.5 s", "59 s", "1:01", "-0.5 s"]
    assert [lasting(4.21), lasting(117.4), lasting(1500)] == ["4.2 s", "117 s", "25 min"]
