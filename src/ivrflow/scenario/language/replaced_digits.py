"""Digits a caller keyed, made unrecognisable: what was entered is replaced, what chose a way stays.

Which is which the engine itself says: a digit that could have been another one without a single answer of the engine being
different said nothing but itself, an account number for example, and is replaced. A digit that led somewhere stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice, pairwise

from ivrflow.engine.digits import DIGITS
from ivrflow.engine.messages import KeyPressed
from ivrflow.flow.model import CallFlow, Climb, Menu, Say
from ivrflow.runtime.journal_reader import Happening
from ivrflow.simulator.replay import replay

_TRIES = 3
"""Other digits that are tried in the place of one before it counts as one that led somewhere."""


def without_entries(happenings: Sequence[Happening], flow: CallFlow) -> tuple[Happening, ...]:
    """The same call with every digit replaced that chose no way.

    Args:
        happenings: as the journal has them, unmasked.
        flow: what the call walked.
    """
    call = list(happenings)
    if replay(flow, call).parting is not None:
        return tuple(_by_offered_keys(call, flow))
    others = cycle("1234567890")
    for index, happening in enumerate(call):
        digit = _digit(happening)
        if not digit:
            continue
        for other in islice((other for other in others if other != digit), _TRIES):
            changed = [*call[:index], _with_key(happening, other), *call[index + 1 :]]
            if replay(flow, changed).parting is None:
                call = changed
                break
    return tuple(call)


def _digit(happening: Happening) -> str:
    event = happening.event
    return event.key if isinstance(event, KeyPressed) and event.key in DIGITS else ""


def _with_key(happening: Happening, key: str) -> Happening:
    return Happening(happening.number, happening.at, KeyPressed(key=key), happening.actions)


def _by_offered_keys(call: Sequence[Happening], flow: CallFlow) -> list[Happening]:
    """For a call that cannot be replayed exactly: a digit stays when some step offers it and it was pressed by itself."""
    offered: set[str] = set()
    for step in flow.steps.values():
        if isinstance(step, Menu | Climb | Say):
            offered |= step.listening.keys.keys()
    pressed = [happening for happening in call if _digit(happening)]
    entered: set[int] = set()
    for before, after in pairwise(pressed):
        if after.at - before.at < _ENTRY_GAP_S:
            entered |= {before.number, after.number}
    return [
        _with_key(happening, "0")
        if happening.number in entered or _digit(happening) not in {"", *offered}
        else happening
        for happening in call
    ]


_ENTRY_GAP_S = 2.0
"""Seconds between two digits that may still be one entry."""
