"""What the PBX of a test has recorded, and when it begins to."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from peers import seconds_of_tone

from ivrflow.softphone.call import Call
from ivrflow.softphone.codecs import RATE, Samples

BEEP_HZ = 1000
"""The tone after which a caller speaks a message, 0.3 s of it."""


def is_finished(path: Path) -> bool:
    """Whether its header tells its length, which the PBX writes last."""
    with path.open("rb") as file:
        header = file.read(44)
    if header[8:12] != b"WAVE":
        return False
    return int.from_bytes(header[40:44], "little") == path.stat().st_size - 44 > 0


ABOVE_HZ = 1500
"""The tones by which tests know people are below this; enough of what is said is above."""

PIECE = RATE // 5
"""Samples of a prompt that are looked for at a time."""

FITS = 0.65
"""Correlation of such a piece with its place in a recording; other places were never above 0.45."""

ADRIFT = RATE
"""Samples by which a piece may be earlier or later than the piece in the middle would have it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A prompt in a recording: from which sample to which, and the share of its pieces that are there."""

    begin: int
    end: int
    share: float


def place_of(prompt: Samples, sound: Samples) -> Place | None:
    """Where a prompt is in what was recorded, whatever tones are beside it; None when half of it or more is not there.

    Each piece is looked for by itself. A busy PBX records a sound with gaps, and of two sides that are mixed one may be
    late for a while: of a longer piece only a part is then where the rest has it.
    """
    said, recorded = _above(prompt), _above(sound)
    pieces = [(start, said[start : start + PIECE]) for start in range(0, len(said) - PIECE + 1, PIECE)]
    loudest = max(float(piece @ piece) for _, piece in pieces)
    audible = [(start, piece) for start, piece in pieces if float(piece @ piece) > 0.05 * loudest]
    found = [(start, at) for start, piece in audible if (at := _found_at(piece, recorded)) is not None]
    if not found:
        return None
    middle = float(np.median([at - start for start, at in found]))
    found = [(start, at) for start, at in found if abs(at - start - middle) < ADRIFT]
    share = len(found) / len(audible)
    (first, begin), (last, end) = found[0], found[-1]
    return Place(max(0, begin - first), end + len(prompt) - last, share) if share > 0.5 else None


def _above(sound: Samples) -> npt.NDArray[np.float64]:
    """What is left of it above all tones of the tests."""
    spectrum = np.fft.rfft(sound)
    spectrum[: round(ABOVE_HZ * len(sound) / RATE)] = 0
    return np.fft.irfft(spectrum, len(sound))


def _found_at(piece: npt.NDArray[np.float64], sound: npt.NDArray[np.float64]) -> int | None:
    """The sample at which that piece begins; None when it is not there."""
    size = 1 << (len(sound) + len(piece)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(piece, size)), size)
    likeness = likeness[: max(0, len(sound) - len(piece) + 1)]
    if not len(likeness):
        return None
    energy = np.concatenate([[0.0], np.cumsum(sound**2)])
    around = energy[len(piece) :] - energy[: -len(piece)]
    own = float(piece @ piece)
    fits = likeness / np.sqrt(own * np.maximum(around, 0.01 * own))
    best = int(fits.argmax())
    return best if fits[best] > FITS else None


async def beep_heard(call: Call, within_s: float = 10.0) -> None:
    """Wait until the tone before a message was heard to its end."""
    async with asyncio.timeout(within_s):
        while not _is_beep_in(call):  # noqa: ASYNC110 -- a recording tells nobody what is in it
            await asyncio.sleep(0.02)


def _is_beep_in(call: Call) -> bool:
    span = call.recording.span
    return span is not None and seconds_of_tone(call.recording.samples(span.start, span.end), BEEP_HZ) >= 0.24
