"""A TCP connection that breaks on command: what stands between the engine and the PBX's manager in a bad moment."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class BreakableWire:
    """Forwards connections to a server until told to break them; mended, it forwards new ones again.

    Args:
        host: the server's address.
        port: its port.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._is_broken = False
        self.port = 0
        self.refused = asyncio.Event()
        """Set when somebody tried to connect while it was broken."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def cut(self) -> None:
        """Break every connection, and refuse new ones until `mend`."""
        self._is_broken = True
        for writer in list(self._writers):
            writer.transport.abort()

    def mend(self) -> None:
        """Let new connections through."""
        self._is_broken = False

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_broken:
            self.refused.set()
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(*self._target)
        self._writers |= {writer, back}
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._pump(source, sink))
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
        except ConnectionError:
            pass
        finally:
            self._writers.discard(sink)
            sink.close()
