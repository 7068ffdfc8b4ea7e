import numpy as np
import pytest
from tone_voice import RATE, silence, tone

from ivrflow.prompts.sentences import LONGEST_PART, joined, sentence_parts


def _fits(_part: str) -> bool:
    return True


def test_a_short_wording_stays_whole() -> None:
    assert sentence_parts("您好。请讲！", _fits) == ["您好。请讲！"]


def test_a_long_one_is_cut_at_sentence_ends_into_as_few_parts_as_it_takes() -> None:
    sentences = ["一" * 50 + "。", "二" * 50 + "？", "三" * 50 + "！"]
    assert sentence_parts("".join(sentences), _fits) == [sentences[0] + sentences[1], sentences[2]]


def test_a_long_sentence_is_cut_at_its_commas() -> None:
    text = "一" * 80 + "，" + "二" * 80 + "。"
    assert sentence_parts(text, _fits) == ["一" * 80 + "，", "二" * 80 + "。"]
    assert "".join(sentence_parts(text * 3, _fits)) == text * 3, "nothing is lost"


def test_many_sounds_cut_a_wording_too() -> None:
    assert sentence_parts("一二三。四五六。", lambda part: len(part) < 5) == ["一二三。", "四五六。"]


def test_what_has_no_pause_cannot_be_cut() -> None:
    with pytest.raises(ValueError, match="put a comma into it"):
        sentence_parts("好" * (LONGEST_PART + 1), _fits)


def test_parts_are_joined_with_a_speakers_pause() -> None:
    spoken = np.concatenate([silence(0.4), tone(0.5), silence(1.0)])
    samples = joined([("一。", spoken), ("二，", spoken), ("三。", spoken)], RATE)
    assert len(samples) / RATE == pytest.approx(3 * 0.5 + 0.4 + 0.2, abs=0.02)
    assert joined([("一。", spoken)], RATE) is spoken
