"""`ivrflow callbacks` as people use it, and what else shows callbacks."""

import json
import time
from pathlib import Path

import pytest
from callback_journal import NUMBER, order, ordered, placing_flow
from click.testing import CliRunner, Result

from ivrflow.commands.callback_commands import callbacks
from ivrflow.commands.journal_commands import trace
from ivrflow.commands.promise_commands import promises
from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.runtime.journal import Journal
from ivrflow.runtime.journal_callbacks import CallbackBook

HOUR = 3600.0


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One callback an hour late, one that waits, one given up after its only try."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    monkeypatch.setenv("IVRFLOW_JOURNAL", url)
    now = time.time()
    ordered(url, "pbx-1.1", order(made_at=now - 3 * HOUR, due_at=now - HOUR - 5), noted_at=now - 3 * HOUR)
    ordered(url, "pbx-1.2", order(made_at=now, due_at=now + 2 * HOUR), noted_at=now)
    ordered(url, "pbx-2.1", order(made_at=now - HOUR, due_at=now + HOUR, tries=1), noted_at=now - HOUR)
    book = CallbackBook(url)
    last = book.listed()[1]
    assert last.call == "pbx-2.1"
    book.claim(last, call="out-1", now=now - 60, until=now - 20)
    book.came_of(last.id, call="out-1", outcome="no_answer", now=now - 30)
    book.close()
    return url


def run(*arguments: str) -> Result:
    return CliRunner().invoke(callbacks, arguments)


def test_who_waits_is_listed_by_due_time_without_numbers() -> None:
    shown = run()
    assert shown.exit_code == 0
    _, first, second = shown.output.splitlines()
    assert "pbx-1.1/callback-1" in first
    assert "1 h 0 min" in first
    assert "0 of 3" in first
    assert "pbx-1.2/callback-1" in second
    assert NUMBER not in shown.output
    assert NUMBER in run("--show-personal").output


def test_whom_nobody_reached() -> None:
    shown = run("--state", "given_up").output.splitlines()
    assert len(shown) == 2
    assert "given up" in shown[1]
    assert "out-1 no answer" in shown[1]
    assert "tried 1 times: no answer" in shown[1]
    assert run("--state", "kept").output == "no callbacks\n"
    assert run("--flow", "nothing").output == "nobody waits to be called back\n"


def test_for_programs() -> None:
    told = {one["id"]: one for one in json.loads(run("--all", "--format", "json").output)}
    gone = told["pbx-2.1/callback-1"]
    assert (gone["state"], gone["caller"], gone["tried"], gone["next_at"]) == ("given_up", "•••", 1, None)
    assert [(one["call"], one["outcome"]) for one in gone["calls"]] == [("out-1", "no_answer")]
    late = told["pbx-1.1/callback-1"]
    assert 3600 <= late["seconds_late"] < 4200
    assert json.loads(run("--format", "json", "--show-personal").output)[0]["caller"] == NUMBER


def test_taking_one_back() -> None:
    cancelled = run("cancel", "pbx-1.2", "--why", "a colleague called", "--by", "li")
    assert (cancelled.exit_code, cancelled.output) == (0, "pbx-1.2/callback-1 is cancelled: a colleague called\n")
    assert "pbx-1.2" not in run().output
    again = run("cancel", "pbx-1.2", "--why", "x", "--format", "json")
    assert (again.exit_code, again.output) == (1, "Error: pbx-1.2/callback-1 is cancelled already\n")
    assert json.loads(run("cancel", "pbx-1.1", "--why", "x", "--format", "json").output)["state"] == "cancelled"
    assert run().output == "nobody waits to be called back\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cancel", "pbx-1.1", "--why", "call 139 1234 5678"), "a caller's number does not belong in a reason"),
        (("cancel", "pbx-1.1", "--why", " "), "write the reason"),
        (("cancel", "pbx-1.1"), "Missing option '--why'"),
        (("--all", "cancel", "pbx-1.1", "--why", "x"), "belong to the list"),
        (("--all", "--state", "kept"), "contradict each other"),
        (("--state", "nothing"), "is not one of"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], words: str) -> None:
    shown = run(*arguments)
    assert shown.exit_code == 2
    assert words in shown.output


def test_no_journal_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IVRFLOW_JOURNAL", f"sqlite:///{tmp_path}/none.sqlite")
    shown = run()
    assert shown.exit_code == 1
    assert "there is no journal at" in shown.output


def test_each_is_a_promise_and_used_up_is_broken() -> None:
    shown = CliRunner().invoke(promises, []).output.splitlines()
    assert all("a call back" in line for line in shown[1:])
    assert "BROKEN, 1 h 0 min overdue" in shown[1]
    assert "BROKEN, all tries used up" in shown[2]
    kept = CliRunner().invoke(promises, ["keep", "pbx-2.1", "--by", "li"])
    assert (kept.exit_code, kept.output) == (0, "pbx-2.1/callback-1 is kept\n")


def test_the_call_placed_names_the_first_one(url: str) -> None:
    journal = Journal(url)
    journal.open()
    record = journal.call_arrived("out-1", placing_flow(), time.time())
    record.handled(0.0, m.CallOrdered(caller=NUMBER, arrived_at=0.0), [])
    record.over("no_answer", "", (TraceLine(0.0, Fact.ORDERED), TraceLine(9.0, Fact.NOT_ANSWERED)), ())
    journal.close()
    shown = CliRunner().invoke(trace, ["out-1"]).output
    assert "note: placed to call back: pbx-2.1/callback-1, asked for on the call pbx-2.1" in shown
    assert (
        json.loads(CliRunner().invoke(trace, ["out-1", "--format", "json"]).output)["calls_back"]
        == "pbx-2.1/callback-1"
    )
    assert json.loads(CliRunner().invoke(trace, ["pbx-1.1", "--format", "json"]).output)["calls_back"] is None
