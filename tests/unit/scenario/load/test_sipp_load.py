"""SIPp as the caller: its files, and SIPp itself played by a few lines of shell."""

import asyncio
import os
import shutil
import signal
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from loopback_phones import eventually
from made_loads import Told
from made_results import a_scenario
from pretended_sipp import HEAD, Pretended, counts, line, pretended_sipp

from ivrflow.flow.problems import Location
from ivrflow.scenario.load import sipp_load as module
from ivrflow.scenario.load.load_records import LoadSize
from ivrflow.scenario.load.sipp_load import SippCounts, SippLoad, faults_of, read_counts, read_setups, read_statuses
from ivrflow.scenario.load.timetable import Entry, Timetable
from ivrflow.scenario.pbx.cast import Accounts
from ivrflow.scenario.pbx.saying import plain_speech
from ivrflow.scenario.run.run import CannotRun
from ivrflow.scenario.script import Say

HERE = Location("scenarios/a.yaml", 3, 5)
# ── what SIPp writes ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_its_counts_are_read_line_by_line_up_to_the_last_that_is_complete() -> None:
    first = line(1000.5, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    second = line(1001.5, 9, 4, 3, 2, 0, 1, 0, 0, 0, 0, 1)
    assert read_counts(f"{HEAD}\n{first}\n{second}\n{second[:40]}") == [
        SippCounts(1000.5, 3, 2, 1, 0, {}),
        SippCounts(1001.5, 9, 4, 3, 2, {"FailedMaxUDPRetrans": 1, "FailedUnexpectedMessage": 1}),
    ]


@pytest.mark.parametrize("text", ["", HEAD, f"{HEAD}\n"])
def test_a_file_that_is_only_begun_has_no_counts(text: str) -> None:
    assert read_counts(text) == []


def test_times_to_the_answer_are_seconds() -> None:
    assert read_setups("Date_ms;response_time_ms;rtd_no\n208.001;4;setup\n408.001;691.5;setup\n608.0") == [
        0.004,
        0.6915,
    ]
    assert read_setups("") == []


def test_statuses_are_counted_over_all_lines() -> None:
    text = "2026-11-22\t01:57:37\t17.7;00:00:00:000000;\n2026-11-22\t01:57:38\t18.1;00:00:00:603000;503,503,486,\n"
    assert read_statuses(text) == {503: 2, 486: 1}


def test_faults_are_told_in_words_and_none_is_lost() -> None:
    counted = SippCounts(
        0.0, 20, 0, 10, 10, {"FailedMaxUDPRetrans": 2, "FailedTimeoutOnRecv": 1, "FailedUnexpectedMessage": 5}
    )
    assert faults_of(counted, {503: 3}) == {
        "the PBX did not answer": 2,
        "not answered, or not over, in time": 1,
        "refused: 503": 3,
        "over before its time": 2,
        "SIPp does not say why": 2,
    }
    assert faults_of(SippCounts(0.0, 5, 0, 5, 0, {}), {}) == {}


# ── a load ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pretended:
    return pretended_sipp(tmp_path, monkeypatch)


def a_load(*entries: Entry, calls: int = 9, password: str = "secret/word") -> tuple[SippLoad, Told]:
    told = Told()
    load = SippLoad(
        scenario=replace(a_scenario(within=5.0), number="12345"),
        table=Timetable(tuple(entries), 5.0, "peer", hears=True),
        size=LoadSize(calls=calls, rate=2.5, most=4),
        accounts=Accounts(server=("127.0.0.1", 15060), caller="caller", passwords={"caller": password}),
        local_ip="127.0.0.1",
        listener=told,
        voice=lambda step: plain_speech(step.seconds),
    )
    return load, told


async def test_it_is_told_what_to_do_and_believed_what_it_tells(program: Pretended, tmp_path: Path) -> None:
    done = line(1001.0, 9, 0, 8, 1, 0, 0, 0, 0, 0, 0, 1)
    program(
        f'echo "$@" > {tmp_path}/arguments; cp * {tmp_path}/; {counts(line(1000.0, 5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0), done)}\n'
        "printf 'head\\n1;4;setup\\n2;6;setup\\n' > load_1_rtt.csv; printf 'x;503,\\n' > load_1_error_codes.csv; exit 1"
    )
    load, told = a_load(Entry(1.0, Say(0.5, HERE)))
    await load.run()
    arguments = (tmp_path / "arguments").read_text()
    assert arguments.startswith("127.0.0.1:15060 -sf load.xml -inf accounts.csv -i 127.0.0.1 -mi 127.0.0.1 -p ")
    assert "-m 9 -r 2.5 -l 4" in arguments
    assert "secret/word" not in arguments
    assert (tmp_path / "accounts.csv").read_text() == (
        "SEQUENTIAL\ncaller;[authentication username=caller password=secret/word]\n"
    )
    assert "rtp_stream=" in (tmp_path / "load.xml").read_text()
    assert (tmp_path / "said0.al").stat().st_size == 4000
    assert (tmp_path / "background0.al").stat().st_size >= 40_000
    side = load.side()
    assert (side.kind, side.planned, side.placed, side.answered) == ("sipp", 9, 9, 2)
    assert (side.well, side.failed, side.cut) == (8, 1, 0)
    assert (side.faults, side.statuses, side.setups) == ({"refused: 503": 1}, {503: 1}, [0.004, 0.006])
    assert side.most_live == 5
    assert told.tallies[-1].failed == 1


async def test_the_password_is_nobody_elses_to_read(program: Pretended, tmp_path: Path) -> None:
    program(f"ls -l accounts.csv > {tmp_path}/listed; {counts(line(1.0, *[0] * 11))}")
    load, _ = a_load()
    await load.run()
    assert (tmp_path / "listed").read_text().startswith(stat.filemode(stat.S_IFREG | 0o600))


@pytest.mark.parametrize("script", ["echo; echo 'Unable to bind'; exit 255", "echo 'Unable to bind'; exit 0"])
async def test_one_that_will_not_do_it_is_quoted(program: Pretended, script: str) -> None:
    program(script)
    load, _ = a_load()
    with pytest.raises(CannotRun, match=r"^SIPp ended with code (255|0): Unable to bind$"):
        await load.run()


async def test_one_that_is_not_there_can_be_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    load, _ = a_load()
    with pytest.raises(CannotRun, match=r"^SIPp is not installed: .*apt-get install sip-tester.*--caller own$"):
        await load.run()


@pytest.mark.parametrize("password", ["two words", "a;b", "a]b", 'a"b', "a=b"])
async def test_a_password_sipp_cannot_read_is_refused(program: Pretended, password: str) -> None:
    program("exit 0")
    load, _ = a_load(password=password)
    with pytest.raises(
        CannotRun, match=r"^SIPp cannot take the name or the password of the account 'caller'"
    ) as problem:
        await load.run()
    assert password not in str(problem.value)


ASKS_WHAT_ENDS_IT = """
import ctypes, pathlib, sys
signal = ctypes.c_int()
ctypes.CDLL(None).prctl(2, ctypes.byref(signal))  # PR_GET_PDEATHSIG
pathlib.Path(sys.argv[1]).write_text(str(signal.value))
"""


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="without setpriv nothing ties SIPp to us")
async def test_it_does_not_outlive_us(program: Pretended, tmp_path: Path) -> None:
    (tmp_path / "asks.py").write_text(ASKS_WHAT_ENDS_IT)
    program(f"exec {sys.executable} {tmp_path}/asks.py {tmp_path}/told")
    load, _ = a_load()
    with pytest.raises(CannotRun):  # it counts nothing
        await load.run()
    assert int((tmp_path / "told").read_text()) == signal.SIGKILL


async def test_cancelled_it_is_told_twice_to_stop_and_then_killed(
    program: Pretended, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ENDS_WITHIN_S", 0.2)
    live = line(1000.0, 9, 7, 1, 1, 0, 0, 0, 0, 0, 0, 0)
    program(f"trap 'echo stop >> {tmp_path}/stops' USR1; {counts(live)}; while true; do sleep 0.02; done")
    load, _ = a_load()
    task = asyncio.create_task(load.run())
    await eventually(lambda: load.counts)
    pid = load.pid
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (tmp_path / "stops").read_text().count("stop") == 2
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    side = load.side()
    assert (side.placed, side.well, side.failed, side.cut) == (9, 1, 1, 7)
