"""`ivrflow schema`: what an editor needs to help with flows, standards, scenarios and holidays."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from ivrflow.flow.pages.schema import flow_schema, holidays_schema, standard_schema
from ivrflow.flow.reading.json_schema import Schema
from ivrflow.scenario.language.schema import scenario_schema

SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "flow": flow_schema,
    "standard": standard_schema,
    "scenario": scenario_schema,
    "holidays": holidays_schema,
}


@click.command()
@click.argument("kind", required=False, type=click.Choice(list(SCHEMAS)))
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="Write all four into this folder.")
def schema(kind: str | None, into: Path | None) -> None:
    """Print the JSON Schema of a KIND of file, so that an editor completes keys, explains them and marks mistakes.

    \b
    Examples:
      ivrflow schema flow > flow.schema.json
      ivrflow schema --into schemas

    A file names its schema in its first line:

    \b
      # yaml-language-server: $schema=../schemas/flow.schema.json

    Exit codes: 0 fine, 2 wrong usage, or the folder cannot be written.
    """  # noqa: D301 - \b keeps the lines apart in --help
    if (kind is None) == (into is None):
        raise click.UsageError(f"name a kind of file ({', '.join(SCHEMAS)}), or a folder with --into")
    if kind is not None:
        click.echo(as_text(kind), nl=False)
        return
    assert into is not None, "one of the two is given"
    try:
        into.mkdir(parents=True, exist_ok=True)
        for name in SCHEMAS:
            (into / f"{name}.schema.json").write_text(as_text(name), encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{into} cannot be written: {error.strerror}") from error


def as_text(kind: str) -> str:
    """A schema as it stands in its file."""
    return json.dumps(SCHEMAS[kind](), ensure_ascii=False, indent=1) + "\n"
