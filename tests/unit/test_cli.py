"""The command line as a whole: every command is there, teaches, and refuses wrong usage with exit code 2."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ivrflow.cli import main

COMMANDS = (
    "check",
    "try",
    "draw",
    "explain",
    "schema",
    "serve",
    "reload",
    "doctor",
    "call",
    "live",
    "play",
    "cancel",
    "done",
    "signal",
    "transfer",
    "agents",
    "calls",
    "trace",
    "promises",
    "callbacks",
    "recordings",
    "messages",
    "report",
    "replay",
    "scenario",
    "standards",
    "prompts",
)


def test_help_lists_every_command_with_one_line_each() -> None:
    shown = CliRunner().invoke(main, ["--help"])
    assert shown.exit_code == 0
    assert isinstance(main, click.Group)
    assert tuple(main.list_commands(click.Context(main))) == COMMANDS
    for command in COMMANDS:
        assert f"\n  {command} " in shown.output
    assert "First steps" in shown.output


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_of_its_own(command: str) -> None:
    shown = CliRunner().invoke(main, [command, "--help"])
    assert shown.exit_code == 0
    assert "Usage:" in shown.output
    assert "\x08" not in shown.output, "a layout mark must not reach the reader"


@pytest.mark.parametrize("arguments", [["nonsense"], ["check", "--nonsense"], ["trace"], ["calls", "--format", "xml"]])
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, arguments).exit_code == 2


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_no_color_takes_the_colours_away(tmp_path: Path, no_color: str, coloured: bool) -> None:
    (tmp_path / "empty.yaml").touch()
    on_a_terminal = CliRunner(env={"NO_COLOR": no_color}).invoke(
        main, ["check", str(tmp_path / "empty.yaml")], color=True
    )
    assert on_a_terminal.exit_code == 1
    assert ("\x1b[" in on_a_terminal.output) == coloured


def test_help_does_not_import_what_only_one_command_needs() -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from ivrflow.cli import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        "print([name for name in ('numpy', 'sqlalchemy', 'statemachine') if name in sys.modules])\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


def test_python_dash_m_is_the_same_program() -> None:
    said = subprocess.run([sys.executable, "-m", "ivrflow", "--version"], capture_output=True, text=True, check=True)
    assert "version" in said.stdout
