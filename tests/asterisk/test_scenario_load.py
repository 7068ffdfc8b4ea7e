"""`ivrflow scenario load` on the real PBX with the engine as it is served: small, for what it counts, not for how fast.

What the machine makes of it is `make load`'s to show; here a busy one may tear a phrase or stretch a wait.
"""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tools.engine import Engine
from tools.pbx import Pbx
from tools.places import CHECKOUT

pytestmark = pytest.mark.timeout(180)

SILENT = str(CHECKOUT / "scenarios/gov12345/rules/silent_call.yaml")
SPEAKS_AND_PRESSES = """\
scenario: somebody who speaks, and then presses a key
flow: gov12345
at: 2026-11-20T10:00
caller:
  - wait_until: 2s
  - say: 1s
  - hear_start: house/menu.main
  - wait: 2s
  - press: "2"
  - hear_start: house/collect.ask_number
  - wait: 1s
  - hang_up
"""
ALL = ["--max-failed", "100%", "--max-broken", "99", "--wait-p99", "99999ms", "--max-late", "100%"]
"""Whatever this machine does, the load passes."""


@pytest_asyncio.fixture(loop_scope="session")
async def environment(pbx: Pbx, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """Of a tester whose PBX and engine are there."""
    environment = {
        **pbx.settings.environment(),
        **pbx.engine_environment(),
        "IVRFLOW_JOURNAL": f"sqlite:///{tmp_path}/journal.sqlite",
        "IVRFLOW_TEST_CALLS": "yes",
    }
    engine = Engine(environment)
    engine.quiet = True
    await engine.start()
    yield environment
    await engine.stop()


async def load(environment: dict[str, str], *arguments: str) -> tuple[int | None, dict[str, Any], str]:
    """Run the command; its exit code, what it told programs, and what it told people meanwhile."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ivrflow", "scenario", "load", *arguments, "--format", "json"),
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(120):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, json.loads(out) if out else {}, err.decode()


async def test_ten_callers_of_our_own_two_of_them_listened_to(environment: dict[str, str], tmp_path: Path) -> None:
    size = ["--calls", "10", "--rate", "10/s", "--max", "6", "--listen", "2"]
    code, shown, told = await load(environment, SILENT, *size, *ALL, "--html", str(tmp_path / "pages"))
    assert (code, shown["shortcomings"]) == (0, []), told
    assert (shown["placed"], shown["answered"], shown["well"] + shown["failed"]) == (10, 10, 10)
    assert all(fault.startswith("listened to: ") for fault in shown["failures"]), shown["failures"]
    assert shown["at_once"] <= 6
    spreads = shown["spreads"]
    assert spreads["setup"]["count"] == 10
    assert spreads["first_sound"]["count"] == spreads["gap"]["count"] == 8
    assert shown["journaled"] == 10
    rule = "gov12345/silent_call"
    assert shown["kept"].get(rule, 0) + shown["broken"].get(rule, 0) == 10
    assert spreads["waits"]["count"] == 20
    assert shown["listened"] == 2
    assert spreads["wire"]["count"] >= 1
    for process in ("engine", "pbx", "caller"):
        assert shown["processes"][process]["memory_peak"] > 10_000_000
    assert shown["each_second"][-1]["live"] == 0
    assert "10/10 placed · 0 live · 10 ended" in told
    assert (tmp_path / "pages" / "load.html").is_file()
    assert (tmp_path / "pages" / "listened" / "index.html").is_file()


@pytest.mark.parametrize("caller", ["own", "sipp"])
async def test_a_script_is_followed_by_the_clock(caller: str, environment: dict[str, str], tmp_path: Path) -> None:
    if caller == "sipp" and shutil.which("sipp") is None:
        pytest.skip("SIPp is not installed: make witnesses")
    scenario = tmp_path / "speaks.yaml"
    scenario.write_text(SPEAKS_AND_PRESSES)
    size = ["--calls", "6", "--rate", "5/s", "--max", "6", "--listen", "0", "--caller", caller]
    code, shown, told = await load(environment, str(scenario), *size, *ALL)
    assert (code, shown["failures"]) == (0, {}), told
    assert (shown["caller"], shown["placed"], shown["answered"], shown["well"]) == (caller, 6, 6, 6)
    # Speech has left the ladder, the key the menu: else the caller would have hung up on another phrase.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ivrflow", "trace", "last", "--format", "json"),
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    facts = [line["fact"] for line in json.loads(out)["trace"]]
    assert facts.index("speech started") < facts.index("key pressed") < facts.index("caller hung up")
    steps = [line.get("step") for line in json.loads(out)["trace"]]
    assert [step for step in ("welcome", "main_menu", "complain") if step in steps] == [
        "welcome",
        "main_menu",
        "complain",
    ]


async def test_a_pbx_that_is_not_there_is_told_in_one_sentence(environment: dict[str, str]) -> None:
    code, shown, told = await load({**environment, "PBX_SIP_PORT": "9"}, SILENT, "--calls", "5")
    assert (code, shown) == (2, {})
    assert told.startswith("error: nothing answers SIP at 127.0.0.1:9")
    assert len(told.splitlines()) == 1
