"""A stand-in for Asterisk on free ports, and settings by which the engine finds it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.stand_in import SilentCall, StandInManager
from ivrflow.prompts.formats import build_formats
from tools.places import CHECKOUT, PROMPTS


def free_port() -> int:
    """A TCP port nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def stand_in(folder: Path, **changed: str) -> AsyncIterator[dict[str, str]]:
    """A manager interface that says yes to everything; gives the engine's environment."""
    build_formats([CHECKOUT / "prompts"], PROMPTS)
    server = await asyncio.get_running_loop().create_server(StandInManager, "127.0.0.1", 0)
    try:
        yield {
            "IVRFLOW_AMI_PORT": str(server.sockets[0].getsockname()[1]),
            "IVRFLOW_AMI_SECRET": "any",
            "IVRFLOW_AGI_PORT": str(free_port()),
            "IVRFLOW_FLOWS": str(CHECKOUT / "callflows"),
            "IVRFLOW_MASTERS": str(CHECKOUT / "prompts"),
            "IVRFLOW_PROMPTS_DIR": str(PROMPTS),
            "IVRFLOW_RECORDINGS_DIR": str(folder),
            "IVRFLOW_JOURNAL": f"sqlite:///{folder}/journal.sqlite",
            **changed,
        }
    finally:
        server.close()
        await server.wait_closed()


async def ring(port: int, number: str, identity: str = "pbx-1.1") -> tuple[SilentCall, asyncio.Future[SilentCall]]:
    """A call to an engine, by that number; and when the engine has let go of it."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[SilentCall] = loop.create_future()
    _, call = await loop.create_connection(
        lambda: SilentCall(number, identity, 0.05, lambda _seconds: None, over.set_result), "127.0.0.1", port
    )
    return call, over
