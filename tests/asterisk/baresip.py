"""baresip, a softphone that is not ours: dials, presses keys, hangs up, and keeps the sound it received.

It is remote-controlled over its own TCP interface (`ctrl_tcp`), where each message is JSON in a netstring.
"""

import asyncio
import json
import shutil
import socket
import wave
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from ivrflow.softphone.codecs import RATE, Samples

MODULES = Path("/usr/lib/baresip/modules")

_STARTS_WITHIN_S = 10.0
_ENDS_WITHIN_S = 5.0

# `aufile` plays silence into the microphone; `aubridge` is a loudspeaker that nobody hears but that keeps time; `sndfile`
# writes down what was received. No `net_interface`: with the loopback there this version finds no address.
_CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:0
call_max_calls 1
audio_player aubridge,loudspeaker
audio_source aufile,{microphone}
audio_alert aubridge,alert
jitter_buffer_delay 1-10
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{port}
snd_path {heard}
"""
# `menu` takes over as soon as a call is up and would play a tone of its own when it ends; without `regint` no registering.
_ACCOUNT = "<sip:{account}@{host}:{sip_port}>;auth_pass={password};audio_codecs=pcmu;regint=0;answermode=manual\n"


class Baresip:
    """One baresip, its configuration and its recordings in a folder of its own; ended with the block.

    Args:
        folder: for all it reads and writes.
        account: SIP account at the PBX.
        password: the account's.
        server: where the PBX listens for SIP.
    """

    def __init__(self, folder: Path, account: str, password: str, server: tuple[str, int]) -> None:
        self._folder = folder
        self._account = {"account": account, "password": password, "host": server[0], "sip_port": server[1]}
        self._server = server
        self._events: list[dict[str, Any]] = []
        self._changed = asyncio.Event()
        self._sent = 0
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        port = _free_port()
        heard = self._folder / "heard"
        heard.mkdir(parents=True)
        microphone = self._folder / "silence.wav"
        with wave.open(str(microphone), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(bytes(2 * RATE * 60))
        config = _CONFIG.format(microphone=microphone, modules=MODULES, port=port, heard=heard)
        (self._folder / "config").write_text(config, encoding="utf-8")
        (self._folder / "accounts").write_text(_ACCOUNT.format(**self._account), encoding="utf-8")
        (self._folder / "contacts").write_text("", encoding="utf-8")
        with (self._folder / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *("setpriv", "--pdeathsig", "KILL", "baresip", "-f", str(self._folder)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            reader, self._writer = await self._connect(port)
        except BaseException:
            await self._end()
            raise
        self._reading = asyncio.create_task(self._read(reader))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    # -- what one does with it

    async def dial(self, number: str) -> None:
        """Call; `until("CALL_ESTABLISHED")` tells when somebody answers."""
        await self._command("dial", f"sip:{number}@{self._server[0]}:{self._server[1]}")

    async def press(self, key: str) -> None:
        """Press a key; this version holds it for 180 ms."""
        await self._command("sndcode", key)

    async def hang_up(self) -> None:
        """End the call."""
        await self._command("hangup")

    async def until(self, kind: str, within_s: float = 30.0) -> dict[str, Any]:
        """The next event of this kind that has not been waited for."""
        return await self._until(lambda message: message.get("type") == kind, f"event {kind}", within_s)

    def heard(self) -> Samples:
        """What was received, at 8 kHz; where nothing was sent to it there is nothing, not even silence."""
        (file,) = (self._folder / "heard").glob("*-dec.wav")
        data = file.read_bytes()
        # The length in the header is only right once the file was closed in order; the samples follow the "data" mark.
        start = data.index(b"data") + 8
        return np.frombuffer(data[start : start + (len(data) - start) // 2 * 2], "<i2").astype(np.int16)

    # -- inside

    async def _connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        assert self._process is not None
        async with asyncio.timeout(_STARTS_WITHIN_S):
            while self._process.returncode is None:
                try:
                    return await asyncio.open_connection("127.0.0.1", port)
                except ConnectionRefusedError:
                    await asyncio.sleep(0.05)  # it tells nobody when it begins to listen
        raise AssertionError(f"baresip did not start:\n{(self._folder / 'log').read_text(errors='replace')}")

    async def _command(self, command: str, parameters: str = "") -> None:
        assert self._writer is not None
        self._sent += 1
        token = str(self._sent)
        message = json.dumps({"command": command, "params": parameters, "token": token}).encode()
        self._writer.write(b"%d:%s," % (len(message), message))
        answer = await self._until(lambda message: message.get("token") == token, f"answer to {command}", 10.0)
        assert answer.get("ok"), f"baresip refused {command}: {answer}"

    async def _until(self, wanted: Callable[[dict[str, Any]], bool], what: str, within_s: float) -> dict[str, Any]:
        try:
            async with asyncio.timeout(within_s):
                while True:
                    self._changed.clear()
                    found = next(filter(wanted, self._events), None)
                    if found is not None:
                        self._events.remove(found)
                        return found
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"no {what} within {within_s:g} s; there was {self._events}") from None

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while length := await reader.readuntil(b":"):
            message = await reader.readexactly(int(length[:-1]) + 1)
            self._events.append(json.loads(message[:-1]))
            self._changed.set()

    async def _end(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(_ENDS_WITHIN_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


def installed() -> bool:
    """Whether this machine has it."""
    return shutil.which("baresip") is not None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
