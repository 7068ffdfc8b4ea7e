"""How long a caller who wants a person may have to wait until one is sought.

From the answer until an agent's telephone begins to ring, or until the caller stands in a queue. How long one then waits in
the queue is its own bound (`most`): no flow can tell whether an agent is logged in, so nothing more is promised.

Measured for the slowest sensible caller: hears every prompt out, waits every wait to its last moment, presses wrong keys as
often as they are corrected and fails to enter digits as often as is asked again, and does at the very last moment what leads
on, by the longest way that still ends with a person. Where doing nothing leads to no person, this caller does something.

What leads back is not gone round at will: no step is entered a second time by the caller's own choice, for with that any
flow takes as long as one likes. A circle that runs by itself, for a caller who does nothing, is gone round as often as
`limits.visits_per_step` lets it. Which window of opening hours holds is not the caller's to choose, nor what a look-up
answers, nor whether a number may be rung: all must lead to a person, or the figure is "never"; at the start of a flow each
window has a figure of its own. Situations and transfers, which agents start, are not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ivrflow.flow.model import Ask, CallBack, CallFlow, Hours, Queue, Step, Transfer
from ivrflow.flow.proof.circles import connected_parts, runs_round
from ivrflow.flow.proof.departures import Leg, announcement, departures, opening
from ivrflow.flow.reading.times import written

_MOST_STATES = 20_000
"""Ways looked at within one circle of steps; beyond them its steps count together, each once, which is never too little."""

_DEEPEST = 100
"""Steps of one circle up to which its ways are looked at one by one."""

_NOT_CHOSEN: dict[type[Step], str] = {Hours: "the hour", Ask: "the answer of a look-up", CallBack: "the number"}
"""Steps whose way out is not the caller's to choose, and what it depends on."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step on the way to a person: what takes time in it, and how it is left."""

    step: str
    legs: tuple[Leg, ...]
    word: str

    @property
    def seconds(self) -> float:
        """How long the call is in the step."""
        return sum(leg.seconds for leg in self.legs)


@dataclass(frozen=True, slots=True)
class WayToHuman:
    """The worst way to a person from one start.

    Attributes:
        start: when or how the call starts: "mon-sun 06:00-22:00", "otherwise", "" where there is one start only.
        seconds: from the answer until an agent's telephone begins to ring, or the caller stands in a queue; None when a
            caller cannot make that happen.
        why_never: why not; empty otherwise.
        on_purpose: whether the flow says that nobody can be had from here (`limits.nobody_at`).
        extension: whose telephone rings; empty for a queue.
        queue: which queue the caller stands in; empty for a telephone that rings.
        waits: seconds the caller may then have to wait for somebody to answer.
    """

    start: str
    seconds: float | None
    stages: tuple[Stage, ...] = ()
    why_never: str = ""
    on_purpose: bool = False
    extension: str = ""
    queue: str = ""
    waits: float = 0.0

    @property
    def is_estimated(self) -> bool:
        """Whether the length of a wording that is not recorded is in it."""
        return any(leg.is_estimated for stage in self.stages for leg in stage.legs)


_Group: TypeAlias = tuple[str, ...]
"""Names of steps: one, or those of a circle that runs by itself."""


@dataclass(frozen=True, slots=True)
class _Move:
    """A way on from a group: what it costs, and the group it leads to; none where that is the person."""

    stages: tuple[Stage, ...]
    to: _Group
    person: Transfer | Queue | None = None

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages)


@dataclass(frozen=True, slots=True)
class _Best:
    """The longest way from a group to a person."""

    seconds: float
    stages: tuple[Stage, ...]
    person: Transfer | Queue


def ways_to_human(flow: CallFlow) -> tuple[WayToHuman, ...]:
    """The worst way to a person from every start of a flow."""
    return _Search(flow).all_starts()


