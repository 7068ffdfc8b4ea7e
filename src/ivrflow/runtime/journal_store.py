"""What the journal's writer thread does with the database: entries become rows, a batch becomes one transaction."""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Connection, Engine, Table, insert, select, update

from ivrflow.engine.messages import Action, CallEvent, NotePromise
from ivrflow.engine.trace import Judgement, TraceLine, Verdict
from ivrflow.flow.model import CallFlow
from ivrflow.runtime.journal_figures import figures_of
from ivrflow.runtime.journal_tables import (
    call_figures,
    calls,
    database_url,
    flow_versions,
    happenings,
    is_locked,
    judgements,
    prepare,
    promises,
    prompt_catalogues,
    sqlite_file,
    writing_engine,
)
from ivrflow.settings import SettingsError


class JournalGoneError(Exception):
    """The file that was written to is no longer the one the URL names."""


# ── entries: what the call loop hands over ────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True, eq=False)
class CallKnown:
    """What every entry of a call refers to, so that the call's own row can be written, or written again, at any time.

    Attributes:
        stored_in: number of the database connection through which the call's row is known to be stored.
        has_refused_lines: whether the log has said that lines of this call cannot be stored.
    """

    id: str
    flow: CallFlow
    arrived_at: float
    stored_in: int = 0
    has_refused_lines: bool = False


@dataclass(frozen=True, slots=True)
class Arrived:
    """A call began."""

    call: CallKnown


@dataclass(frozen=True, slots=True)
class Happened:
    """The session handled one event."""

    call: CallKnown
    number: int
    at: float
    event: CallEvent
    actions: Sequence[Action]


@dataclass(frozen=True, slots=True)
class Over:
    """A call ended; `lines` is how many times something happened on it."""

    call: CallKnown
    lines: int
    outcome: str
    ended_by: str
    trace: Sequence[TraceLine]
    verdicts: Sequence[Verdict]


Entry: TypeAlias = Arrived | Happened | Over


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Row:
    """An entry in the database's terms: what to insert, what to write into the call's own row, what was promised."""

    call: CallKnown
    inserts: list[tuple[Table, dict[str, Any]]] = field(default_factory=list)
    ending: dict[str, Any] = field(default_factory=dict)
    promised: list[dict[str, Any]] = field(default_factory=list)


_encode = msgspec.json.encode


def to_row(entry: Entry) -> Row:
    """Encode an entry.

    Raises:
        ValueError, TypeError: it holds what JSON cannot hold (half a surrogate pair, say): nothing else will help it.
    """
    match entry:
        case Happened():
            happening = {
                "call": entry.call.id,
                "number": entry.number,
                "at": entry.at,
                "event": _encode(entry.event).decode(),
                "actions": _encode(entry.actions).decode(),
            }
            promised = [_promise(entry.call, action) for action in entry.actions if isinstance(action, NotePromise)]
            return Row(entry.call, [(happenings, happening)], promised=promised)
        case Over():
            judged = [
                (judgements, {"call": entry.call.id, "rule": verdict.rule, "judgement": verdict.judgement.value})
                for verdict in entry.verdicts
                if verdict.judgement is not Judgement.NOT_APPLICABLE
            ]
            ending = {
                "outcome": entry.outcome,
                "ended_by": entry.ended_by,
                "lines": entry.lines,
                "trace": zlib.compress(_encode(entry.trace)),
                "verdicts": zlib.compress(_encode(entry.verdicts)),
            }
            counted = {
                "call": entry.call.id,
                "flow": entry.call.flow.id,
                "arrived_at": entry.call.arrived_at,
                "outcome": entry.outcome,
                "ended_by": entry.ended_by,
                **figures_of(entry.trace),
            }
            return Row(entry.call, [*judged, (call_figures, counted)], ending)
        case Arrived():
            return Row(entry.call)


def _promise(call: CallKnown, note: NotePromise) -> dict[str, Any]:
    promise = f"{call.id}/{note.number}"
    noted = {name: getattr(note, name) for name in note.__struct_fields__ if name != "number"}
    return {"id": promise, "matter": promise, "call": call.id, "flow": call.flow.id, **noted}


# ── the database ──────────────────────────────────────────────────────────────────────────────────────────────────────


OPENING_S = 5.0
"""Seconds an engine that starts waits for another one that makes the same journal, or brings it up to date."""

_ASKED_AGAIN_S = 0.02
"""SQLite lets nobody wait who wants to switch a new file to write-ahead logging: it refuses at once."""


