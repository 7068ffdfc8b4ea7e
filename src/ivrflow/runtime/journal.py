"""The journal, write side: every call's events and actions as they happen, its trace and verdicts when it is over.

A call never waits for the journal. What it hands over is put into a bounded waiting room (a deque) and that is all that
happens on its thread; one writer thread with its own connection empties the room every `COMMIT_EVERY_S` into one
transaction. When the database refuses (disk full, locked, gone), the room fills, what no longer fits is counted in
`lost`, the log says so once, and writing goes on by itself when the database is back.

What a crash costs: lines younger than `COMMIT_EVERY_S` plus one commit. The file survives; see `journal_tables`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from ivrflow.engine.messages import Action, CallEvent
from ivrflow.engine.trace import TraceLine, Verdict
from ivrflow.flow.model import CallFlow
from ivrflow.runtime.journal_retention import CALLS_AT_ONCE, purge
from ivrflow.runtime.journal_store import (
    Arrived,
    CallKnown,
    Entry,
    Happened,
    JournalGoneError,
    JournalStore,
    Over,
    Row,
    to_row,
)
from ivrflow.runtime.journal_tables import BUSY_S, reason
from ivrflow.settings import SettingsError

log = logging.getLogger("ivrflow.journal")

COMMIT_EVERY_S = 0.25
"""The longest a line waits for its commit while the database takes what it is given, in seconds."""

ROOM = 20_000
"""Lines that may wait: about a minute of a thousand silent calls, about 10 MB."""

BATCH = 1_000
"""Lines in one transaction, at most."""

RETRY_MOST_S = 5.0
"""Longest pause between two tries to write to a database that refuses, in seconds."""

TELL_LOSSES_EVERY_S = 60.0
"""How often the log repeats that lines are being lost, in seconds."""

RETENTION_EVERY_S = 3600.0
"""How often calls past their keeping time are looked for, in seconds."""


class CallRecord:
    """One live call's way into the journal. Its methods return at once and never raise."""

    __slots__ = ("_call", "_journal", "_lines")

    def __init__(self, journal: Journal, call: CallKnown) -> None:
        self._journal = journal
        self._call = call
        self._lines = 0

    def handled(self, at: float, event: CallEvent, actions: Sequence[Action]) -> None:
        """Note that the session was given `event` at `at` (session time, seconds) and answered with `actions`."""
        self._lines += 1
        self._journal.put(Happened(self._call, self._lines, at, event, actions, self._journal.now()))

    def over(self, outcome: str, ended_by: str, trace: Sequence[TraceLine], verdicts: Sequence[Verdict]) -> None:
        """Note that the call is over: its outcome, who hung up first, and what the session found. Nothing may follow."""
        self._journal.put(Over(self._call, self._lines, outcome, ended_by, trace, verdicts))


