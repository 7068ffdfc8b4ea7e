"""Progress of long work, shown on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Report: TypeAlias = Callable[[int, int, str], None]
"""Called after each piece of work: pieces done, pieces in all, name of the piece."""

_LINES = 10


def unreported(done: int, total: int, piece: str) -> None:
    """A report nobody reads."""


@contextmanager
def shown(title: str) -> Iterator[Report]:
    """A report that people see on stderr while the block runs."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _in_lines(title)
        return
    columns = (TextColumn(f"{title} {{task.fields[piece]}}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None, piece="")
        yield lambda done, total, piece: bar.update(task, completed=done, total=total, piece=piece)


def _in_lines(title: str) -> Report:
    def report(done: int, total: int, piece: str) -> None:
        if done == total or done % max(1, total // _LINES) == 0:
            print(f"{title} {done}/{total} {piece}", file=sys.stderr, flush=True)

    return report
