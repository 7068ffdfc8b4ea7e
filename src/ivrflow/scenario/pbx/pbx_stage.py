"""The PBX as a stage: everything a run needs to play scenarios there, opened once, and closed whatever happens.

Scenarios with agents of queues are played one after the other on one PBX. With several, each with an engine and
telephones of its own, as many are played at once; what costs much, the recordings and who recognises them, is theirs together.

The phones are needed; the manager connection, the journal and a look at the engine's process are used where they belong to
this PBX and can be had. What cannot be looked at is said in words, once, and nothing is guessed instead.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import time
from collections.abc import AsyncIterator, Hashable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ivrflow.runtime.journal_reader import JournalReader
from ivrflow.scenario.observation import Observation
from ivrflow.scenario.pbx import on_pbx
from ivrflow.scenario.pbx.analysis import AnalysisPool
from ivrflow.scenario.pbx.cast import Cast
from ivrflow.scenario.pbx.engine_watch import EngineWatch, ProcessState
from ivrflow.scenario.pbx.hearing import composed_sounds, load_sounds
from ivrflow.scenario.pbx.pbx_watch import Channel, PbxWatch
from ivrflow.scenario.pbx.queue_duty import waits_in_a_queue
from ivrflow.scenario.pbx.sip_access import SipAccess, password_variable, sip_access
from ivrflow.scenario.script import Scenario
from ivrflow.settings import ENV_FILE, Settings, SettingsError, given_values, read_settings, variable
from ivrflow.softphone.call import PhoneError, Unreachable
from ivrflow.softphone.codecs import Samples
from ivrflow.softphone.pacer import Pacer
from ivrflow.softphone.repertoire import Repertoire
from ivrflow.softphone.softphone import RegistrationRefused

WRONG_PASSWORD = frozenset({401, 407})
"""SIP statuses that refuse a password, not a registration: an account that calls need not be one that may register."""

ANSWERS_WITHIN_S = 4.0
"""Seconds in which a PBX that is there answers."""

GARBAGE_THRESHOLDS = (10_000, 20, 100)
"""Of Python's garbage collector, by generation: the packets of a call are freed without it."""

GONE_WITHIN_S = 3.0
"""Seconds after the last call in which everything must be gone."""

LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class StageWishes:
    """What a tester asked for.

    Attributes:
        pbx: "HOST[:PORT]" of somebody's own; None for the PBX of this machine.
        account: the SIP account that calls.
        audio: the folder for the sound of the calls; None when nobody wants it.
        lanes: files with the settings of further PBXs of this machine, each with an engine of its own; what one of them
            does not name is as in the environment.
    """

    pbx: str | None = None
    account: str = "caller"
    audio: Path | None = None
    lanes: tuple[Path, ...] = ()


@dataclass(slots=True, kw_only=True)
class PbxStage:
    """The open stage.

    Attributes:
        called: which PBX, for people.
        remarks: what cannot be looked at, a sentence each.
    """

    called: str
    remarks: tuple[str, ...]
    _cast: Cast
    _repertoire: Repertoire
    _pool: AnalysisPool
    _watch: PbxWatch | None
    _journal: JournalReader | None
    _engine: EngineWatch | None
    _engine_before: ProcessState | None
    _accounts: frozenset[str]
    _audio: Path | None
    _numbers: itertools.count[int]
    _began: float = field(default_factory=time.time)

    @property
    def cast(self) -> Cast:
        """The phones."""
        return self._cast

    @property
    def sounds(self) -> Mapping[str, Samples]:
        """Every phrase's recording, by key."""
        return self._repertoire.sounds

    async def play(self, scenario: Scenario) -> Observation:
        """Play one; see `on_pbx.play`."""
        return await on_pbx.play(
            scenario,
            self._cast,
            sounds=self._repertoire,
            watch=self._watch,
            journal=self._journal,
            keep_audio=None if self._audio is None else self._audio / str(next(self._numbers)),
            analyse=self._pool,
        )

    def needs(self, scenario: Scenario) -> Mapping[str, Hashable]:
        """In which state each agent's extension and the queues must be.

        Without the manager nobody can share an extension, and nobody ever one that takes the calls of a queue.
        """
        in_queues = {agent.extension for agent in scenario.agents if agent.queues}
        needed: dict[str, Hashable] = {
            phone.extension: phone.manner != "unreachable"
            if self._watch and phone.extension not in in_queues
            else object()
            for phone in scenario.telephones_rung
        }
        if scenario.queues or waits_in_a_queue(scenario):
            needed["queues"] = object() if scenario.queues else "nobody logs in"
        return needed

    async def left_behind(self) -> tuple[str, ...]:
        """What is still there when every call is over, a clause each; waits a moment for it to go."""
        until = time.monotonic() + GONE_WITHIN_S
        while left := await self._left():
            if time.monotonic() >= until:
                break
            await asyncio.sleep(LOOK_EVERY_S)
        return tuple(left)

    async def _left(self) -> list[str]:
        left: list[str] = []
        others = 0
        if self._watch is not None:
            channels = await self._watch.channels()
            ours = [channel for channel in channels if self._is_ours(channel)]
            others = len(channels) - len(ours)
            left += [f"the PBX's channel {channel.name}" for channel in ours]
        if self._engine is not None and self._engine_before is not None:
            now, before = await asyncio.to_thread(self._engine.look), self._engine_before
            if now is None or now.pid != before.pid:
                left.append("an engine that is not the one it was before the run: it ended meanwhile")
            elif (calls := now.connections - before.connections - others) > 0:
                left.append(f"{calls} calls that the engine still has")
        return left

    def _is_ours(self, channel: Channel) -> bool:
        """Whether it is of one of our accounts, and came into being in this run; somebody else's call is none of it."""
        account = channel.name.removeprefix("PJSIP/").rpartition("-")[0]
        return account in self._accounts and channel.since >= self._began - 1.0


