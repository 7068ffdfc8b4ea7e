"""`ivrflow report` as people use it."""

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from promised_calls import note, promised

from ivrflow.commands.report_commands import report
from ivrflow.engine.trace import Fact, Judgement, TraceLine, Verdict
from ivrflow.runtime.journal import Journal

ROOT = Path(__file__).parents[3]
NOON = datetime(2026, 11, 10, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()


@pytest.fixture(autouse=True)
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One call at noon of 10 November: an agent answered, a rule was broken, something was promised."""
    monkeypatch.chdir(ROOT)
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    monkeypatch.setenv("IVRFLOW_JOURNAL", url)
    journal = Journal(url)
    journal.open()
    lines = [
        TraceLine(0.0, Fact.ARRIVED),
        TraceLine(0.1, Fact.ANSWERED),
        TraceLine(5.0, Fact.RINGING),
        TraceLine(9.0, Fact.AGENT_ANSWERED),
        TraceLine(60.0, Fact.ENDED, detail="done"),
    ]
    verdicts = [Verdict("gov12345/silent_call", Judgement.BROKEN, "", "")]
    promised(
        journal, "pbx-1.1", [note(made_at=NOON, due_at=NOON + 3600)], arrived_at=NOON, trace=lines, verdicts=verdicts
    )
    journal.close()
    return url


def run(*arguments: str) -> Result:
    return CliRunner().invoke(report, arguments)


def told(*arguments: str) -> dict[str, object]:
    shown: dict[str, object] = json.loads(run(*arguments, "--format", "json").stdout)
    return shown


NOVEMBER = ("--from", "2026-11-01", "--to", "2026-11-30")


def test_november() -> None:
    shown = run(*NOVEMBER)
    assert shown.exit_code == 0
    assert "2026-11-01 to 2026-11-30, all flows: 1 calls" in shown.output
    assert "100.00 % met >= 85% 人工应答率 agent_answer_rate" in " ".join(shown.output.split())
    assert "gov12345/silent_call" in shown.output
    assert "\x1b" not in shown.output, "colours are for terminals"


def test_a_day_is_a_day_of_the_flows_clock() -> None:
    def calls(day: str) -> object:
        return told("--from", day, "--to", day)["calls"]["over"]  # type: ignore[index]  # plain values

    assert (calls("2026-11-09"), calls("2026-11-10"), calls("2026-11-11")) == (0, 1, 0)


def test_one_flow_and_one_standard() -> None:
    assert told(*NOVEMBER, "--flow", "gov12345")["scope"] == "flow gov12345"
    found = told(*NOVEMBER, "--standard", "gov12345")
    assert found["scope"] == "flows that follow gov12345"
    assert len(found["rules"]) == 49  # type: ignore[arg-type]  # plain values


def test_a_nightly_job_may_fail_on_a_miss() -> None:
    assert run(*NOVEMBER, "--fail-on-miss").exit_code == 1, "the enquiry was not answered"
    assert run("--from", "2026-12-01", "--to", "2026-12-31", "--fail-on-miss").exit_code == 0, "no data is no miss"


def test_the_carriers_number_makes_a_figure() -> None:
    found = told(*NOVEMBER, "--dialled", "4")
    first = found["key_figures"][0]  # type: ignore[index]  # plain values
    assert (first["id"], first["percent"], first["reached"]) == ("system_connect_rate", 25.0, "missed")


def test_csv_and_page(tmp_path: Path) -> None:
    shown = run(*NOVEMBER, "--format", "csv", "--html", str(tmp_path / "pages"))
    assert shown.stdout.startswith("section,item,measure,value\n")
    assert "written: " in shown.stderr
    assert (tmp_path / "pages" / "report.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--from", "november"], 2, "--from: 'november' is no day; write 2026-11-01"),
        (["--from", "2026-11-30", "--to", "2026-11-01"], 2, "write the earlier one as --from"),
        (["--flow", "gov1234"], 2, "there is no flow 'gov1234'; did you mean 'gov12345'?"),
        (["--standard", "jiangan"], 2, "there is no standard 'jiangan'; did you mean 'jiangnan'?"),
        (["--flow", "gov12345", "--standard", "gov12345", "--dialled", "-1"], 2, "--dialled"),
    ],
)
def test_wrong_usage_is_worded(arguments: list[str], code: int, says: str) -> None:
    shown = run(*arguments)
    assert shown.exit_code == code
    assert says in " ".join(shown.output.split())


def test_a_page_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shown = run(*NOVEMBER, "--html", str(tmp_path / "file" / "x.html"))
    assert shown.exit_code == 1
    assert "cannot be written" in shown.output


def test_without_a_journal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IVRFLOW_JOURNAL", f"sqlite:///{tmp_path}/none.sqlite")
    shown = run(*NOVEMBER)
    assert shown.exit_code == 1
    assert "there is no journal at" in shown.output


def test_an_empty_journal_is_reported_without_figures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/empty.sqlite"
    journal = Journal(url)
    journal.open()
    journal.close()
    monkeypatch.setenv("IVRFLOW_JOURNAL", url)
    shown = run(*NOVEMBER)
    assert (shown.exit_code, "no calls" in shown.output) == (0, True)
