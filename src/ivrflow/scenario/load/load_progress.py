"""A load while it goes, on stderr: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ivrflow.scenario.load.load_records import Tally

LINE_EVERY_S = 5.0
"""Seconds between two lines where there is no terminal."""


class LoadProgress:
    """A listener that tells people. Use `shown` around the load.

    Args:
        console: writes to stderr.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._told_at = 0.0

    @contextmanager
    def shown(self, calls: int) -> Iterator[None]:
        """Keep a bar on the terminal while the block runs.

        Args:
            calls: how many there will be.
        """
        if not self._console.is_terminal:
            yield
            return
        columns = (BarColumn(), TextColumn("{task.fields[told]}"), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as self._bar:
            self._task = self._bar.add_task("", total=calls, told="")
            yield
        self._bar = None

    def counted(self, tally: Tally) -> None:
        """A call was placed or is over."""
        over = tally.well + tally.failed
        if self._bar is not None:
            self._bar.update(self._task, completed=over, told=_told(tally))
        elif not self._console.is_terminal:
            now = time.monotonic()
            if now - self._told_at >= LINE_EVERY_S or over == tally.planned:
                self._told_at = now
                self._console.print(_told(tally))


def _told(tally: Tally) -> str:
    parts = [f"{tally.placed}/{tally.planned} placed", f"{tally.live} live", f"{tally.well + tally.failed} ended"]
    return " · ".join([*parts, f"{tally.failed} failed"] if tally.failed else parts)
