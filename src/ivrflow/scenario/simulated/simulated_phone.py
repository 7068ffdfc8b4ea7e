"""A phone on the simulator: its ear, its performer, and what is told of it afterwards. Times are virtual seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ivrflow.flow.model import CallFlow
from ivrflow.scenario.observation import PhoneSide
from ivrflow.scenario.performer import Performer
from ivrflow.scenario.script import Step
from ivrflow.scenario.simulated.simulated_ear import SimulatedEar, Sound

Voice: TypeAlias = Literal["phrase", "unknown"]

EndedBy: TypeAlias = Literal["phone", "peer", "nobody"]


@dataclass(frozen=True, slots=True)
class Speech:
    """Something somebody says; `since` is when they began."""

    kind: Voice
    phrase: str
    seconds: float
    since: float


CODE_LENGTH = 3
"""Keys of a code: a star and two digits."""


class SimulatedPhone:
    """A phone and its part; an agent's phone that is called again plays its part again.

    Attributes:
        name: "caller", or the agent's extension.
        ear: what it hears.
        performer: plays the present call's part, or the next one's.
        speech: what it is saying, whoever hears it.
        saying: the same, at the ear of whoever hears it.
        keyed: what was keyed of a code so far.
        hold_music: what it lets the other phone hear while it has it on hold.
        trouble: why it could not play its part.
    """

    def __init__(self, name: str, steps: tuple[Step, ...], flow: CallFlow) -> None:
        self.name = name
        self.ear = SimulatedEar(flow)
        self.performer = Performer(steps)
        self.speech: Speech | None = None
        self.saying: Sound | None = None
        self.keyed = ""
        self.hold_music: Sound | None = None
        self.trouble = ""
        self._steps = steps
        self._performers = [self.performer]
        self._rang_at: float | None = None
        self._answered_at: float | None = None
        self._ended_at: float | None = None
        self._ended_by: EndedBy | None = None

    def rings(self, now: float) -> None:
        """It is called."""
        if self._rang_at is None:
            self._rang_at = _exact(now)
        else:
            self.performer = Performer(self._steps)
            self._performers.append(self.performer)

    def code(self, key: str) -> str:
        """The code that this key completes, a star and two digits; empty when it completes none."""
        if key == "*":
            self.keyed = key
        else:
            self.keyed = self.keyed + key if self.keyed and key.isdigit() else ""
        if len(self.keyed) < CODE_LENGTH:
            return ""
        code, self.keyed = self.keyed, ""
        return code

    def answers(self, now: float) -> None:
        """Its call is up."""
        if self._answered_at is None:
            self._answered_at = _exact(now)

    def ended(self, by: EndedBy, now: float) -> None:
        """Its call is over, answered or not."""
        self.ear.all_ends(now)
        self.ear.stop()
        self.ear.hears_again()
        self._ended_at, self._ended_by = _exact(now), by

    def side(self) -> PhoneSide:
        """Its part as it was observed: of several calls the first ring and answer, the last end, everything in between."""
        gave_up = next((performer.gave_up for performer in self._performers if performer.gave_up), None)
        return PhoneSide(
            self.name,
            self._rang_at,
            self._answered_at,
            self._ended_at,
            self._ended_by,
            self.ear.heard(),
            tuple(
                replace(act, start=_exact(act.start), end=_exact(act.end))
                for performer in self._performers
                for act in performer.acts
            ),
            gave_up and replace(gave_up, since=_exact(gave_up.since), at=_exact(gave_up.at)),
            trouble=self.trouble,
        )


def _exact(seconds: float) -> float:
    """Without the last bits of sums of seconds, as a trace has them."""
    return round(seconds, 6)
