"""`ivrflow scenario load` from the outside: what it refuses, what it prints and writes, its exit codes, and Ctrl-C."""

import asyncio
import json
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from little_pbx import LittlePbx
from load_shown import a_side, shown
from loopback_phones import eventually
from made_results import a_result

from ivrflow.cli import main
from ivrflow.scenario.load import load_commands as module
from ivrflow.scenario.load.load_figures import LoadFigures
from ivrflow.scenario.load.load_session import Loaded, LoadOrder
from ivrflow.scenario.run.run import CannotRun
from ivrflow.settings import SettingsError
from ivrflow.softphone.call import Unreachable
from tools.places import CHECKOUT, PROMPTS

SILENT = """\
scenario: a silent caller meets the whole ladder
flow: gov12345
caller:
  - hear: greeting_inbound.standard
"""
WITH_AGENT = SILENT + "agents:\n  '1001': [answers]\n"
HOLDS = SILENT + "  - hold: 1s\n"


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVRFLOW_FLOWS", str(CHECKOUT / "callflows"))
    monkeypatch.setenv("IVRFLOW_MASTERS", str(CHECKOUT / "prompts"))
    monkeypatch.setenv("PBX_PASSWORD_CALLER", "c")
    for name, text in (("silent", SILENT), ("agent", WITH_AGENT), ("holds", HOLDS)):
        Path(f"{name}.yaml").write_text(text)


def load(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["scenario", "load", *arguments])


Behaves = Callable[..., list[LoadOrder]]


@pytest.fixture
def pbx(monkeypatch: pytest.MonkeyPatch) -> Behaves:
    """Say what a load comes to; returns the orders that were given."""

    def behaves(
        figures: LoadFigures | None = None,
        *,
        left: tuple[str, ...] = (),
        remarks: tuple[str, ...] = (),
        trouble: Exception | None = None,
        opening: Exception | None = None,
        stopped: bool = False,
    ) -> list[LoadOrder]:
        orders: list[LoadOrder] = []

        class Stage:
            called = "127.0.0.1:15060"
            remarks = ("the engine's process was not looked at",)

        @asynccontextmanager
        async def opened(*_: object) -> AsyncIterator[Stage]:
            if opening is not None:
                raise opening
            yield Stage()

        async def played(order: LoadOrder, *_: object) -> Loaded:
            orders.append(order)
            if trouble is not None:
                raise trouble
            listened = [a_result()]
            return Loaded(
                figures=figures or shown(a_side(listened=listened)), left_behind=left, remarks=remarks, stopped=stopped
            )

        monkeypatch.setattr(module, "pbx_stage", opened)
        monkeypatch.setattr(module, "play_load", played)
        return orders

    return behaves


# ── what is played ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_options_become_an_order(pbx: Behaves) -> None:
    orders = pbx()
    done = load(
        "silent.yaml", "--calls", "300", "--rate", "600/min", "--max", "120", "--listen", "7", "--caller", "own"
    )
    assert done.exit_code == 0
    (order,) = orders
    assert (order.size.calls, order.size.rate, order.size.most, order.size.listen) == (300, 10.0, 120, 7)
    assert order.scenario.title == "a silent caller meets the whole ladder"
    assert order.table.ended_by == "peer"
    assert order.watched


def test_few_calls_are_all_there_is(pbx: Behaves) -> None:
    orders = pbx()
    assert load("silent.yaml", "--calls", "3").exit_code == 0
    assert (orders[0].size.most, orders[0].size.listen) == (3, 3)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--rate", "10"], "'10' is no rate; write calls per second or minute: 10/s, 600/min"),
        (["--rate", "ten/s"], "'ten/s' is no rate"),
        (["--rate", "0/s"], "more than 0 and at most 500/s"),
        (["--rate", "1000/s"], "more than 0 and at most 500/s"),
        (["--max-failed", "1"], "'1' is no share; write 0% to 100%"),
        (["--max-late", "101%"], "'101%' is no share; write 0% to 100%"),
        (["--wait-p99", "1s"], "'1s' are no milliseconds; write for example 100ms"),
        (["--calls", "0"], "0 is not in the range"),
        (["--max", "0"], "0 is not in the range"),
        (["--caller", "me"], "'me' is not one of 'own', 'sipp'"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(pbx: Behaves, arguments: list[str], told: str) -> None:
    orders = pbx()
    done = load("silent.yaml", *arguments)
    assert done.exit_code == 2
    assert told in done.stderr
    assert orders == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["agent.yaml"], "agent.yaml:6:3: load plays callers only, and this scenario has an agent"),
        (["holds.yaml", "--caller", "sipp"], "holds.yaml:5:5: SIPp cannot put a call on hold here"),
        (["silent.yaml", "--max", "2000", "--calls", "2000"], "IVRFLOW_MAX_CALLS is 1000: of 2000 calls at once"),
        (["silent.yaml", "--account", "tester"], "set PBX_PASSWORD_TESTER"),
        (["silent.yaml", "--pbx", "a:b"], "'a:b' is not the address of a PBX"),
    ],
)
def test_what_cannot_be_played_is_refused_before_any_call(pbx: Behaves, arguments: list[str], told: str) -> None:
    orders = pbx()
    done = load(*arguments)
    assert done.exit_code == 2
    assert told in done.stderr
    assert orders == []


