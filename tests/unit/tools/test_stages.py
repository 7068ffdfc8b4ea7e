"""Programs that set-up runs: their output is kept, their failure is told, and none outlives us."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.places import CHECKOUT
from tools.stages import SetupError, contained, run, stage

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")


def test_lines_are_returned_told_and_kept(tmp_path: Path) -> None:
    told: list[str] = []
    lines = run(
        ["sh", "-c", "echo one; echo; echo $NUMBER >&2"],
        log=tmp_path / "a/log",
        detail=told.append,
        environment={"NUMBER": "two"},
    )
    assert lines == ["one", "", "two"]
    assert told == ["one", "two"]
    assert (tmp_path / "a/log").read_text(encoding="utf-8") == "one\n\ntwo\n"


def test_a_failure_is_told_with_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"sh ended with code 3; .*log, the end of it was:\n    this is why"):
        run(["sh", "-c", "echo this is why; exit 3"], log=tmp_path / "log", detail=lambda _: None)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no-such-program is not installed: run `make setup`"):
        run(["no-such-program"], log=tmp_path / "log", detail=lambda _: None)


def test_a_stage_says_when_it_begins_and_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    with stage("a [red]thing[/red]") as detail:
        detail("not shown outside a terminal")
    begun, done = capsys.readouterr().err.splitlines()
    assert begun == "a [red]thing[/red] …"
    assert done.startswith("a [red]thing[/red]: done in 0.")


def test_a_stage_that_fails_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SetupError), stage("a thing"):
        raise SetupError("no")
    assert "a thing: not done (0." in capsys.readouterr().err


WORKER = """
import sys
from pathlib import Path
from tools.stages import contained, run
# The shell's child would outlive it if the namespace did not end with it.
script = "sleep 300 & echo $(readlink /proc/self/ns/pid) up; wait"
run(contained(["sh", "-c", script]), log=Path(sys.argv[1]), detail=lambda line: print(line, flush=True))
"""


@ROOT
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_of_a_contained_program_outlives_us(by: signal.Signals, tmp_path: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(tmp_path / "log")],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with worker:
        assert worker.stdout is not None
        namespace = worker.stdout.readline().split()[0]
        assert inside(namespace)
        worker.send_signal(by)
        worker.wait(10)
    deadline = time.monotonic() + 5
    while inside(namespace) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert inside(namespace) == []


def inside(namespace: str) -> list[str]:
    """The processes of a process namespace."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str((process / "ns/pid").readlink()) == namespace:
                found.append(process.name)
        except OSError:  # it ended meanwhile
            continue
    return found


@ROOT
def test_what_a_contained_program_mounts_is_seen_by_nobody_else(tmp_path: Path) -> None:
    script = f"mount -t tmpfs none {tmp_path} && grep -c {tmp_path} /proc/mounts"
    assert run(contained(["sh", "-c", script]), log=tmp_path / "log", detail=lambda _: None) == ["1"]
    assert str(tmp_path) not in Path("/proc/mounts").read_text(encoding="utf-8")
