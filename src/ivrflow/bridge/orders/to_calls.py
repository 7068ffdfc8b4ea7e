"""Orders to a live call: what somebody tells the engine about it without a sound, such as which situation this is.

An order is a manager event of the name `UserEvent`, raised by the manager's action or the dialplan's application of that
name. Its fields, by their AMI names:

    UserEvent: Ivrflow
    Call:      the call's id: the Uniqueid of the caller's channel
    Order:     situation | cancel | signal | done | value | transfer
    Word:      the situation, the signal, the placeholder, or the transfer step; none for cancel and done
    Value:     the placeholder's value; personal

Only manager users with the class `user` in their `write`, and the dialplan, can send one. Nothing here has a socket.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias, get_args

from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.engine import messages as m
from ivrflow.flow.reading.reader import LONGEST_NAME

ORDER_EVENT = "Ivrflow"
"""The user event's own name."""

LONGEST_VALUE = 200
"""Characters of a placeholder's value."""

ToCall: TypeAlias = Literal["situation", "cancel", "signal", "done", "value", "transfer"]

_NAME = re.compile(r"[0-9_]*[a-z][a-z0-9_]*")
"""As flows and standards write names; one of digits alone is none, it may be somebody's number."""

_SITUATION = re.compile(rf"{_NAME.pattern}(?:\.[a-z0-9_]+)*")
"""A rule's name may be several with dots between: "closing.hangup_order"."""


class OrderRefused(Exception):
    """The event is no order that can be carried out. The text says why, and holds nothing personal."""


def order_fields(call: str, what: ToCall, word: str = "", value: str = "") -> dict[str, str]:
    """The fields of the manager action `UserEvent` that gives the order to the call of that id."""
    fields = {"UserEvent": ORDER_EVENT, "Call": call, "Order": what, "Word": word, "Value": value}
    return {name: text for name, text in fields.items() if text}


def is_order(event: AmiEvent) -> bool:
    """Whether it is meant for us; user events of others are none of our business."""
    return event.name == "UserEvent" and event.get("UserEvent") == ORDER_EVENT


def read_order(event: AmiEvent, task: m.Ticket = 0) -> m.CallEvent:
    """What the order means to its call.

    Args:
        event: the order, see `is_order`.
        task: the ticket of the task that call waits for; 0 when it waits for none.

    Raises:
        OrderRefused: it says nothing that can be understood.
    """
    match event.get("Order"):
        case "situation":
            return m.SituationStarted(name=_word(event, _SITUATION))
        case "cancel":
            return m.SituationCancelled()
        case "signal":
            return m.SignalGiven(word=_word(event))
        case "done" if task:
            return m.TaskDone(ticket=task)
        case "done":
            raise OrderRefused("no task is asked for on this call now")
        case "value":
            return m.ValuesLearned(values={_word(event): _value(event)})
        case "transfer":
            return m.TransferOrdered(step=_word(event))
        case unknown:
            raise OrderRefused(f"its Order is {masked(unknown)}; write {', '.join(get_args(ToCall))}")


def _word(event: AmiEvent, name: re.Pattern[str] = _NAME) -> str:
    word = event.get("Word")
    if not name.fullmatch(word) or len(word) > LONGEST_NAME:
        raise OrderRefused(f"its Word {masked(word)} is no name; write one as flows do: small letters, digits and _")
    return word


def _value(event: AmiEvent) -> str:
    value = event.get("Value")
    if not value or not value.isprintable() or len(value) > LONGEST_VALUE:
        raise OrderRefused(f"its Value is no text of 1 to {LONGEST_VALUE} printable characters")
    return value


def masked(text: str) -> str:
    """Text from outside for a log line: short, escaped, and without digits that may be somebody's number."""
    return ascii(re.sub(r"\d", "#", text[:40]))
