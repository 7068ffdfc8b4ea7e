"""A call centre with a flow: the whole engine, a PBX, and telephones whose network can be cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agents_here import CALLER_HZ, hears
from engine_here import EngineHere

from ivrflow.engine.trace import Fact
from ivrflow.flow.model import CallFlow
from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex
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
    logged_in: list[str] = field(default_factory=list)

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

    async def call(self) -> Call:
        """A caller whose call is answered, humming."""
        caller = self.phones.get("caller") or await self.phone("caller")
        self.calls["caller"] = call = await caller.call("7000", source=Tone(CALLER_HZ, -20.0))
        return call

    async def picks_up(self, account: str, hertz: int) -> Call:
        """That telephone rings, and is answered."""
        self.calls[account] = call = await self.phones[account].next_call(SOON)
        call.source = Tone(hertz, -20.0)
        call.answer()
        return call

    async def log_in(self, *extensions: str) -> None:
        """Open these agents' telephones and log them in."""
        for extension in extensions:
            await self.phone(extension)
            await self.agents("QueueAdd", extension)
            self.logged_in.append(extension)

    async def agents(self, change: str, *extensions: str) -> None:
        """Log agents in or out, as a command does."""
        for extension in extensions:
            headers = {"Queue": "agents", "Interface": f"PJSIP/{extension}"}
            await self.engine.service.exchange.manager.action(change, headers)

    async def fact(self, fact: Fact, *, phrase: str = "", step: str = "") -> None:
        """Wait until the call's trace shows it."""
        await self.engine.until_fact(fact, phrase=phrase, step=step, within_s=SOON)

    async def presses(self, key: str, then: Fact, *, step: str = "", phrase: str = "") -> None:
        """The caller presses a key once the greeting can be answered, and the flow goes on."""
        await self.fact(Fact.PHRASE_STARTED)
        await self.calls["caller"].press(key)
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


def hotline(tmp_path: Path, port: int) -> CallFlow:
    """The hotline of the other talks, but it records its calls, and looks things up at that port."""
    folder = tmp_path / "flows"
    (folder / "standards").mkdir(parents=True)
    for name in ("yunda", "house"):
        text = (CHECKOUT / "callflows" / "standards" / f"{name}.yaml").read_text(encoding="utf-8")
        (folder / "standards" / f"{name}.yaml").write_text(text, encoding="utf-8")
    text = (CHECKOUT / "tests" / "talks" / "flows" / "talks.yaml").read_text(encoding="utf-8")
    assert "http://127.0.0.1:9/" in text
    text = text.replace("http://127.0.0.1:9/", f"http://127.0.0.1:{port}/")
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
