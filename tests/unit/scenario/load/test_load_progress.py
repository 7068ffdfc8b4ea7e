import io

import pytest
from rich.console import Console

from ivrflow.scenario.load import load_progress as module
from ivrflow.scenario.load.load_progress import LoadProgress
from ivrflow.scenario.load.load_records import Tally


def told(progress: LoadProgress, *tallies: Tally) -> None:
    with progress.shown(10):
        for tally in tallies:
            progress.counted(tally)


def test_without_a_terminal_there_is_a_line_now_and_then_and_one_at_the_end() -> None:
    screen = io.StringIO()
    progress = LoadProgress(Console(file=screen, width=80))
    told(progress, Tally(10, 1, 1), Tally(10, 5, 3, well=2), Tally(10, 10, 0, well=8, failed=2))
    assert screen.getvalue().splitlines() == [
        "1/10 placed · 1 live · 0 ended",
        "10/10 placed · 0 live · 10 ended · 2 failed",
    ]


def test_without_a_terminal_lines_come_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINE_EVERY_S", 0.0)
    screen = io.StringIO()
    progress = LoadProgress(Console(file=screen, width=80))
    told(progress, Tally(10, 1, 1), Tally(10, 5, 3, well=2))
    assert len(screen.getvalue().splitlines()) == 2


def test_a_terminal_has_a_bar_that_goes_away() -> None:
    screen = io.StringIO()
    progress = LoadProgress(Console(file=screen, width=100, force_terminal=True, force_interactive=True))
    told(progress, Tally(10, 5, 3, well=2), Tally(10, 10, 0, well=10))
    assert "10/10 placed · 0 live · 10 ended" in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[2K")
