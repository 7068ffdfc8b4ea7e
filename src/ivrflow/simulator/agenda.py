"""What goes on around the engine on a tried call: everything under way, with the second at which it ends."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ivrflow.engine import messages as m


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Something that goes on.

    Attributes:
        begun: the action that asked for it.
        since: second at which it began.
        ends_at: second at which it ends by itself; infinite when it does not.
        ending: the event it then ends with.
    """

    begun: m.Action
    since: float
    ends_at: float
    ending: m.CallEvent

    @property
    def ticket(self) -> m.Ticket:
        """What the engine knows it by; 0 for what has no ticket."""
        ticket = getattr(self.ending, "ticket", 0)
        return ticket if isinstance(ticket, int) else 0


@dataclass(slots=True)
class Agenda:
    """Everything under way, the older first."""

    under_way: list[UnderWay] = field(default_factory=list)

    @property
    def next_at(self) -> float:
        """Second at which something ends by itself; infinite when nothing does."""
        return min((one.ends_at for one in self.under_way), default=math.inf)

    def find(self, *kinds: type[m.Action]) -> UnderWay | None:
        """The first that an action of these kinds began."""
        return next((one for one in self.under_way if isinstance(one.begun, kinds)), None)

    def begin(self, action: m.Action, since: float, seconds: float, ending: m.CallEvent) -> None:
        """Let something end with `ending`, `seconds` after it began."""
        self.under_way.append(UnderWay(action, since, since + seconds, ending))

    def pop(self) -> m.CallEvent:
        """Take out what ends first, the older one when two end at once; its ending."""
        first = min(self.under_way, key=lambda one: one.ends_at)
        self.under_way.remove(first)
        return first.ending

    def forget(self, ticket: m.Ticket, ending: type[m.CallEvent] | None = None) -> None:
        """Whatever has this ticket, or would end so, ends no more."""
        self.under_way = [
            one
            for one in self.under_way
            if one.ticket != ticket or (ending is not None and not isinstance(one.ending, ending))
        ]

    def drop(self, *kinds: type[m.Action]) -> None:
        """Whatever an action of these kinds began ends no more."""
        self.under_way = [one for one in self.under_way if not isinstance(one.begun, kinds)]
