"""One load on an open PBX, from the first call to its figures: who calls, who is listened to, journal, what is left."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ivrflow.runtime.journal_reader import JournalReader, StoredEnding
from ivrflow.scenario.judging.judgement import judge
from ivrflow.scenario.load.load import ANSWERED_WITHIN_S, LoadListener, OwnLoad
from ivrflow.scenario.load.load_figures import LoadFigures, figures
from ivrflow.scenario.load.load_machine import MachineWatch
from ivrflow.scenario.load.load_records import LoadSize, Tally, together
from ivrflow.scenario.load.sipp_load import SippLoad
from ivrflow.scenario.load.timetable import Timetable
from ivrflow.scenario.pbx.engine_watch import EngineWatch
from ivrflow.scenario.pbx.on_pbx import invite_headers
from ivrflow.scenario.pbx.pbx_stage import PbxStage
from ivrflow.scenario.pbx.saying import sound_of
from ivrflow.scenario.run.run import CannotRun
from ivrflow.scenario.script import Say, Scenario
from ivrflow.settings import Settings, SettingsError
from ivrflow.softphone.call import PhoneError
from ivrflow.softphone.codecs import Samples
from ivrflow.softphone.softphone import SoftPhone

JOURNALED_WITHIN_S = 10.0
"""Seconds after the last call in which the ending of every call must be in the journal."""

_LOOK_EVERY_S = 0.25
"""Seconds between two looks into the journal: as often as the engine writes to it."""

Caller: TypeAlias = Literal["own", "sipp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOrder:
    """What is asked for.

    Attributes:
        scenario: whose caller.
        table: what each call does when.
        size: how many calls, and how many of them are listened to.
        caller: who places those that are not: our own phone, or SIPp.
        settings: where engine, manager and journal are.
        watched: whether these belong to the PBX that is called.
    """

    scenario: Scenario
    table: Timetable
    size: LoadSize
    caller: Caller
    settings: Settings
    watched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a load came to.

    Attributes:
        figures: what it showed.
        left_behind: what was left on the PBX or in the engine, a clause each.
        remarks: what could not be looked at, a sentence each.
        stopped: whether it was stopped before its end.
    """

    figures: LoadFigures
    left_behind: tuple[str, ...]
    remarks: tuple[str, ...]
    stopped: bool


async def load(order: LoadOrder, stage: PbxStage, listener: LoadListener) -> Loaded:
    """Place all calls, wait until the last one is over, and put the figures together.

    Cancelled, it hangs up what is left and returns what was measured so far.

    Raises:
        CannotRun: not even one call was answered, or SIPp cannot be used; says why.
        PhoneError: a sound is missing, or no port for SIP is free.
    """
    async with stage.cast.load_phone() as phone:
        return await _Session(order, stage, phone, listener).run()


