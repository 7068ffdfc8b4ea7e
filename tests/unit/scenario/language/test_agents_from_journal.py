"""Calls with agents of queues, out of the journal: what was recorded passes again, and says what the agents did."""

from pathlib import Path

import pytest
from recorded_calls import stored

from ivrflow.flow_files import load_flows
from ivrflow.scenario.judging.judgement import judge
from ivrflow.scenario.language.from_journal import scenario_of
from ivrflow.scenario.language.reading import load_scenarios, read_scenario
from ivrflow.scenario.script import Scenario
from ivrflow.scenario.simulated.on_simulator import SimulatedStage

TALKS = Path(__file__).parents[3] / "talks"
FLOWS = load_flows([TALKS / "flows"])
SCENARIOS = {Path(one.file).stem: one for one in load_scenarios([TALKS / "scenarios"], FLOWS)}


def recorded(scenario: Scenario) -> str:
    stage = SimulatedStage(scenario)
    stage.play()
    return scenario_of(stored(stage.simulation), scenario.flow, show_personal=False)


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_recorded_passes_again(name: str) -> None:
    text = recorded(SCENARIOS[name])
    again = read_scenario(text, "recorded.yaml", FLOWS)
    stage = SimulatedStage(again)
    findings, _ = judge(again, stage.play())
    assert [str(finding) for finding in findings if finding.fails] == [], text
    first = SimulatedStage(SCENARIOS[name])
    first.play()
    assert stage.simulation.session.outcome == first.simulation.session.outcome


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("hold", ["    - hold", "    - resume", "    - hear: hold_return.apology"]),
        ("code", ['    - press: "*21"', "    - hear: noise.change_phone.alt1"]),
        ("order", ["    - transfer: colleague"]),
        ("agent_leaves", ["    - hang_up", "  scores: {satisfaction: 2}"]),
        ("queue_announcement", ["    - queue: {name: agents, logs_in: 12s}", "    - ring: 1s"]),
        ("queue_nobody", ["  messages: {voicemail: 3s-7s}"]),
        ("look_up", ["on: simulator", '  look: {answers: {status: "closed"}, after: 8s}']),
    ],
)
def test_what_stands_in_it(name: str, lines: list[str]) -> None:
    written = recorded(SCENARIOS[name]).splitlines()
    assert [line for line in lines if line not in written] == [], "\n".join(written)
