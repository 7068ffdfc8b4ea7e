"""The engine as a process of its own, as in production: started, awaited until it serves, stopped in order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress

from tools.places import CHECKOUT
from tools.stages import SetupError

_START_LIMIT_S = 20.0
_STOP_LIMIT_S = 10.0
_READY = "serving "
_LAST_LINES = 15


class Engine:
    """One `ivrflow serve`.

    Args:
        environment: its settings (`IVRFLOW_…`).
        drain_s: seconds its live calls get when it is stopped.
    """

    def __init__(self, environment: Mapping[str, str], *, drain_s: float = 0.0) -> None:
        self._environment = environment
        self._drain_s = drain_s
        self._process: asyncio.subprocess.Process | None = None
        self._following: asyncio.Task[None] | None = None
        self._serves = asyncio.Event()
        self._lines: list[str] = []
        self.quiet = False
        """Whether its log is kept from our stderr."""

    async def start(self) -> None:
        """Start it; returns when it takes calls.

        Raises:
            SetupError: it did not start; with its last words.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("IVRFLOW_")}
        self._process = await asyncio.create_subprocess_exec(
            # Ours may be killed, or end with its terminal: then nobody else would stop this one, and it keeps its port.
            *("setpriv", "--pdeathsig", "TERM"),
            *(sys.executable, "-m", "ivrflow", "serve", "--drain", str(self._drain_s)),
            cwd=CHECKOUT,
            env={**inherited, **self._environment},
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop it in order
        )
        self._following = asyncio.create_task(self._follow(self._process))
        serves = asyncio.create_task(self._serves.wait())
        ended = asyncio.create_task(self._process.wait())
        await asyncio.wait([serves, ended], timeout=_START_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
        for task in (serves, ended):
            task.cancel()
        if not self._serves.is_set():
            await self.stop()
            raise SetupError("the engine did not start:\n" + "\n".join(self._lines[-_LAST_LINES:]))

    async def exited(self) -> None:
        """Return when it has ended by itself."""
        assert self._process is not None
        await self._process.wait()

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()

    async def stop(self) -> None:
        """Stop it in order; kill it if that takes too long."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(self._drain_s + _STOP_LIMIT_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._following is not None:
            await self._following

    async def _follow(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            text = line.decode(errors="replace").rstrip("\n")
            self._lines.append(text)
            if _READY in text:
                self._serves.set()
            if not self.quiet:
                print(f"  engine  {text}", file=sys.stderr)
