"""The journal's tables, and how a database that holds them is opened: SQLite in a file, or what a URL names.

Only types and statements that every database knows. What is peculiar to SQLite stands in `_prepare_sqlite`.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Double,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    case,
    create_engine,
    delete,
    event,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from ivrflow.settings import SettingsError

log = logging.getLogger("ivrflow.journal")

LAYOUT = 2
"""Version of the tables below. A later ivrflow may read an older layout; an older one must not touch a newer.

1: calls, happenings, judgements. 2: also promises, tags and what each call counts for in a report.
"""

BUSY_S = 1.0
"""Seconds SQLite waits for another process's write before it calls the database locked."""

WAL_LIMIT_BYTES = 64 * 1024 * 1024
"""Size to which SQLite cuts its write-ahead log once readers let it."""

_metadata = MetaData()

layout_table = Table("journal_layout", _metadata, Column("version", Integer, primary_key=True))

flow_versions = Table(
    "flow_versions",
    _metadata,
    Column(
        "digest", String, primary_key=True
    ),  # SHA-256 of what follows: every edit of a flow is one row, for all calls
    Column("source", Text, nullable=False),  # JSON: file name to text, enough to compile the flow again
    Column(
        "phrases", Text, nullable=False
    ),  # JSON: phrase key to text, readable even when the source no longer compiles
)

prompt_catalogues = Table(
    "prompt_catalogues",
    _metadata,
    Column("digest", String, primary_key=True),
    Column("prompts", Text, nullable=False),  # JSON: which wordings existed as audio, and how long they were
)

calls = Table(
    "calls",
    _metadata,
    Column("call", String, primary_key=True),
    Column("flow", String, nullable=False),
    Column("arrived_at", Double, nullable=False),  # Unix time, seconds
    Column("flow_version", ForeignKey(flow_versions.c.digest), nullable=False),
    Column("prompt_catalogue", ForeignKey(prompt_catalogues.c.digest), nullable=False),
    # What follows is written when the call is over, and empty for one that never got there.
    Column("outcome", String),
    Column("ended_by", String),
    Column("lines", Integer),  # how many happenings there were, stored or not
    Column("trace", LargeBinary),  # zlib, JSON: could be had by replay, but who asks seldom has this version at hand
    Column("verdicts", LargeBinary),  # zlib, JSON: all of them, in the standard's order
    Index("calls_by_arrival", "arrived_at"),
)

happenings = Table(
    "happenings",
    _metadata,
    Column("call", String, primary_key=True),
    Column("number", Integer, primary_key=True),  # 1, 2, 3 …: a gap is a line that was lost
    Column("at", Double, nullable=False),  # session time in seconds, exactly as the session was given it
    Column("event", Text, nullable=False),  # JSON
    Column("actions", Text, nullable=False),  # JSON
    sqlite_with_rowid=False,  # stored in the order of its key: one tree instead of two
)

judgements = Table(
    "judgements",
    _metadata,
    Column("call", String, primary_key=True),
    Column("rule", String, primary_key=True),
    Column("judgement", String, nullable=False),  # kept or broken; a rule that did not apply has no row
    sqlite_with_rowid=False,
)

call_figures = Table(
    "call_figures",
    _metadata,
    # What a report counts of a call that is over, beside `calls` because that is wide: traces are read one at a time.
    Column("arrived_at", Double, primary_key=True),  # Unix time, seconds
    Column("call", String, primary_key=True),
    Column("flow", String, nullable=False),
    Column("direction", String, nullable=False),  # in, or out for one that we placed
    Column("outcome", String, nullable=False),
    Column("ended_by", String, nullable=False),
    Column("lasted", Double, nullable=False),  # all times: seconds
    Column("answered_after", Double),  # from the arrival; none when the line never opened
    Column("agents_rung", Integer, nullable=False),
    Column("agents_answered", Integer, nullable=False),
    Column("agent_after", Double),  # from the first ringing of an agent to the first answer of one
    Index("call_figures_by_call", "call"),
    sqlite_with_rowid=False,  # stored in the order of its key, by arrival: a month is read in one go
)

