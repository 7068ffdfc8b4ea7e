"""Whether a recording is fit to be heard: as loud as every other, not clipped, without dead air."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from ivrflow.prompts.levels import SPEECH_LEVEL, active_speech_level
from ivrflow.prompts.renderer import MASTER_RATE, read_master
from ivrflow.prompts.sound import TELEPHONE_RATE, telephone_band
from ivrflow.prompts.trimming import DEAD_AIR_MS, PART_AIR_MS, dead_air

EVEN_DB = 2.0
"""How far a recording may be from the level of all, in dB."""

MOST_PEAK = 0.95
"""The greatest sample a recording may have, of full scale: from there on codecs clip."""


class Sound(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of a recording.

    Attributes:
        seconds: length, silence included.
        level_db: active speech level in dBov, as the build levels it.
        peak: greatest sample, of full scale.
        leading_ms, trailing_ms: silence before and after the speech, in milliseconds.
        most_silence_ms: how much of it there may be at either end.
    """

    seconds: float
    level_db: float
    peak: float
    leading_ms: int
    trailing_ms: int
    most_silence_ms: int = DEAD_AIR_MS

    @property
    def faults(self) -> Iterator[str]:
        """What is wrong with it, in words."""
        if abs(self.level_db - SPEECH_LEVEL) > EVEN_DB:
            yield f"is at {self.level_db:.1f} dBov, not at {SPEECH_LEVEL:.0f}"
        if self.peak >= MOST_PEAK:
            yield f"clips: its peak is {self.peak:.2f} of full scale"
        for where, silence in (("before", self.leading_ms), ("after", self.trailing_ms)):
            if silence > self.most_silence_ms:
                yield f"has {silence} ms of silence {where} the speech; {self.most_silence_ms} ms is the most"


def measured(master: Path, *, is_part: bool = False) -> Sound:
    """Decode a master and measure it; about 15 ms of work.

    Args:
        master: the file.
        is_part: whether it is only heard between others, where its silence is a speaker's pause.

    Raises:
        OSError, soundfile.LibsndfileError, ValueError: it is missing, damaged or silent.
    """
    samples = read_master(master)
    leading, trailing = dead_air(telephone_band(samples, MASTER_RATE), TELEPHONE_RATE)
    return Sound(
        seconds=len(samples) / MASTER_RATE,
        level_db=round(active_speech_level(samples, MASTER_RATE), 2),
        peak=round(float(np.abs(samples).max()), 3),
        leading_ms=leading,
        trailing_ms=trailing,
        most_silence_ms=PART_AIR_MS if is_part else DEAD_AIR_MS,
    )
