"""`ivrflow scenario run` from the outside: what it prints and writes, its exit codes, and Ctrl-C."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result
from little_pbx import LittlePbx
from loopback_phones import eventually
from made_results import an_observation

from ivrflow.cli import main
from ivrflow.scenario.observation import Heard, Observation, PhoneSide
from ivrflow.scenario.pbx import pbx_stage
from ivrflow.scenario.pbx.pbx_stage import StageWishes
from ivrflow.scenario.pbx.transcribing import Transcriber
from ivrflow.scenario.run import run_command
from ivrflow.scenario.script import Scenario
from ivrflow.settings import SettingsError
from ivrflow.softphone.call import Call, PhoneError, Unreachable
from tools.places import CHECKOUT, PROMPTS

SILENT = """\
scenario: a silent caller meets the whole ladder
flow: gov12345
proves: silent_call
caller:
  - hear: greeting_inbound.standard
  - pause: as the rule says
  - hear: silent_call.connected
  - pause: as the rule says
  - hear: silent_call.change_phone
expect: {hung_up_first: ivrflow}
"""
LENGTHY = SILENT.replace("expect: {hung_up_first: ivrflow}", "expect: {lasts: 100s-120s}").replace(
    "proves: silent_call\n", ""
)

Plays = Callable[[Scenario], Observation]


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVRFLOW_FLOWS", str(CHECKOUT / "callflows"))
    monkeypatch.setenv("IVRFLOW_MASTERS", str(CHECKOUT / "prompts"))
    Path("silent.yaml").write_text(SILENT)
    Path("lengthy.yaml").write_text(LENGTHY)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["scenario", "run", *arguments])


@pytest.fixture
def pbx(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Say what the PBX does: how a scenario is played there, and what is left behind."""

    def behaves(
        plays: Plays = lambda _: an_observation(),
        *,
        left_behind: tuple[str, ...] = (),
        opening: Exception | None = None,
        remarks: tuple[str, ...] = (),
    ) -> None:
        class Stage:
            called = "127.0.0.1:15060"

            def __init__(self) -> None:
                self.remarks = remarks

            async def play(self, scenario: Scenario) -> Observation:
                return plays(scenario)

            def needs(self, _scenario: Scenario) -> dict[str, bool]:
                return {}

            async def left_behind(self) -> tuple[str, ...]:
                return left_behind

        @asynccontextmanager
        async def opened(
            _settings: object, _scenarios: object, wishes: StageWishes
        ) -> AsyncIterator[tuple[Stage, ...]]:
            if opening is not None:
                raise opening
            yield tuple(Stage() for _ in range(1 + len(wishes.lanes)))

        monkeypatch.setattr(pbx_stage, "pbx_stages", opened)

    behaves()
    return behaves


@pytest.fixture
def _all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_command, "judge", lambda _scenario, _observation: ((), ()))


# ── on the simulator ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_all_passed_is_0_and_one_line() -> None:
    done = run("silent.yaml", "--on", "simulator")
    assert done.exit_code == 0
    (line,) = done.stdout.splitlines()
    assert line.startswith("1 passed on the simulator; ")


def test_one_failed_is_1_and_says_where_what_was_expected_and_observed() -> None:
    done = run(".", "--on", "simulator")
    assert done.exit_code == 1
    assert "FAILED  a silent caller meets the whole ladder (on the simulator)" in done.stdout
    assert "    lengthy.yaml:9: expect: {lasts: 100s-120s}" in done.stdout
    assert "expected" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 passed, 1 failed on the simulator; ")


def test_only_the_scenarios_of_one_rule_are_played() -> None:
    assert run(".", "--on", "simulator", "--rule", "silent_call").exit_code == 0


def test_each_is_repeated_as_asked() -> None:
    done = run("silent.yaml", "--on", "simulator", "--repeat", "20")
    assert done.stdout.startswith("20 passed on the simulator; ")


def test_json_is_one_object_on_stdout_and_nothing_else() -> None:
    done = run(".", "--on", "simulator", "--format", "json")
    assert done.exit_code == 1
    data = json.loads(done.stdout)
    assert [(one["file"], one["result"]) for one in data["results"]] == [
        ("lengthy.yaml", "failed"),
        ("silent.yaml", "passed"),
    ]


