"""`ivrflow promises` as people use it."""

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from promised_calls import HOUR, note, promised

from ivrflow.commands.promise_commands import promises
from ivrflow.runtime.journal import Journal


@pytest.fixture(autouse=True)
def _journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One promise overdue since an hour, one due in about an hour, one that repeats, due in a day."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    monkeypatch.setenv("IVRFLOW_JOURNAL", url)
    now = time.time()
    journal = Journal(url)
    journal.open()
    made = now - 25 * HOUR
    promised(journal, "pbx-1.1", [note(made_at=made, due_at=now - HOUR)], arrived_at=made)
    promised(journal, "pbx-1.2", [note(made_at=made, due_at=now + HOUR + 30, about="complaint")], arrived_at=made)
    promised(journal, "pbx-2.1", [note(made_at=made, due_at=now + 24 * HOUR, repeats_h=24.0)], arrived_at=made)
    journal.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(promises, arguments)


def listed(*arguments: str) -> list[str]:
    told: list[dict[str, str]] = json.loads(run(*arguments, "--format", "json").stdout)
    return [one["id"] for one in told]


def test_what_is_open_is_listed_by_due_time() -> None:
    shown = run()
    assert shown.exit_code == 0, "a list is no alarm"
    _, first, second, third = shown.output.splitlines()
    assert "BROKEN, 60 min overdue" in first or "BROKEN, 1 h 0 min overdue" in first
    assert "pbx-1.1/1" in first
    assert "in 1 h 0 min" in second
    assert "complaint" in second
    assert "gov12345/later" in third


def test_what_is_due_is_an_alarm_when_something_is_overdue() -> None:
    assert (listed("--due"), run("--due").exit_code) == (["pbx-1.1/1"], 1)
    assert listed("--due", "2h") == ["pbx-1.1/1", "pbx-1.2/1"]
    run("keep", "pbx-1.1/1")
    due = run("--due", "2h")
    assert (due.exit_code, "pbx-1.2/1" in due.output) == (0, True)
    assert (run("--due").output, run("--due").exit_code) == ("nothing is due\n", 0)


def test_by_flow_and_all() -> None:
    assert listed("--flow", "other") == []
    run("keep", "pbx-1.2")
    assert "pbx-1.2/1" not in listed()
    assert "pbx-1.2/1" in listed("--all")


def test_keeping_says_what_is_owed_next_and_how_late_it_was() -> None:
    assert run("keep", "pbx-1.1", "--satisfied", "yes").output == "pbx-1.1/1 is kept, 1 h 0 min late\n"
    told = run("keep", "pbx-2.1").output.splitlines()
    assert told[0] == "pbx-2.1/1 is kept"
    assert told[1].startswith("next: pbx-2.1/1.2 is owed by agent, due 20")
    closed = json.loads(run("keep", "pbx-2.1", "--closed", "--by", "li", "--format", "json").stdout)
    assert (closed["next"], closed["kept"]["kept_by"], closed["kept"]["state"]) == (None, "li", "kept")


def test_dropping_takes_a_reason_without_numbers_of_callers() -> None:
    assert run("drop", "pbx-1.1", "--why", "taken back").output == "pbx-1.1/1 is dropped: taken back\n"
    assert run("drop", "pbx-1.2").exit_code == 2
    refused = run("drop", "pbx-1.2", "--why", "the one with 139 1234 5678")
    assert (refused.exit_code, "does not belong in a reason" in refused.output) == (2, True)
    assert "1234" not in refused.output.rpartition("Error")[2]
    assert run("drop", "pbx-1.2", "--why", " ").exit_code == 2


def test_tags() -> None:
    assert run("tag", "pbx-1.2/1", "repeat", "key_account").output == "pbx-1.2/1: repeat, key_account noted\n"
    assert run("tag", "pbx-1.2", "repeat", "--remove").output == "pbx-1.2: repeat removed\n", "the call has none"
    assert json.loads(run("--format", "json").stdout)[1]["tags"] == ["key_account", "repeat"]
    assert run("tag", "pbx-1.2/1", "vip").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["keep", "pbx-1"], 1, "'pbx-1' is the beginning of several promises: pbx-1.1/1, pbx-1.2/1"),
        (["keep", "nothing"], 1, "no promise is called 'nothing'; `ivrflow promises --all` lists them"),
        (["tag", "pbx-9", "repeat"], 1, "no promise is called 'pbx-9'"),
        (["keep", "pbx-1.1", "--call", "pbx-9"], 1, "no call is called 'pbx-9'; `ivrflow calls` lists them"),
        (["keep", "pbx-1.1", "--at", "2099-01-01"], 2, "2099-01-01 is still to come"),
        (["keep", "pbx-1.1", "--at", "noon"], 2, "'noon' is no point in time; write 2027-01-31T08:30"),
        (["keep", "pbx-1.1", "--at", "2001-01-01"], 1, "pbx-1.1/1 was made only after that moment"),
        (["--due", "soon"], 2, "'soon' is no length of time; write --due for now, or --due 30m"),
        (["--all", "keep", "pbx-1.1"], 2, "--due, --all and --flow belong to the list, not to 'keep'"),
    ],
)
def test_wrong_usage_is_worded(arguments: list[str], code: int, says: str) -> None:
    told = run(*arguments)
    assert told.exit_code == code
    assert says in " ".join(told.output.split())


def test_without_a_journal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IVRFLOW_JOURNAL", f"sqlite:///{tmp_path}/none.sqlite")
    told = run()
    assert told.exit_code == 1
    assert "there is no journal at" in told.output


def test_an_empty_journal_owes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/empty.sqlite"
    journal = Journal(url)
    journal.open()
    journal.close()
    monkeypatch.setenv("IVRFLOW_JOURNAL", url)
    assert run().output == "nothing is owed\n"
