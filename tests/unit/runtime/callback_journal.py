"""A journal with callbacks in it, as the engine writes them, and somebody who can ring people without a telephone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from journalled_calls import silent_flow

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.flow.model import CallFlow, Ladder, PlacesCalls, Quiet, Rung
from ivrflow.flow.problems import Location
from ivrflow.runtime.journal import Journal

ORDERED_AT = 1_790_000_000.0
"""Unix time at which calls arrive and callbacks are ordered: 2026-09-21, 14:13 UTC."""

NUMBER = "13912345678"
PLACE = Location("callflows/callback.yaml", 7, 1)


def placing_flow(*quiet: Quiet, ring_for: float = 30.0, to: tuple[str, ...] = ("1*",)) -> CallFlow:
    """A flow, "back", that may ring mobile numbers."""
    ladder = Ladder("places_calls", (Rung(PLACE, wait=ring_for),), "hang_up", PLACE)
    return replace(silent_flow(flow_id="back"), places_calls=PlacesCalls(ladder, quiet, to, "welcome", PLACE))


def order(number: int = 1, **changes: object) -> m.OrderCallback:
    told: dict[str, object] = {
        "number": number,
        "caller": NUMBER,
        "flow": "back",
        "made_at": ORDERED_AT,
        "due_at": ORDERED_AT + 7200,
        "tries": 3,
        "retry_after": 900.0,
        "values": {"surname": "欧阳"},
        **changes,
    }
    return m.OrderCallback(**told)  # type: ignore[arg-type]  # the fields of a callback


def ordered(url: str, call: str, *orders: m.OrderCallback, noted_at: float = ORDERED_AT) -> None:
    """One call on which so many callbacks were ordered."""
    journal = Journal(url, now=lambda: noted_at)
    journal.open()
    record = journal.call_arrived(call, silent_flow(), noted_at)
    record.handled(10.0, m.CallArrived(number="12345", arrived_at=noted_at, caller=NUMBER), [m.Answer()])
    record.handled(40.0, m.KeyPressed(key="1"), list(orders))
    record.over("done", "caller", (TraceLine(0.0, Fact.ARRIVED), TraceLine(30.0, Fact.ENDED, detail="done")), ())
    journal.close()


@dataclass
class Telephone:
    """One telephone that rings."""

    call: str
    number: str
    values: Mapping[str, str]
    on_answered: Callable[[], None]
    on_over: Callable[[str], None]

    def answer(self) -> None:
        self.on_answered()
        self.on_over("caller_hung_up")


@dataclass
class Telephones:
    """Rings people; a test decides what they do."""

    is_ready: bool = True
    takes_calls: bool = True
    ringing: list[Telephone] = field(default_factory=list)
    on_ring: Callable[[], None] = lambda: None

    def call_back(
        self,
        call: str,
        flow: CallFlow,
        number: str,
        values: Mapping[str, str],
        on_answered: Callable[[], None],
        on_over: Callable[[str], None],
    ) -> bool:
        assert flow.id == "back"
        self.on_ring()
        if self.takes_calls:
            self.ringing.append(Telephone(call, number, values, on_answered, on_over))
        return self.takes_calls
