"""The journal's database for whoever asks or notes something beside the engine's writer: one short transaction each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, select
from sqlalchemy.exc import DBAPIError

from ivrflow.runtime.journal_layout import prepare
from ivrflow.runtime.journal_tables import check_layout, database_url, reading_engine, unusable, writing_engine
from ivrflow.settings import SettingsError

_AT_ONCE = 500
_NAMED_IN_ERRORS = 4


class JournalDatabase:
    """Opened for reading at once, for writing when that is first asked for."""

    def __init__(self, url: str) -> None:
        """Say which.

        Raises:
            SettingsError: `url` is no database URL, or there is no journal there.
        """
        self._url = database_url(url)
        self._reader = reading_engine(self._url)
        self._writer: Engine | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that changes nothing.

        Raises:
            SettingsError: the journal cannot be read.
        """
        with self._transaction(self._reader) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, kept when its block ends without an error.

        Raises:
            SettingsError: the journal cannot be written.
        """
        if self._writer is None:
            self._writer = writing_engine(self._url)
            prepare(self._writer, self._url)
        with self._transaction(self._writer) as connection:
            yield connection

    def close(self) -> None:
        """Let go of the database."""
        self._reader.dispose()
        if self._writer is not None:
            self._writer.dispose()

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        try:
            with engine.begin() as connection:
                check_layout(connection, self._url)
                yield connection
        except DBAPIError as problem:
            raise SettingsError(unusable(self._url, problem)) from problem


def find_row(
    connection: Connection,
    table: Table,
    wanted: str,
    is_open: Callable[[Row[Any]], bool],
    missing: Callable[[str], Exception],
) -> Row[Any]:
    """The row meant: by its whole id, else by its beginning, where an open one goes before those settled.

    Args:
        connection: to the journal.
        table: has a column `id`, and is called what its rows are: "promises".
        wanted: what somebody wrote.
        is_open: whether a row is not settled yet.
        missing: the error that says that none, or more than one, is meant; it is raised.
    """
    things = table.name
    thing = things.removesuffix("s")
    if not wanted:
        raise missing(f"no {thing} is named; `ivrflow {things}` lists them")
    exact = connection.execute(select(table).where(table.c.id == wanted)).all()
    likely = select(table).where(table.c.id.startswith(wanted, autoescape=True)).order_by(table.c.id)
    # LIKE takes capitals for small letters on some databases.
    rows = exact or [row for row in connection.execute(likely.limit(_AT_ONCE)) if row.id.startswith(wanted)]
    if not rows:
        raise missing(f"no {thing} is called '{wanted}'; `ivrflow {things} --all` lists them")
    if len(rows) > 1:
        rows = [row for row in rows if is_open(row)] or rows
    if len(rows) > 1:
        named = ", ".join(row.id for row in rows[:_NAMED_IN_ERRORS]) + (", …" if len(rows) > _NAMED_IN_ERRORS else "")
        raise missing(f"'{wanted}' is the beginning of several {things}: {named}; write one more character")
    return rows[0]
