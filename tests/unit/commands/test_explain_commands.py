"""`ivrflow explain` from outside: what it prints, what it refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivrflow.commands.explain_commands import explain

ROOT = Path(__file__).parents[3]
FLOWS = "tests/calls/calendar/flows"


@pytest.fixture(autouse=True)
def _one_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("IVRFLOW_FLOWS", FLOWS)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(explain, arguments)


def test_the_only_flow_need_not_be_named() -> None:
    result = run("--at", "2026-10-10T09:00")
    lines = result.stdout.splitlines()

    assert result.exit_code == 0
    assert lines[:2] == [
        "Clinic (clinic), Saturday 2026-10-10 09:00, Asia/Shanghai",
        "a moved working day: so says the published table of holidays",
    ]
    assert (
        f"              holds   workdays 08:00-12:00: it is 09:00 on a moved working day  {FLOWS}/clinic.yaml:26"
        in lines
    )
    assert "then, on silence:" in lines


def test_for_programs() -> None:
    told = json.loads(run("clinic", "--at", "2026-10-01T15:00", "--format", "json").stdout)
    assert (told["flow"], told["at"], told["day"]) == (
        "clinic",
        "2026-10-01T15:00",
        "public holiday (national_day 国庆)",
    )
    assert told["meets"][2]["choices"][-1]["times"] == "otherwise"


def test_without_a_time_it_is_now() -> None:
    result = run(f"{FLOWS}/clinic.yaml")
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("clinik",), 2, "did you mean 'clinic'?"),
        (("clinic", "--at", "tomorrow"), 2, "'tomorrow' is no date and time"),
        (("tests/problems/flows/hours.yaml",), 1, "is no time of day"),
    ],
)
def test_what_it_refuses(arguments: tuple[str, ...], code: int, words: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr


def test_several_flows_want_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = (ROOT / FLOWS / "clinic.yaml").read_text(encoding="utf-8")
    (tmp_path / "standards").mkdir()
    standard = (ROOT / FLOWS / "standards" / "clinic.yaml").read_text(encoding="utf-8")
    (tmp_path / "standards" / "clinic.yaml").write_text(standard, encoding="utf-8")
    (tmp_path / "clinic.yaml").write_text(text, encoding="utf-8")
    second = text.replace("flow: clinic", "flow: second").replace('"2999"', '"2998"')
    (tmp_path / "second.yaml").write_text(second, encoding="utf-8")
    monkeypatch.setenv("IVRFLOW_FLOWS", str(tmp_path))

    assert "name one of clinic, second" in run().stderr
    assert run("second").stdout.startswith("Clinic (second), ")
