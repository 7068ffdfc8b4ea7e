"""What a speech recogniser understands of what was heard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import soxr

from ivrflow.prompts.recogniser import RECOGNISER_RATE, packaged_recogniser
from ivrflow.softphone.codecs import RATE, Samples
from ivrflow.softphone.likeness import sounds

_LEAST_S = 0.1  # seconds; nothing can be understood of less

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
            packaged = packaged_recogniser()
            self._recognise = lambda sound: packaged(sound, "zh")

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
