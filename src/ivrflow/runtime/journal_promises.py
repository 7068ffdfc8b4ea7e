"""The promises in the journal: which are owed, and what people note about them.

The engine writes a promise the moment it is made. Everything after that is people's doing, through this book: kept,
dropped, tagged. Each note is one short transaction, so that a live engine never waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Row, delete, insert, select, update

from ivrflow.runtime.journal_database import JournalDatabase, find_row
from ivrflow.runtime.journal_tables import calls, promises, tags

State: TypeAlias = Literal["open", "broken", "kept", "kept late", "dropped"]

TAGS = ("cross_province", "key_account", "repeat", "first")
"""What people may say of a complaint or its call that nobody can hear on the line."""

_HOUR_S = 3600.0
_AT_ONCE = 500


class NoSuchPromiseError(LookupError):
    """No promise, or more than one, is meant; the text says which."""


class PromiseSettledError(Exception):
    """It cannot be noted: the promise is settled already, or the moment is impossible; the text says what."""


@dataclass(frozen=True, slots=True)
class StoredPromise:
    """One promise.

    Attributes:
        id: the call, a slash, a number: "pbx-1790000000.7/1"; what is owed after it has ".2" and so on behind it.
        matter: id of the first promise of the same matter.
        call: id of the call on which it was made.
        flow: of that call.
        rule: that promises.
        about: "enquiry", "complaint" or "other".
        owed_by: who keeps it.
        made_at, due_at: Unix time in seconds.
        counted: how the due time was counted, in words.
        repeats_h, then_h, then_owed_by: what is owed next, see `NotePromise`.
        kept_at, kept_by, kept_by_call: when, by whom, and on which call; None when open.
        satisfied: what the person said about the answer; None when nobody asked.
        dropped_at, dropped_by, why: given up, and the reason.
        failed_at: nobody will try any more: all tries of a callback are used up. It may still be kept.
        tags: of the promise and of its call.
    """

    id: str
    matter: str
    call: str
    flow: str
    rule: str
    about: str
    owed_by: str
    made_at: float
    due_at: float
    counted: str
    repeats_h: float
    then_h: float
    then_owed_by: str
    kept_at: float | None = None
    kept_by: str | None = None
    kept_by_call: str | None = None
    satisfied: bool | None = None
    dropped_at: float | None = None
    dropped_by: str | None = None
    why: str | None = None
    failed_at: float | None = None
    tags: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it is still owed."""
        return self.kept_at is None and self.dropped_at is None

    def state(self, now: float) -> State:
        """What has become of it by `now` (Unix time): broken is past due, or used up, and still open."""
        if self.dropped_at is not None:
            return "dropped"
        if self.kept_at is not None:
            return "kept" if self.kept_at <= self.due_at else "kept late"
        return "open" if now <= self.due_at and self.failed_at is None else "broken"


