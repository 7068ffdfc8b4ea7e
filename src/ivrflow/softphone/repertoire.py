"""What a PBX may play, made ready once for all who listen: the phrases in all their wordings, and the hold music.

A phrase can be recorded in several wordings (with a value in it and without). They are told apart by a mark behind the
phrase's name: "gov12345/caller_greets.reply", "gov12345/caller_greets.reply#2". All audio is 8 kHz.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ivrflow.softphone.codecs import RATE, Samples
from ivrflow.softphone.likeness import QUIET, STEP, Floats
from ivrflow.softphone.music import MusicIndex

LEAST_TELLING = RATE * 40 // 100  # samples of a phrase's sound by which it is known, at least
LOUD = 0.3  # volume, against what went before, of a sound that noise does not easily cover
TELLING = RATE * 8 // 100  # samples, the last of those, that are looked at by themselves
DIFFERENT = 0.6  # correlation up to which another phrase that begins alike is surely found out
PIECE = 1024  # samples of a phrase's beginning that are searched for
BEGINNING = RATE * 6 // 10  # samples of every other phrase in which that is looked for
_LIKE = 0.5  # correlation of the piece from which two phrases are compared further
_SHIFT = 2  # samples by which one may still be off


def phrase_of(name: str) -> str:
    """The phrase a wording belongs to: its name without the mark."""
    return name.partition("#")[0]


class Wording:
    """One recording of a phrase; places are samples from its beginning.

    Attributes:
        name: the wording's.
        samples: all of it.
        first: place of its first sound.
        last: place after its last sound.
        audible: of each sample, whether the 10 ms it lies in sound.
        telling: place up to which it must be heard to know that it is this phrase and no other.
        tells_by_end: whether it is only the last of that which makes the difference.
        piece: the loudest piece of its beginning, by which it is searched for.
        piece_at: place of that.
    """

    def __init__(self, name: str, samples: Samples) -> None:
        self.name = name
        self.samples: Floats = samples.astype(np.float64)
        steps = self.samples[: len(samples) // STEP * STEP].reshape(-1, STEP)
        sounding = np.mean(steps**2, axis=1) >= QUIET**2
        loud = np.flatnonzero(sounding)
        self.audible = np.zeros(len(samples), np.bool_)
        self.audible[: len(sounding) * STEP] = np.repeat(sounding, STEP)
        self.first, self.last = (int(loud[0]) * STEP, int(loud[-1] + 1) * STEP) if len(loud) else (0, 0)
        enough = int(np.searchsorted(np.cumsum(sounding) * STEP, LEAST_TELLING))
        self.telling = min((enough + 1) * STEP, self.last)
        self.tells_by_end = False
        energy = np.concatenate([[0.0], np.cumsum(self.samples[self.first : self.telling] ** 2)])
        length = min(PIECE, len(energy) - 1)
        self.piece_at = self.first + int(np.argmax(energy[length:] - energy[: len(energy) - length]))
        self.piece = self.samples[self.piece_at : self.piece_at + length]

    @property
    def is_heard(self) -> bool:
        """Whether there is anything to hear in it at all."""
        return self.last > self.first

    def sound(self, start: int, end: int) -> int:
        """How many samples sound from `start` to `end`."""
        return int(np.count_nonzero(self.audible[start:end]))

    def tell_from(self, rivals: "list[tuple[Wording, int]]") -> None:
        """Move `telling` to where none of the rivals could be taken for this wording any more.

        Two recordings of which one is the beginning of the other can only be told apart where the shorter ends; two
        that are the same from beginning to end cannot be told apart at all, and make no difference here.

        Args:
            rivals: Other wordings, and the sample of each at which this one would begin.
        """
        earliest = (self.telling - self.first) // STEP - 1
        found_out: list[npt.NDArray[np.bool_]] = []
        by_all: list[npt.NDArray[np.bool_]] = []
        for other, begin in rivals:
            loud, whole, last = self._likeness(other, begin)
            different = (whole <= DIFFERENT) | (loud & (last <= DIFFERENT))
            if np.any(different[earliest:]):
                found_out.append(different[earliest:])
                by_all.append(whole[earliest:] <= DIFFERENT)
        if not found_out:
            return
        steps = np.flatnonzero(np.all(found_out, axis=0))
        step = int(steps[0]) if len(steps) else len(found_out[0]) - 1
        self.telling = self.first + (earliest + 1 + step) * STEP
        self.tells_by_end = not all(whole[step] for whole in by_all)

    def _likeness(self, other: "Wording", begin: int) -> tuple[npt.NDArray[np.bool_], Floats, Floats]:
        """For the end of each step from the first sound on: whether we are loud there, and the correlation with `other`.

        That of all up to there, and that of the last part alone.
        """
        ours = self.samples[self.first : self.last]
        steps, window = len(ours) // STEP, TELLING // STEP
        ours = ours[: steps * STEP]
        padded = np.zeros(len(ours) + 2 * _SHIFT)
        start = begin + self.first - _SHIFT
        there = other.samples[max(0, start) : max(0, start + len(padded))]
        padded[max(0, -start) : max(0, -start) + len(there)] = there
        energy = _summed(ours * ours, window)
        whole, last = np.full(steps, -1.0), np.full(steps, -1.0)
        for shift in range(2 * _SHIFT + 1):
            theirs = padded[shift : shift + len(ours)]
            product, their_energy = _summed(ours * theirs, window), _summed(theirs * theirs, window)
            for best, number in ((whole, 0), (last, 1)):
                loudness = np.sqrt(energy[number] * their_energy[number])
                np.maximum(best, product[number] / np.maximum(loudness, 1.0), out=best)
        mean = np.maximum(energy[0] / (STEP * np.arange(1, steps + 1)), QUIET**2)
        return energy[1] >= TELLING * mean * LOUD**2, whole, last


def _summed(values: Floats, window: int) -> tuple[Floats, Floats]:
    """Sums of `values` up to the end of each step, from the beginning and over the latest `window` steps."""
    sums = np.cumsum(values.reshape(-1, STEP).sum(axis=1))
    return sums, sums - np.concatenate([np.zeros(min(window, len(sums))), sums])[: len(sums)]


class Repertoire:
    """Phrases by name and hold music, prepared when first asked for.

    Args:
        sounds: Every wording that may be heard, at 8 kHz.
        music: The files played during hold, at 8 kHz.
    """

    def __init__(self, sounds: Mapping[str, Samples], music: Sequence[Samples] = ()) -> None:
        self.sounds = sounds
        self.music = MusicIndex(music)
        self._prepared: dict[str, tuple[Wording, ...]] = {}

    @cached_property
    def everything(self) -> tuple[Wording, ...]:
        """All wordings of all phrases."""
        return tuple(Wording(name, samples) for name, samples in self.sounds.items())

    @cached_property
    def _beginnings(self) -> "_Beginnings":
        return _Beginnings(self.everything)

    def wordings(self, phrase: str) -> tuple[Wording, ...]:
        """The wordings of a phrase, each knowing by when it differs from every other phrase.

        Raises:
            KeyError: there is no such phrase.
        """
        if phrase not in self._prepared:
            asked = tuple(wording for wording in self.everything if phrase_of(wording.name) == phrase)
            if not asked:
                raise KeyError(phrase)
            for wording in asked:
                like = self._beginnings.like(wording)
                wording.tell_from([(other, at) for other, at in like if phrase_of(other.name) != phrase])
            self._prepared[phrase] = asked
        return self._prepared[phrase]


class _Beginnings:
    """The first moments of many wordings, ready to be searched all at once."""

    def __init__(self, wordings: tuple[Wording, ...]) -> None:
        self._wordings = wordings
        self._length = BEGINNING + PIECE
        beginnings = np.zeros((len(wordings), self._length))
        for row, wording in zip(beginnings, wordings, strict=True):
            row[: len(wording.samples)] = wording.samples[: self._length]
        self._size = 1 << (self._length - 1).bit_length()
        self._spectra = np.fft.rfft(beginnings, self._size)
        self._energy = np.pad(np.cumsum(beginnings**2, axis=1), ((0, 0), (1, 0)))

    def like(self, wording: Wording) -> list[tuple[Wording, int]]:
        """The wordings that may be taken for this one, and where this one would begin in them."""
        piece = wording.piece
        if not wording.is_heard:
            return []
        places = self._length - len(piece) + 1
        product = np.fft.irfft(self._spectra * np.conj(np.fft.rfft(piece, self._size)), self._size)[:, :places]
        window = self._energy[:, len(piece) :] - self._energy[:, :places]
        score = product / np.sqrt(np.maximum(window, len(piece) * QUIET**2) * max(float(piece @ piece), 1.0))
        best = np.argmax(score, axis=1)
        return [
            (other, int(at) - wording.piece_at)
            for other, at, row in zip(self._wordings, best, score, strict=True)
            if row[at] >= _LIKE and other is not wording
        ]
