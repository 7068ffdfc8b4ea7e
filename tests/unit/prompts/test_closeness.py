"""How far a text is from what should have been said."""

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from ivrflow.prompts import closeness
from ivrflow.prompts.closeness import compared, difference, differs, edits, error_rate

SOUNDS = {"核": "he", "和": "he", "实": "shi", "時": "shi", "时": "shi", "您": "nin", "一": "yi", "议": "yi"}


@pytest.fixture
def as_it_sounds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package that knows how characters sound, with the few it has to know."""
    package = ModuleType("pypinyin")
    package.lazy_pinyin = lambda text: [SOUNDS.get(sign, sign) for sign in text]  # type: ignore[attr-defined]  # a module made up
    yield from _with_package(monkeypatch, package)


@pytest.fixture
def as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Without that package."""
    yield from _with_package(monkeypatch, None)


def _with_package(monkeypatch: pytest.MonkeyPatch, package: ModuleType | None) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "pypinyin", package)
    closeness._sounds.cache_clear()
    yield
    closeness._sounds.cache_clear()


# ── how far two texts are apart ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("as_it_is_written")
@pytest.mark.parametrize(
    ("text", "expected", "rate"),
    [
        ("您好，请讲！", "您好请讲", 0.0),
        ("您 好 ﹐ 請 . ", "您好，請", 0.0),
        ("ABC", "abc", 0.0),
        ("您好请奖", "您好，请讲！", 0.25),
        ("您好", "您好，请讲！", 0.5),
        ("您好您好请讲", "您好，请讲！", 0.5),
        ("", "您好", 1.0),
        ("说", "", 1.0),
        ("。", "！", 0.0),
        ("请拨12345", "请拨幺二三四五", 0.0),
        ("请拨１２３４５", "请拨一二三四五", 0.0),
        ("10秒", "十秒", 0.0),
        ("等两分钟", "等2分钟", 0.0),
        ("305元", "三百零五元", 0.0),
        ("21500人", "两万一千五百人", 0.0),
        ("100000000", "一亿", 0.0),
        ("12", "二十", 1.0),
        ("13:30", "十三点三十分", 0.0),
        ("98.5%", "百分之九十八点五", 0.0),
        ("QQ号", "扣扣号", 0.0),
        ("Good morning.", "good morning", 0.0),
    ],
)
def test_how_far_a_text_is_off(text: str, expected: str, rate: float) -> None:
    assert differs(text, expected) == pytest.approx(rate)


@pytest.mark.usefixtures("as_it_sounds")
def test_characters_that_sound_the_same_are_the_same() -> None:
    assert differs("和时", "核实") == 0.0
    assert differs("核時", "核实") == 0.0
    assert differs("请按议", "请按1") == 0.0
    assert differs("您", "核") == 1.0


@pytest.mark.parametrize(
    ("text", "as_compared"),
    [
        ("十二", "12"),
        ("十二三", "123"),
        ("十一，十二", "1112"),
        ("十一十二", "1112"),
        ("三百四百", "300400"),
        ("三百零五", "305"),
        ("两千零三十", "2030"),
        ("一万零八", "10008"),
        ("一亿两千万", "120000000"),
        ("幺三八", "138"),
        ("零七", "07"),
        ("您好！ＡＢ", "您好诶必"),
        ("Hello, WORLD 2", "helloworld2"),
        ("請講", "请讲"),
    ],
)
def test_what_is_compared(text: str, as_compared: str) -> None:
    assert compared(text) == as_compared


@pytest.mark.usefixtures("as_it_sounds")
def test_both_rates_are_told() -> None:
    found = difference("和时您", "核实您")
    assert (found.length, found.errors, found.sound_errors) == (3, 2, 0)
    assert error_rate(found.errors, found.length) == pytest.approx(2 / 3)
    assert error_rate(found.sound_errors, found.length) == 0.0
    nothing = difference("您好", "")
    assert error_rate(nothing.errors, nothing.length) == 2.0, "nothing was to be said"


@pytest.mark.usefixtures("as_it_is_written")
@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("我是王先生，谢谢", 0),
        ("窝时王先生，些些", 0),
        ("我是王先森，谢谢", 1),
        ("我是，谢谢", 3),
        ("我是王大先生，谢谢", 1),
        ("王先生", 0),
        ("", 3),
    ],
)
def test_only_the_part_is_judged(text: str, errors: int) -> None:
    assert difference(text, "王先生", before="我是", after="，谢谢").errors == errors


def test_a_number_that_reaches_into_the_company_has_all_of_it_judged() -> None:
    found = difference("3万元", "万", before="三", after="元")
    assert (found.length, found.errors) == (len("30000元"), 0)


def test_of_all_shortest_ways_the_one_that_is_best_for_the_part() -> None:
    assert edits("abc", "abc") == 0
    assert edits("xabcy", "abc") == 2
    assert edits("ab", "aab", 1, 2) == 0, "the other a may be the one that is missing"
    assert edits("abXc", "abc", 1, 2) == 0, "what is added beside the part is not its own"