class JournalStore:
    """The database as the writer thread sees it. `open` and `write` raise when it cannot be used; `open` then mends."""

    def __init__(self, url: str) -> None:
        self._url = database_url(url)
        self._file = sqlite_file(self._url)
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._identity = (0, 0)
        self._opened = 0
        self._versions: dict[int, tuple[CallFlow, list[tuple[Table, dict[str, str]]]]] = {}

    def prepare(self) -> None:
        """Make or check the tables; may be called from any thread.

        Blocks for up to `OPENING_S` while somebody else has the database locked.

        Raises:
            SettingsError: the database cannot be used as it stands.
        """
        self._engine = self._engine or writing_engine(self._url)
        give_up_at = time.monotonic() + OPENING_S
        while True:
            try:
                prepare(self._engine, self._url)
            except SettingsError as problem:
                if not is_locked(problem.__cause__) or time.monotonic() >= give_up_at:
                    raise
                time.sleep(_ASKED_AGAIN_S)
            else:
                return

    def write(self, rows: Sequence[Row]) -> None:
        """Store everything in one transaction, opening the database first when it is not.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: nothing was stored.
            SettingsError: the database was exchanged for one that cannot be used.
            JournalGoneError: it was stored in a file that has been deleted or replaced meanwhile.
        """
        connection = self._connection or self._connect()
        with connection.begin():
            new = {row.call.id: row.call for row in rows if row.call.stored_in != self._opened}
            if new:
                self._insert_calls(connection, new)
            for table in (happenings, judgements, call_figures):
                found = [values for row in rows for into, values in row.inserts if into is table]
                if found:
                    connection.execute(insert(table), found)
            for promise in (promise for row in rows for promise in row.promised):
                _store_promise(connection, promise)
            for row in rows:
                if row.ending:
                    connection.execute(update(calls).where(calls.c.call == row.call.id).values(row.ending))
        self._check_identity()
        for call in new.values():
            call.stored_in = self._opened

    def close(self) -> None:
        """Let go of the database; the next `write` opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def connection(self) -> Connection:
        """The open connection, opening it first when it is not; raises as `write` does."""
        return self._connection or self._connect()

    def _connect(self) -> Connection:
        self._engine = self._engine or writing_engine(self._url)
        if self._file is not None and not self._file.exists():
            self._engine = writing_engine(self._url)  # makes the file, and its folder, again
        prepare(self._engine, self._url)
        self._connection = self._engine.connect()
        self._opened += 1
        if self._file is not None:
            self._identity = _identity(self._file)
        return self._connection

    def _check_identity(self) -> None:
        """SQLite goes on writing happily into a file that was deleted under it."""
        if self._file is not None and _identity(self._file) != self._identity:
            raise JournalGoneError(f"{self._file} was deleted or replaced")

    def _insert_calls(self, connection: Connection, new: dict[str, CallKnown]) -> None:
        stored = set(connection.scalars(select(calls.c.call).where(calls.c.call.in_(new))))
        missing = [call for call in new.values() if call.id not in stored]
        rows = []
        for call in missing:
            version, catalogue = self._version(call.flow)
            for table, values in (version, catalogue):
                key = table.c.digest
                if connection.scalar(select(key).where(key == values["digest"])) is None:
                    connection.execute(insert(table), [values])
            rows.append(
                {
                    "call": call.id,
                    "flow": call.flow.id,
                    "arrived_at": call.arrived_at,
                    "flow_version": version[1]["digest"],
                    "prompt_catalogue": catalogue[1]["digest"],
                }
            )
        if rows:
            connection.execute(insert(calls), rows)

    def _version(self, flow: CallFlow) -> list[tuple[Table, dict[str, str]]]:
        """The flow's rows, worked out once for each flow object (a reload makes a new one)."""
        known = self._versions.get(id(flow))
        if known is None:
            if len(self._versions) >= 64:
                self._versions.clear()
            known = (flow, [_flow_version(flow), _prompt_catalogue(flow)])
            self._versions[id(flow)] = known
        return known[1]


def _store_promise(connection: Connection, promise: dict[str, Any]) -> None:
    """Insert it, or put forward when it is due; what people have noted about it stays."""
    sooner = {name: promise[name] for name in ("due_at", "counted")}
    if not connection.execute(update(promises).where(promises.c.id == promise["id"]).values(sooner)).rowcount:
        connection.execute(insert(promises), [promise])


def _flow_version(flow: CallFlow) -> tuple[Table, dict[str, str]]:
    source = _encode(dict(sorted(flow.source.items()))).decode()
    phrases = _encode({key: phrase.text for key, phrase in sorted(flow.phrases.items())}).decode()
    return flow_versions, {"digest": _digest((source, phrases)), "source": source, "phrases": phrases}


def _prompt_catalogue(flow: CallFlow) -> tuple[Table, dict[str, str]]:
    prompts = _encode(sorted(flow.prompts.prompts.items())).decode()
    return prompt_catalogues, {"digest": _digest((prompts,)), "prompts": prompts}


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def _identity(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino
