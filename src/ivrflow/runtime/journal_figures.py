"""What a call that is over counts for in a report, read from its trace and from what its agents did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.runtime.journal_legs import AgentsSeen, add_holds


def figures_of(trace: Sequence[TraceLine]) -> dict[str, Any]:
    """The columns of `call_figures` that the trace tells; all times in seconds."""
    sought = [line.at for line in trace if line.fact in {Fact.RINGING, Fact.QUEUED}]
    joined = [line.at for line in trace if line.fact is Fact.AGENT_ANSWERED]
    return {
        "direction": "out" if trace and trace[0].fact is Fact.ORDERED else "in",
        "lasted": trace[-1].at if trace else 0.0,
        "answered_after": next((line.at for line in trace if line.fact is Fact.ANSWERED), None),
        "agents_rung": len(sought),
        "agents_answered": len(joined),
        "agent_after": round(joined[0] - sought[0], 6) if sought and joined else None,
    }


def leg_rows(call: str, seen: AgentsSeen, trace: Sequence[TraceLine]) -> list[dict[str, Any]]:
    """The rows of `agent_legs` of a call that is over."""
    began = seen.began or 0.0
    add_holds(seen.legs, began, trace)
    return [
        {
            "call": call,
            "number": number,
            "queue": leg.queue,
            "extension": leg.extension,
            "agent": leg.agent,
            "sought_after": round(leg.since - began, 6),
            "waited": round(leg.waited, 6),
            "ending": leg.ending,
            "rang": None if leg.rang is None else round(leg.rang, 6),
            "talked": round(leg.talked, 6),
            "held": round(leg.held, 6),
            "transfers": leg.transfers,
            "ended_by": leg.ended_by,
        }
        for number, leg in enumerate(seen.legs, 1)
    ]
