"""A phone's script laid beside what the phone heard: which hearing serves which step, what is left over. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import Location
from ivrflow.scenario.judging.alignment import align, sound_alike
from ivrflow.scenario.judging.clock_pairs import recording_end
from ivrflow.scenario.observation import GaveUp, Heard, PhoneSide
from ivrflow.scenario.script import Hear, HearMusic, HearStart, Pause, Step, last_pause

_ADEQUATE = 0.01
"""What it adds to a pair's worth that as much was heard as the script says: less than any further pair."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something the script says is heard.

    Attributes:
        step: the step that says so.
        place: its place in the script.
        heard: what was heard of it; None when nothing was.
        was_reached: whether the phone's script came as far.
    """

    step: Hear | HearStart | HearMusic
    place: int
    heard: Heard | None
    was_reached: bool

    @property
    def name(self) -> str:
        """The phrase's key; empty for hold music."""
        return _name(self.step)

    @property
    def at_least(self) -> float:
        """Share of it that must be heard."""
        return 0.0 if isinstance(self.step, HearMusic) else self.step.at_least

    @property
    def at_most(self) -> float:
        """Share of it that may be heard."""
        return self.step.at_most if isinstance(self.step, HearStart) else 1.0


@dataclass(frozen=True, slots=True)
class PauseSeen:
    """A pause of the script after something that was heard, until the next such thing or the end of the call.

    Attributes:
        after: name of what was heard before it.
        begins: second at which that was over.
        ends: second at which the next began, or the call ended.
        ends_call: whether it was the end of the call.
    """

    step: Pause
    after: str
    begins: float
    ends: float
    ends_call: bool = False

    @property
    def seconds(self) -> float:
        """How long it was quiet; negative when the one began before the other was over."""
        return round(self.ends - self.begins, 6)


@dataclass(frozen=True, slots=True)
class Listened:
    """What came of listening.

    Attributes:
        wanted: everything the script says is heard, in its order.
        pauses: those whose both ends were heard.
        others: what was heard and serves no step, with its place among all that was heard.
        stuck_at: the step that did not come to its end; None when all did.
    """

    flow: CallFlow
    wanted: tuple[Wanted, ...]
    pauses: tuple[PauseSeen, ...]
    others: tuple[tuple[int, Heard], ...]
    stuck_at: Step | None
    _heard: tuple[Heard, ...]
    _served: dict[int, int]
    _gave_up: GaveUp | None

    @property
    def is_told_as_not_heard(self) -> bool:
        """Whether the phone gave up waiting for a phrase that indeed was not heard: one finding says both."""
        return any(wanted.heard is None and wanted.step is self.stuck_at for wanted in self.wanted)

    def why_not_heard(self, wanted: Wanted) -> str:
        """What happened instead, in words."""
        if self._gave_up is not None and wanted.step is self.stuck_at:
            why = self._gave_up.waiting_for
        else:
            why = f"it was not{self._between(wanted)}"
        elsewhere = [f"{heard.start:.2f} s" for _, heard in self.others if _fits(self.flow, wanted.step, heard)]
        return f"{why}; out of order it was, at {', '.join(elsewhere)}" if elsewhere else why

    def not_heard_at(self, wanted: Wanted) -> float | None:
        """The second to point at for something not heard: when the phone gave up, else after what was heard before."""
        if self._gave_up is not None and wanted.step is self.stuck_at:
            return self._gave_up.at
        before = self._neighbour(wanted, reversed(self.wanted[: self.wanted.index(wanted)]))
        return recording_end(before) if before is not None else None

    def around(self, place: int) -> tuple[str, Location | None]:
        """For something that was heard and serves no step.

        Returns:
            The name of what was heard before it; where the script says what should have been heard next, if anything.
        """
        before = next((heard.name for heard in reversed(self._heard[:place]) if heard.name), "")
        served = [number for number, at in self._served.items() if at < place]
        following = max(served, default=-1) + 1
        where = self.wanted[following].step.where if following < len(self.wanted) else None
        return before, where

    def never(self, heard: Heard, never_hear: Iterable[str]) -> str | None:
        """The phrase that must never be heard and was."""
        return next((name for name in never_hear if sound_alike(self.flow, heard.name, name)), None)

    def _between(self, wanted: Wanted) -> str:
        number = self.wanted.index(wanted)
        before = self._neighbour(wanted, reversed(self.wanted[:number]))
        after = self._neighbour(wanted, self.wanted[number + 1 :])
        if before is not None and after is not None:
            return f" between {recording_end(before):.2f} and {after.start:.2f} s"
        if before is not None:
            return f" after {recording_end(before):.2f} s"
        return f" before {after.start:.2f} s" if after is not None else ""

    def _neighbour(self, wanted: Wanted, candidates: Iterable[Wanted]) -> Heard | None:
        return next((other.heard for other in candidates if other is not wanted and other.heard is not None), None)


