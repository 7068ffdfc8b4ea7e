"""`make scenarios`: all scenarios, on the simulator and on a PBX and an engine of their own, with a report to look at.

Whatever is given as ARGS goes to `ivrflow scenario run` and wins over what is set here:

    make scenarios ARGS="--rule silent_call --keep-audio"
    make scenarios ARGS="scenarios/gov12345/hours --on pbx --repeat 20"
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ivrflow.flow.problems import FlowError
from ivrflow.scenario.run.run_command import run as run_command
from ivrflow.settings import SettingsError
from tools.engine import Engine
from tools.pbx import Pbx, PbxSettings, build
from tools.places import CHECKOUT, STATE
from tools.run import prepare_prompts
from tools.stages import SetupError, stage

SCENARIOS = "scenarios"
"""The folder with this project's own."""
PLACE = STATE / "scenarios"
"""What a run leaves: the report, its JUnit file, and the engine's journal."""
REPORT = PLACE / "report"
JUNIT = PLACE / "junit.xml"
JOURNAL = PLACE / "journal.sqlite"
CALLS = 200
"""So many calls at once the PBX has room for: a scenario may need three."""

COMMAND = (sys.executable, "-m", "ivrflow", "scenario", "run")
_INTERRUPTED = 130


def arguments(given: Sequence[str]) -> list[str]:
    """The arguments of `ivrflow scenario run`: ours, then what was given; all scenarios unless some are named."""
    context = run_command.make_context("run", list(given), resilient_parsing=True)
    paths = [] if context.params.get("paths") else [SCENARIOS]
    return [*paths, "--on", "both", "--html", _shown(REPORT), "--junit", _shown(JUNIT), *given]


def environment(settings: PbxSettings, journal: Path) -> dict[str, str]:
    """What the engine and the run have to know of the PBX and of each other."""
    return {
        **settings.engine_environment(),
        **settings.secrets,
        "PBX_SIP_BIND": settings.sip_bind,
        "PBX_SIP_PORT": str(settings.sip_port),
        "IVRFLOW_JOURNAL": f"sqlite:///{journal}",
        "IVRFLOW_TEST_CALLS": "yes",
        "IVRFLOW_CALLBACKS_AT_ONCE": "0",  # a minute after one scenario nobody rings the telephone of another
    }


@contextmanager
def _own_place() -> Iterator[Path]:
    """A folder for what PBX and engine write: this run's own, for another one may be going on. The journal is kept."""
    PLACE.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(REPORT, ignore_errors=True)
    JUNIT.unlink(missing_ok=True)
    with TemporaryDirectory(prefix="run-", dir=PLACE) as own:
        try:
            yield Path(own)
        finally:
            written = Path(own, JOURNAL.name)
            if written.exists():
                written.replace(JOURNAL)


async def play(settings: PbxSettings, given: Sequence[str], place: Path) -> int:
    """Start the PBX and the engine, run the scenarios, stop everything.

    Args:
        settings: the PBX's.
        given: what `make scenarios` was given.
        place: where PBX and engine write.

    Returns:
        The exit code of the run.

    Raises:
        SetupError: the PBX or the engine did not start.
    """
    known = environment(settings, place / JOURNAL.name)
    pbx = Pbx(place / "pbx", settings)
    engine = Engine({name: value for name, value in known.items() if name.startswith("IVRFLOW_")})
    engine.quiet = True
    try:
        with stage("PBX"):
            await pbx.start()
        with stage("engine"):
            await engine.start()
        return await _run(arguments(given), known)
    finally:
        with stage("stopping"):
            await engine.stop()
            await pbx.stop()


async def _run(given: Sequence[str], known: Mapping[str, str]) -> int:
    """The run, as a tester would start it; who stops us, stops it."""
    print(f"$ ivrflow scenario run {shlex.join(given)}", file=sys.stderr, flush=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("IVRFLOW_")}
    process = await asyncio.create_subprocess_exec(
        *("setpriv", "--pdeathsig", "INT", *COMMAND, *given),
        cwd=CHECKOUT,
        env={**inherited, **known},
        start_new_session=True,  # Ctrl-C reaches us alone, and we hand it on
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, _hand_on, process)
    try:
        return await process.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)


def _hand_on(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGINT)


def _shown(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def main(given: Sequence[str] | None = None) -> int:
    """Run; returns the exit code: 0 all passed, 1 some failed, 2 they could not be run, 130 stopped."""
    words: list[str] = list(sys.argv[1:] if given is None else given)
    try:
        build()
        prepare_prompts()
        settings = PbxSettings.from_environment().on_free_ports(calls=CALLS)
        with _own_place() as place:
            return asyncio.run(play(settings, words, place))
    except (SetupError, SettingsError, FlowError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
