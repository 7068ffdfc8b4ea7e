"""Callers and agents without a flow: lines of the real bridge, told by hand what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import product
from typing import TypeVar

import numpy as np
from one_pbx import Phones

from ivrflow.bridge.agent_session import AgentSession
from ivrflow.bridge.agi_events import Environment
from ivrflow.bridge.ami_protocol import AmiError, AmiEvent
from ivrflow.bridge.asterisk_line import AsteriskLine, LineSettings
from ivrflow.bridge.exchange import Exchange, ExchangeAddress
from ivrflow.bridge.recordings_folder import Recordings
from ivrflow.engine import messages as m
from ivrflow.softphone.audio_source import Tone
from ivrflow.softphone.call import Call
from tools.pbx import Pbx

SOON = 10.0
CALLER_HZ, AGENT_HZ, COLLEAGUE_HZ = 1200, 700, 900
PROMPTS_INSIDE = "/var/lib/ivrflow/prompts"

Event = TypeVar("Event", bound=m.CallEvent)


class CallHere:
    """One caller: the telephone, the line, and what the line has told."""

    def __init__(self, line: AsteriskLine) -> None:
        self.line = line
        self.phone: Call
        self.told: list[m.CallEvent] = []
        self.told_at: list[float] = []
        """Monotonic seconds of each."""
        self._asked = 0
        self._changed = asyncio.Event()
        line.on_event = self._take

    def _take(self, event: m.CallEvent) -> None:
        self.told.append(event)
        self.told_at.append(asyncio.get_running_loop().time())
        self._changed.set()

    async def until(self, kind: type[Event], within_s: float = SOON) -> Event:
        """The next such event after the last one asked for."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for number, event in enumerate(self.told[self._asked :], start=self._asked + 1):
                        if isinstance(event, kind):
                            self._asked = number
                            return event
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"no {kind.__name__} within {within_s} s; told was {self.told}") from None

    def has_told(self, kind: type[m.CallEvent]) -> bool:
        """Whether there was ever such an event."""
        return any(isinstance(event, kind) for event in self.told)

    async def until_apart(self, ticket: m.Ticket) -> None:
        """Wait until that agent is parted from the caller and can be spoken to."""
        apart: asyncio.Future[AgentSession | None] = asyncio.get_running_loop().create_future()
        self.line._legs[ticket].when_apart(apart.set_result)
        async with asyncio.timeout(SOON):
            assert await apart is not None, "the agent's own session did not come"

    def do(self, *actions: m.Action) -> None:
        """What a session would order."""
        for action in actions:
            self.line.perform(action)


class Floor:
    """A call centre: the engine's exchange, telephones, and who is logged in where."""

    def __init__(self, pbx: Pbx, phones: Phones, recordings: Recordings | None = None) -> None:
        self.pbx = pbx
        self.phones = phones
        self.seen: list[AmiEvent] = []
        self._arrived: asyncio.Queue[CallHere] = asyncio.Queue()
        settings = pbx.settings
        self.exchange = Exchange(
            ExchangeAddress(
                *(settings.ami_bind, settings.ami_port, settings.ami_user, settings.ami_secret),
                *(settings.agi_host, settings.agi_port),
            ),
            LineSettings(PROMPTS_INSIDE, recordings=recordings),
            self._call,
            max_calls=20,
        )
        said = self.exchange._manager_said
        link = self.exchange.manager

        def watched(event: AmiEvent) -> None:
            self.seen.append(event)
            said(event)

        link._on_event = watched

    def _call(self, line: AsteriskLine, _environment: Environment) -> bool:
        self._arrived.put_nowait(CallHere(line))
        return True

    async def call(self, codec: str = "alaw") -> CallHere:
        """A caller whose call is answered, humming."""
        phone = await self.phones.open("caller", codec=codec)
        placed = asyncio.ensure_future(phone.call("12345", source=Tone(CALLER_HZ, -20.0)))
        async with asyncio.timeout(SOON):
            here = await self._arrived.get()
        here.do(m.Answer())
        await here.until(m.CallAnswered)
        here.phone = await placed
        return here

    async def log_in(self, *agents: str, queue: str = "agents") -> None:
        """Log agents in, as a command does."""
        for agent in agents:
            await self.exchange.manager.action("QueueAdd", {"Queue": queue, "Interface": f"PJSIP/{agent}"})

    async def log_out(self, agent: str, queue: str = "agents") -> None:
        """Log an agent out."""
        await self.exchange.manager.action("QueueRemove", {"Queue": queue, "Interface": f"PJSIP/{agent}"})

    async def close(self) -> None:
        """Everybody goes home; the engine ends."""
        for queue, agent in product(("agents", "seniors"), ("1001", "1002")):
            with suppress(AmiError):  # most were not there
                await self.log_out(agent, queue)
        await self.exchange.close()

    def events(self, name: str) -> list[AmiEvent]:
        """Every such event of the manager's."""
        return [event for event in self.seen if event.name == name]


@asynccontextmanager
async def floor_of(pbx: Pbx, phones: Phones, recordings: Recordings | None = None) -> AsyncIterator[Floor]:
    """An open call centre; at its end every leg is forgotten and no timer left."""
    floor = Floor(pbx, phones, recordings)
    await floor.exchange.start()
    try:
        yield floor
        async with asyncio.timeout(SOON):
            while floor.exchange._legs:  # noqa: ASYNC110 -- nobody is told when the last channel is forgotten
                await asyncio.sleep(0.02)
    finally:
        await floor.close()


async def hears(call: Call, hertz: int, within_s: float = 5.0) -> None:
    """Wait until the newest 200 ms a telephone received are a tone of that many hertz."""
    try:
        async with asyncio.timeout(within_s):
            while tone_of(call) != hertz:  # noqa: ASYNC110 -- the recording tells nobody what is in it
                await asyncio.sleep(0.02)
    except TimeoutError:
        ended = f"; the call was ended by {call.end.by}" if call.end else ""
        raise AssertionError(
            f"{hertz} Hz not heard within {within_s} s; the newest is {tone_of(call)} Hz{ended}"
        ) from None


async def hears_nobody(call: Call, *hertz: int, for_s: float = 0.6) -> None:
    """Check for a while that none of these tones is heard, from now on."""
    loop = asyncio.get_running_loop()
    until = loop.time() + for_s
    while loop.time() < until:
        assert tone_of(call) not in hertz
        await asyncio.sleep(0.05)  # that nothing comes is nothing but time that passes
    assert tone_of(call) not in hertz


def tone_of(call: Call) -> int:
    """The one frequency in the newest 200 ms, to 10 Hz; 0 when there is none."""
    span = call.recording.span
    if span is None:
        return 0
    newest = call.recording.samples(span.end - 0.2, span.end).astype(float)
    spectrum = np.abs(np.fft.rfft(newest))
    loudest = int(np.argmax(spectrum))
    if spectrum[loudest] < 10000 or spectrum[loudest] ** 2 < 0.5 * float((spectrum**2).sum()):
        return 0
    return round(loudest * 5, -1)
