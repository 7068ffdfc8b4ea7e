"""What a PBX may play, made ready once for all who listen: the phrases in all their wordings, and the hold music.

A phrase can be recorded in several wordings (with a value in it and without). They are told apart by a mark behind the
phrase's name: "gov12345/caller_greets.reply", "gov12345/caller_greets.reply#2". All audio is 8 kHz.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from ivrflow.softphone.codecs import RATE, Samples
from ivrflow.softphone.likeness import QUIET, SAME, STEP, Floats, correlation
from ivrflow.softphone.music import MusicIndex

LEAST_TELLING_S = 0.4  # seconds of a phrase's sound by which it is known, at least
TELLING_S = 0.08  # seconds of sound that make the difference between two phrases that begin alike
BEGINNING_S = 0.6  # seconds of every other phrase in which the same beginning is looked for
_FIRST = RATE // 5  # samples of the first sound, by which two phrases are laid side by side


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
        telling: place up to which it must be heard to know that it is this phrase and no other.
    """

    def __init__(self, name: str, samples: Samples) -> None:
        self.name = name
        self.samples: Floats = samples.astype(np.float64)
        steps = self.samples[: len(samples) // STEP * STEP].reshape(-1, STEP)
        loud = np.flatnonzero(np.sqrt(np.mean(steps**2, axis=1)) >= QUIET)
        self.first, self.last = (int(loud[0]) * STEP, int(loud[-1] + 1) * STEP) if len(loud) else (0, 0)
        self.telling = self._after(self.first, LEAST_TELLING_S)

    @property
    def sounds(self) -> bool:
        """Whether there is anything to hear in it."""
        return self.last > self.first

    def tell_from(self, other: "Wording", at: int) -> None:
        """Move `telling` behind the place at which it begins to differ from `other`, whose sample `at` is our first sound.

        Two recordings of which one is the beginning of the other can only be told apart where the shorter ends; two
        that are the same from beginning to end cannot be told apart at all, and nothing is moved.
        """
        here, there = self.samples[self.first :], other.samples[at:]
        alike, length = 0, 2 * STEP
        for start in range(0, min(len(here), len(there)) - length + 1, length):
            one, two = here[start : start + length], there[start : start + length]
            if correlation(one, two) >= SAME:
                alike = start + length
            elif max(one @ one, two @ two) >= length * QUIET**2:
                break
        if self.first + alike < self.last - length:
            self.telling = max(self.telling, self._after(self.first + alike, TELLING_S))

    def _after(self, place: int, seconds: float) -> int:
        """The place at which, from `place` on, it has sounded for so many seconds; the end of its last sound at most."""
        rest = self.samples[place : self.last]
        steps = rest[: len(rest) // STEP * STEP].reshape(-1, STEP)
        sounding = np.cumsum(np.mean(steps**2, axis=1) >= QUIET**2) * STEP
        enough = int(np.searchsorted(sounding, int(seconds * RATE)))
        return min(place + (enough + 1) * STEP, self.last)


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
    def _all(self) -> tuple[Wording, ...]:
        return tuple(Wording(name, samples) for name, samples in self.sounds.items())

    @cached_property
    def _beginnings(self) -> "_Beginnings":
        return _Beginnings(self._all)

    def wordings(self, phrase: str) -> tuple[Wording, ...]:
        """The wordings of a phrase, each knowing by when it differs from every other phrase.

        Raises:
            KeyError: there is no such phrase.
        """
        if phrase not in self._prepared:
            asked = tuple(wording for wording in self._all if phrase_of(wording.name) == phrase)
            if not asked:
                raise KeyError(phrase)
            for wording in asked:
                for other, at in self._beginnings.like(wording):
                    if phrase_of(other.name) != phrase:
                        wording.tell_from(other, at)
            self._prepared[phrase] = asked
        return self._prepared[phrase]


class _Beginnings:
    """The first moments of many wordings, ready to be searched all at once."""

    def __init__(self, wordings: tuple[Wording, ...]) -> None:
        self._wordings = wordings
        self._length = int(BEGINNING_S * RATE) + _FIRST
        beginnings = np.zeros((len(wordings), self._length))
        for row, wording in zip(beginnings, wordings, strict=True):
            row[: len(wording.samples)] = wording.samples[: self._length]
        self._size = 1 << (self._length - 1).bit_length()
        self._spectra = np.fft.rfft(beginnings, self._size)
        self._energy = np.pad(np.cumsum(beginnings**2, axis=1), ((0, 0), (1, 0)))

    def like(self, wording: Wording) -> list[tuple[Wording, int]]:
        """The wordings in whose beginning the first sound of this one occurs, and where it does."""
        first = wording.samples[wording.first : wording.first + _FIRST]
        places = self._length - len(first) + 1
        product = np.fft.irfft(self._spectra * np.conj(np.fft.rfft(first, self._size)), self._size)[:, :places]
        window = self._energy[:, len(first) :] - self._energy[:, :places]
        score = product / np.sqrt(np.maximum(window, len(first) * QUIET**2) * max(float(first @ first), 1.0))
        best = np.argmax(score, axis=1)
        return [
            (other, int(at))
            for other, at, row in zip(self._wordings, best, score, strict=True)
            if row[at] >= SAME and other is not wording
        ]
