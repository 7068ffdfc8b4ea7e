"""`ivrflow check` and `ivrflow draw`: is what stands in the files in order, and what does it look like?"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from ivrflow.calendar_notices import calendar_notices
from ivrflow.commands.shared_options import Form, format_option
from ivrflow.flow.model import CallFlow
from ivrflow.flow.pages.drawing import draw_flow
from ivrflow.flow.problems import FlowError, Problem, did_you_mean
from ivrflow.flow.proof.proof import prove
from ivrflow.flow.proof.proof_words import as_data as proof_data
from ivrflow.flow.proof.proof_words import reasoning
from ivrflow.flow.proof.proof_words import summary as proof_summary
from ivrflow.flow.reading.syntax import counted
from ivrflow.flow_files import ENDINGS, FlowReport, check_paths, load_flows
from ivrflow.prompts.index import PromptIndex
from ivrflow.settings import Settings, SettingsError, read_settings


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[PATH]...")
@format_option
@click.option(
    "--prompts/--no-prompts", default=True, show_default=True, help="Also look whether every phrase is recorded."
)
@click.option("--proof", "in_full", is_flag=True, help="Show the reasoning behind what is proven of each flow.")
@click.option(
    "--taboo",
    type=click.Choice(["own", "all"]),
    default="own",
    show_default=True,
    help="Whose taboo sentences count: the standard's own, or every other's too (those as warnings).",
)
def check(paths: Sequence[Path], form: Form, taboo: Literal["own", "all"], *, prompts: bool, in_full: bool) -> None:
    """Check flows and standards; report every problem with file:line:column, and what is proven of every flow in order.

    PATH is a flow, a standard, or a folder of flows; by default the folder with the flows.

    A flow is also held to what its standard asks of every call: no taboo sentence, the opening first, the farewell
    before parting, who hangs up first. Each such problem names the rule or the taboo it breaks (docs/wording.md).

    Proven, without a call: that every call comes to an end, that waits are bounded and circles counted, the longest silence
    a caller can meet, and how long it can take to a person. A flow may bound both: `limits: {silence: 10s, to_human: 90s}`.

    Exit codes: 0 fine (perhaps with warnings), 1 problems, 2 wrong usage.
    """
    try:
        settings = read_settings()
        catalogue = PromptIndex.load(settings.masters).catalogue() if prompts else None
        report = check_paths(paths or (settings.flows,), catalogue, every_taboo=taboo == "all")
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    told = _with_calendar(report)
    if form == "json":
        data: object = [problem_as_json(problem) for problem in told]
        if in_full:
            data = {"problems": data, "proofs": [proof_data(prove(flow)) for flow in report.flows.values()]}
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        for problem in told:
            click.echo(problem_as_text(problem))
        for flow in report.flows.values():
            proof = prove(flow)
            for line in reasoning(proof) if in_full else proof_summary(proof):
                click.echo(line)
        click.echo(_summary(report, told))
    sys.exit(1 if _errors(told) else 0)


def _with_calendar(report: FlowReport) -> list[Problem]:
    """Everything that is to be mended, the holiday file's own problems included, and what is not known yet."""
    broken = {problem.where for problem in report.calendar_problems}
    notices = [notice for notice in calendar_notices(report.flows.values()) if notice.where not in broken]
    return sorted([*report.problems, *report.calendar_problems, *notices])


def _errors(problems: Sequence[Problem]) -> int:
    return sum(problem.severity == "error" for problem in problems)


def problem_as_json(problem: Problem) -> dict[str, str | int]:
    """The problem for machines."""
    return {
        "file": problem.where.file,
        "line": problem.where.line,
        "column": problem.where.column,
        "severity": problem.severity,
        "message": problem.message,
        "hint": problem.hint,
    }


def problem_as_text(problem: Problem) -> str:
    """The problem as `str()` words it, coloured; click takes the colours away where no terminal shows them."""
    place, colour = click.style(str(problem.where), bold=True), "red" if problem.severity == "error" else "yellow"
    kind = "" if problem.severity == "error" else "warning: "
    first = f"{place}: {click.style(kind + problem.message, fg=colour)}"
    return f"{first}\n    {click.style('hint:', dim=True)} {problem.hint}" if problem.hint else first


def _summary(report: FlowReport, told: Sequence[Problem]) -> str:
    rules = sum(len(standard.rules) for standard in report.standards.values())
    phrases = sum(len(standard.phrases) for standard in report.standards.values())
    read = f"{counted(report.files, 'flow')}, {counted(rules, 'rule')}, {counted(phrases, 'phrase')}"
    errors = _errors(told)
    warnings = len(told) - errors
    found = [counted(errors, "problem")] if errors else []
    found += [counted(warnings, "warning")] if warnings else []
    return click.style(f"{read}: {' and '.join(found) or 'in order'}", fg="red" if errors else "green")


@click.command()
@click.argument("flow")
def draw(flow: str) -> None:
    """Draw FLOW (its name, or its file) as a Mermaid diagram, to paste where Markdown is shown."""
    try:
        found = find_flow(flow, read_settings())
    except (FlowError, SettingsError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(draw_flow(found), nl=False)


def find_flow(name: str, settings: Settings) -> CallFlow:
    """The flow of this name or file.

    Raises:
        FlowError: it is not in order.
        SettingsError: the folder with the flows is not there.
        click.BadParameter: there is no such flow.
    """
    files = [Path(name), *(settings.flows / f"{name}{ending}" for ending in ENDINGS)]
    file = next((path for path in files if path.is_file()), None)
    if file is not None:
        return next(iter(load_flows([file]).values()))
    flows = load_flows([settings.flows])
    if name not in flows:
        hint = did_you_mean(name, flows)
        raise click.BadParameter(f"there is no flow '{name}' in {settings.flows}; {hint}", param_hint="FLOW")
    return flows[name]
