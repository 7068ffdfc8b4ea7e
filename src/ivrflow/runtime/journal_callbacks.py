"""The callbacks in the journal: who waits to be called back, which tries were made, what became of each.

The engine writes a callback with the line of the call on which it was ordered. Everything after that goes through this
book, one short transaction a step, so that whatever dies in between leaves a callback that can be gone on with:

    waiting -> placed -> kept                  somebody picked up
                      -> waiting               nobody did: tried again after a while
                      -> given_up              all tries are used up, or it can never be placed
    waiting or placed -> cancelled             somebody took it back

A try is written before anybody is rung. While a callback is `placed` nobody else may place it; its `next_at` is the moment
at which the telephone has stopped ringing for sure, and from then on anybody may ask the journal what came of the try.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select, update

from ivrflow.runtime.journal_database import JournalDatabase, find_row
from ivrflow.runtime.journal_tables import callback_tries, callbacks, calls, happenings, promises

CallbackState: TypeAlias = Literal["waiting", "placed", "kept", "given_up", "cancelled"]
STATES: tuple[CallbackState, ...] = get_args(CallbackState)

ANSWERED = "answered"
"""Outcome of a try on which somebody picked up."""

INTERRUPTED = "interrupted"
"""Outcome of a try that says nothing about the person: the engine stopped or died under it. It counts as none, but there
are never more tries than twice those allowed."""

NOBODY_ANSWERED = frozenset({"no_answer", "busy", "refused", "unreachable"})
"""Outcomes of a call we placed that count as a try."""

_AT_ONCE = 200
"""Callbacks whose tries are asked for in one query: databases bound the length of a list."""


class NoSuchCallbackError(LookupError):
    """No callback, or more than one, is meant; the text says which."""


class CallbackSettledError(Exception):
    """It cannot be cancelled any more; the text says why."""


@dataclass(frozen=True, slots=True)
class CallbackTry:
    """One call placed for it: its id, when (Unix time), and what came of it ("" while it is under way)."""

    number: int
    call: str
    placed_at: float
    outcome: str


@dataclass(frozen=True, slots=True)
class StoredCallback:
    """One wish to be called back.

    Attributes:
        id: the call, "/callback-", a number. The promise that it is has the same id.
        call: on which it was ordered.
        flow: that places the call.
        caller: whom to ring; personal.
        values: for placeholders; personal.
        made_at, due_at: Unix time in seconds.
        tries: how often it is tried.
        retry_after: seconds from one try to the next.
        state: what has become of it.
        next_at: when it is looked at next (Unix time); None once settled.
        settled_at: when it was kept, given up or cancelled.
        why: it was given up or cancelled, or waits longer than usual, in words without the number.
        made: the tries so far.
    """

    id: str
    call: str
    flow: str
    caller: str = field(repr=False)
    values: dict[str, str] = field(repr=False)
    made_at: float
    due_at: float
    tries: int
    retry_after: float
    state: CallbackState
    next_at: float | None = None
    settled_at: float | None = None
    why: str = ""
    made: tuple[CallbackTry, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the person is still to be called."""
        return self.settled_at is None

    @property
    def tried(self) -> int:
        """How many tries count."""
        return sum(one.outcome != INTERRUPTED for one in self.made)

    @property
    def is_used_up(self) -> bool:
        """Whether it may not be tried again."""
        return self.tried >= self.tries or len(self.made) >= 2 * self.tries

    def late_by(self, now: float) -> float:
        """Seconds past its due time: when it was settled, or by `now` (Unix time); 0 when in time."""
        return max(0.0, (now if self.settled_at is None else self.settled_at) - self.due_at)


