"""Scenarios against a flow whose wordings the calendar chooses: what may be said, how long it takes, which pause is whose."""

from pathlib import Path

import pytest

from ivrflow.flow.model import Band, CallFlow
from ivrflow.flow_files import load_flows
from ivrflow.scenario.language.naming import phrase_seconds
from ivrflow.scenario.language.phrases_said import said_by
from ivrflow.scenario.language.reading import load_scenarios
from ivrflow.scenario.language.rule_pauses import RulePause, rule_pauses

FLOWS = Path(__file__).parents[3] / "calls" / "calendar" / "flows"


@pytest.fixture(scope="module")
def flow() -> CallFlow:
    return load_flows([FLOWS])["clinic"]


def test_every_line_may_be_said(flow: CallFlow) -> None:
    said = said_by(flow)
    assert {"clinic/greeting.weekend", "clinic/greeting.new_year", "clinic/closing.festival"} <= said
    assert not any(phrase.startswith("when/") for phrase in said)


def test_a_wording_takes_as_long_as_its_longest_line(flow: CallFlow) -> None:
    parts = [phrase_seconds(flow, f"clinic/{name}") for name in ("greeting.festival", "greeting.clinic")]
    assert phrase_seconds(flow, "when/greeting") == sum(parts)
    assert phrase_seconds(flow, "when/farewell") == phrase_seconds(flow, "clinic/closing.festival")


def test_the_pause_after_a_greeting_lies_after_the_last_phrase_of_each_line(flow: CallFlow) -> None:
    pauses = rule_pauses(flow)
    chosen = frozenset({RulePause(Band(2.0, 2.0))})
    assert pauses.find("clinic/greeting.clinic", "clinic/silent.ask") == chosen
    assert pauses.find("clinic/greeting.new_year", "clinic/silent.ask") == chosen
    assert pauses.find("clinic/greeting.festival", "clinic/silent.ask") == frozenset()
    assert pauses.find_end("clinic/closing.festival") == frozenset({RulePause(Band(5.0, 5.0))})


def test_a_scenario_on_a_holiday_is_in_order(flow: CallFlow, tmp_path: Path) -> None:
    file = tmp_path / "festive.yaml"
    file.write_text(
        "scenario: National Day\nflow: clinic\nat: 2026-10-01T10:30\ncaller:\n  - hear: greeting.festival\n"
        "  - hear: greeting.clinic\n  - pause: 2s\n  - hear: silent.ask\n  - pause: as the rule says\n"
        "  - hear: silent.bye\nexpect:\n  outcome: hung_up\n  verdicts: {silent: kept, greeting_festival: kept}\n",
        encoding="utf-8",
    )
    (scenario,) = load_scenarios([file], {"clinic": flow})
    assert scenario.at is not None
    assert (scenario.at.year, len(scenario.caller)) == (2026, 6)
