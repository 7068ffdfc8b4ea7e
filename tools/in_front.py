"""A program that does our work in front of the user: its output is ours, and who stops us stops it, in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.places import CHECKOUT

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run_in_front(
    command: Sequence[str], environment: Mapping[str, str] | None = None, place: Path = CHECKOUT
) -> int:
    """Run a program to its end. Whatever is to stop us reaches it as SIGINT, and we wait until it has cleaned up.

    Args:
        command: the program and its arguments.
        environment: all of its environment; ours unless told.
        place: the folder it runs in.

    Returns:
        Its exit code.
    """
    process = await asyncio.create_subprocess_exec(
        *("setpriv", "--pdeathsig", "INT", *command),
        cwd=place,
        env=environment,
        start_new_session=True,  # Ctrl-C reaches us alone, and we hand it on
    )
    loop = asyncio.get_running_loop()
    for number in _STOPPING:
        loop.add_signal_handler(number, _hand_on, process)
    try:
        return await process.wait()
    finally:
        for number in _STOPPING:
            loop.remove_signal_handler(number)


def _hand_on(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
