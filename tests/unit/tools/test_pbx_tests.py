"""A few tests that fail get another chance, by themselves; a fault does not get through."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.pbx_tests import MOST_HELD_UP, TESTS, main
from tools.places import CHECKOUT

INI = "[pytest]\naddopts = -p no:asyncio\n"

SUITE = """
from pathlib import Path
import pytest

RUNS = Path({runs!r})

def nth_run(name):
    with (RUNS / name).open("a+") as runs:
        runs.write("x")
        runs.seek(0)
        return len(runs.read())

@pytest.fixture
def left_behind():
    yield
    assert nth_run("left_behind") not in {left_behind}

def held_up(number):
    assert nth_run(f"held_up_{{number}}") not in {held_up}

for number in range({count}):
    exec(f"def test_held_up_{{number}}(): held_up({{number}})")

@pytest.fixture(scope="module")
def shared():
    assert nth_run("shared") not in {shared}

@pytest.mark.parametrize("number", range(5))
def test_that_shares(shared, number):
    pass

def test_leaves_nothing_behind(left_behind):
    pass

def test_sound():
    assert nth_run("sound") > 0
"""


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder with a file for each test, as long as it was run often."""
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


def play(
    place: Path,
    *,
    count: int = 1,
    held_up: set[int] | None = None,
    left_behind: set[int] | None = None,
    shared: set[int] | None = None,
    more: str = "",
) -> int:
    """Run a suite.

    In the runs `held_up`, `count` tests fail; in the runs `left_behind`, the tear-down of one; in the runs `shared`, what
    five share that differ by their parameters.
    """
    (place / "pytest.ini").write_text(INI, encoding="utf-8")
    suite = place / TESTS / "test_suite.py"
    suite.parent.mkdir(parents=True, exist_ok=True)
    suite.write_text(
        SUITE.format(
            runs=str(place / "runs"),
            count=count,
            held_up=held_up or {0},
            left_behind=left_behind or {0},
            shared=shared or {0},
        )
        + more,
        encoding="utf-8",
    )
    return main(["-q"], place)


def often(runs: Path, name: str) -> int:
    return len((runs / name).read_text(encoding="utf-8"))


def test_all_that_passes_is_run_once(tmp_path: Path, runs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert play(tmp_path) == 0
    assert often(runs, "held_up_0") == often(runs, "sound") == 1
    assert "by themselves" not in capfd.readouterr().err


def test_one_that_fails_once_passes_twice_more_by_itself(
    tmp_path: Path, runs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert play(tmp_path, held_up={1}) == 0
    assert often(runs, "held_up_0") == 3
    assert often(runs, "sound") == 1
    told = capfd.readouterr()
    assert "assert 1 not in {1}" in told.out, "how it failed first is told"
    assert "failed once, and passed 2 times by themselves: " in told.err
    assert "test_suite.py::test_held_up_0\n" in told.err


@pytest.mark.parametrize("held_up", [{1, 2}, {1, 3}, {1, 2, 3}])
def test_one_that_fails_again_is_a_fault(tmp_path: Path, runs: Path, held_up: set[int]) -> None:
    assert play(tmp_path, held_up=held_up) == 1
    assert often(runs, "held_up_0") == min(held_up - {1})


def test_what_is_left_behind_counts_too(tmp_path: Path, runs: Path) -> None:
    assert play(tmp_path, left_behind={1}) == 0
    assert often(runs, "left_behind") == 3
    assert play(tmp_path, left_behind={4, 6}) == 1


def test_what_tests_share_fails_once_for_all(tmp_path: Path, runs: Path) -> None:
    assert play(tmp_path, shared={1}) == 0
    assert often(runs, "shared") == 3


def test_many_that_fail_are_a_fault_at_once(tmp_path: Path, runs: Path) -> None:
    assert play(tmp_path, count=MOST_HELD_UP + 1, held_up={1}) == 1
    assert often(runs, "held_up_0") == 1


def test_what_cannot_run_is_not_tried_again(tmp_path: Path, runs: Path) -> None:
    assert play(tmp_path, more="import no_such_module\n") == 2
    assert list(runs.iterdir()) == []


STOPPED = """
from pathlib import Path
import time
import pytest

@pytest.fixture
def pbx():
    Path({place!r}, "up").touch()
    yield
    time.sleep(1)  # stopping a PBX takes its time: who does not wait for it, leaves it
    Path({place!r}, "down").touch()

def test_goes_on(pbx):
    time.sleep(300)
"""


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_us_has_the_tests_clean_up_first(by: signal.Signals, tmp_path: Path) -> None:
    suite = tmp_path / TESTS / "test_suite.py"
    suite.parent.mkdir(parents=True)
    suite.write_text(STOPPED.format(place=str(tmp_path)), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(INI, encoding="utf-8")
    ours = f"import sys; from pathlib import Path; from tools.pbx_tests import main; sys.exit(main([], Path({str(tmp_path)!r})))"
    with subprocess.Popen([sys.executable, "-c", ours], cwd=CHECKOUT, start_new_session=True) as running:
        while not (tmp_path / "up").exists():
            assert running.poll() is None
            time.sleep(0.02)  # a file tells nobody when it is there
        # As a terminal's Ctrl-C, to all of them.
        os.killpg(running.pid, by) if by is signal.SIGINT else running.send_signal(by)
        assert running.wait(30) == pytest.ExitCode.INTERRUPTED
    assert (tmp_path / "down").exists()
