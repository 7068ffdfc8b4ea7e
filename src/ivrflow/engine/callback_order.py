"""What a caller who wants to be called back is noted as. Pure: it only answers questions."""

from __future__ import annotations

from collections.abc import Mapping

from ivrflow.engine.messages import OrderCallback
from ivrflow.flow.model import CallBack


def number_to_ring(step: CallBack, digits: Mapping[str, str], caller: str) -> str:
    """The number to call back: the one the caller keyed for it, else the one that called; empty when it is not known."""
    return digits.get(step.number, "") if step.number else caller


def callback_order(step: CallBack, to: str, *, number: int, made_at: float, values: Mapping[str, str]) -> OrderCallback:
    """The order.

    Args:
        step: says which flow calls, within how many hours, and how often it tries.
        to: whom to ring, see `number_to_ring`.
        number: which of this call's callbacks it is, from 1.
        made_at: Unix time of the order.
        values: what is known for placeholders.
    """
    return OrderCallback(
        number=number,
        caller=to,
        flow=step.flow,
        made_at=made_at,
        due_at=made_at + step.within_h * 3600,
        tries=step.tries,
        retry_after=step.retry_after,
        values=dict(values),
    )