def listened(flow: CallFlow, steps: Sequence[Step], side: PhoneSide) -> Listened:
    """Lay a script beside what its phone heard."""
    gave_up = side.gave_up
    stuck = next(
        (place for place, step in enumerate(steps) if gave_up is not None and step.where == gave_up.where), None
    )
    asked = [(place, step) for place, step in enumerate(steps) if isinstance(step, Hear | HearStart | HearMusic)]

    def worth(number: int, place: int) -> float:
        step, heard = asked[number][1], side.heard[place]
        if not _fits(flow, step, heard):
            return 0.0
        return 1.0 + (_ADEQUATE if _is_adequate(step, heard) else 0.0)

    served = align(len(asked), len(side.heard), worth)
    wanted = tuple(
        Wanted(
            step,
            place,
            side.heard[served[number]] if number in served else None,
            stuck is None or place <= stuck,
        )
        for number, (place, step) in enumerate(asked)
    )
    taken = set(served.values())
    others = tuple((place, heard) for place, heard in enumerate(side.heard) if place not in taken)
    stuck_at = steps[stuck] if stuck is not None else None
    pauses = (*_pauses(steps, wanted), *_last_pause(steps, wanted, side))
    return Listened(flow, wanted, pauses, others, stuck_at, side.heard, served, gave_up)


def _pauses(steps: Sequence[Step], wanted: Sequence[Wanted]) -> Iterator[PauseSeen]:
    for place, step in enumerate(steps):
        if not isinstance(step, Pause):
            continue
        before = next((one for one in reversed(wanted) if one.place < place), None)
        after = next((one for one in wanted if one.place > place), None)
        if before is not None and after is not None and before.heard is not None and after.heard is not None:
            yield PauseSeen(step, before.name, recording_end(before.heard), after.heard.start)


def _last_pause(steps: Sequence[Step], wanted: Sequence[Wanted], side: PhoneSide) -> Iterator[PauseSeen]:
    """From the last phrase of the script to the end of the call, which somebody else than this phone ended."""
    step, ended_at = last_pause(steps), side.ended_at
    before = wanted[-1] if wanted else None
    if step is None or before is None or before.heard is None or ended_at is None or side.ended_by != "peer":
        return
    # A recording that is cut within the silence at its end counts as heard to its end.
    begins = min(recording_end(before.heard), ended_at)
    yield PauseSeen(step, before.name, begins, ended_at, ends_call=True)


def _name(step: Hear | HearStart | HearMusic) -> str:
    return "" if isinstance(step, HearMusic) else step.phrase


def _fits(flow: CallFlow, step: Hear | HearStart | HearMusic, heard: Heard) -> bool:
    if isinstance(step, HearMusic):
        return heard.kind == "music"
    return heard.kind == "phrase" and sound_alike(flow, step.phrase, heard.name)


def _is_adequate(step: Hear | HearStart | HearMusic, heard: Heard) -> bool:
    match step:
        case Hear(at_least=at_least):
            return heard.completeness >= at_least
        case HearStart(at_most=at_most, at_least=at_least):
            return at_least <= heard.completeness <= at_most
        case HearMusic():
            return True