class CallbackBook:
    """Reads callbacks, and takes each from one state to the next. Every method blocks for one short transaction."""

    def __init__(self, url: str) -> None:
        """Say which journal.

        Raises:
            SettingsError: `url` is no database URL, or there is no journal there.
        """
        self._database = JournalDatabase(url)

    # ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def listed(self, states: Sequence[CallbackState] = STATES, *, flow: str | None = None) -> list[StoredCallback]:
        """Callbacks in these states, by due time.

        Args:
            states: all without it.
            flow: only those that this flow places.

        Raises:
            SettingsError: the journal cannot be read.
        """
        wanted = select(callbacks).where(callbacks.c.state.in_(states)).order_by(callbacks.c.due_at, callbacks.c.id)
        if flow is not None:
            wanted = wanted.where(callbacks.c.flow == flow)
        with self._database.reading() as connection:
            return _with_tries(connection, connection.execute(wanted).all())

    def to_look_at(self, now: float, at_most: int) -> list[StoredCallback]:
        """Those whose moment has come, the most urgent first.

        Raises:
            SettingsError: the journal cannot be read.
        """
        wanted = (
            select(callbacks).where(*_OPEN, callbacks.c.next_at <= now).order_by(callbacks.c.due_at, callbacks.c.id)
        )
        with self._database.reading() as connection:
            return _with_tries(connection, connection.execute(wanted.limit(at_most)).all())

    def being_rung(self, now: float) -> set[str]:
        """The numbers that are rung at `now` (Unix time), or whose telephone may still ring.

        That is so after a try of a killed engine, also when the callback was cancelled meanwhile.

        Raises:
            SettingsError: the journal cannot be read.
        """
        with self._database.reading() as connection:
            may_ring = or_(callbacks.c.state == "placed", callback_tries.c.rings_until > now)
            rung = select(callbacks.c.caller).join(callback_tries, callback_tries.c.callback == callbacks.c.id)
            return set(connection.scalars(rung.where(callback_tries.c.outcome == "", may_ring)))

    # ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def claim(self, callback: StoredCallback, *, call: str, now: float, until: float) -> bool:
        """Write down that the next try is made now, before anybody is rung.

        Args:
            callback: as it was read.
            call: id of the call about to be placed.
            now: Unix time.
            until: when the telephone has stopped ringing for sure.

        Returns:
            Whether it is ours: False when it was cancelled, placed or kept meanwhile.

        Raises:
            SettingsError: the journal cannot be written; nothing may be placed.
        """
        with self._database.writing() as connection:
            if not self._is_wanted(connection, callback, now):
                return False
            is_it = (
                callbacks.c.id == callback.id,
                callbacks.c.state == "waiting",
                callbacks.c.next_at == callback.next_at,
            )
            ours = update(callbacks).where(*is_it).values(state="placed", next_at=until, why="")
            if not connection.execute(ours).rowcount:
                return False
            number = max((one.number for one in callback.made), default=0) + 1
            row = {"callback": callback.id, "number": number, "call": call, "outcome": ""}
            row |= {"placed_at": now, "rings_until": until}
            connection.execute(insert(callback_tries), [row])
            return True

    def put_off(self, callback: StoredCallback, until: float, why: str) -> None:
        """It cannot be placed before `until` (Unix time); no try is counted.

        Raises:
            SettingsError: the journal cannot be written.
        """
        self._change(callback.id, "waiting", next_at=until, why=why)

    def give_up(self, callback: StoredCallback, now: float, why: str) -> None:
        """It will never be placed: a broken promise.

        Raises:
            SettingsError: the journal cannot be written.
        """
        with self._database.writing() as connection:
            _give_up(connection, callback.id, now, why)

    def came_of(self, wanted: str, *, call: str, outcome: str, now: float) -> StoredCallback | None:
        """Note what came of a try, and what follows from it. The same news twice changes nothing.

        Args:
            wanted: id of the callback.
            call: the call placed.
            outcome: `ANSWERED`, `INTERRUPTED`, or why nobody answered.
            now: Unix time.

        Returns:
            The callback as it stands now; None when it is gone.

        Raises:
            SettingsError: the journal cannot be written.
        """
        with self._database.writing() as connection:
            this = (callback_tries.c.callback == wanted, callback_tries.c.call == call, callback_tries.c.outcome == "")
            is_news = connection.execute(update(callback_tries).where(*this).values(outcome=outcome)).rowcount
            callback = _one(connection, wanted)
            if callback is None or not is_news:
                return callback
            if outcome == ANSWERED:
                _kept(connection, callback, call, now)
            elif callback.state == "placed":
                if callback.is_used_up:
                    _give_up(connection, wanted, now, _used_up(callback))
                else:
                    again = {"state": "waiting", "next_at": now + callback.retry_after}
                    connection.execute(update(callbacks).where(callbacks.c.id == wanted).values(again))
            return _one(connection, wanted)

    def recall(self, callback: StoredCallback) -> tuple[str, str]:
        """What the journal knows of a try whose engine is gone: the call placed, and what came of it.

        Raises:
            SettingsError: the journal cannot be read.
        """
        placed = callback.made[-1].call if callback.made else ""
        with self._database.reading() as connection:
            answered = select(happenings.c.number).where(
                happenings.c.call == placed, happenings.c.event.like('{"type":"call_answered"%')
            )
            if connection.execute(answered.limit(1)).first() is not None:
                return placed, ANSWERED
            outcome = connection.scalar(select(calls.c.outcome).where(calls.c.call == placed))
        return placed, outcome if outcome in NOBODY_ANSWERED else INTERRUPTED

    def cancel(self, wanted: str, *, at: float, by: str, why: str) -> StoredCallback:
        """Take a callback back; its promise is dropped. A telephone that rings already rings on.

        Args:
            wanted: its id, the beginning of it, or the call's id when only one callback of it is open.
            at: when (Unix time).
            by: whose word that is.
            why: the reason, in words.

        Raises:
            NoSuchCallbackError: none, or more than one, is meant.
            CallbackSettledError: it is settled already.
            SettingsError: the journal cannot be written.
        """
        with self._database.writing() as connection:
            callback = _find(connection, wanted)
            if not callback.is_open:
                raise CallbackSettledError(f"{callback.id} is {callback.state.replace('_', ' ')} already")
            _settle(connection, callback.id, "cancelled", at, why)
            dropped = {"dropped_at": at, "dropped_by": by, "why": why}
            connection.execute(update(promises).where(*_still_owed(callback.id)).values(dropped))
            found = _one(connection, callback.id)
            assert found is not None, "it was just written"
            return found

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _is_wanted(self, connection: Connection, callback: StoredCallback, now: float) -> bool:
        """Whether its promise is still owed; when somebody kept or dropped that by hand, there is nobody left to call."""
        promise = connection.execute(select(promises).where(promises.c.id == callback.id)).first()
        if promise is None or (promise.kept_at is None and promise.dropped_at is None):
            return True
        if promise.kept_at is not None:
            _settle(connection, callback.id, "kept", promise.kept_at, f"noted by {promise.kept_by}")
        else:
            _settle(connection, callback.id, "cancelled", now, promise.why or "")
        return False

    def _change(self, callback: str, state: CallbackState, **values: Any) -> None:  # noqa: ANN401 - columns of several types
        with self._database.writing() as connection:
            is_it = (callbacks.c.id == callback, callbacks.c.state == state)
            connection.execute(update(callbacks).where(*is_it).values(values))


