"""A scenario on a PBX: real phones call over SIP and RTP, and everything they heard, said and signalled is observed.

The caller's phone dials; when the call is answered its script begins. Agents' phones that are rung for this caller play
theirs. All of it ends within the scenario's own bound, whatever the PBX does. What was heard is worked out afterwards
and elsewhere (`analysis.py`); what the engine did is read from its journal (`engine_side.py`).
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ivrflow.bridge.orders.giving import NotAsked
from ivrflow.bridge.orders.ordering_calls import Ordering
from ivrflow.bridge.orders.to_place_calls import Answer, CallWanted
from ivrflow.flow.reading.times import written
from ivrflow.scenario.cues import CallEnded
from ivrflow.scenario.observation import Observation, PhoneSide
from ivrflow.scenario.pbx.analysis import AUDIO_ENDING, Analysed, Take, Tape, analysed
from ivrflow.scenario.pbx.cast import AgentPhones, Cast
from ivrflow.scenario.pbx.engine_side import AT_HEADER, CallBook, FromJournal, from_journal
from ivrflow.scenario.pbx.ladder import sip_lines
from ivrflow.scenario.pbx.queue_duty import Duty, during_the_call
from ivrflow.scenario.pbx.refusal import why_no_call
from ivrflow.scenario.pbx.saying import sound_of
from ivrflow.scenario.pbx.scripted_call import ScriptedCall, ended_tasks
from ivrflow.scenario.performer import Performer
from ivrflow.scenario.script import AgentPart, Hear, HearMusic, HearStart, Order, Say, Scenario, Step
from ivrflow.softphone.call import Call, CallGone, CallRefused, NoAnswer, PhoneError
from ivrflow.softphone.codecs import Samples
from ivrflow.softphone.ear import Ear
from ivrflow.softphone.repertoire import Repertoire
from ivrflow.softphone.sip_message import SipProtocolError

ANSWERED_WITHIN_S = 20.0
"""Seconds in which a call must be answered: an engine that works answers in a moment."""

NAMED_WITHIN_S = 5.0
"""Seconds in which the manager connection must know which of the PBX's calls ours is."""

AGENTS_LEAVE_S = 3.0
"""Seconds which agents' calls may outlast the caller's."""

JOURNALED_WITHIN_S = 5.0
"""Seconds after its end in which a call's ending must be in the journal."""

GONE_WITHIN_S = 2.0
"""Seconds after its end in which the PBX must have let go of every channel of a call."""


_NO_MANAGER = "that takes the PBX's manager connection; set IVRFLOW_AMI_HOST, IVRFLOW_AMI_SECRET and the others"


class Watch(Protocol):
    """What a look into the PBX has to tell; `PbxWatch` is one."""

    async def call_of(self, sip_call_id: str, within_s: float) -> str | None:
        """Uniqueid of the call."""

    async def order(self, call: str, order: Order) -> str:
        """Tell ivrflow something about it; why that could not be done, or nothing."""

    async def left_of(self, call: str, within_s: float) -> list[str]:
        """Channels that are left of it."""

    def ordering(self, wanted: CallWanted) -> Ordering:
        """An order to place a call."""

    async def only_in(self, extension: str, queues: Sequence[str]) -> None:
        """Take an agent out of every queue but these."""


async def play(
    scenario: Scenario,
    cast: Cast,
    *,
    sounds: Mapping[str, Samples] | Repertoire,
    music: Sequence[Samples] = (),
    watch: Watch | None = None,
    journal: CallBook | None = None,
    keep_audio: Path | None = None,
    analyse: Executor | None = None,
) -> Observation:
    """Play it, and tell what was observed. Cancelled, it hangs up everything of this scenario.

    Args:
        scenario: what is played.
        cast: the phones.
        sounds: every phrase that may be heard, by key, at 8 kHz; one `Repertoire` for all plays saves preparing it anew.
        music: the files played during hold; part of `sounds` when that is a `Repertoire`.
        watch: the tester's manager connection; without it no orders, no look at what is left, no engine's side, and one
            scenario at a time for each agent's extension.
        journal: where the engine's side is read from; None: nowhere.
        keep_audio: a folder of this play's own, for one sound file of each phone; None keeps none.
        analyse: an `AnalysisPool` that holds the same sounds; without one it is done in a thread.

    Raises:
        PhoneError: it could not be played at all; one sentence.
        SettingsError: the manager connection or the journal cannot be used.
    """
    repertoire = sounds if isinstance(sounds, Repertoire) else Repertoire(sounds, music)
    talk = _Talk(scenario, cast, repertoire, watch)
    await asyncio.to_thread(talk.get_ready)  # reading and preparing sounds would hold up the calls of other scenarios
    only_in = None if watch is None else watch.only_in
    async with cast.agents(scenario, talk.rung, alone=watch is None, only_in=only_in) as agents:
        await talk.hold(agents)
    return await talk.observed(journal, keep_audio, analyse)


