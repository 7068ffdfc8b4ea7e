"""PBXs with engines of their own, on which `ivrflow scenario run` plays many scenarios at once, and a look at what is left."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from one_pbx import complaints, no_channels_left

from ivrflow.scenario.pbx.engine_watch import EngineWatch
from tools.lanes import Lanes
from tools.pbx import PbxSettings
from tools.places import CHECKOUT
from tools.scenarios import CALLS

_EXPECTED = ("Endpoint '1001': Could not create dialog", "endpoint '1001'")
"""Complaints of the PBX when a scenario has an agent whose telephone is not there."""


@asynccontextmanager
async def lanes_for_tests(place: Path, count: int, tree: Path, **changed: str) -> AsyncIterator[Lanes]:
    """So many, whatever the environment says; `changed` are settings of the engines."""
    async with Lanes(place, PbxSettings.from_environment({}), count, calls=CALLS, tree=tree, **changed) as lanes:
        yield lanes


MOST_HELD_UP = 3
"""Scenarios that may fail together because the machine was held up; more are a fault, whatever they do alone."""


async def run_scenarios(lanes: Lanes, arguments: Sequence[str], *, within_s: float) -> dict[str, Any]:
    """Play scenarios on all lanes; what the run told, its progress on stderr."""
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ivrflow", "scenario", "run", *arguments, *lanes.arguments),
        *("--on", "pbx", "--format", "json"),
        cwd=CHECKOUT,
        env={**os.environ, **lanes.environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(within_s):
            told, _ = await run.communicate()
    except BaseException:
        run.terminate()
        await run.wait()
        raise
    found: dict[str, Any] = json.loads(told)
    return {**found, "code": run.returncode}


async def play_scenarios(lanes: Lanes, files: Sequence[str], *, within_s: float) -> dict[str, Any]:
    """Play scenarios on all lanes; one that fails beside all the others is played three times more, beside itself only.

    A fault of the program or of the scenario shows again, a machine that was held up for a moment does not. The first
    failure is printed all the same, and one of the three takes its place.
    """
    told = await run_scenarios(lanes, files, within_s=within_s)
    failed = [result for result in told["results"] if result["result"] == "failed"]
    if not 0 < len(failed) <= MOST_HELD_UP:
        return told
    print(f"failed beside the others, played again: {json.dumps(failed, ensure_ascii=False, indent=1)}")
    again = await run_scenarios(
        lanes, [*{result["file"] for result in failed}, "--repeat", "3", "--jobs", "1"], within_s=within_s
    )
    worst = {result["file"]: result for result in sorted(again["results"], key=lambda one: one["result"] == "failed")}
    return {**told, "code": again["code"], "results": [worst.get(one["file"], one) for one in told["results"]]}


def held_by(lanes: Lanes) -> list[tuple[int, int, int]]:
    """Connections, threads and open files of every engine at this moment.

    Without the lock on the recordings, which an engine takes with its first one and keeps.
    """
    held: list[tuple[int, int, int]] = []
    for lane in lanes.lanes:
        seen = EngineWatch(lane.pbx.settings.agi_port).look()
        assert seen is not None, "an engine has ended"
        links = [str(file.readlink()) for file in Path(f"/proc/{seen.pid}/fd").iterdir()]
        locks = sum(link.startswith(str(lane.pbx.recordings)) and link.endswith("/lock") for link in links)
        held.append((seen.connections, seen.threads, seen.open_files - min(locks, 1)))
    return held


async def nothing_is_left(lanes: Lanes) -> None:
    """Wait until no PBX has a channel any more."""
    for lane in lanes.lanes:
        await no_channels_left(lane.pbx)


def complaints_of(lanes: Lanes) -> list[str]:
    """What the PBXs logged of warnings and errors, less what is expected."""
    logged = [line for lane in lanes.lanes for line in complaints(lane.pbx.log.read_text(encoding="utf-8"))]
    return [line for line in logged if not any(re.search(pattern, line) for pattern in _EXPECTED)]
