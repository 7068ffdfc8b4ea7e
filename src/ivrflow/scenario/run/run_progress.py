"""A run while it goes, on stderr: one live line on a terminal, a line per finished scenario elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from ivrflow.scenario.observation import Result
from ivrflow.scenario.run.run import Run
from ivrflow.scenario.script import Scenario

_REFRESHED_PER_S = 2.0
_STYLES = {"passed": "green", "failed": "bold red", "not run": "dim"}


class RunProgress:
    """A listener that tells people. Use `shown` around the run.

    Args:
        console: writes to stderr.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._counts: Counter[str] = Counter()
        self._on_simulator: Counter[str] = Counter()
        self._planned = 0

    @contextmanager
    def shown(self, run: Run) -> Iterator[None]:
        """Keep the live line up to date while the block runs; elsewhere than on a terminal there is none."""
        self._planned = run.planned
        if not self._console.is_terminal:
            yield
            return
        with Live(
            get_renderable=lambda: self.line(run),
            console=self._console,
            refresh_per_second=_REFRESHED_PER_S,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        ):
            yield

    def line(self, run: Run) -> Text:
        """How it stands: running, passed, failed, still to come, and the time that will take."""
        left = run.planned - self._counts.total() - run.running
        parts: list[tuple[str, str]] = [(f"{run.running} running", "")]
        parts += [
            (f"{self._counts[word]} {word}", _STYLES[word]) for word in ("passed", "failed") if self._counts[word]
        ]
        parts.append((f"{left} to come", ""))
        if run.running or left:
            parts.append((f"about {_minutes(run.seconds_left())} left", "dim"))
        line = Text(no_wrap=True, overflow="ellipsis")
        for number, (words, style) in enumerate(parts):
            line.append(" · " if number else "").append(words, style)
        return line

    def began(self, scenario: Scenario) -> None:
        """Nothing is said of a scenario that only began: the live line counts it."""

    def again(self, scenario: Scenario, tries: int, stood_still: float) -> None:
        """Say that a scenario is played once more, and why."""
        why = f"this machine stood still for {stood_still * 1000:.0f} ms"
        self._print(Text(f"again   {scenario.file}: failed while {why} (try {tries + 1})", "yellow"))

    def finished(self, result: Result) -> None:
        """Say what came of one; what passed only where no live line counts it."""
        self._counts[result.word] += 1
        if result.stage == "simulator":
            self._on_simulator[result.word] += 1
        if result.word == "failed" or (not self._console.is_terminal and result.stage == "pbx"):
            self._print(self._numbered(_finished(result)))

    def simulated(self) -> None:
        """Say in one line what the simulator made of all scenarios."""
        if self._on_simulator:
            told = ", ".join(f"{count} {word}" for word, count in sorted(self._on_simulator.items(), reverse=True))
            self._print(Text(f"simulator: {told}"))

    def _numbered(self, text: Text) -> Text:
        """How many of all are finished, in front of a line that no live line counts."""
        if self._console.is_terminal or not self._planned:
            return text
        planned = str(self._planned)
        return Text.assemble((f"{self._counts.total():{len(planned)}}/{planned}  ", "dim"), text)

    def _print(self, text: Text) -> None:
        self._console.print(text)


def _finished(result: Result) -> Text:
    where = f"{result.scenario.file}: {result.scenario.title}"
    text = Text.assemble((f"{result.word:<8}", _STYLES[result.word]), f"{result.stage}  ")
    if not result.skipped:
        text.append(f"{result.took:5.1f} s  ", "dim")
    return text.append(where)


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
