"""`make scenarios`: what it hands to `ivrflow scenario run`, and what the engine and the run know of the PBX."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from ivrflow.scenario.pbx.sip_access import sip_access
from ivrflow.settings import read_settings
from tools import scenarios
from tools.pbx import PbxSettings
from tools.scenarios import arguments, environment

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


def test_the_run_finds_this_pbx_and_its_passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = PbxSettings.from_environment({}).on_free_ports(calls=4)
    known = environment(settings, tmp_path / "journal.sqlite")
    access = sip_access(None, "caller", ["1000", "1001"], environ=known)
    assert access.accounts.server == (settings.sip_bind, settings.sip_port)
    assert access.accounts.passwords["1001"] == settings.password("1001")
    read = read_settings(known)
    assert (read.ami_port, read.agi_port, read.test_calls) == (settings.ami_port, settings.agi_port, True)
    assert read.journal == f"sqlite:///{tmp_path}/journal.sqlite"


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