@asynccontextmanager
async def pbx_stage(settings: Settings, scenarios: Sequence[Scenario], wishes: StageWishes) -> AsyncIterator[PbxStage]:
    """Open one stage for these scenarios; see `pbx_stages`."""
    async with pbx_stages(settings, scenarios, replace(wishes, lanes=())) as (stage,):
        yield stage


@asynccontextmanager
async def pbx_stages(
    settings: Settings, scenarios: Sequence[Scenario], wishes: StageWishes
) -> AsyncIterator[tuple[PbxStage, ...]]:
    """Open the stages for these scenarios: that of the settings, and one for each further lane.

    Raises:
        SettingsError: a password, a recording or a lane's file is missing, or the PBX's address is none.
        PhoneError: nothing answers at that address, or it refuses the calling account.
    """
    agents = {rung.extension for one in scenarios for rung in one.telephones_rung if rung.manner != "unreachable"}
    lanes = [(settings, sip_access(wishes.pbx, wishes.account, sorted(agents)))]
    for file in wishes.lanes:
        environ = {**os.environ, **given_values({ENV_FILE: str(file)})}
        lanes.append((read_settings(environ), sip_access(None, wishes.account, sorted(agents), environ)))
    sounds, music = load_sounds(settings)
    sounds |= composed_sounds(settings, scenarios)
    no_music = (
        ()
        if music
        else (f"there is no hold music in {settings.music} ({variable('music')}): what is music is called unknown",)
    )
    repertoire = Repertoire(sounds, music)
    pacer, numbers = Pacer(), itertools.count()
    async with AsyncExitStack() as opened:
        stages: list[PbxStage] = []
        pool = AnalysisPool(sounds, music)  # its processes begin with its first work
        for own, access in lanes:
            remarks = [*no_music]
            cast = await opened.enter_async_context(Cast(access.accounts, pacer))
            await _sign_in(cast, access)
            watch = await _watch(own, access, opened, remarks)
            journal = _journal(own, opened, remarks) if watch is not None else None
            engine = EngineWatch(own.agi_port, own.agi_host) if access.watched else None
            before = None if engine is None else await asyncio.to_thread(engine.look)
            if before is None:
                remarks.append("the engine's process was not looked at: it runs elsewhere, or belongs to somebody else")
            stages.append(
                PbxStage(
                    called=access.named,
                    remarks=tuple(remarks),
                    _cast=cast,
                    _repertoire=repertoire,
                    _pool=pool,
                    _watch=watch,
                    _journal=journal,
                    _engine=engine,
                    _engine_before=before,
                    _accounts=frozenset({wishes.account, *agents}),
                    _audio=wishes.audio,
                    _numbers=numbers,
                )
            )
        # Waited for: a pool that is still closing while the interpreter ends writes to a pipe it has just closed.
        opened.push_async_callback(asyncio.to_thread, pool.shutdown, wait=True, cancel_futures=True)
        await pool.warm_up()
        opened.enter_context(_garbage_collected_seldom())
        yield tuple(stages)


@contextmanager
def _garbage_collected_seldom() -> Iterator[None]:
    """Keep the garbage collector from holding up the phones.

    With all flows and scenarios to visit, a full round takes more than a tenth of a second, in which nothing is sent or read.
    """
    usual = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


async def _sign_in(cast: Cast, access: SipAccess) -> None:
    """Find out at once whether anything answers there, and whether it knows our password: better than by every call.

    Raises:
        PhoneError: it does not.
    """
    try:
        await cast.caller.register(within_s=ANSWERS_WITHIN_S)
        await cast.caller.register(0, within_s=ANSWERS_WITHIN_S)  # who only calls need not be found
    except RegistrationRefused as refusal:
        if refusal.status in WRONG_PASSWORD:
            account = access.accounts.caller
            raise PhoneError(
                f"{access.named} refuses the SIP account '{account}': {refusal.status} {refusal.reason}; check its name, "
                f"and its password in {password_variable(account)}"
            ) from None
    except Unreachable:
        raise Unreachable(
            f"nothing answers SIP at {access.named}: start a PBX and an engine with `make run`, name yours with --pbx, or "
            "play without one: --on simulator"
        ) from None


async def _watch(settings: Settings, access: SipAccess, opened: AsyncExitStack, remarks: list[str]) -> PbxWatch | None:
    without = "no situations can be started, nobody looks for channels left behind, and there are no verdicts"
    if not access.watched:
        remarks.append(f"the manager of {access.named} is not known ({variable('ami_host')}): {without}")
    elif not settings.ami_secret:
        remarks.append(f"the manager's secret is not known ({variable('ami_secret')}): {without}")
    else:
        try:
            return await opened.enter_async_context(PbxWatch(settings))
        except SettingsError as problem:
            remarks.append(f"{problem}: {without}")
    return None


def _journal(settings: Settings, opened: AsyncExitStack, remarks: list[str]) -> JournalReader | None:
    try:
        journal = JournalReader(settings.journal, show_personal=True)  # masked where it is shown
    except SettingsError as problem:
        remarks.append(f"{problem}: there are no verdicts, no outcome and no engine's clock")
        return None
    opened.callback(journal.close)
    return journal
