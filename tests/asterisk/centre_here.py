"""A call centre with a flow: the whole engine, a PBX, and telephones whose network can be cut."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from agents_here import CALLER_HZ, hears
from engine_here import EngineHere, serving, settings_for
from one_pbx import complaints, no_channels_left
from recorded_here import is_finished

from ivrflow.engine.trace import Fact
from ivrflow.flow.model import CallFlow
from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex
from ivrflow.runtime.journal_reader import JournalReader
from ivrflow.softphone.audio_source import Tone
from ivrflow.softphone.call import Call
from ivrflow.softphone.softphone import SoftPhone
from tools.pbx import Pbx
from tools.places import CHECKOUT

SOON = 20.0


@dataclass
class Wire:
    """The network of one telephone, which can be cut."""

    is_cut: bool = False

    def __call__(self, _direction: str, _datagram: bytes) -> bool:
        return not self.is_cut


@dataclass
class Centre:
    """Engine, PBX, telephones; and the calls that are on."""

    pbx: Pbx
    engine: EngineHere
    closing: AsyncExitStack
    phones: dict[str, SoftPhone] = field(default_factory=dict)
    wires: dict[str, Wire] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    logged_in: set[tuple[str, str]] = field(default_factory=set)
    """Queues and who is logged in to them."""

    async def phone(self, account: str) -> SoftPhone:
        """The telephone of that account."""
        settings, wire = self.pbx.settings, Wire()
        phone = SoftPhone(
            account,
            settings.password(account),
            (settings.sip_bind, settings.sip_port),
            codecs=("alaw",),
            wire=wire,
        )
        await self.closing.enter_async_context(phone)
        if account != "caller":
            await phone.register()
        self.phones[account], self.wires[account] = phone, wire
        return phone

    async def call(self, name: str = "caller") -> Call:
        """A caller whose call is answered, humming; further ones have a name of their own."""
        caller = self.phones.get("caller") or await self.phone("caller")
        self.calls[name] = call = await caller.call("7000", source=Tone(CALLER_HZ, -20.0))
        return call

    async def picks_up(self, account: str, hertz: int) -> Call:
        """That telephone rings, and is answered."""
        self.calls[account] = call = await self.phones[account].next_call(SOON)
        call.source = Tone(hertz, -20.0)
        call.answer()
        return call

    async def log_in(self, *extensions: str, queue: str = "agents") -> None:
        """Open these agents' telephones and log them in, as a command does."""
        for extension in extensions:
            await self.phone(extension)
            await self._agent("QueueAdd", extension, queue)
            self.logged_in.add((queue, extension))

    async def log_out(self, extension: str, queue: str = "agents") -> None:
        """Log an agent out again, as a command does."""
        await self._agent("QueueRemove", extension, queue)
        self.logged_in.discard((queue, extension))

    async def _agent(self, change: str, extension: str, queue: str) -> None:
        headers = {"Queue": queue, "Interface": f"PJSIP/{extension}"}
        await self.engine.service.exchange.manager.action(change, headers)

    async def fact(self, fact: Fact, *, phrase: str = "", step: str = "") -> None:
        """Wait until the call's trace shows it."""
        await self.engine.until_fact(fact, phrase=phrase, step=step, within_s=SOON)

    async def presses(self, key: str, then: Fact, *, step: str = "", phrase: str = "", name: str = "caller") -> None:
        """The newest caller presses a key once the greeting can be answered, and the flow goes on."""
        await self.fact(Fact.PHRASE_STARTED)
        await self.calls[name].press(key)
        await self.fact(then, step=step, phrase=phrase)

    async def ends(self, *accounts: str) -> None:
        """Wait until the calls of those telephones are over, as far as the telephones know."""
        async with asyncio.timeout(SOON):
            for account in accounts:
                await self.calls[account].ended

    async def joined(self, account: str, hertz: int) -> None:
        """Wait until caller and agent hear each other."""
        await asyncio.gather(hears(self.calls["caller"], hertz, SOON), hears(self.calls[account], CALLER_HZ, SOON))

    def everybody_hangs_up(self) -> None:
        """Whatever is still on."""
        for call in self.calls.values():
            call.hang_up_now()


