"""`ivrflow scenario`: the testers' commands. Each is imported only when asked for."""

from __future__ import annotations

import click

from ivrflow.commands_on_demand import CommandsOnDemand

_COMMANDS = {
    "run": (
        "ivrflow.scenario.run.run_command:run",
        "Play scenarios on the PBX, the simulator, or both, and judge them.",
    ),
    "new": ("ivrflow.scenario.language.file_commands:new", "Write a commented starter to begin with."),
    "record": ("ivrflow.scenario.language.file_commands:record", "Turn a call of the journal into a scenario."),
    "list": (
        "ivrflow.scenario.language.file_commands:list_",
        "List scenarios, and which rules of the standard they prove.",
    ),
    "load": (
        "ivrflow.scenario.load.load_commands:load",
        "Many callers at once: waits, lateness, failures, and a verdict.",
    ),
}


@click.command(cls=CommandsOnDemand, listed=_COMMANDS)
def scenario() -> None:
    """Scenarios: a caller and agents written down, played with real SIP phones, and what was heard proven.

    \b
    First steps:
      ivrflow scenario new first.yaml                          a starter with comments
      ivrflow scenario run first.yaml --on simulator           at once, without a PBX
      make run                                                 a PBX and an engine, in another terminal
      ivrflow scenario run first.yaml --html report            a real call, and a page to look at

    docs/scenarios.md is the guide, docs/scenario-reference.md has every word of a scenario file.
    """  # noqa: D301 - \b keeps the lines apart in --help
