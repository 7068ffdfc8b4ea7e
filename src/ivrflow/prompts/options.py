"""What the commands of `ivrflow prompts` have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ivrflow.flow.problems import FlowError
from ivrflow.settings import Settings, SettingsError, read_settings, variable


@contextmanager
def problems_reported() -> Iterator[None]:
    """What an author or operator can mend becomes a message and exit code 1."""
    try:
        yield
    except (FlowError, SettingsError) as error:
        raise click.ClickException(str(error)) from error


def setting(read: Callable[[Settings], Path]) -> Callable[[click.Context, click.Parameter, Path | None], Path]:
    """The folder given as an option, else the one every other command uses."""

    def chosen(_context: click.Context, _parameter: click.Parameter, given: Path | None) -> Path:
        if given is not None:
            return given
        with problems_reported():
            return read(read_settings())

    return chosen


FOLDER = click.Path(file_okay=False, path_type=Path)
masters_option = click.option(
    "--masters",
    type=FOLDER,
    callback=setting(lambda settings: settings.masters),
    show_default=f"{variable('masters')}: prompts",
    help="Folder with the recordings.",
)
