"""What a report needs of the journal: counted by the database, all in one moment of it, without reading any trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, case, func, select
from sqlalchemy.exc import DBAPIError

from ivrflow.engine.trace import Judgement
from ivrflow.runtime.journal_tables import (
    agent_legs,
    call_figures,
    callback_tries,
    callbacks,
    calls,
    check_layout,
    database_url,
    judgements,
    promises,
    reading_engine,
    scores,
    tags,
    unusable,
)
from ivrflow.settings import SettingsError


class CountedCall(NamedTuple):
    """What is shown of every call as a distribution. Times in seconds; `arrived_at` is Unix time."""

    arrived_at: float
    direction: str
    lasted: float
    answered_after: float | None
    agent_after: float | None


class CountedPromise(NamedTuple):
    """One promise of a matter that began in the time reported; see `StoredPromise`."""

    id: str
    matter: str
    call: str
    flow: str
    rule: str
    about: str
    owed_by: str
    due_at: float
    kept_at: float | None
    satisfied: int | None
    dropped_at: float | None
    failed_at: float | None = None


class CountedLeg(NamedTuple):
    """Once that an agent was sought on an incoming call, see `journal_legs`. Times in seconds."""

    call: str
    queue: str
    extension: str
    waited: float
    ending: str
    rang: float | None
    talked: float
    held: float
    transfers: int


class CountedScore(NamedTuple):
    """What a caller gave in a survey."""

    call: str
    survey: str
    score: int
    most: int


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of a stretch of time.

    Attributes:
        calls: every call that is over.
        ended: how many of them per flow.
        unfinished: how many calls have no stored ending: live ones, and those under which an engine died.
        outcomes: how many per direction ("in", "out") and outcome.
        hung_up: how many per direction and who hung up first; "" for nobody.
        answered: incoming calls for which the line was opened.
        asked_for_agent: incoming calls on which an agent was sought.
        agent_answered: those of them on which an agent answered.
        without_agent: ids of the others.
        judged: how many calls per flow, rule and judgement ("kept", "broken").
        broken: ids of the calls per rule that was broken on them, by arrival.
        promises: of every matter that began then, by making.
        tags: per promise and per call that has any.
        legs: every agent sought on an incoming call, by arrival.
        scores: of every call that is over, by arrival.
        callback_tries: how many calls were placed for the callbacks among `promises`, per outcome ("" under way).
    """

    calls: Sequence[CountedCall] = ()
    ended: Mapping[str, int] = field(default_factory=dict)
    unfinished: int = 0
    outcomes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    hung_up: Mapping[tuple[str, str], int] = field(default_factory=dict)
    answered: int = 0
    asked_for_agent: int = 0
    agent_answered: int = 0
    without_agent: Sequence[str] = ()
    judged: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    broken: Mapping[str, Sequence[str]] = field(default_factory=dict)
    promises: Sequence[CountedPromise] = ()
    tags: Mapping[str, frozenset[str]] = field(default_factory=dict)
    legs: Sequence[CountedLeg] = ()
    scores: Sequence[CountedScore] = ()
    callback_tries: Mapping[str, int] = field(default_factory=dict)


def flows_called(url: str) -> list[str]:
    """Ids of all flows that ever took a call.

    Raises:
        SettingsError: the journal cannot be read.
    """
    with _snapshot(url) as connection:
        return sorted(connection.scalars(select(calls.c.flow).distinct()))


def count(url: str, *, since: float, until: float, flows: Sequence[str] | None = None) -> Counted:
    """Count.

    Args:
        url: of the journal.
        since: only calls that arrived at this Unix time or later, and promises made then.
        until: only those before it.
        flows: only those of these flows; None for all.

    Raises:
        SettingsError: the journal cannot be read.
    """
    with _snapshot(url) as connection:
        return _count(connection, since, until, flows)


@contextmanager
def _snapshot(text: str) -> Iterator[Connection]:
    url = database_url(text)
    engine = reading_engine(url)
    try:
        with engine.begin() as connection:
            check_layout(connection, url)
            yield connection
    except DBAPIError as problem:
        raise SettingsError(unusable(url, problem)) from problem
    finally:
        engine.dispose()


def _count(connection: Connection, since: float, until: float, flows: Sequence[str] | None) -> Counted:
    of = call_figures.c
    wanted = _within(of.arrived_at, of.flow, since, until, flows)
    rows = connection.execute(
        select(of.arrived_at, of.direction, of.lasted, of.answered_after, of.agent_after)
        .where(*wanted)
        .order_by(of.arrived_at)
    )
    counted = [CountedCall._make(row) for row in rows]
    begun = select(func.count()).select_from(calls)
    begun = begun.where(*_within(calls.c.arrived_at, calls.c.flow, since, until, flows))
    sorts = _sorts(connection, wanted)
    judged = _judged(connection, wanted)
    is_any_broken = any(judgement == Judgement.BROKEN.value for _, _, judgement in judged)
    return Counted(
        calls=counted,
        ended=_per(sorts, lambda sort: sort.flow),
        unfinished=max(0, (connection.scalar(begun) or 0) - len(counted)),
        outcomes=_per(sorts, lambda sort: (sort.direction, sort.outcome)),
        hung_up=_per(sorts, lambda sort: (sort.direction, sort.ended_by)),
        answered=sum(number for sort, number in sorts if sort.is_incoming and sort.was_answered),
        asked_for_agent=sum(number for sort, number in sorts if sort.is_incoming and sort.was_agent_rung),
        agent_answered=sum(number for sort, number in sorts if sort.is_incoming and sort.did_agent_answer),
        without_agent=connection.scalars(
            select(of.call)
            .where(*wanted, of.direction == "in", of.agents_rung > 0, of.agents_answered == 0)
            .order_by(of.arrived_at, of.call)
        ).all(),
        judged=judged,
        broken=_broken(connection, wanted) if is_any_broken else {},
        promises=_promises(connection, since, until, flows),
        tags=_tags(connection, since, until, flows),
        legs=_legs(connection, wanted),
        scores=_scores(connection, wanted),
        callback_tries=_callback_tries(connection, since, until, flows),
    )


