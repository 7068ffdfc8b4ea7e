"""`ivrflow standards`: the list, the coverage in its three shapes, and what is refused."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivrflow.cli import main

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("IVRFLOW_FLOWS", raising=False)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["standards", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_the_list_names_every_standard_with_its_phrases_rules_and_flows() -> None:
    code, text = run("list", "--format", "json")
    rows = {row["id"]: row for row in json.loads(text)}
    assert code == 0
    assert sum(row["phrases"] for row in rows.values()) == 547
    assert sum(row["rules"] for row in rows.values()) == 347
    assert rows["gov12345"]["flows"][0].startswith("gov12345")
    assert "house" not in rows


def test_every_rule_has_a_line_with_its_way_and_its_proofs() -> None:
    _, text = run("coverage", "--format", "json")
    told = json.loads(text)
    assert told["counts"]["rules"] == len(told["rules"]) == 347
    assert told["counts"]["numbered"] == 68
    silent = next(rule for rule in told["rules"] if rule["id"] == "gov12345/silent_call")
    assert silent["numbered"]
    assert {proof["kind"] for proof in silent["proofs"]} >= {"golden call", "scenario"}


def test_one_standard_can_be_asked_for() -> None:
    _, text = run("coverage", "gov12345", "--format", "json")
    assert json.loads(text)["counts"]["rules"] == 49


def test_what_lacks_something_is_an_exit_code_of_its_own(tmp_path: Path) -> None:
    code, text = run("coverage", "gov12345", "--calls", str(tmp_path), "--lacking", "--format", "json")
    assert code == 1
    assert {rule["lacks"] for rule in json.loads(text)["rules"]} == {"no golden call shows it"}


def test_the_table_ends_with_the_counts() -> None:
    _, text = run("coverage", "gov12345")
    assert text.rstrip().splitlines()[-1].startswith("49 rules, 12 of them (#) with numbers; met by: ")


def test_a_standard_that_is_not_there_is_wrong_usage() -> None:
    code, text = run("coverage", "gov1234")
    assert code == 2
    assert "there is no standard 'gov1234'" in text
    assert "did you mean 'gov12345'" in text


def test_nothing_lacking_is_said_in_words() -> None:
    code, text = run("coverage", "--lacking")
    assert (code, text) == (0, "nothing lacks: each of the 347 rules is met and proven\n")


def test_the_page_in_the_documents_is_not_stale() -> None:
    code, text = run("coverage", "--format", "markdown")
    assert code == 0
    assert text == (ROOT / "docs" / "coverage.md").read_text("utf-8"), (
        "renew it: ivrflow standards coverage --format markdown > docs/coverage.md"
    )
