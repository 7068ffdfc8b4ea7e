"""A recorded call through the engine again: the same events at the same seconds must bring the same actions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession
from ivrflow.flow.model import CallFlow


class Recorded(Protocol):
    """One event as the engine was given it, and what it answered; `at` is session time in seconds."""

    @property
    def at(self) -> float:
        """Session time in seconds, to the last bit."""

    @property
    def event(self) -> m.CallEvent:
        """What happened."""

    @property
    def actions(self) -> Sequence[m.Action]:
        """What the engine answered."""


@dataclass(frozen=True, slots=True)
class Parting:
    """Where a replay first went another way.

    Attributes:
        number: the event's place in the call, from 1.
        at: seconds since the call arrived.
        event: what happened then.
        expected: the actions recorded.
        got: the actions this time.
        over_before: whether the call was over this time before the event came.
        waited_for: what the call waited for, when this wait would have been used up before the event came; then `at`
            is that second, nothing is expected, and `got` is what would have been done. Otherwise empty.
    """

    number: int
    at: float
    event: m.CallEvent
    expected: tuple[m.Action, ...]
    got: tuple[m.Action, ...]
    over_before: bool = False
    waited_for: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of it.

    Attributes:
        session: the session after the last event that was replayed.
        events: how many events were answered the same.
        actions: how many actions these answers had.
        parting: where it went another way; None when it never did.
    """

    session: CallSession
    events: int
    actions: int
    parting: Parting | None


def replay(flow: CallFlow, recorded: Iterable[Recorded], original: CallFlow | None = None) -> Replay:
    """Put recorded events through a new session of `flow`, up to the first answer that differs.

    After the first difference the recorded events answer questions that were never asked, so it ends there.

    Args:
        flow: what the call walks this time.
        recorded: the events and answers, in order.
        original: the flow the call walked when it was recorded, if that was another one: a wait that is shorter now
            is used up before the recorded event comes, which nothing in the record can tell.
    """
    session = CallSession(flow)
    before = CallSession(original) if original else None
    events = actions = 0
    began: float | None = None
    for number, line in enumerate(recorded, start=1):
        began = line.at if began is None else began
        parting = _used_up_before(session, before, line, began, number)
        if parting is None:
            over_before = session.is_over
            got = tuple(session.handle(line.event, line.at))
            if got == tuple(line.actions):
                events += 1
                actions += len(got)
                if before:
                    before.handle(line.event, line.at)
                continue
            parting = Parting(number, line.at - began, line.event, tuple(line.actions), got, over_before)
        return Replay(session, events, actions, parting)
    return Replay(session, events, actions, None)


def _used_up_before(
    session: CallSession, before: CallSession | None, line: Recorded, began: float, number: int
) -> Parting | None:
    """The parting at a deadline that the original flow had later or not at all; a late timer alone is no difference."""
    due = session.deadline
    if before is None or due is None or due >= line.at:
        return None
    if before.deadline is not None and before.deadline <= due + _SAME_MOMENT_S:
        return None
    waited_for = session.waiting_for
    got = tuple(session.handle(m.DeadlineReached(), due))
    return Parting(number, due - began, line.event, (), got, waited_for=waited_for)


_SAME_MOMENT_S = 1e-6
