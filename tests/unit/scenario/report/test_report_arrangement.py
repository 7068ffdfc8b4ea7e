from itertools import pairwise

import sample_results as made

from ivrflow.scenario.observation import Result
from ivrflow.scenario.report.arrangement import WHOLE_CALL_PX, Picture, opening, pictures
from ivrflow.scenario.report.privacy import Privacy
from ivrflow.scenario.report.scenario_page import scene
from ivrflow.scenario.report.scene import Lane, Pin, Row, Scene, Shown, WaitShown


def drawn(result: Result, *pins: Pin) -> list[Picture]:
    assert result.observation is not None
    return pictures(scene(result, result.observation, pins, Privacy()))


def small(
    *shown: Shown, waits: tuple[WaitShown, ...] = (), ended: float | None = 10.0, pins: tuple[Pin, ...] = ()
) -> Picture:
    lane = Lane("heard", "heard", "", (Row("two lines", shown), Row("waits", waits=waits)))
    return pictures(Scene((lane,), pins, (), ended, "over"))[0]


def test_the_whole_call_fits_the_page_and_every_further_picture_is_closer() -> None:
    scales = drawn(made.passed())
    assert abs(scales[0].width - WHOLE_CALL_PX) < 1
    assert [round(later.scale.px_per_second / earlier.scale.px_per_second) for earlier, later in pairwise(scales)] == [
        2
    ] * (len(scales) - 1)
    assert len(scales) >= 2


def test_a_call_that_would_be_too_small_to_read_opens_closer() -> None:
    assert opening(drawn(made.passed())) == 0
    assert opening(drawn(made.with_agents())) == 1


def test_a_long_call_is_squeezed_where_nothing_happens() -> None:
    [gap] = drawn(made.long_wait())[0].breaks
    assert gap.label == "117 s"
    assert drawn(made.passed())[0].breaks == ()


def test_lanes_come_in_order() -> None:
    assert [(lane.side, lane.name) for lane in drawn(made.with_agents())[0].lanes] == [
        ("caller", "caller"),
        ("heard", "what the caller heard"),
        ("engine", "engine trace"),
        ("agent", "agent 1001"),
        ("agent", "agent 1002"),
    ]
    assert [lane.about for lane in drawn(made.nothing_heard())[0].lanes] == [
        "microphone: silence", "nothing was heard", "no journal to look into",
    ]  # fmt: skip


def test_a_bar_is_as_long_as_its_sound_and_its_rest_follows_it() -> None:
    picture = small(Shown("phrase", 1.0, 3.0, "a", rest=4.0))
    [bar] = picture.lanes[0].items
    px = picture.scale.px_per_second
    assert (round(bar.width / px, 6), round((bar.rest or 0) - bar.x - 3 * px, 6)) == (2.0, 0.0)


def test_the_rest_of_a_phrase_goes_on_beyond_the_end_of_the_call() -> None:
    picture = small(Shown("phrase", 0.0, 10.0, "a", rest=18.0))
    [bar] = picture.lanes[0].items
    assert picture.ended_x is not None
    assert round(picture.scale.second(bar.rest or 0), 6) == 18.0
    assert (bar.rest or 0) > picture.ended_x


def test_the_band_of_a_wait_stands_where_the_wait_may_end() -> None:
    wait = WaitShown(2.0, 7.0, 3.0, 4.0, 0.25, "too long", "5.00 s", ("wait",), other_end=6.5)
    picture = small(waits=(wait,))
    [placed] = picture.lanes[0].waits
    seconds = [
        picture.scale.second(x) for x in (placed.x, placed.early, placed.least, placed.most, placed.late, placed.end)
    ]
    assert [round(second, 6) for second in seconds] == [2.0, 4.75, 5.0, 6.0, 6.25, 7.0]
    assert placed.other is not None
    assert round(picture.scale.second(placed.other), 6) == 6.5


def test_findings_that_would_touch_become_one_pin() -> None:
    pins = tuple(Pin(number, 2.0 + number / 1000, fails=True, words=str(number)) for number in (1, 2, 3))
    picture = small(pins=(*pins, Pin(4, 8.0, fails=True, words="4"), Pin(5, 2.0, fails=False, words="5")))
    assert [(pin.label, pin.fails) for pin in picture.pins] == [("1–3", True), ("4", True), ("5", False)]
    assert picture.pins[0].words == ("1", "2", "3")
    assert picture.pins[2].y > picture.pins[0].y


def test_pins_that_are_not_in_a_row_say_how_many() -> None:
    pins = tuple(Pin(number, 2.0, fails=True, words="") for number in (1, 5, 9))
    assert [pin.label for pin in small(pins=pins).pins] == ["1 +2"]
    assert [pin.label for pin in small(pins=pins[:2]).pins] == ["1, 5"]


def test_a_call_that_never_began_has_a_picture_all_the_same() -> None:
    picture = small(ended=None)
    assert picture.ended_x is None
    assert picture.width > 0
