"""The FastAGI server: Asterisk connects once per call, bytes become events of an `AgiHandler`, commands go back.

Everything runs inline in the event loop's callbacks; there is no task per call, so a command that a handler sends from
within a callback leaves in the same turn of the loop. A peer that does not speak AGI loses its connection and nobody
else notices; the log says why, once.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Protocol, cast

from ivrflow.bridge.agi_commands import Command
from ivrflow.bridge.agi_events import (
    AgiEvent,
    AgiProtocolError,
    Environment,
    EnvironmentReceived,
    HungUp,
    PlaybackFinished,
    Reply,
    ReplyReceived,
)
from ivrflow.bridge.agi_protocol import NUDGE_SECONDS, AgiConnection
from ivrflow.settings import SettingsError

log = logging.getLogger("ivrflow.bridge")

ENVIRONMENT_SECONDS = 5.0
"""How long a peer may take to say what its call is about. Asterisk takes about a millisecond."""
MAX_CONNECTIONS = 2000
"""Connections served at once: as many calls as the PBX has audio ports for."""
_BACKLOG = 1024
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux has it
_LONGEST_NUDGE_PAUSE = 1.0


class AgiHandler(Protocol):
    """What follows one call. Called from the event loop, in the order in which things arrived; it must not block."""

    def replied(self, command_id: int, reply: Reply) -> None:
        """A command other than STREAM FILE was answered."""

    def playback_ended(self, ending: PlaybackFinished) -> None:
        """A STREAM FILE is over."""

    def hung_up(self) -> None:
        """The channel has left this session: the caller hung up, or the channel was redirected or bridged elsewhere.

        The session stays open, and so does the channel's thread in Asterisk, until the handler closes it.
        """

    def closed(self) -> None:
        """The connection is gone, whoever closed it. Always the last call, and there is always one."""


class AgiChannel(asyncio.Protocol):
    """One call's AGI session."""

    __slots__ = (
        "_closing",
        "_connection",
        "_deadline",
        "_dispatching",
        "_handler",
        "_heard",
        "_nudging",
        "_server",
        "_transport",
        "_writable",
        "environment",
    )

    def __init__(self, server: "FastAgiServer") -> None:
        self.environment: Environment
        """What Asterisk says about the call; set before the handler is made."""
        self._server = server
        self._connection = AgiConnection()
        self._handler: AgiHandler | None = None
        self._transport: asyncio.Transport
        self._deadline: asyncio.TimerHandle | None = None
        self._nudging: asyncio.TimerHandle | None = None
        self._heard = False
        self._dispatching = False
        self._writable = True
        self._closing = False

    # --- for the handler

    @property
    def peer(self) -> str:
        """Address of the Asterisk that connected, e.g. `127.0.0.1:40112`."""
        address = self._transport.get_extra_info("peername")
        return f"{address[0]}:{address[1]}" if address else "somebody who is gone"

    @property
    def is_hung_up(self) -> bool:
        """Whether Asterisk has sent `HANGUP`."""
        return self._connection.hung_up

    @property
    def is_closing(self) -> bool:
        """Whether the session is over or about to be; commands sent now go nowhere."""
        return self._closing

    def send(self, command: Command) -> int:
        """Send a command once all earlier ones are over; it never cuts a prompt (see `interrupt`).

        Returns:
            The number that the handler's `replied` or `playback_ended` will carry.
        """
        try:
            command_id = self._connection.send(command)
        except AgiProtocolError as error:
            self._drop(str(error))
            return 0
        if not self._dispatching:
            self._flush()
        return command_id

    def interrupt(self) -> bool:
        """Stop the prompt or the wait that runs, now, and those queued behind it; each still gets its ending.

        Returns:
            Whether there was one.
        """
        if not self._connection.interrupt():
            return False
        if not self._dispatching:
            self._flush()
        if self._nudging is None and not self._closing:
            self._nudge_later(NUDGE_SECONDS)
        return True

    def close(self) -> None:
        """Give the channel back to the dialplan. Commands that have not gone out yet are forgotten."""
        if not self._closing:
            self._closing = True
            self._cancel_timers()
            self._transport.close()

    # --- for the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock for the environment block."""
        self._transport = cast("asyncio.Transport", transport)
        if not self._server._admit(self):  # noqa: SLF001 - a channel and its server are one thing in two classes
            self._closing = True
            self._transport.abort()
            return
        self._deadline = self._server.loop.call_later(self._server.environment_seconds, self._environment_overdue)

    def data_received(self, data: bytes) -> None:
        """Turn bytes into calls of the handler, then write what it sent."""
        if self._closing:
            return
        self._heard = True
        try:
            events = self._connection.receive_data(data)
        except AgiProtocolError as error:
            self._dispatch(error.events)
            self._drop(str(error))
            return
        self._dispatch(events)
        self._flush()
        if self._connection.marks:
            # Asterisk sends small packets one at a time, each only when the one before is acknowledged; left to
            # itself our kernel waits 40 ms with that.
            if _QUICKACK is not None and not self._transport.is_closing():
                self._transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        elif self._nudging is not None:
            self._nudging.cancel()
            self._nudging = None

    def eof_received(self) -> bool:
        """Asterisk is done: tell the handler what is certain now; the transport closes itself."""
        if self._closing:
            return False
        try:
            self._dispatch(self._connection.receive_eof())
        except AgiProtocolError as error:
            # Whoever connects and leaves without a word looks whether the port is open; that is no fault.
            self._drop(str(error), logging.WARNING if self._heard else logging.INFO)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the handler that this was all."""
        if exc is not None and not self._closing:
            level = logging.WARNING if self._heard else logging.INFO
            log.log(level, "lost the FastAGI connection from %s: %s", self.peer, exc)
        self._closing = True
        self._cancel_timers()
        self._server._dismiss(self)  # noqa: SLF001 - see _admit
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.closed()

    def pause_writing(self) -> None:
        """Asterisk does not read: hold commands back."""
        self._writable = False

    def resume_writing(self) -> None:
        """Asterisk reads again."""
        self._writable = True
        self._flush()

    # --- inside

    def _dispatch(self, events: list[AgiEvent]) -> None:
        self._dispatching = True
        try:
            for event in events:
                handler = self._handler
                if self._closing:
                    return
                if handler is None:
                    self._begin(event)
                elif isinstance(event, ReplyReceived):
                    handler.replied(event.command_id, event.reply)
                elif isinstance(event, PlaybackFinished):
                    handler.playback_ended(event)
                elif isinstance(event, HungUp):
                    handler.hung_up()
        finally:
            self._dispatching = False

    def _begin(self, event: AgiEvent) -> None:
        if isinstance(event, EnvironmentReceived):  # always the first
            self._cancel_timers()
            self.environment = event.environment
            self._handler = self._server.on_call(self)

    def _flush(self) -> None:
        if self._writable and not self._closing and (data := self._connection.data_to_send()):
            self._transport.write(data)

    def _environment_overdue(self) -> None:
        self._drop(f"no complete environment within {self._server.environment_seconds:g} s, expected its blank line")

    def _nudge_later(self, pause: float) -> None:
        self._nudging = self._server.loop.call_later(pause, self._nudge, pause)

    def _nudge(self, pause: float) -> None:
        self._nudging = None
        if self._connection.nudge():
            self._flush()
            self._nudge_later(min(2 * pause, _LONGEST_NUDGE_PAUSE))

    def _cancel_timers(self) -> None:
        for timer in (self._deadline, self._nudging):
            if timer is not None:
                timer.cancel()
        self._deadline = self._nudging = None

    def _drop(self, reason: str, level: int = logging.WARNING) -> None:
        if not self._closing:
            self._closing = True
            self._cancel_timers()
            log.log(level, "dropped the FastAGI connection from %s: %s", self.peer, reason)
            self._transport.abort()


class FastAgiServer:
    """Listens for Asterisk and makes an `AgiChannel` of every connection.

    Args:
        on_call: called when a call has said what it is about; returns what follows it.
        environment_seconds: how long a connection may take until then.
        max_connections: connections served at once; one more is closed at once, and the dialplan's fallback has it.
    """

    def __init__(
        self,
        on_call: Callable[[AgiChannel], AgiHandler],
        *,
        environment_seconds: float = ENVIRONMENT_SECONDS,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self.on_call = on_call
        self.environment_seconds = environment_seconds
        self.max_connections = max_connections
        self.loop: asyncio.AbstractEventLoop
        self.port = 0
        """The port listened on, once started."""
        self._listener: asyncio.Server | None = None
        self._channels: set[AgiChannel] = set()
        self._refused = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def connections(self) -> int:
        """Connections open now."""
        return len(self._channels)

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Args:
            host: address to listen on, e.g. `127.0.0.1`.
            port: TCP port; 0 takes a free one, see the attribute `port`.

        Raises:
            SettingsError: nobody can listen there.
        """
        self.loop = asyncio.get_running_loop()
        try:
            listener = _listening_socket(host, port)
        except OSError as error:
            raise SettingsError(
                f"cannot listen for Asterisk on {host}:{port}: {error.strerror or error}; "
                f"choose another FastAGI address, or end what uses this one"
            ) from error
        self.port = listener.getsockname()[1]
        self._listener = await self.loop.create_server(lambda: AgiChannel(self), sock=listener, backlog=_BACKLOG)

    def stop_accepting(self) -> None:
        """Let no new call in: Asterisk finds the port closed and goes on with the dialplan. Live calls go on."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def drain(self, seconds: float) -> int:
        """Let no new call in and wait for the live ones to end.

        Args:
            seconds: the longest to wait.

        Returns:
            How many connections are still open.
        """
        self.stop_accepting()
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            log.warning("%d FastAGI connections still open after draining for %g s", self.connections, seconds)
        return self.connections

    async def close(self) -> None:
        """Stop listening and give every channel back to the dialplan; returns when all handlers know."""
        self.stop_accepting()
        for channel in list(self._channels):
            channel.close()
        await self._empty.wait()

    def _admit(self, channel: AgiChannel) -> bool:
        if len(self._channels) >= self.max_connections:
            if not self._refused:
                log.error("refusing FastAGI connections: %d are open, which is the limit", self.max_connections)
            self._refused += 1
            return False
        self._channels.add(channel)
        self._empty.clear()
        return True

    def _dismiss(self, channel: AgiChannel) -> None:
        if channel not in self._channels:
            return
        self._channels.remove(channel)
        if self._refused:
            log.warning("accepting FastAGI connections again; %d were refused", self._refused)
            self._refused = 0
        if not self._channels:
            self._empty.set()


def _listening_socket(host: str, port: int) -> socket.socket:
    """A listening socket whose options every accepted connection inherits.

    Keep-alive finds, within a minute, a peer that vanished without closing.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    listener.settimeout(0)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):  # Linux has them all
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return listener
