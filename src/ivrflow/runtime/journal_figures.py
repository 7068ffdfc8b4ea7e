"""What a call that is over counts for in a report, read from its trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ivrflow.engine.trace import Fact, TraceLine


def figures_of(trace: Sequence[TraceLine]) -> dict[str, Any]:
    """The columns of `call_figures` that the trace tells; all times in seconds."""
    rang = [line.at for line in trace if line.fact is Fact.RINGING]
    joined = [line.at for line in trace if line.fact is Fact.AGENT_ANSWERED]
    return {
        "direction": "out" if trace and trace[0].fact is Fact.ORDERED else "in",
        "lasted": trace[-1].at if trace else 0.0,
        "answered_after": next((line.at for line in trace if line.fact is Fact.ANSWERED), None),
        "agents_rung": len(rang),
        "agents_answered": len(joined),
        "agent_after": round(joined[0] - rang[0], 6) if rang and joined else None,
    }
