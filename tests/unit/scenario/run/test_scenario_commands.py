"""`ivrflow scenario new`, `list` and `record`, as a tester types them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivrflow.cli import main
from ivrflow.flow_files import load_flows
from ivrflow.runtime.journal import Journal
from ivrflow.simulator.call_file import USUAL_TIME, place_call, play
from ivrflow.simulator.caller_commands import Bare, Press, Stay
from tools.places import CHECKOUT

FLOWS, MASTERS = CHECKOUT / "callflows", CHECKOUT / "prompts"

SILENT = """\
# A caller who never says a word.
scenario: a silent caller meets the whole ladder
flow: gov12345
at: 2026-11-20T10:00
proves: silent_call
caller:
  - hear: greeting_inbound.standard
  - pause: as the rule says
  - hear: silent_call.connected
  - pause: as the rule says
  - hear: silent_call.change_phone
expect: {hung_up_first: ivrflow, outcome: hung_up, verdicts: {silent_call: kept}}
"""


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVRFLOW_FLOWS", str(FLOWS))
    monkeypatch.setenv("IVRFLOW_MASTERS", str(MASTERS))
    monkeypatch.setenv("IVRFLOW_JOURNAL", f"sqlite:///{tmp_path}/journal.sqlite")


def scenario(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["scenario", *arguments])


@pytest.mark.parametrize("command", ["run", "new", "record", "list"])
def test_every_command_teaches(command: str) -> None:
    shown = scenario(command, "--help")
    assert shown.exit_code == 0
    assert f"  ivrflow scenario {command}" in shown.output, "an example"


# ── new ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_starter_can_be_played_as_it_is() -> None:
    written = scenario("new", "first.yaml")
    assert written.exit_code == 0
    assert "ivrflow scenario run first.yaml --on simulator" in written.stderr
    assert scenario("run", "first.yaml", "--on", "simulator").exit_code == 0


def test_without_a_file_the_starter_is_printed() -> None:
    shown = scenario("new", "--flow", "gov12345")
    assert shown.exit_code == 0
    assert "\nflow: gov12345" in shown.stdout
    assert list(Path().iterdir()) == []


def test_a_file_that_is_there_is_left_alone() -> None:
    Path("mine.yaml").write_text("work of a week\n")
    refused = scenario("new", "mine.yaml")
    assert refused.exit_code == 2
    assert "mine.yaml is there already and was left alone" in refused.stderr
    assert Path("mine.yaml").read_text() == "work of a week\n"


def test_a_file_that_cannot_be_written_says_why() -> None:
    refused = scenario("new", "no/such/folder.yaml")
    assert refused.exit_code == 2
    assert "was not written: No such file or directory" in refused.stderr


def test_a_flow_nobody_knows_gets_a_hint() -> None:
    refused = scenario("new", "--flow", "gov1234")
    assert refused.exit_code == 2
    assert "did you mean 'gov12345'?" in refused.stderr


# ── list ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_scenarios_are_listed_with_what_they_prove_and_what_nobody_proves() -> None:
    Path("silent.yaml").write_text(SILENT)
    shown = scenario("list", "silent.yaml")
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[:2] == ["silent.yaml: a silent caller meets the whole ladder", "    proves gov12345/silent_call"]
    assert lines[-2] == "1 scenarios"
    assert lines[-1].startswith("1 of 49 rules of gov12345 are proven; not: ")
    assert "silent_call" not in lines[-1].split(", ")


def test_the_list_for_programs() -> None:
    Path("silent.yaml").write_text(SILENT)
    (one,) = json.loads(scenario("list", "silent.yaml", "--format", "json").stdout)
    assert (one["file"], one["proves"], one["stages"]) == (
        "silent.yaml",
        ["gov12345/silent_call"],
        ["simulator", "pbx"],
    )


@pytest.mark.parametrize("rule", ["silent_call", "gov12345/silent_call"])
def test_the_list_can_be_of_one_rule(rule: str) -> None:
    Path("silent.yaml").write_text(SILENT)
    Path("other.yaml").write_text(SILENT.replace("proves: silent_call\n", ""))
    shown = scenario("list", ".", "--rule", rule)
    assert "silent.yaml" in shown.stdout
    assert "other.yaml" not in shown.stdout


def test_a_rule_that_nobody_proves_is_refused_with_a_hint() -> None:
    Path("silent.yaml").write_text(SILENT)
    refused = scenario("list", "silent.yaml", "--rule", "silent_cal")
    assert refused.exit_code == 2
    assert "no scenario proves a rule 'silent_cal'; did you mean 'silent_call'?" in refused.stderr


def test_every_problem_of_every_file_is_told_at_once() -> None:
    Path("one.yaml").write_text(SILENT.replace("hear: silent_call.connected", "hear: silent_call.conected"))
    Path("two.yaml").write_text(SILENT.replace("flow: gov12345", "flow: nobody"))
    for command in ("list", "run"):
        refused = scenario(command, "one.yaml", "two.yaml")
        assert refused.exit_code == 2
        assert "one.yaml:9:" in refused.stderr
        assert "two.yaml:3:" in refused.stderr
        assert refused.stdout == ""


# ── record ────────────────────────────────────────────────────────────────────────────────────────────────────────────


KEYED = "8642097"


@pytest.fixture
def _journal(tmp_path: Path) -> None:
    """A caller presses 2, types a number, and hangs up."""
    flow = load_flows([FLOWS])["gov12345"]
    call = place_call(flow, USUAL_TIME)
    play(call, [Stay(5.0), Press("2"), Stay(8.0), Press(f"{KEYED}#"), Stay(2.0), Bare.HANG_UP])
    journal = Journal(f"sqlite:///{tmp_path}/journal.sqlite")
    journal.open()
    record = journal.call_arrived("pbx-1.0", flow, 1_790_000_000.0)
    for happening in call.record:
        record.handled(happening.at, happening.event, happening.actions)
    record.over(call.session.outcome, call.session.first_to_hang_up, call.session.trace, call.session.verdicts)
    journal.close()


@pytest.mark.usefixtures("_journal")
def test_a_recorded_call_can_be_played() -> None:
    assert scenario("record", "last", "-o", "again.yaml", "--show-personal").exit_code == 0
    assert KEYED in Path("again.yaml").read_text()
    played = scenario("run", "again.yaml", "--on", "simulator")
    assert (played.exit_code, played.stdout) == (0, played.stdout)


@pytest.mark.usefixtures("_journal")
def test_keys_stay_masked_unless_they_are_asked_for() -> None:
    shown = scenario("record", "pbx-1")
    assert shown.exit_code == 0
    assert "flow: gov12345" in shown.stdout
    assert KEYED not in shown.stdout


@pytest.mark.usefixtures("_journal")
def test_a_call_nobody_knows_is_refused() -> None:
    refused = scenario("record", "pbx-2")
    assert refused.exit_code == 2
    assert "no call is called 'pbx-2'; `ivrflow calls` lists them" in refused.stderr


def test_without_a_journal_there_is_nothing_to_record() -> None:
    refused = scenario("record", "last")
    assert refused.exit_code == 2
    assert "journal" in refused.stderr
