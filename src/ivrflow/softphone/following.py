"""Whether what is heard at a place is a certain phrase, and how it goes on, block by block.

A block that was lost on the way says nothing either way: completeness is measured on what really came.
"""

import numpy as np

from ivrflow.softphone.codecs import RATE
from ivrflow.softphone.likeness import SAME, STEP, correlation, sliding_correlation, sounds
from ivrflow.softphone.placing import Stream
from ivrflow.softphone.repertoire import TELLING, Wording

BLOCK = RATE // 20  # samples
HEAD_FITS = 0.75  # correlation of everything up to the place where a phrase is known
MOST_STRANGE = 4  # sounding blocks in a row that are not the phrase: it was cut
SLIP_FITS = 0.8  # correlation from which a phrase goes on at another place than it should
_LEAST_CAME = BLOCK // 4  # samples of a block that must have come to judge it
_SLIP = 3 * BLOCK  # samples, the latest heard, by which the place in the phrase is found again


def begin_of(stream: Stream, at: int, wording: Wording) -> float:
    """When sample 0 of a wording was heard that lies at place `at` (monotonic seconds).

    A codec may put a phrase some samples early, where the sound before it belongs: so this is told a little later on.
    """
    sure = min(STEP, wording.first)
    return stream.time(at + sure) - sure / RATE


def similarity(stream: Stream, at: int, wording: Wording, start: int, end: int) -> float | None:
    """Correlation of the wording from `start` to `end` with what was heard of it when it began at place `at`.

    None when too little of that came.
    """
    lost = max(0, -(at + start))  # before the stream began
    if end - start - lost < min(_LEAST_CAME, end - start):
        return None
    there = stream.samples[at + start + lost : at + end].astype(np.float64)
    here = wording.samples[start + lost : end]
    came = stream.came(at + start + lost, at + end)
    if came is not None:
        if int(came.sum()) < min(_LEAST_CAME, end - start):
            return None
        here = here * came
    return correlation(here, there)


def fits(stream: Stream, at: int, wording: Wording) -> bool:
    """Whether a wording that began at place `at` was heard up to where it differs from every other phrase."""
    first, telling = wording.first, wording.telling
    whole = similarity(stream, at, wording, first, telling)
    if whole is None or whole < HEAD_FITS:
        return False
    last = similarity(stream, at, wording, max(first, telling - TELLING), telling) if wording.tells_by_end else 1.0
    return last is not None and last >= HEAD_FITS


class Follower:
    """Follows a wording that began at a place of a stream, through slips of the sender, to its end or its cut.

    Attributes:
        heard: sounding samples that were the wording so far.
        is_over: whether it was heard to its end, or something else was heard instead.
    """

    def __init__(self, stream: Stream, at: int, wording: Wording) -> None:
        self.heard = 0
        self.is_over = False
        self._stream = stream
        self._at = at
        self._wording = wording
        self._next = wording.first  # place in the wording
        self._heard_to = wording.first  # the same: end of the last block that was heard
        self._heard_to_place = at + wording.first  # the same in the stream
        self._lost = 0  # sounding samples that never came
        self._strange = 0
        self.began_at = begin_of(stream, at, wording)
        self.advance()

    @property
    def due(self) -> float:
        """When its last sound should be heard."""
        return self._stream.time(self._at + self._wording.last - STEP) + STEP / RATE

    @property
    def ended_at(self) -> float:
        """When its last sound was heard, to 10 ms."""
        return self._stream.time(self._end_place() - STEP) + STEP / RATE

    @property
    def completeness(self) -> float:
        """Share of its sound that was heard, of what could be: 0 to 1."""
        whole = self._wording.sound(self._wording.first, self._wording.last)
        heard = self.heard + self._end_place() - self._heard_to_place
        return min(1.0, heard / max(1, whole - self._lost))

    def advance(self) -> None:
        """Take in what has come meanwhile."""
        for start, end in self._blocks(self._next):
            if self.is_over or self._at + end > len(self._stream):
                break
            self._next = end
            sounding = self._wording.sound(start, end)
            if not sounding:
                continue
            alike = similarity(self._stream, self._at, self._wording, start, end)
            if alike is None:
                self._lost += sounding
            elif alike >= SAME:
                self.heard += sounding
                self._heard_to, self._heard_to_place = end, self._at + end
                self._strange = 0
            else:
                self._strange += 1
                if self._strange >= MOST_STRANGE and not self._found_again():
                    self.is_over = True
        if self._next >= self._wording.last:
            self.is_over = True

    def _blocks(self, start: int) -> list[tuple[int, int]]:
        last = self._wording.last
        return [(place, min(place + BLOCK, last)) for place in range(start, last, BLOCK)]

    def _found_again(self) -> bool:
        """Whether it goes on at another place, since packets were lost or the sender held up; then follow it there."""
        latest = self._stream.samples[len(self._stream) - _SLIP :].astype(np.float64)
        rest = self._wording.samples[self._heard_to :]
        if len(rest) < _SLIP or not sounds(latest):
            return False
        score = sliding_correlation(rest, latest)
        best = int(score.argmax())
        if score[best] < SLIP_FITS:
            return False
        place = self._heard_to + best
        self._at = len(self._stream) - _SLIP - place
        self._lost += self._wording.sound(self._heard_to, place)
        self._next, self._strange = place, 0
        return True

    def _end_place(self) -> int:
        """The place in the stream after the last 10 ms heard."""
        place = self._heard_to_place
        for start in range(self._heard_to, min(self._heard_to + 2 * BLOCK, self._wording.last) - STEP + 1, STEP):
            end = start + STEP
            if self._at + end > len(self._stream):
                break
            if not self._wording.sound(start, end):
                continue
            alike = similarity(self._stream, self._at, self._wording, max(self._heard_to - STEP, start - STEP), end)
            if alike is None or alike < SAME:
                break
            place = self._at + end
        return place
