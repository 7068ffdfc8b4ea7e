"""How alike two stretches of sound are, whatever their volume. All audio is 8 kHz."""

import numpy as np
import numpy.typing as npt

from ivrflow.softphone.codecs import RATE
from ivrflow.softphone.recording import QUIET_DBFS

Floats = npt.NDArray[np.float64]

STEP = RATE // 100  # samples: to 10 ms it is told where a sound begins and ends
QUIET = 32767 * 10 ** (QUIET_DBFS / 20)  # RMS below which a stretch does not sound
SAME = 0.6  # correlation from which two stretches are the same sound; other speech of the same voice stays below


def sounds(stretch: Floats) -> bool:
    """Whether there is anything to hear in it."""
    return float(stretch @ stretch) >= len(stretch) * QUIET**2


def correlation(one: Floats, two: Floats) -> float:
    """How alike two stretches of the same length are, whatever their volume: -1 to 1."""
    loudness = float(np.sqrt((one @ one) * (two @ two)))
    return float(one @ two) / loudness if loudness > 1.0 else 0.0


def sliding_correlation(audio: Floats, piece: Floats) -> Floats:
    """`correlation` of `piece` with each stretch of `audio`, by where the stretch begins; 0 where that is silent."""
    places = len(audio) - len(piece) + 1
    size = 1 << (len(audio) - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(audio, size) * np.conj(np.fft.rfft(piece, size)), size)[:places]
    energy = np.concatenate([[0.0], np.cumsum(audio**2)])
    window = energy[len(piece) :] - energy[:places]
    floor = len(piece) * (QUIET / 4) ** 2
    found: Floats = np.where(window > floor, product / np.sqrt(np.maximum(window, floor) * float(piece @ piece)), 0.0)
    return found
