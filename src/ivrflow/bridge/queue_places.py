"""Where callers of ours stand in the queues of the PBX, and for how long yet.

Asterisk tells when somebody joins or leaves a queue, and at which place; of those who move up because of that it says
nothing, so they are counted here. Others may stand in the same queue: their coming and going counts too. What happens
while the manager connection is away is never told, so who stood in a queue then has no place any more that one could say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ivrflow.bridge.agent_leg import AgentLeg
from ivrflow.bridge.ami_protocol import AmiEvent


@dataclass(slots=True)
class _Place:
    leg: AgentLeg
    queue: str
    priority: int
    since: float
    position: int = 0
    """0 until Asterisk has said it, and from a lost connection on."""


class QueuePlaces:
    """The places of all legs that stand in a queue.

    Args:
        now: the event loop's time.
        ask: asks Asterisk for the hold time of that queue; the answer comes to `hold_time`.
    """

    def __init__(self, now: Callable[[], float], ask: Callable[[str], None]) -> None:
        self._now = now
        self._ask = ask
        self._places: dict[str, _Place] = {}
        """By the leg's name."""
        self._moved: dict[str, set[str]] = {}
        """By queue: the legs to be told of their place as soon as its hold time is known."""

    def line_up(self, leg: AgentLeg, queue: str, priority: int, waited: float) -> int:
        """A leg is about to join; `waited` are the seconds it has waited already, elsewhere.

        Returns:
            The place it is owed for those, before ours who came later; 0 for the last.
        """
        since = self._now() - waited
        behind = [
            place.position
            for place in self._places.values()
            if place.queue == queue and place.position and place.priority <= priority and place.since > since
        ]
        self._places[leg.name] = _Place(leg, queue, priority, since)
        return min(behind, default=0) if waited else 0

    def forget(self, leg: AgentLeg) -> None:
        """The leg is over."""
        self._places.pop(leg.name, None)

    def lost(self) -> None:
        """The manager connection is lost: no place is known any more, and those who knew theirs are told so."""
        self._moved.clear()
        for place in self._places.values():
            if place.position:
                place.position = 0
                place.leg.moved(0, 0.0)

    def joined(self, event: AmiEvent, leg: AgentLeg | None) -> None:
        """Somebody has joined a queue (QueueCallerJoin); `leg` when it is one of ours."""
        queue, position = event.get("Queue"), _whole(event.get("Position"))
        for place in self._in(queue):
            if place.leg is not leg and place.position >= position:
                self._move(place, place.position + 1)
        if leg is not None and (own := self._places.get(leg.name)):
            self._move(own, position)

    def left(self, event: AmiEvent, leg: AgentLeg | None) -> None:
        """Somebody has left a queue, served or not (QueueCallerLeave)."""
        position = _whole(event.get("Position"))
        if leg is not None:
            self._places.pop(leg.name, None)
        for place in self._in(event.get("Queue")):
            if place.position > position:
                self._move(place, place.position - 1)

    def hold_time(self, queue: str, seconds: float) -> None:
        """How long callers of that queue wait on average, 0 when nobody knows: tell those who have moved."""
        for name in self._moved.pop(queue, ()):
            if place := self._places.get(name):
                waited = self._now() - place.since
                place.leg.moved(place.position, round(max(0.0, seconds - waited), 3) if seconds else 0.0)

    def _in(self, queue: str) -> list[_Place]:
        return [place for place in self._places.values() if place.queue == queue and place.position]

    def _move(self, place: _Place, position: int) -> None:
        place.position = position
        is_asked = place.queue in self._moved
        self._moved.setdefault(place.queue, set()).add(place.leg.name)
        if not is_asked:
            self._ask(place.queue)


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() else 0
