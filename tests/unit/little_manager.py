"""A manager interface for commands: says yes to the login, and answers every other action as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from click.testing import CliRunner, Result

from ivrflow.cli import main

Fields = dict[str, str]
Answering = Callable[[Fields], Sequence[Fields]]
"""Given an action, the messages that answer it: the response first, without its ActionID, then events."""

DONE: Fields = {"Response": "Success"}


def refused(why: str) -> list[Fields]:
    """What Asterisk says to an action it does not carry out."""
    return [{"Response": "Error", "Message": why}]


class LittleManager(asyncio.Protocol):
    """One connection."""

    def __init__(self, answering: Answering, actions: list[Fields]) -> None:
        self._answering = answering
        self._actions = actions
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"Asterisk Call Manager/11.0.0\r\n")

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while b"\r\n\r\n" in self._rest:
            packet, self._rest = self._rest.split(b"\r\n\r\n", 1)
            fields = dict(line.split(": ", 1) for line in packet.decode().splitlines())
            answers: Sequence[Fields] = [DONE]
            if fields["Action"] != "Login":
                self._actions.append(fields)
                answers = self._answering(fields)
            for answer in answers:
                if not answer:
                    self._transport.abort()
                    return
                of_action = {} if answer.get("Event") == "UserEvent" else {"ActionID": fields["ActionID"]}
                lines = "".join(f"{name}: {text}\r\n" for name, text in {**answer, **of_action}.items())
                self._transport.write(f"{lines}\r\n".encode())


@asynccontextmanager
async def little_manager(answering: Answering) -> AsyncIterator[tuple[dict[str, str], list[Fields]]]:
    """Serves it; gives the settings by which commands find it, and the actions it was asked for."""
    actions: list[Fields] = []
    server = await asyncio.get_running_loop().create_server(lambda: LittleManager(answering, actions), "127.0.0.1", 0)
    try:
        async with asyncio.timeout(60):
            yield {"IVRFLOW_AMI_PORT": str(server.sockets[0].getsockname()[1]), "IVRFLOW_AMI_SECRET": "any"}, actions
    finally:
        server.close()
        await server.wait_closed()


async def command(environment: dict[str, str], *arguments: str) -> Result:
    """A command, in a thread with an event loop of its own."""
    return await asyncio.to_thread(CliRunner(env=environment).invoke, main, list(arguments))