_OPEN = (callbacks.c.state.in_(("waiting", "placed")),)


def _still_owed(promise: str) -> tuple[ColumnElement[bool], ...]:
    return (promises.c.id == promise, promises.c.kept_at.is_(None), promises.c.dropped_at.is_(None))


def _settle(connection: Connection, callback: str, state: CallbackState, at: float, why: str) -> None:
    values = {"state": state, "settled_at": at, "next_at": None, "why": why}
    connection.execute(update(callbacks).where(callbacks.c.id == callback, *_OPEN).values(values))


def _kept(connection: Connection, callback: StoredCallback, call: str, now: float) -> None:
    """Also when it was cancelled while the telephone rang: whoever picked up was called back."""
    is_it = (callbacks.c.id == callback.id, or_(*_OPEN, callbacks.c.state == "cancelled"))
    values = {"state": "kept", "settled_at": now, "next_at": None, "why": ""}
    connection.execute(update(callbacks).where(*is_it).values(values))
    kept = {
        "kept_at": now,
        "kept_by": "ivrflow",
        "kept_by_call": call,
        "dropped_at": None,
        "dropped_by": None,
        "why": None,
    }
    owed = (promises.c.id == callback.id, promises.c.kept_at.is_(None))
    connection.execute(update(promises).where(*owed).values(kept))


def _give_up(connection: Connection, callback: str, now: float, why: str) -> None:
    _settle(connection, callback, "given_up", now, why)
    connection.execute(update(promises).where(*_still_owed(callback)).values(failed_at=now))


def _used_up(callback: StoredCallback) -> str:
    outcomes = [one.outcome.replace("_", " ") for one in callback.made]
    return f"tried {len(outcomes)} times: {', '.join(outcomes)}"


def _one(connection: Connection, wanted: str) -> StoredCallback | None:
    rows = connection.execute(select(callbacks).where(callbacks.c.id == wanted)).all()
    return _with_tries(connection, rows)[0] if rows else None


def _find(connection: Connection, wanted: str) -> StoredCallback:
    """The callback meant: by its whole id, else by its beginning, where an open one goes before those settled."""
    row = find_row(connection, callbacks, wanted, lambda row: row.settled_at is None, NoSuchCallbackError)
    return _with_tries(connection, [row])[0]


def _with_tries(connection: Connection, rows: Sequence[Row[Any]]) -> list[StoredCallback]:
    tries: dict[str, list[CallbackTry]] = {}
    ids = [row.id for row in rows]
    for start in range(0, len(ids), _AT_ONCE):
        made = select(callback_tries).where(callback_tries.c.callback.in_(ids[start : start + _AT_ONCE]))
        for one in connection.execute(made.order_by(callback_tries.c.number)):
            tries.setdefault(one.callback, []).append(CallbackTry(one.number, one.call, one.placed_at, one.outcome))
    return [
        StoredCallback(
            id=row.id,
            call=row.call,
            flow=row.flow,
            caller=row.caller,
            values=msgspec.json.decode(row.called_values, type=dict[str, str]),
            made_at=row.made_at,
            due_at=row.due_at,
            tries=row.tries,
            retry_after=row.retry_after,
            state=row.state,
            next_at=row.next_at,
            settled_at=row.settled_at,
            why=row.why,
            made=tuple(tries.get(row.id, ())),
        )
        for row in rows
    ]