class _Session:
    def __init__(self, order: LoadOrder, stage: PbxStage, phone: SoftPhone, listener: LoadListener) -> None:
        self._order = order
        self._stage = stage
        self._phone = phone
        self._remarks: list[str] = []
        tallies = _Tallies(listener)
        scenario, size = order.scenario, order.size
        self._sipp: SippLoad | None = None
        own_size = size
        if order.caller == "sipp":
            own_size = _spread_over(size)
            self._sipp = SippLoad(
                scenario=scenario,
                table=order.table,
                size=replace(size, calls=size.calls - own_size.calls, most=size.most - own_size.calls, listen=0),
                accounts=stage.cast.accounts,
                local_ip=stage.cast.local_ip,
                listener=tallies.of("sipp"),
                voice=self._voice,
                headers=invite_headers(scenario),
            )
        self._own = OwnLoad(
            scenario=scenario,
            table=order.table,
            size=own_size,
            phone=phone,
            listener=tallies.of("own"),
            headers=invite_headers(scenario),
            voice=self._voice,
            play=stage.play,
            judge=judge,
        )

    async def run(self) -> Loaded:
        if self._sipp is not None:
            await self._probe()
        settings, watched = self._order.settings, self._order.watched
        machine = MachineWatch(
            live=self._live,
            engine=EngineWatch(settings.agi_port, settings.agi_host) if watched else None,
            pbx=EngineWatch(settings.ami_port, settings.ami_host) if watched else None,
            caller=None if self._sipp is None else self._sipp_process,
            pacer_late=self._pacer_late,
        )
        stopped = False
        began_at = time.time()
        async with machine:
            try:
                await self._place()
            except asyncio.CancelledError:
                stopped = True
                this = asyncio.current_task()
                assert this is not None
                this.uncancel()  # what follows takes a moment, and is what was asked for
        side = self._own.side(began_at)
        if self._sipp is not None:
            side = together(self._sipp.side(), side)
        endings = await self._endings(began_at, side.answered)
        shown = figures(self._order.scenario, side, endings, machine.samples)
        left = await self._stage.left_behind()
        return Loaded(figures=shown, left_behind=left, remarks=tuple(self._remarks), stopped=stopped)

    # ── calls ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _probe(self) -> None:
        """One call of our own: what it finds out SIPp would tell late and badly.

        Raises:
            CannotRun: it was not answered.
        """
        try:
            call = self._phone.dial(self._order.scenario.number, headers=invite_headers(self._order.scenario))
            await call.wait_answered(ANSWERED_WITHIN_S)
            await call.hang_up()
        except PhoneError as problem:
            raise CannotRun(f"a call that was to show whether all is well came to nothing: {problem}") from problem

    async def _place(self) -> None:
        if self._sipp is None:
            await self._own.run()
            return
        try:
            async with asyncio.TaskGroup() as callers:
                callers.create_task(self._sipp.run())
                callers.create_task(self._own.run())
        except* CannotRun as several:
            raise several.exceptions[0] from None

    def _voice(self, step: Say) -> Samples:
        return sound_of(step, self._stage.sounds)

    # ── what is looked at meanwhile ───────────────────────────────────────────────────────────────────────────────────

    def _live(self) -> int:
        return self._own.now_live + (0 if self._sipp is None else self._sipp.now_live)

    def _sipp_process(self) -> int | None:
        return None if self._sipp is None else self._sipp.pid

    def _pacer_late(self) -> float:
        """Seconds by which our audio was late at worst since this was asked last."""
        pacer = self._stage.cast.pacer
        late, pacer.latest_s = pacer.latest_s, 0.0
        return late

    # ── afterwards ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _endings(self, since: float, answered: int) -> list[StoredEnding] | None:
        """The journal of these calls, once their endings are written; None when there is none."""
        if not self._order.watched:
            return None
        try:
            reader = JournalReader(self._order.settings.journal)
        except SettingsError as problem:
            self._remarks.append(str(problem))
            return None
        until, flow = time.time(), self._order.scenario.flow.id
        try:
            while True:
                endings = await asyncio.to_thread(reader.endings, since=since, until=until, flow=flow)
                missing = answered - sum(ending.outcome is not None for ending in endings)
                if missing <= 0 or time.time() > until + JOURNALED_WITHIN_S:
                    return endings
                await asyncio.sleep(_LOOK_EVERY_S)
        except SettingsError as problem:
            self._remarks.append(str(problem))
            return None
        finally:
            reader.close()


def _spread_over(size: LoadSize) -> LoadSize:
    """The calls that are listened to, spread over the time in which all are placed; SIPp has at least one."""
    listen = min(size.listen, size.calls - 1, size.most - 1)
    return LoadSize(calls=listen, rate=max(listen, 1) * size.rate / size.calls, most=max(listen, 1), listen=listen)


class _Tallies:
    """Counts of several callers, told as one."""

    def __init__(self, listener: LoadListener) -> None:
        self._listener = listener
        self._latest: dict[str, Tally] = {}

    def of(self, name: str) -> LoadListener:
        return _Part(self, name)

    def counted(self, name: str, tally: Tally) -> None:
        self._latest[name] = tally
        parts = list(self._latest.values())
        self._listener.counted(
            Tally(
                sum(part.planned for part in parts),
                sum(part.placed for part in parts),
                sum(part.live for part in parts),
                sum(part.well for part in parts),
                sum(part.failed for part in parts),
            )
        )


class _Part:
    def __init__(self, tallies: _Tallies, name: str) -> None:
        self._tallies = tallies
        self._name = name

    def counted(self, tally: Tally) -> None:
        self._tallies.counted(self._name, tally)
