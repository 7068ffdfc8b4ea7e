"""A report on a terminal, as JSON, as CSV and as a page."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from made_reports import promise, report, some_calls
from strict_html import StrictHtml

from ivrflow.report import wording
from ivrflow.report.exports import as_csv, as_json
from ivrflow.report.page import page, write_page
from ivrflow.report.tables import tables
from ivrflow.runtime.journal_counts import Counted
from ivrflow.timeline import plain_lines


def shown(*, misses: int = 5, all_rules: bool = False, counted: Counted | None = None) -> str:
    return "\n".join(plain_lines(tables(report(counted), misses=misses, all_rules=all_rules), 170))


def test_a_terminal_shows_figures_with_what_they_count() -> None:
    told = " ".join(shown().split())
    assert "2026-11-01 to 2026-11-30, all flows: 4 calls: 3 incoming, 1 placed" in told
    assert "50.00 % MISSED >= 85% agent_answer_rate 率 agent_answer_rate" in told
    assert "1 / 2: incoming calls on which an agent was sought; 1 of them were answered by an agent" in told
    assert "– no data >= 85% system_connect_rate" in told
    assert "--dialled NUMBER" in told
    assert "misses: b" in told


def test_a_terminal_shows_rules_promises_and_calls() -> None:
    told = shown()
    lines = [" ".join(line.split()) for line in told.splitlines()]
    assert "jiangnan/silent_call 0 1 2 b" in lines
    assert "jiangnan/closing 2 0 1" in lines
    assert "old/closing 1 0 ?" in lines
    assert "jiangnan/praise 0 0 3" not in lines
    assert "1 more rules applied on no call (--all-rules lists them)" in lines
    assert "jiangnan/later agent 3 1 1 1 0 0 b, c" in lines
    assert "2 incoming caller hung up" in lines
    assert "length of incoming calls 3 51.7 s 1:00 1:30 1:30" in lines
    assert "jiangnan/praise 0 0 3" in [" ".join(line.split()) for line in shown(all_rules=True).splitlines()]


def test_no_calls_are_no_figures() -> None:
    told = shown(counted=Counted())
    assert "no calls" in told
    assert "no rule applied" in told
    assert "100.00 %" not in told
    assert "0.00 %" not in told


def test_many_misses_are_cut_short() -> None:
    assert wording.some(("a", "b", "c"), 2) == "a, b … and 1 more"
    assert wording.some(("a",), 2) == "a"


@pytest.mark.parametrize(
    ("value", "told"), [(0.02, "0.02 s"), (8.41, "8.4 s"), (65, "1:05"), (3700, "61:40"), (float("nan"), "–")]
)
def test_lengths(value: float, told: str) -> None:
    assert wording.seconds(value) == told


def test_json_holds_everything_and_no_number_without_data() -> None:
    told = json.loads(json.dumps(as_json(report()), allow_nan=False))
    figures = {figure["id"]: figure for figure in told["key_figures"]}
    assert figures["agent_answer_rate"]["percent"] == 50.0
    assert (figures["agent_answer_rate"]["numerator"], figures["agent_answer_rate"]["denominator"]) == (1, 2)
    assert figures["system_connect_rate"]["percent"] is None
    assert figures["system_connect_rate"]["reached"] == "no_data"
    assert figures["key_account_complaint_satisfaction"]["percent"] == 100.0
    assert {rule["rule"]: rule["misses"] for rule in told["rules"]}["jiangnan/silent_call"] == ["b"]
    assert told["promises"][0]["broken"] == 1
    assert told["calls"]["per_hour"][9] == 3
    assert told["calls"]["seconds"]["length_of_incoming_calls"]["p50"] == 60.0


def test_csv_is_one_number_a_line() -> None:
    rows = list(csv.reader(io.StringIO(as_csv(report()))))
    assert rows[0] == ["section", "item", "measure", "value"]
    assert all(len(row) == 4 for row in rows)
    assert ["key_figure", "agent_answer_rate", "percent", "50.0"] in rows
    assert ["key_figure", "system_connect_rate", "percent", ""] in rows
    assert ["rules", "old/closing", "not_applicable", ""] in rows
    assert ["promises", "jiangnan/later (agent)", "kept_late", "1"] in rows
    assert ["outcome", "done", "placed", "1"] in rows


def test_the_page_is_well_formed_and_needs_nothing_else() -> None:
    html = StrictHtml(page(report()))
    assert html.problems == []
    assert html.addresses == ["data:,", "#main"]
    assert "script" not in html.tags
    assert html.tags.count("svg") == 3, "per day, per hour, one spread with enough values"
    assert "no data" in html.text
    assert "jiangnan/silent_call" in html.text


def test_a_page_about_nothing_says_so() -> None:
    html = StrictHtml(page(report(Counted())))
    assert html.problems == []
    assert "None was made." in html.text
    assert "svg" not in html.tags


def test_whatever_stands_in_the_journal_stays_text() -> None:
    nasty = replace(
        some_calls(), ended={"<b>&": 1, "jiangnan": 2}, promises=[promise("<script>x</script>", kept_at=None)]
    )
    html = StrictHtml(page(report(nasty)))
    assert html.problems == []
    assert "script" not in html.tags
    assert "<script>x</script>" in html.text


def test_a_page_goes_into_a_file_or_a_folder(tmp_path: Path) -> None:
    assert write_page(tmp_path / "new" / "november.html", report()) == tmp_path / "new" / "november.html"
    assert write_page(tmp_path / "pages", report()).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert write_page(tmp_path / "pages", report()).name == "report.html"
