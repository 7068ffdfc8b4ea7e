"""A phrase put together from recordings."""

import pytest

from ivrflow.flow.speaking.composing import (
    MOST_PARTS,
    Unspoken,
    WordingKey,
    composed,
    filled,
    is_chinese,
    piece_key,
    segment_key,
    segments,
)
from ivrflow.flow.speaking.spoken_values import SpokenAs

DIGITS = {piece_key(digit) for digit in "零幺二三四五六七八九"}
PAIRS = {piece_key(tens + ones) for tens in "零幺二三四五六七八九" for ones in "零幺二三四五六七八九"}


def words_of(said: tuple[WordingKey, ...] | Unspoken) -> list[str]:
    assert not isinstance(said, Unspoken), said
    return [values[0][1] for _, values in said]


@pytest.mark.parametrize(
    ("text", "recorded"),
    [
        ("我的工号是{agent_id}，请记录。", ["我的工号是…", "…，请记录。"]),
        ("{surname}{honorific}，您好！我是{agent_id}号", ["…，您好！我是…", "…号"]),
        ("{surname}{honorific}。", []),
        ("{a}，{b}吗", ["…吗"]),
        ("在{month}月{day}日", ["在…", "…月…", "…日"]),
    ],
)
def test_what_is_recorded_around_the_values(text: str, recorded: list[str]) -> None:
    assert segments(text) == recorded


def test_a_number_is_read_in_pairs_of_digits() -> None:
    exists = {*DIGITS, *PAIRS, segment_key("s", "工号是…"), segment_key("s", "…，请记录。")}.__contains__
    said = composed("s", "工号是{agent_id}，请记录。", {"agent_id": "digits"}, {"agent_id": "1024"}, exists)
    assert words_of(said) == ["工号是…", "幺零", "二四", "…，请记录。"]
    assert isinstance(said, tuple)
    assert said[0] == ("s/segment", (("words", "工号是…"),))
    assert said[1] == ("pieces/piece", (("words", "幺零"),))


def test_the_speaker_pauses_between_the_groups_of_a_telephone_number() -> None:
    pausing = {piece_key(f"{words}，") for words in ("八", "三八", "三四")}
    exists = {*DIGITS, *PAIRS, *pausing, segment_key("s", "是…")}.__contains__
    said = composed("s", "是{phone}", {"phone": "telephone"}, {"phone": "13812345678"}, exists)
    assert words_of(said) == ["是…", "幺三", "八，", "幺二", "三四，", "五六", "七八"]


def test_values_in_a_row_are_said_in_one_breath_where_they_are_recorded_so() -> None:
    spoken_as: dict[str, SpokenAs] = {"surname": "name", "honorific": "words"}
    values = {"surname": "王", "honorific": "女士"}
    apart = {piece_key("王"), segment_key("s", "…女士…"), segment_key("s", "…，您好")}
    said = composed("s", "{surname}{honorific}，您好", spoken_as, values, apart.__contains__)
    assert words_of(said) == ["王", "…女士…", "…，您好"]
    said = composed("s", "{surname}{honorific}，您好", spoken_as, values, {*apart, piece_key("王女士")}.__contains__)
    assert words_of(said) == ["王女士", "…，您好"]


def test_two_is_another_word_in_front_of_a_month() -> None:
    exists = {*map(piece_key, "二两"), segment_key("s", "…月…"), segment_key("s", "…天")}.__contains__
    values = {"month": "2", "days": "2"}
    said = composed("s", "{month}月{days}天", {"month": "number", "days": "number"}, values, exists)
    assert words_of(said) == ["二", "…月…", "两", "…天"]


def test_two_is_another_word_behind_the_sign_of_an_ordinal() -> None:
    exists = {
        *map(piece_key, "二两"),
        segment_key("s", "排第…"),
        segment_key("s", "…位，等…"),
        segment_key("s", "…分钟"),
    }
    values = {"place": "2", "minutes": "2"}
    text = "排第{place}位，等{minutes}分钟"
    said = composed("s", text, {"place": "number", "minutes": "number"}, values, exists.__contains__)
    assert words_of(said) == ["排第…", "二", "…位，等…", "两", "…分钟"]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("王", Unspoken("", "the words around the values are not recorded in segments")),
        ("萨", Unspoken("surname", "nobody recorded the words it is made of")),
        ("Wang", Unspoken("surname", "it is not a name in Chinese characters")),
    ],
)
def test_why_a_value_is_not_spoken(value: str, why: Unspoken) -> None:
    said = composed("s", "{surname}，您好", {"surname": "name"}, {"surname": value}, {piece_key("王")}.__contains__)
    assert said == why


def test_nobody_listens_to_a_phrase_of_so_many_parts() -> None:
    text = "，".join("{number}" for _ in range(3))
    exists = DIGITS.__contains__
    assert len(words_of(composed("s", text, {"number": "digits"}, {"number": "1" * 13}, exists))) == 39
    said = composed("s", text, {"number": "digits"}, {"number": "1" * 14}, exists)
    assert said == Unspoken("", f"the phrase would take 42 recordings; {MOST_PARTS} is the most")


def test_it_says_in_words_what_is_the_matter() -> None:
    assert str(Unspoken("phone", "it is empty")) == "the value of phone: it is empty"
    assert str(Unspoken("", "too long")) == "the values: too long"


def test_text_with_its_values() -> None:
    assert filled("{surname}{honorific}，您好", {"surname": "王", "honorific": "女士"}) == "王女士，您好"


@pytest.mark.parametrize(
    ("text", "is_so"), [("您好{surname}", True), ("Hello, Mr. {surname}", False), ("{name}", True)]
)
def test_values_are_spoken_in_chinese_only(text: str, is_so: bool) -> None:
    assert is_chinese(text) is is_so
