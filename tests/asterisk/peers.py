"""The simplest possible partners of a PBX: an engine of a few lines, and ears."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from ivrflow.softphone.call import Call
from ivrflow.softphone.codecs import RATE, Samples, codec
from ivrflow.softphone.listening import find
from tools.pbx import Pbx


class AgiSession:
    """One call at the tiny engine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.environment: dict[str, str] = {}
        self._reader, self._writer = reader, writer

    async def read_environment(self) -> None:
        while line := await self.line():
            name, _, value = line.partition(": ")
            self.environment[name] = value

    async def line(self) -> str:
        return (await self._reader.readline()).decode().rstrip("\n")

    def send(self, command: str) -> None:
        self._writer.write(f"{command}\n".encode())

    async def command(self, command: str) -> str:
        self.send(command)
        return await self.line()

    async def finish(self) -> None:
        """End the call as the engine does when all went well."""
        await self.command("SET VARIABLE IVRFLOW_DONE 1")

    def die(self) -> None:
        """What the PBX sees of an engine whose process is killed."""
        self._writer.transport.abort()


class AgiPeer:
    """An engine that does with every call what `serve` says; failures in it come out at the end of the block."""

    def __init__(self, pbx: Pbx, serve: Callable[[AgiSession], Awaitable[None]]) -> None:
        self._address = (pbx.settings.agi_host, pbx.settings.agi_port)
        self._serve = serve
        self._calls: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, *self._address)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()
        if error is not None:
            for call in self._calls:
                call.cancel()
            await asyncio.gather(*self._calls, return_exceptions=True)
            return
        async with asyncio.timeout(10):
            await asyncio.gather(*self._calls)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._calls.append(asyncio.create_task(self._one_call(reader, writer)))

    async def _one_call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = AgiSession(reader, writer)
        try:
            await session.read_environment()
            await self._serve(session)
        finally:
            writer.close()


def prompt(folder: Path, name: str) -> Samples:
    """A prompt as the caller hears it on a G.711 line."""
    return codec("ulaw").decode((folder / f"{name}.ulaw").read_bytes())


def seconds_of_tone(heard: Samples, hz: int) -> float:
    """For how long nothing but that tone was heard.

    Told in steps of 40 ms, each for itself: a busy machine may stretch a tone, which breaks its phase.
    """
    step = RATE // 25
    wave = np.exp(-2j * np.pi * hz * np.arange(step) / RATE)
    count = 0
    for start in range(0, len(heard) - step + 1, step):
        sound = heard[start : start + step].astype(np.float64)
        energy = float(sound @ sound)
        count += energy > 0 and 2 * abs(sound @ wave) ** 2 / (energy * step) > 0.8
    return count * step / RATE


async def has_heard(call: Call, hz: int, seconds: float, *, since: float, within_s: float = 10.0) -> None:
    """Wait until a telephone has heard so many seconds of that tone since a moment of the monotonic clock."""
    heard = 0.0

    def is_enough() -> bool:
        nonlocal heard
        heard = seconds_of_tone(call.recording.samples(since, time.monotonic()), hz)
        return heard >= seconds

    try:
        async with asyncio.timeout(within_s):
            while not is_enough():  # noqa: ASYNC110 -- a recording tells nobody what is in it
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{heard:g} s of {hz} Hz heard within {within_s:g} s, not {seconds:g} s") from None


async def falls_silent(call: Call, hz: int, for_s: float, *, within_s: float = 10.0) -> None:
    """Wait until a telephone has heard nothing of that tone for so long, whatever was still under way before."""
    try:
        async with asyncio.timeout(within_s):
            silent_from = time.monotonic()
            while (now := time.monotonic()) < silent_from + for_s:
                if seconds_of_tone(call.recording.samples(silent_from, now), hz):
                    silent_from = now
                await asyncio.sleep(0.02)  # as above; and silence is nothing but time that passes
    except TimeoutError:
        raise AssertionError(f"{hz} Hz goes on for {within_s:g} s") from None


async def has_heard_words(call: Call, said: Samples, share: float = 0.5, *, within_s: float = 20.0) -> None:
    """Wait until a telephone has heard that share of a prompt."""
    heard = 0.0

    def is_enough() -> bool:
        nonlocal heard
        found = find(call.recording, said)
        heard = found.completeness if found is not None else 0.0
        return heard >= share

    try:
        async with asyncio.timeout(within_s):
            while not is_enough():  # noqa: ASYNC110 -- a recording tells nobody what is in it
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"of the prompt {heard:.0%} were heard within {within_s:g} s, not {share:.0%}") from None
