"""`make scenarios`: all scenarios, on the simulator and on PBXs and engines of their own, with a report to look at.

Scenarios with agents of queues are played one after the other on one PBX, so there are several; see `tools.lanes`.
Whatever is given as ARGS goes to `ivrflow scenario run` and wins over what is set here:

    make scenarios ARGS="--rule silent_call --keep-audio"
    make scenarios ARGS="scenarios/gov12345/hours --on pbx --repeat 20"
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ivrflow.flow.problems import FlowError
from ivrflow.scenario.language.reading import scenario_files
from ivrflow.scenario.run.run_command import run as run_command
from ivrflow.settings import SettingsError
from tools.in_front import run_in_front
from tools.lanes import Lanes
from tools.pbx import PbxSettings, build
from tools.places import CHECKOUT, STATE
from tools.run import prepare_prompts
from tools.stages import SetupError

SCENARIOS = "scenarios"
"""The folder with this project's own."""
PLACE = STATE / "scenarios"
"""What a run leaves: the report, its JUnit file, and the engines' journals."""
REPORT = PLACE / "report"
JUNIT = PLACE / "junit.xml"
CALLS = 120
"""So many calls at once each PBX has room for: 40 scenarios at once may all be on one, and each may need three."""
MOST_LANES = 8
"""So many PBXs at most: the figure at which the whole set takes a quarter of an hour on two processors and none fails."""
ENOUGH_FOR_A_LANE = 3
"""So many scenarios are worth a PBX and an engine more: these take seconds to start."""

COMMAND = (sys.executable, "-m", "ivrflow", "scenario", "run")
_INTERRUPTED = 130


def arguments(given: Sequence[str]) -> list[str]:
    """The arguments of `ivrflow scenario run`: ours, then what was given; all scenarios unless some are named."""
    context = run_command.make_context("run", list(given), resilient_parsing=True)
    paths = [] if context.params.get("paths") else [SCENARIOS]
    return [*paths, "--on", "both", "--html", _shown(REPORT), "--junit", _shown(JUNIT), *given]


def lanes_for(given: Sequence[str]) -> int:
    """How many PBXs are worth their while for what was given."""
    context = run_command.make_context("run", list(given), resilient_parsing=True)
    if context.params.get("on") == "simulator":
        return 1
    paths = context.params.get("paths") or [CHECKOUT / SCENARIOS]
    files = len(scenario_files([CHECKOUT / path for path in paths])) * (context.params.get("repeat") or 1)
    return max(1, min(MOST_LANES, files // ENOUGH_FOR_A_LANE))


@contextmanager
def _own_place() -> Iterator[Path]:
    """A folder for what PBXs and engines write: this run's own, for another one may be going on. The journals are kept."""
    PLACE.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(REPORT, ignore_errors=True)
    JUNIT.unlink(missing_ok=True)
    with TemporaryDirectory(prefix="run-", dir=PLACE) as own:
        try:
            yield Path(own)
        finally:
            for old in PLACE.glob("journal*.sqlite"):
                old.unlink()
            for written in Path(own).glob("*/journal.sqlite"):
                written.replace(PLACE / f"journal-{written.parent.name}.sqlite")


async def play(lanes: Lanes, given: Sequence[str]) -> int:
    """Start the PBXs and the engines, run the scenarios, stop everything.

    Args:
        lanes: where they are played.
        given: what `make scenarios` was given.

    Returns:
        The exit code of the run.

    Raises:
        SetupError: a PBX or an engine did not start.
    """
    async with lanes:
        return await _run([*lanes.arguments, *arguments(given)], lanes.environment)


async def _run(given: Sequence[str], known: Mapping[str, str]) -> int:
    """The run, as a tester would start it; who stops us, stops it."""
    print(f"$ ivrflow scenario run {shlex.join(given)}", file=sys.stderr, flush=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("IVRFLOW_")}
    return await run_in_front([*COMMAND, *given], {**inherited, **known})


def _shown(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def main(given: Sequence[str] | None = None) -> int:
    """Run; returns the exit code: 0 all passed, 1 some failed, 2 they could not be run, 130 stopped."""
    words: list[str] = list(sys.argv[1:] if given is None else given)
    try:
        build()
        prepare_prompts()
        with _own_place() as place:
            lanes = Lanes(place, PbxSettings.from_environment(), lanes_for(words), calls=CALLS)
            return asyncio.run(play(lanes, words))
    except (SetupError, SettingsError, FlowError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
