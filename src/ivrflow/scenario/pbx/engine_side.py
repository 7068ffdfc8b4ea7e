"""A call as the engine tells it: read from the journal once the call's ending is stored there."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

from ivrflow.engine.messages import CallBegun
from ivrflow.engine.trace import Fact
from ivrflow.runtime.journal_reader import NoSuchCallError, StoredCall, mask_line
from ivrflow.scenario.observation import EngineSide, noted_among
from ivrflow.scenario.script import HungUpFirst, Scenario

LOOK_EVERY_S = 0.25
"""Seconds between two looks into the journal; the engine writes it four times a second."""

AT_HEADER = "X-Ivrflow-At"
"""SIP header of a tester's INVITE: the local time at which the call is to count as arriving."""


class CallBook(Protocol):
    """Where calls can be looked up; `runtime.journal_reader.JournalReader` is one."""

    def call(self, wanted: str) -> StoredCall:
        """The call of that id; raises `NoSuchCallError`."""


@dataclass(frozen=True, slots=True)
class FromJournal:
    """What the journal has of a call.

    Attributes:
        side: None when it does not know the call, or not its end.
        leak: what the engine did not let go of, in words; empty when it did.
        trouble: why there is no telling, or why what is told is not what was asked for; empty otherwise.
    """

    side: EngineSide | None = None
    leak: str = ""
    trouble: str = ""


async def from_journal(
    journal: CallBook, call: str, scenario: Scenario, phone: tuple[float, float], within_s: float
) -> FromJournal:
    """Wait until the journal has the call's ending, at most so many seconds.

    Args:
        journal: the engine's.
        call: the call's id there: the Uniqueid of the caller's channel.
        scenario: what was played.
        phone: when the caller's phone dialled, or was to be rung, and when the call was answered (monotonic seconds);
            minus infinity for a call that nobody answered.
        within_s: how long its ending may take.

    Raises:
        SettingsError: the journal cannot be read.
    """
    until = time.monotonic() + within_s
    while True:
        try:
            stored = await asyncio.to_thread(journal.call, call)
        except NoSuchCallError:
            stored = None
        if (stored is not None and stored.summary.is_over) or time.monotonic() >= until:
            break
        await asyncio.sleep(LOOK_EVERY_S)
    if stored is None:
        return FromJournal(
            trouble="the journal does not know this call: is it that of the engine which answered, and did an engine answer?"
        )
    trouble = _wrong_clock(stored, scenario)
    if not stored.summary.is_over:
        return FromJournal(leak=f"the engine still holds the call {within_s:g} s after its end", trouble=trouble)
    return FromJournal(_engine_side(stored, *phone), trouble=trouble)


def _engine_side(stored: StoredCall, dialled_at: float, phone_answered_at: float) -> EngineSide:
    return EngineSide(
        call=stored.summary.call,
        answered_at=_answered_at(stored, dialled_at, phone_answered_at),
        trace=tuple(map(mask_line, stored.trace)),
        verdicts=stored.verdicts,
        outcome=stored.summary.outcome,
        hung_up_first=_first_to_hang_up(stored.summary.ended_by),
        noted=noted_among(action for happening in stored.happenings for action in happening.actions),
    )


def _answered_at(stored: StoredCall, dialled_at: float, phone_answered_at: float) -> float:
    """Second of the trace at which the phone was answered.

    An engine on the phone's own machine counts by the same monotonic clock, so that can be told to a millisecond.
    Otherwise what is taken is when the PBX told the engine that the line is open: some 20 ms later, as it waits for the
    phone's first packet, and half a second later for a phone that sends none.
    """
    if stored.happenings and dialled_at <= stored.happenings[0].at <= phone_answered_at:
        return phone_answered_at - stored.happenings[0].at
    return next((line.at for line in stored.trace if line.fact is Fact.ANSWERED), 0.0)


def _first_to_hang_up(ended_by: str | None) -> HungUpFirst | None:
    match ended_by:
        case None:
            return None
        case "caller" | "agent" | "ivrflow":
            return ended_by
        case _:
            return "nobody"


def _wrong_clock(stored: StoredCall, scenario: Scenario) -> str:
    """Why the engine was at another time of day than the scenario; empty when it was not."""
    arrived = next((one.event for one in stored.happenings if isinstance(one.event, CallBegun)), None)
    if scenario.at is None or arrived is None:
        return ""
    wanted = scenario.at.replace(tzinfo=scenario.flow.timezone).timestamp()
    if abs(arrived.arrived_at - wanted) < 1.0:
        return ""
    return (
        f"the engine went by its own clock, not by the scenario's {scenario.at:%Y-%m-%d %H:%M}: "
        "start the engine with IVRFLOW_TEST_CALLS=yes"
    )
