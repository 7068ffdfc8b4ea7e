"""Every scenario of the project, many at once, as `ivrflow scenario run` plays them: all pass, and nothing is left."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from ivrflow.scenario.language.reading import scenario_files
from ivrflow.scenario.pbx.engine_watch import EngineWatch
from tools.engine import Engine
from tools.pbx import Pbx
from tools.places import CHECKOUT
from tools.scenarios import environment

AT_MOST_S = 600
"""The set takes four to five minutes; longer than this and it hangs, which it must not."""


async def play(scenarios: str, known: dict[str, str]) -> dict[str, Any]:
    """Run them on the PBX; what the run told."""
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ivrflow", "scenario", "run", scenarios, "--on", "pbx", "--format", "json"),
        cwd=CHECKOUT,
        env={**os.environ, **known},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(AT_MOST_S):
        told, _ = await run.communicate()
    found: dict[str, Any] = json.loads(told)
    return {**found, "code": run.returncode}


@pytest.mark.timeout(2 * AT_MOST_S)
@pytest.mark.complains("Endpoint '1001': Could not create dialog", "endpoint '1001'")
async def test_the_whole_set_passes_and_leaves_nothing_in_pbx_and_engine(pbx: Pbx, tmp_path: Path) -> None:
    known = environment(pbx.settings, tmp_path / "journal.sqlite")
    engine = Engine({name: value for name, value in known.items() if name.startswith("IVRFLOW_")})
    engine.quiet = True
    await engine.start()
    try:
        watch = EngineWatch(pbx.settings.agi_port)
        await play("scenarios/gov12345/hang_ups/01_greeting.yaml", known)  # the first call opens the journal's files
        before = watch.look()
        told = await play("scenarios", known)
        after = watch.look()
    finally:
        await engine.stop()
    assert [result for result in told["results"] if result["result"] != "passed"] == []
    assert len(told["results"]) == len(scenario_files([CHECKOUT / "scenarios"]))
    assert told["code"] == 0
    assert before is not None
    assert after is not None
    assert (after.connections, after.threads) == (0, before.threads)
    assert after.open_files == before.open_files
