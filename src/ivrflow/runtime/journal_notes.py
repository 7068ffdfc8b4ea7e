"""What calls left beside their course, for whoever asks: scores of surveys, messages in a box, the agents of a call."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from ivrflow.runtime.journal_database import JournalDatabase
from ivrflow.runtime.journal_tables import agent_legs, calls, messages, scores


class StoredScore(NamedTuple):
    """What a caller gave: `score` of `most`, at `noted_at` (Unix time)."""

    call: str
    survey: str
    score: int
    most: int
    noted_at: float


class StoredMessage(NamedTuple):
    """A message a caller left: `seconds` long, kept at `kept_at` (Unix time). With `call` it names the recording."""

    call: str
    ticket: int
    box: str
    seconds: float
    kept_at: float


class StoredLeg(NamedTuple):
    """Once that an agent was sought, see `journal_legs`. Times in seconds; `sought_after`: from the call's beginning."""

    call: str
    number: int
    queue: str
    extension: str
    agent: str
    sought_after: float
    waited: float
    ending: str
    rang: float | None
    talked: float
    held: float
    transfers: int
    ended_by: str


class JournalNotes:
    """Reads them. Every method sees one moment of the journal, and raises `SettingsError` when it cannot be read."""

    def __init__(self, url: str) -> None:
        """Say which journal.

        Raises:
            SettingsError: `url` is no database URL, or there is no journal there.
        """
        self._database = JournalDatabase(url)

    def scores(
        self, *, since: float | None = None, until: float | None = None, flow: str | None = None
    ) -> list[StoredScore]:
        """Scores by time, the earliest first.

        Args:
            since: only those noted at this Unix time or later.
            until: only those before it.
            flow: only those of calls of this flow.
        """
        wanted = select(*(scores.c[name] for name in StoredScore._fields)).order_by(scores.c.noted_at, scores.c.call)
        if since is not None:
            wanted = wanted.where(scores.c.noted_at >= since)
        if until is not None:
            wanted = wanted.where(scores.c.noted_at < until)
        if flow is not None:
            wanted = wanted.join(calls, calls.c.call == scores.c.call).where(calls.c.flow == flow)
        with self._database.reading() as connection:
            return [StoredScore._make(row) for row in connection.execute(wanted)]

    def messages(self, *, box: str | None = None, call: str | None = None) -> list[StoredMessage]:
        """Messages by time, the earliest first; only those of a box, or of a call."""
        wanted = select(*(messages.c[name] for name in StoredMessage._fields))
        if box is not None:
            wanted = wanted.where(messages.c.box == box)
        if call is not None:
            wanted = wanted.where(messages.c.call == call)
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(messages.c.kept_at, messages.c.call, messages.c.ticket))
            return [StoredMessage._make(row) for row in rows]

    def agents(self, call: str) -> list[StoredLeg]:
        """The agents sought on a call that is over, in order."""
        wanted = select(*(agent_legs.c[name] for name in StoredLeg._fields)).where(agent_legs.c.call == call)
        with self._database.reading() as connection:
            return [StoredLeg._make(row) for row in connection.execute(wanted.order_by(agent_legs.c.number))]

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()
