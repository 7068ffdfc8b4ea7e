"""`ivrflow report`: key figures, rules and promises of a stretch of time."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Literal

import click

from ivrflow.flow.model import CallFlow, Standard
from ivrflow.flow.problems import did_you_mean
from ivrflow.flow_files import check_paths
from ivrflow.report.agents import ANSWER_WITHIN_S
from ivrflow.report.exports import as_csv, as_json
from ivrflow.report.page import write_page
from ivrflow.report.period import BadPeriodError, period_of
from ivrflow.report.summary import Report, work_out
from ivrflow.report.tables import tables
from ivrflow.runtime.journal_counts import count, flows_called
from ivrflow.settings import SettingsError, read_settings
from ivrflow.timeline import show

Format = Literal["text", "csv", "json"]

TABLE_WIDTH = 170


@click.command()
@click.option("--from", "begins", metavar="DAY", help="The first day: 2026-11-01.  [default: the first of this month]")
@click.option("--to", "ends", metavar="DAY", help="The last day, which belongs to it: 2026-11-30.  [default: today]")
@click.option("--flow", metavar="FLOW", help="Only calls of this flow.")
@click.option("--standard", metavar="STANDARD", help="Only calls of the flows that follow this standard.")
@click.option(
    "--dialled",
    type=click.IntRange(0),
    metavar="NUMBER",
    help="How often the hotline was dialled in this time, as your carrier counted: without it nobody knows how many "
    "callers never got through.",
)
@click.option(
    "--answer-within",
    type=click.FloatRange(1, 3600),
    default=ANSWER_WITHIN_S,
    show_default=True,
    metavar="SECONDS",
    help="An agent's answer within so many seconds of waiting counts as soon enough.",
)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "csv", "json"]),
    default="text",
    show_default=True,
    help="For people, for a spreadsheet, or for programs.",
)
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path),
    metavar="FILE|DIR",
    help="Also write one page with plots: a file, or report.html in a folder.",
)
@click.option("--misses", type=click.IntRange(0), default=5, show_default=True, help="Calls named behind each miss.")
@click.option("--all-rules", is_flag=True, help="Also list rules that applied on no call.")
@click.option("--fail-on-miss", is_flag=True, help="Exit with 1 when a key figure misses its target.")
def report(
    *,
    begins: str | None,
    ends: str | None,
    flow: str | None,
    standard: str | None,
    dialled: int | None,
    answer_within: float,
    shape: Format,
    page: Path | None,
    misses: int,
    all_rules: bool,
    fail_on_miss: bool,
) -> None:
    """Count a stretch of time: key figures against their targets, every rule, every promise, how the calls went.

    \b
    Examples:
      ivrflow report --from 2026-11-01 --to 2026-11-30
      ivrflow report --from 2026-11-01 --to 2026-11-30 --standard jiangnan --dialled 1180
      ivrflow report --answer-within 15                 how many callers had an agent within 15 s
      ivrflow report --format csv > november.csv
      ivrflow report --html november.html
      ivrflow report --flow gov12345 --fail-on-miss     in a nightly job

    Days are those of the flows' own clock. Each figure says which calls it counts. What the journal cannot know is "no
    data", with the reason and how to give it: --dialled, `ivrflow promises keep ID --satisfied yes`, `ivrflow promises
    tag ID repeat`. Behind every miss stand calls: `ivrflow trace CALL` tells what happened on one.

    Exit codes: 0 counted, 1 the journal or the flows cannot be read (with --fail-on-miss also: a target was missed),
    2 wrong usage.
    """  # noqa: D301 - \b keeps the lines apart in --help
    try:
        settings = read_settings()
        chosen = _choose(settings.flows, settings.journal, flow, standard)
        now = datetime.now(UTC).astimezone(chosen.zone)
        period = period_of(begins, ends, chosen.zone, now)
        counted = count(
            settings.journal, since=period.since.timestamp(), until=period.until.timestamp(), flows=chosen.only
        )
    except BadPeriodError as problem:
        raise click.UsageError(str(problem)) from problem
    except SettingsError as problem:
        raise click.ClickException(str(problem)) from problem
    made = work_out(
        counted,
        period=period,
        scope=chosen.scope,
        now=now,
        flows=chosen.flows,
        standards=chosen.standards,
        measures=chosen.measures,
        dialled=dialled,
        answer_within=answer_within,
    )
    _tell(made, shape, misses, all_rules=all_rules)
    if page is not None:
        _write_page(page, made)
    sys.exit(1 if fail_on_miss and made.missed else 0)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What is counted: flows by id, those counted alone (None: all), standards, clock, and all that in words."""

    flows: Mapping[str, CallFlow]
    only: Sequence[str] | None
    standards: Sequence[Standard]
    measures: Sequence[Standard]
    zone: tzinfo
    scope: str


def _choose(folder: Path, journal: str, flow: str | None, standard: str | None) -> _Chosen:
    """Find what is meant by --flow and --standard.

    Raises:
        SettingsError: the flows or the journal cannot be read.
        click.BadParameter: no such flow or standard.
    """
    found = check_paths([folder])
    if found.errors:
        files = ", ".join(sorted({problem.where.file for problem in found.errors}))
        click.echo(f"note: {files}: left out, there are errors; `ivrflow check` tells them", err=True)
    flows = found.flows
    standards = {one.id: one for _, one in sorted(found.standards.items()) if one.rules}
    standards |= {one.standard.id: one.standard for one in flows.values()}
    measures = [one for one in standards.values() if one.key_figures]
    only: list[str] | None = None
    scope = "all flows"
    if standard is not None:
        if standard not in standards:
            raise _unknown("standard", standard, standards)
        only = sorted(one.id for one in flows.values() if one.standard.id == standard)
        standards = {standard: standards[standard]}
        measures = [one for one in standards.values() if one.key_figures] or measures
        scope = f"flows that follow {standard}"
        if not only:
            raise click.BadParameter(f"no flow follows the standard {standard}", param_hint="--standard")
    if flow is not None:
        known = sorted({*flows, *flows_called(journal)})
        if flow not in known:
            raise _unknown("flow", flow, known)
        if only is not None and flow not in only:
            raise click.BadParameter(f"the flow {flow} does not follow {standard}", param_hint="--flow")
        only, scope = [flow], f"flow {flow}"
        if flow in flows:
            standards = {flows[flow].standard.id: flows[flow].standard}
    zones = {str(one.timezone): one.timezone for one in flows.values() if only is None or one.id in only}
    zone = next(iter(zones.values())) if len(zones) == 1 else datetime.now(UTC).astimezone().tzinfo or UTC
    return _Chosen(flows, only, list(standards.values()), measures, zone, scope)


def _unknown(what: str, name: str, known: Sequence[str] | Mapping[str, object]) -> click.BadParameter:
    hint = did_you_mean(name, list(known)) or f"there are: {', '.join(known)}"
    return click.BadParameter(f"there is no {what} '{name}'; {hint}", param_hint=f"--{what}")


def _tell(made: Report, shape: Format, misses: int, *, all_rules: bool) -> None:
    if shape == "json":
        click.echo(json.dumps(as_json(made), ensure_ascii=False, indent=2))
    elif shape == "csv":
        click.echo(as_csv(made), nl=False)
    else:
        show(tables(made, misses=misses, all_rules=all_rules), width=TABLE_WIDTH)


def _write_page(target: Path, made: Report) -> None:
    try:
        file = write_page(target, made)
    except OSError as problem:
        why = (problem.strerror or type(problem).__name__).lower()
        raise click.ClickException(f"{target} cannot be written: {why}; name another file with --html") from problem
    click.echo(f"written: {file}", err=True)
