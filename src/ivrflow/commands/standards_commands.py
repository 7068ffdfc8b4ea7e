"""`ivrflow standards`: which standards there are, and how every rule of theirs is met and proven."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import click
from rich import box
from rich.table import Table

from ivrflow.commands.shared_options import Form, format_option
from ivrflow.commands.standards_coverage import (
    RuleCoverage,
    counts,
    cover,
    golden_proofs,
    joined,
    means_in_words,
    problem_proofs,
    scenario_proofs,
)
from ivrflow.flow.model import CallFlow, Standard
from ivrflow.flow.problems import FlowError, did_you_mean
from ivrflow.flow_files import STANDARDS, check_paths
from ivrflow.settings import SettingsError, read_settings
from ivrflow.timeline import show

_WIDTH = 200


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def standards() -> None:
    """The service standards the flows obey.

    \b
    Examples:
      ivrflow standards list                              which there are, and who answers by them
      ivrflow standards coverage                          every rule: how it is met, and its proof
      ivrflow standards coverage yunda --lacking          what of one standard has no proof yet
      ivrflow standards coverage --format json            the same for programs
    """  # noqa: D301 - \b keeps the lines apart in --help


@standards.command("list")
@format_option
def list_(*, form: Form) -> None:
    """Name the standards with their phrases, rules and flows."""
    found, flows = _read()
    rows = [
        {
            "id": standard.id,
            "name": standard.name,
            "phrases": len(standard.phrases),
            "rules": len(standard.rules),
            "flows": sorted(flow.id for flow in flows.values() if flow.standard.id == standard.id),
        }
        for standard in found
    ]
    if form == "json":
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("standard", "name", "phrases", "rules", "flows"):
        table.add_column(heading, justify="right" if heading in {"phrases", "rules"} else "left")
    for row in rows:
        table.add_row(*(", ".join(cell) if isinstance(cell, list) else str(cell) for cell in row.values()))
    show(table, width=_WIDTH)


@standards.command()
@click.argument("only", nargs=-1, metavar="[STANDARD]...")
@click.option("--lacking", is_flag=True, help="Only rules that nobody met or proved yet.")
@click.option(
    "--scenarios", type=click.Path(path_type=Path, file_okay=False), help="Folder with scenarios.  [default: scenarios]"
)
@click.option(
    "--calls",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder with golden calls and refused files.  [default: tests]",
)
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
def coverage(
    *,
    only: Sequence[str],
    lacking: bool,
    scenarios: Path | None,
    calls: Path | None,
    form: Literal["text", "json", "markdown"],
) -> None:
    """List every rule: how it is met, and the golden call or scenario that proves it.

    A rule is met by the engine's clock, on every call by the flow, on demand (an agent starts it), by the lint of
    `ivrflow check`, by a promise with a due time, or by being counted in a report; or it cannot apply to a phone line,
    with the reason. A rule with a number needs a scenario on the real PBX; a promise of hours or days may be proven on
    the virtual clock.

    Exit codes: 0 every rule listed is met and proven, 1 some are not, 2 wrong usage.
    """
    found, flows = _read()
    chosen = _chosen(found, only)
    beside = read_settings().flows.resolve().parent
    proofs = _proofs(found, flows, scenarios or _here(beside / "scenarios"), calls or _here(beside / "tests"))
    every = cover(chosen, proofs)
    covered = [one for one in every if one.lacks or not lacking]
    if form == "json":
        click.echo(json.dumps(_as_json(covered), ensure_ascii=False, indent=2))
    elif form == "markdown":
        click.echo(coverage_page(covered), nl=False)
    elif covered:
        _show(covered)
    else:
        click.echo(f"nothing lacks: each of the {len(every)} rules is met and proven")
    sys.exit(1 if any(one.lacks for one in covered) else 0)


def _read() -> tuple[list[Standard], Mapping[str, CallFlow]]:
    """All standards with rules, and the flows, in the order of their files. A file with problems stops here."""
    try:
        report = check_paths([read_settings().flows])
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    if report.errors:
        click.echo(str(FlowError(report.errors)), err=True)
        sys.exit(1)
    with_rules = [standard for _, standard in sorted(report.standards.items()) if standard.rules]
    return with_rules, report.flows


def _chosen(found: Sequence[Standard], names: Sequence[str]) -> list[Standard]:
    known = {standard.id: standard for standard in found}
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise click.BadParameter(f"there is no standard '{name}' in '{STANDARDS}/'; {hint}", param_hint="STANDARD")
    return [known[name] for name in names] if names else list(found)


def _here(path: Path) -> Path:
    """The path as people write it: relative when it is below the present folder."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _proofs(
    found: Sequence[Standard], flows: Mapping[str, CallFlow], scenarios: Path, calls: Path
) -> Mapping[str, Sequence[Any]]:
    try:
        played = scenario_proofs(scenarios, flows)
    except FlowError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    rules = [rule.id for standard in found for rule in standard.rules.values()]
    return joined(golden_proofs(calls), played, problem_proofs(calls, rules))


