"""What a call has promised: which rung completes a promise, when the answer is due, which promises are one matter.

A rule promises when its last rung is done, when the caller agreed to it (`consent`), or when the caller hung up during
its last words. A caller who refused was promised nothing. Two rules about the same thing, owed by the same person, are
one matter with one answer: the earlier due time counts. The same rule again is another matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple

from ivrflow.engine.messages import NotePromise
from ivrflow.engine.standing import Footing
from ivrflow.engine.trace import Fact
from ivrflow.flow.days import Calendar
from ivrflow.flow.model import CallFlow, Promise, Values

AGREED = frozenset({"consent"})
"""Words that leave a ladder because the caller agreed to what it says: what remains of it is the agent's to do."""

MOST_NAMED = 999
"""Hours or days an agent may name; more is a slip of the hand."""

_NAMED = re.compile(r"\d{1,3}(?:\.\d{1,2})?", flags=re.ASCII)
_HOUR_S = 3600.0


class Due(NamedTuple):
    """When something is due, and how that was counted, in words."""

    at: datetime
    counted: str


@dataclass(frozen=True, slots=True)
class Promised:
    """What a rung promised.

    Attributes:
        fact: a promise of its own, or one that joined an earlier one of the same call.
        told: for the trace, in words.
        note: the promise as it stands now.
        is_news: whether anybody outside has to be told.
    """

    fact: Fact
    told: str
    note: NotePromise
    is_news: bool


def completed(flow: CallFlow, footing: Footing) -> Promise | None:
    """What is promised once this rung is done: only a rule's last rung completes a promise."""
    rule = flow.standard.rules.get((footing.rung.rule or "").partition("/")[2])
    if rule is None or rule.id != footing.rung.rule or rule.promise is None:
        return None
    return rule.promise if footing.number == len(rule.rungs) else None


def agreed(flow: CallFlow, footing: Footing, word: str) -> Promise | None:
    """What is promised when `word` leaves the ladder from this rung."""
    rule = flow.standard.rules.get((footing.rung.rule or "").partition("/")[2])
    return rule.promise if rule is not None and rule.id == footing.rung.rule and word in AGREED else None


def due(promise: Promise, made: datetime, values: Values, calendar: Calendar) -> Due:
    """When the answer is due.

    Args:
        promise: what was promised.
        made: the moment, in the flow's own time zone.
        values: what the agent has filled in on the call.
        calendar: which days are worked.
    """
    if promise.working_days is not None:
        last = calendar.after_working_days(made.date(), promise.working_days)
        midnight = datetime.combine(last + timedelta(days=1), time(), made.tzinfo)
        days = f"{promise.working_days} working day{'' if promise.working_days == 1 else 's'}"
        return Due(midnight, days)
    if promise.hours is not None:
        return Due(_later(made, promise.hours), f"{promise.hours:g} h")
    for name, unit, hours_each in ((promise.value, "h", 1.0), (promise.days_value, "days", 24.0)):
        if name and (number := _named(values.get(name, ""))):
            return Due(_later(made, number * hours_each), f"{number:g} {unit}, named on the call")
    hours = promise.or_hours or 0.0
    return Due(_later(made, hours), f"{hours:g} h, as no time was named on the call")


def promised(
    promise: Promise, rule: str, made: datetime, values: Values, calendar: Calendar, before: Sequence[NotePromise]
) -> Promised:
    """Note a promise.

    Args:
        promise: what was promised.
        rule: id of the rule that promises.
        made: the moment, in the flow's own time zone.
        values: what the agent has filled in on the call.
        calendar: which days are worked.
        before: what the same call has promised so far, each as it stands.
    """
    at, counted = due(promise, made, values, calendar)
    new = NotePromise(
        number=len(before) + 1,
        rule=rule,
        about=promise.about,
        made_at=made.timestamp(),
        due_at=at.timestamp(),
        counted=counted,
        owed_by=promise.owed_by,
        repeats_h=(promise.hours or 0.0) if promise.repeats else 0.0,
        then_h=promise.then_hours or 0.0,
        then_owed_by=promise.then_owed_by,
    )
    what = "an answer" if new.about == "other" else f"an answer to the {new.about}"
    earlier = next((note for note in reversed(before) if _are_one_matter(note, new)), None)
    if earlier is None:
        return Promised(Fact.PROMISE_MADE, f"{what}, due {written_due(at)} ({counted})", new, is_news=True)
    is_sooner = new.due_at < earlier.due_at
    stands = NotePromise(
        number=earlier.number,
        rule=earlier.rule,
        about=earlier.about,
        made_at=earlier.made_at,
        due_at=min(new.due_at, earlier.due_at),
        counted=new.counted if is_sooner else earlier.counted,
        owed_by=earlier.owed_by,
    )
    counts = datetime.fromtimestamp(stands.due_at, made.tzinfo)
    told = (
        f"{what}, one matter with {earlier.rule}: due {written_due(counts)}, the earlier of the two ({stands.counted})"
    )
    return Promised(Fact.PROMISE_JOINED, told, stands, is_news=is_sooner)


def written_due(at: datetime) -> str:
    """A due time as people read it: midnight belongs to the day that ends with it, "Wed 2026-11-25 24:00"."""
    if (at.hour, at.minute, at.second, at.microsecond) == (0, 0, 0, 0):
        return f"{at - timedelta(days=1):%a %Y-%m-%d} 24:00"
    return f"{at:%a %Y-%m-%d %H:%M}"


def _are_one_matter(earlier: NotePromise, new: NotePromise) -> bool:
    """Two rules, one answer: not what is owed again and again, nor what somebody else goes on with."""
    is_plain = not any((earlier.repeats_h, earlier.then_h, new.repeats_h, new.then_h))
    return is_plain and earlier.rule != new.rule and (earlier.about, earlier.owed_by) == (new.about, new.owed_by)


def _named(value: str) -> float:
    """The number an agent filled in; 0 when it is none, or not between 0 and `MOST_NAMED`."""
    text = unicodedata.normalize("NFKC", value).strip()
    return float(text) if _NAMED.fullmatch(text) and float(text) <= MOST_NAMED else 0.0


def _later(made: datetime, hours: float) -> datetime:
    """So many real hours later: clocks that are put forward or back do not matter."""
    return datetime.fromtimestamp(made.timestamp() + hours * _HOUR_S, made.tzinfo)
