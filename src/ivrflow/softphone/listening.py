"""Which prompts a caller heard, from when to when and how much of them, found by correlation with the received audio.

A prompt is looked for as a whole and by its first half second, since barge-in and hang-ups cut prompts short. Each place
found is then checked in blocks of 100 ms against the samples that were played: a block counts as heard when it correlates
by at least `BLOCK_HEARD`, whatever the volume. All audio is 8 kHz.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ivrflow.softphone.codecs import RATE, Samples
from ivrflow.softphone.recording import QUIET_DBFS, Recording

BLOCK = RATE // 10  # samples
STEP = RATE // 100  # samples to which the end of what was heard is told
QUIET = 32767 * 10 ** (QUIET_DBFS / 20)  # RMS below which a stretch does not sound
BLOCK_HEARD = (
    0.6  # correlation; blocks of other speech stay below 0.5, those of the same prompt through A-law above 0.95
)
HEAD_S = 0.5  # seconds of a prompt that are looked for by themselves
HEAD_FITS = 0.5  # correlation of the head from which a place is checked block by block
WHOLE_FITS = 0.25  # the same of the whole prompt, of which a part may be missing
MOST_CANDIDATES = 12
LEAST_BLOCKS = 3  # that must be heard in a row; a prompt cut before 300 ms is not recognised

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HeardPrompt:
    """One time a prompt was heard.

    `start` is when its first sample was heard (or would have been, had it come), `end` when its last sound was, to 10 ms
    (monotonic seconds).
    `completeness` is the share of its sounding blocks that were heard, 0 to 1; `correlation` that of those blocks with
    the prompt.
    """

    name: str
    start: float
    end: float
    completeness: float
    correlation: float


def find_all(recording: Recording, prompt: Samples, name: str = "") -> list[HeardPrompt]:
    """Every time `prompt` was heard in `recording`, in order."""
    return _Heard(recording).find_all(prompt, name)


def find(recording: Recording, prompt: Samples, name: str = "") -> HeardPrompt | None:
    """The time when most of `prompt` was heard, None when it was not heard at all."""
    return max(find_all(recording, prompt, name), key=lambda found: found.completeness, default=None)


def recognise(recording: Recording, prompts: Mapping[str, Samples]) -> list[HeardPrompt]:
    """What was heard of `prompts`, in order; where two claim the same time, the one of which more was heard wins.

    What counts is the sound that matched, not the time from first to last: two phrases that begin with the same two
    syllables, in the same voice, both match there.
    """
    heard = _Heard(recording)
    claims = [found for name, prompt in prompts.items() for found in heard.find_all(prompt, name)]
    claims.sort(key=lambda found: found.completeness * len(prompts[found.name]) * found.correlation, reverse=True)
    return _apart(claims)


def _apart(claims: Iterable[HeardPrompt]) -> list[HeardPrompt]:
    """Those of `claims`, best first, that do not overlap a better one; in order of time."""
    kept: list[HeardPrompt] = []
    for claim in claims:
        overlap = max((min(claim.end, k.end) - max(claim.start, k.start) for k in kept), default=0.0)
        if overlap < BLOCK / RATE:
            kept.append(claim)
    return sorted(kept, key=lambda found: found.start)


class _Heard:
    """A recording's audio, made ready once for many prompts.

    The talkspurts are searched end to end, without the silence between them: a busy PBX that pauses in the middle of a
    prompt makes two talkspurts of it, and it is the same prompt all the same.
    """

    def __init__(self, recording: Recording) -> None:
        spurts = recording.talkspurts()
        self._heard: Floats = np.concatenate([np.zeros(0), *(spurt.samples for spurt in spurts)])
        self._energy: Floats = np.concatenate([[0.0], np.cumsum(self._heard**2)])
        self._spectra: dict[int, npt.NDArray[np.complex128]] = {}
        self._begins = np.cumsum([0, *(len(spurt.samples) for spurt in spurts)])
        self._times = [spurt.start for spurt in spurts]

    def _time(self, place: int) -> float:
        """When the sample at `place` was heard."""
        spurt = int(np.searchsorted(self._begins, place, "right")) - 1
        return self._times[spurt] + (place - int(self._begins[spurt])) / RATE

    def find_all(self, prompt: Samples, name: str) -> list[HeardPrompt]:
        sought = prompt.astype(np.float64)
        sounding = _sounding_blocks(sought)
        if not sounding or len(self._heard) == 0:
            return []
        first = sounding[0] * BLOCK
        head = sought[first : first + int(HEAD_S * RATE)]
        places = self._candidates(head, first, HEAD_FITS) | self._candidates(sought[first:], first, WHOLE_FITS)
        found = [claim for place in places if (claim := self._checked(sought, sounding, place, name))]
        found.sort(key=lambda claim: (claim.completeness, claim.correlation), reverse=True)
        return _apart(found)

    def _candidates(self, part: Floats, first: int, fits: float) -> set[int]:
        """Places where the whole prompt may begin, given where `part`, which begins at its sample `first`, fits best."""
        size = 1 << (len(self._heard) + len(part)).bit_length()
        if size not in self._spectra:
            self._spectra[size] = np.fft.rfft(self._heard, size)
        places_tried = np.arange(1 - len(part), len(self._heard))  # before the beginning: it may have been lost
        product = np.fft.irfft(self._spectra[size] * np.conj(np.fft.rfft(part, size)), size)[places_tried]
        begins = np.maximum(places_tried, 0)
        ends = np.minimum(places_tried + len(part), len(self._heard))
        window = self._energy[ends] - self._energy[begins]
        loudness = np.sqrt(np.maximum(window, 1.0) * max(float(part @ part), 1.0))
        score = np.where(window > 1.0, product / loudness, 0.0)
        places: set[int] = set()
        for _ in range(MOST_CANDIDATES):
            best = int(np.argmax(score))
            if score[best] < fits:
                break
            places.add(int(places_tried[best]) - first)
            score[max(0, best - BLOCK) : best + BLOCK] = 0.0
        return places

    def _checked(self, sought: Floats, sounding: list[int], place: int, name: str) -> HeardPrompt | None:
        """Compare block by block."""
        heard: dict[int, float] = {}
        for number in sounding:
            start = number * BLOCK
            similarity = self._similarity(sought[start : start + BLOCK], place + start)
            if similarity >= BLOCK_HEARD:
                heard[number] = similarity
        if _longest_run([number in heard for number in sounding]) < min(LEAST_BLOCKS, len(sounding)):
            return None
        first, last = min(heard) * BLOCK, max(heard) * BLOCK
        return HeardPrompt(
            name,
            self._time(place + first) - first / RATE,
            self._time(self._last_sound(sought[last:], place + last) - 1) + 1 / RATE,
            len(heard) / len(sounding),
            float(np.mean(list(heard.values()))),
        )

    def _last_sound(self, rest: Floats, at: int) -> int:
        """Where the sound ends that was heard of `rest`, which begins with the last block heard, at `at`."""
        end = at
        for start in range(0, min(len(rest), 3 * BLOCK) - STEP + 1, STEP):
            piece = rest[start : start + STEP]
            if float(piece @ piece) < STEP * QUIET**2:
                continue
            if self._similarity(piece, at + start) >= BLOCK_HEARD:
                end = at + start + STEP
            elif start >= BLOCK:
                break
        return end

    def _similarity(self, block: Floats, at: int) -> float:
        if at < 0 or at + len(block) > len(self._heard):
            return 0.0
        there = self._heard[at : at + len(block)]
        loudness = float(np.sqrt((block @ block) * (self._energy[at + len(block)] - self._energy[at])))
        return float(block @ there) / loudness if loudness > 1.0 else 0.0


def _longest_run(heard: Iterable[bool]) -> int:
    """The longest run of True."""
    longest = run = 0
    for one in heard:
        run = run + 1 if one else 0
        longest = max(longest, run)
    return longest


def _sounding_blocks(sought: Floats) -> list[int]:
    """Numbers of the whole blocks loud enough to be recognised."""
    whole = sought[: len(sought) // BLOCK * BLOCK].reshape(-1, BLOCK)
    return [int(number) for number in np.flatnonzero(np.sqrt(np.mean(whole**2, axis=1)) >= QUIET)]