def test_more_calls_than_the_pbx_has_ports_for_are_refused(pbx: Behaves, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = pbx()
    monkeypatch.setenv("PBX_RTP_FIRST_PORT", "20000")
    monkeypatch.setenv("PBX_RTP_LAST_PORT", "20099")
    done = load("silent.yaml", "--calls", "51", "--max", "51")
    assert done.exit_code == 2
    assert (
        "the PBX has ports for the audio of 50 calls (PBX_RTP_FIRST_PORT to PBX_RTP_LAST_PORT), not of 51"
        in done.stderr
    )
    assert load("silent.yaml", "--calls", "50", "--max", "50").exit_code == 0
    assert len(orders) == 1


def test_more_calls_than_this_process_may_open_files_are_refused(pbx: Behaves, monkeypatch: pytest.MonkeyPatch) -> None:
    pbx()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 600))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    done = load("silent.yaml", "--calls", "201", "--max", "201")
    assert done.exit_code == 2
    assert "this process may open 600 files, and 201 calls at once take 602; write --max 200" in done.stderr
    assert load("silent.yaml", "--calls", "200", "--max", "200").exit_code == 0


def test_a_missing_sipp_is_told_in_one_sentence(pbx: Behaves, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pbx()
    monkeypatch.setenv("PATH", str(tmp_path))
    done = load("silent.yaml", "--caller", "sipp")
    assert done.exit_code == 2
    assert done.stderr.startswith("SIPp is not installed: ")
    assert len(done.stderr.splitlines()) == 1


# ── what comes of it ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_load_that_passed_is_0(pbx: Behaves) -> None:
    pbx(remarks=("one more thing",))
    done = load("silent.yaml")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == "PASSED"
    assert "note: one more thing" in done.stdout
    assert "note: the engine's process was not looked at" in done.stdout


def test_a_load_that_did_not_is_1_with_the_reasons(pbx: Behaves) -> None:
    pbx(shown(a_side(well=9, failed=1, faults={"no sound came": 1})), left=("2 calls the engine still has",))
    done = load("silent.yaml")
    assert done.exit_code == 1
    assert "NOT PASSED: 1 of 10 calls failed; left behind: 2 calls the engine still has" in done.stdout


def test_what_is_allowed_can_be_said(pbx: Behaves) -> None:
    pbx(shown(a_side(well=9, failed=1, faults={"no sound came": 1})))
    assert load("silent.yaml", "--max-failed", "10%").exit_code == 0


def test_a_load_that_was_stopped_is_130_and_tells_what_it_has(pbx: Behaves) -> None:
    pbx(stopped=True)
    done = load("silent.yaml")
    assert done.exit_code == 130
    assert "stopped before the end" in done.stdout


@pytest.mark.parametrize("when", ["opening", "trouble"])
@pytest.mark.parametrize(
    "problem",
    [CannotRun("the first call came to nothing"), Unreachable("nothing answers"), SettingsError("no password")],
)
def test_what_could_not_be_played_is_2_in_one_sentence(pbx: Behaves, when: str, problem: Exception) -> None:
    pbx(**{when: problem})
    done = load("silent.yaml")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"error: {problem}\n"


def test_programs_get_one_object(pbx: Behaves) -> None:
    pbx()
    done = load("silent.yaml", "--format", "json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["passed"] is True


def test_pages_are_written(pbx: Behaves) -> None:
    pbx()
    done = load("silent.yaml", "--html", "pages/today")
    assert done.exit_code == 0
    assert "report: pages/today/load.html" in done.stderr
    page = Path("pages/today/load.html").read_text()
    assert "PASSED" in page
    assert 'href="listened/index.html"' in page
    assert Path("pages/today/listened/index.html").is_file()
    assert Path("pages/today/report.css").is_file()


def test_a_folder_that_cannot_be_made_is_found_out_before_the_calls(pbx: Behaves) -> None:
    orders = pbx()
    Path("file").write_text("")
    done = load("silent.yaml", "--html", "file/pages")
    assert done.exit_code == 2
    assert "the folder file/pages cannot be made" in done.stderr
    assert orders == []


# ── against a PBX that is none ────────────────────────────────────────────────────────────────────────────────────────


async def test_ctrl_c_hangs_up_and_tells_what_was_measured(tmp_path: Path) -> None:
    async with LittlePbx() as pbx:
        host, port = pbx.accounts.server
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ivrflow", "scenario", "load", "silent.yaml", "--calls", "90", "--max", "4"),
            *("--listen", "0"),
            cwd=tmp_path,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith(("IVRFLOW_AMI", "PBX_"))},
                "PBX_SIP_BIND": host,
                "PBX_SIP_PORT": str(port),
                "PBX_PASSWORD_CALLER": "c",
                "IVRFLOW_PROMPTS_DIR": str(PROMPTS),
                "IVRFLOW_AGI_PORT": "1",
                "IVRFLOW_AMI_PORT": "1",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(60):
                calls = [await pbx._phone.next_call(60.0)]  # a busy machine takes its time to start a program
                calls[0].answer()
                calls += [await pbx.answered() for _ in range(3)]
                process.send_signal(signal.SIGINT)
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        await eventually(lambda: all(call.end for call in calls))
    assert process.returncode == 130, err.decode()
    assert "4 placed, 4 answered, 0 well, 0 failed, 4 cut short" in out.decode()
