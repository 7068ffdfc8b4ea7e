"""Many scenarios: all of them on the simulator in a moment, many at once on one PBX or several; each bounded, judged, reported.

A run knows neither sockets nor terminals. It is handed what plays a scenario and what judges it, and tells a listener
what becomes of each. What it promises: every scenario ends within its own bound, at most `jobs` are on the PBX at once,
one scenario's trouble is its own, and a failed one is played again only when this machine stood still meanwhile.
"""

from __future__ import annotations

import asyncio
import heapq
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeAlias

from ivrflow.scenario.observation import ClockPair, Finding, Observation, Result
from ivrflow.scenario.script import Scenario, Stage
from ivrflow.settings import SettingsError
from ivrflow.softphone.call import PhoneError, Unreachable

JOBS = 40
"""Scenarios played on the PBX at once, where nobody says how many."""

STAGGER_S = 0.05
"""Seconds between the beginnings of two calls, so that not all of them ring in the same instant."""

MOST_TRIES = 3
"""How often a scenario is played at most: again only when it failed while this machine stood still."""

CALMER = 4
"""A scenario is played again only when so many times fewer calls are there than there may be."""

AFTERWARDS_S = 300.0
"""Seconds beyond a scenario's own bound until it is ended by force: to recognise what was heard, to read the journal.

The call itself is bounded by `Scenario.within`; afterwards many calls that ended at once wait for their turn to be
analysed, on a machine that may have other work."""

AROUND_A_CALL_S = 2.0
"""What a call on the PBX takes beyond the simulator's seconds: setting it up, recognising what was heard."""

GIVEN_UP_AFTER = 3
"""So many calls in a row to which nothing answered mean that the PBX has gone, and the rest need not be tried."""

Play: TypeAlias = Callable[[Scenario], Awaitable[Observation]]
Simulate: TypeAlias = Callable[[Scenario], Observation]
Needs: TypeAlias = Callable[[Scenario], Mapping[str, Hashable]]
Judge: TypeAlias = Callable[[Scenario, Observation], tuple[tuple[Finding, ...], tuple[ClockPair, ...]]]


class CannotRun(Exception):
    """Nothing more can be played; one sentence that says why and what to do."""


class Listener(Protocol):
    """Who wants to know how a run goes, while it goes."""

    def began(self, scenario: Scenario) -> None:
        """A scenario is being played on the PBX."""

    def again(self, scenario: Scenario, tries: int, stood_still: float) -> None:
        """It failed while this machine stood still for so many seconds, and is played once more; `tries` were made."""

    def finished(self, result: Result) -> None:
        """It is over, on either stage."""


@dataclass(slots=True)
class _Turn:
    """One scenario waiting for a PBX, or played there. `predicted`, `began` (monotonic) and `took` are seconds."""

    scenario: Scenario
    place: tuple[int, int]
    predicted: float
    needs: Mapping[str, Hashable] = field(default_factory=dict)
    is_unusual: bool = False  # what it needs it needs as hardly anybody else does
    lane: int = 0
    began: float | None = None
    tries: int = 0
    took: float = 0.0


def _nothing(_scenario: Scenario) -> Mapping[str, Hashable]:
    return {}


@dataclass(frozen=True, slots=True)
class Lane:
    """A PBX with its engine and its telephones, which shares none of them with another lane.

    Attributes:
        play: plays one scenario there.
        needs: what a scenario must find there, by name, and in which state: scenarios that need the same thing in
            different states are never on one lane at once.
    """

    play: Play
    needs: Needs = _nothing