class _Sort(NamedTuple):
    """What calls have in common that are counted together."""

    flow: str
    direction: str
    outcome: str
    ended_by: str
    was_answered: bool
    was_agent_rung: bool
    did_agent_answer: bool

    @property
    def is_incoming(self) -> bool:
        return self.direction == "in"


_Conditions = tuple[ColumnElement[bool], ...]


def _within(
    at: ColumnElement[float], flow: ColumnElement[str], since: float, until: float, flows: Sequence[str] | None
) -> _Conditions:
    of_flows = () if flows is None else (flow.in_(flows),)
    return (at >= since, at < until, *of_flows)


def _sorts(connection: Connection, wanted: _Conditions) -> list[tuple[_Sort, int]]:
    of = call_figures.c
    words = (of.flow, of.direction, of.outcome, of.ended_by)
    yes_no = (
        case((of.answered_after.is_not(None), 1), else_=0),
        case((of.agents_rung > 0, 1), else_=0),
        case((of.agents_answered > 0, 1), else_=0),
    )
    rows = connection.execute(select(*words, *yes_no, func.count()).where(*wanted).group_by(*words, *yes_no))
    return [(_Sort(row[0], row[1], row[2], row[3], *map(bool, row[4:7])), row[7]) for row in rows]


K = TypeVar("K")


def _per(sorts: Sequence[tuple[_Sort, int]], key: Callable[[_Sort], K]) -> dict[K, int]:
    found: dict[K, int] = {}
    for sort, number in sorts:
        found[key(sort)] = found.get(key(sort), 0) + number
    return found


def _judged(connection: Connection, wanted: _Conditions) -> dict[tuple[str, str, str], int]:
    by = (call_figures.c.flow, judgements.c.rule, judgements.c.judgement)
    counts: Select[Any] = select(*by, func.count()).join_from(
        call_figures, judgements, judgements.c.call == call_figures.c.call
    )
    return {(row[0], row[1], row[2]): row[3] for row in connection.execute(counts.where(*wanted).group_by(*by))}


def _broken(connection: Connection, wanted: _Conditions) -> dict[str, list[str]]:
    misses = (
        select(judgements.c.rule, judgements.c.call)
        .join_from(call_figures, judgements, judgements.c.call == call_figures.c.call)
        .where(*wanted, judgements.c.judgement == Judgement.BROKEN.value)
        .order_by(call_figures.c.arrived_at, call_figures.c.call)
    )
    found: dict[str, list[str]] = {}
    for rule, call in connection.execute(misses):
        found.setdefault(rule, []).append(call)
    return found


def _promises(connection: Connection, since: float, until: float, flows: Sequence[str] | None) -> list[CountedPromise]:
    first = promises.alias("first")
    columns = [promises.c[name] for name in CountedPromise._fields]
    wanted = (
        select(*columns)
        .join(first, first.c.id == promises.c.matter)
        .where(*_within(first.c.made_at, first.c.flow, since, until, flows))
        .order_by(promises.c.made_at, promises.c.id)
    )
    return [CountedPromise._make(row) for row in connection.execute(wanted)]


def _tags(connection: Connection, since: float, until: float, flows: Sequence[str] | None) -> dict[str, frozenset[str]]:
    """Tags are few: somebody wrote each of them."""
    with_promises = (
        select(tags.c.subject, tags.c.tag)
        .where(
            tags.c.call.in_(
                select(promises.c.call).where(*_within(promises.c.made_at, promises.c.flow, since, until, flows))
            )
        )
        .order_by(tags.c.subject)
    )
    found: dict[str, set[str]] = {}
    for subject, tag in connection.execute(with_promises):
        found.setdefault(subject, set()).add(tag)
    return {subject: frozenset(names) for subject, names in found.items()}


def _legs(connection: Connection, wanted: _Conditions) -> list[CountedLeg]:
    found = (
        select(*(agent_legs.c[name] for name in CountedLeg._fields))
        .join_from(call_figures, agent_legs, agent_legs.c.call == call_figures.c.call)
        .where(*wanted, call_figures.c.direction == "in")
        .order_by(call_figures.c.arrived_at, agent_legs.c.call, agent_legs.c.number)
    )
    return [CountedLeg._make(row) for row in connection.execute(found)]


def _scores(connection: Connection, wanted: _Conditions) -> list[CountedScore]:
    found = (
        select(*(scores.c[name] for name in CountedScore._fields))
        .join_from(call_figures, scores, scores.c.call == call_figures.c.call)
        .where(*wanted)
        .order_by(call_figures.c.arrived_at, scores.c.call, scores.c.survey)
    )
    return [CountedScore._make(row) for row in connection.execute(found)]


def _callback_tries(connection: Connection, since: float, until: float, flows: Sequence[str] | None) -> dict[str, int]:
    """By the promise of the same id, which knows the flow of the call on which it was ordered."""
    found = (
        select(callback_tries.c.outcome, func.count())
        .join_from(callback_tries, callbacks, callbacks.c.id == callback_tries.c.callback)
        .join(promises, promises.c.id == callbacks.c.id)
        .where(*_within(promises.c.made_at, promises.c.flow, since, until, flows))
        .group_by(callback_tries.c.outcome)
    )
    return {row[0]: row[1] for row in connection.execute(found)}
