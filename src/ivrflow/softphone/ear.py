"""Live recognition of one expected sound in one call: told while it is heard, from packets as they come.

No sockets, no clock: whoever owns the call calls `look` about every `LOOK_EVERY_S` and at `next_look`. Searching costs
work only while something unknown sounds; a phrase that has begun is followed block by block, and silence costs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ivrflow.softphone.codecs import RATE, Samples
from ivrflow.softphone.following import Follower, begin_of, fits
from ivrflow.softphone.likeness import QUIET, sliding_correlation
from ivrflow.softphone.music import QUERY_S, MusicIndex, MusicStretch
from ivrflow.softphone.placing import Stream
from ivrflow.softphone.recording import Inflow, Recording
from ivrflow.softphone.repertoire import PIECE, Repertoire, Wording

LOOK_EVERY_S = 0.08  # seconds
SLACK_S = 0.1  # seconds by which a sound may begin before `since` and still count: nobody knows the moment better
CUT_AFTER_S = 0.4  # seconds without any packet after which a phrase was cut; a busy PBX may stand still for less
LONGEST_TURN_S = 0.1  # seconds of those that one look can count: this process may have stood still itself
HINT_FITS = 0.55  # correlation of the sought piece from which a place is looked at closer
MOST_HINTS = 3  # places looked at closer in one piece of new audio

_SETTLED_S = 0.005  # seconds after which a packet that was due has been taken in


@dataclass(frozen=True, slots=True)
class Began:
    """It has begun: `at` is the monotonic second of its first sample (of a phrase: sample 0 of its recording)."""

    at: float


@dataclass(frozen=True, slots=True)
class Ended:
    """It is over: `at` is when its last sound was heard, `completeness` the share of its sound that was, 0 to 1."""

    at: float
    completeness: float


class Ear:
    """Listens to one call's recording for one sound at a time.

    Args:
        recording: What the call receives.
        sounds: Every wording that may be heard (see `repertoire`). Give all calls of a process the same `Repertoire`.
        music: The files played during hold, when `sounds` is no `Repertoire`, which has its own.
    """

    def __init__(
        self, recording: Recording, sounds: Mapping[str, Samples] | Repertoire, music: Sequence[Samples] = ()
    ) -> None:
        self._repertoire = sounds if isinstance(sounds, Repertoire) else Repertoire(sounds, music)
        self._inflow = Inflow(recording)
        self._search: _Search | None = None
        self._followers: list[Follower] = []
        self._music: _Music | None = None
        self._told_music: tuple[Stream, MusicStretch] | None = None
        self._quiet_s = 0.0
        self._looked_at: float | None = None
        self._heard = 0  # samples of all streams at the latest look
        self.next_look: float | None = None
        """When a look is worth most (monotonic seconds); None when any time will do."""

    def listen_for(self, phrase: str, since: float) -> None:
        """Listen for a phrase that begins at `since` (monotonic seconds) or later, in place of whatever it was before.

        Raises:
            KeyError: there is no such phrase.
        """
        self.stop()
        self._search = _Search(tuple(w for w in self._repertoire.wordings(phrase) if w.is_heard), since)

    def listen_for_music(self, since: float) -> None:
        """Listen for any of the hold music, from any place on, that begins at `since` or later or still goes on then.

        Told when half a second of it was heard. The rest of the music that was told last is not told again.

        Raises:
            ValueError: no music is known.
        """
        if not self._repertoire.music.files:
            raise ValueError("hold music can only be recognised when its files are known")
        self.stop()
        self._music = _Music(self._repertoire.music, since, self._told_music)

    def stop(self) -> None:
        """Listen for nothing."""
        self._search, self._followers, self._music, self.next_look = None, [], None, None

    def look(self, now: float) -> Began | Ended | None:
        """Take in what has come; `Began` and later `Ended` of what is listened for, each once."""
        streams = self._inflow.take(now)
        self._count_quiet(streams, now)
        told: Began | Ended | None = None
        if self._search:
            told = self._seek(self._search, streams)
        elif self._followers:
            told = self._follow()
        elif self._music:
            told = self._music.look(streams, gone=self._quiet_s >= CUT_AFTER_S)
            self._told_music = self._music.found or self._told_music
            if isinstance(told, Ended):
                self.stop()
        if self.next_look is not None and self.next_look <= now:
            self.next_look = None
        return told

    def _count_quiet(self, streams: list[Stream], now: float) -> None:
        heard = sum(map(len, streams))
        if heard != self._heard or self._looked_at is None:
            self._quiet_s = 0.0
        else:
            self._quiet_s += min(now - self._looked_at, LONGEST_TURN_S)
        self._heard, self._looked_at = heard, now

    def _seek(self, search: "_Search", streams: list[Stream]) -> Began | None:
        found = search.found(streams)
        self.next_look = search.known_at
        if not found:
            return None
        self._search, self._followers = None, found
        best = max(found, key=lambda follower: follower.heard)
        self.next_look = best.due + _SETTLED_S
        return Began(best.began_at)

    def _follow(self) -> Ended | None:
        for follower in self._followers:
            follower.advance()
        going_on = [follower for follower in self._followers if not follower.is_over]
        if going_on and self._quiet_s < CUT_AFTER_S:
            if len(going_on) < len(self._followers):
                # Another wording of the phrase fits on: the one that does not any more was never it.
                best = max(self._followers, key=lambda follower: follower.heard)
                self._followers = going_on if not best.is_over else [best]
            self.next_look = min(follower.due for follower in self._followers) + _SETTLED_S
            return None
        best = max(self._followers, key=lambda follower: follower.heard)
        self.stop()
        return Ended(best.ended_at, best.completeness)


@dataclass(frozen=True, slots=True)
class _Hint:
    """A place where a wording may begin."""

    stream: Stream
    start: int
    wording: Wording


class _Search:
    """The beginning of any of some wordings, in audio that still grows."""

    def __init__(self, wordings: tuple[Wording, ...], since: float) -> None:
        self._since = since - SLACK_S
        self._wordings = wordings
        self._searched: dict[int, int] = {}  # by number of the stream: up to where
        self._hints: list[_Hint] = []

    @property
    def known_at(self) -> float | None:
        """When enough will have been heard to know; None when nothing like it was heard so far."""
        return min((_known_at(hint) for hint in self._hints), default=None)

    def found(self, streams: list[Stream]) -> list[Follower]:
        """The wordings that have begun; more than one only while they cannot be told apart."""
        for number, stream in enumerate(streams):
            start = self._searched.get(number)
            if start is None:
                start = stream.place_arrived(self._since)
            if len(stream) - start >= PIECE:
                self._look_for_hints(stream, start)
                start = len(stream) - PIECE + 1
            self._searched[number] = start
        enough = [hint for hint in self._hints if hint.start + hint.wording.telling <= len(hint.stream)]
        fitting = [hint for hint in enough if fits(hint.stream, hint.start, hint.wording)]
        self._hints = [hint for hint in self._hints if hint not in enough]
        if not fitting:
            return []
        first = fitting[0]
        also = [
            hint for hint in self._hints if hint.stream is first.stream and abs(hint.start - first.start) < RATE // 4
        ]
        return [Follower(hint.stream, hint.start, hint.wording) for hint in (*fitting, *also)]

    def _look_for_hints(self, stream: Stream, start: int) -> None:
        heard = stream.samples[start:]
        if int(np.abs(heard).max()) < QUIET:
            return
        audio = heard.astype(np.float64)
        for wording in self._wordings:
            score = sliding_correlation(audio, wording.piece)
            for _ in range(MOST_HINTS):
                best = int(score.argmax())
                if score[best] < HINT_FITS:
                    break
                score[max(0, best - RATE // 100) : best + RATE // 100] = 0.0
                hint = _Hint(stream, start + best - wording.piece_at, wording)
                if begin_of(stream, hint.start, wording) >= self._since:
                    self._hints.append(hint)


def _known_at(hint: _Hint) -> float:
    return begin_of(hint.stream, hint.start, hint.wording) + hint.wording.telling / RATE + _SETTLED_S


class _Music:
    """Hold music while it is played."""

    def __init__(self, index: MusicIndex, since: float, before: tuple[Stream, MusicStretch] | None) -> None:
        self._index = index
        self._since = since
        self._before = before
        self._places: dict[int, int] = {}  # by number of the stream: from where on it is searched
        self.found: tuple[Stream, MusicStretch] | None = None

    def look(self, streams: list[Stream], *, gone: bool) -> Began | Ended | None:
        if self.found:
            return self._goes_on(*self.found, gone=gone)
        query = int(QUERY_S * RATE)
        for number, stream in enumerate(streams):
            floor = stream.place_arrived(self._since - SLACK_S)
            if self._before and self._before[0] is stream:
                self._before = stream, self._index.extended(*self._before)
                floor = max(floor, self._before[1].end)
            place = max(floor, self._places.get(number, floor))
            if len(stream) - place < query:
                continue
            self._places[number] = len(stream) - query // 2
            stretch = self._index.around(stream, len(stream) - query, len(stream), floor)
            if stretch:
                self.found = (stream, stretch)
                return Began(stream.time(stretch.start))
        return None

    def _goes_on(self, stream: Stream, stretch: MusicStretch, *, gone: bool) -> Ended | None:
        stretch = self._index.extended(stream, stretch)
        query = int(QUERY_S * RATE)
        if not gone and len(stream) - stretch.end >= query:  # the file is over, or silent, or it is no music any more
            onward = self._index.around(stream, len(stream) - query, len(stream), stretch.end)
            loud = float(np.abs(stream.samples[-query:]).max()) >= QUIET
            gone = loud and onward is None
            stretch = onward or stretch
        self.found = (stream, stretch)
        return Ended(stream.time(stretch.end - 1) + 1 / RATE, 1.0) if gone else None
