"""From when to when something went on, as the engine's trace tells it: what explains sounds no script names. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.flow.model import CallFlow, Transfer
from ivrflow.scenario.observation import EngineSide

_NEXT_S = 0.2
"""Seconds between the end of one span and the beginning of the next that goes on where it ended."""

OWN_MESSAGE = "the caller's message"
"""How the trace calls what a caller says into a message box."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which lines of a trace begin something, and which end it.

    Attributes:
        detail: what the beginning line says besides; empty for anything.
        lasts: seconds after which it is over whatever the trace says; None: not before it says so.
    """

    begins: AbstractSet[Fact]
    ends: AbstractSet[Fact]
    detail: str = ""
    lasts: float | None = None


RINGS = Span(
    frozenset({Fact.RINGING}),
    frozenset({Fact.AGENT_ANSWERED, Fact.AGENT_UNAVAILABLE, Fact.ENDED}),
)
"""An agent's phone rings for the caller."""

WAITS = Span(
    frozenset({Fact.QUEUED, Fact.AGENT_HOLDS, Fact.HOLD_BEGUN, Fact.ENQUIRED}),
    frozenset({Fact.JOINED, Fact.AGENT_ANSWERED, Fact.AGENT_UNAVAILABLE, Fact.AGENT_BACK, Fact.HOLD_OVER, Fact.ENQUIRY_OVER,
               Fact.AGENT_LEFT, Fact.ENDED}),
)  # fmt: skip
"""The caller waits for somebody, with music."""

PLAYED_BACK = Span(frozenset({Fact.PHRASE_STARTED}), frozenset({Fact.PHRASE_ENDED, Fact.ENDED}), OWN_MESSAGE)
"""The caller hears the message just recorded."""

TONE = Span(frozenset({Fact.WAIT_BEGUN}), frozenset({Fact.MESSAGE_RECORDED, Fact.ENDED}), OWN_MESSAGE, lasts=1.5)
"""A message begins, with a tone."""


def whispers(engine: EngineSide, flow: CallFlow) -> list[tuple[float, float | None]]:
    """From when to when a colleague was told who is coming, which the caller does not hear."""
    warm = [step.warm for step in flow.steps.values() if isinstance(step, Transfer) and step.warm]
    keys = {said for one in warm for key in one.whispers for said in flow.wordings_of(key)}
    found: list[tuple[float, float | None]] = []
    for line in engine.trace:
        at = line.at - engine.answered_at
        if line.fact is Fact.PHRASE_STARTED and line.phrase in keys:
            found.append((at, None))
        elif line.fact is Fact.PHRASE_ENDED and line.phrase in keys and found:
            found[-1] = (found[-1][0], at)
    return found


def joined_up(spans: Iterable[tuple[float, float | None]]) -> list[tuple[float, float | None]]:
    """Spans of which one begins as another ends, as one."""
    joined: list[tuple[float, float | None]] = []
    for begins, ends in sorted(spans, key=lambda span: span[0]):
        last = joined[-1][1] if joined else 0.0
        if joined and last is None:
            continue
        if joined and last is not None and begins <= last + _NEXT_S:
            joined[-1] = (joined[-1][0], None if ends is None else max(last, ends))
        else:
            joined.append((begins, ends))
    return joined


def spans_of(engine: EngineSide, span: Span) -> list[tuple[float, float | None]]:
    """Each from when to when, in seconds since the answer; None for what nothing ended."""
    found: list[tuple[float, float | None]] = []
    since: float | None = None
    for line in engine.trace:
        at = line.at - engine.answered_at
        if since is None and _begins(line, span):
            since = at
        elif since is not None and line.fact in span.ends:
            found.append((since, _end(since, at, span)))
            since = None
    return [*found, *([(since, _end(since, None, span))] if since is not None else [])]


def _begins(line: TraceLine, span: Span) -> bool:
    return line.fact in span.begins and (not span.detail or line.detail == span.detail)


def _end(since: float, at: float | None, span: Span) -> float | None:
    if span.lasts is None:
        return at
    return since + span.lasts if at is None else min(at, since + span.lasts)
