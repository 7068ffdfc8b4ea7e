"""SIPp as the caller of a load: started with a script of ours, followed in its statistics, stopped in order."""

from __future__ import annotations

import asyncio
import csv
import re
import shutil
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGUSR1

from ivrflow.scenario.load.load import LoadListener, Voice
from ivrflow.scenario.load.load_records import CallerSide, LoadSize, Tally
from ivrflow.scenario.load.sipp import CODEC, SippSounds, backgrounds, sipp_script, stream_of
from ivrflow.scenario.load.timetable import Timetable
from ivrflow.scenario.pbx.cast import Accounts
from ivrflow.scenario.run.run import CannotRun
from ivrflow.scenario.script import Say, Scenario
from ivrflow.softphone.codecs import codec

PROGRAM = "sipp"
LOOK_EVERY_S = 1.0
"""Seconds between two lines of SIPp's statistics, the finest it knows."""

ENDS_WITHIN_S = 3.0
"""Seconds SIPp has to hang up all calls when it is stopped. Measured: it does that at once, and then never ends."""

_BUFFER = 1 << 20
"""Bytes of SIP the kernel may keep for SIPp; with its own 64 KiB a busy moment costs messages, and their repetition time."""

_PLAIN = re.compile(r"[^\s;,=\[\]\"']+")
"""What SIPp can read out of a field as a name or a password."""

_ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
"""Should we be killed, nobody else would end it."""

# What SIPp counts as failed, and what that means for one of our scripts.
_FAULTS = {
    "FailedCannotSendMessage": "SIPp could not send",
    "FailedMaxUDPRetrans": "the PBX did not answer",
    "FailedCallRejected": "SIPp itself failed",
    "FailedOutboundCongestion": "SIPp could not send",
    "FailedTimeoutOnRecv": "not answered, or not over, in time",
    "FailedTimeoutOnSend": "SIPp could not send",
}
_UNEXPECTED = "FailedUnexpectedMessage"
_OVER_BEFORE = "over before its time"


@dataclass(frozen=True, slots=True)
class SippCounts:
    """What one line of SIPp's statistics says. `at` is Unix time."""

    at: float
    placed: int
    live: int
    well: int
    failed: int
    faults: Mapping[str, int]


def installed_sipp() -> str:
    """Where the program is.

    Raises:
        CannotRun: it is not installed; says how to.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise CannotRun(
            "SIPp is not installed: install the distribution's package (Debian, Ubuntu: apt-get install sip-tester), or "
            "let our own phone call: --caller own"
        )
    return program


def read_counts(text: str) -> list[SippCounts]:
    """SIPp's statistics file, as far as it is written: a line that is not complete yet is left out."""
    complete = text[: text.rfind("\n") + 1]
    rows = csv.DictReader(complete.splitlines(), delimiter=";")
    return [
        SippCounts(
            at=float(row["CurrentTime"].rpartition("\t")[2]),
            placed=int(row["TotalCallCreated"]),
            live=int(row["CurrentCall"]),
            well=int(row["SuccessfulCall(C)"]),
            failed=int(row["FailedCall(C)"]),
            faults={name: count for name in (*_FAULTS, _UNEXPECTED) if (count := int(row[f"{name}(C)"]))},
        )
        for row in rows
    ]


def read_setups(text: str) -> list[float]:
    """Seconds from INVITE to answer of every call, from the file that `-trace_rtt` writes (milliseconds, mostly whole ones)."""
    complete = text[: text.rfind("\n") + 1]
    return [float(line.split(";")[1]) / 1000 for line in complete.splitlines()[1:]]


def read_statuses(text: str) -> Counter[int]:
    """How many calls were refused with which SIP status, from the file that `-trace_error_codes` writes."""
    codes = (line.rpartition(";")[2].split(",") for line in text.splitlines())
    return Counter(int(code) for line in codes for code in line if code.strip().isdigit())


def faults_of(counted: SippCounts, statuses: Mapping[int, int]) -> dict[str, int]:
    """The same in words."""
    faults: Counter[str] = Counter()
    for name, count in counted.faults.items():
        if name != _UNEXPECTED:
            faults[_FAULTS[name]] += count
    for status, count in statuses.items():
        faults[f"refused: {status}"] += count
    # What else was unexpected is a BYE while the script still had something to do.
    faults[_OVER_BEFORE] += max(0, counted.faults.get(_UNEXPECTED, 0) - sum(statuses.values()))
    known = sum(faults.values())
    if counted.failed > known:
        faults["SIPp does not say why"] += counted.failed - known
    return {name: count for name, count in faults.items() if count}