@asynccontextmanager
async def open_centre(pbx: Pbx, flow: CallFlow, place: Path, **changed: str) -> AsyncIterator[Centre]:
    """An open call centre. At its end no channel, bridge, task, leg or open file is left, every call is told to its end
    in the journal, its recording is closed, and the PBX has complained of nothing.

    Args:
        pbx: with nobody logged in.
        flow: which answers, and records whole calls.
        place: a folder for the journal.
        changed: the engine's settings that are not those of `settings_for`.
    """
    for path in pbx.recordings.rglob("*.wav"):
        path.unlink()
    logged = len(pbx.log.read_text(encoding="utf-8"))
    files = open_files(os.getpid())
    # The engine is over before the telephones are closed, like real ones.
    async with AsyncExitStack() as closing, serving(pbx, flow, place, **changed) as engine:
        centre = Centre(pbx, engine, closing)
        closing.push_async_callback(_log_out, centre)
        yield centre
        centre.everybody_hangs_up()
        await no_channels_left(pbx, within_s=10.0)
        await _bridges_gone(pbx)
        exchange = engine.service.exchange
        async with asyncio.timeout(5):
            while engine.service.switchboard.counts.live:  # noqa: ASYNC110 -- nobody is told
                await asyncio.sleep(0.02)
            # An engine that has stopped hears no more of its last channels.
            while exchange._legs and not engine.service._is_stopping:  # noqa: ASYNC110 -- the same
                await asyncio.sleep(0.02)
        assert engine.service.enquiries.count == 0
        assert exchange._places._places == {}
    assert open_files(os.getpid()) - files == set(), "the engine keeps files open"
    assert {name for name in open_files(pbx.pid) if name.endswith(".wav")} == set(), "the PBX keeps files open"
    _told_to_the_end(settings_for(pbx, place).journal)
    for path in [*pbx.recordings.glob("calls/**/*.wav"), *pbx.recordings.glob("messages/**/*.wav")]:
        assert is_finished(path), f"{path.name} is not closed"
    assert len(list(pbx.recordings.glob("calls/**/*.wav"))) == len(engine.sessions)
    assert list(pbx.recordings.glob("unsettled/*/*")) == []
    assert complaints(pbx.log.read_text(encoding="utf-8")[logged:]) == []


async def _log_out(centre: Centre) -> None:
    """Whatever became of the test, and of the engine."""
    for queue, extension in centre.logged_in:
        await centre.pbx.cli(f"queue remove member PJSIP/{extension} from {queue}")


def open_files(pid: int) -> set[str]:
    """What a process has open on disk."""
    opened = set()
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            opened.add(str(handle.readlink()))
    return {name for name in opened if name.startswith("/") and not name.startswith(("/dev", "/proc"))}


async def _bridges_gone(pbx: Pbx) -> None:
    """Wait until the PBX has no bridge."""
    async with asyncio.timeout(5):
        while len((await pbx.cli("bridge show all")).strip().splitlines()) > 1:  # noqa: ASYNC110 -- Asterisk tells nobody
            await asyncio.sleep(0.05)


def _told_to_the_end(journal: str) -> None:
    """Every call in the journal is over."""
    reader = JournalReader(journal)
    try:
        calls = reader.calls()
        assert calls
        assert all(call.outcome for call in calls)
    finally:
        reader.close()


def hotline(place: Path, port: int = 9, changed: Mapping[str, str] = MappingProxyType({})) -> CallFlow:
    """The hotline of the other talks, but it records its calls, and looks things up at that port.

    Args:
        place: a folder for its files.
        port: of the other side of look-ups.
        changed: what is written otherwise in it.
    """
    folder = place / "flows"
    (folder / "standards").mkdir(parents=True)
    for name in ("yunda", "house"):
        text = (CHECKOUT / "callflows" / "standards" / f"{name}.yaml").read_text(encoding="utf-8")
        (folder / "standards" / f"{name}.yaml").write_text(text, encoding="utf-8")
    text = (CHECKOUT / "tests" / "talks" / "flows" / "talks.yaml").read_text(encoding="utf-8")
    for old, new in {"http://127.0.0.1:9/": f"http://127.0.0.1:{port}/", **changed}.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "talks.yaml").write_text(f"{text}\nrecording: {{whole_call: yes, keep: 1d}}\n", encoding="utf-8")
    return load_flows([folder], PromptIndex.load(CHECKOUT / "prompts").catalogue())["talks"]


@asynccontextmanager
async def deaf_server() -> AsyncIterator[int]:
    """The port of a server that takes every connection and never answers."""
    connected: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _reader, writer: connected.append(writer), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in connected:
            writer.close()
            await writer.wait_closed()