class _Search:
    def __init__(self, flow: CallFlow) -> None:
        self._flow = flow
        self._nobody_at = frozenset(flow.limits.nobody_at)
        self._departures = departures(flow)
        self._sure = self._steps_that_reach(surely=True)
        self._reaching = self._steps_that_reach(surely=False)
        self._group_of: dict[str, _Group] = {}
        self._moves: dict[_Group, tuple[_Move, ...]] = {}
        self._best: dict[_Group, _Best] = {}
        self._fill()

    # ── which steps lead to a person ──────────────────────────────────────────────────────────────────────────────────

    def _steps_that_reach(self, *, surely: bool) -> frozenset[str]:
        """Steps from which a person can be had; `surely`: whatever window of hours holds, whatever a look-up answers."""
        reaching = {name for name, step in self._flow.steps.items() if isinstance(step, Transfer | Queue)}
        reaching -= self._nobody_at
        more = reaching
        while more:
            others = [name for name in self._flow.steps if name not in reaching | self._nobody_at]
            more = {name for name in others if self._leads_there(name, reaching, surely=surely)}
            reaching |= more
        return frozenset(reaching)

    def _leads_there(self, name: str, reaching: set[str], *, surely: bool) -> bool:
        targets = [way.target for way in self._departures[name] if way.target not in self._nobody_at]
        if surely and type(self._flow.steps[name]) in _NOT_CHOSEN:
            return bool(targets) and all(target in reaching for target in targets)
        return any(target in reaching for target in targets)

    # ── the longest way ───────────────────────────────────────────────────────────────────────────────────────────────

    def _fill(self) -> None:
        """The worst way from every step that leads to a person, from the persons backwards."""
        alone = self._self_running()
        self._group_of = {name: (name,) for name in self._reaching} | {name: group for group in alone for name in group}
        groups = dict.fromkeys(self._group_of.values())
        self._moves = {group: tuple(self._moves_of(group, runs_alone=group in alone)) for group in groups}
        leads = {group: [move.to for move in moves if move.to] for group, moves in self._moves.items()}
        for part in connected_parts(leads):
            self._best |= _PartSearch(part, self._moves, self._best).all()

    def _self_running(self) -> frozenset[_Group]:
        """Steps that a caller who does nothing goes round in, without a person among them."""
        waiting = {name for name in self._reaching if not isinstance(self._flow.steps[name], Transfer | Queue)}
        leads = {
            name: [way.target for way in self._departures[name] if way.by != "caller" and way.target in waiting]
            for name in waiting
        }
        return frozenset(part for part in connected_parts(leads) if runs_round(part, leads))

    def _moves_of(self, group: _Group, *, runs_alone: bool) -> Iterable[_Move]:
        """Every way on from a group of steps."""
        for name in group:
            step = self._flow.steps[name]
            if isinstance(step, Transfer | Queue):
                said = announcement(self._flow, step)
                yield _Move((Stage(name, said, _reached(step)),), (), step)
                # A key that cuts the announcement of a queue leads away before the caller stands in it.
                keys = step.listening.keys if isinstance(step, Queue) and "key" in step.listening.barge_in else {}
                for key, target in keys.items() if said else ():
                    if target in self._reaching:
                        yield _Move((Stage(name, said, f"key {key}"),), self._group_of[target])
                continue
            for way in self._departures[name]:
                if way.target in group or way.target not in self._reaching:
                    continue
                legs = self._rounds(group) if runs_alone else way.legs
                yield _Move(
                    (Stage(" – ".join(group) if runs_alone else name, legs, way.word),), self._group_of[way.target]
                )

    def _rounds(self, group: _Group) -> tuple[Leg, ...]:
        """What it costs to stand each step of a group as often as a call may enter it."""
        visits = self._flow.limits.visits_per_step
        legs: list[Leg] = []
        for name in group:
            stays = [way.legs for way in self._departures[name]]
            longest = max(stays, key=_seconds, default=())
            what = f"{visits} times {written(round(_seconds(longest), 3))} in {name}, which comes round by itself"
            is_estimated = any(leg.is_estimated for leg in longest)
            legs.append(Leg(what, visits * _seconds(longest), self._flow.steps[name].where, is_estimated))
        return tuple(legs)

    # ── starts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def all_starts(self) -> tuple[WayToHuman, ...]:
        """The worst way from each start: of calls that come in, of calls we place, per window of opening hours."""
        flow = self._flow
        names = [("", flow.start)] if flow.numbers or flow.places_calls is None else []
        if flow.places_calls is not None:
            names.append(("a call we place", flow.places_calls.start))
        said = opening(flow)
        before = (Stage("recording", said, "begins"),) if said else ()
        return tuple(way for word, name in names for way in self._from(word, name, before, frozenset()))

    def _from(self, word: str, name: str, before: tuple[Stage, ...], seen: frozenset[str]) -> list[WayToHuman]:
        step = self._flow.steps[name]
        if not isinstance(step, Hours) or name in seen:
            return [self._way(word, name, before)]
        ways: list[WayToHuman] = []
        for way in dict.fromkeys(self._departures[name]):
            shown = f"{word}, {way.word}" if word else way.word
            ways += self._from(shown, way.target, (*before, Stage(name, way.legs, way.word)), seen | {name})
        return ways

    def _way(self, word: str, name: str, before: tuple[Stage, ...]) -> WayToHuman:
        best = self._best.get(self._group_of.get(name, ()))
        if best is None or name not in self._sure:
            return WayToHuman(word, None, before, self._why_never(name), self._is_meant(name))
        seconds = round(sum(stage.seconds for stage in before) + best.seconds, 3)
        stages = (*before, *best.stages)
        if seconds > self._flow.limits.call_length:
            bound = written(self._flow.limits.call_length)
            why = f"limits.call_length ends the call after {bound}; the way takes {written(seconds)}"
            return WayToHuman(word, None, stages, why)
        person = best.person
        if isinstance(person, Queue):
            return WayToHuman(word, seconds, stages, queue=person.levels[0].queue, waits=person.most)
        return WayToHuman(word, seconds, stages, extension=person.extension, waits=person.ring_for)

    def _why_never(self, name: str) -> str:
        if self._is_meant(name):
            return f"limits.nobody_at names {name}"
        if not any(isinstance(step, Transfer | Queue) for step in self._flow.steps.values()):
            return "the flow has no transfer step and no queue"
        if name in self._reaching:
            return f"from {name} on it depends on {self._unsure(name)} whether anything leads to a transfer step or a queue"
        return f"no key, no word and no silence from {name} on leads to a transfer step or a queue"

    def _unsure(self, name: str) -> str:
        """What it depends on whether a person can be had, as far as a call can come from here."""
        seen: dict[str, None] = {}
        ahead = [name]
        while ahead:
            name = ahead.pop()
            if name not in seen and name in self._flow.steps:
                seen[name] = None
                ahead += [way.target for way in self._departures[name]]
        kinds = {type(self._flow.steps[name]) for name in seen if name not in self._sure}
        return " and ".join(word for kind, word in _NOT_CHOSEN.items() if kind in kinds)

    def _is_meant(self, name: str) -> bool:
        return name in self._nobody_at