@dataclass(slots=True, kw_only=True)
class Run:
    """One run of scenarios.

    Attributes:
        scenarios: what is played.
        stages: where; a scenario that cannot be played on one of them is noted as left out there.
        simulate: plays one on the simulator.
        judge: compares a scenario with what was observed.
        listener: told what happens.
        jobs: how many are on the PBX at once.
        repeat: how often each is played.
        strict: whether what is only worth a word fails a scenario too.
        stagger: seconds between the beginnings of two calls.
        faults: tracebacks of whatever in ivrflow itself broke, for who will mend it.
    """

    scenarios: Sequence[Scenario]
    stages: tuple[Stage, ...]
    simulate: Simulate
    judge: Judge
    listener: Listener
    jobs: int = JOBS
    repeat: int = 1
    strict: bool = False
    stagger: float = STAGGER_S
    faults: list[str] = field(default_factory=list)
    _results: dict[tuple[int, int, int], Result] = field(default_factory=dict)
    _waiting: list[_Turn] = field(default_factory=list)
    _running: list[_Turn] = field(default_factory=list)
    _unanswered: int = 0
    _lanes: int = 1
    _room: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def results(self) -> tuple[Result, ...]:
        """What is finished: by stage, then in the order of the scenarios."""
        return tuple(self._results[key] for key in sorted(self._results))

    @property
    def planned(self) -> int:
        """How many results there will be."""
        return len(self.scenarios) * len(self.stages) * self.repeat

    @property
    def running(self) -> int:
        """How many are on the PBX at this moment."""
        return len(self._running)

    def seconds_left(self) -> float:
        """How long the rest will take, by what the simulator predicts."""
        now = time.monotonic()
        ends = [max(0.0, turn.predicted - (now - (turn.began or now))) for turn in self._running]
        heapq.heapify(ends)
        last = max(ends, default=0.0)
        for turn in self._waiting:
            begins = heapq.heappop(ends) if len(ends) >= self.jobs else 0.0
            heapq.heappush(ends, begins + turn.predicted)
            last = max(last, begins + turn.predicted)
        return max(last, *(sum(states.values()) / self._lanes for states in self._one_by_one()), 0.0)

    def _one_by_one(self) -> Iterable[Mapping[Hashable, float]]:
        """Of everything that waiting scenarios need: how long each state of it is needed, those who share it at once."""
        needed: dict[str, dict[Hashable, float]] = {}
        for turn in self._waiting:
            for name, state in turn.needs.items():
                states = needed.setdefault(name, {})
                states[state] = max(states.get(state, 0.0), turn.predicted)
        return needed.values()

    # ── the simulator ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def simulate_all(self) -> None:
        """Play every scenario on the simulator: its result when it was asked for, and how long the PBX will take."""
        for number, scenario in enumerate(self.scenarios):
            predicted = scenario.within
            for repetition in range(self.repeat):
                result = self._simulated(scenario)
                if result.observation is not None and result.observation.caller.ended_at is not None:
                    predicted = result.observation.caller.ended_at + AROUND_A_CALL_S
                if "simulator" in self.stages:
                    self._finish("simulator", (number, repetition), result)
                await asyncio.sleep(0)  # so that a Ctrl-C is heeded
                if "pbx" in self.stages and "pbx" in scenario.stages:
                    self._waiting.append(_Turn(scenario, (number, repetition), predicted))
                elif "pbx" in self.stages:
                    self._finish("pbx", (number, repetition), _left_out(scenario, "pbx"))

    def _simulated(self, scenario: Scenario) -> Result:
        if "simulator" not in scenario.stages:
            return _left_out(scenario, "simulator")
        began = time.monotonic()
        try:
            return replace(self._judged(scenario, "simulator", self.simulate(scenario)), took=time.monotonic() - began)
        except Exception as fault:  # noqa: BLE001 - as in `_played`: a fault of ours must not cost the other results
            return Result(scenario, "simulator", None, trouble=self._fault(scenario, "simulator", fault))

    # ── the PBX ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def play_all(self, *lanes: Lane) -> None:
        """Play what waits for the PBX, at most `jobs` at once, each on a lane that has what it needs.

        Args:
            lanes: where, one at least; they are alike, so what a scenario needs is asked of the first.

        Raises:
            CannotRun: the PBX does not answer any more, or something else keeps every scenario from being played.
        """
        self._lanes = len(lanes)
        for one in self._waiting:
            one.needs = lanes[0].needs(one.scenario)
        self._waiting = _in_order(self._waiting)
        try:
            async with asyncio.TaskGroup() as turns:
                while self._waiting or self._running:
                    turn = self._next()
                    if turn is None:
                        self._room.clear()
                        await self._room.wait()
                        continue
                    self._waiting.remove(turn)
                    self._running.append(turn)
                    turns.create_task(self._turn(turn, lanes[turn.lane].play))
                    await asyncio.sleep(self.stagger)
        except* CannotRun as several:
            raise several.exceptions[0] from None  # the first says it; the others say the same

    def _next(self) -> _Turn | None:
        """The first that waits and finds things as it needs them somewhere; None when there is no room, or no such scenario.

        Of several lanes that one is taken where others share what it needs, else the one with the fewest calls.
        """
        room = self.jobs - len(self._running)
        room_again = max(1, self.jobs // CALMER) - len(self._running)
        calls = Counter(turn.lane for turn in self._running)
        states: list[dict[str, Hashable]] = [{} for _ in range(self._lanes)]
        for turn in self._running:
            states[turn.lane].update(turn.needs)
        # Those who share what they need wait for all of it until the others are through, unless a lane is kept for them.
        sharing = (one for one in self._waiting if one.needs and not one.is_unusual and not one.tries)
        kept = 0 if self._lanes > 1 and any(sharing) else None
        for turn in self._waiting:
            if (room_again if turn.tries else room) <= 0:
                continue
            lanes = [
                (sum(name not in there for name in turn.needs), calls[lane], lane)
                for lane, there in enumerate(states)
                if all(there.get(name, one) == one for name, one in turn.needs.items())
                and not (turn.is_unusual and lane == kept)
            ]
            if lanes:
                *_, turn.lane = min(lanes)
                return turn
        return None

    async def _turn(self, turn: _Turn, play: Play) -> None:
        turn.began = time.monotonic()
        turn.tries += 1
        self.listener.began(turn.scenario)
        try:
            result = await self._played(turn.scenario, play)
        finally:
            self._running.remove(turn)
            self._room.set()
        turn.took += time.monotonic() - turn.began
        stood_still = _stood_still(result)
        if result.word == "failed" and stood_still and turn.tries < MOST_TRIES:
            self.listener.again(turn.scenario, turn.tries, stood_still)
            self._waiting.append(turn)  # behind all others: by then there is less to do for this machine
        else:
            self._finish("pbx", turn.place, replace(result, tries=turn.tries, took=turn.took))

    async def _played(self, scenario: Scenario, play: Play) -> Result:
        bound = scenario.within + AFTERWARDS_S
        trouble = ""
        try:
            async with asyncio.timeout(bound) as limit:
                observation = await play(scenario)
            self._unanswered = 0
            return self._judged(scenario, "pbx", observation)
        except SettingsError as problem:
            raise CannotRun(str(problem)) from problem
        except Unreachable as problem:
            self._unanswered += 1
            if self._unanswered >= GIVEN_UP_AFTER:
                raise CannotRun(f"the PBX has gone: {problem}, {self._unanswered} times in a row") from problem
            trouble = str(problem)
        except PhoneError as problem:
            trouble = str(problem)
        except Exception as fault:  # noqa: BLE001 - a fault of ours must not cost the other results: it is this scenario's trouble, and shown in full
            if isinstance(fault, TimeoutError) and limit.expired():
                trouble = f"it did not end within {bound:.0f} s and was ended by force"
            else:
                trouble = self._fault(scenario, "pbx", fault)
        return Result(scenario, "pbx", None, trouble=trouble)

    # ── both ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _judged(self, scenario: Scenario, stage: Stage, observation: Observation) -> Result:
        findings, clocks = self.judge(scenario, observation)
        if self.strict:
            findings = tuple(replace(finding, fails=True) for finding in findings)
        return Result(scenario, stage, observation, findings, clocks)

    def _finish(self, stage: Stage, place: tuple[int, int], result: Result) -> None:
        self._results[self.stages.index(stage), *place] = result
        self.listener.finished(result)

    def _fault(self, scenario: Scenario, stage: Stage, fault: Exception) -> str:
        told = "".join(traceback.format_exception(fault))
        self.faults.append(f"{scenario.file} on the {stage}:\n{told}")
        last = traceback.extract_tb(fault.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        return f"this is a fault in ivrflow, not in the scenario: {type(fault).__name__} at {place}"


def _in_order(turns: Sequence[_Turn]) -> list[_Turn]:
    """The longest first, so that the run ends soonest; before them those that need something as hardly anybody else does.

    Else these would wait for the others one by one, and the others for them.
    """
    wanted = Counter((name, state) for turn in turns for name, state in turn.needs.items())
    usual: dict[str, Hashable] = {}
    for (name, state), _ in wanted.most_common():
        usual.setdefault(name, state)
    for turn in turns:
        turn.is_unusual = any(usual[name] != state for name, state in turn.needs.items())
    return sorted(turns, key=lambda turn: (not turn.is_unusual, -turn.predicted))


def _left_out(scenario: Scenario, stage: Stage) -> Result:
    only = ", ".join(scenario.stages)
    return Result(scenario, stage, None, trouble=f"only on the {only}: {scenario.why_not}".rstrip(": "), skipped=True)


def _stood_still(result: Result) -> float:
    """The longest time in seconds for which the machine stood still during this play.

    0 when it did not, and when what failed has nothing to do with time: without an engine, or without a journal to look
    into, another try fails as well.
    """
    if result.observation is None or any(finding.kind == "trouble" for finding in result.findings):
        return 0.0
    return max((seconds for _, seconds in result.observation.stalls), default=0.0)
