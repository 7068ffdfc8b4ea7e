"""The agents of one call, as its events and actions tell: who was sought, who answered, how long everybody waited.

It needs no flow, only what the journal stores anyway, so that earlier calls can be told the same way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact, TraceLine

Ending: TypeAlias = Literal[
    "answered", "abandoned", "next_level", "no_answer", "busy", "unreachable", "nobody", "full", "left", "unfinished"
]
"""How the wait for an agent ended. `abandoned`: the caller hung up; `next_level`: the wait goes on with the agents of the
next level; `left`: the flow went elsewhere, by a key or because something else happened; `unfinished`: the engine died."""


@dataclass(slots=True)
class AgentLeg:
    """Once that an agent was sought for the caller. All times in seconds.

    Attributes:
        queue: where; empty when one extension was rung.
        extension: which; empty for a queue.
        since: session time at which it began.
        waited: by the caller, until the answer or until the wait was over without one; levels before this one count.
        answered_at: session time of the answer; None when nobody answered.
        agent: who answered, as the PBX names them.
        rang: the telephone that was answered; None when none was.
        talked: caller and agent joined.
        held: the caller on hold meanwhile.
        transfers: how often this agent sent the caller on.
        ended_by: who ended the talk first: "caller", "agent", "ivrflow"; empty without a talk.
    """

    queue: str
    extension: str
    since: float
    waited: float = 0.0
    ending: Ending = "unfinished"
    answered_at: float | None = None
    agent: str = ""
    rang: float | None = None
    talked: float = 0.0
    held: float = 0.0
    transfers: int = 0
    ended_by: str = ""


@dataclass(slots=True)
class _Under:
    """A leg that goes on.

    Attributes:
        joined_since: session time since which caller and agent hear each other; None while they do not.
        has_talked: whether they ever did.
        sends_on: whether its agent ordered a transfer, and whether somebody was sought for that yet.
    """

    leg: AgentLeg
    joined_since: float | None = None
    has_talked: bool = False
    sends_on: Literal["", "ordered", "sought"] = ""


class AgentsSeen:
    """Watches one call. Lines may be missing and times may be anything: then legs are incomplete, never an error.

    Args:
        transfer_codes: what agents of this flow key to send the caller on.
    """

    __slots__ = ("_going_on", "_transfer_codes", "began", "legs")

    def __init__(self, transfer_codes: Collection[str] = ()) -> None:
        self._transfer_codes = transfer_codes
        self.legs: list[AgentLeg] = []
        self.began: float | None = None
        self._going_on: dict[m.Ticket, _Under] = {}

    def happened(self, at: float, event: m.CallEvent, actions: Sequence[m.Action]) -> None:
        """Take one event and what it led to; `at` is session time."""
        if self.began is None:
            self.began = at
        self._take(at, event)
        for action in actions:
            self._done(at, event, action, actions)

    def _take(self, at: float, event: m.CallEvent) -> None:
        match event:
            case m.AgentAnswered(ticket=ticket, agent=agent, rang=rang):
                under = self._going_on.get(ticket)
                if under and under.leg.answered_at is None:
                    waited = _span(under.leg.since, at)
                    under.leg.answered_at = at
                    under.leg.waited += waited
                    under.leg.ending, under.leg.agent = "answered", agent
                    # The PBX says how long a queue's agent rang; an extension rings for as long as the caller waits.
                    under.leg.rang = max(0.0, rang) if under.leg.queue or rang else waited
            case m.AgentUnavailable(ticket=ticket, why=why):
                self._unanswered(at, ticket, why)
            case m.AgentLeft(ticket=ticket):
                self._parted_for_ever(at, ticket, "agent")
            case m.AgentKeyed(ticket=ticket, code=code) if ticket in self._going_on and code in self._transfer_codes:
                self._going_on[ticket].sends_on = "ordered"
            case m.TransferOrdered():
                for under in self._going_on.values():
                    under.sends_on = "ordered" if under.joined_since is not None else under.sends_on
            case m.CallerHungUp():
                self._all_over(at, "abandoned", "caller")
            case m.LineLost():
                self._all_over(at, "left", "")
            case _:
                pass

    def _done(self, at: float, event: m.CallEvent, action: m.Action, together: Sequence[m.Action]) -> None:
        match action:
            case m.Ring(ticket=ticket, extension=extension):
                self._sought(ticket, AgentLeg("", extension, at))
            case m.JoinQueue(ticket=ticket, queue=queue, waited=waited):
                self._sought(ticket, AgentLeg(queue, "", at, waited=max(0.0, waited)))
            case m.StopRinging(ticket=ticket):
                self._unanswered(at, ticket, _why_stopped(event, action, together))
            case m.Bridge(ticket=ticket) if ticket in self._going_on:
                under = self._going_on[ticket]
                under.joined_since = at if under.joined_since is None else under.joined_since
                under.has_talked = True
                under.sends_on = ""
            case m.Part(ticket=ticket) if ticket in self._going_on:
                _talk_pauses(self._going_on[ticket], at)
            case m.DropAgent(ticket=ticket):
                self._parted_for_ever(at, ticket, "agent" if self._is_sent_on(ticket) else "ivrflow")
            case m.EndCall() | m.FallBack():
                self._all_over(at, "left", "ivrflow")
            case _:
                pass

    def _sought(self, ticket: m.Ticket, leg: AgentLeg) -> None:
        for under in self._going_on.values():
            if under.sends_on == "ordered":  # warm: the agent who sends the caller on is still there
                under.leg.transfers += 1
                under.sends_on = "sought"
        self.legs.append(leg)
        self._going_on[ticket] = _Under(leg)

    def _is_sent_on(self, ticket: m.Ticket) -> bool:
        under = self._going_on.get(ticket)
        if under and under.sends_on == "ordered":
            under.leg.transfers += 1  # blind: the agent is let go before anybody else is sought
        return bool(under and under.sends_on)

    def _unanswered(self, at: float, ticket: m.Ticket, why: Ending) -> None:
        under = self._going_on.get(ticket)
        if under is not None and under.leg.answered_at is None:
            del self._going_on[ticket]
            under.leg.waited += _span(under.leg.since, at)
            under.leg.ending = why

    def _parted_for_ever(self, at: float, ticket: m.Ticket, by: str) -> None:
        under = self._going_on.pop(ticket, None)
        if under is not None:
            _talk_pauses(under, at)
            under.leg.ended_by = by if under.has_talked else ""

    def _all_over(self, at: float, why: Ending, by: str) -> None:
        for ticket, under in list(self._going_on.items()):
            if under.leg.answered_at is None:
                self._unanswered(at, ticket, why)
            else:
                self._parted_for_ever(at, ticket, by)


def _talk_pauses(under: _Under, at: float) -> None:
    if under.joined_since is not None:
        under.leg.talked += _span(under.joined_since, at)
        under.joined_since = None


def _why_stopped(event: m.CallEvent, stopped: m.StopRinging, together: Sequence[m.Action]) -> Ending:
    """Why nobody is sought any more, from what happened and what follows."""
    following = together[list(together).index(stopped) + 1 :]
    if any(isinstance(one, m.JoinQueue) and one.waited > 0 for one in following):
        return "next_level"
    if isinstance(event, m.CallerHungUp):
        return "abandoned"
    return "no_answer" if isinstance(event, m.DeadlineReached) else "left"


def _span(begins: float, ends: float) -> float:
    return max(0.0, ends - begins)


def add_holds(legs: Sequence[AgentLeg], began: float, trace: Sequence[TraceLine]) -> None:
    """Add the holds that the trace tells to the legs on which they were; `began` is the call's first session time."""
    for begins, ends in holds_of(trace):
        on = [leg for leg in legs if leg.answered_at is not None and leg.answered_at <= began + begins + _ROUNDED]
        if on:
            on[-1].held += _span(begins, ends)


_ROUNDED = 1e-3
"""Seconds by which a trace's time, which is rounded, may lie before that of the same event."""


def holds_of(trace: Sequence[TraceLine]) -> Iterator[tuple[float, float]]:
    """Each time the caller was kept on hold: from when to when, in seconds since the call's beginning."""
    since: float | None = None
    for line in trace:
        if line.fact is Fact.HOLD_BEGUN and since is None:
            since = line.at
        elif line.fact in _ENDS_A_HOLD and since is not None:
            yield since, line.at
            since = None
    if since is not None:
        yield since, trace[-1].at


_ENDS_A_HOLD = {Fact.HOLD_OVER, Fact.CALLER_HUNG_UP, Fact.LINE_LOST, Fact.AGENT_LEFT, Fact.ENDED, Fact.HANDED_OVER}
