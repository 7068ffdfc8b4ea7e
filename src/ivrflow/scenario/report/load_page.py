"""The page of a load: the figures, and how calls, waits, processor and memory went along the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import median

from markupsafe import Markup

from ivrflow.scenario.load.load_figures import LoadFigures, WaitOff
from ivrflow.scenario.load.load_output import PROCESSES, SPREADS, facts_in_words, headline, verdict_in_words
from ivrflow.scenario.load.load_records import MachineSample
from ivrflow.scenario.report.plot import Series, histogram, lines
from ivrflow.scenario.report.run_summary import RunSummary
from ivrflow.scenario.report.templating import asset, environment

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table of numbers: its name and its cells."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoadPage:
    """What stands on the page."""

    headline: str
    verdict: str
    passed: bool
    shortcomings: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    spreads: tuple[Row, ...]
    processes: tuple[Row, ...]
    plots: tuple[Markup, ...]
    listened: str


def load_page(shown: LoadFigures, shortcomings: Sequence[str], *, stopped: bool, listened: str = "") -> LoadPage:
    """Work a load out for its page.

    Args:
        shown: the figures.
        shortcomings: why it has not passed.
        stopped: whether it was stopped before its end.
        listened: address of the pages of the calls that were listened to; empty when there are none.
    """
    return LoadPage(
        headline(shown),
        verdict_in_words((), stopped=stopped) if not shortcomings else "NOT PASSED",
        not shortcomings,
        tuple(shortcomings),
        tuple(facts_in_words(shown)),
        tuple(_spreads(shown)),
        tuple(_processes(shown)),
        tuple(_plots(shown)),
        listened,
    )


def write_load_page(folder: Path, page: LoadPage, run: RunSummary) -> Path:
    """Write the page into the folder, which is made when it is not there.

    Returns:
        The page.

    Raises:
        OSError: it cannot be written there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("report.css", "report.js"):
        (folder / name).write_text(asset(name), encoding="utf-8")
    file = folder / "load.html"
    file.write_text(environment().get_template("load.html.jinja").render(page=page, run=run), encoding="utf-8")
    return file


def _spreads(shown: LoadFigures) -> Iterator[Row]:
    for attribute, name in SPREADS.items():
        spread = getattr(shown, attribute)
        if spread is not None:
            seconds = (spread.least, spread.p50, spread.p95, spread.p99, spread.most)
            yield Row(name, (str(spread.count), *(f"{value * 1000:.1f}" for value in seconds)))


def _processes(shown: LoadFigures) -> Iterator[Row]:
    for attribute, name in PROCESSES.items():
        process = getattr(shown, attribute)
        if process is not None:
            memory = (process.memory_start, process.memory_peak, process.memory_end)
            cpu = (f"{process.cpu_mean:.0f} %", f"{process.cpu_peak:.0f} %")
            yield Row(name, (*cpu, *(f"{amount / _MIB:.0f} MiB" for amount in memory)))


def _plots(shown: LoadFigures) -> Iterator[Markup]:
    samples = shown.samples
    yield lines(
        [Series("calls", [(sample.at, sample.live) for sample in samples])], title="Calls there", y_unit="calls"
    )
    if shown.waits is not None:
        yield lines(
            [
                Series("latest", _each_second(shown.wait_offs, max)),
                Series("median", _each_second(shown.wait_offs, median)),
            ],
            title="By how much documented waits were off, of those that began in each second",
            y_unit="ms",
        )
        spread = shown.waits
        yield histogram(
            [wait.off * 1000 for wait in shown.wait_offs],
            title="By how much documented waits were off",
            unit="ms",
            marks={"p50": spread.p50 * 1000, "p99": spread.p99 * 1000, "most": spread.most * 1000},
        )
    yield lines(
        [
            *(Series(name, _of_process(samples, attribute, "cpu", 1)) for attribute, name in PROCESSES.items()),
            Series("other processes", [(sample.at, sample.others) for sample in samples]),
            Series("other machines", [(sample.at, sample.stolen) for sample in samples]),
        ],
        title="Processor time, percent of one core (others: of the whole machine)",
        y_unit="%",
    )
    yield lines(
        [Series(name, _of_process(samples, attribute, "memory", _MIB)) for attribute, name in PROCESSES.items()],
        title="Memory",
        y_unit="MiB",
    )
    if shown.setup is not None:
        yield histogram(
            [seconds * 1000 for seconds in shown.side.setups],
            title="Milliseconds from INVITE to answer",
            unit="ms",
            marks={"p50": shown.setup.p50 * 1000, "p99": shown.setup.p99 * 1000},
        )
    if shown.pacer_late is not None:
        yield lines(
            [Series("at worst", [(sample.at, sample.pacer_late * 1000) for sample in samples])],
            title="By how much our own audio was late, at worst in each second",
            y_unit="ms",
        )


def _of_process(
    samples: Sequence[MachineSample], attribute: str, quantity: str, unit: float
) -> list[tuple[float, float]]:
    processes = ((sample.at, getattr(sample, attribute)) for sample in samples)
    return [(at, getattr(process, quantity) / unit) for at, process in processes if process is not None]


def _each_second(waits: Sequence[WaitOff], of: Callable[[list[float]], float]) -> list[tuple[float, float]]:
    """In milliseconds, of the waits that began in each second."""
    return [
        (second + 0.5, of([wait.off * 1000 for wait in began])) for second, began in groupby(waits, lambda w: int(w.at))
    ]
