"""What a caller's microphone picks up while nobody says a phrase: silence, nothing at all, noise, breath, a tone.

Levels are dBFS: RMS against 32767, so a full-scale sine is -3. Telephone speech is around -20 to -26.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ivrflow.softphone.codecs import FRAME, RATE, Samples, codec

LOOP_FRAMES = 300  # noise repeats after six seconds, which are two breaths
BREATH_S = 1.5  # how long a breath is heard, and how long it is quiet until the next
BREATH_HZ = (300, 2500)  # where the sound of breath lies


@dataclass(frozen=True, slots=True)
class Silence:
    """A muted or quiet room: a frame of zero samples every 20 ms."""


@dataclass(frozen=True, slots=True)
class NoRtp:
    """A phone that sends nothing while its user is silent."""


@dataclass(frozen=True, slots=True)
class ComfortNoise:
    """A phone with silence suppression: only RFC 3389 packets, `level_dbov` below full scale, `every_ms` apart."""

    level_dbov: int = 60
    every_ms: int = 200


@dataclass(frozen=True, slots=True)
class Noise:
    """White noise at `level_dbfs`; the same `seed` gives the same noise."""

    level_dbfs: float = -40.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Breathing:
    """Somebody who only breathes: 1.5 s of soft noise at `level_dbfs`, 1.5 s of silence, and so on."""

    level_dbfs: float = -45.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Tone:
    """A sine of `hz` (whole hertz) at `level_dbfs`."""

    hz: int
    level_dbfs: float = -20.0


AudioSource = Silence | NoRtp | ComfortNoise | Noise | Breathing | Tone

Payload = tuple[str, bytes]  # what it is ("audio" or "noise"), and the bytes


@lru_cache(maxsize=64)
def background(source: AudioSource, frames: int = LOOP_FRAMES) -> Samples | None:
    """`frames` frames of what `source` sounds like, fit to be repeated; None where it is silent.

    Raises:
        ValueError: the level is above full scale.
    """
    if isinstance(source, (Silence, NoRtp, ComfortNoise)):
        return None
    if source.level_dbfs > 0:
        raise ValueError(f"level should be at most 0 dBFS, got {source.level_dbfs}")
    rms = 32767 * 10 ** (source.level_dbfs / 20)
    if isinstance(source, Tone):
        wave = np.sqrt(2) * rms * np.sin(2 * np.pi * source.hz * np.arange(frames * FRAME) / RATE)
    elif isinstance(source, Breathing):
        wave = rms * _breaths(source.seed, frames * FRAME)
    else:
        wave = np.random.default_rng(source.seed).normal(0, rms, frames * FRAME)
    samples: Samples = np.clip(np.round(wave), -32768, 32767).astype(np.int16)
    return samples


def _breaths(seed: int, length: int) -> NDArray[np.float64]:
    """`length` samples of breathing; while a breath is heard their mean square is 1."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(0, 1, length))
    hertz = np.fft.rfftfreq(length, 1 / RATE)
    spectrum[(hertz < BREATH_HZ[0]) | (hertz > BREATH_HZ[1])] = 0
    phase = np.arange(length) / RATE % (2 * BREATH_S) / BREATH_S
    heard = phase < 1
    wave = np.fft.irfft(spectrum, length) * np.where(heard, np.sin(np.pi * phase), 0)
    loudness: float = np.sqrt(np.mean(wave[heard] ** 2))
    return wave / loudness


@lru_cache(maxsize=64)
def payloads(source: AudioSource, codec_name: str) -> tuple[Payload | None, ...]:
    """The 20 ms payloads `source` sends, to be repeated for ever; None is a frame in which nothing is sent.

    They are made once for all calls that share a source and a codec.
    """
    if isinstance(source, NoRtp):
        return (None,)
    if isinstance(source, ComfortNoise):
        pause = max(1, round(source.every_ms / 20))
        return (("noise", bytes([source.level_dbov & 0x7F])), *[None] * (pause - 1))
    samples = background(source)
    if samples is None:
        samples = np.zeros(FRAME, np.int16)
    return tuple(("audio", payload) for payload in split_frames(samples, codec_name))


def split_frames(samples: Samples, codec_name: str) -> list[bytes]:
    """Payloads of 20 ms each; the last one is filled up with silence.

    A phrase starts with a fresh G.722 encoder: after silence the old one's state would be nearly the same.
    """
    missing = -len(samples) % FRAME
    padded = np.concatenate([samples, np.zeros(missing, np.int16)]) if missing else samples
    encoded = codec(codec_name).encode(np.ascontiguousarray(padded, dtype=np.int16))
    return [encoded[start : start + FRAME] for start in range(0, len(encoded), FRAME)]


def mixed(phrase: Samples, source: AudioSource) -> Samples:
    """`phrase` with the noise, breath or tone of `source` going on behind it."""
    behind = background(source)
    if behind is None:
        return phrase
    repeated = np.resize(behind, len(phrase)).astype(np.int32)
    both: Samples = np.clip(repeated + phrase, -32768, 32767).astype(np.int16)
    return both
