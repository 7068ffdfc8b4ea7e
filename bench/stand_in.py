"""A stand-in for Asterisk over real sockets: an AMI that lets the engine log in, and calls that knock on its FastAGI port.

It knows just enough to keep the engine busy: prompts last as long as it is told, callers stay silent. It is written
against the bytes on the wire, not with ivrflow's own protocol code, so that a fault in that code cannot hide here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast


class StandInManager(asyncio.Protocol):
    """Answers every AMI action with success."""

    value = b"1"
    """What every variable holds."""

    queues: tuple[bytes, ...] = (b"agents", b"seniors")
    """The names of its queues, in which nobody is."""

    def __init__(self) -> None:
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say the banner."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(b"Asterisk Call Manager/11.0.0\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self._rest += data
        while b"\r\n\r\n" in self._rest:
            block, _, self._rest = self._rest.partition(b"\r\n\r\n")
            headers = dict(line.split(b": ", 1) for line in block.split(b"\r\n") if b": " in line)
            identity = headers.get(b"ActionID", b"")
            self._transport.write(b"Response: Success\r\nActionID: " + identity + b"\r\nMessage: done\r\n")
            self._transport.write(b"Value: " + self.value + b"\r\n\r\n")
            if headers.get(b"Action", b"").lower() == b"login":
                self._transport.write(b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n")
            if headers.get(b"Action", b"").lower() == b"queuestatus":
                for queue in self.queues:
                    self._transport.write(
                        b"Event: QueueParams\r\nActionID: " + identity + b"\r\nQueue: " + queue + b"\r\n\r\n"
                    )
                end = b"Event: QueueStatusComplete\r\nActionID: " + identity + b"\r\nEventList: Complete\r\n\r\n"
                self._transport.write(end)


class SilentCall(asyncio.Protocol):
    """One silent caller. Reports how long the engine waited after each prompt's end."""

    def __init__(
        self,
        number: str,
        identity: str,
        prompt_s: float,
        on_wait: Callable[[float], None],
        on_over: Callable[[SilentCall], None],
    ) -> None:
        self._hello = (
            "agi_network: yes\nagi_network_script: call\nagi_request: agi://engine/call\n"
            f"agi_channel: PJSIP/bench-{identity}\nagi_uniqueid: {identity}\nagi_callerid: unknown\n"
            f"agi_dnid: {number}\nagi_extension: {number}\nagi_context: ivrflow\n\n"
        ).encode()
        self._prompt_s = prompt_s
        self._on_wait = on_wait
        self._on_over = on_over
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._prompt_ended: float | None = None
        self._playing: asyncio.TimerHandle | None = None
        self.commands = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce the call."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        """Do what the engine says."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self.commands += 1
            if line.startswith(b"STREAM FILE"):
                self._play()
            elif line.startswith(b"HANGUP"):
                self._waited()
                self._transport.write(b"200 result=1\nHANGUP\n")
            else:
                self._transport.write(b"200 result=0\n")

    def _play(self) -> None:
        self._waited()
        self._playing = self._loop.call_later(self._prompt_s, self._played)

    def _played(self) -> None:
        self._playing = None
        self._prompt_ended = self._loop.time()
        self._transport.write(b"200 result=0 endpos=8000\n")

    def _waited(self) -> None:
        if self._prompt_ended is not None:
            self._on_wait(self._loop.time() - self._prompt_ended)
            self._prompt_ended = None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - over is over
        """The engine is done with this call."""
        if self._playing is not None:
            self._playing.cancel()
        self._on_over(self)

    def hang_up(self) -> None:
        """Leave."""
        self._transport.abort()