class Journal:
    """The journal of one engine process. All methods belong to one thread, the event loop's."""

    def __init__(
        self,
        url: str,
        *,
        keep_days: int = 0,
        room: int = ROOM,
        commit_every: float = COMMIT_EVERY_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Say where the journal is.

        Args:
            url: database URL, "sqlite:///PATH" or what else SQLAlchemy knows.
            keep_days: calls older than this many days are deleted as time goes by; 0 keeps them for ever.
            room: how many lines may wait for the database.
            commit_every: seconds from one commit to the next.
            now: Unix time in seconds.

        Raises:
            SettingsError: `url` is no database URL.
        """
        self._store = JournalStore(url)
        self.now = now
        self._keep_days = keep_days
        self._room = room
        self._commit_every = commit_every
        self._waiting: deque[Entry] = deque()
        self._something = threading.Event()
        self._closing = threading.Event()
        self._give_up_at = 0.0
        self._thread: threading.Thread | None = None
        # Two counters, since each may be counted up by one thread only.
        self._turned_away = 0
        self._refused = 0
        self._refusing_since: float | None = None
        self._pause = commit_every
        self._lost_told = 0
        self._tell_losses_at = 0.0
        self._retention_due = time.monotonic()

    # ── the calls' side: the event loop's thread ──────────────────────────────────────────────────────────────────────

    def open(self) -> None:
        """Make the tables where there are none and begin to write.

        Raises:
            SettingsError: the database cannot be used, or was written by another version.
        """
        self._store.prepare()
        self._thread = threading.Thread(target=self._write_until_closed, name="ivrflow-journal", daemon=True)
        self._thread.start()

    def call_arrived(self, call_id: str, flow: CallFlow, arrived_at: float) -> CallRecord:
        """Begin a call's record.

        Args:
            call_id: unique for ever, and fit for people to type: it is how a call is asked for later.
            flow: what the call walks; its source, wording and prompts are stored once per version.
            arrived_at: Unix time in seconds.
        """
        call = CallKnown(call_id, flow, arrived_at)
        self.put(Arrived(call))
        return CallRecord(self, call)

    def put(self, entry: Entry) -> None:
        """Hand a line to the writer; when there is no room for it, count it as lost."""
        if len(self._waiting) >= self._room:
            self._turned_away += 1
            return
        self._waiting.append(entry)
        if not self._something.is_set():
            self._something.set()

    @property
    def lost(self) -> int:
        """How many lines were never stored and never will be."""
        return self._turned_away + self._refused

    @property
    def waiting(self) -> int:
        """How many lines wait for the writer."""
        return len(self._waiting)

    @property
    def is_refused(self) -> bool:
        """Whether the database refuses to be written at present."""
        return self._refusing_since is not None

    def close(self, timeout: float = 5.0) -> None:
        """Write what waits and let go of the database; blocks for at most about `timeout` seconds."""
        if self._thread is None:
            return
        self._give_up_at = time.monotonic() + timeout
        self._closing.set()
        self._something.set()
        self._thread.join(timeout + BUSY_S)
        if self._thread.is_alive():
            log.error("the journal did not close within %g s; %d lines may be lost", timeout, self.waiting)
        self._thread = None
        self._room = 0

    # ── the writer's side ─────────────────────────────────────────────────────────────────────────────────────────────

    def _write_until_closed(self) -> None:
        next_commit = 0.0
        try:
            while not self._closing.is_set() or self._waiting:
                idle_until = self._retention_due - time.monotonic() if self._keep_days else None
                self._something.wait(idle_until)
                self._closing.wait(next_commit - time.monotonic())
                next_commit = time.monotonic() + self._commit_every
                self._something.clear()  # before taking: a line put after this wakes us again
                present = len(self._waiting)
                while present > 0 and self._waiting:
                    taken = [self._waiting.popleft() for _ in range(min(present, BATCH, len(self._waiting)))]
                    present -= len(taken)
                    self._write([row for entry in taken if (row := self._to_row(entry))])
                self._keep_retention()
        finally:
            # Also the way out of a bug in here: from now on every line counts as lost at once.
            self._room = 0
            self._refused += len(self._waiting)
            self._waiting.clear()
            self._tell_losses()
            self._store.close()

    def _to_row(self, entry: Entry) -> Row | None:
        try:
            return to_row(entry)
        except (ValueError, TypeError) as problem:
            self._refuse(entry.call, problem)
            return None

    def _write(self, rows: list[Row]) -> None:
        """Store `rows`, however long it takes; only closing ends the tries."""
        todo = [rows] if rows else []
        while todo:
            chunk = todo.pop()
            try:
                self._store.write(chunk)
            except _BAD_ROW as problem:
                if len(chunk) == 1:
                    self._refuse(chunk[0].call, problem)
                else:
                    todo += [[row] for row in reversed(chunk)]
            except _DATABASE_REFUSES as problem:
                self._store.close()
                todo.append(chunk)
                if not self._wait_for_database(problem):
                    self._refused += sum(map(len, todo))
                    return
            else:
                self._written()

    def _refuse(self, call: CallKnown, problem: Exception) -> None:
        """Drop a line that can never be stored, so that it does not hold up the others; say so once per call."""
        self._refused += 1
        self._lost_told += 1
        if not call.has_refused_lines:
            call.has_refused_lines = True
            log.error("lines of call %r cannot be stored in the journal: %s", call.id, type(problem).__name__)

    def _wait_for_database(self, problem: Exception) -> bool:
        """Say once that the database refuses, and pause; False when the journal is closing and time is up."""
        now = time.monotonic()
        if self._refusing_since is None:
            self._refusing_since = now
            self._pause = self._commit_every
            log.error(
                "the journal cannot be written: %s. Calls go on; %d lines may wait in memory, further ones are lost "
                "until it can be written again, which is tried all the time",
                reason(problem) if isinstance(problem, DBAPIError) else problem,
                self._room,
            )
        if self._closing.is_set():
            time.sleep(min(0.1, max(0.0, self._give_up_at - now)))
            return time.monotonic() < self._give_up_at
        self._closing.wait(self._pause)
        self._pause = min(2 * self._pause, RETRY_MOST_S)
        return True

    def _written(self) -> None:
        if self._refusing_since is not None:
            log.warning("the journal is written again after %.1f s", time.monotonic() - self._refusing_since)
            self._refusing_since = None
            self._tell_losses_at = 0.0
        if self.lost > self._lost_told and time.monotonic() >= self._tell_losses_at:
            self._tell_losses()

    def _tell_losses(self) -> None:
        new = self.lost - self._lost_told
        if new:
            self._lost_told += new
            self._tell_losses_at = time.monotonic() + TELL_LOSSES_EVERY_S
            log.error(
                "the journal lost %d lines that it could not write in time; the calls concerned are marked incomplete",
                new,
            )

    def _keep_retention(self) -> None:
        if not self._keep_days or time.monotonic() < self._retention_due or self._closing.is_set():
            return
        deleted = 0
        try:
            deleted = purge(self._store.connection(), self._keep_days, time.time())
        except _DATABASE_REFUSES as problem:
            self._store.close()  # the next write will say so if it lasts
            log.debug("old calls could not be deleted: %s", type(problem).__name__)
        if deleted:
            log.info("deleted %d calls older than %d days from the journal", deleted, self._keep_days)
        there_may_be_more = deleted == CALLS_AT_ONCE
        self._retention_due = time.monotonic() + (0.0 if there_may_be_more else RETENTION_EVERY_S)


_BAD_ROW = (IntegrityError, DataError, ValueError, TypeError, OverflowError)
"""The database (or its driver) will not take this very row; trying again is no use."""

_DATABASE_REFUSES = (SQLAlchemyError, SettingsError, JournalGoneError, OSError)
"""The database takes nothing at present."""
