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
        expected: the actions recorded.
        got: the actions this time.
        over_before: whether the call was over this time before the event came.
    """

    number: int
    at: float
    event: m.CallEvent
    expected: tuple[m.Action, ...]
    got: tuple[m.Action, ...]
    over_before: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of it.

    Attributes:
        session: the session after the last event that was replayed.
        events: how many events were replayed.
        actions: how many actions came out the same.
        parting: where it went another way; None when it never did.
    """

    session: CallSession
    events: int
    actions: int
    parting: Parting | None


def replay(flow: CallFlow, recorded: Iterable[Recorded]) -> Replay:
    """Put recorded events through a new session of `flow`, up to the first answer that differs.

    After the first difference the recorded events answer questions that were never asked, so it ends there.
    """
    session = CallSession(flow)
    events = actions = 0
    began: float | None = None
    for line in recorded:
        began = line.at if began is None else began
        over_before = session.is_over
        got = tuple(session.handle(line.event, line.at))
        events += 1
        if got != tuple(line.actions):
            parting = Parting(events, line.at - began, line.event, tuple(line.actions), got, over_before)
            return Replay(session, events, actions, parting)
        actions += len(got)
    return Replay(session, events, actions, None)