# ── for people and for programs ───────────────────────────────────────────────────────────────────────────────────────


def _how(one: RuleCoverage) -> str:
    if one.rule.not_on_phone:
        return f"not on a phone line: {one.rule.not_on_phone}"
    return ", ".join(means_in_words(means) for means in one.rule.met_by) or "nobody said how"


def _shown_proofs(one: RuleCoverage, *, count: bool = True) -> list[str]:
    """The first proof of each kind, and how many more there are unless nobody wants to know."""
    lines: list[str] = []
    for kind in dict.fromkeys(proof.kind for proof in one.proofs):
        files = [proof.file for proof in one.proofs if proof.kind == kind]
        files.sort(key=lambda file: (Path(file).stem != one.rule.name, file))
        more = f" and {len(files) - 1} more" if count and len(files) > 1 else ""
        lines.append(f"{kind} {files[0]}{more}")
    return lines


def _show(covered: Sequence[RuleCoverage]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("rule", "#", "how it is met", "proof"):
        table.add_column(heading, overflow="fold")
    for one in covered:
        proof = "\n".join([*_shown_proofs(one), *([f"[red]lacks: {one.lacks}[/red]"] if one.lacks else [])])
        table.add_row(one.rule.id, "#" if one.is_numbered else "", _how(one), proof)
    show(table, width=_WIDTH)
    click.echo(_summary(counts(covered)))


def _summary(number: Mapping[str, int]) -> str:
    ways = ", ".join(
        f"{means_in_words(means)} {number[means]}"
        for means in ("clock", "flow", "on_demand", "lint", "promise", "report")
    )
    return (
        f"{number['rules']} rules, {number['numbered']} of them (#) with numbers; met by: {ways};"
        f" not on a phone line {number['not_on_phone']}; without a proof {number['lacking']}"
    )


def _as_json(covered: Sequence[RuleCoverage]) -> dict[str, Any]:
    return {
        "counts": counts(covered),
        "rules": [
            {
                "id": one.rule.id,
                "file": one.rule.where.file,
                "line": one.rule.where.line,
                "trigger": one.rule.trigger,
                "numbered": one.is_numbered,
                "met_by": list(one.rule.met_by),
                "not_on_phone": one.rule.not_on_phone or None,
                "proofs": [{"kind": proof.kind, "file": proof.file} for proof in one.proofs],
                "lacks": one.lacks or None,
            }
            for one in covered
        ],
    }


_PAGE = """\
# How every rule of every standard is met

<!-- Written by `ivrflow standards coverage --format markdown > docs/coverage.md`; a test compares. -->

{summary}.

| word | what it means |
|---|---|
| engine's clock | its waits, its repetitions and who hangs up are kept by the engine |
| every call | it happens by the flow, without anybody asking for it |
| on demand | an agent starts it as a situation; its phrases are played, its tasks shown |
| lint | `ivrflow check` refuses a flow or a wording against it |
| promise | it has a due time, listed by `ivrflow promises` |
| report | it is counted call by call by `ivrflow report` |

A rule with a number (#) is proven by a scenario with real phones on a real PBX, a promise of hours or days on the
virtual clock; every rule by a golden call, or by a file that `check` refuses. The first proof of each kind is named.
"""


def coverage_page(covered: Sequence[RuleCoverage]) -> str:
    """The text of `docs/coverage.md`."""
    parts = [_PAGE.format(summary=_summary(counts(covered)))]
    for standard in dict.fromkeys(one.standard.id for one in covered):
        rules = [one for one in covered if one.standard.id == standard]
        number = counts(rules)
        rows = "".join(
            f"| `{one.rule.name}` {'#' if one.is_numbered else ''} | {_cell(one.rule.trigger)} | {_cell(_how(one))} |"
            f" {_cell('; '.join(_shown_proofs(one, count=False)) or '–')} |\n"
            for one in rules
        )
        parts.append(
            f"## {standard}\n\n{rules[0].standard.name}: {number['rules']} rules, {number['numbered']} with numbers.\n\n"
            f"| rule | when | how it is met | proof |\n|---|---|---|---|\n{rows}"
        )
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").strip()
