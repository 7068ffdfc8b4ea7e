"""What a simulated phone hears: the sounds on its line, told to its performer as a live ear would tell them.

A phrase is recognised `RECOGNISED_AFTER_S` into it, or at its end when it is shorter; one that is cut before that is
never recognised while the call lasts. All times are seconds of the virtual clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ivrflow.flow.model import CallFlow
from ivrflow.scenario.cues import ListenFor, SoundBegan, SoundEnded
from ivrflow.scenario.judging.alignment import sound_alike
from ivrflow.scenario.observation import Heard
from ivrflow.scenario.script import RECOGNISED_AFTER_S

SHORTEST_RECOGNISED_S = 0.3
"""Seconds of a phrase without which nobody can tell afterwards either which one it was."""

_EPSILON_S = 1e-9

_Kind: TypeAlias = Literal["phrase", "music", "unknown"]


@dataclass(slots=True, eq=False)
class Sound:
    """Something on the line, from its first sample on; `length` is the whole recording's, 0 for what has no end of its own."""

    kind: _Kind
    name: str
    start: float
    length: float
    end: float | None = None

    @property
    def completeness(self) -> float:
        """The share of it that was heard, once it is over."""
        if self.end is None or self.length <= 0:
            return 1.0
        return min(1.0, round((self.end - self.start) / self.length, 6))

    def ends(self, now: float) -> None:
        """It is over, or cut; told again, nothing changes."""
        if self.end is None:
            self.end = now


class SimulatedEar:
    """One phone's ear; phrases of `flow` that are spoken in the same words are the same to it."""

    def __init__(self, flow: CallFlow) -> None:
        self._flow = flow
        self._sounds: list[Sound] = []
        self._expected: ListenFor | None = None
        self._found: Sound | None = None
        self.is_deaf = False
        """Whether the line is on hold."""

    def __contains__(self, sound: Sound) -> bool:
        """Whether it is a sound on this line."""
        return any(one is sound for one in self._sounds)

    # ── the line ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def begins(self, kind: _Kind, name: str, length: float, now: float) -> Sound:
        """A sound begins; it goes on until its `ends`."""
        sound = Sound(kind, name, now, length, now if self.is_deaf else None)
        self._sounds.append(sound)
        return sound

    def all_ends(self, now: float) -> None:
        """The line is quiet from here on."""
        for sound in self._sounds:
            sound.ends(now)

    def goes_deaf(self, now: float) -> None:
        """Nothing on the line is heard until `hears_again`: the line is on hold. What is cut so is not taken up again."""
        self.all_ends(now)
        self.is_deaf = True

    def hears_again(self) -> None:
        """What begins from now on is heard."""
        self.is_deaf = False

    # ── its performer ─────────────────────────────────────────────────────────────────────────────────────────────────

    def listen(self, expected: ListenFor) -> None:
        """Wait for that, in place of anything else."""
        self._expected, self._found = expected, None

    def stop(self) -> None:
        """Wait for nothing."""
        self._expected = self._found = None

    @property
    def due(self) -> float | None:
        """When `tell` has something to tell, as far as is known now."""
        if self._found is not None:
            return self._found.end
        recognised = [at for sound in self._sounds if (at := self._recognised_at(sound)) is not None]
        return min(recognised, default=None)

    def tell(self, now: float) -> SoundBegan | SoundEnded | None:
        """The next cue, when it is due."""
        if (due := self.due) is None or due > now + _EPSILON_S:
            return None
        if (sound := self._found) is not None:
            assert sound.end is not None, "it is due by its end"
            self.stop()
            return SoundEnded(sound.end, sound.completeness)
        self._found = next(sound for sound in self._sounds if self._recognised_at(sound) == due)
        return SoundBegan(self._found.start)

    def _recognised_at(self, sound: Sound) -> float | None:
        expected = self._expected
        if expected is None or sound.kind != expected.kind:
            return None
        if not sound_alike(self._flow, sound.name, expected.phrase) or sound.start < expected.since - _EPSILON_S:
            return None
        needed = min(RECOGNISED_AFTER_S, sound.length) if sound.length else RECOGNISED_AFTER_S
        at = sound.start + needed
        return None if sound.end is not None and sound.end < at - _EPSILON_S else at

    # ── afterwards ────────────────────────────────────────────────────────────────────────────────────────────────────

    def heard(self) -> tuple[Heard, ...]:
        """All that was heard, in order; a phrase cut too early is an unknown sound."""
        return tuple(_heard(sound) for sound in self._sounds if sound.end is not None and sound.end > sound.start)


def _heard(sound: Sound) -> Heard:
    start, end = round(sound.start, 6), round(sound.end if sound.end is not None else sound.start, 6)
    seconds = round(end - start, 6)
    if sound.kind == "phrase" and seconds < min(SHORTEST_RECOGNISED_S, sound.length):
        return Heard("unknown", "", start, end, length=seconds)
    if sound.kind != "phrase":
        return Heard(sound.kind, sound.name, start, end, length=seconds)
    return Heard(sound.kind, sound.name, start, end, sound.completeness, length=sound.length)
