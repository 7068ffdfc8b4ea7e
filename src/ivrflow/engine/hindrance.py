"""What keeps a call from being placed, asked before anybody is rung: the engine asks it for every call, and so may others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ivrflow.flow.keys.outgoing import may_ring, quiet_until
from ivrflow.flow.model import CallFlow

QUIET_HOURS = "quiet_hours"
"""Outcome of a call that was not placed because of the hour."""

NOT_ALLOWED = "not_allowed"
"""Outcome of a call that was not placed because the flow may not ring that number, or nobody at all."""


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why a call is not placed.

    Attributes:
        outcome: the call's outcome, `QUIET_HOURS` or `NOT_ALLOWED`.
        why: the reason in words, without the number.
        again_at: when it may be placed, by the flow's clock; None when never.
    """

    outcome: str
    why: str
    again_at: datetime | None = None

    def __str__(self) -> str:
        return self.why


def hindrance(flow: CallFlow, number: str, at: float) -> Hindrance | None:
    """What keeps `flow` from ringing `number` at Unix time `at`; None when nothing does."""
    placing = flow.places_calls
    if placing is None:
        return Hindrance(NOT_ALLOWED, f"the flow {flow.id} places no calls")
    if not may_ring(placing, number):
        return Hindrance(NOT_ALLOWED, f"the flow {flow.id} may not ring this number")
    again_at = quiet_until(placing, datetime.fromtimestamp(at, flow.timezone))
    if again_at is not None:
        return Hindrance(QUIET_HOURS, f"quiet hours until {again_at:%Y-%m-%d %H:%M}", again_at)
    return None
