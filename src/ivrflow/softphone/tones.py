"""Steady tones: the ringing and busy tones of exchanges, test tones; one or two sines at a time. Audio is 8 kHz."""

from dataclasses import dataclass

import numpy as np

from ivrflow.softphone.codecs import RATE, Samples
from ivrflow.softphone.likeness import Floats, sounds

WINDOW = RATE // 10  # samples in which a tone is looked for
LEAST_S = 0.2  # seconds a tone lasts at least
PURE = 0.95  # share of the sound that must lie in its one or two lines
STEADY_HZ = 6.0  # by how much a line may seem to wander from window to window
STEADY = 0.1  # by how much its volume may change from window to window
SECOND_LINE = 0.05  # share of the sound from which a second line is one

_SIZE = 8 * WINDOW  # samples after zero padding: lines are told to 1.25 Hz
_WIDTH = 2 * _SIZE // WINDOW  # bins to either side that a line of a Hann window takes


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone from sample `start` to `end`; `name` says its lines, "450 Hz" or "350+440 Hz"."""

    start: int
    end: int
    name: str


def steady_tones(samples: Samples) -> list[Tone]:
    """The tones in `samples`, in order."""
    heard = samples.astype(np.float64)
    runs: list[tuple[int, int, _Window]] = []
    for start in range(0, len(heard) - WINDOW + 1, WINDOW // 2):
        window = _Window(heard[start : start + WINDOW])
        if not window.lines:
            continue
        if runs and start <= runs[-1][1] and window.goes_on_from(runs[-1][2]):
            runs[-1] = (runs[-1][0], start + WINDOW, window)
        else:
            runs.append((start, start + WINDOW, window))
    return [Tone(first, last, _name(heard[first:last])) for first, last, _ in runs if last - first >= LEAST_S * RATE]


class _Window:
    """A tenth of a second: its lines, and how loud it is."""

    def __init__(self, heard: Floats) -> None:
        self.lines = _lines(heard)
        self.rms = float(np.sqrt(np.mean(heard**2)))

    def goes_on_from(self, before: "_Window") -> bool:
        """Whether it is the same tone, neither swelling nor dying away."""
        return (
            len(self.lines) == len(before.lines)
            and all(abs(one - other) <= STEADY_HZ for one, other in zip(self.lines, before.lines, strict=True))
            and abs(self.rms - before.rms) <= STEADY * before.rms
        )


def _lines(window: Floats) -> tuple[float, ...]:
    """The frequencies of the one or two sines it consists of, lowest first; none when it is anything else."""
    if not sounds(window):
        return ()
    power = np.abs(np.fft.rfft(window * np.hanning(len(window)), _SIZE)) ** 2
    whole = float(power.sum())
    found: list[float] = []
    share = 0.0
    for _ in range(2):
        best = int(np.argmax(power))
        line = slice(max(0, best - _WIDTH), best + _WIDTH + 1)
        part = float(power[line].sum()) / whole
        if found and part < SECOND_LINE:
            break
        found.append(best * RATE / _SIZE)
        share += part
        power[line] = 0.0
    return tuple(sorted(found)) if share >= PURE else ()


def _name(tone: Floats) -> str:
    """Its frequencies, the more exact the longer it is."""
    size = 1 << (max(len(tone), RATE) * 4).bit_length()
    power = np.abs(np.fft.rfft(tone * np.hanning(len(tone)), size)) ** 2
    loudest = float(power.max())
    width = 3 * size // len(tone)
    found: list[int] = []
    while len(found) < 2:
        best = int(np.argmax(power))
        if power[best] < loudest * SECOND_LINE:
            break
        found.append(round(best * RATE / size))
        power[max(0, best - width) : best + width + 1] = 0.0
    return "+".join(map(str, sorted(found))) + " Hz"
