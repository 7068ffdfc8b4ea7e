"""Finds the place in hold music from which a second of sound was taken.

Music files are minutes long and may be entered anywhere. So a coarse picture of them (how the loudness of a few bands
changes from one 10 ms to the next) is searched as a whole, and only the likeliest places are compared sample by sample.
All audio is 8 kHz.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ivrflow.softphone.codecs import RATE, Samples
from ivrflow.softphone.likeness import QUIET, SAME, STEP, Floats, correlation, sliding_correlation, sounds
from ivrflow.softphone.placing import Stream

QUERY_S = 0.5  # seconds of sound by which a place is found
MUSIC_FITS = 0.75  # correlation of that sound with the music at the place found

BEYOND_PAUSE = RATE // 4  # samples that must agree behind a pause of the sender for the music to have gone on
LONGEST_STALL_S = 2.0
"""Seconds of pause behind which it is another music, even if it goes on at the very sample at which the one before
stopped: so Asterisk resumes it when a caller is held again, and what was heard meanwhile came from another sender."""

_BLOCK = RATE // 20  # samples
_HOP = RATE // 100  # samples
_WINDOW = 256  # samples
_BANDS_HZ = (80, 250, 450, 750, 1150, 1700, 2400, 3500)  # edges
_SILENCE = RATE // 2  # samples before and after each file: what is heard may begin before the music, or end after it
_PLACES_TRIED = 24
_STEADY = 0.1  # size of the changes in 10 ms that count as none
_FLOOR = QUIET * np.sqrt(_WINDOW)  # magnitude of a band that counts as silent

_Picture = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MusicPlace:
    """Sample `at` of file number `file` (before 0: it was silent at first), and how well what was heard fits there."""

    file: int
    at: int
    correlation: float


@dataclass(frozen=True, slots=True)
class MusicStretch:
    """Music from `start` to `end` (places in a stream); its first sample there is sample `at` of file number `file`."""

    file: int
    at: int
    start: int
    end: int


class MusicIndex:
    """Music files made ready for being searched, when that is first asked for."""

    def __init__(self, files: Sequence[Samples]) -> None:
        self._files = tuple(files)

    @property
    def files(self) -> tuple[Samples, ...]:
        """The music."""
        return self._files

    def prepare(self) -> None:
        """Make ready now what the first search would, which takes a good part of a second."""
        if self._files:
            _ = self._courses

    def locate(self, heard: Samples) -> MusicPlace | None:
        """Where in the music `heard` (`QUERY_S` long, or a little more) comes from; None when it is not that music."""
        sought = heard.astype(np.float64)
        picture = _picture(sought)
        if not self._files or not sounds(sought) or not 0 < len(picture) <= self._frames:
            return None
        found = [place for frame in self._likely(picture) if (place := self._exact(sought, frame))]
        return max(found, key=lambda place: place.correlation, default=None)

    def around(self, stream: Stream, start: int, end: int, floor: int = 0) -> MusicStretch | None:
        """The music that was heard in a stream around the middle of `start` and `end`, as far as it goes.

        It begins at place `floor` or later.
        """
        found = self.locate(stream.samples[start:end])
        if found is None:
            return None
        file, shift = self._files[found.file], found.at - start
        middle = min(max((start + end) // 2, -shift), len(file) - shift)
        first = self._reach(stream, file, shift, middle, max(floor, -shift), -1)
        last = self._reach(stream, file, shift, middle, min(len(stream), len(file) - shift), 1)
        return MusicStretch(found.file, first + shift, first, last)

    def extended(self, stream: Stream, stretch: MusicStretch) -> MusicStretch:
        """The same music as far as it goes in what has come meanwhile."""
        file, shift = self._files[stretch.file], stretch.at - stretch.start
        end = self._reach(stream, file, shift, stretch.end, min(len(stream), len(file) - shift), 1)
        return replace(stretch, end=end)

    def _reach(self, stream: Stream, file: Samples, shift: int, origin: int, limit: int, way: int) -> int:
        """How far the music goes on from `origin`, forwards or backwards: the place of its outermost sound, to 10 ms.

        A pause of the sender is mostly its end; but a PBX that stands still pauses, too, if not for long.
        """
        reached = place = origin
        for length in (_BLOCK, STEP):
            place = reached
            while (place - limit) * way + length <= 0:
                first, last = sorted((place, place + way * length))
                here = stream.samples[first:last].astype(np.float64)
                there = file[first + shift : last + shift].astype(np.float64)
                loud = sounds(here) or sounds(there)
                if loud and correlation(here, there) < SAME:
                    break
                place += way * length
                if loud:
                    reached = place
        for pause in stream.pauses(*sorted((origin, reached)))[::-way]:
            if abs(reached - pause) < BEYOND_PAUSE:
                reached = pause
        first, last = sorted((origin, reached))
        ends = stream.pauses(first, last, LONGEST_STALL_S)
        return min(ends, key=lambda pause: abs(pause - origin), default=reached)

    @cached_property
    def _begins(self) -> npt.NDArray[np.int64]:
        """The frame with which each file begins, silence before it included, and the end of the last one."""
        return np.cumsum([0, *(-(-len(file) // _HOP) + 2 * _SILENCE // _HOP for file in self._files)])

    @property
    def _frames(self) -> int:
        return int(self._begins[-1])

    @cached_property
    def _courses(self) -> tuple[npt.NDArray[np.complex64], Floats]:
        """Each band's course through all files, as its spectrum; and the size of all of them, summed up."""
        course = np.zeros((len(_BANDS_HZ) - 1, 1 << (self._frames - 1).bit_length()), np.float32)
        for file, begin in zip(self._files, self._begins, strict=False):
            picture = _picture(np.pad(file, _SILENCE).astype(np.float64))
            course[:, begin : begin + len(picture)] = picture.T
        size = np.cumsum(np.sum(course.astype(np.float64) ** 2, axis=0))
        return np.fft.rfft(course).astype(np.complex64), np.concatenate([[0.0], size])

    def _likely(self, picture: _Picture) -> list[int]:
        spectra, summed = self._courses
        size = 2 * (spectra.shape[1] - 1)
        places = self._frames - len(picture) + 1
        product = np.fft.irfft(np.sum(spectra * np.conj(np.fft.rfft(picture.T, size)), axis=0), size)[:places]
        there = summed[len(picture) : self._frames + 1] - summed[:places]
        score = product / np.sqrt(np.maximum(there, len(picture) * _STEADY))
        likely: list[int] = []
        for _ in range(_PLACES_TRIED):
            best = int(np.argmax(score))
            likely.append(best)
            score[max(0, best - 2) : best + 3] = -np.inf
        return likely

    def _exact(self, sought: Floats, frame: int) -> MusicPlace | None:
        number = int(np.searchsorted(self._begins, frame, "right")) - 1
        start = (frame - int(self._begins[number]) - 2) * _HOP - _SILENCE
        end = start + len(sought) + 4 * _HOP
        file = self._files[number]
        there = np.zeros(end - start)
        first, last = max(start, 0), min(end, len(file))
        there[first - start : max(first, last) - start] = file[first:last]
        score = sliding_correlation(there, sought)
        best = int(np.argmax(score))
        return MusicPlace(number, start + best, float(score[best])) if score[best] >= MUSIC_FITS else None


def _picture(samples: Floats) -> _Picture:
    """One row for every 10 ms: by how much each band grew louder or quieter since the row before."""
    if len(samples) < _WINDOW:
        return np.zeros((0, len(_BANDS_HZ) - 1), np.float32)
    edges = [round(hz * _WINDOW / RATE) for hz in _BANDS_HZ]
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    rows = []
    for start in range(0, len(windows), 8192):  # bounds the memory
        size = np.abs(np.fft.rfft(windows[start : start + 8192] * np.hanning(_WINDOW))) ** 2
        rows.append(np.add.reduceat(size[:, : edges[-1]], edges[:-1], axis=1))
    loudness = np.log(np.concatenate(rows) + _FLOOR**2)
    picture: _Picture = np.diff(loudness, axis=0, prepend=loudness[:1]).astype(np.float32)
    return picture
