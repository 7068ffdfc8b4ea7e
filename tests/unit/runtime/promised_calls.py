"""A journal with promises in it, as the engine writes them."""

from collections.abc import Sequence

from journalled_calls import silent_flow

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact, TraceLine, Verdict
from ivrflow.flow.model import CallFlow
from ivrflow.runtime.journal import Journal

MADE_AT = 1_790_000_000.0
"""Unix time at which calls arrive and promises are made."""

HOUR = 3600.0


def note(number: int = 1, **changes: object) -> m.NotePromise:
    told: dict[str, object] = {
        "number": number,
        "rule": "gov12345/later",
        "about": "enquiry",
        "made_at": MADE_AT,
        "due_at": MADE_AT + 24 * HOUR,
        "counted": "24 h",
        **changes,
    }
    return m.NotePromise(**told)  # type: ignore[arg-type]  # the fields of a promise


def promised(
    journal: Journal,
    call: str,
    notes: Sequence[m.NotePromise],
    *,
    flow: CallFlow | None = None,
    arrived_at: float = MADE_AT,
    trace: Sequence[TraceLine] = (),
    verdicts: Sequence[Verdict] = (),
    is_over: bool = True,
) -> None:
    """One call, at whose second event so much is promised."""
    record = journal.call_arrived(call, flow or silent_flow(), arrived_at)
    record.handled(10.0, m.CallArrived(number="12345", arrived_at=arrived_at, caller="13912345678"), [m.Answer()])
    record.handled(40.0, m.SpeechStarted(), list(notes))
    if is_over:
        lines = trace or (TraceLine(0.0, Fact.ARRIVED), TraceLine(30.0, Fact.ENDED, detail="done"))
        record.over("done", "caller", lines, verdicts)
