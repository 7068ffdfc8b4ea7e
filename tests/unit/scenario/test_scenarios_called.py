"""Scenarios in which ivrflow calls: what may be written, how they play on the simulator, what is held against them."""

from pathlib import Path

import pytest

from ivrflow.flow.problems import FlowError
from ivrflow.flow_files import load_flows
from ivrflow.scenario.judging.judgement import judge
from ivrflow.scenario.language.reading import read_scenario
from ivrflow.scenario.observation import Observation
from ivrflow.scenario.script import Scenario
from ivrflow.scenario.simulated.on_simulator import play

CALLFLOWS = Path(__file__).parents[3] / "callflows"
FLOWS = {
    **load_flows([CALLFLOWS / "gov12345_callback.yaml"]),
    **load_flows([CALLFLOWS / "gov12345.yaml"]),
}
HEAD = 'scenario: a call back\nflow: gov12345_callback\ncall: "1002"\nat: 2026-11-20T10:00\n'


def read(text: str, head: str = HEAD) -> Scenario:
    return read_scenario(head + text, "call.yaml", FLOWS)


def told(text: str, head: str = HEAD) -> list[str]:
    with pytest.raises(FlowError) as refused:
        read(text, head)
    return [problem.message for problem in refused.value.problems]


def failed(scenario: Scenario, observation: Observation) -> list[str]:
    findings, _ = judge(scenario, observation)
    return [finding.kind for finding in findings if finding.fails]


def test_second_0_is_the_answer() -> None:
    scenario = read("called: {ring: 2s}\ncaller:\n  - hear: callback.opening\n  - hang_up\n")
    observation = play(scenario)
    caller, engine = observation.caller, observation.engine
    assert engine is not None
    assert (caller.rang_at, caller.answered_at) == (-2.0, 0.0)
    assert caller.heard[0].start == pytest.approx(0.0, abs=0.01)
    assert engine.answered_at == 2.0
    assert failed(scenario, observation) == []


@pytest.mark.parametrize(
    ("manner", "outcome", "rang"),
    [
        ("rings_on", "no_answer", True),
        ("busy", "busy", True),
        ("{declines: 3s}", "refused", True),
        ("unreachable", "unreachable", False),
    ],
)
def test_who_does_not_pick_up(manner: str, outcome: str, rang: bool) -> None:
    scenario = read(f"called: {manner}\nexpect: {{outcome: {outcome}, hung_up_first: nobody}}\n")
    observation = play(scenario)
    assert observation.caller.answered_at is None
    assert (observation.caller.rang_at is not None) is rang
    assert failed(scenario, observation) == []


def test_another_outcome_than_the_expected_one_is_found() -> None:
    scenario = read("called: rings_on\nexpect: {outcome: busy}\n")
    assert failed(scenario, play(scenario)) == ["outcome"]


def test_a_quiet_hour_that_should_have_hindered_it_is_found() -> None:
    scenario = read("called: {ring: 2s}\nexpect: {outcome: quiet_hours}\n")
    assert "outcome" in failed(scenario, play(scenario))


def test_somebody_who_should_talk_and_is_not_reached_is_trouble() -> None:
    at_noon = HEAD.replace("10:00", "12:45")
    scenario = read("called: {ring: 2s}\ncaller:\n  - hear: callback.opening\n", at_noon)
    findings, _ = judge(scenario, play(scenario))
    assert findings[0].observed == "nobody answered it"


@pytest.mark.parametrize(
    ("text", "head", "message"),
    [
        ("caller: []\n", HEAD, "nobody can ring gov12345_callback: it places calls"),
        ("called: {ring: 2s}\n", HEAD.replace('"1002"', '"2002"'), "gov12345_callback may not ring this number"),
        ("called: {ring: 2s}\n", HEAD.replace('call: "1002"\n', ""), "which number is rung?"),
        ("called: {ring: 2s}\n", HEAD.replace("_callback", ""), "the flow gov12345 places no calls"),
        ("called: busy\ncaller:\n  - wait: 1s\n", HEAD, "a caller whose telephone says 'busy' does nothing"),
        ("called: whistles\n", HEAD, "'whistles' is not how a telephone rings"),
        ("called: [busy]\n", HEAD, "expected how a telephone rings, found a list"),
        (
            "called: {ring: 1s}\ncaller:\n  - wait: 1s\nexpect: {outcome: no_answer}\n",
            HEAD,
            "nobody talks on a call whose outcome is 'no_answer'",
        ),
        (
            "called: rings_on\nexpect: {outcome: no_answer, hung_up_first: ivrflow}\n",
            HEAD,
            "'no_answer' means that nobody hangs up, and hung_up_first says ivrflow",
        ),
        (
            'called: {ring: 1s}\nagents: {"1001": [answers]}\n',
            HEAD.replace('"1002"', '"1001"'),
            "the number that is rung is an agent's extension too",
        ),
    ],
)
def test_what_cannot_be(text: str, head: str, message: str) -> None:
    assert message in told(text, head)


def test_a_flow_that_is_rung_has_no_such_outcomes() -> None:
    head = "scenario: a call\nflow: gov12345\n"
    assert told("expect: {outcome: no_answer}\n", head) == ["the flow knows no outcome 'no_answer'"]
