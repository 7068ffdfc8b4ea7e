"""Callers who asked to be called back, and how many were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ivrflow.report.matters import is_late
from ivrflow.runtime.journal_counts import CountedPromise
from ivrflow.runtime.journal_store import CALLBACK


@dataclass(frozen=True, slots=True)
class CallbackCount:
    """What became of them.

    Attributes:
        asked_for: how often somebody asked.
        kept, kept_late: somebody picked up in time, or after the time promised.
        broken: all tries are used up, it can never be placed, or it is past due and still open.
        open: not yet due.
        cancelled: taken back.
        tries: how many calls were placed, per outcome ("answered", "no_answer", …; "" under way).
        misses: ids of the calls on which those late and broken were asked for.
    """

    asked_for: int
    kept: int
    kept_late: int
    broken: int
    open: int
    cancelled: int
    tries: Mapping[str, int]
    misses: tuple[str, ...]


def callbacks_of(promises: Sequence[CountedPromise], tries: Mapping[str, int], now: float) -> CallbackCount:
    """Count, as they stand at `now` (Unix time)."""
    asked = [one for one in promises if one.rule == CALLBACK]
    kept = [one for one in asked if one.kept_at is not None]
    late = [one for one in asked if is_late(one, now)]
    kept_late = sum(one.kept_at is not None for one in late)
    cancelled = sum(one.dropped_at is not None for one in asked)
    broken = len(late) - kept_late
    return CallbackCount(
        asked_for=len(asked),
        kept=len(kept) - kept_late,
        kept_late=kept_late,
        broken=broken,
        open=len(asked) - len(kept) - cancelled - broken,
        cancelled=cancelled,
        tries=dict(sorted(tries.items(), key=lambda one: (-one[1], one[0]))),
        misses=tuple(dict.fromkeys(one.call for one in late)),
    )
