"""`ivrflow agents codes`: no Asterisk, no engine, only files."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivrflow.cli import main

CASES = Path(__file__).parents[2] / "problems"
FLOWS = CASES.parents[1] / "callflows"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(CASES)
    monkeypatch.setenv("IVRFLOW_FLOWS", str(FLOWS))
    monkeypatch.delenv("IVRFLOW_AMI_SECRET", raising=False)
    return CliRunner()


def codes(run: CliRunner, *arguments: str) -> Result:
    return run.invoke(main, ["agents", "codes", *arguments])


def test_the_list_for_people(run: CliRunner) -> None:
    told = codes(run, "gov12345")
    lines = [" ".join(line.split()) for line in told.stdout.splitlines()]

    assert told.exit_code == 0
    assert "*23 loud noise on the citizen's line “对不起，我听不清您的声音，麻烦您声音大一点，好吗？” noise" in lines
    assert "*80 take the situation back; the call goes on where it was cancel" in lines
    listed = [line[:3] for line in lines if line.startswith("*")]
    assert listed == sorted(listed)
    assert len(listed) == 48
    assert lines[-2].startswith("The telephone's own hold key, in a talk: hold_request, the citizen has to wait")
    assert lines[-1].startswith("With no call on, whatever the flow: *11 log in, *12 log out, *13 pause, *14 ready.")


def test_a_flow_is_named_by_its_file_too(run: CliRunner) -> None:
    assert codes(run, str(FLOWS / "oufei.yaml")).stdout == codes(run, "oufei").stdout


def test_a_list_without_codes(run: CliRunner) -> None:
    told = codes(run, "phone_etiquette")

    assert told.exit_code == 0
    assert told.stdout.startswith("the flow phone_etiquette has no codes; they are written under agents: codes\n")
    assert "*11 log in" in told.stdout


def test_the_list_for_programs(run: CliRunner) -> None:
    told = json.loads(codes(run, "netdisk", "--format", "json").stdout)

    assert (told["flow"], told["hold"], told["telephone"]["*13"]) == ("netdisk", "hold_request", "pause")
    by_code = {one["code"]: one for one in told["codes"]}
    assert by_code["*50"] == {
        "code": "*50",
        "orders": "situation",
        "name": "complaint_deadline.service_quality",
        "does": "a complaint about service quality has been registered",
        "says": None,
        "task": "start_deadline_timer",
    }
    assert by_code["*20"]["says"] == "请原谅，刚才的解释有些欠缺，应该是{correction}"
    assert (by_code["*70"]["orders"], by_code["*81"]["name"]) == ("transfer", "done")


def test_the_sheet(run: CliRunner) -> None:
    told = codes(run, "gov12345", "--format", "html")

    assert told.exit_code == 0
    assert told.stdout.startswith("<!doctype html>\n")
    assert told.stdout.endswith("</html>\n")
    assert "size: A4" in told.stdout


def test_a_broken_flow_has_no_list(run: CliRunner) -> None:
    told = codes(run, "flows/tags.yaml")

    assert (told.exit_code, told.stdout) == (1, "")
    assert "tags like" in told.stderr


def test_no_such_flow_to_list(run: CliRunner) -> None:
    told = codes(run, "gov1234")

    assert (told.exit_code, told.stdout) == (2, "")
    assert "did you mean 'gov12345'?" in told.stderr
