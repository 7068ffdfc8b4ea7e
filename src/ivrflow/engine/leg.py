"""The agent of a call: sought in a queue or rung, then on the line, joined with the caller or apart. Pure values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ivrflow.engine.messages import QueueMoved, Ticket
from ivrflow.flow.model import Ladder, Queue, QueueLevel, Rung, Transfer
from ivrflow.flow.problems import Location

Leads: TypeAlias = Transfer | Queue
"""The steps that lead to an agent."""


ONLY_MUSIC = "hold"
"""Name of the hold of an agent's telephone that no situation of the flow is for."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One agent of the call.

    Attributes:
        ticket: of the action that seeks, or sought, the agent.
        step: the step that asked for one.
        since: session time at which the caller began to wait for one.
        level: position of the queue's level that is asked now.
        stays: whether no further level is asked: nobody was there at the next one.
        agent: who answered, as the PBX names them; empty while nobody did, or when it did not say.
        has_answered: whether somebody did.
        ends: session time at which the talk is long enough; 0 before it began.
        is_joined: whether caller and agent hear each other.
        is_apart: whether both are on the line and neither hears the other: what is said, both hear.
        has_talked: whether they were ever joined.
        holds: whether the agent's own telephone keeps the caller on hold.
        has_waited: whether the caller has begun to wait on that hold.
        has_told: whether the caller was told so, as the flow has it.
        giver: the agent who hands the caller over and waits until this one is there; None when nobody does.
        reason: the situation that led to handing over; empty when the agent ordered it.
        is_handed_over: whether an agent hands the caller over, or did: the giver may be gone by now.
    """

    ticket: Ticket
    step: Leads
    since: float
    level: int = 0
    stays: bool = False
    agent: str = ""
    has_answered: bool = False
    ends: float = 0.0
    is_joined: bool = False
    is_apart: bool = False
    has_talked: bool = False
    holds: bool = False
    has_waited: bool = False
    has_told: bool = False
    giver: Leg | None = None
    is_handed_over: bool = False
    reason: str = ""

    @property
    def is_queued(self) -> bool:
        """Whether the caller still waits in a queue."""
        return isinstance(self.step, Queue) and not self.has_answered

    def talk_left(self, now: float) -> float:
        """Seconds the talk may still last; whole microseconds, so that what is left of one is nothing."""
        return max(0.0, round(self.ends - now, 6))

    def next_level(self) -> QueueLevel | None:
        """The level that is asked after the present one; None when there is none, or nobody queues."""
        if self.stays or not isinstance(self.step, Queue) or self.level + 1 >= len(self.step.levels):
            return None
        return self.step.levels[self.level + 1]

    def due(self) -> float | None:
        """Session time at which waiting in the queue changes: the next level is asked, or the caller waited long enough."""
        if not isinstance(self.step, Queue) or self.has_answered:
            return None
        following = self.next_level()
        end = self.since + self.step.most
        return end if following is None else min(end, self.since + following.after)


def gone_to(step: Leads, why: str) -> str:
    """The step that follows when nobody is there, for that reason."""
    if isinstance(step, Queue):
        return {"nobody": step.nobody, "full": step.full}.get(why, step.no_answer)
    return {"busy": step.busy, "unreachable": step.unreachable}.get(why, step.no_answer)


def hearer(leg: Leg | None, *, is_on_hold: bool, whispers: bool) -> Literal["caller", "both", "agent"]:
    """Who hears what is said now.

    Args:
        leg: the agent sought or on the line; None for nobody.
        is_on_hold: whether the caller is kept waiting by a task: the agent is at it, and hears nothing.
        whispers: whether it is for a colleague who is told who is coming.
    """
    if whispers:
        return "agent"
    return "both" if leg and leg.has_answered and not leg.holds and not is_on_hold else "caller"


_WAITING_VALUES = frozenset({"queue_position", "queue_minutes"})


def waiting_values(moved: QueueMoved) -> dict[str, str]:
    """What phrases may say of the caller's place in the queue: the position, and whole minutes, one at least."""
    values = {"queue_position": str(moved.position)} if moved.position > 0 else {}
    if moved.expected_s > 0:
        values["queue_minutes"] = str(max(1, math.ceil(moved.expected_s / 60)))
    return values


def without_place(values: Mapping[str, str]) -> dict[str, str]:
    """The values but for those of a place in a queue, which nobody knows, or knows no longer."""
    return {name: value for name, value in values.items() if name not in _WAITING_VALUES}


def only_music(name: str, where: Location, seconds: float) -> Ladder:
    """The hold of an agent's telephone where nothing is left to say, or nothing ever was: music, bounded by `seconds`."""
    return Ladder(name, (Rung(where, task="hold", wait=seconds),), "continue", where)
