"""`ivrflow scenario new`, `record` and `list`: scenario files before they are played."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import FlowError, did_you_mean
from ivrflow.flow.reading.json_schema import SCHEMA_LINE
from ivrflow.runtime.journal_reader import JournalReader, NoSuchCallError, StoredCall
from ivrflow.scenario.language.from_journal import scenario_of
from ivrflow.scenario.language.reading import load_scenarios
from ivrflow.scenario.language.starter import starter
from ivrflow.scenario.run.flows_here import flows_here
from ivrflow.scenario.script import Scenario
from ivrflow.settings import Settings, SettingsError, read_settings

COULD_NOT = 2
"""Exit code when nothing was done: wrong usage, bad files, wrong settings."""


@contextmanager
def refusals() -> Iterator[None]:
    """What an author, operator or tester can mend is said once, on stderr, and the command ends with exit code 2."""
    try:
        yield
    except (FlowError, SettingsError, NoSuchCallError) as error:
        click.echo(str(error), err=True)
        sys.exit(COULD_NOT)


# ── new ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--flow", "flow_id", metavar="FLOW", help="The flow that answers.  [default: the first by name]")
def new(file: Path | None, flow_id: str | None) -> None:
    """Write a commented starter to FILE, or to the terminal. A file that is there is left alone.

    \b
    Examples:
      ivrflow scenario new first.yaml
      ivrflow scenario new first.yaml --flow gov12345
      ivrflow scenario run first.yaml --on simulator        it passes as it is
    """  # noqa: D301 - \b keeps the lines apart in --help
    with refusals():
        settings = read_settings()
        flow = _flow(flow_id, flows_here(settings))
        _write(schema_line(file, settings) + starter(flow), file)


def _flow(wanted: str | None, flows: Mapping[str, CallFlow]) -> CallFlow:
    if wanted is None:
        return flows[min(flows)]
    if wanted not in flows:
        raise click.BadParameter(f"there is no flow '{wanted}'; {did_you_mean(wanted, flows)}", param_hint="--flow")
    return flows[wanted]


# ── record ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@click.command()
@click.argument("call", metavar="CALL")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.option("--show-personal", is_flag=True, help="Write the keys that were pressed; without it they are masked.")
def record(*, call: str, output: Path | None, show_personal: bool) -> None:
    """Turn a call of the journal into a scenario: the same inputs at the same times.

    CALL is an id from `ivrflow calls`, the beginning of one, or "last".

    \b
    Examples:
      ivrflow scenario record last
      ivrflow scenario record 1795255402.17 -o complaint.yaml --show-personal
    """  # noqa: D301 - \b keeps the lines apart in --help
    with refusals():
        settings = read_settings()
        stored = _stored(call, settings)
        flows = flows_here(settings)
        flow = flows.get(stored.summary.flow)
        if flow is None:
            raise SettingsError(f"the call walked the flow '{stored.summary.flow}', which is not in {settings.flows}")
        _write(schema_line(output, settings) + scenario_of(stored, flow, show_personal=show_personal), output)


def _stored(call: str, settings: Settings) -> StoredCall:
    """The call, unmasked: what may be shown of it is decided where it is written."""
    reader = JournalReader(settings.journal, show_personal=True)
    try:
        return reader.call(call)
    finally:
        reader.close()


def schema_line(file: Path | None, settings: Settings) -> str:
    """The first line that tells an editor what the file is, when the schema is beside the flows; else nothing."""
    schema = settings.flows.absolute().parent / "schemas" / "scenario.schema.json"
    folder = (file or Path("-")).absolute().parent
    return f"{SCHEMA_LINE}{Path(os.path.relpath(schema, folder)).as_posix()}\n" if schema.is_file() else ""


def _write(text: str, file: Path | None) -> None:
    """Write to a file that is not there yet, or to stdout.

    Raises:
        click.BadParameter: it is there, or cannot be written.
    """
    if file is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise click.BadParameter(f"{file} is there already and was left alone; name another file") from None
    except OSError as error:
        raise click.BadParameter(f"{file} was not written: {error.strerror}") from None
    click.echo(f"wrote {file}; play it with: ivrflow scenario run {file} --on simulator", err=True)


# ── list ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@click.command("list")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--rule", metavar="NAME", help="Only those that prove this rule.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def list_(paths: Sequence[Path], rule: str | None, form: str) -> None:
    """List the scenarios in files and folders: what they are about, where they are played, and which rules they prove.

    At the end stands which rules of the flows' standards no scenario proves.

    \b
    Examples:
      ivrflow scenario list scenarios
      ivrflow scenario list scenarios --rule silent_call
    """  # noqa: D301 - \b keeps the lines apart in --help
    with refusals():
        scenarios = chosen(load_scenarios(list(paths), flows_here(read_settings())), rule)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode([_as_data(one) for one in scenarios]), indent=2))
        return
    for one in scenarios:
        where = "" if len(one.stages) > 1 else f"  (only on the {one.stages[0]}: {one.why_not})"
        click.echo(f"{one.file}: {one.title}{where}")
        if one.proves:
            click.echo(f"    proves {', '.join(one.proves)}")
    click.echo()
    for line in coverage(scenarios) if rule is None else [f"{len(scenarios)} scenarios prove {rule}"]:
        click.echo(line)


def chosen(scenarios: list[Scenario], rule: str | None) -> list[Scenario]:
    """Those that prove a rule, named in full or by its last part; all of them without one.

    Raises:
        click.BadParameter: none does.
    """
    if rule is None:
        return scenarios
    found = [one for one in scenarios if any(rule in {proven, proven.rpartition("/")[2]} for proven in one.proves)]
    if not found:
        proven = {name.rpartition("/")[2] for one in scenarios for name in one.proves}
        hint = did_you_mean(rule, proven)
        raise click.BadParameter(f"no scenario proves a rule '{rule}'; {hint}".rstrip("; "), param_hint="--rule")
    return found


def coverage(scenarios: Sequence[Scenario]) -> list[str]:
    """A line per standard: how many scenarios there are, how many of its rules they prove, and which they do not."""
    lines = [f"{len(scenarios)} scenarios"]
    proven = {rule for one in scenarios for rule in one.proves}
    standards = {one.flow.standard.id: one.flow.standard for one in scenarios}
    for name, standard in sorted(standards.items()):
        missing = [rule for rule in standard.rules if f"{name}/{rule}" not in proven]
        line = f"{len(standard.rules) - len(missing)} of {len(standard.rules)} rules of {name} are proven"
        lines.append(f"{line}; not: {', '.join(missing)}" if missing else line)
    return lines


def _as_data(scenario: Scenario) -> dict[str, object]:
    return {
        "file": scenario.file,
        "title": scenario.title,
        "flow": scenario.flow.id,
        "proves": scenario.proves,
        "stages": scenario.stages,
        "why_not": scenario.why_not,
        "within": scenario.within,
    }