promises = Table(
    "promises",
    _metadata,
    Column("id", String, primary_key=True),  # the call, a slash, a number; ".2" and so on for what is owed after it
    Column("matter", String, nullable=False),  # id of the first promise of the same matter
    Column("call", String, nullable=False),
    Column("flow", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("about", String, nullable=False),  # enquiry, complaint or other
    Column("owed_by", String, nullable=False),
    Column("made_at", Double, nullable=False),  # all moments: Unix time, seconds
    Column("due_at", Double, nullable=False),
    Column("counted", String, nullable=False),  # how the due time was counted, in words
    Column("repeats_h", Double, nullable=False),  # owed again so many hours after it was kept; 0 not
    Column("then_h", Double, nullable=False),  # somebody else owes an answer so many hours after that; 0 nobody does
    Column("then_owed_by", String, nullable=False),
    Column("kept_at", Double),
    Column("kept_by", String),
    Column("kept_by_call", String),  # the call that gave the answer
    Column("satisfied", Integer),  # 1 yes, 0 no; nothing when nobody asked
    Column("dropped_at", Double),
    Column("dropped_by", String),
    Column("why", String),
    Index("promises_by_call", "call"),
    Index("promises_by_due_time", "due_at"),
    Index("promises_by_making", "made_at"),
)

tags = Table(
    "tags",
    _metadata,
    Column("subject", String, primary_key=True),  # a call, or a promise
    Column("tag", String, primary_key=True),
    Column("call", String, nullable=False),
    Index("tags_by_call", "call"),
)


def database_url(text: str) -> URL:
    """Parse a database URL.

    Raises:
        SettingsError: it is none, or names an SQLite database in memory (which no reader could ever see).
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise SettingsError("IVRFLOW_JOURNAL: it is not a database URL; for a file write sqlite:///PATH") from None
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        raise SettingsError("IVRFLOW_JOURNAL: it names no file; write sqlite:///PATH")
    return url


def shown(url: URL) -> str:
    """The URL as people may see it: a file's path, or the URL without its password."""
    return str(sqlite_file(url) or url.render_as_string(hide_password=True))


def sqlite_file(url: URL) -> Path | None:
    """The file behind an SQLite URL; None for another database."""
    return Path(url.database).absolute() if url.get_backend_name() == "sqlite" and url.database else None


def writing_engine(url: URL) -> Engine:
    """Open the database for writing; make an SQLite file that is not there yet, readable by its owner alone.

    Raises:
        SettingsError: there is no driver for such a URL, or the file cannot be made.
    """
    file = sqlite_file(url)
    if file is None:
        return _engine(url)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(
            os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        )  # SQLite's own files beside it follow suit
    except OSError as problem:
        why = f"{file.parent} is no folder" if isinstance(problem, FileExistsError) else problem.strerror
        raise SettingsError(
            f"IVRFLOW_JOURNAL: {file} cannot be written: {why}; name another place, or mend this one"
        ) from problem
    return _prepare_sqlite(file, begin="BEGIN IMMEDIATE", pragmas=_WRITER_PRAGMAS)


def reading_engine(url: URL) -> Engine:
    """Open the database for reading only.

    Raises:
        SettingsError: there is no journal there.
    """
    file = sqlite_file(url)
    if file is None:
        return _engine(url)
    if not file.is_file():
        raise SettingsError(
            f"there is no journal at {file} yet; `ivrflow serve` makes it, or name another one in IVRFLOW_JOURNAL"
        )
    return _prepare_sqlite(file, begin="BEGIN", pragmas=_READER_PRAGMAS)


_WRITER_PRAGMAS = (
    # Readers never stop the writer nor it them, and a kill leaves at worst an unfinished tail that is cut off on opening.
    "PRAGMA journal_mode=WAL",
    # A commit is on the disk before it returns. For a killed process NORMAL would do (what was written is the kernel's
    # by then), but when the machine itself loses power NORMAL may lose everything since the last checkpoint: minutes.
    # FULL costs one flush per commit, four a second at most, on a thread that nobody waits for.
    "PRAGMA synchronous=FULL",
    f"PRAGMA journal_size_limit={WAL_LIMIT_BYTES}",
    "PRAGMA foreign_keys=ON",
)

_READER_PRAGMAS = ("PRAGMA query_only=ON",)


def _prepare_sqlite(file: Path, *, begin: str, pragmas: tuple[str, ...]) -> Engine:
    """An engine on an existing file whose transactions begin with `begin`.

    The driver would begin a transaction only at the first write and then, in WAL mode, fail at once when somebody else
    wrote in between; so its own bookkeeping is switched off and the transaction begun in words.
    """

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            file.as_uri() + "?mode=rw", uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in pragmas:
                connection.execute(pragma).fetchall()
        except BaseException:
            connection.close()
            raise
        return connection

    engine = _engine(URL.create("sqlite", database=str(file)), creator=connect)

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _engine(url: URL, creator: Callable[[], Any] | None = None) -> Engine:
    options: dict[str, Any] = {"creator": creator} if creator else {}
    try:
        # Parameters are what callers keyed: they stand in no error text.
        return create_engine(url, poolclass=NullPool, hide_parameters=True, **options)
    except NoSuchModuleError:
        raise SettingsError(
            f"IVRFLOW_JOURNAL: no database is called '{url.drivername}'; write sqlite:///PATH"
        ) from None
    except ModuleNotFoundError as missing:
        raise SettingsError(
            f"IVRFLOW_JOURNAL: {url.drivername} needs the Python package '{missing.name}'; install it, or write "
            "sqlite:///PATH"
        ) from missing


def prepare(engine: Engine, url: URL) -> None:
    """Make the tables in an empty database; in any other, make sure that they are ours and of this layout.

    Raises:
        SettingsError: another program's database, a newer layout, or a database that cannot be used.
    """
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
                if mode != "wal":
                    raise SettingsError(
                        f"IVRFLOW_JOURNAL: {shown(url)} is on a file system without shared memory, where a crash could "
                        "cost more than a second; put it on a local disk"
                    )
            existing = set(inspect(connection).get_table_names())
            if layout_table.name in existing:
                if connection.scalar(select(layout_table.c.version)) == 1:
                    _upgrade_from_1(connection, url)
                check_layout(connection, url)
            elif existing & set(_metadata.tables):
                raise SettingsError(
                    f"IVRFLOW_JOURNAL: {shown(url)} holds another program's tables; name another database"
                )
            else:
                _metadata.create_all(connection)
                connection.execute(insert(layout_table).values(version=LAYOUT))
    except DBAPIError as problem:
        raise SettingsError(unusable(url, problem)) from problem


def _upgrade_from_1(connection: Connection, url: URL) -> None:
    """Make the tables that layout 2 brought, and work out from the happenings what each older call counts for."""
    log.info("the journal %s is brought up to date; with many calls that takes a while", shown(url))
    _metadata.create_all(connection)
    at, told, actions = happenings.c.at, happenings.c.event, happenings.c.actions
    began, answered = func.min(at), case((told.like('{"type":"call_answered"%'), at))
    rang = case((actions.like('%{"type":"ring",%'), at))
    agent = case((told.like('{"type":"agent_answered"%'), at))
    placed = func.count(case((told.like('{"type":"call_ordered"%'), 1)))
    worked_out = (
        select(
            calls.c.arrived_at,
            calls.c.call,
            calls.c.flow,
            case((placed > 0, "out"), else_="in"),
            calls.c.outcome,
            func.coalesce(calls.c.ended_by, ""),
            func.max(at) - began,
            func.min(answered) - began,
            func.count(rang),
            func.count(agent),
            func.min(agent) - func.min(rang),
        )
        .join(happenings, happenings.c.call == calls.c.call)
        .where(calls.c.outcome.is_not(None))
        .group_by(calls.c.call, calls.c.flow, calls.c.arrived_at, calls.c.outcome, calls.c.ended_by)
    )
    connection.execute(delete(call_figures))
    connection.execute(insert(call_figures).from_select([column.name for column in call_figures.columns], worked_out))
    connection.execute(update(layout_table).values(version=LAYOUT))


def check_layout(connection: Connection, url: URL, *, oldest: int = LAYOUT) -> None:
    """Make sure that this ivrflow knows the layout of the tables.

    Args:
        connection: to the database.
        url: of the database, for messages.
        oldest: the oldest layout that will do.

    Raises:
        SettingsError: they are newer or older, or no journal.
    """
    if not inspect(connection).has_table(layout_table.name):
        raise SettingsError(f"IVRFLOW_JOURNAL: {shown(url)} is no journal of ivrflow; name another database")
    version = connection.scalar(select(layout_table.c.version))
    if version is not None and version < oldest:
        raise SettingsError(
            f"IVRFLOW_JOURNAL: {shown(url)} was written by an earlier version of ivrflow (layout {version}, this needs "
            f"{oldest}); `ivrflow serve` brings it up to date when it starts"
        )
    if version is None or version > LAYOUT:
        raise SettingsError(
            f"IVRFLOW_JOURNAL: {shown(url)} was written by another version of ivrflow (layout {version}, this one knows "
            f"{LAYOUT}); use that version, or name another database"
        )


def unusable(url: URL, problem: DBAPIError) -> str:
    """What to tell the operator about a database that refuses; without SQL and without parameters."""
    return f"IVRFLOW_JOURNAL: {shown(url)} cannot be used: {reason(problem)}; mend it, or name another database"


def is_locked(problem: BaseException | None) -> bool:
    """Whether an SQLite database refused because somebody else is writing."""
    code = getattr(getattr(problem, "orig", None), "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY  # the bits above say why it is


def reason(problem: DBAPIError) -> str:
    """The database's own words, first line: the rest may quote values."""
    words = str(problem.orig).strip()
    return words.splitlines()[0] if words else type(problem.orig).__name__
