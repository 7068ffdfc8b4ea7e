"""What callers met on their way to a person: how soon agents answered, who gave up waiting, queue by queue."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ivrflow.report.key_figures import Part
from ivrflow.runtime.journal_counts import Counted, CountedLeg

ANSWER_WITHIN_S = 20.0
"""Seconds within which an answer counts as soon enough, unless somebody says otherwise."""

THREE_RINGS_S = 15.0
"""Three rings of 5 s."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, and exactly what is counted.

    Attributes:
        id, name: for programs, and in words.
        calls: ids of the calls one would like to look at.
    """

    id: str
    name: str
    part: Part
    whole: Part
    calls: tuple[str, ...] = ()

    @property
    def percent(self) -> float | None:
        """The share; None when there was nothing to count."""
        return 100 * self.part.count / self.whole.count if self.whole.count else None


@dataclass(frozen=True, slots=True)
class QueueCount:
    """What became of those who waited in one queue, or for one extension.

    Attributes:
        name: of the queue; "extension 1001" for an extension that was rung.
        sought: how often somebody began to wait there.
        answered: by an agent.
        in_time: of them soon enough; the seconds in a queue before it count.
        abandoned: the caller hung up.
        next_level: the wait went on with the agents of the next level.
        elsewhere: everything else: nobody was there, it took too long, the caller chose something else.
        waits: seconds until the answer, sorted.
    """

    name: str
    sought: int
    answered: int
    in_time: int
    abandoned: int
    next_level: int
    elsewhere: int
    waits: tuple[float, ...]

    @property
    def average(self) -> float:
        """Seconds until the answer, on average; not a number when nobody answered."""
        return math.fsum(self.waits) / len(self.waits) if self.waits else math.nan

    @property
    def longest(self) -> float:
        """The longest wait that was answered, in seconds; not a number when nobody answered."""
        return self.waits[-1] if self.waits else math.nan


def shares(counted: Counted, answer_within: float) -> tuple[Share, ...]:
    """The service's figures; none when no caller asked for an agent."""
    if not counted.asked_for_agent:
        return ()
    asked = Part(counted.asked_for_agent, "incoming calls on which an agent was sought")
    soon = sum(
        call.direction == "in" and call.agent_after is not None and call.agent_after <= answer_within
        for call in counted.calls
    )
    gave_up = _calls(leg for leg in counted.legs if leg.ending == "abandoned")
    rang = [(leg, leg.rang) for leg in counted.legs if leg.rang is not None]
    too_long = [leg for leg, seconds in rang if seconds > THREE_RINGS_S]
    sent_on = _calls(leg for leg in counted.legs if leg.transfers)
    talked = _calls(leg for leg in counted.legs if leg.ending == "answered")
    return (
        Share(
            "service_level",
            f"answered within {answer_within:g} s",
            Part(soon, f"of them were answered by an agent within {answer_within:g} s of waiting"),
            asked,
        ),
        Share(
            "abandoned",
            "gave up waiting",
            Part(len(gave_up), "of them ended because the caller hung up while waiting for an agent"),
            asked,
            gave_up,
        ),
        Share(
            "three_rings",
            "agents answered within three rings",
            Part(len(rang) - len(too_long), f"of them within three rings ({THREE_RINGS_S:g} s)"),
            Part(len(rang), "times an agent's telephone was answered"),
            _calls(too_long),
        ),
        Share(
            "sent_on",
            "sent on to somebody else",
            Part(len(sent_on), "of them were sent on by the agent"),
            Part(len(talked), "incoming calls on which an agent answered"),
            sent_on,
        ),
    )


def queues(legs: Sequence[CountedLeg], answer_within: float) -> tuple[QueueCount, ...]:
    """Queue by queue, by name; extensions after them."""
    grouped: dict[tuple[bool, str], list[CountedLeg]] = {}
    for leg in legs:
        grouped.setdefault((not leg.queue, leg.queue or leg.extension), []).append(leg)
    return tuple(
        _queue(f"extension {name}" if is_extension else name, some, answer_within)
        for (is_extension, name), some in sorted(grouped.items())
    )


def _queue(name: str, legs: Sequence[CountedLeg], answer_within: float) -> QueueCount:
    waits = sorted(leg.waited for leg in legs if leg.ending == "answered")
    abandoned = sum(leg.ending == "abandoned" for leg in legs)
    next_level = sum(leg.ending == "next_level" for leg in legs)
    return QueueCount(
        name=name,
        sought=len(legs),
        answered=len(waits),
        in_time=sum(wait <= answer_within for wait in waits),
        abandoned=abandoned,
        next_level=next_level,
        elsewhere=len(legs) - len(waits) - abandoned - next_level,
        waits=tuple(waits),
    )


def _calls(legs: Iterable[CountedLeg]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(leg.call for leg in legs))
