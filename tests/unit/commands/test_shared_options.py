import getpass

import click
import pytest
from click.testing import CliRunner

from ivrflow.commands.shared_options import Form, by_option, format_option, login_name


@click.command()
@format_option
@by_option
def told(form: Form, by: str | None) -> None:
    click.echo(f"{form} {by}")


@pytest.mark.parametrize(
    ("options", "said"),
    [([], "text None"), (["--format", "json", "--by", "Li"], "json Li")],
)
def test_options_of_several_commands(options: list[str], said: str) -> None:
    assert CliRunner().invoke(told, options).stdout == f"{said}\n"


def test_a_format_nobody_knows() -> None:
    assert CliRunner().invoke(told, ["--format", "xml"]).exit_code == 2


def test_who_runs_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "li")
    assert login_name() == "li"


def test_the_system_may_not_know_who_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError(4711)

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert login_name() == "somebody"
