"""Work that takes its time: says on stderr what is going on and for how long, and leaves nothing behind when stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TextIO, TypeAlias

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Detail: TypeAlias = Callable[[str], None]
"""Called with what the stage is doing right now; shown on a terminal only."""

_GRACE_S = 3.0
"""How long a program that was asked to stop may take before it is killed."""
_LAST_LINES = 25


class SetupError(Exception):
    """A stage of set-up cannot be done on this machine. The message says why and what to do about it."""


@contextmanager
def stage(title: str) -> Iterator[Detail]:
    """Show that the block is running, and for how long it has been; say on one line when it is done or has failed."""
    console = Console(stderr=True)
    begun = time.monotonic()
    try:
        if console.is_terminal:
            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}"),
                TimeElapsedColumn(),
                TextColumn("{task.fields[now]}"),
            )
            with Progress(*columns, console=console, transient=True) as progress:
                task = progress.add_task(escape(title), total=None, now="")
                yield lambda now: progress.update(task, now=escape(now[:60]))
        else:
            console.print(f"{title} …", highlight=False, markup=False, soft_wrap=True)
            yield _untold
    except BaseException:
        console.print(f"{title}: not done ({time.monotonic() - begun:.1f} s)", highlight=False, markup=False)
        raise
    console.print(f"{title}: done in {time.monotonic() - begun:.1f} s", highlight=False, markup=False)


def _untold(_now: str) -> None:
    """Elsewhere than on a terminal, a line per step of another program would bury ours."""


def contained(command: Sequence[str]) -> list[str]:
    """The command, run in process and mount namespaces of its own.

    When its first process ends, or this one does, everything it started ends too and everything it mounted is gone:
    the kernel sees to it, whatever happens to the programs.
    """
    outer = ["setpriv", "--pdeathsig", "KILL"]
    inner = ["unshare", "--mount", "--propagation", "private", "--pid", "--mount-proc", "--fork", "--kill-child"]
    return [*outer, *inner, *command]


def run(
    command: Sequence[str], *, log: Path, detail: Detail, environment: Mapping[str, str] | None = None
) -> list[str]:
    """Run a program to its end, its output going to the file `log`, its newest line to `detail`.

    Args:
        command: the program and its arguments.
        log: rewritten with everything the program says.
        detail: shown each line.
        environment: set for the program in addition to ours.

    Returns:
        The lines it wrote.

    Raises:
        SetupError: it cannot be started or ends with an error; with its last lines.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    with log.open("w", encoding="utf-8") as record:
        try:
            # A terminal session of its own: Ctrl-C reaches us alone, and we end it in order.
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise SetupError(f"{command[0]} is not installed: run `make setup`, or install it yourself") from error
        with process:
            try:
                _follow(process.stdout, lines, record, detail)
                code = process.wait()
            except BaseException:
                _end(process)
                raise
    if code:
        said = "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])
        raise SetupError(
            f"{_name(command)} ended with code {code}; all it said is in {log}, the end of it was:\n{said}"
        )
    return lines


def _follow(output: IO[str] | None, lines: list[str], record: TextIO, detail: Detail) -> None:
    for line in output or ():
        record.write(line)
        lines.append(line.rstrip("\n"))
        if line.strip():
            detail(line.strip())


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _name(command: Sequence[str]) -> str:
    """The program a contained command is about."""
    plain = [part for part in command if not part.startswith("-")]
    skipped = {"setpriv", "KILL", "unshare", "private"}
    return next((part for part in plain if part not in skipped), command[0])
