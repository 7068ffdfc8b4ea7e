"""`make scenarios`: what it hands to `ivrflow scenario run`, and what the engine and the run know of the PBX."""

import asyncio
import signal
import sys

import pytest

from tools import scenarios
from tools.scenarios import MOST_LANES, arguments, lanes_for

OURS = ["--on", "both", "--html", ".ivrflow/scenarios/report", "--junit", ".ivrflow/scenarios/junit.xml"]


def test_everything_is_played_on_both_stages_with_a_report() -> None:
    assert arguments([]) == ["scenarios", *OURS]


def test_what_is_given_comes_last_and_so_wins() -> None:
    assert arguments(["--on", "pbx", "--rule", "silent_call"]) == [
        "scenarios",
        *OURS,
        "--on",
        "pbx",
        "--rule",
        "silent_call",
    ]


def test_named_scenarios_take_the_place_of_all() -> None:
    assert arguments(["scenarios/gov12345/keys", "--junit", "scenarios"]) == [
        *OURS,
        "scenarios/gov12345/keys",
        "--junit",
        "scenarios",
    ]


def test_as_many_pbxs_as_are_worth_their_while() -> None:
    assert lanes_for([]) == MOST_LANES
    assert lanes_for(["--on", "simulator"]) == 1
    one = "scenarios/gov12345/hang_ups/01_greeting.yaml"
    assert lanes_for([one]) == 1
    assert 1 < lanes_for([one, "--repeat", "10"]) < MOST_LANES


async def test_who_stops_us_stops_the_run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """A terminal's Ctrl-C, or a CI server's SIGTERM, reaches the run as SIGINT; its exit code is ours."""
    stand_in = (
        "import signal, sys\n"
        "def stop(*_):\n"
        "    sys.exit(130)\n"
        "signal.signal(signal.SIGINT, stop)\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    monkeypatch.setattr(scenarios, "COMMAND", (sys.executable, "-c", stand_in))
    running = asyncio.create_task(scenarios._run(["scenarios"], {}))
    said = ""
    while "ready" not in said:
        await asyncio.sleep(0.01)
        said += capfd.readouterr().out
    signal.raise_signal(signal.SIGTERM)
    assert await running == 130
