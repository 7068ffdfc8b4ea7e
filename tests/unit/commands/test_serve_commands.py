"""`ivrflow serve` and `ivrflow doctor`: what keeps them from starting is said with exit code 1."""

import asyncio
import json
import os
import re
import resource
import shutil
import signal
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from served import stand_in

from ivrflow.cli import main
from ivrflow.commands.serve_commands import _make_room_for
from tools.places import CHECKOUT


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("IVRFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_serving_needs_a_secret() -> None:
    told = CliRunner().invoke(main, ["serve"])
    assert told.exit_code == 1
    assert "IVRFLOW_AMI_SECRET" in told.output
    assert "Traceback" not in told.output


def test_a_broken_flow_is_refused_with_its_place(tmp_path: Path) -> None:
    flows = tmp_path / "flows"
    flows.mkdir()
    (flows / "bad.yaml").write_text("flow: bad\nstepz: {}\n", encoding="utf-8")
    told = CliRunner().invoke(main, ["serve"], env={"IVRFLOW_AMI_SECRET": "x", "IVRFLOW_FLOWS": str(flows)})
    assert told.exit_code == 1
    assert "bad.yaml:2:1" in told.output
    assert "Traceback" not in told.output


def test_prompts_without_files_for_the_pbx_are_refused(tmp_path: Path) -> None:
    told = CliRunner().invoke(
        main,
        ["serve"],
        env={
            "IVRFLOW_AMI_SECRET": "x",
            "IVRFLOW_FLOWS": str(CHECKOUT / "callflows"),
            "IVRFLOW_MASTERS": str(CHECKOUT / "prompts"),
            "IVRFLOW_PROMPTS_DIR": str(tmp_path / "empty"),
        },
    )
    assert told.exit_code == 1
    assert "ivrflow prompts build" in told.output


@pytest.mark.parametrize(
    ("allowed", "set_to", "warned"),
    [
        ((1024, 4096), [], ""),
        ((256, 4096), [(564, 4096)], ""),
        ((256, resource.RLIM_INFINITY), [(564, resource.RLIM_INFINITY)], ""),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), [], ""),
        ((256, 400), [(400, 400)], "enough for 336 calls"),
    ],
)
def test_every_call_needs_an_open_file(
    allowed: tuple[int, int],
    set_to: list[tuple[int, int]],
    warned: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    changed: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: allowed)
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: changed.append(limits))
    _make_room_for(500)
    assert changed == set_to
    assert [warned in record.getMessage() for record in caplog.records] == ([True] if warned else [])


async def until_serving(log: asyncio.StreamReader) -> tuple[list[str], str]:
    """What is logged before the line that says what is served, and that line.

    Towards the end of a year nobody knows the next year's public holidays: that is told too, and depends on today.
    """
    lines: list[str] = []
    while "serving" not in (line := (await log.readline()).decode()):
        lines += [] if "public holidays" in line else [line]
    return lines, line


async def program(environment: dict[str, str], *arguments: str) -> asyncio.subprocess.Process:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("IVRFLOW_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ivrflow", *arguments),
        env={**clean, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_it_says_what_it_serves_and_stops_on_sigterm(tmp_path: Path, log_format: str) -> None:
    async with stand_in(tmp_path, IVRFLOW_LOG_FORMAT=log_format) as environment, asyncio.timeout(30):
        process = await program(environment, "serve")
        assert process.stderr is not None
        lines, line = await until_serving(process.stderr)
        process.send_signal(signal.SIGTERM)
        _, rest = await process.communicate()
    assert lines == []
    assert "12345 (gov12345)" in line
    assert process.returncode == 0
    assert "stopped; 0 calls served" in rest.decode()
    if log_format == "json":
        assert json.loads(line)["level"] == "info"


async def test_sighup_reads_the_flows_anew_and_refuses_broken_ones(tmp_path: Path) -> None:
    flows = tmp_path / "flows"
    shutil.copytree(CHECKOUT / "callflows", flows)
    async with stand_in(tmp_path, IVRFLOW_FLOWS=str(flows)) as environment, asyncio.timeout(60):
        process = await program(environment, "serve")
        assert process.stderr is not None
        await until_serving(process.stderr)
        process.send_signal(signal.SIGHUP)
        assert "reload: reading the flows" in await until_logged(process.stderr, "reload")
        assert re.search(r" s: as before: \d+ flows$", (await until_logged(process.stderr, "reloaded in ")).rstrip())
        (flows / "gov12345.yaml").write_text("flow: gov12345\nstepz: {}\n", encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        assert "gov12345.yaml:2:1" in await until_logged(process.stderr, "no 'stepz'")
        await until_logged(process.stderr, "reload refused; the old flows stay")
        process.send_signal(signal.SIGTERM)
        _, rest = await process.communicate()
    assert process.returncode == 0
    assert "stopping: new callers get the fallback; 0 live calls have 30 s to end" in rest.decode()
    assert "Traceback" not in rest.decode()


async def until_logged(log: asyncio.StreamReader, words: str) -> str:
    """The next line of the log with these words."""
    while words not in (line := (await log.readline()).decode()):
        assert line, f"the log ended without {words!r}"
    return line


async def test_it_warns_once_where_callers_may_choose_their_own_time(tmp_path: Path) -> None:
    async with stand_in(tmp_path, IVRFLOW_TEST_CALLS="yes") as environment, asyncio.timeout(30):
        process = await program(environment, "serve")
        assert process.stderr is not None
        lines, _ = await until_serving(process.stderr)
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    (warning,) = lines
    assert "WARNING" in warning
    assert "IVRFLOW_TEST_CALLS is yes" in warning


async def test_doctor_finds_everything_in_order_but_the_engine(tmp_path: Path) -> None:
    async with stand_in(tmp_path) as environment, asyncio.timeout(30):
        process = await program(environment, "doctor", "--format", "json")
        said, _ = await process.communicate()
    findings = json.loads(said)
    assert {finding["state"] for finding in findings} <= {"good", "unsure"}
    assert any("nobody listens" in finding["what"] for finding in findings)
    assert process.returncode == 0


def test_doctor_ends_with_1_when_something_is_missing() -> None:
    told = CliRunner().invoke(main, ["doctor"])
    assert told.exit_code == 1
    assert "BAD" in told.output
