"""What a recogniser understood of what a phone heard. The recogniser itself is not needed here."""

import numpy as np
import numpy.typing as npt
import pytest

from ivrflow.prompts.recogniser import RECOGNISER_RATE, Language, Recognise
from ivrflow.scenario.pbx import transcribing
from ivrflow.scenario.pbx.transcribing import Transcriber
from ivrflow.softphone.codecs import RATE

TONE = (9000 * np.sin(2 * np.pi * 400 * np.arange(RATE) / RATE)).astype(np.int16)


def test_the_recogniser_is_given_what_it_needs() -> None:
    given = []

    def recognise(sound: npt.NDArray[np.float32]) -> str:
        given.append(sound)
        return " 您好 \n"

    assert Transcriber(recognise).transcribe(TONE) == "您好"
    (sound,) = given
    assert sound.dtype == np.float32
    assert len(sound) == RECOGNISER_RATE
    assert 0.2 < float(np.abs(sound).max()) < 0.35


def test_silence_is_not_transcribed() -> None:
    def recognise(_: object) -> str:
        raise AssertionError("of silence it makes up words")

    transcriber = Transcriber(recognise)
    assert transcriber.transcribe(np.zeros(RATE, np.int16)) == ""
    assert transcriber.transcribe(TONE[:400]) == ""


def test_the_packaged_one_is_loaded_once_and_told_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []

    def packaged() -> Recognise:
        loaded.append(True)

        def recognise(_sound: npt.NDArray[np.float32], language: Language) -> str:
            assert language == "zh"
            return "您好，请讲"

        return recognise

    monkeypatch.setattr(transcribing, "packaged_recogniser", packaged)
    transcriber = Transcriber()
    assert loaded == []
    assert transcriber.transcribe(TONE) == "您好，请讲"
    assert transcriber.transcribe(TONE) == "您好，请讲"
    assert loaded == [True]