def invite_headers(scenario: Scenario) -> list[tuple[str, str]]:
    """What the caller's INVITE tells an engine that takes test calls."""
    return [] if scenario.at is None else [(AT_HEADER, scenario.at.isoformat(timespec="minutes"))]


@dataclass(slots=True)
class _Phone:
    """One phone of a play: its calls and the scripts that were played on them, oldest first."""

    name: str
    steps: tuple[Step, ...]
    calls: list[Call] = field(default_factory=list)
    scripts: list[ScriptedCall] = field(default_factory=list)
    unanswered: list[Performer] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    @property
    def performers(self) -> list[Performer]:
        return [*(script.performer for script in self.scripts), *self.unanswered]


class _Talk:
    """One play: the caller's call and the agents' calls that come of it."""

    def __init__(self, scenario: Scenario, cast: Cast, repertoire: Repertoire, watch: Watch | None) -> None:
        self._scenario = scenario
        self._cast = cast
        self._repertoire = repertoire
        self._watch = watch
        self._caller = _Phone("caller", scenario.caller)
        self._agents = {part.extension: _Phone(part.extension, part.steps) for part in scenario.agents}
        self._parts = {part.extension: part for part in scenario.telephones_rung}
        self._sounds: dict[Say, Samples] = {}
        self._named: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._agents_at_work: set[asyncio.Task[None]] = set()
        self._on_duty: list[asyncio.Task[None]] = []
        self._part: AgentPhones | None = None
        self._leaks: list[str] = []
        self._began_at = time.monotonic()
        self._over_at: float | None = None

    def get_ready(self) -> None:
        """Have at hand what is said, and know everything that is to be heard.

        Raises:
            PhoneError: there is no such sound.
        """
        for phone in (self._caller, *self._agents.values()):
            for step in phone.steps:
                match step:
                    case Say():
                        self._sounds[step] = sound_of(step, self._repertoire.sounds)
                    case Hear(phrase=phrase) | HearStart(phrase=phrase):
                        try:
                            self._repertoire.wordings(phrase)
                        except KeyError:
                            raise PhoneError(
                                f"{step.where}: '{phrase}' has no recording here by which it could be recognised; "
                                "run: ivrflow prompts build"
                            ) from None
                    case HearMusic():
                        if not self._repertoire.music.files:
                            raise PhoneError(
                                f"{step.where}: nobody knows the hold music of this PBX to recognise it by"
                            )
                        self._repertoire.music.prepare()
                    case _:
                        pass

    # ── the play itself ───────────────────────────────────────────────────────────────────────────────────────────────

    async def hold(self, agents: AgentPhones) -> None:
        """Dial, or be dialled, play all parts, and leave no call behind."""
        scenario = self._scenario
        self._part = agents
        self._began_at = time.monotonic()
        beginning = self._be_called(agents) if scenario.called else self._dial(agents)
        try:
            async with asyncio.timeout(scenario.within) as limit:
                await beginning
        except TimeoutError:
            if not limit.expired():
                raise
            self._caller.troubles.append(f"the call was not over within {written(scenario.within)}, and was ended")
        finally:
            self._over_at = time.monotonic()
            self._hang_up_all()
            await ended_tasks(*self._agents_at_work, *self._on_duty)
        for task in self._agents_at_work:
            if not task.cancelled():
                task.result()  # raises what it raised

    async def _dial(self, agents: AgentPhones) -> None:
        scenario = self._scenario
        call = self._cast.caller.dial(scenario.number, source=scenario.background, headers=invite_headers(scenario))
        self._caller.calls.append(call)
        naming = asyncio.create_task(self._name(call, agents))
        try:
            await self._talk(call)
            if call.answered_at is not None:
                await asyncio.wait({naming}, timeout=1.0)  # of a call that was over in a moment
        finally:
            await ended_tasks(naming)
        if not naming.cancelled():
            naming.result()  # raises what it raised

    async def _be_called(self, agents: AgentPhones) -> None:
        """Order the call as `ivrflow call` does, let the caller's telephone ring, and follow the call to its end."""
        scenario = self._scenario
        if self._watch is None:
            self._caller.troubles.append(_NO_MANAGER)
            return
        at = "" if scenario.at is None else scenario.at.isoformat(timespec="seconds")
        wanted = CallWanted(secrets.token_hex(8), scenario.flow.id, scenario.number, at=at)
        try:
            async with self._watch.ordering(wanted) as ordering:
                answer: Answer | None = await ordering.give()
                if answer is not None and answer.call:
                    self._named.set_result(answer.call)
                    agents.expect(answer.call)
                elif answer is not None:
                    self._caller.troubles.append(f"the call was not placed: {answer.why}")
                while answer is not None and answer.state not in {"over", "refused"}:
                    answer = await ordering.next()
        except NotAsked as problem:
            self._caller.troubles.append(str(problem))
            return
        await self._agents_leave()

    async def _talk(self, call: Call) -> None:
        try:
            await call.wait_answered(min(ANSWERED_WITHIN_S, self._scenario.within))
        except (CallRefused, NoAnswer, CallGone) as problem:
            self._caller.troubles.append(why_no_call(problem))
            return
        await self._perform(self._caller, call)
        await self._agents_leave()

    async def _agents_leave(self) -> None:
        """The call is over for the engine or the caller: every phone's part must be, too."""
        if self._agents_at_work:
            await asyncio.wait(self._agents_at_work, timeout=AGENTS_LEAVE_S)
        for phone in self._agents.values():
            if any(one.end is None for one in phone.calls):
                self._leaks.append(f"agent {phone.name}'s call, {AGENTS_LEAVE_S:g} s after the caller's was over")

    def _hang_up_all(self) -> None:
        for phone in (self._caller, *self._agents.values()):
            for call in phone.calls:
                call.hang_up_now()

    def _begin_duties(self, answered_at: float) -> None:
        """Let agents log in and out, pause and come back while the caller is on the line."""
        for agent in self._scenario.agents:
            duties = during_the_call(agent.queues) if agent.queues else []
            if duties:
                self._on_duty.append(asyncio.create_task(self._duties(agent.extension, duties, answered_at)))

    async def _duties(self, extension: str, duties: Sequence[tuple[float, Duty]], answered_at: float) -> None:
        assert self._part is not None, "the call is answered after it began"
        for second, duty in duties:
            await asyncio.sleep(answered_at + second - time.monotonic())
            try:
                await self._part.does(extension, duty)
            except PhoneError as problem:
                self._agents[extension].troubles.append(str(problem))

    async def _perform(self, phone: _Phone, call: Call) -> None:
        if phone is self._caller and call.answered_at is not None:
            self._begin_duties(call.answered_at)
        ear = Ear(call.recording, self._repertoire)
        script = ScriptedCall(call, phone.steps, ear, self._sounds, self._order)
        phone.scripts.append(script)
        await script.perform()

    def rung(self, extension: str, call: Call) -> None:
        """A phone is rung for our call: an agent's, or the caller's own."""
        self._phone(extension).calls.append(call)
        if self._over_at is not None:
            call.decline()
            return
        task = asyncio.get_running_loop().create_task(self._agent(self._parts[extension], call))
        self._agents_at_work.add(task)

    async def _agent(self, part: AgentPart, call: Call) -> None:
        phone = self._phone(part.extension)
        rings_for = None if part.manner == "rings_on" else max(0.0, call.began_at + part.after - time.monotonic())
        await asyncio.wait({asyncio.ensure_future(call.ended)}, timeout=rings_for)
        if call.end is None and part.manner == "answers":
            if phone is self._caller:
                call.source = self._scenario.background
            try:
                call.answer()
            except SipProtocolError as problem:
                phone.troubles.append(f"the call could not be answered: {problem}")
            else:
                await self._perform(phone, call)
                return
        elif part.manner == "busy":
            call.decline(486, "Busy Here")
        elif part.manner == "declines":
            call.decline()
        if part.manner == "answers":
            performer = Performer(part.steps)
            performer.handle(CallEnded(), time.monotonic() if call.end is None else call.end.at)
            phone.unanswered.append(performer)

    def _phone(self, extension: str) -> _Phone:
        called = self._scenario.called
        return self._caller if called and called.extension == extension else self._agents[extension]

    # ── the engine's and the PBX's side, live ─────────────────────────────────────────────────────────────────────────

    async def _name(self, call: Call, agents: AgentPhones) -> None:
        """Find out which of the PBX's calls is ours."""
        if self._watch is None:
            return
        found = await self._watch.call_of(call.call_id, NAMED_WITHIN_S)
        if found is not None:
            self._named.set_result(found)
            agents.expect(found)

    async def _order(self, order: Order) -> str:
        if self._watch is None:
            return _NO_MANAGER
        try:
            async with asyncio.timeout(NAMED_WITHIN_S):
                call = await asyncio.shield(self._named)
        except TimeoutError:
            return "nobody knows which of the PBX's calls this is"
        return await self._watch.order(call, order)

    # ── afterwards ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def observed(
        self, journal: CallBook | None, keep_audio: Path | None, analyse: Executor | None
    ) -> Observation:
        """Everything about this play, once it is over."""
        told, left = await asyncio.gather(self._told(journal), self._left())
        likely = frozenset(self._phrases(told))
        phones = [self._caller, *self._agents.values()]
        tapes = [self._tape(phone, likely, keep_audio) for phone in phones]
        found = await asyncio.gather(*(analysed(tape, self._repertoire, analyse) for tape in tapes))
        if told.trouble:
            self._caller.troubles.insert(0, told.trouble)  # it is the cause of much else
        if self._watch is not None and self._call is None and self._answered_at is not None:
            self._caller.troubles.append(
                "the manager connection does not see this call: it may be that of another PBX (IVRFLOW_AMI_HOST)"
            )
        caller, *agents = (self._side(phone, one) for phone, one in zip(phones, found, strict=True))
        stalls = sorted({stall for one in found for stall in one.stalls}.union(self._held_up()))
        leaks = (*self._leaks, *left, *([told.leak] if told.leak else []))
        return Observation("pbx", caller, {side.name: side for side in agents}, told.side, tuple(leaks), tuple(stalls))

    @property
    def _zero(self) -> float:
        if self._answered_at is not None:
            return self._answered_at
        return self._caller.calls[0].began_at if self._caller.calls else self._began_at

    @property
    def _answered_at(self) -> float | None:
        """When the caller's call was answered, by whichever side; None when it was not."""
        return next((call.answered_at for call in self._caller.calls if call.answered_at is not None), None)

    @property
    def _call(self) -> str | None:
        """The call's id in PBX and engine, None when nobody knows it."""
        return self._named.result() if self._named.done() and not self._named.cancelled() else None

    async def _told(self, journal: CallBook | None) -> FromJournal:
        answered_at = self._answered_at
        if journal is None or self._call is None or (answered_at is None and self._scenario.called is None):
            return FromJournal()
        began_at = self._began_at if self._scenario.called else self._caller.calls[0].began_at
        times = (began_at, -math.inf if answered_at is None else answered_at)
        return await from_journal(journal, self._call, self._scenario, times, JOURNALED_WITHIN_S)

    async def _left(self) -> list[str]:
        if self._watch is None or self._call is None:
            return []
        left = await self._watch.left_of(self._call, GONE_WITHIN_S)
        return [f"the PBX's channel {name}, {GONE_WITHIN_S:g} s after the end" for name in left]

    def _phrases(self, told: FromJournal) -> Iterator[str]:
        """Those that were most likely to be heard: of the script, and of the engine's trace."""
        for phone in (self._caller, *self._agents.values()):
            yield from (step.phrase for step in phone.steps if isinstance(step, Hear | HearStart | Say) and step.phrase)
        if told.side is not None:
            yield from (line.phrase for line in told.side.trace if line.phrase)

    def _tape(self, phone: _Phone, likely: frozenset[str], keep_audio: Path | None) -> Tape:
        takes = tuple(
            Take(call.recording, call.said, call.answered_at) for call in phone.calls if call.answered_at is not None
        )
        audio = None if keep_audio is None else keep_audio / f"{phone.name}{AUDIO_ENDING}"
        return Tape(takes, self._zero, likely, audio)

    def _side(self, phone: _Phone, found: Analysed) -> PhoneSide:
        zero = self._zero
        first_ring = next((call.rings_at for call in phone.calls if call.incoming and call.rings_at is not None), None)
        answered = next((call.answered_at for call in phone.calls if call.answered_at is not None), None)
        end = phone.calls[-1].end if phone.calls else None
        gave_up = (performer.gave_up_since(zero) for performer in phone.performers)
        troubles = [*phone.troubles, *(script.trouble for script in phone.scripts), found.trouble]
        return PhoneSide(
            name=phone.name,
            rang_at=None if first_ring is None else first_ring - zero,
            answered_at=None if answered is None else answered - zero,
            ended_at=None if end is None else end.at - zero,
            ended_by=None if end is None else end.by,
            heard=found.heard,
            acts=tuple(act for performer in phone.performers for act in performer.acts_since(zero)),
            gave_up=next((one for one in gave_up if one is not None), None),
            sip=sip_lines((line for call in phone.calls for line in call.signalling), zero),
            audio=found.audio,
            audio_from=found.audio_from,
            trouble="; ".join(dict.fromkeys(filter(None, troubles))),
        )

    def _held_up(self) -> Iterator[tuple[float, float]]:
        """When this process stood still while we talked."""
        assert self._over_at is not None, "it is over"
        began = self._began_at
        for due, late in self._cast.pacer.stalls:
            if due + late >= began and due <= self._over_at:
                yield due - self._zero, late
