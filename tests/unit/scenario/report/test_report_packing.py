from ivrflow.scenario.report.packing import FONT_PX, Body, pack
from ivrflow.scenario.report.text_width import width


def test_a_label_that_fits_stands_inside() -> None:
    [spot] = pack([Body(0, 200, "greeting", "100 %")], 1, 300)
    assert (spot.where, spot.label, spot.small) == ("inside", ("greeting",), "100 %")


def test_a_label_that_does_not_fit_stands_beside() -> None:
    [spot] = pack([Body(0, 20, "greeting")], 1, 300)
    assert (spot.where, spot.label) == ("right", ("greeting",))
    assert spot.label_x > 20


def test_a_long_label_is_broken_before_it_leaves_its_bar() -> None:
    [spot] = pack([Body(0, 120, "您好，您的电话已接通，请讲！", lines=2)], 1, 300)
    assert spot.where == "inside"
    assert "".join(spot.label) == "您好，您的电话已接通，请讲！"


def test_a_label_is_cut_in_front_of_its_neighbour() -> None:
    first, _ = pack([Body(0, 20, "a rather long label"), Body(90, 200, "b")], 1, 300)
    assert first.where == "right"
    assert first.label[0].endswith("…")
    assert first.label_x + width(first.label[0], FONT_PX) <= 90


def test_without_any_room_there_is_no_label() -> None:
    first, _ = pack([Body(0, 6, "label"), Body(8, 30, "b")], 1, 300)
    assert (first.where, first.label) == ("nowhere", ())


def test_marks_whose_labels_would_touch_stand_on_lines_of_their_own() -> None:
    spots = pack([Body(0, 12, "ladder left"), Body(15, 27, "key"), Body(30, 42, "speech")], 3, 400)
    assert [spot.line for spot in spots] == [0, 1, 2]


def test_bodies_that_overlap_stand_on_different_lines_even_when_none_is_left() -> None:
    spots = pack([Body(0, 100, ""), Body(50, 150, ""), Body(60, 70, ""), Body(150, 200, "")], 1, 400)
    assert [spot.line for spot in spots] == [0, 1, 2, 0]


def test_a_line_that_only_an_overlap_made_is_not_used_for_labels() -> None:
    spots = pack([Body(0, 100, ""), Body(20, 30, "tone"), Body(100, 130, "unknown sound"), Body(160, 260, "b")], 1, 400)
    assert [spot.line for spot in spots] == [0, 1, 0, 0]


def test_spots_come_in_the_order_of_the_bodies() -> None:
    later, sooner = pack([Body(100, 180, "b"), Body(0, 80, "a")], 1, 400)
    assert (later.label, sooner.label) == (("b",), ("a",))
