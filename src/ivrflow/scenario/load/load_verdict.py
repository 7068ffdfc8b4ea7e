"""The verdict on a load, and what should be known when reading its figures. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ivrflow.flow.reading.times import written
from ivrflow.scenario.load.load_figures import LATE_S, LoadFigures

_CALLER_LATE_S = 0.04
"""Seconds of lateness of our own audio from which the caller is a suspect: two packets."""

_CALLER_BUSY = 85.0
"""Percent of a core from which a caller that runs on one is a suspect."""

_STOLEN = 5.0
"""Percent of the machine from which it is worth a word that others took it away."""

_OTHERS = 25.0
"""The same for other processes on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadLimits:
    """What a load may show and still pass.

    Attributes:
        failed: share of the calls that may fail.
        broken: how many calls may break a rule.
        wait_p99: seconds by which 99 % of the documented waits may be off; None: the flow's tolerance.
        late: share of the documented waits that may be longer than allowed by more than 20 ms.
    """

    failed: float = 0.0
    broken: int = 0
    wait_p99: float | None = None
    late: float = 0.01


def shortcomings_of(shown: LoadFigures, limits: LoadLimits) -> tuple[str, ...]:
    """Why the load has not passed, a sentence each; empty when it has."""
    return tuple(_shortcomings(shown, limits))


def _shortcomings(shown: LoadFigures, limits: LoadLimits) -> Iterator[str]:
    side = shown.side
    over = side.well + side.failed
    if side.failed > limits.failed * over:
        yield f"{side.failed} of {_calls(over)} failed"
    if len(shown.broken_calls) > limits.broken:
        rules = ", ".join(sorted(shown.broken.keys() - shown.allowed))
        yield f"{_calls(len(shown.broken_calls))} broke a rule: {rules}"
    wait_p99 = shown.tolerance if limits.wait_p99 is None else limits.wait_p99
    if shown.off is not None and shown.off.p99 > wait_p99:
        yield f"1 % of the waits were off by {shown.off.p99 * 1000:.0f} ms or more; {written(wait_p99)} is allowed"
    if shown.waits is not None and shown.late > limits.late * shown.waits.count:
        yield (
            f"{shown.late} of {shown.waits.count} waits ({shown.late / shown.waits.count:.1%}) were late by more than "
            f"{LATE_S * 1000:.0f} ms; {limits.late:.1%} is allowed"
        )
    if shown.journaled is not None and shown.journaled < side.answered:
        yield f"the journal has {shown.journaled} of {_calls(side.answered)} that were answered"
    if shown.unfinished:
        yield f"{_calls(shown.unfinished)} without an ending in the journal"


def remarks_on(shown: LoadFigures) -> tuple[str, ...]:
    """What should be known when reading the figures, a sentence each."""
    return tuple(_remarks(shown))


def _remarks(shown: LoadFigures) -> Iterator[str]:
    side = shown.side
    if side.cut:
        yield f"stopped early: {_calls(side.cut)} hung up, {side.planned - side.placed} never placed"
    if shown.journaled is None:
        yield "no journal: rules and the engine's waits are not known"
    elif shown.journaled > side.answered + side.cut:
        further = _calls(shown.journaled - side.answered - side.cut)
        yield f"{further} of that time more than ours in the journal; what they tell is counted, too"
    if not side.listened:
        yield "no call was listened to: what callers heard is not known"
    if shown.engine is None:
        yield "the engine is not on this machine, or not ours to look at: no figures of it"
    if shown.pbx is None:
        yield "the PBX is not on this machine, or not ours to look at: no figures of it"
    if shown.pacer_late is not None and shown.pacer_late.p95 > _CALLER_LATE_S:
        yield (
            f"our own audio was late by up to {shown.pacer_late.most * 1000:.0f} ms: this machine could not keep up with "
            "so many calls of our own, and what is told of the wire is partly the caller's doing"
        )
    elif shown.caller is not None and shown.caller.cpu_peak > _CALLER_BUSY:
        yield f"the caller used up to {shown.caller.cpu_peak:.0f} % of a core: more calls need another caller"
    if shown.stolen_mean > _STOLEN:
        yield f"other machines on this computer took {shown.stolen_mean:.0f} % of ours, at worst {shown.stolen_peak:.0f} %"
    if shown.others_mean > _OTHERS:
        yield f"other processes used {shown.others_mean:.0f} % of this machine, at worst {shown.others_peak:.0f} %"
    if side.rate_reached < 0.9 * side.rate and not side.cut and side.placed > 1:
        yield f"calls were placed at {side.rate_reached:.1f} a second instead of {side.rate:g}: {side.most} were there at once"


def _calls(count: int) -> str:
    return f"{count} call{'' if count == 1 else 's'}"