class _PartSearch:
    """The longest way out of a part whose groups all lead to one another, entering none of them twice."""

    def __init__(
        self, part: tuple[_Group, ...], moves: Mapping[_Group, Sequence[_Move]], known: Mapping[_Group, _Best]
    ) -> None:
        self._part = part
        self._moves = moves
        self._known = known
        self._found: dict[tuple[_Group, frozenset[_Group]], _Best | None] = {}

    def all(self) -> dict[_Group, _Best]:
        """The worst way from each group of the part."""
        # A circle that runs by itself can be left at one of its steps and come back to at another one: no step is entered
        # twice then, but the circle is.
        comes_back_elsewhere = len(self._part) > 1 and any(len(group) > 1 for group in self._part)
        if len(self._part) > _DEEPEST or comes_back_elsewhere:
            return self._everything_once()
        best: dict[_Group, _Best] = {}
        for group in self._part:
            found = self._from(group, frozenset({group}))
            if len(self._found) > _MOST_STATES:
                return self._everything_once()
            if found is not None:
                best[group] = found
        return best

    def _from(self, group: _Group, entered: frozenset[_Group]) -> _Best | None:
        key = (group, entered)
        if key in self._found:
            return self._found[key]
        longest: _Best | None = None
        for move in self._moves[group]:
            if len(self._found) > _MOST_STATES:
                break
            onward: _Best | None
            if move.person is not None:
                onward = _Best(0.0, (), move.person)
            elif move.to not in self._part:
                onward = self._known[move.to]
            else:
                onward = None if move.to in entered else self._from(move.to, entered | {move.to})
            if onward is not None and (longest is None or move.seconds + onward.seconds > longest.seconds):
                longest = _Best(move.seconds + onward.seconds, (*move.stages, *onward.stages), onward.person)
        self._found[key] = longest
        return longest

    def _everything_once(self) -> dict[_Group, _Best]:
        """Never too little: every group's longest stay, then the longest way on."""
        stays = [max(self._moves[group], key=lambda move: move.seconds) for group in self._part]
        moves = [move for group in self._part for move in self._moves[group]]
        outside = [_Best(0.0, (), move.person) for move in moves if move.person]
        outside += [self._known[move.to] for move in moves if move.to and move.to not in self._part]
        onward = max(outside, key=lambda best: best.seconds)
        stages = (*(stage for move in stays for stage in move.stages), *onward.stages)
        best = _Best(sum(move.seconds for move in stays) + onward.seconds, stages, onward.person)
        return dict.fromkeys(self._part, best)


def _reached(step: Transfer | Queue) -> str:
    return f"{step.extension} rings" if isinstance(step, Transfer) else f"stands in the queue {step.levels[0].queue}"


def _seconds(legs: Iterable[Leg]) -> float:
    return sum(leg.seconds for leg in legs)
