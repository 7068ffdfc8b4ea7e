"""A report as one page with plots: a single file without scripts, for a screen, for paper, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from ivrflow.report import wording
from ivrflow.report.summary import Report
from ivrflow.scenario.report import plot
from ivrflow.scenario.report.templating import asset
from ivrflow.scenario.report.templating import environment as scenario_environment

_FILE = "report.html"
MOST_MISSES = 50
"""Calls named on the page behind each miss; the JSON names all."""

_FEWEST_FOR_A_PLOT = 3


def write_page(target: Path, report: Report) -> Path:
    """Write the page.

    Args:
        target: a file ending in .html, or a folder, which is made when it is not there.
        report: what.

    Returns:
        The file.

    Raises:
        OSError: it cannot be written there.
    """
    is_file = target.suffix.lower() in {".html", ".htm"} and not target.is_dir()
    file = target if is_file else target / _FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page(report), encoding="utf-8")
    return file


def page(report: Report) -> str:
    """The page's text."""
    shown, silent = wording.rules_shown(report)
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            heading=wording.heading(report),
            wording=wording,
            rules=shown,
            silent=silent,
            plots=list(_plots(report)),
            most_misses=MOST_MISSES,
            css=Markup(asset("report.css")),  # noqa: S704 - a file of ours
            version=version("ivrflow"),
        )
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """The scenario report's environment with the templates of this one."""
    return scenario_environment().overlay(loader=PackageLoader("ivrflow.report"))


def _plots(report: Report) -> Iterator[Markup]:
    if len(report.days) > 1:
        yield plot.bars([(day[5:], number) for day, number in report.days], title="Calls per day", y_unit="calls")
    yield plot.bars(
        [(f"{hour:02d}", number) for hour, number in enumerate(report.hours)],
        title="Calls per hour of the day",
        x_unit="o'clock",
        y_unit="calls",
    )
    for survey in report.surveys:
        yield plot.bars(
            [(str(score), number) for score, number in survey.given],
            title=f"Survey {survey.survey}: scores of 1 to {survey.most}",
            x_unit="score",
            y_unit="calls",
        )
    for spread in report.spreads:
        if len(spread.values) >= _FEWEST_FOR_A_PLOT:
            marks = {"middle": spread.at(0.5), "95 %": spread.at(0.95)}
            title = f"Seconds: {spread.name}"
            yield plot.histogram(spread.values, title=title, marks=marks)
