"""Who is heard in whose company."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_entries import entry, part
from tone_voice import RATE, tone

from ivrflow.prompts.hearings import Hearing, hearings, master_hashes
from ivrflow.prompts.index import PromptEntry


def _heard(entries: list[PromptEntry], judged: str) -> tuple[str, str, str]:
    (found,) = (one for one in hearings(entries) if any(judged == entry.spoken for entry in one.judged))
    return found.said_before, found.said, found.said_after


PREFIX = part("我的工号是…", "demo", milliseconds=1400)
LONG_PREFIX = part("您好，非常高兴为您服务，我的工号是…", "demo", milliseconds=4000)
SUFFIX = part("…，感谢您的来电。", "demo", milliseconds=1600)
LISTED = part("…先生…", "demo")
BETWEEN = part("…号话务员，…", "demo", milliseconds=1500)
NUMBER = [part("…幺零…"), part("…二四…")]
PARTS = [PREFIX, LONG_PREFIX, SUFFIX, LISTED, *NUMBER, part("…三十一日…"), part("…王先生…")]


def test_a_phrase_is_heard_alone() -> None:
    assert _heard([entry(spoken="您好"), *PARTS], "您好") == ("", "您好", "")


def test_a_segment_is_heard_with_numbers_in_its_gaps() -> None:
    assert _heard(PARTS, "我的工号是") == ("", "我的工号是", "幺零二四")
    assert _heard(PARTS, "，感谢您的来电。") == ("幺零二四", "，感谢您的来电。", "")


def test_pieces_are_heard_with_those_they_go_with() -> None:
    date = [part(f"…{words}…") for words in ("十月", "下午", "三点", "三十五", "元", "先生", "王", "石")]
    every = [*PARTS, *date]
    thanks = "，感谢您的来电。"
    assert _heard(every, "三十一日") == ("十月", "三十一日", "下午三点")
    assert _heard(every, "十月") == ("我的工号是", "十月", "下午三点"), "not every day is recorded"
    assert _heard(every, "三点") == ("十月", "三点", "")
    assert _heard(every, "三十五") == ("下午三点", "三十五", "")
    assert _heard(every, "元") == ("三十五", "元", "")
    assert _heard(every, "王先生") == ("", "王先生", thanks)
    assert _heard(every, "石") == ("", "石", f"先生{thanks}")


def test_a_new_phrase_makes_nothing_else_be_heard_again() -> None:
    nearer = [part("您输入的号码是…", "demo", milliseconds=1500), part("…，再见。", "demo", milliseconds=1500)]
    apology = part("对不起，我姓…", "demo", milliseconds=1400)
    thanks = part("…感谢你的来电。", "demo", milliseconds=1600)
    number, listed = part("…三八…"), part("…新闻…", "demo")
    assert _heard([PREFIX, thanks, number, *nearer], "三八") == ("我的工号是", "三八", "感谢你的来电。")
    assert _heard([PREFIX, apology, thanks, listed, *nearer], "新闻") == ("对不起，我姓", "新闻", "感谢你的来电。")


def test_listed_values_are_heard_after_a_name_or_between_words() -> None:
    assert _heard(PARTS, "先生") == ("", "先生", "，感谢您的来电。")
    listed = part("…新闻…", "demo")
    assert _heard([*PARTS, listed], "新闻") == ("我的工号是", "新闻", "，感谢您的来电。")


def test_digits_are_heard_four_on_end() -> None:
    digits = [part(f"…{one}{other}…") for one in "零幺二三" for other in "四五六七"]
    found = [one for one in hearings([*digits, PREFIX]) if one.book == "pieces"]
    assert [len(one.judged) for one in found] == [4, 4, 4, 4]
    assert [one.said for one in found] == [
        one.said for one in hearings([*reversed(digits), PREFIX]) if one.book == "pieces"
    ]


def test_without_company_a_part_is_heard_alone() -> None:
    assert _heard([part("…王先生…")], "王先生") == ("", "王先生", "")
    assert _heard([PREFIX], "我的工号是") == ("", "我的工号是", "")


def test_every_entry_is_judged_once_and_voices_keep_apart() -> None:
    man = [part("…王先生…", speaker="zm"), part("我是…", "demo", speaker="zm"), entry(speaker="zm")]
    every = [entry(), *PARTS, BETWEEN, *man]
    judged = [id(entry) for one in hearings(every) for entry in one.judged]
    assert sorted(judged) == sorted(map(id, every))
    assert all(len({entry.speaker for entry in one.all}) == 1 for one in hearings(every))


@pytest.mark.parametrize(
    ("hearing", "name", "language"),
    [
        (Hearing((entry(),)), "demo/greet", "zh"),
        (Hearing((entry(without=True),)), "demo/greet without", "zh"),
        (Hearing((part("…王…", speaker="zm"),)), "pieces/piece 王 (zm)", "zh"),
        (Hearing((part("…幺零…"), part("…二四…"))), "pieces/piece 幺零 二四", "zh"),
        (Hearing((entry(spoken="Good morning"),)), "demo/greet", "en"),
    ],
)
def test_names_and_languages(hearing: Hearing, name: str, language: str) -> None:
    assert (hearing.name, hearing.language) == (name, language)


def test_it_is_joined_without_anything_between_and_its_hash_follows_the_masters(tmp_path: Path) -> None:
    first, second = entry("demo/one"), entry("demo/two")
    (tmp_path / "demo").mkdir()
    for one, seconds in ((first, 0.2), (second, 0.4)):
        soundfile.write(tmp_path / "demo" / one.file, tone(seconds), RATE, format="OGG", subtype="OPUS")
    both = Hearing((first,), after=(second,))
    sound = both.sound(tmp_path)
    assert len(sound) == round(0.6 * RATE)
    assert float(np.abs(sound[: RATE // 10]).max()) > 0.1
    hashes = master_hashes(tmp_path, [first, second])
    before = both.hash(hashes)
    assert before == both.hash(master_hashes(tmp_path, [second, first]))
    assert before != Hearing((first, second)).hash(hashes), "other words are judged"
    soundfile.write(tmp_path / "demo" / second.file, tone(0.4, 500), RATE, format="OGG", subtype="OPUS")
    assert both.hash(master_hashes(tmp_path, [first, second])) != before
