"""Deleting what is older than the operator wants to keep."""

from __future__ import annotations

from sqlalchemy import Connection, delete, exists, select

from ivrflow.runtime.journal_tables import calls, flow_versions, happenings, judgements, prompt_catalogues

CALLS_AT_ONCE = 200
"""How many calls one transaction deletes, so that a live engine never waits long for its turn to write."""


def purge(connection: Connection, older_than_days: float, now: float, *, at_most: int = CALLS_AT_ONCE) -> int:
    """Delete calls that arrived more than `older_than_days` before `now` (Unix time), with all that belongs to them.

    Flow versions and prompt catalogues that no call refers to any more go with the last ones. SQLite uses the room in
    the file again; the file does not shrink.

    Returns:
        How many calls were deleted; as many as `at_most` means that there may be more.
    """
    with connection.begin():
        old = select(calls.c.call).where(calls.c.arrived_at < now - older_than_days * 86_400)
        doomed = list(connection.scalars(old.order_by(calls.c.arrived_at).limit(at_most)))
        for table in (happenings, judgements, calls):
            connection.execute(delete(table).where(table.c.call.in_(doomed)))
        if doomed and len(doomed) < at_most:
            for table, reference in (
                (flow_versions, calls.c.flow_version),
                (prompt_catalogues, calls.c.prompt_catalogue),
            ):
                connection.execute(delete(table).where(~exists().where(reference == table.c.digest)))
    return len(doomed)
