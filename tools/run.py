"""`make run`: the PBX, the engine and a self-check call, then service until Ctrl-C.

`--once` stops after the self-check; exit code 0 when every verdict was kept.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from ivrflow.flow.problems import FlowError
from ivrflow.prompts.formats import build_formats
from ivrflow.prompts.index import ahead_folder
from ivrflow.prompts.progress import shown
from ivrflow.settings import SettingsError
from tools import passwords, self_check
from tools.engine import Engine
from tools.pbx import DEMO_STATE, Pbx, PbxSettings, build
from tools.places import CHECKOUT, PROMPTS, STATE
from tools.stages import SetupError, stage

MASTERS = CHECKOUT / "prompts"
JOURNAL = f"sqlite:///{STATE}/journal.sqlite"
Result = TypeVar("Result")


def prepare_prompts() -> None:
    """Bring the formats the PBX plays up to date with the masters."""
    with shown("telephone formats") as report:
        done = build_formats([MASTERS, ahead_folder(PROMPTS)], PROMPTS, report)
    if done.made or done.removed:
        print(f"telephone formats: {done.made} prompts made, {done.seconds:.0f} s of sound in all", file=sys.stderr)


async def serve(settings: PbxSettings, *, once: bool) -> int:
    """Start everything, check one call, and serve.

    Returns:
        The exit code: 0 fine, 1 a verdict was not kept or something stopped by itself.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the last: the terminal was closed
        loop.add_signal_handler(number, stopping.set)
    pbx = Pbx(DEMO_STATE, settings)
    # On loopback, for trying and testing: testers may say at which time a call arrives.
    engine = Engine({**settings.engine_environment(), "IVRFLOW_JOURNAL": JOURNAL, "IVRFLOW_TEST_CALLS": "yes"})
    try:
        with stage("PBX"):
            await pbx.start()
        with stage("engine"):
            await engine.start()
        check = await _unless(stopping, self_check.place(settings, PROMPTS, JOURNAL))
        if check is None:
            return 0
        self_check.show_check(check)
        code = 1 if check.faults else 0
        if once:
            return code
        print(f"\n{account(settings)}\n\nServing until Ctrl-C.", flush=True)
        ended = [asyncio.create_task(pbx.exited()), asyncio.create_task(engine.exited())]
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait([*ended, stopped], return_when=asyncio.FIRST_COMPLETED)
        for task, what in zip(
            ended, (f"the PBX ended by itself; see {pbx.log}", "the engine ended by itself"), strict=True
        ):
            if task.done():
                print(f"error: {what}", file=sys.stderr)
                code = 1
            task.cancel()
        return code
    finally:
        with stage("stopping"):
            await engine.stop()
            await pbx.stop()


async def _unless(stopping: asyncio.Event, work: Coroutine[Any, Any, Result]) -> Result | None:
    """The result of `work`, or None when we are told to stop first."""
    task = asyncio.create_task(work)
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return None
    return task.result()


def account(settings: PbxSettings) -> str:
    """What to enter in a softphone to call in."""
    return (
        "Call in with a softphone:\n"
        f"  server    {settings.sip_bind}:{settings.sip_port} (UDP)\n"
        "  account   caller\n"
        f"  password  {settings.password('caller')}\n"
        "  dial      12345"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__.partition("\n")[0])
    parser.add_argument("--once", action="store_true", help="stop after the self-check call")
    once: bool = parser.parse_args(arguments).once
    begun = time.monotonic()
    try:
        build()
        prepare_prompts()
        settings = PbxSettings.from_environment()
        passwords.link_for_compose()
        code = asyncio.run(serve(settings, once=once))
    except (SetupError, SettingsError, FlowError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"ran for {time.monotonic() - begun:.1f} s", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
