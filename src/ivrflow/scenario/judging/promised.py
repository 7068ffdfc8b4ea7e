"""Whether a call promised what its scenario says, and by when."""

from __future__ import annotations

from collections.abc import Iterator

from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.scenario.observation import EngineSide, Finding
from ivrflow.scenario.script import Expectations, PromisedTime

TOLERANCE_S = 1.0
"""Seconds a due time may be off; it is counted from the moment of the promise, so it is off by nothing but rounding."""

_HOUR_S = 3600.0


def promised(expect: Expectations, engine: EngineSide) -> Iterator[Finding]:
    """What was promised otherwise than expected, or not at all."""
    for rule, wanted in expect.promises.items():
        made = [
            line for line in engine.trace if line.rule == rule and line.fact in {Fact.PROMISE_MADE, Fact.PROMISE_JOINED}
        ]
        if any(_is_as(line, wanted.time) for line in made) or (not made and wanted.time.is_never):
            continue
        expected = f"{rule} promises nothing" if wanted.time.is_never else f"{rule} promises an answer in {wanted.time}"
        observed = f"it promised {made[-1].detail}" if made else "it promised nothing"
        at = made[-1].at - engine.answered_at if made else None
        yield Finding("promise", wanted.where, expected, observed, at)


def _is_as(line: TraceLine, time: PromisedTime) -> bool:
    if time.hours is not None:
        return line.seconds is not None and abs(line.seconds - time.hours * _HOUR_S) <= TOLERANCE_S
    return time.working_days is not None and line.detail.endswith(f"({time})")
