"""Samples as the telephone sees them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]
"""Mono audio, full scale at 1.0."""

Pcm: TypeAlias = NDArray[np.int16]

TELEPHONE_RATE = 8000

PACKET_MS = 20
"""A telephone packet in milliseconds."""


def telephone_band(samples: Samples, rate: int) -> Samples:
    """The samples at 8 kHz: all that a G.711 line carries."""
    return samples if rate == TELEPHONE_RATE else soxr.resample(samples, rate, TELEPHONE_RATE).astype(np.float32)


def pcm16(samples: Samples) -> Pcm:
    """Full scale 1.0 to 16-bit samples; what lies beyond full scale stops there."""
    scaled: NDArray[np.float32] = np.rint(samples * np.float32(32767.0))
    return scaled.clip(-32768, 32767).astype(np.int16)
