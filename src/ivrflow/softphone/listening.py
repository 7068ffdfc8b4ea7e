"""Which phrases were heard in a call, from when to when and how much of them: after the call, exactly.

Pieces of every phrase are searched for in all that was heard, and each place found is then traced (`tracing.py`). Where
two phrases claim the same sound, the one of which more was heard has it; what is left over is searched again. All audio
is 8 kHz.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ivrflow.softphone.codecs import RATE, Samples
from ivrflow.softphone.likeness import QUIET, STEP
from ivrflow.softphone.placing import Stream
from ivrflow.softphone.recording import Recording
from ivrflow.softphone.repertoire import Wording
from ivrflow.softphone.tracing import LEAST_HEARD, Trace, trace

PIECE = RATE // 5  # samples of a phrase that are searched for
HINT_FITS = 0.55  # correlation of such a piece from which a place is traced
MOST_HINTS = 12  # places traced for one piece
OVERLAP = RATE // 20  # samples that two phrases may claim both
ROUNDS = 4  # searches of what is left over
_SIZE = 1 << 14  # samples that are transformed at a time, at most


@dataclass(frozen=True, slots=True)
class HeardPrompt:
    """One time a prompt was heard.

    `start` is when its first sample was heard (or would have been, had it come), `end` when its last sound was, to 10 ms
    (monotonic seconds).
    `completeness` is the share of its sound that was heard, of what was not lost on the way, 0 to 1; `correlation` that
    of what was heard with the prompt.
    """

    name: str
    start: float
    end: float
    completeness: float
    correlation: float


def find_all(recording: Recording, prompt: Samples, name: str = "") -> list[HeardPrompt]:
    """Every time `prompt` was heard in `recording`, in order."""
    return recognise(recording, {name: prompt})


def find(recording: Recording, prompt: Samples, name: str = "") -> HeardPrompt | None:
    """The time when most of `prompt` was heard, None when it was not heard at all."""
    return max(find_all(recording, prompt, name), key=lambda found: found.completeness, default=None)


def recognise(recording: Recording, prompts: Mapping[str, Samples]) -> list[HeardPrompt]:
    """What was heard of `prompts`, in order; of two that sound the same, the first."""
    traces = Listening(recording).recognise([Wording(name, prompt) for name, prompt in prompts.items()])
    return [
        HeardPrompt(found.wording.name, found.start, found.end, found.completeness, found.correlation)
        for found in sorted(traces, key=lambda found: found.start)
    ]


@dataclass(frozen=True)
class Stretch:
    """The places of a stream from `start` to `end`."""

    stream: Stream
    start: int
    end: int

    def without(self, start: int, end: int) -> "list[Stretch]":
        """What is left of it when the places from `start` to `end` are taken out."""
        left = [(self.start, min(self.end, start)), (max(self.start, end), self.end)]
        return [Stretch(self.stream, first, last) for first, last in left if first < last]

    @property
    def sounding(self) -> npt.NDArray[np.int64]:
        """The places at which 10 ms begin that are not silent."""
        samples = self.stream.samples[self.start : self.end].astype(np.float64)
        steps = np.pad(samples, (0, -len(samples) % STEP)).reshape(-1, STEP)
        return self.start + STEP * np.flatnonzero(np.mean(steps**2, axis=1) >= QUIET**2)

    @cached_property
    def _searched(self) -> "_Searched":
        return _Searched(self.stream.samples[self.start : self.end])

    def hints(self, wording: Wording) -> set[int]:
        """Places of the stream at which the wording may begin."""
        return {
            self.start + found - place
            for place in _pieces(wording)
            for found in self._searched.places(wording.samples[place : min(place + PIECE, wording.last)])
        }


class Listening:
    """All that was heard in a call, of which ever more becomes known.

    The streams are searched without the silence in which nothing was sent: a busy PBX that pauses in the middle of a
    prompt makes two talkspurts of it, and it is the same prompt all the same.
    """

    def __init__(self, recording: Recording) -> None:
        self.unknown = [Stretch(stream, 0, len(stream)) for stream in recording.streams() if len(stream)]
        """What no phrase has been found in yet."""

    def recognise(self, wordings: Sequence[Wording], least_heard: int = LEAST_HEARD) -> list[Trace]:
        """Find the wordings in what is unknown; of two that sound the same, the first.

        Args:
            wordings: The phrases.
            least_heard: Samples of sound of which a find must consist, unless it is complete.
        """
        audible = [wording for wording in wordings if wording.is_heard]
        known: list[Trace] = []
        for _ in range(ROUNDS):
            claims = [
                found
                for stretch in self.unknown
                if len(stretch.sounding) * STEP >= LEAST_HEARD
                for wording in audible
                for found in _claims(stretch, wording)
                if found.heard >= least_heard or found.completeness > 0.9
            ]
            kept = _apart(claims)
            if not kept:
                break
            known += kept
            for claim in kept:
                self.take(claim.stream, claim.first_place, claim.last_place)
        return known

    def take(self, stream: Stream, start: int, end: int) -> None:
        """These places are known now."""
        self.unknown = [
            left
            for stretch in self.unknown
            for left in (stretch.without(start, end) if stretch.stream is stream else [stretch])
        ]

    def give_back(self, trace: Trace) -> None:
        """It is unknown after all."""
        start, end = trace.first_place, trace.last_place
        for stretch in [stretch for stretch in self.unknown if stretch.stream is trace.stream]:
            if stretch.start <= end and stretch.end >= start:
                start, end = min(start, stretch.start), max(end, stretch.end)
                self.unknown.remove(stretch)
        self.unknown.append(Stretch(trace.stream, start, end))


def _claims(stretch: Stretch, wording: Wording) -> Iterable[Trace]:
    for at in stretch.hints(wording):
        if found := trace(stretch.stream, at, wording, stretch.start, stretch.end):
            yield found


def _apart(claims: list[Trace]) -> list[Trace]:
    """The claims that do not overlap a better one. What counts is the sound that agreed, not the time it took."""
    kept: list[Trace] = []
    for claim in sorted(claims, key=lambda claim: claim.weight, reverse=True):
        overlap = max(
            (
                min(claim.last_place, other.last_place) - max(claim.first_place, other.first_place)
                for other in kept
                if other.stream is claim.stream
            ),
            default=0,
        )
        if overlap <= OVERLAP:
            kept.append(claim)
    return kept


def _pieces(wording: Wording) -> list[int]:
    """Where the pieces begin that are searched for: the first sound, since phrases are cut, and some later ones."""
    room = wording.last - PIECE - wording.first
    if room <= 0:
        return [wording.first]
    return sorted({wording.first + room * part // 3 for part in range(4)})


class _Searched:
    """Audio made ready once for many searches."""

    def __init__(self, heard: Samples) -> None:
        audio = heard.astype(np.float32)
        self._length = len(audio)
        self._size = min(_SIZE, 1 << (self._length + PIECE).bit_length())
        self._hop = self._size - PIECE
        blocks = -(-max(1, self._length) // self._hop)
        padded = np.zeros((blocks - 1) * self._hop + self._size, np.float32)
        padded[: self._length] = audio
        self._spectra = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(padded, self._size)[:: self._hop])
        self._energy = np.concatenate([[0.0], np.cumsum(audio.astype(np.float64) ** 2)])

    def places(self, piece: npt.NDArray[np.float64]) -> list[int]:
        """Where `piece` (at most `PIECE` samples) fits best, as far as it fits."""
        own = float(piece @ piece)
        places = self._length - len(piece) + 1
        if places <= 0 or own < len(piece) * QUIET**2:
            return []
        spectrum = np.conj(np.fft.rfft(piece.astype(np.float32), self._size))
        product = np.fft.irfft(self._spectra * spectrum, self._size)[:, : self._hop].reshape(-1)[:places]
        window = self._energy[len(piece) :] - self._energy[:places]
        score = product / np.sqrt(np.maximum(window, len(piece) * (QUIET / 4) ** 2) * own)
        found: list[int] = []
        for _ in range(MOST_HINTS):
            best = int(np.argmax(score))
            if score[best] < HINT_FITS:
                break
            found.append(best)
            score[max(0, best - STEP) : best + STEP] = 0.0
        return found
