"""What nobody may say, however it is written."""

import pytest

from ivrflow.flow.model import Lint, Phrase, Placeholder, Rule, Standard
from ivrflow.flow.problems import Location
from ivrflow.flow.wording.taboo import SaidPattern, TabooList, comparable, wordings

WHERE = Location("s.yaml", 1, 1)


def says(sentence: str, wording: str, *, anywhere: bool = False) -> bool:
    return SaidPattern(sentence, anywhere=anywhere).is_in(comparable(wording))


@pytest.mark.parametrize(
    "wording",
    [
        "你问我，我问谁？",
        "哎，您问我我问谁呀",
        "你問我，我問誰？",
        "你 问 我 ， 我 问 谁 ？",
        "“你问我”——“我问谁”！",
    ],
)
def test_a_long_sentence_is_found_anywhere_in_any_writing(wording: str) -> None:
    assert says("你问我，我问谁？", wording)


def test_full_width_letters_and_digits_are_compared_as_half_width_ones() -> None:
    assert says("您打10086好了", "您打１００８６好了。")


@pytest.mark.parametrize(
    ("wording", "is_said"),
    [
        ("什么？", True),
        ("什麼", True),
        ("好的。什么？请再说一遍。", True),
        ("好的！什么", True),
        ("请问有什么可以帮您？", False),
        ("什么，请再说一遍。", False),
        ("什么时候？", False),
    ],
)
def test_a_short_sentence_is_found_as_a_whole_utterance_only(wording: str, is_said: bool) -> None:
    assert says("什么？", wording) is is_said


def test_a_short_sentence_of_two_utterances_is_both_of_them() -> None:
    assert says("喂！喂！", "喂！喂！您好！")
    assert says("喂！喂！", "喂喂")
    assert not says("喂！喂！", "喂！您好！")


def test_a_short_sentence_counts_anywhere_where_the_standard_says_so() -> None:
    assert not says("这是规定", "很抱歉，这是规定。")
    assert says("这是规定", "很抱歉，这是规定。", anywhere=True)


def test_four_characters_are_short_and_five_are_not() -> None:
    assert not says("我不知道", "我不知道您的号码")
    assert says("不关我的事", "这不关我的事呀")


@pytest.mark.parametrize("gap", ["{place}", "XX", "*", "…", "～", "...", "××"])
def test_a_gap_stands_for_a_few_words(gap: str) -> None:
    assert says(f"我不清楚，你找{gap}地方问去！", "我不清楚，您找别的地方问去。")
    assert says(f"我不清楚，你找{gap}地方问去！", "我不清楚，你找地方问去。")
    assert not says(f"我不清楚，你找{gap}地方问去！", "我不清楚，你找" + "那个很远很远的" * 4 + "地方问去。")


def test_a_gap_does_not_reach_into_the_next_sentence() -> None:
    assert says("就是这边...呀", "就是这边的呀")
    assert not says("就是这边...呀", "就是这边。好呀")


def test_a_value_only_the_call_knows_fills_a_gap_and_parts_words() -> None:
    assert says("您拨{number}电话", "您拨{other}电话。")
    assert not says("你问我，我问谁", "你问{name}我，我问谁")


@pytest.mark.parametrize("sentence", ["", "！？", "…", "{x}", "***"])
def test_a_sentence_without_words_is_in_nothing(sentence: str) -> None:
    assert not says(sentence, "")
    assert not says(sentence, "什么？")


def test_closed_placeholders_are_filled_in() -> None:
    phrase = Phrase("x/p", "{excuse}，请稍后，{name}。", WHERE, ("excuse", "name"), without="请稍后。")
    places = {
        "excuse": Placeholder("excuse", WHERE, ("电脑故障", "计算机关机")),
        "name": Placeholder("name", WHERE),
    }

    assert wordings(phrase, places) == ("电脑故障，请稍后，{name}。", "计算机关机，请稍后，{name}。", "请稍后。")


def test_wordings_of_a_phrase_without_placeholders_are_its_text() -> None:
    assert wordings(Phrase("x/p", "您好！", WHERE), {}) == ("您好！",)


def test_a_hit_names_the_standard_the_group_and_the_rules_that_repeat_it() -> None:
    rule = Rule("x/sorry", "a", "", (), "", {}, "", WHERE, lint=Lint(WHERE, taboo=("shirk",)))
    standard = Standard(
        "x", "X", "", WHERE, {}, {"sorry": rule}, taboo={"shirk": ("我们也没有办法",), "filler": ("嗯",)}
    )
    taboo = TabooList(standard)

    assert [hit.cited for hit in taboo.found_in(["对不起，我們也沒有辦法。", "嗯。"])] == [
        "x taboo shirk (x/sorry)",
        "x taboo filler",
    ]
    assert taboo.found_in(["您好！"]) == []


def test_a_standard_without_taboo_finds_nothing() -> None:
    taboo = TabooList(Standard("x", "X", "", WHERE, {}, {}))

    assert not taboo
    assert taboo.found_in(["喂"]) == []
