"""A PBX of our own configuration, started without a container engine from the file tree of the PBX image.

    async with Pbx(state, settings) as pbx:
        print(await pbx.cli("core show channels"))

Several can run at once, each with its own state folder and ports (`PbxSettings.on_free_ports`). Asterisk runs as an
ordinary user in a mount namespace of its own: nothing is mounted outside it, and it ends when this process does.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import socket
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tools import images, passwords
from tools.places import MUSIC, PBX, PROMPTS, RECIPE, RECORDINGS
from tools.stages import SetupError

USER = "asterisk"
"""Who the PBX runs as, inside its file tree. Its number is fixed in the Dockerfile."""
USER_ID = 5060

_STATE_INSIDE = "/var/lib/ivrflow/pbx"
_PROMPTS_INSIDE = "/var/lib/ivrflow/prompts"
_RECORDINGS_INSIDE = "/var/lib/ivrflow/recordings"
_RECIPE_INSIDE = "/usr/share/ivrflow/asterisk"

_OF_TALKS = (
    "PBX_QUEUE_AGENTS",
    "PBX_QUEUE_SENIORS",
    "PBX_AGENT_CODEC",
    "PBX_AGENT_RING_SECONDS",
    "PBX_WRAPUP_SECONDS",
    "PBX_RTP_TIMEOUT",
    "PBX_RTP_TIMEOUT_HOLD",
)

_READY_LINE = "Asterisk Ready."
_START_LIMIT_S = 30.0
_STOP_LIMIT_S = 10.0
_LAST_LINES = 15

# Everything is mounted by bind inside the namespace `unshare` made, so it is gone with the process. The tree itself is
# read-only: all that a PBX writes is in its state folder.
_MOUNT_AND_BECOME_ASTERISK = f"""
tree=$1 state=$2 prompts=$3 recipe=$4 recordings=$5
mount --bind "$tree" "$tree"
mount --bind "$state" "$tree{_STATE_INSIDE}"
mount --bind "$prompts" "$tree{_PROMPTS_INSIDE}"
mount --bind "$recordings" "$tree{_RECORDINGS_INSIDE}"
mount --bind "$recipe" "$tree{_RECIPE_INSIDE}"
mount --bind /proc "$tree/proc"
mount --bind /dev "$tree/dev"
mount -o remount,bind,ro "$tree"
cd "$tree"
exec chroot "$tree" setpriv --reuid={USER} --regid={USER} --init-groups --no-new-privs --pdeathsig KILL \\
    {_RECIPE_INSIDE}/start
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PbxSettings:
    """What a PBX listens on, whom it talks to and its passwords; see `asterisk/settings.env` for their meaning."""

    sip_bind: str
    sip_port: int
    rtp_first_port: int
    rtp_last_port: int
    ami_bind: str
    ami_port: int
    ami_user: str
    agi_host: str
    agi_port: int
    duty_extension: str
    duty_ring_seconds: int
    talks: Mapping[str, str] = field(default_factory=dict)
    """Who may log in to which queue, how long telephones ring and agents rest, after how long one that vanished is
    missed, by the names in `settings.env`; what is not named has its default."""
    secrets: Mapping[str, str] = field(repr=False)
    """By the names in `tools.passwords`."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> PbxSettings:
        """The environment's settings, else the defaults; passwords are made when there are none yet.

        Raises:
            SetupError: a port or a number is not one.
        """
        known = {**defaults(), **{name: value for name, value in environment.items() if value}}

        def number(name: str) -> int:
            try:
                return int(known[name])
            except ValueError:
                raise SetupError(f"{name} is {known[name]!r}; write a whole number") from None

        return cls(
            sip_bind=known["PBX_SIP_BIND"],
            sip_port=number("PBX_SIP_PORT"),
            rtp_first_port=number("PBX_RTP_FIRST_PORT"),
            rtp_last_port=number("PBX_RTP_LAST_PORT"),
            ami_bind=known["PBX_AMI_BIND"],
            ami_port=number("IVRFLOW_AMI_PORT"),
            ami_user=known["IVRFLOW_AMI_USER"],
            agi_host=known["IVRFLOW_AGI_HOST"],
            agi_port=number("IVRFLOW_AGI_PORT"),
            duty_extension=known["PBX_DUTY_EXTENSION"],
            duty_ring_seconds=number("PBX_DUTY_RING_SECONDS"),
            talks={name: known[name] for name in _OF_TALKS},
            secrets=passwords.ensure(environment=environment),
        )

    def on_free_ports(self, *, calls: int = 100) -> PbxSettings:
        """The same on ports that nobody uses at the moment, with room for the audio of that many calls at once."""
        first = _free_audio_ports(self.sip_bind, 2 * calls)
        return replace(
            self,
            sip_port=_free_port(self.sip_bind, socket.SOCK_DGRAM),
            rtp_first_port=first,
            rtp_last_port=first + 2 * calls - 1,
            ami_port=_free_port(self.ami_bind, socket.SOCK_STREAM),
            agi_port=_free_port(self.agi_host, socket.SOCK_STREAM),
        )

    @property
    def ami_secret(self) -> str:
        """The secret of `ami_user`."""
        return self.secrets[passwords.AMI_SECRET]

    def password(self, account: str) -> str:
        """The password of a SIP account."""
        return self.secrets[passwords.variable(account)]

    def environment(self) -> dict[str, str]:
        """For the start script of `asterisk/`."""
        return {
            "PBX_SIP_BIND": self.sip_bind,
            "PBX_SIP_PORT": str(self.sip_port),
            "PBX_RTP_FIRST_PORT": str(self.rtp_first_port),
            "PBX_RTP_LAST_PORT": str(self.rtp_last_port),
            "PBX_AMI_BIND": self.ami_bind,
            "IVRFLOW_AMI_PORT": str(self.ami_port),
            "IVRFLOW_AMI_USER": self.ami_user,
            "IVRFLOW_AGI_HOST": self.agi_host,
            "IVRFLOW_AGI_PORT": str(self.agi_port),
            "IVRFLOW_PBX_PROMPTS_DIR": _PROMPTS_INSIDE,
            "PBX_DUTY_EXTENSION": self.duty_extension,
            "PBX_DUTY_RING_SECONDS": str(self.duty_ring_seconds),
            **self.talks,
            **self.secrets,
        }

    def engine_environment(self, prompts: Path = PROMPTS, recordings: Path = RECORDINGS) -> dict[str, str]:
        """What the engine has to be told to work with this PBX, whose prompts and recordings are in those folders."""
        return {
            "IVRFLOW_AMI_HOST": self.ami_bind,
            "IVRFLOW_AMI_PORT": str(self.ami_port),
            "IVRFLOW_AMI_USER": self.ami_user,
            "IVRFLOW_AMI_SECRET": self.ami_secret,
            "IVRFLOW_AGI_HOST": self.agi_host,
            "IVRFLOW_AGI_PORT": str(self.agi_port),
            "IVRFLOW_PROMPTS_DIR": str(prompts),
            "IVRFLOW_PBX_PROMPTS_DIR": _PROMPTS_INSIDE,
            "IVRFLOW_RECORDINGS_DIR": str(recordings),
            "IVRFLOW_PBX_RECORDINGS_DIR": _RECORDINGS_INSIDE,
        }


def defaults(recipe: Path = RECIPE) -> dict[str, str]:
    """The settings that have a default, as the start script reads them."""
    lines = (recipe / "settings.env").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=")[::2] for line in lines if line and not line.startswith("#"))
    return dict(pairs)


def build() -> Path:
    """Build what a PBX starts from, unless it is there; shows its progress.

    Raises:
        SetupError: this machine cannot; says why.
    """
    return images.ensure_rootfs()


def _show_music(tree: Path) -> None:
    """Let scenarios find the hold music of the PBX's file tree: a link, replaced in one step."""
    music = tree.absolute() / "usr/share/asterisk/moh"
    if music.is_dir() and (MUSIC.is_symlink() or not MUSIC.exists()):
        new = MUSIC.with_name(f".{MUSIC.name}.{os.getpid()}")
        new.unlink(missing_ok=True)
        new.symlink_to(music)
        new.replace(MUSIC)


