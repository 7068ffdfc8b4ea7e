"""Telephone codecs: G.711 as lookup tables, G.722 from the G722 package.

Audio is mono 16-bit samples in numpy arrays; "samples at 8 kHz" unless said otherwise. One RTP packet carries 20 ms,
which is 160 bytes in each of the three codecs.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

RATE = 8000  # samples per second of the telephone line; also the RTP clock of all three codecs
FRAME = 160  # samples of RTP time, and payload bytes, in 20 ms
FRAME_S = 0.02

Samples = npt.NDArray[np.int16]


class Codec(Protocol):
    """Samples at 8 kHz to payload bytes and back; one byte is one tick of the RTP clock."""

    @property
    def name(self) -> str:
        """`ulaw`, `alaw` or `g722`."""

    def encode(self, samples: Samples) -> bytes:
        """Payload for `samples`; odd ends are padded to what the codec can carry."""

    def decode(self, payload: bytes) -> Samples:
        """Samples of `payload`."""


def _ulaw_of_every_sample() -> npt.NDArray[np.uint8]:
    """G.711 mu-law byte of each 16-bit sample, indexed by the sample as an unsigned number."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32) >> 2
    magnitude = np.minimum(np.abs(sample), 8159) + 33
    segment = np.floor(np.log2(magnitude)).astype(np.int32) - 5
    mantissa = (magnitude >> (segment + 1)) & 0x0F
    sign = np.where(sample < 0, 0x80, 0)
    codes: npt.NDArray[np.uint8] = (~(sign | (segment << 4) | mantissa) & 0xFF).astype(np.uint8)
    return codes


def _alaw_of_every_sample() -> npt.NDArray[np.uint8]:
    """G.711 A-law byte of each 16-bit sample, indexed by the sample as an unsigned number."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32) >> 3
    magnitude = np.where(sample < 0, -sample - 1, sample)
    segment = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 0)
    mantissa = (magnitude >> np.maximum(segment, 1)) & 0x0F
    return (((segment << 4) | mantissa) ^ np.where(sample < 0, 0x55, 0xD5)).astype(np.uint8)


def _sample_of_every_ulaw() -> Samples:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 132) << ((code >> 4) & 7)) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _sample_of_every_alaw() -> Samples:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment = (code >> 4) & 7
    magnitude = ((code & 0x0F) << 4) + 8
    magnitude = np.where(segment > 0, (magnitude + 256) << np.maximum(segment - 1, 0), magnitude)
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


@dataclass(frozen=True, eq=False)
class _G711:
    name: str
    to_code: npt.NDArray[np.uint8]
    to_sample: Samples

    def encode(self, samples: Samples) -> bytes:
        return self.to_code[samples.view(np.uint16)].tobytes()

    def decode(self, payload: bytes) -> Samples:
        return self.to_sample[np.frombuffer(payload, np.uint8)]


class _G722:
    """G.722 at 64 kbit/s, its lower half band only: what a telephone carries. The codec remembers: one per stream."""

    name = "g722"

    def __init__(self) -> None:
        import G722  # not on every platform; ulaw and alaw work without it

        self._codec: Any = G722.G722(RATE, 64000)

    def encode(self, samples: Samples) -> bytes:
        return bytes(self._codec.encode(samples))

    def decode(self, payload: bytes) -> Samples:
        return np.array(self._codec.decode(payload), dtype=np.int16)


@cache
def _g711(name: str) -> _G711:
    if name == "ulaw":
        return _G711(name, _ulaw_of_every_sample(), _sample_of_every_ulaw())
    return _G711(name, _alaw_of_every_sample(), _sample_of_every_alaw())


def codec(name: str) -> Codec:
    """The codec called `ulaw`, `alaw` or `g722`, fresh where it has a memory."""
    if name == "g722":
        return _G722()
    if name in ("ulaw", "alaw"):
        return _g711(name)
    raise ValueError(f"no codec called {name!r}: ulaw, alaw and g722 are spoken here")
