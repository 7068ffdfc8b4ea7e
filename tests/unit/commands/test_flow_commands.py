import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivrflow.cli import main

CASES = Path(__file__).parents[2] / "problems"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(CASES)
    monkeypatch.setenv("IVRFLOW_FLOWS", "flows")
    return CliRunner()


def check(run: CliRunner, *arguments: str) -> Result:
    return run.invoke(main, ["check", "--no-prompts", *arguments])


def test_a_flow_in_order_ends_with_0(run: CliRunner) -> None:
    result = check(run, "flows/nothing_wrong.yaml")

    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "1 flow, 6 rules, 16 phrases: in order"


def test_what_is_proven_of_a_flow_in_order_is_told(run: CliRunner) -> None:
    lines = check(run, "flows/nothing_wrong.yaml").stdout.splitlines()

    assert lines[0] == "hotline"
    assert lines[1].startswith("  no dead ends  6 steps with 15 ways on")
    assert lines[4] == "  silence       at most 14s; 5m13s while an agent works"
    assert lines[5].startswith("  to a person   at most 1m58s, then 1001 rings; some wordings are not recorded")


def test_the_reasoning_is_told_step_by_step(run: CliRunner) -> None:
    told = check(run, "--proof", "flows/nothing_wrong.yaml").stdout

    assert "    14s while nobody works for the caller\n" in told
    assert "4s  situation silent: waits 4s  flows/standards/tiny.yaml:28:9\n" in told
    assert "number: 11 gaps of 4s between digits, the last one at the last moment, 44s" in told
    assert "agent: 1001 rings\n" in told
    assert "needs the caller and agent; a round takes at most" in told


def test_proofs_for_machines(run: CliRunner) -> None:
    data = json.loads(check(run, "--proof", "--format", "json", "flows/nothing_wrong.yaml").stdout)

    (proof,) = data["proofs"]
    assert data["problems"] == []
    assert (proof["flow"], proof["holds"], proof["silence"]["seconds"], proof["silence"]["bound"]) == (
        "hotline", True, 14, None,
    )  # fmt: skip
    assert proof["to_human"][0]["path"][-1] == {
        "step": "agent",
        "word": "1001 rings",
        "legs": [{"what": "says house/connecting", "seconds": 1.1, "where": "flows/nothing_wrong.yaml:36:3"}],
    }


def test_of_a_flow_with_problems_nothing_is_proven(run: CliRunner) -> None:
    assert "no dead ends" not in check(run, "flows/bounds_exceeded.yaml").stdout


def test_warnings_end_with_0(run: CliRunner) -> None:
    result = check(run, "flows/talk_outlasts_call.yaml")

    assert result.exit_code == 0
    assert result.stdout.endswith("1 flow, 6 rules, 16 phrases: 1 warning\n")


def test_problems_end_with_1_and_read_as_expected(run: CliRunner) -> None:
    result = check(run, "flows/everything_at_once.yaml")

    expected = (CASES / "flows" / "everything_at_once.txt").read_text(encoding="utf-8")
    assert result.exit_code == 1
    assert result.stdout == expected + "1 flow, 6 rules, 16 phrases: 20 problems\n"
    assert result.stderr == ""


def test_json_for_editors(run: CliRunner) -> None:
    result = check(run, "--format", "json", "flows/unknown_standard.yaml", "flows/hours_covered.yaml")

    assert result.exit_code == 1
    problems = json.loads(result.stdout)
    assert {
        "file": "flows/unknown_standard.yaml",
        "line": 3,
        "column": 11,
        "severity": "error",
        "message": "there is no standard 'tinny'",
        "hint": "did you mean 'tiny'?",
    } in problems
    assert "warning" in {problem["severity"] for problem in problems}


def test_the_taboo_of_every_standard_counts_on_request(run: CliRunner) -> None:
    file = "lint/oufei_everything.yaml"

    assert "china_mobile taboo arrogance" not in check(run, file).stdout
    assert "which another standard forbids: china_mobile taboo arrogance" in check(run, "--taboo", "all", file).stdout
    assert check(run, "--taboo", "none", file).exit_code == 2


