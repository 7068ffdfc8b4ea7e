"""`ivrflow explain`: what a caller would meet at a moment, and why, with file and line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click
import msgspec

from ivrflow.commands.explanation import Explanation, Line, explain_moment
from ivrflow.commands.shared_options import Form, format_option
from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import FlowError, did_you_mean
from ivrflow.flow.reading.times import read_time
from ivrflow.flow_files import ENDINGS, check_paths
from ivrflow.prompts.index import PromptIndex, ahead_folder
from ivrflow.settings import Settings, SettingsError, read_settings


def _read_at(_context: click.Context, _parameter: click.Parameter, text: str | None) -> datetime | None:
    try:
        return read_time(text) if text else None
    except ValueError as problem:
        raise click.BadParameter("; ".join(problem.args)) from None


@click.command()
@click.argument("flow_name", metavar="[FLOW]", required=False)
@click.option(
    "--at", callback=_read_at, metavar="TIME", help="Local time of the flow, 2026-10-01T02:00.  [default: now]"
)
@format_option
def explain(flow_name: str | None, at: datetime | None, form: Form) -> None:
    """Say what a caller of FLOW (its name, or its file) would meet at a moment, and why.

    \b
    Which kind of day it is and who says so, which window of hours holds and why the ones before it do not, which
    wording is said, where the call goes, and what silence, speech and each key then lead to:
      ivrflow explain gov12345 --at 2026-10-01T02:00
      ivrflow explain oufei                             now
      ivrflow explain --format json                     for programs; FLOW may be left out where there is only one

    Exit codes: 0 explained (perhaps with warnings), 1 the flow is not in order, 2 wrong usage.
    """  # noqa: D301 - \b keeps the lines apart in --help
    try:
        flow = _find_flow(flow_name, read_settings())
    except (FlowError, SettingsError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    local = at or datetime.now(flow.timezone).replace(second=0, microsecond=0, tzinfo=None)
    explanation = explain_moment(flow, local)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(explanation), indent=2).decode())
    else:
        for line in _in_words(explanation):
            click.echo(line)


def _find_flow(name: str | None, settings: Settings) -> CallFlow:
    """The flow of this name or file, or the only one there is; prompts not yet recorded are estimated."""
    files = [Path(name), *(settings.flows / f"{name}{ending}" for ending in ENDINGS)] if name else []
    file = next((path for path in files if path.is_file()), None)
    report = check_paths([file or settings.flows])  # a flow with a mistake must not stand in the way of another
    flows = report.flows
    if not flows or (file is not None and report.errors):
        raise FlowError(report.problems)
    if file is None and name is None and len(flows) > 1:
        message = f"there are {len(flows)} flows in {settings.flows}: name one of {', '.join(sorted(flows))}"
        raise click.BadParameter(message, param_hint="FLOW")
    if file is None and name is not None and name not in flows:
        message = f"there is no flow '{name}' in {settings.flows}; {did_you_mean(name, flows)}"
        raise click.BadParameter(message, param_hint="FLOW")
    flow = flows[name] if name in flows else next(iter(flows.values()))
    index = PromptIndex.load(settings.masters, ahead_folder(settings.prompts_dir))
    return replace(flow, prompts=index.catalogue().spoken_by(flow.voice))


# ── for people ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _in_words(told: Explanation) -> Iterator[str]:
    yield click.style(
        f"{told.title} ({told.flow}), {told.weekday} {told.at.replace('T', ' ')}, {told.timezone}", bold=True
    )
    yield f"a {told.day}: so says {told.day_from}"
    for warning in told.warnings:
        yield click.style(f"warning: {warning}", fg="yellow")
    yield ""
    for line in told.meets:
        yield from _line(line)
    for way in told.ways:
        yield ""
        yield click.style(f"then, on {way.when}:", bold=True)
        for line in way.lines:
            yield from _line(line)


def _line(line: Line) -> Iterator[str]:
    """What was looked at first, then what came of it."""
    parts = [f"{line.at:8.2f}  {line.what}", f"[{line.rule}]" if line.rule else "", _dim(line.where)]
    yield "  ".join(part for part in parts if part)
    for choice in line.choices:
        mark = click.style("holds ", fg="green") if choice.holds else "passed"
        yield f"              {mark}  {choice.times}: {choice.why}  {_dim(choice.where)}"


def _dim(text: str) -> str:
    return click.style(text, dim=True) if text else ""
