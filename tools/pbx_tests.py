"""The tests on the real PBX; a few that fail are run twice more, by themselves, before they are called a fault.

What they measure goes by the clock, on machines that now and then stand still for a second. Such a second seldom comes twice,
a fault of the program mostly shows again. A rare one may not: so how they failed first is printed in either case, and who
failed is said at the end.

`python -m tools.pbx_tests`; what is written behind it goes to pytest, as in `python -m tools.pbx_tests -k queue`.
Exit codes are pytest's: 0 passed, 1 a test failed, others could not run.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.in_front import run_in_front
from tools.places import CHECKOUT

TESTS = "tests/asterisk"
MOST_HELD_UP = 3
"""Tests that may fail because the machine was held up; more are a fault, whatever they do alone. Those that differ by their
parameters only are one: they may share what failed."""
TIMES_MORE = 2


def main(arguments: Sequence[str] = (), place: Path = CHECKOUT) -> int:
    """Run them.

    Args:
        arguments: further ones for pytest.
        place: the checkout they are in.

    Returns:
        The exit code of pytest: of the only run, or of the first of the further ones that did not pass.
    """
    with tempfile.TemporaryDirectory() as kept:
        code = _pytest(place, kept, TESTS, *arguments)
        failed = _failed(Path(kept))
        if code != pytest.ExitCode.TESTS_FAILED or len({name.partition("[")[0] for name in failed}) > MOST_HELD_UP:
            return code
        sys.stderr.write(f"\nfailed, run {TIMES_MORE} times more by themselves: {' '.join(failed)}\n")
        for _ in range(TIMES_MORE):
            if code := _pytest(place, kept, *failed):
                return code
        sys.stderr.write(f"\nfailed once, and passed {TIMES_MORE} times by themselves: {' '.join(failed)}\n")
        return 0


def _pytest(place: Path, kept: str, *arguments: str) -> int:
    """Run pytest at `place`; what failed is noted in the folder `kept`."""
    command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={kept}", *arguments]
    return asyncio.run(run_in_front(command, place=place))


def _failed(kept: Path) -> list[str]:
    """The names of the tests that failed, in their set-up or tear-down too."""
    noted = kept / "v" / "cache" / "lastfailed"
    return list(json.loads(noted.read_text(encoding="utf-8"))) if noted.exists() else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
