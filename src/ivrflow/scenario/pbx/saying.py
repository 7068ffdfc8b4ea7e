"""What a `say` step sounds like: a recorded phrase, a sound file, or plain made-up speech of so many seconds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

from ivrflow.prompts.sound import pcm16, telephone_band
from ivrflow.scenario.script import Say
from ivrflow.softphone.call import PhoneError
from ivrflow.softphone.codecs import RATE, Samples

SPEECH_DBFS = -17.0
"""Level of made-up speech: that of somebody near the phone, in every 20 ms above the level to which a playing prompt
raises the talk detector's threshold at most (a mean of 3000; see `bridge/asterisk_line.py`)."""

_PITCH_HZ = 140.0
_SYLLABLES_HZ = 4.0
_FORMANTS_HZ = ((500.0, 1.0), (1500.0, 0.5), (2500.0, 0.25))


class CannotSay(PhoneError):
    """A `say` step has no sound; one sentence that says which and why."""


def sound_of(step: Say, sounds: Mapping[str, Samples]) -> Samples:
    """The samples of a step at 8 kHz.

    Args:
        step: what is said.
        sounds: the recordings of the phrases, by key.

    Raises:
        CannotSay: the phrase has no recording here, or the file cannot be read.
    """
    if step.file is not None:
        return _read(step.file)
    if step.phrase:
        if step.phrase not in sounds:
            raise CannotSay(f"{step.where}: '{step.phrase}' has no recording here; run: ivrflow prompts build")
        return sounds[step.phrase]
    return plain_speech(step.seconds)


def plain_speech(seconds: float) -> Samples:
    """Somebody talking without a pause and without words: the same for the same length."""
    speech: Samples = np.resize(_second_of_speech(), round(seconds * RATE))
    return speech


@lru_cache(maxsize=1)
def _second_of_speech() -> Samples:
    """A voiced sound with formants, a little breath, and syllables; one second that can be repeated without a click."""
    chance = np.random.default_rng(12345)
    time = np.arange(RATE) / RATE
    wave = np.zeros(RATE)
    for number in range(1, int(3400 / _PITCH_HZ) + 1):
        hertz = number * _PITCH_HZ
        loudness = sum(weight / (1 + ((hertz - middle) / 200) ** 2) for middle, weight in _FORMANTS_HZ)
        wave += loudness * np.sin(2 * np.pi * hertz * time + chance.uniform(0, 2 * np.pi))
    wave += 0.2 * np.std(wave) * chance.normal(0, 1, RATE)
    wave *= 0.9 + 0.1 * np.sin(2 * np.pi * _SYLLABLES_HZ * time)
    wave *= 32767 * 10 ** (SPEECH_DBFS / 20) / np.sqrt(np.mean(wave**2))
    speech: Samples = np.clip(np.round(wave), -32768, 32767).astype(np.int16)
    return speech


def _read(file: Path) -> Samples:
    try:
        audio, rate = soundfile.read(file, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as problem:
        raise CannotSay(f"{file} cannot be read as a sound file: {problem}") from None
    return pcm16(telephone_band(audio.mean(axis=1), rate))
