"""What can be proven of a flow without a call, from the flow and the lengths of its prompts alone.

Every call comes to an end, every wait is bounded, every circle counted; and how long a caller can meet silence, or be
without a person, at worst.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from ivrflow.flow.compiling.routes import reached_from
from ivrflow.flow.model import RETURN, Ask, CallFlow, Climb, Close, Collect, HangUp, Menu, Queue, Record, Say, Transfer
from ivrflow.flow.problems import Location
from ivrflow.flow.proof.circles import connected_parts, shortest_way
from ivrflow.flow.proof.departures import BY_ITSELF, Departure, departures, is_filled
from ivrflow.flow.proof.quiet_moments import Moment
from ivrflow.flow.proof.silence import Silence, silences
from ivrflow.flow.proof.to_human import WayToHuman, ways_to_human


@dataclass(frozen=True, slots=True)
class Loop:
    """A circle of steps.

    Attributes:
        ways: the way taken from each step to the next, in order.
        seconds: how long one round takes at most.
        most_rounds: how often a call may come round; then the PBX apologises and rings the duty extension.
    """

    ways: tuple[tuple[str, Departure], ...]
    seconds: float
    most_rounds: int
    where: Location

    @property
    def runs_by_itself(self) -> bool:
        """Whether a caller who does nothing goes round in it."""
        return all(way.by in BY_ITSELF for _, way in self.ways)

    @property
    def needs(self) -> str:
        """Who must do something in every round: "caller", "agent", "caller and agent"; empty for nobody."""
        return " and ".join(who for who in ("caller", "agent") if any(way.by == who for _, way in self.ways))


@dataclass(frozen=True, slots=True)
class Repetition:
    """Something a step does again, and what counts it."""

    step: str
    what: str
    times: int
    counted_by: str
    where: Location


@dataclass(frozen=True, slots=True)
class DeadEnd:
    """A place from which no call comes to an end or to a person, or a way that leads nowhere."""

    place: str
    why: str
    where: Location


@dataclass(frozen=True, slots=True)
class Proof:
    """All that is proven of one flow.

    Attributes:
        steps, ways, outcomes, leaves: how many there are of each, all looked at.
        dead_ends: should be empty.
        unreachable: steps that no call enters; should be empty.
        waits: every wait, task and talk, each with its bound.
        loops: circles of steps: for every way that is part of one, the shortest circle with it.
        repetitions: what steps do again by themselves.
        silence: the longest silence while nobody works for the caller.
        task_silence: the longest silence, an agent's tasks without music included.
        to_human: per start the worst way to a person.
    """

    flow: CallFlow
    steps: int
    ways: int
    outcomes: int
    leaves: int
    dead_ends: tuple[DeadEnd, ...]
    unreachable: tuple[str, ...]
    waits: tuple[Moment, ...]
    loops: tuple[Loop, ...]
    repetitions: tuple[Repetition, ...]
    silence: Silence
    task_silence: Silence
    to_human: tuple[WayToHuman, ...]

    @property
    def holds(self) -> bool:
        """Whether every call comes to an end, and every step is of use."""
        return not self.dead_ends and not self.unreachable


def prove(flow: CallFlow) -> Proof:
    """Everything that can be said of all calls of a flow."""
    leaving = departures(flow)
    quiet = silences(flow)
    targets = [target for words in flow.leaves.values() for target in words.values()]
    return Proof(
        flow=flow,
        steps=len(flow.steps),
        ways=sum(len(ways) for ways in leaving.values()),
        outcomes=len(flow.outcomes),
        leaves=len(targets),
        dead_ends=tuple(_dead_ends(flow, leaving)),
        unreachable=_unreachable(flow, leaving, targets),
        waits=(*quiet.waits, *_talks(flow)),
        loops=_loops(flow, leaving),
        repetitions=tuple(_repetitions(flow)),
        silence=quiet.waiting,
        task_silence=quiet.working,
        to_human=ways_to_human(flow),
    )


# ── ends ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _dead_ends(flow: CallFlow, leaving: Mapping[str, tuple[Departure, ...]]) -> Iterable[DeadEnd]:
    for name, ways in leaving.items():
        for way in ways:
            if way.target not in flow.steps:
                yield DeadEnd(name, f"'{way.word}' leads to '{way.target}', which is no step", flow.steps[name].where)
    named = [(f"outcome {word}", target) for word, target in flow.outcomes.items()]
    named += [(f"{name}: {word}", target) for name, words in flow.leaves.items() for word, target in words.items()]
    for what, target in named:
        if target != RETURN and target not in flow.steps:
            yield DeadEnd(what, f"it leads to '{target}', which is no step", flow.where)
    ends = {name for name, step in flow.steps.items() if isinstance(step, HangUp | Close | Transfer | Queue)}
    leads = {name: [way.target for way in ways] for name, ways in leaving.items()}
    for name, step in flow.steps.items():
        if not reached_from([name], leads) & ends:
            yield DeadEnd(name, "from here no call comes to an end or to a person", step.where)


def _unreachable(flow: CallFlow, leaving: Mapping[str, tuple[Departure, ...]], targets: list[str]) -> tuple[str, ...]:
    begins = [flow.start, *flow.outcomes.values(), *targets]
    begins += [flow.places_calls.start] if flow.places_calls else []
    begins += flow.agents.transfers
    reached = reached_from(begins, {name: [way.target for way in ways] for name, ways in leaving.items()})
    # `hang_up` is there without being written: nobody can be asked to use it.
    return tuple(name for name, step in flow.steps.items() if name not in reached and not isinstance(step, HangUp))


# ── waits ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _talks(flow: CallFlow) -> Iterable[Moment]:
    for step in flow.steps.values():
        match step:
            case Transfer():
                yield Moment(step.name, f"rings {step.extension}, with music", "wait", step.ring_for, step.where)
                yield Moment(step.name, f"talk with {step.extension}", "wait", step.talk_for, step.where)
            case Queue():
                yield Moment(step.name, "waits in the queue, with music", "wait", step.most, step.where)
                yield Moment(step.name, "talk with an agent of the queue", "wait", step.talk_for, step.where)
            case Record():
                yield Moment(step.name, "records a message", "wait", step.most, step.where)
            case Ask() if is_filled(step):
                rest = step.most - step.filler_after
                yield Moment(step.name, "waits on for the answer, with music", "wait", rest, step.where)
            case _:
                pass


# ── circles ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _loops(flow: CallFlow, leaving: Mapping[str, tuple[Departure, ...]]) -> tuple[Loop, ...]:
    """The shortest circle through every way that is part of one; by itself where it can be."""
    leads = {name: [way.target for way in ways] for name, ways in leaving.items()}
    by_time = {name: [way.target for way in ways if way.by in BY_ITSELF] for name, ways in leaving.items()}
    circle_of = {name: part for part in connected_parts(leads) for name in part}
    found: dict[tuple[frozenset[str], bool], Loop] = {}
    for name, ways in leaving.items():
        for way in ways:
            if circle_of[name] is not circle_of.get(way.target):
                continue
            is_idle = way.by in BY_ITSELF
            back = (shortest_way(way.target, name, by_time) if is_idle else []) or shortest_way(way.target, name, leads)
            loop = _loop(flow, leaving, [name, *back])
            found.setdefault((frozenset(step for step, _ in loop.ways), loop.runs_by_itself), loop)
    return tuple(found.values())


def _loop(flow: CallFlow, leaving: Mapping[str, tuple[Departure, ...]], names: list[str]) -> Loop:
    ways: list[tuple[str, Departure]] = []
    for name, target in pairwise(names):
        fitting = [way for way in leaving[name] if way.target == target]
        # Where time leads there too, nobody needs to do anything.
        ways.append((name, min(fitting, key=lambda way: way.by not in BY_ITSELF)))
    first = min(range(len(ways)), key=lambda index: list(flow.steps).index(ways[index][0]))
    turned = (*ways[first:], *ways[:first])
    longest = sum(way.seconds for _, way in turned)
    return Loop(turned, round(longest, 3), flow.limits.visits_per_step, flow.steps[turned[0][0]].where)


def _repetitions(flow: CallFlow) -> Iterable[Repetition]:
    for step in flow.steps.values():
        match step:
            case Queue(ladder=ladder) if ladder.loops_from:
                what = f"announces again from rung {ladder.loops_from} on"
                yield Repetition(step.name, what, ladder.rounds, "at_most", ladder.where)
            case Menu(ladder=ladder):
                if len(ladder.rungs) > 1:
                    times = len(ladder.rungs) - 1
                    yield Repetition(step.name, "says its choices again", times, "repeats", step.where)
                if step.invalid_repeats:
                    times = step.invalid_repeats
                    yield Repetition(step.name, "corrects a wrong key", times, "invalid: repeats", step.where)
            case Collect(repeats=repeats) if repeats:
                yield Repetition(step.name, "asks again", repeats, "repeats", step.where)
            case _:
                pass
    climbed = [step.ladder for step in flow.steps.values() if isinstance(step, Say | Climb | Close)]
    for ladder in (*climbed, *flow.situations.values()):
        if ladder.loops_from:
            what = f"begins again at rung {ladder.loops_from}"
            yield Repetition(ladder.name, what, ladder.rounds, "limits.rounds", ladder.where)
