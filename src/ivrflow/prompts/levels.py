"""How loud speech is, on the telephone's scale, and making every prompt equally loud.

Levels are in dBov: 0 dBov is the power of a full-scale square wave (ITU-T G.100.1).
"""

from __future__ import annotations

import numpy as np

from ivrflow.prompts.sound import PACKET_MS, TELEPHONE_RATE, Samples, pcm16, telephone_band

SPEECH_LEVEL = -24.0
"""Active speech level of a prompt in dBov: just above the -26 dBov that telephone networks are laid out for."""

_PEAK = 0.89
_MARGIN_DB = 15.9


def active_speech_level(samples: Samples, rate: int) -> float:
    """The level of the parts that are speech, in dBov, pauses left out, in the telephone band.

    After ITU-T P.56: what lies more than 15.9 dB below the resulting level does not count towards it.
    Raises ValueError for silence.
    """
    heard = telephone_band(samples, rate).astype(np.float64)
    frame = TELEPHONE_RATE * PACKET_MS // 1000
    count = len(heard) // frame
    power = np.square(heard[: count * frame]).reshape(count, frame).mean(axis=1)
    if count == 0 or power.max() <= 0.0:
        raise ValueError("silence has no speech level")
    level = float(power.mean())
    while True:
        active = float(power[power >= level * 10 ** (-_MARGIN_DB / 10)].mean())
        if abs(active - level) <= level * 1e-6:
            return float(10 * np.log10(active))
        level = active


def even_out(samples: Samples, rate: int) -> Samples:
    """The samples at `SPEECH_LEVEL`; quieter only where a peak would otherwise reach -1 dB of full scale."""
    gain = 10 ** ((SPEECH_LEVEL - active_speech_level(samples, rate)) / 20)
    peak = float(np.abs(samples).max()) * gain
    if peak > _PEAK:
        gain *= _PEAK / peak
    return (samples * np.float32(gain)).astype(np.float32)


def loudest_frame(samples: Samples, rate: int) -> int:
    """The greatest mean |sample| of any 20 ms at 8 kHz, wherever they begin, on the 16-bit scale, rounded up.

    An echo of the prompt cannot be louder than this, so a talk detector whose threshold is raised to it times the gain
    of the echo path while the prompt plays does not take the prompt for the caller. Zero for silence.
    """
    heard = np.abs(pcm16(telephone_band(samples, rate)).astype(np.int64))
    frame = TELEPHONE_RATE * PACKET_MS // 1000
    total = np.concatenate(([0], np.cumsum(np.pad(heard, (0, max(0, frame - len(heard)))))))
    return int(-(-int((total[frame:] - total[:-frame]).max()) // frame))