class PromiseBook:
    """Reads promises, and notes what became of them."""

    def __init__(self, url: str) -> None:
        """Say which journal.

        Raises:
            SettingsError: `url` is no database URL, or there is no journal there.
        """
        self._database = JournalDatabase(url)

    def owed(
        self, *, flow: str | None = None, due_by: float | None = None, with_settled: bool = False
    ) -> list[StoredPromise]:
        """Promises by due time, the earliest first.

        Args:
            flow: only of this flow.
            due_by: only those due at this Unix time or earlier.
            with_settled: also those kept and dropped.

        Raises:
            SettingsError: the journal cannot be read.
        """
        wanted = select(promises).order_by(promises.c.due_at, promises.c.id)
        if not with_settled:
            wanted = wanted.where(*_OPEN)
        if flow is not None:
            wanted = wanted.where(promises.c.flow == flow)
        if due_by is not None:
            wanted = wanted.where(promises.c.due_at <= due_by)
        with self._database.reading() as connection:
            return _with_tags(connection, connection.execute(wanted).all())

    def keep(
        self,
        wanted: str,
        *,
        at: float,
        by: str,
        satisfied: bool | None = None,
        is_closed: bool = False,
        call: str = "",
        is_call_certain: bool = False,
    ) -> tuple[StoredPromise, StoredPromise | None]:
        """Note that the answer was given; a promise that is kept already takes only what the person said about it.

        Args:
            wanted: its id, the beginning of it, or the call's id when only one of its promises is open.
            at: when (Unix time).
            by: whose word that is.
            satisfied: what the person said about the answer.
            is_closed: whether the matter is over, so that nothing more is owed.
            call: id of the call that gave the answer; empty when it was no call of ours.
            is_call_certain: whether there is such a call for sure, though the journal may not have it yet.

        Returns:
            The promise as it stands now, and what is owed next, if anything.

        Raises:
            NoSuchPromiseError: none, or more than one, is meant.
            PromiseSettledError: it is settled already, or was not yet made then.
            SettingsError: the journal cannot be written.
        """
        with self._database.writing() as connection:
            is_known = is_call_certain or not call
            if not is_known and connection.scalar(select(calls.c.call).where(calls.c.call == call)) is None:
                raise NoSuchPromiseError(f"no call is called '{call}'; `ivrflow calls` lists them")
            promise = _find(connection, wanted)
            if promise.dropped_at is not None:
                raise PromiseSettledError(f"{promise.id} was dropped: {promise.why}")
            if promise.kept_at is not None:
                if satisfied is None:
                    raise PromiseSettledError(
                        f"{promise.id} is kept already, says {promise.kept_by}; --satisfied can still be added"
                    )
                _write(connection, promise, satisfied=int(satisfied))
                return replace(promise, satisfied=satisfied), None
            if at < promise.made_at:
                raise PromiseSettledError(f"{promise.id} was made only after that moment")
            kept = replace(promise, kept_at=at, kept_by=by, kept_by_call=call or None, satisfied=satisfied)
            _write(
                connection,
                promise,
                kept_at=at,
                kept_by=by,
                kept_by_call=kept.kept_by_call,
                satisfied=None if satisfied is None else int(satisfied),
            )
            following = None if is_closed else _owed_next(connection, kept)
            if following is not None:
                values = {column.name: getattr(following, column.name) for column in promises.columns}
                connection.execute(insert(promises), [values])
            return kept, following

    def drop(self, wanted: str, *, at: float, by: str, why: str) -> StoredPromise:
        """Note that it will not be kept, and why; raises as `keep` does."""
        with self._database.writing() as connection:
            promise = _find(connection, wanted)
            if not promise.is_open:
                was = "kept" if promise.kept_at is not None else "dropped"
                raise PromiseSettledError(f"{promise.id} is {was} already")
            _write(connection, promise, dropped_at=at, dropped_by=by, why=why)
            return replace(promise, dropped_at=at, dropped_by=by, why=why)

    def tag(self, wanted: str, names: Iterable[str], *, is_removed: bool = False) -> str:
        """Tag a promise, or a whole call when `wanted` is a call's id.

        Returns:
            What was tagged.

        Raises:
            NoSuchPromiseError: neither, or more than one, is meant.
            SettingsError: the journal cannot be written.
        """
        with self._database.writing() as connection:
            is_call = connection.scalar(select(calls.c.call).where(calls.c.call == wanted)) is not None
            promise = None if is_call else _find(connection, wanted)
            subject, call = (promise.id, promise.call) if promise else (wanted, wanted)
            for name in names:
                connection.execute(delete(tags).where(tags.c.subject == subject, tags.c.tag == name))
                if not is_removed:
                    connection.execute(insert(tags).values(subject=subject, tag=name, call=call))
            return subject

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()


_OPEN = (promises.c.kept_at.is_(None), promises.c.dropped_at.is_(None))


def _find(connection: Connection, wanted: str) -> StoredPromise:
    """The promise meant: by its whole id, else by its beginning, where an open one goes before those settled."""
    row = find_row(
        connection, promises, wanted, lambda row: row.kept_at is None and row.dropped_at is None, NoSuchPromiseError
    )
    return _with_tags(connection, [row])[0]


def _write(connection: Connection, promise: StoredPromise, **values: Any) -> None:  # noqa: ANN401 - columns of several types
    connection.execute(update(promises).where(promises.c.id == promise.id).values(values))


def _owed_next(connection: Connection, kept: StoredPromise) -> StoredPromise | None:
    """What is owed now that this is kept."""
    hours = kept.repeats_h or kept.then_h
    if not hours or kept.kept_at is None:
        return None
    so_far = len(connection.execute(select(promises.c.id).where(promises.c.matter == kept.matter)).all())
    return StoredPromise(
        id=f"{kept.matter}.{so_far + 1}",
        matter=kept.matter,
        call=kept.call,
        flow=kept.flow,
        rule=kept.rule,
        about=kept.about,
        owed_by=kept.owed_by if kept.repeats_h else kept.then_owed_by,
        made_at=kept.kept_at,
        due_at=kept.kept_at + hours * _HOUR_S,
        counted=f"{hours:g} h after {'the last time' if kept.repeats_h else f'the part of {kept.owed_by} was kept'}",
        repeats_h=kept.repeats_h,
        then_h=0.0,
        then_owed_by="",
    )


def _with_tags(connection: Connection, rows: Sequence[Row[Any]]) -> list[StoredPromise]:
    """The rows as promises, each with its own tags and those of its call."""
    found: dict[str, set[str]] = {}
    ids = sorted({row.call for row in rows})
    for start in range(0, len(ids), _AT_ONCE):
        for tag in connection.execute(select(tags).where(tags.c.call.in_(ids[start : start + _AT_ONCE]))):
            found.setdefault(tag.subject, set()).add(tag.tag)
    made = []
    for row in rows:
        values = row._asdict()
        values["satisfied"] = None if row.satisfied is None else bool(row.satisfied)
        own = found.get(row.id, set()) | found.get(row.call, set())
        made.append(StoredPromise(**values, tags=tuple(sorted(own))))
    return made