@dataclass(slots=True, kw_only=True)
class SippLoad:
    """One load by SIPp.

    Attributes:
        scenario: whose caller; checked by `check_for_sipp`.
        table: what each call does when.
        size: how many calls; nobody is listened to here.
        accounts: where the PBX is, and who we are there.
        local_ip: our own address.
        listener: told once a second how many calls are where.
        voice: gives `say` steps their sound.
        headers: further SIP headers of every INVITE.
    """

    scenario: Scenario
    table: Timetable
    size: LoadSize
    accounts: Accounts
    local_ip: str
    listener: LoadListener
    voice: Voice
    headers: Sequence[tuple[str, str]] = ()
    counts: list[SippCounts] = field(default_factory=list)
    setups: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    began_at: float = 0.0
    pid: int | None = None

    @property
    def now_live(self) -> int:
        """How many calls were there a second ago."""
        return self.counts[-1].live if self.counts else 0

    async def run(self) -> None:
        """Place all calls and wait until the last one is over. Cancelled, it hangs up those that are left first.

        Raises:
            CannotRun: SIPp is not installed, or will not do it.
        """
        program = installed_sipp()
        with tempfile.TemporaryDirectory(prefix="ivrflow-load-") as name:
            folder = Path(name)
            self._write(folder)
            self.began_at = time.time()
            with (folder / "said").open("wb") as said:
                process = await asyncio.create_subprocess_exec(
                    *(*_ENDS_WITH_US, program, *self._arguments()),
                    cwd=folder,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                )
            self.pid = process.pid
            try:
                code = await self._follow(process, folder)
            finally:
                await self._end(process, folder)
            # 1: at least one call failed. Anything else is no verdict on the calls.
            if code not in {0, 1} or not self.counts:
                raise CannotRun(f"SIPp ended with code {code}: {_last_words(folder)}")

    def side(self) -> CallerSide:
        """What it tells so far."""
        last = self.counts[-1] if self.counts else SippCounts(0.0, 0, 0, 0, 0, {})
        faults = faults_of(last, self.statuses)
        placed_all = next((counted.at for counted in self.counts if counted.placed == last.placed), self.began_at)
        return CallerSide(
            kind="sipp",
            planned=self.size.calls,
            rate=self.size.rate,
            most=self.size.most,
            placed=last.placed,
            answered=len(self.setups),
            well=last.well,
            failed=last.failed,
            cut=last.placed - last.well - last.failed,
            faults=faults,
            statuses=dict(self.statuses),
            setups=self.setups,
            live=[(0.0, 0), *((counted.at - self.began_at, counted.live) for counted in self.counts)],
            began_at=self.began_at,
            placing=max(0.0, placed_all - self.began_at),
            took=last.at - self.began_at if self.counts else 0.0,
        )

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _write(self, folder: Path) -> None:
        said, streams = {}, {}
        for number, entry in enumerate(self.table.entries):
            if isinstance(entry.step, Say):
                said[entry.step] = str(folder / f"said{number}.al")
                Path(said[entry.step]).write_bytes(codec(CODEC).encode(self.voice(entry.step)))
        for number, source in enumerate(backgrounds(self.scenario, self.table)):
            stream = stream_of(source)
            if stream is not None:
                streams[source] = str(folder / f"background{number}.al")
                Path(streams[source]).write_bytes(stream)
        script = sipp_script(self.scenario, self.table, SippSounds(said, streams), self.headers)
        (folder / "load.xml").write_text(script, encoding="utf-8")
        account = self.accounts.caller
        if not all(map(_PLAIN.fullmatch, (account, self.accounts.passwords[account]))):
            raise CannotRun(
                f"SIPp cannot take the name or the password of the account '{account}': it holds a blank, a bracket, a "
                "semicolon, a comma, a quote or '='; let our own phone call: --caller own"
            )
        # In a file and not on the command line, where everybody on this machine could read it.
        fields = folder / "accounts.csv"
        fields.touch(mode=0o600)
        password = self.accounts.passwords[account]
        fields.write_text(
            f"SEQUENTIAL\n{account};[authentication username={account} password={password}]\n", encoding="utf-8"
        )

    def _arguments(self) -> list[str]:
        host, port = self.accounts.server
        size = self.size
        longest = size.calls / size.rate + (size.calls / size.most + 2) * self.scenario.within
        return [
            *(f"{host}:{port}", "-sf", "load.xml", "-inf", "accounts.csv"),
            *("-i", self.local_ip, "-mi", self.local_ip, "-p", str(_free_port(self.local_ip))),
            *("-m", str(size.calls), "-r", f"{size.rate:g}", "-l", str(size.most)),
            *("-trace_stat", "-stf", "counts.csv", "-fd", f"{LOOK_EVERY_S:g}s"),
            *("-trace_rtt", "-rtt_freq", "1", "-trace_error_codes", "-nostdin", "-aa", "-f", "60"),
            *("-buff_size", str(_BUFFER), "-timeout", f"{longest:.0f}s"),
        ]

    async def _follow(self, process: asyncio.subprocess.Process, folder: Path) -> int:
        waiting = asyncio.ensure_future(process.wait())
        try:
            while True:
                done, _ = await asyncio.wait([waiting], timeout=LOOK_EVERY_S)
                self._read(folder)
                if done:
                    return waiting.result()
        finally:
            waiting.cancel()

    def _read(self, folder: Path) -> None:
        self.counts = read_counts(_text(folder / "counts.csv"))
        self.setups = read_setups("".join(_text(path) for path in folder.glob("load_*_rtt.csv")))
        self.statuses = read_statuses("".join(_text(path) for path in folder.glob("load_*_error_codes.csv")))
        if self.counts:
            last = self.counts[-1]
            self.listener.counted(Tally(self.size.calls, last.placed, last.live, well=last.well, failed=last.failed))

    async def _end(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        if process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(SIGUSR1)  # no new calls
            await asyncio.sleep(0.1)
            process.send_signal(SIGUSR1)  # hang up those there are
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDS_WITHIN_S):
                await process.wait()
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        self._read(folder)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _last_words(folder: Path) -> str:
    lines = [line.strip() for line in _text(folder / "said").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _free_port(address: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port
