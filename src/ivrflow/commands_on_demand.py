"""Groups of commands that import a command's module when it is used, so that `--help` and completion stay quick."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, TypeAlias

import click

CommandList: TypeAlias = Mapping[str, tuple[str, str]]
"""By name: where the command is ("module:attribute"), and its one line for --help."""


class CommandsOnDemand(click.Group):
    """A group whose commands are only named until one is used.

    Args:
        listed: its commands, in the order in which they are shown.
    """

    def __init__(self, *args: Any, listed: CommandList, **kwargs: Any) -> None:  # noqa: ANN401 - handed on to click
        super().__init__(*args, **kwargs)
        self._listed = listed

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order in which they were given."""
        return list(self._listed)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import the command of that name; None when there is none."""
        if cmd_name not in self._listed:
            return None
        module, _, attribute = self._listed[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Show the one line of each, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in self._listed.items()])
