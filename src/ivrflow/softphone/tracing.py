"""What was heard of one phrase, once it is known where it may have begun: found after the call, exactly.

The phrase is compared in blocks of 50 ms, whatever the volume. It was heard from the first to the last of those blocks
that agree, such that between them more agree than do not: a block of other speech that agrees by chance does not make a
phrase longer, and noise over a quiet syllable does not cut it. The edges are then told to 10 ms. Where the sender
slipped (packets were lost, silence was put in) the phrase is followed to where it goes on.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ivrflow.softphone.codecs import RATE
from ivrflow.softphone.following import begin_of
from ivrflow.softphone.likeness import QUIET, SAME, STEP, Floats, sliding_correlation, sounds
from ivrflow.softphone.placing import Stream
from ivrflow.softphone.repertoire import Wording

BLOCK = RATE // 20  # samples
LEAST_HEARD = RATE // 4  # samples of sound; a phrase cut before cannot be recognised
SLIP_FITS = 0.8  # correlation from which a phrase goes on at another place than it should
LEAST_AFTER_SLIP = 6 * BLOCK  # samples of sound that must agree there, or all the rest
MOST_SLIPS = 20
ENOUGH = 5  # blocks that must agree, more than do not, for a stretch to be the phrase
GIVES_UP = 15  # blocks that do not agree, more than do, after which it is over, or goes on elsewhere
EDGE = 12  # blocks, beyond the last that agrees, in which more of it may have been heard
MOST_LOUDER = 2.0  # times as loud as the rest, or as quiet, and it is something else that agrees by chance
PAUSE_SAYS = 2.0  # stretches that must agree behind a pause of the sender: a phrase seldom goes on after one
LATE = STEP // 2  # samples by which a codec may put a phrase late
_SLIP_PIECE = 5 * BLOCK  # samples heard by which the place is found
_SLIP_LATER = tuple(RATE * tenths // 10 for tenths in (0, 1, 2, 4, 8))  # samples after the slip at which that is tried
_SLIP_AHEAD = 4 * RATE  # samples of the phrase in which it is looked for


@dataclass(frozen=True, slots=True)
class Run:
    """The phrase from its sample `start` to `end`, heard as if its sample 0 lay at place `at` of the stream."""

    at: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Trace:
    """A phrase that was heard.

    Attributes:
        runs: in order; more than one when the sender slipped.
        heard: samples of its sound that agreed.
        lost: samples of its sound that never came, between others that did.
        correlation: mean of the blocks that agreed.
    """

    wording: Wording
    stream: Stream
    runs: tuple[Run, ...]
    heard: int
    lost: int
    correlation: float

    @property
    def first_place(self) -> int:
        """The place in the stream of the first sample heard, counting the silence with which the phrase begins."""
        run = self.runs[0]
        return max(0, run.at + (run.start if run.start > self.wording.first else 0))

    @property
    def last_place(self) -> int:
        """The place after the last sound heard."""
        return self.runs[-1].at + self.runs[-1].end

    @property
    def start(self) -> float:
        """When its first sample was heard, or would have been, had it come (monotonic seconds)."""
        run = self.runs[0]
        if run.start > self.wording.first:
            return self.stream.time(run.at + run.start + STEP) - (run.start + STEP) / RATE
        return begin_of(self.stream, run.at, self.wording)

    @property
    def end(self) -> float:
        """When its last sound was heard, to 10 ms (monotonic seconds)."""
        # A codec may put it some samples late, where another sound begins.
        return self.stream.time(self.last_place - STEP) + STEP / RATE

    @property
    def weight(self) -> float:
        """How much speaks for it: the more sound agreed, and the less it slipped for that, the better."""
        return self.heard * round(self.correlation, 2) - (len(self.runs) - 1) * LEAST_AFTER_SLIP

    @property
    def completeness(self) -> float:
        """The share of its sound that was heard, of what was not lost on the way: 0 to 1."""
        whole = self.wording.sound(self.wording.first, self.wording.last)
        return min(1.0, self.heard / max(1, whole - self.lost))


def trace(stream: Stream, at: int, wording: Wording, low: int, high: int) -> Trace | None:
    """What was heard of `wording` if its sample 0 lies at place `at`; None when that is too little.

    Args:
        stream: Where it is looked for.
        at: A place; may lie before the stream's beginning.
        wording: The phrase.
        low: Nothing before this place of the stream belongs to it.
        high: Nothing from this place on does.
    """
    compared = _Compared(stream, at, wording, wording.first, low, high)
    run = compared.run()
    if run is None:
        return None
    parts, runs = [compared.heard(run)], [run]
    # What is heard so shortly is mostly nothing: whether that goes on elsewhere is not worth the search.
    while (
        parts[0].heard >= LEAST_HEARD
        and len(runs) < MOST_SLIPS
        and (onward := _after_slip(stream, wording, runs[-1], high))
    ):
        runs.append(onward[0])
        parts.append(onward[1])
    heard = sum(part.heard for part in parts)
    if heard < min(LEAST_HEARD, wording.sound(wording.first, wording.last) * 2 // 3):
        return None
    lost = sum(part.lost for part in parts)
    for before, after in pairwise(runs):
        lost += wording.sound(before.end, after.start)
    correlation = sum(part.correlation * part.heard for part in parts) / heard
    return Trace(wording, stream, tuple(runs), heard, lost, correlation)


@dataclass(frozen=True, slots=True)
class _Part:
    heard: int
    lost: int
    correlation: float


@dataclass(frozen=True, slots=True)
class _Stretches:
    """Of each stretch: what it says for (1) or against the phrase, whether it is the same, volumes of both."""

    evidence: Floats
    agree: npt.NDArray[np.bool_]
    alike: Floats
    ours: Floats
    theirs: Floats


class _Compared:
    """A wording from its sample `start` on, block by block against what was heard."""

    def __init__(self, stream: Stream, at: int, wording: Wording, start: int, low: int, high: int) -> None:
        self._at, self._start = at, start
        count = -(-(wording.last - start) // BLOCK)
        self._here = np.zeros(count * BLOCK)
        self._here[: wording.last - start] = wording.samples[start : wording.last]
        self._audible = np.zeros(count * BLOCK, np.bool_)
        self._audible[: wording.last - start] = wording.audible[start : wording.last]
        self._there = np.zeros(count * BLOCK)
        self._pauses: list[int] = []
        self._came = np.zeros(count * BLOCK, np.bool_)
        first = max(low, at + start, 0)
        last = min(high, at + wording.last, len(stream))
        if first < last:
            inside = slice(first - at - start, last - at - start)
            self._there[inside] = stream.samples[first:last]
            came = stream.came(first, last)
            self._came[inside] = True if came is None else came
            self._pauses = [place - at - start + LATE for place in stream.pauses(first, last)]
        self._length = wording.last - start
        self._volume: float | None = None  # of what was heard, against the recording
        blocks = self._stretches(0, len(self._here), BLOCK)
        if np.any(blocks.agree):
            self._volume = float(np.median(blocks.theirs[blocks.agree] / blocks.ours[blocks.agree]))
        self._blocks = self._stretches(0, len(self._here), BLOCK)

    def _stretches(self, first: int, last: int, size: int) -> "_Stretches":
        """What every stretch of `size` samples says."""
        came = self._came[first:last].reshape(-1, size)
        here = self._here[first:last].reshape(-1, size) * came
        there = self._there[first:last].reshape(-1, size)
        audible = self._audible[first:last].reshape(-1, size) & came
        ours, theirs = np.sqrt(np.mean(here**2, axis=1)), np.sqrt(np.mean(there**2, axis=1))
        alike = np.mean(here * there, axis=1) / np.maximum(ours * theirs, 1.0)
        agrees, expected = alike >= SAME, ours * (self._volume or 1.0)
        if self._volume:
            agrees &= (theirs < MOST_LOUDER * expected) & (expected < MOST_LOUDER * theirs)
        evidence = np.where(agrees, 1.0, -1.0)
        evidence[~np.any(audible, axis=1) & (theirs < MOST_LOUDER * np.maximum(expected, QUIET))] = 0.0
        evidence[~np.any(audible, axis=1) & (evidence != 0.0)] = -0.5  # noise may do that, too
        there_is = np.clip(self._length - np.arange(first, last, size), 0, size)  # the last block may be a short one
        evidence[np.count_nonzero(came, axis=1) * 4 < there_is] = 0.0
        agree = evidence > 0
        for pause in self._pauses:
            if first <= pause < last:
                evidence[(pause - first) // size] -= PAUSE_SAYS
        return _Stretches(evidence, agree, alike, ours, theirs)

    def run(self) -> Run | None:
        """From where to where it was heard first."""
        start, end = self._most_of_it()
        if start == end:
            return None
        last = self._edge(end - 1, start, 1)
        first = self._edge(start, end - 1, -1) if np.any(self._audible[: start * BLOCK]) else 0
        return Run(self._at, self._start + first, self._start + last) if first < last else None

    def _most_of_it(self) -> tuple[int, int]:
        """From which block to which most agree; the first such stretch that is long enough to be the phrase."""
        start = balance = most = 0.0
        stretch = (0, 0)
        for block, says in enumerate(self._blocks.evidence):
            if balance <= 0:
                start, balance = block, 0.0
            balance += says
            if balance > most:
                most, stretch = balance, (int(start), block + 1)
            if most >= ENOUGH and balance <= max(0.0, most - GIVES_UP):
                break
        return stretch

    def _edge(self, block: int, other: int, way: int) -> int:
        """Where it begins (`way` -1) or ends (1), to 10 ms, in the outermost block that agrees or not far beyond it.

        Beyond it there may be a pause and the first moments of the next syllable; and of a block that agrees, what
        can be heard may not have come: then it is one of those between it and the `other` outermost one.
        """
        while True:
            first, last = (block - EDGE, block + 1) if way < 0 else (block, block + 1 + EDGE)
            first, last = max(0, first) * BLOCK, min(last * BLOCK, len(self._here))
            sums = np.cumsum(self._stretches(first, last, STEP).evidence[::way])
            if np.max(sums) > 0 or block == other:
                break
            block -= way
        steps = int(np.argmax(sums)) + 1
        place = first + steps * STEP if way > 0 else last - steps * STEP
        return min(max(place, 0), self._length)

    def heard(self, run: Run) -> _Part:
        """How much of it was heard between the edges."""
        inside = np.zeros(len(self._here), np.bool_)
        inside[run.start - self._start : run.end - self._start] = True
        inside &= self._audible
        agreed = self._blocks.agree.copy()
        heard = int(np.count_nonzero((inside & self._came).reshape(-1, BLOCK), axis=1)[agreed].sum())
        lost = int(np.count_nonzero(inside & ~self._came))
        agreed &= inside.reshape(-1, BLOCK).any(axis=1)
        return _Part(heard, lost, float(self._blocks.alike[agreed].mean()) if heard else 0.0)


def _after_slip(stream: Stream, wording: Wording, run: Run, high: int) -> tuple[Run, _Part] | None:
    """Where the phrase goes on after it did not go on where it should."""
    if run.end >= wording.last - 2 * STEP:
        return None
    end = run.at + run.end
    rest = wording.samples[run.end : min(wording.last, run.end + _SLIP_AHEAD)]
    rest_sounds = wording.sound(run.end, wording.last)
    for later in _SLIP_LATER:
        piece = stream.samples[end + later : min(end + later + _SLIP_PIECE, high)].astype(np.float64)
        if len(piece) < _SLIP_PIECE or len(piece) > len(rest):
            return None
        if not sounds(piece):
            continue
        score = sliding_correlation(rest, piece)
        best = int(score.argmax())
        if score[best] < SLIP_FITS:
            continue
        compared = _Compared(stream, end + later - run.end - best, wording, run.end, end, high)
        onward = compared.run()
        if onward and (part := compared.heard(onward)).heard >= min(LEAST_AFTER_SLIP, rest_sounds * 2 // 3):
            return onward, part
    return None
