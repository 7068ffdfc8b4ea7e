"""Simplified and Traditional characters told apart, and turned into each other."""

import pytest

from ivrflow.flow.wording.script import simplified, strangers, traditional


def test_one_script_is_turned_into_the_other() -> None:
    assert simplified("這是規定，我有什麼辦法。") == "这是规定，我有什么办法。"
    assert traditional("这是规定") == "這是規定"


@pytest.mark.parametrize("text", ["", "abc 123", "\ud800", "a\x00b", "你好\udfff"])
def test_any_text_can_be_turned(text: str) -> None:
    assert isinstance(simplified(text), str)
    assert isinstance(traditional(text), str)


def test_traditional_characters_are_named_once_each_and_replaced() -> None:
    found = strangers("請您稍等，請！", "simplified")

    assert found is not None
    assert found.characters == "請"
    assert found.better == "请您稍等，请！"


def test_simplified_characters_are_named_and_replaced() -> None:
    found = strangers("請您说明。", "traditional")

    assert found is not None
    assert found.characters == "说"
    assert found.better == "請您說明。"


@pytest.mark.parametrize(
    "text", ["皇后", "公里", "台湾", "干净", "慰藉", "瞭望", "著名", "您好！Hello 12345", "{topic}"]
)
def test_what_simplified_text_holds_too_is_no_stranger(text: str) -> None:
    assert strangers(text, "simplified") is None


@pytest.mark.parametrize("text", ["皇后", "公里", "台灣", "臺灣", "乾淨", "只有", "麵條", "您好！"])
def test_what_traditional_text_holds_too_is_no_stranger(text: str) -> None:
    assert strangers(text, "traditional") is None


def test_a_character_both_write_is_left_as_it_was() -> None:
    found = strangers("后面說", "simplified")

    assert found is not None
    assert found.better == "后面说"
