"""A recordings folder with files in it, as the PBX writes them."""

import os
import wave
from pathlib import Path

import numpy as np


def write_wav(path: Path, *parts: tuple[float, int], ended_at: float | None = None) -> Path:
    """A file of the PBX's: 8 kHz, mono, 16 bit.

    Args:
        path: its folder is made.
        parts: one after the other, seconds and loudness (mean |sample|); 0 is silence.
        ended_at: Unix time of its last change.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = [np.tile(np.array([loud, -loud], np.int16), round(seconds * 4000)) for seconds, loud in parts]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.concatenate([np.zeros(0, np.int16), *samples]).tobytes())
    if ended_at is not None:
        os.utime(path, (ended_at, ended_at))
    return path