class Pbx:
    """One running PBX.

    Args:
        state: the folder for everything it writes; made when missing, given to the PBX's user.
        settings: its ports, passwords and the rest.
        prompts: the folder with the prompts in the PBX's formats; made when missing.
        recordings: the folder for recorded calls and messages; made when missing, given to the PBX's user.
        recipe: the configuration to start with.
        tree: the file tree to start from; default the one `build` makes.
    """

    def __init__(
        self,
        state: Path,
        settings: PbxSettings,
        *,
        prompts: Path = PROMPTS,
        recordings: Path = RECORDINGS,
        recipe: Path = RECIPE,
        tree: Path | None = None,
    ) -> None:
        self.state = state.absolute()
        self.settings = settings
        self.prompts = prompts.absolute()
        self.recordings = recordings.absolute()
        self._recipe = recipe.absolute()
        self._tree = tree
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._said: list[str] = []
        self._held = ExitStack()

    def engine_environment(self) -> dict[str, str]:
        """What the engine has to be told to work with this PBX."""
        return self.settings.engine_environment(self.prompts, self.recordings)

    @property
    def pid(self) -> int:
        """Asterisk's process id."""
        return self._running().pid

    @property
    def log(self) -> Path:
        """Notices, warnings and errors since it started."""
        return self.state / "log" / "messages.log"

    async def start(self) -> None:
        """Start and wait until calls can come in.

        Raises:
            SetupError: not root, a port is taken, or Asterisk did not start; with what it said.
        """
        if os.geteuid() != 0:
            raise SetupError("starting the PBX makes a chroot, and that needs root: run `sudo make run`, or use Docker")
        self._check_ports()
        tree = self._tree or build()
        self._held.enter_context(images.in_use(tree))
        self._prepare_folders()
        _show_music(tree)
        script = ["sh", "-euc", _MOUNT_AND_BECOME_ASTERISK, "pbx"]
        folders = [str(folder) for folder in (tree, self.state, self.prompts, self._recipe, self.recordings)]
        environment = {name: os.environ[name] for name in ("PATH", "TZ") if name in os.environ}
        self._process = await asyncio.create_subprocess_exec(
            *["unshare", "--mount", "--propagation", "private", *script, *folders],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**environment, "LANG": "C.UTF-8", **self.settings.environment()},
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop it in order
        )
        self._reader = asyncio.create_task(self._read_console(self._process))
        try:
            async with asyncio.timeout(_START_LIMIT_S):
                await self._ready.wait()
        except TimeoutError:
            await self.stop()
            raise SetupError(f"Asterisk was not ready after {_START_LIMIT_S:.0f} s. {self._last_said()}") from None
        except BaseException:
            await self.stop()
            raise
        if self._process.returncode is not None or self._reader.done():
            await self.stop()
            raise SetupError(f"Asterisk did not start. {self._last_said()}")

    async def stop(self) -> None:
        """Stop it and wait until it is gone; does nothing when it is not running."""
        process, reader = self._process, self._reader
        self._process = self._reader = None
        if process is not None:
            if process.returncode is None:
                process.terminate()
                try:
                    async with asyncio.timeout(_STOP_LIMIT_S):
                        await process.wait()
                except TimeoutError:
                    process.kill()
                    await process.wait()
            if reader is not None:
                await reader
        self._held.close()
        self._ready.clear()

    async def cli(self, command: str) -> str:
        """What Asterisk's console answers to a command, such as "core show channels"."""
        enter = ["nsenter", "--target", str(self.pid), "--mount", "--root", "--wdns=/"]
        asterisk = ["asterisk", "-C", f"{_STATE_INSIDE}/etc/asterisk.conf", "-rx", command]
        process = await asyncio.create_subprocess_exec(
            *enter, *asterisk, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd="/"
        )
        said, _ = await process.communicate()
        return said.decode(errors="replace")

    async def exited(self) -> int:
        """Wait until Asterisk ends by itself.

        Returns:
            Its exit code; negative: the signal that ended it.
        """
        return await self._running().wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.stop()

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("this PBX is not running")
        return self._process

    async def _read_console(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with (self.state / "console.log").open("wb") as record:
            async for line in process.stdout:
                record.write(line)
                record.flush()
                self._said = [*self._said[1 - _LAST_LINES :], line.decode(errors="replace").rstrip()]
                if self._said[-1] == _READY_LINE:
                    self._ready.set()
        self._ready.set()  # the end: nobody has to wait any longer

    def _last_said(self) -> str:
        return f"All it said is in {self.state / 'console.log'}, the end of it was:\n" + "\n".join(
            f"    {line}" for line in self._said
        )

    def _prepare_folders(self) -> None:
        self.prompts.mkdir(parents=True, exist_ok=True)
        if not self.prompts.stat().st_mode & 0o005 == 0o005:
            raise SetupError(f"the PBX's user cannot read {self.prompts}: write `chmod a+rx {self.prompts}`")
        # What a crashed start left half-written must not be read by the next; what phones registered (db) stays.
        for folder in ("etc", "run"):
            shutil.rmtree(self.state / folder, ignore_errors=True)
        (self.state / "log" / "messages.log").unlink(missing_ok=True)
        self.state.mkdir(parents=True, exist_ok=True)
        self.recordings.mkdir(parents=True, exist_ok=True)
        for owned in (self.state, self.recordings):
            os.chown(owned, USER_ID, USER_ID)
            owned.chmod(0o750)

    def _check_ports(self) -> None:
        settings = self.settings
        for name, address, port, kind in (
            ("PBX_SIP_PORT", settings.sip_bind, settings.sip_port, socket.SOCK_DGRAM),
            ("IVRFLOW_AMI_PORT", settings.ami_bind, settings.ami_port, socket.SOCK_STREAM),
        ):
            if not _is_free(address, port, kind):
                raise SetupError(
                    f"port {port} on {address} is in use: stop what uses it (another `make run`?), or set {name}"
                )


# ── ports ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _is_free(address: str, port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            # As Asterisk does: connections of the last run that are still winding down are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind((address, port))
            return True
    return False


def _free_port(address: str, kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def _free_audio_ports(address: str, count: int) -> int:
    """The first of `count` ports in a row, the first one even, below the range from which the kernel hands out ports."""
    blocks = list(range(24000, 32768 - count, count + count % 2))
    random.shuffle(blocks)  # two that look at the same moment should not find the same
    for first in blocks:
        if all(_is_free(address, port, socket.SOCK_DGRAM) for port in range(first, first + count)):
            return first
    raise SetupError(f"no {count} free UDP ports in a row between 24000 and 32767 on {address}")


DEMO_STATE = PBX / "run"
"""The state folder of the PBX that `make run` starts."""
