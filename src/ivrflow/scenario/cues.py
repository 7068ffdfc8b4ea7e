"""The vocabulary between a phone and the performer of its script: cues in the past tense, directions in the imperative.

Whoever plays the phone (the PBX's side: a softphone and a live ear; the simulator's side: the engine's own actions)
brings cues and carries out directions. Times are seconds of one clock, monotonic on the PBX, virtual on the simulator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ivrflow.scenario.script import Background, Order, Press, Say
from ivrflow.softphone.audio_source import AudioSource

# ── cues: what happened ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Connected:
    """This phone's call was answered: its script begins."""


@dataclass(frozen=True, slots=True)
class SoundBegan:
    """What was listened for has begun: `at` is its first sound, which lies in the past. Told once per `ListenFor`."""

    at: float


@dataclass(frozen=True, slots=True)
class SoundEnded:
    """It is over: `at` is when its last sound was heard, `completeness` the share of it that was. Comes after `SoundBegan`."""

    at: float
    completeness: float


@dataclass(frozen=True, slots=True)
class DirectionDone:
    """The latest `StartSaying`, `StartPressing`, `StartHold` or `StartResume` is done; `why_not` when it could not be."""

    why_not: str = ""


@dataclass(frozen=True, slots=True)
class DeadlineReached:
    """The performer's own deadline has come."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """This phone's call is over, whoever ended it."""


Cue: TypeAlias = Connected | SoundBegan | SoundEnded | DirectionDone | DeadlineReached | CallEnded


# ── directions: what to do ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ListenFor:
    """Listen for this from now on, in what was heard since `since` too; replaces what was listened for before."""

    kind: Literal["phrase", "music"]
    phrase: str
    since: float


@dataclass(frozen=True, slots=True)
class StopListening:
    """Nothing is listened for any more."""


@dataclass(frozen=True, slots=True)
class StartSaying:
    """Say it; ends in `DirectionDone`."""

    step: Say


@dataclass(frozen=True, slots=True)
class StartPressing:
    """Press the keys; ends in `DirectionDone`."""

    step: Press


@dataclass(frozen=True, slots=True)
class SetBackground:
    """From now on the microphone picks this up."""

    source: AudioSource
    step: Background | None = None


@dataclass(frozen=True, slots=True)
class StartHold:
    """Put the other side on hold, in the words of the `Hold` step; ends in `DirectionDone`."""

    is_inactive: bool = False


@dataclass(frozen=True, slots=True)
class StartResume:
    """Take it off hold; ends in `DirectionDone`."""


@dataclass(frozen=True, slots=True)
class GiveOrder:
    """Tell ivrflow; nobody waits for an answer."""

    order: Order


@dataclass(frozen=True, slots=True)
class EndCall:
    """Hang up; ends in `CallEnded`."""


Direction: TypeAlias = (
    ListenFor
    | StopListening
    | StartSaying
    | StartPressing
    | SetBackground
    | StartHold
    | StartResume
    | GiveOrder
    | EndCall
)
