import pytest

from ivrflow.scenario.report.text_width import fitted, width, wrapped


def test_a_chinese_character_is_as_wide_as_the_font_is_high() -> None:
    assert 12 * 4 <= width("您好，请", 12) <= 12 * 4.2


def test_small_letters_are_narrower_than_capitals_and_marks_above_take_no_room() -> None:
    assert width("illi", 10) < width("aaaa", 10) < width("AAAA", 10)
    assert width("e\u0301", 10) == width("e", 10)
    assert width("\x00", 10) > 0


@pytest.mark.parametrize("room", [0.0, 5.0, 20.0, 50.0, 90.0, 1000.0])
def test_what_is_fitted_fits(room: float) -> None:
    for text in ("您好，您的电话已接通，请讲！", "silent_call.greeting", "W" * 30, ""):
        assert width(fitted(text, 12, room), 12) <= room


def test_what_fits_is_not_cut() -> None:
    assert fitted("greeting", 12, 200) == "greeting"
    assert fitted("您好，您的电话", 12, 50) == "您好，…"
    assert fitted("您好", 12, 13) == ""


def test_wrapping_keeps_words_and_closing_punctuation_together() -> None:
    assert wrapped("您好，您的电话已接通，请讲！", 12, 12 * 8, 2) == ("您好，您的电话", "已接通，请讲！")
    assert wrapped("hold music plays", 10, 70, 3) == ("hold music", "plays")


def test_what_does_not_fit_on_the_last_line_is_cut() -> None:
    lines = wrapped("您好，政府热线，请问有什么可以帮到您？", 12, 80, 2)
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert wrapped("unbreakable" * 5, 12, 60, 2) == (fitted("unbreakable" * 5, 12, 60),)
    assert wrapped("", 12, 60, 2) == ()