def test_the_junit_file_is_written_with_its_folder() -> None:
    assert run(".", "--on", "simulator", "--junit", "out/junit.xml").exit_code == 1
    suites = ET.fromstring(Path("out/junit.xml").read_bytes())
    assert [suites.get(name) for name in ("tests", "failures", "errors")] == ["2", "1", "0"]


def test_the_pages_are_written_and_named() -> None:
    done = run("silent.yaml", "--on", "simulator", "--html", "report")
    assert done.exit_code == 0
    assert "report: report/index.html" in done.stderr
    assert "a silent caller meets the whole ladder" in Path("report/index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("option", ["--html", "--junit"])
def test_where_nothing_can_be_written_nothing_is_played(option: str) -> None:
    Path("taken").write_text("")
    done = run("silent.yaml", "--on", "simulator", option, "taken/inside/file")
    assert done.exit_code == 2
    assert "cannot be made" in done.stderr
    assert done.stdout == ""


def test_a_file_that_cannot_be_written_in_the_end_does_not_cost_the_results(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_page: object, *_: object, **__: object) -> Path:
        raise OSError(28, "No space left on device", "report/index.html")

    monkeypatch.setattr(run_command, "write_report", full)
    done = run("silent.yaml", "--on", "simulator", "--html", "report")
    assert done.exit_code == 2
    assert done.stdout.startswith("1 passed on the simulator; ")
    assert done.stderr.splitlines()[-1] == "error: report/index.html: No space left on device"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument 'PATH...'"),
        (("nowhere.yaml",), "there is no file or folder nowhere.yaml"),
        (("silent.yaml", "--jobs", "0"), "--jobs"),
        (("silent.yaml", "--rule", "silence"), "no scenario proves a rule 'silence'"),
        (("silent.yaml", "--on", "paper"), "--on"),
    ],
)
def test_wrong_usage_is_2(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_what_can_be_played_nowhere_here_is_2() -> None:
    Path("silent.yaml").write_text(f'{SILENT}on: simulator\nwhy: "no telephone can be deaf"\n')
    done = run("silent.yaml")
    assert done.exit_code == 2
    assert "none of these scenarios can be played on the pbx" in done.stderr


# ── on the PBX ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("_all_is_well", "pbx")
def test_without_a_word_it_is_the_pbx_and_each_call_gets_a_line_while_it_goes() -> None:
    done = run("silent.yaml")
    assert done.exit_code == 0
    assert done.stdout.startswith("1 passed on the PBX; ")
    assert "passed  pbx" in done.stderr


@pytest.mark.usefixtures("_all_is_well", "pbx")
def test_both_stages_first_the_quick_one() -> None:
    done = run("silent.yaml", "--on", "both")
    assert done.stdout.startswith("1 passed on the simulator; 1 passed on the PBX; ")
    assert done.stderr.index("simulator: 1 passed") < done.stderr.index("passed  pbx")


@pytest.mark.usefixtures("_all_is_well", "pbx")
def test_what_is_only_for_the_simulator_is_not_run_and_says_why() -> None:
    Path("deaf.yaml").write_text(f'{SILENT}on: simulator\nwhy: "no telephone can be deaf"\n')
    done = run("silent.yaml", "deaf.yaml")
    assert done.exit_code == 0
    assert "not run: 1 × only on the simulator: no telephone can be deaf" in done.stdout


@pytest.mark.usefixtures("_all_is_well")
def test_on_several_pbxs_every_scenario_is_played_once_and_each_pbx_is_looked_at(pbx: Callable[..., None]) -> None:
    played: list[str] = []

    def plays(scenario: Scenario) -> Observation:
        played.append(scenario.file)
        return an_observation()

    pbx(plays, left_behind=("a channel",), remarks=("nobody knows the music",))
    Path("second.env").write_text("PBX_SIP_PORT=15070\n")
    done = run("silent.yaml", "lengthy.yaml", "--lane", "second.env", "--format", "json")
    told = json.loads(done.stdout)
    assert sorted(played) == ["lengthy.yaml", "silent.yaml"]
    assert told["called"] == "127.0.0.1:15060, 127.0.0.1:15060"
    assert told["left_behind"] == ["a channel", "a channel"]
    assert told["remarks"] == ["nobody knows the music"]


@pytest.mark.usefixtures("_all_is_well")
def test_what_is_left_behind_fails_the_run(pbx: Callable[..., None]) -> None:
    pbx(left_behind=("the PBX's channel PJSIP/caller-00000001",))
    done = run("silent.yaml", "--junit", "junit.xml")
    assert done.exit_code == 1
    assert "FAILED  left behind: the PBX's channel PJSIP/caller-00000001" in done.stdout
    assert ET.fromstring(Path("junit.xml").read_bytes()).get("failures") == "1"


@pytest.mark.usefixtures("_all_is_well")
def test_what_cannot_be_looked_at_is_said_once_on_stderr(pbx: Callable[..., None]) -> None:
    pbx(remarks=("there is no journal: there are no verdicts",))
    done = run(".")
    assert done.stderr.count("note: there is no journal: there are no verdicts") == 1
    assert "journal" not in done.stdout


@pytest.mark.parametrize("opening", [PhoneError("nothing answers SIP"), SettingsError("nothing answers SIP")])
def test_a_pbx_that_is_not_there_is_one_sentence_and_2(pbx: Callable[..., None], opening: Exception) -> None:
    pbx(opening=opening)
    done = run(".", "--junit", "junit.xml")
    assert done.exit_code == 2
    assert done.stderr.splitlines() == ["error: nothing answers SIP"]
    assert done.stdout == ""
    assert ET.fromstring(Path("junit.xml").read_bytes()).get("failures") == "1", "and no green file for CI"


@pytest.mark.usefixtures("_all_is_well")
def test_a_pbx_that_goes_away_keeps_what_was_finished(pbx: Callable[..., None]) -> None:
    plays = 0

    def goes(_scenario: Scenario) -> Observation:
        nonlocal plays
        plays += 1
        if plays > 1:
            raise Unreachable("nothing answers SIP at the server's address")
        return an_observation()

    pbx(goes)
    done = run("silent.yaml", "--repeat", "50", "--jobs", "1")
    assert done.exit_code == 2
    assert done.stdout.splitlines()[-1].startswith("1 passed, 2 failed on the PBX; ")
    assert "error: the PBX has gone" in done.stderr


def test_a_fault_of_ours_is_shown_in_full_and_fails_one_scenario(pbx: Callable[..., None]) -> None:
    def breaks(_scenario: Scenario) -> Observation:
        raise ZeroDivisionError("of the phone")

    pbx(breaks)
    done = run("silent.yaml")
    assert done.exit_code == 1
    assert "this is a fault in ivrflow, not in the scenario: ZeroDivisionError" in done.stdout
    assert "ZeroDivisionError: of the phone" in done.stderr


# ── sound ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def with_sound(tmp_path: Path) -> Plays:
    def plays(_scenario: Scenario) -> Observation:
        left = tmp_path / "call.flac"
        left.write_bytes(b"sound")
        return Observation("pbx", PhoneSide("caller", answered_at=0.0, ended_at=1.0, ended_by="peer", audio=left))

    return plays


@pytest.mark.usefixtures("_all_is_well")
def test_the_sound_of_what_passed_is_kept_when_asked_for(pbx: Callable[..., None], tmp_path: Path) -> None:
    pbx(with_sound(tmp_path))
    assert run("silent.yaml", "--keep-audio").exit_code == 0
    assert [path.name for path in Path(".ivrflow/scenarios/audio").iterdir()] == ["silent.pbx.caller.flac"]


@pytest.mark.usefixtures("_all_is_well")
def test_otherwise_it_is_not(pbx: Callable[..., None], tmp_path: Path) -> None:
    pbx(with_sound(tmp_path))
    assert run("silent.yaml", "--html", "report").exit_code == 0
    assert not Path("report/audio").exists()


def test_the_sound_of_a_failure_lies_beside_its_page(pbx: Callable[..., None], tmp_path: Path) -> None:
    pbx(with_sound(tmp_path))
    assert run("silent.yaml", "--html", "report").exit_code == 1
    assert [path.name for path in Path("report/audio").iterdir()] == ["silent.pbx.caller.flac"]


# ── transcripts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def speaking(tmp_path: Path) -> Plays:
    def plays(_scenario: Scenario) -> Observation:
        left = tmp_path / "call.flac"
        soundfile.write(left, np.full((8000, 2), 1000, np.int16), 8000)
        heard = (Heard("phrase", "gov12345/greeting_inbound.standard", 0.1, 0.9),)
        caller = PhoneSide("caller", answered_at=0.0, ended_at=1.0, ended_by="peer", heard=heard, audio=left)
        return Observation("pbx", caller)

    return plays


@pytest.mark.usefixtures("_all_is_well")
@pytest.mark.parametrize(
    ("understood", "arguments", "code", "said"),
    [
        ("您好,政府热线,请问有什么可以帮到您", (), 0, "1 passed"),
        ("祝您生活愉快", (), 0, "worth a word"),
        ("祝您生活愉快", ("--strict",), 1, "a speech recogniser understood “祝您生活愉快”"),
    ],
)
def test_what_was_understood_is_held_against_what_should_be_said(
    pbx: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    understood: str,
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    pbx(speaking(tmp_path))
    monkeypatch.setattr(run_command, "_transcriber", lambda: Transcriber(lambda _: understood))
    done = run("silent.yaml", "--asr", *arguments)
    assert done.exit_code == code, done.stdout
    assert said in done.stdout
    assert not Path(".ivrflow/scenarios/audio").exists(), "it was heard, and is not kept"


def test_without_a_recogniser_nothing_is_played(pbx: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    pbx(opening=AssertionError("no call may be placed"))

    def missing() -> Transcriber:
        raise SettingsError("--asr needs the speech recogniser; install it")

    monkeypatch.setattr(run_command, "_transcriber", missing)
    done = run("silent.yaml", "--asr")
    assert done.exit_code == 2
    assert "--asr needs the speech recogniser" in done.stderr


def test_on_the_simulator_there_is_nothing_to_understand() -> None:
    done = run("silent.yaml", "--asr", "--on", "simulator")
    assert done.exit_code == 2
    assert "there is nothing to hear on the simulator" in done.stderr


# ── stopped ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def answered(little: LittlePbx) -> Call:
    """The next call, however long a process takes to start on a busy machine."""
    while True:
        with suppress(PhoneError):
            return await little.answered()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_stopped_it_hangs_up_tells_what_was_finished_and_ends(number: signal.Signals, tmp_path: Path) -> None:
    """A process of its own, with real phones that call something which only takes itself for a PBX."""
    async with LittlePbx() as little:
        host, port = little.accounts.server
        inherited = {name: text for name, text in os.environ.items() if not name.startswith(("IVRFLOW_", "PBX_"))}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ivrflow", "scenario", "run", "silent.yaml", "--repeat", "3", "--html", "report"),
            cwd=tmp_path,
            env={
                **inherited,
                "IVRFLOW_FLOWS": str(CHECKOUT / "callflows"),
                "IVRFLOW_MASTERS": str(CHECKOUT / "prompts"),
                "IVRFLOW_PROMPTS_DIR": str(PROMPTS),
                "PBX_SIP_BIND": host,
                "PBX_SIP_PORT": str(port),
                "PBX_PASSWORD_CALLER": "c",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            calls = [await answered(little) for _ in range(3)]
            process.send_signal(number)
            told, errors = await process.communicate()
        assert process.returncode == 130, errors.decode()
        assert told.decode().splitlines()[-1].startswith("nothing was played; ")
        assert told.decode().splitlines()[-1].endswith("; stopped before the end")
        assert b"Traceback" not in errors
        await eventually(lambda: all(call.end is not None for call in calls))
        assert little.live == 0
