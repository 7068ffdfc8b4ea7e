"""Whether a situation may interrupt a call now, and what it interrupts. Pure: it only answers questions."""

from __future__ import annotations

from ivrflow.engine.leg import Leg
from ivrflow.engine.place import Interrupted, Place
from ivrflow.engine.standing import Interruptible, Standing
from ivrflow.flow.model import CallFlow


def interruption(
    flow: CallFlow, situation: str, place: Place, standing: Standing, leg: Leg | None, waiting_for: str
) -> Interrupted | str:
    """What a situation of this name interrupts; or why it cannot be started now, in words.

    Args:
        flow: the call's flow.
        situation: its name; somebody's text, if it is none of the flow's.
        place: where the call is.
        standing: what it waits for.
        leg: the agent sought or on the line.
        waiting_for: what it waits for, in words.
    """
    ladder = flow.situations.get(situation)
    if ladder is None or not ladder.rungs:
        return why_unknown(flow, situation)
    if place.interrupted:
        return f"not during {place.name}"
    if leg and not leg.has_answered:
        return "not while an agent is sought"
    if leg and leg.giver:
        return "not while the caller is handed over"
    if not isinstance(standing, Interruptible):
        return f"not while waiting for {waiting_for}"
    return Interrupted(place, standing, has_agent=leg is not None)


def why_unknown(flow: CallFlow, situation: str) -> str:
    """Why nothing of this name can be started, in words."""
    rule = flow.standard.rules.get(situation)
    return f"not on a phone line: {rule.not_on_phone}" if rule and rule.not_on_phone else "no such situation"