def test_nothing_wrong_is_an_empty_list(run: CliRunner) -> None:
    result = check(run, "--format", "json", "flows/nothing_wrong.yaml")

    assert (result.exit_code, json.loads(result.stdout)) == (0, [])


def test_colours_only_where_they_are_shown(run: CliRunner) -> None:
    plain = check(run, "flows/tags.yaml")
    coloured = run.invoke(main, ["check", "--no-prompts", "flows/tags.yaml"], color=True)

    assert "\x1b[" not in plain.stdout
    assert "\x1b[31m" in coloured.stdout


def test_the_folder_of_the_settings_is_the_default(run: CliRunner) -> None:
    result = check(run)

    assert result.exit_code == 1
    assert "flows/tabs.yaml:10:1: a tab in the indentation" in result.stdout


@pytest.mark.parametrize("arguments", [["nowhere.yaml"], ["--format", "xml"], ["--unknown"]])
def test_wrong_usage_ends_with_2(run: CliRunner, arguments: list[str]) -> None:
    assert check(run, *arguments).exit_code == 2


def test_a_folder_without_flows_is_wrong_usage(run: CliRunner, tmp_path: Path) -> None:
    result = check(run, str(tmp_path))

    assert result.exit_code == 2
    assert "holds no call flow" in result.stderr


def test_phrases_without_a_recording_are_problems(
    run: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IVRFLOW_MASTERS", str(tmp_path))

    result = run.invoke(main, ["check", "flows/nothing_wrong.yaml"])

    assert result.exit_code == 1
    assert "flows/nothing_wrong.yaml:11:14: there is no recording of 'tiny/hello'" in result.stdout


def test_a_flow_is_drawn_by_its_file(run: CliRunner) -> None:
    result = run.invoke(main, ["draw", "flows/nothing_wrong.yaml"])

    assert result.exit_code == 0
    assert result.stdout.startswith('---\ntitle: "Hotline"\n---\nflowchart TD\n')


def test_a_flow_is_drawn_by_its_name(run: CliRunner) -> None:
    assert (
        run.invoke(main, ["draw", "nothing_wrong"]).stdout
        == run.invoke(main, ["draw", "flows/nothing_wrong.yaml"]).stdout
    )


def test_a_broken_flow_is_told_not_drawn(run: CliRunner) -> None:
    result = run.invoke(main, ["draw", "flows/tags.yaml"])

    assert (result.exit_code, result.stdout) == (1, "")
    assert "tags like" in result.stderr


def test_a_standard_cannot_be_drawn(run: CliRunner) -> None:
    result = run.invoke(main, ["draw", "flows/standards/tiny.yaml"])

    assert (result.exit_code, result.stdout) == (1, "")
    assert "holds no call flow" in result.stderr


def test_an_unknown_flow_is_wrong_usage(run: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVRFLOW_FLOWS", str(CASES.parents[1] / "callflows"))

    result = run.invoke(main, ["draw", "gov1234"])

    assert result.exit_code == 2
    assert "did you mean 'gov12345'?" in result.stderr


def test_a_broken_holiday_file_is_listed_and_ends_with_1(run: CliRunner, tmp_path: Path) -> None:
    folder = CASES.parent / "calls" / "calendar" / "flows"
    shutil.copytree(folder, tmp_path / "flows")
    holidays = tmp_path / "flows" / "holidays.yaml"
    holidays.write_text("until: 2027-02-30\nreason: r\ndays_off: [{on: tomorrow}]\n", encoding="utf-8")

    result = check(run, str(tmp_path / "flows"))

    assert result.exit_code == 1
    assert f"{holidays}:1:8: there is no 2027-02-30\n" in result.stdout
    assert f"{holidays}:3:17: 'tomorrow' is no date\n" in result.stdout
    assert "the holiday file is not used" not in result.stdout  # that is for those who cannot see its problems


def test_a_year_nobody_knows_is_a_warning(run: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivrflow.calendar_notices._today", lambda _zone: date(2095, 1, 1))

    result = check(run, str(CASES.parent / "calls" / "calendar" / "flows" / "clinic.yaml"))

    assert result.exit_code == 0
    assert "nobody knows the public holidays of 2095 yet, and clinic asks for them" in result.stdout
