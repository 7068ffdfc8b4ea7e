"""What a load showed, in figures. Pure: worked out of what callers, journal and machine told.

All times are seconds, shares are 0 to 1, processor time is percent of one core.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ivrflow.engine.trace import Fact, Judgement, TraceLine, Verdict, WaitSeen
from ivrflow.runtime.journal_reader import StoredEnding
from ivrflow.scenario.load.load_records import CallerSide, MachineSample, ProcessSample
from ivrflow.scenario.observation import Result
from ivrflow.scenario.script import Scenario

LATE_S = 0.02
"""A wait that is longer than its rule allows by more than this is counted as late."""

VERY_LATE_S = 0.1
"""And by more than this as one that a caller could notice."""

_SAME_MOMENT_S = 1e-5
"""Less than any two moments of a trace are apart; more than what rounding a wait takes away."""


# ── waits ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class WaitOff:
    """One documented wait: `at` in seconds since the load began, by how many seconds it missed what the rule allows."""

    at: float
    rule: str
    rung: int
    off: float


def waits_of(endings: Iterable[StoredEnding], began_at: float) -> list[WaitOff]:
    """Every documented wait of these calls, in order of time."""
    waits = (
        WaitOff(ending.arrived_at - began_at + _begun(ending.trace, verdict, wait), verdict.rule, wait.rung, _off(wait))
        for ending in endings
        for verdict in ending.verdicts
        for wait in verdict.waits
    )
    return sorted(waits, key=lambda wait: wait.at)


def _off(wait: WaitSeen) -> float:
    return wait.observed - min(max(wait.observed, wait.least), wait.most)


def _begun(trace: Sequence[TraceLine], verdict: Verdict, wait: WaitSeen) -> float:
    """The second of the call at which that wait began: the line of its rung from which it took so long to a later one."""
    for index in verdict.evidence:
        line = trace[index]
        if line.fact in {Fact.WAIT_BEGUN, Fact.TASK_ASKED} and line.rung == wait.rung:
            ends = line.at + wait.observed
            if any(abs(later.at - ends) < _SAME_MOMENT_S for later in trace[index + 1 :]):
                return line.at
    return 0.0


# ── figures ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Spread:
    """How values are spread: `p95` is the value that 95 % of them do not exceed, one of them."""

    count: int
    least: float
    p50: float
    p95: float
    p99: float
    most: float


def spread(values: Iterable[float]) -> Spread | None:
    """How they are spread; None when there are none."""
    ordered = sorted(values)
    if not ordered:
        return None

    def at(share: float) -> float:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

    return Spread(len(ordered), ordered[0], at(0.5), at(0.95), at(0.99), ordered[-1])


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """One process during the load: percent of one core, bytes resident."""

    cpu_mean: float
    cpu_peak: float
    memory_start: int
    memory_peak: int
    memory_end: int


def process_figures(
    samples: Sequence[MachineSample], which: Callable[[MachineSample], ProcessSample | None]
) -> ProcessFigures | None:
    """What one process used; None when it was not seen."""
    seen = [process for sample in samples if (process := which(sample)) is not None]
    if not seen:
        return None
    return ProcessFigures(
        sum(process.cpu for process in seen) / len(seen),
        max(process.cpu for process in seen),
        seen[0].memory,
        max(process.memory for process in seen),
        seen[-1].memory,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFigures:
    """Everything a load showed.

    Attributes:
        scenario, file, flow, number: what was played.
        side: what the caller told, but for what the spreads below hold.
        setup: seconds from INVITE to answer.
        first_sound: seconds from the answer to the first packet.
        gap: the longest time between two packets of one call that should have come 20 ms apart.
        jitter: the highest of each call (RFC 3550).
        packets_lost: packets that never came, of all calls.
        waits: by how many seconds each documented wait missed what its rule allows, by the journal.
        off: the same without its sign.
        late, very_late: how many were longer than allowed by more than 20 ms, 100 ms.
        wire: the same as `waits`, heard by the calls that were listened to.
        journaled: how many calls the journal has from that time; None when there is no journal.
        unfinished: how many of them have no ending.
        kept, broken: how many calls kept, broke which rule.
        broken_calls: ids of calls that broke a rule.
        allowed: rules the scenario expects to be broken.
        engine, pbx, caller: what the processes used; None for one that was not seen.
        pacer_late: seconds by which our own audio was late at worst, in each second of the load.
        others_mean, others_peak: percent of the machine that other processes used.
        stolen_mean, stolen_peak: percent of it that other machines on the same computer took.
    """

    scenario: str
    file: str
    flow: str
    number: str
    side: CallerSide
    setup: Spread | None
    first_sound: Spread | None
    gap: Spread | None
    jitter: Spread | None
    packets_lost: int
    waits: Spread | None
    off: Spread | None
    late: int
    very_late: int
    wire: Spread | None
    journaled: int | None
    unfinished: int
    kept: Mapping[str, int]
    broken: Mapping[str, int]
    broken_calls: tuple[str, ...]
    allowed: frozenset[str]
    engine: ProcessFigures | None
    pbx: ProcessFigures | None
    caller: ProcessFigures | None
    pacer_late: Spread | None
    others_mean: float
    others_peak: float
    stolen_mean: float
    stolen_peak: float
    tolerance: float
    wait_offs: tuple[WaitOff, ...] = field(repr=False, default=())
    samples: tuple[MachineSample, ...] = field(repr=False, default=())


def figures(
    scenario: Scenario,
    side: CallerSide,
    endings: Sequence[StoredEnding] | None,
    samples: Sequence[MachineSample],
) -> LoadFigures:
    """Put together what everybody told.

    Args:
        scenario: what was played.
        side: what the caller tells.
        endings: the calls in the journal from that time; None when there is no journal.
        samples: what the machine showed.
    """
    waits = waits_of(endings or (), side.began_at)
    judged = [(ending, verdict) for ending in endings or () for verdict in ending.verdicts]
    broken = [(ending.call, verdict.rule) for ending, verdict in judged if verdict.judgement is Judgement.BROKEN]
    expected = scenario.expect.verdicts.items()
    allowed = frozenset(rule for rule, verdict in expected if verdict.judgement is Judgement.BROKEN)
    return LoadFigures(
        scenario=scenario.title,
        file=scenario.file,
        flow=scenario.flow.id,
        number=scenario.number,
        side=side,
        setup=spread(side.setups),
        first_sound=spread(packets.first_after for packets in side.packets),
        gap=spread(packets.longest_gap for packets in side.packets),
        jitter=spread(packets.jitter for packets in side.packets),
        packets_lost=sum(packets.lost for packets in side.packets),
        waits=spread(wait.off for wait in waits),
        off=spread(abs(wait.off) for wait in waits),
        late=sum(wait.off > LATE_S for wait in waits),
        very_late=sum(wait.off > VERY_LATE_S for wait in waits),
        wire=spread(_wire_offs(side.listened)),
        journaled=None if endings is None else len(endings),
        unfinished=sum(ending.outcome is None for ending in endings or ()),
        kept=Counter(verdict.rule for _, verdict in judged if verdict.judgement is Judgement.KEPT),
        broken=Counter(rule for _, rule in broken),
        broken_calls=tuple(dict.fromkeys(call for call, rule in broken if rule not in allowed)),
        allowed=allowed,
        engine=process_figures(samples, lambda sample: sample.engine),
        pbx=process_figures(samples, lambda sample: sample.pbx),
        caller=process_figures(samples, lambda sample: sample.caller),
        pacer_late=spread(sample.pacer_late for sample in samples) if side.kind == "own" else None,
        others_mean=sum(sample.others for sample in samples) / max(1, len(samples)),
        others_peak=max((sample.others for sample in samples), default=0.0),
        stolen_mean=sum(sample.stolen for sample in samples) / max(1, len(samples)),
        stolen_peak=max((sample.stolen for sample in samples), default=0.0),
        tolerance=scenario.flow.limits.tolerance,
        wait_offs=tuple(waits),
        samples=tuple(samples),
    )


def _wire_offs(listened: Iterable[Result]) -> Iterator[float]:
    for result in listened:
        for pair in result.clocks:
            if pair.wire is not None:
                yield pair.wire - min(max(pair.wire, pair.least), pair.most)
