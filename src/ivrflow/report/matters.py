"""What was promised an answer, matter by matter: a complaint with daily feedback is one complaint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ivrflow.runtime.journal_counts import CountedPromise


@dataclass(frozen=True, slots=True)
class Matter:
    """One enquiry or complaint that could not be answered on the call.

    Attributes:
        call: id of the call on which it was promised an answer.
        about: "enquiry", "complaint" or "other".
        is_dropped: the promise was given up for a reason; it counts nowhere.
        is_answered: the first answer was given, in time or not.
        is_late: something promised in this matter was kept late, or is past due and open.
        is_pending: nothing is late, and the first answer is still to come.
        satisfied: what the person said last; None when nobody asked.
        tags: of its promises and its call.
    """

    call: str
    about: str
    is_dropped: bool
    is_answered: bool
    is_late: bool
    is_pending: bool
    satisfied: bool | None
    tags: frozenset[str]


def matters_of(promises: Iterable[CountedPromise], tags: Mapping[str, frozenset[str]], now: float) -> list[Matter]:
    """Put the promises of each matter together, as they stand at `now` (Unix time)."""
    grouped: dict[str, list[CountedPromise]] = {}
    for promise in promises:
        grouped.setdefault(promise.matter, []).append(promise)
    return [_matter(steps, tags, now) for steps in grouped.values()]


def is_late(promise: CountedPromise, now: float) -> bool:
    """Whether it was kept after its due time, or is open after it, or open though nobody will try any more."""
    if promise.dropped_at is not None:
        return False
    if promise.kept_at is None and promise.failed_at is not None:
        return True
    return (promise.kept_at if promise.kept_at is not None else now) > promise.due_at


def _matter(steps: list[CountedPromise], tags: Mapping[str, frozenset[str]], now: float) -> Matter:
    first = steps[0]
    late = any(is_late(step, now) for step in steps)
    said = [step.satisfied for step in steps if step.satisfied is not None]
    nothing: frozenset[str] = frozenset()
    return Matter(
        call=first.call,
        about=first.about,
        is_dropped=first.dropped_at is not None,
        is_answered=first.kept_at is not None,
        is_late=late,
        is_pending=first.kept_at is None and first.dropped_at is None and not late,
        satisfied=bool(said[-1]) if said else None,
        tags=nothing.union(tags.get(first.call, nothing), *(tags.get(step.id, nothing) for step in steps)),
    )
