"""Making the journal's tables, and bringing those of an earlier version up to date."""

from __future__ import annotations

import logging
import zlib

import msgspec
from sqlalchemy import URL, Connection, Engine, case, delete, func, insert, inspect, select, update
from sqlalchemy.exc import DBAPIError

from ivrflow.engine.messages import Action, CallEvent
from ivrflow.engine.trace import TraceLine
from ivrflow.runtime.journal_figures import leg_rows
from ivrflow.runtime.journal_legs import AgentsSeen
from ivrflow.runtime.journal_tables import (
    LAYOUT,
    agent_legs,
    call_figures,
    calls,
    check_layout,
    happenings,
    layout_table,
    metadata,
    shown,
    unusable,
)
from ivrflow.settings import SettingsError

log = logging.getLogger("ivrflow.journal")


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
                version = connection.scalar(select(layout_table.c.version))
                if version in {1, 2}:
                    _upgrade(connection, url, version)
                check_layout(connection, url)
            elif existing & set(metadata.tables):
                raise SettingsError(
                    f"IVRFLOW_JOURNAL: {shown(url)} holds another program's tables; name another database"
                )
            else:
                metadata.create_all(connection)
                connection.execute(insert(layout_table).values(version=LAYOUT))
    except DBAPIError as problem:
        raise SettingsError(unusable(url, problem)) from problem


def _upgrade(connection: Connection, url: URL, version: int) -> None:
    log.info("the journal %s is brought up to date; with many calls that takes a while", shown(url))
    if version == 2:  # before the tables are made: layout 1 had no such table
        connection.exec_driver_sql("ALTER TABLE promises ADD COLUMN failed_at DOUBLE PRECISION")
    metadata.create_all(connection)
    if version == 1:
        _work_out_figures(connection)
    _work_out_agents(connection)
    connection.execute(update(layout_table).values(version=LAYOUT))


def _work_out_figures(connection: Connection) -> None:
    """Layout 2: what each older call counts for, from its happenings."""
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


def _work_out_agents(connection: Connection) -> None:
    """Layout 3: the agents of each older call, from its happenings and its trace."""
    for call in connection.scalars(select(call_figures.c.call).where(call_figures.c.agents_rung > 0)).all():
        trace = connection.scalar(select(calls.c.trace).where(calls.c.call == call))  # one at a time: there may be many
        seen = AgentsSeen()
        told = select(happenings).where(happenings.c.call == call).order_by(happenings.c.number)
        for line in connection.execute(told):
            event = msgspec.json.decode(line.event, type=CallEvent)
            seen.happened(line.at, event, msgspec.json.decode(line.actions, type=tuple[Action, ...]))
        lines = msgspec.json.decode(zlib.decompress(trace), type=tuple[TraceLine, ...]) if trace else ()
        rows = leg_rows(call, seen, lines)
        if rows:
            connection.execute(insert(agent_legs), rows)
