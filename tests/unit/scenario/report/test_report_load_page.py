import re
from pathlib import Path
from typing import Any

import pytest
import sample_results as made
from load_shown import SILENT, a_sample, a_side, an_ending, shown
from made_results import a_result, a_scenario
from strict_html import StrictHtml

from ivrflow.engine.trace import Judgement
from ivrflow.scenario.load.load_figures import LoadFigures
from ivrflow.scenario.report.load_page import load_page, write_load_page


def page(tmp_path: Path, told: LoadFigures, *short: str, **more: Any) -> StrictHtml:
    written = write_load_page(tmp_path, load_page(told, short, **{"stopped": False, **more}), made.summary())
    return StrictHtml(written.read_text("utf-8"))


def plots(html: StrictHtml) -> int:
    return html.tags.count("svg")


def test_a_load_that_passed_has_a_well_formed_page_with_everything_on_it(tmp_path: Path) -> None:
    html = page(tmp_path, shown(a_side(listened=[a_result()])))
    assert html.problems == []
    assert html.outside == []
    assert "PASSED" in html.text
    assert "NOT PASSED" not in html.text
    assert "a silent caller: 10 calls by our own phone to 1 (small), 5 a second, at most 4 at once" in html.text
    assert "10 placed, 10 answered, 10 well, 0 failed" in html.text
    assert f"10 × {SILENT}" in html.text
    assert "answered after103.03.03.03.03.0" in html.text  # cells side by side
    assert "Asterisk10 %10 %50 MiB50 MiB50 MiB" in html.text
    assert plots(html) == 7
    assert {"report.css", "report.js"} <= {file.name for file in tmp_path.iterdir()}


def test_a_load_that_did_not_says_why(tmp_path: Path) -> None:
    broken = an_ending(4.0, judgement=Judgement.BROKEN)
    html = page(tmp_path, shown(a_side(answered=1), [broken]), "1 call broke a rule", "1 wait was late")
    assert html.problems == []
    assert "NOT PASSED" in html.text
    assert "1 call broke a rule 1 wait was late" in html.text


def test_what_was_not_seen_has_no_plot_and_no_row(tmp_path: Path) -> None:
    bare = a_sample(1.0, engine=None, pbx=None, caller=None)
    told = shown(a_side(kind="sipp", setups=[], packets=[]), endings=None, samples=[bare])
    html = page(tmp_path, told)
    assert html.problems == []
    assert plots(html) == 3
    assert "Processes" not in html.text


@pytest.mark.parametrize("listened", ["", "listened/index.html"])
def test_the_calls_that_were_listened_to_are_linked_where_there_are_any(tmp_path: Path, listened: str) -> None:
    html = page(tmp_path, shown(), listened=listened)
    assert ("listened/index.html" in html.addresses) == bool(listened)


def test_a_load_that_was_stopped_says_so(tmp_path: Path) -> None:
    assert "stopped before the end; passed so far" in page(tmp_path, shown(), stopped=True).text


def test_waits_are_drawn_in_the_second_they_began(tmp_path: Path) -> None:
    endings = [an_ending(3.05, at=0.2), an_ending(3.01, at=0.7), an_ending(3.0, at=5.0)]
    written = write_load_page(
        tmp_path, load_page(shown(a_side(answered=3), endings), (), stopped=False), made.summary()
    )
    text = written.read_text("utf-8")
    assert "latest from 0 to 50 ms, median from 0 to 30 ms" in text


def test_markup_in_a_title_stays_text(tmp_path: Path) -> None:
    html = page(tmp_path, shown(scenario=a_scenario("<script>alert(1)</script>")))
    assert "<script>alert(1)</script>: 10 calls" in html.text
    assert html.tags.count("script") == 1
    assert not re.search("alert", " ".join(html.addresses))
