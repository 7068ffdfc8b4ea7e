import re
from pathlib import Path

import pytest

from ivrflow.simulator.agents import AgentChange
from ivrflow.simulator.caller import Vocabulary, read_command
from ivrflow.simulator.caller_commands import (
    HELP,
    Bare,
    Command,
    GiveSignal,
    LearnValue,
    Press,
    Speak,
    StartSituation,
    Stay,
    TellAgent,
    help_text,
)

KNOWN = Vocabulary({"noise"}, {"understood"}, {"honorific"}, {"1001"})

EVERY_KIND: list[Command] = [
    *Bare,
    Press("12#*AD"),
    Speak(1.5),
    Stay(),
    Stay(0.25),
    StartSituation("noise"),
    GiveSignal("understood"),
    LearnValue("honorific", "老先生 (王)"),
    TellAgent(AgentChange("1001", "answers", 2.0, 3.0, 4.0)),
]


@pytest.mark.parametrize("command", EVERY_KIND, ids=str)
def test_a_command_is_read_back_as_it_is_written(command: Command) -> None:
    assert read_command(str(command), KNOWN) == command


@pytest.mark.parametrize("command", EVERY_KIND, ids=str)
def test_help_tells_of_every_command(command: Command) -> None:
    written = str(command)
    if isinstance(command, Press):
        written = "123#"
    assert written.split()[0] in help_text()


def test_help_fits_on_a_terminal() -> None:
    assert all(len(line) <= 120 for line in help_text().splitlines())
    assert len(help_text().splitlines()) == len(HELP)


def test_the_documents_have_the_same_table() -> None:
    page = (Path(__file__).parents[3] / "docs" / "try.md").read_text(encoding="utf-8")
    for usage, meaning in HELP:
        commands = " ".join(part if part == "(empty)" else f"`{part}`" for part in re.split(r"\s+(?=/)|\s{2,}", usage))
        assert f"| {commands} | {meaning} |" in page
