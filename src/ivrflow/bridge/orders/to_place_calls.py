"""Orders to place a call, and what the engine answers to them: how both are written and read.

The order is a `UserEvent` like those in `to_calls`:

    UserEvent: Ivrflow
    Order:     call
    Ask:       whoever orders calls it so; the answers carry it, and a second order with the same is none
    Flow:      the flow's id
    Number:    whom to ring, digits; personal
    Values:    what is known for placeholders, a JSON object of texts; personal
    At:        the local time that counts, for testers (IVRFLOW_TEST_CALLS)

`Order: call_off` with the same `Ask` takes it back while the telephone rings. The answers:

    UserEvent: IvrflowAnswer
    Ask:       as above
    State:     dialling | answered | over | refused
    Call:      the call's id in the journal
    Seconds:   how long it rings at most (dialling), how long it rang (answered)
    Outcome:   the call's outcome (over)
    By:        who hung up first (over): caller, agent, ivrflow, or nobody: empty
    Why:       the reason in words (refused)
    Again:     local time of the flow from which it may be ordered again (refused for the hour)

Nothing here has a socket.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast, get_args

import msgspec

from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.bridge.orders.to_calls import LONGEST_VALUE, ORDER_EVENT, OrderRefused
from ivrflow.flow import notations
from ivrflow.flow.reading.reader import LONGEST_NAME

ANSWER_EVENT = "IvrflowAnswer"
"""The user event's own name when the engine answers."""

MOST_VALUES = 20
"""Placeholders that an order may fill."""

State: TypeAlias = Literal["dialling", "answered", "over", "refused"]

_ASK = re.compile(r"[0-9A-Za-z_.-]{8,64}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class CallWanted:
    """Somebody wants a person to be rung.

    Attributes:
        ask: the order's own name.
        flow: the flow's id.
        number: digits; personal.
        values: for placeholders; personal.
        at: local time that counts instead of now, for testers; "" for now.
    """

    ask: str
    flow: str
    number: str = field(repr=False)
    values: dict[str, str] = field(default_factory=dict, repr=False)
    at: str = ""


@dataclass(frozen=True, slots=True)
class CallOff:
    """The order of that name is taken back, while it rings."""

    ask: str


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of an ordered call so far. `seconds`: as in `Seconds` above; None where it says nothing."""

    ask: str
    state: State
    call: str = ""
    seconds: float | None = None
    outcome: str = ""
    by: str = ""
    why: str = ""
    again: str = ""


def wanted_fields(wanted: CallWanted) -> dict[str, str]:
    """The fields of the manager action `UserEvent` that orders the call."""
    fields = {
        "UserEvent": ORDER_EVENT,
        "Order": "call",
        "Ask": wanted.ask,
        "Flow": wanted.flow,
        "Number": wanted.number,
        "Values": msgspec.json.encode(wanted.values).decode() if wanted.values else "",
        "At": wanted.at,
    }
    return {name: text for name, text in fields.items() if text}


def call_off_fields(ask: str) -> dict[str, str]:
    """The fields of the action that takes an order back."""
    return {"UserEvent": ORDER_EVENT, "Order": "call_off", "Ask": ask}


def is_call_order(event: AmiEvent) -> bool:
    """Whether an order (see `to_calls.is_order`) is about placing a call."""
    return event.get("Order") in {"call", "call_off"}


def read_call_order(event: AmiEvent) -> CallWanted | CallOff:
    """What was ordered.

    Raises:
        OrderRefused: it cannot be understood; the words hold nothing personal.
    """
    ask = event.get("Ask")
    if not _ASK.fullmatch(ask):
        raise OrderRefused("its Ask is no name of 8 to 64 letters, digits, dots and dashes")
    if event.get("Order") == "call_off":
        return CallOff(ask)
    flow, number = event.get("Flow"), event.get("Number")
    if not _NAME.fullmatch(flow) or len(flow) > LONGEST_NAME:
        raise OrderRefused("its Flow is no flow's name")
    if not notations.EXTENSION.fullmatch(number):
        raise OrderRefused("its Number is not 1 to 20 digits")
    return CallWanted(ask, flow, number, _values(event.get("Values")), event.get("At")[:40])


def _values(text: str) -> dict[str, str]:
    try:
        values = msgspec.json.decode(text or "{}", type=dict[str, str])
    except msgspec.DecodeError:
        raise OrderRefused("its Values are no JSON object of texts") from None
    if len(values) > MOST_VALUES or not all(
        _NAME.fullmatch(name) and value.isprintable() and 0 < len(value) <= LONGEST_VALUE
        for name, value in values.items()
    ):
        raise OrderRefused(f"its Values are not at most {MOST_VALUES} names with texts of {LONGEST_VALUE} characters")
    return values


def answer_fields(answer: Answer) -> dict[str, str]:
    """The fields of the manager action `UserEvent` with which the engine answers."""
    fields = {
        "UserEvent": ANSWER_EVENT,
        "Ask": answer.ask,
        "State": answer.state,
        "Call": answer.call,
        "Seconds": "" if answer.seconds is None else f"{answer.seconds:.3f}",
        "Outcome": answer.outcome,
        "By": answer.by,
        "Why": answer.why,
        "Again": answer.again,
    }
    return {name: text for name, text in fields.items() if text}


def read_answer(event: AmiEvent, ask: str) -> Answer | None:
    """The engine's answer to the order `ask`; None for any other event."""
    state = event.get("State")
    if event.get("UserEvent") != ANSWER_EVENT or event.get("Ask") != ask or state not in get_args(State):
        return None
    seconds = event.get("Seconds")
    return Answer(
        ask=ask,
        state=cast("State", state),
        call=event.get("Call"),
        seconds=float(seconds) if re.fullmatch(r"\d+\.\d+", seconds) else None,
        outcome=event.get("Outcome"),
        by=event.get("By"),
        why=event.get("Why"),
        again=event.get("Again"),
    )
