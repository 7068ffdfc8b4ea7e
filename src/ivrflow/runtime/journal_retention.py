"""Deleting what is older than the operator wants to keep."""

from __future__ import annotations

from sqlalchemy import Connection, delete, exists, select

from ivrflow.runtime.journal_tables import (
    agent_legs,
    call_figures,
    callback_tries,
    callbacks,
    calls,
    flow_versions,
    happenings,
    judgements,
    messages,
    promises,
    prompt_catalogues,
    scores,
    tags,
)

CALLS_AT_ONCE = 200
"""How many calls one transaction deletes, so that a live engine never waits long for its turn to write."""


def purge(connection: Connection, older_than_days: float, now: float, *, at_most: int = CALLS_AT_ONCE) -> int:
    """Delete calls that arrived more than `older_than_days` before `now` (Unix time), with all that belongs to them.

    A call stays as long as something promised on it is open and not yet due, or somebody who asked for it on that call is
    still to be called back. Flow versions and prompt catalogues that no call refers to any more go with the last ones.
    SQLite uses the room in the file again; the file does not shrink.

    Returns:
        How many calls were deleted; as many as `at_most` means that there may be more.
    """
    with connection.begin():
        old = select(calls.c.call).where(calls.c.arrived_at < now - older_than_days * 86_400)
        is_open = (promises.c.kept_at.is_(None), promises.c.dropped_at.is_(None), promises.c.due_at > now)
        old = old.where(~exists().where(promises.c.call == calls.c.call, *is_open))
        is_waited_for = (callbacks.c.call == calls.c.call, callbacks.c.state.in_(("waiting", "placed")))
        old = old.where(~exists().where(*is_waited_for))
        doomed = list(connection.scalars(old.order_by(calls.c.arrived_at).limit(at_most)))
        called_back = select(callbacks.c.id).where(callbacks.c.call.in_(doomed))
        connection.execute(delete(callback_tries).where(callback_tries.c.callback.in_(called_back)))
        for table in (
            happenings,
            judgements,
            call_figures,
            agent_legs,
            scores,
            messages,
            callbacks,
            promises,
            tags,
            calls,
        ):
            connection.execute(delete(table).where(table.c.call.in_(doomed)))
        if doomed and len(doomed) < at_most:
            for table, reference in (
                (flow_versions, calls.c.flow_version),
                (prompt_catalogues, calls.c.prompt_catalogue),
            ):
                connection.execute(delete(table).where(~exists().where(reference == table.c.digest)))
    return len(doomed)
