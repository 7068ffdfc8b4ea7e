"""`ivrflow agents codes`: what agents can key during a talk, as a list for their desks."""

from __future__ import annotations

import json
import sys
from typing import Any, Literal

import click
from rich import box
from rich.table import Table
from rich.text import Text

from ivrflow.commands.flow_commands import find_flow
from ivrflow.flow.pages.code_list import TELEPHONE_CODES, CodeList, code_list
from ivrflow.flow.problems import FlowError
from ivrflow.report.code_page import code_page
from ivrflow.settings import SettingsError, read_settings
from ivrflow.timeline import show

_WIDTH = 170


@click.command()
@click.argument("flow")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="For people, for programs, or one sheet of A4 to print.",
)
def codes(flow: str, form: Literal["text", "json", "html"]) -> None:
    """List what agents can key in a talk with a caller of FLOW (its name, or its file): for the wall, or the desk.

    \b
      ivrflow agents codes gov12345
      ivrflow agents codes gov12345 --format html > codes.html     open it in a browser, print it

    Each code with when it is keyed, in the words of the standard's rule, or what it does; how it begins: “what the
    caller hears first”, with dots for what only the call knows, or what the agent is asked to do; and its name, for
    `ivrflow play` and `ivrflow transfer`. Codes stand in the flow's file under agents: codes. Only files are read:
    neither engine nor Asterisk has to run.

    Exit codes: 0 listed, 1 the flow is not in order, 2 there is no such flow.
    """  # noqa: D301 - \b keeps the lines apart in --help
    try:
        listed = code_list(find_flow(flow, read_settings()))
    except (FlowError, SettingsError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    if form == "json":
        click.echo(json.dumps(_as_json(listed), ensure_ascii=False, indent=2))
    elif form == "html":
        click.echo(code_page(listed))
    else:
        _show(listed)


def _show(listed: CodeList) -> None:
    if listed.codes:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("code", no_wrap=True)
        table.add_column("when, or what it does", overflow="fold")
        table.add_column("begins with", overflow="fold")
        table.add_column("name", overflow="fold")
        for one in listed.codes:
            table.add_row(*(Text(cell) for cell in (one.code, one.does, one.begins, one.name)))
        show(table, width=_WIDTH)
    else:
        click.echo(f"the flow {listed.flow} has no codes; they are written under agents: codes")
    click.echo(f"The telephone's own hold key, in a talk: {listed.hold}.")
    dialled = ", ".join(f"{code} {does}" for code, does in TELEPHONE_CODES.items())
    click.echo(f"With no call on, whatever the flow: {dialled}. One tone: done. Three: not possible.")


def _as_json(listed: CodeList) -> dict[str, Any]:
    return {
        "flow": listed.flow,
        "title": listed.title,
        "numbers": list(listed.numbers),
        "codes": [
            {
                "code": one.code,
                "orders": one.orders,
                "name": one.name,
                "does": one.does,
                "says": one.says or None,
                "task": one.task or None,
            }
            for one in listed.codes
        ],
        "hold": listed.hold_situation or None,
        "telephone": dict(TELEPHONE_CODES),
    }
