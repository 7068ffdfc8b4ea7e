"""A caller who is kept waiting: which tasks do that, for how long it has been. Pure: it only answers questions."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ivrflow.flow.compiling.holds import KEEPS_WAITING, OF_THE_HOLD, WITH_MUSIC
from ivrflow.flow.model import CallFlow, Ladder

DONE_BEFORE = frozenset({"answer_within_three_rings"})
"""Tasks that were done when the call was answered: nobody is asked for them."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A wait of the caller's; `since` is session time."""

    since: float
    has_music: bool = False

    def seconds(self, now: float) -> float:
        """How long it has been."""
        return now - self.since


def hold_during(task: str, hold: Hold | None, now: float) -> Hold | None:
    """The hold while `task` is done: the one under way, a new one, or none."""
    if task in KEEPS_WAITING:
        return replace(hold or Hold(now), has_music=task in WITH_MUSIC)
    return hold if task in OF_THE_HOLD else None


def follower(flow: CallFlow, ladder: Ladder, held: float | None) -> Ladder | None:
    """The situation that comes by itself after `ladder`, on which the caller was kept waiting for `held` seconds.

    None when nothing follows, when the caller was not kept waiting, or not long enough.
    """
    follow = flow.follows.get(ladder.name)
    if follow is None or held is None or held <= follow.over:
        return None
    return flow.situations.get(follow.situation)
