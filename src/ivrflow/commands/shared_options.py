"""Options that several commands have, in the same words everywhere."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import Any, Literal, TypeAlias, TypeVar

import click

Form: TypeAlias = Literal["text", "json"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def format_option(command: _Command) -> _Command:
    """`--format text|json`."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="For people, or for programs.",
    )(command)


def by_option(command: _Command) -> _Command:
    """`--by NAME`; None when not given, see `login_name`."""
    return click.option("--by", metavar="NAME", default=None, help="Whose word that is.  [default: your login name]")(
        command
    )


def login_name() -> str:
    """Who runs this command; "somebody" where the system does not know."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
