"""`ivrflow scenario load` at full size: how exact are the waits with a hundred, and with hundreds of calls at once?

A PBX and an engine of its own are started. Our own phone places 300 silent callers, 10 a second, at most 100 at once; then
SIPp places 1000 whose phones send nothing while they are silent, 25 a second, at most 500 at once. Five calls of each are
listened to. What is printed is what the command
prints; the goals are its own (no call failed, no rule broken, 99 % of the waits within the flow's tolerance, at most 1 % of
them late by more than 20 ms).

    python -m bench.load [--own 300] [--sipp 1000] [--html DIR]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tools.engine import Engine
from tools.pbx import Pbx, PbxSettings, build
from tools.places import CHECKOUT
from tools.run import prepare_prompts

SILENT = "scenarios/gov12345/rules/silent_call.yaml"
SENDS_NOTHING = "scenarios/gov12345/rules/silent_call-no_rtp.yaml"
OWN_AT_ONCE, OWN_RATE = 100, "10/s"
SIPP_AT_ONCE, SIPP_RATE = 500, "25/s"


async def load(environment: dict[str, str], scenario: str, *arguments: str) -> None:
    """One `ivrflow scenario load`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ivrflow", "scenario", "load", scenario, *arguments),
        cwd=CHECKOUT,
        env={**os.environ, **environment},
    )
    await process.wait()


async def measure(own: int, sipp: int, state: Path, html: Path | None) -> None:
    """Start everything, and play both loads."""
    settings = PbxSettings.from_environment().on_free_ports(calls=SIPP_AT_ONCE + 50)
    environment = {
        **settings.environment(),
        **settings.engine_environment(),
        "IVRFLOW_JOURNAL": f"sqlite:///{state}/journal.sqlite",
        "IVRFLOW_TEST_CALLS": "yes",
    }
    pbx, engine = Pbx(state / "pbx", settings), Engine(environment)
    engine.quiet = True
    try:
        await pbx.start()
        await engine.start()
        if own:
            pages = [] if html is None else ["--html", str(html / "own")]
            size = ["--calls", str(own), "--rate", OWN_RATE, "--max", str(OWN_AT_ONCE)]
            await load(environment, SILENT, *size, *pages)
        if sipp and shutil.which("sipp") is None:
            print("SIPp is not installed: make witnesses", file=sys.stderr)
        elif sipp:
            pages = [] if html is None else ["--html", str(html / "sipp")]
            size = ["--calls", str(sipp), "--rate", SIPP_RATE, "--max", str(SIPP_AT_ONCE), "--caller", "sipp"]
            await load(environment, SENDS_NOTHING, *size, *pages)
    finally:
        await engine.stop()
        await pbx.stop()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--own", type=int, default=300, help="calls by our own phone; 0: none")
    parser.add_argument("--sipp", type=int, default=1000, help="calls by SIPp; 0: none")
    parser.add_argument("--html", type=Path, help="a folder for the pages")
    options = parser.parse_args()
    build()
    prepare_prompts()
    with tempfile.TemporaryDirectory() as state:
        asyncio.run(measure(options.own, options.sipp, Path(state), options.html and options.html.absolute()))


if __name__ == "__main__":
    main()
