"""The scenarios of agents on the flow made for them, on the simulator: each as written, and broken where it is changed."""

from pathlib import Path

import pytest

from ivrflow.flow_files import load_flows
from ivrflow.scenario.judging.judgement import judge
from ivrflow.scenario.language.reading import load_scenarios, read_scenario
from ivrflow.scenario.script import Scenario
from ivrflow.scenario.simulated.on_simulator import play

TALKS = Path(__file__).parents[2] / "talks"
FLOWS = load_flows([TALKS / "flows"])
SCENARIOS = load_scenarios([TALKS / "scenarios"], FLOWS)


def failures(text: str) -> list[tuple[str, str]]:
    scenario = read_scenario(text, "talk.yaml", FLOWS)
    findings, _ = judge(scenario, play(scenario))
    return [(finding.expected, finding.observed) for finding in findings if finding.fails]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: Path(scenario.file).stem)
def test_it_is_as_written(scenario: Scenario) -> None:
    findings, _ = judge(scenario, play(scenario))
    assert [str(finding) for finding in findings if finding.fails] == []


@pytest.mark.parametrize(
    ("name", "written", "instead", "expected", "observed"),
    [
        ("warm_transfer_nobody", "- hear_nothing: 4s", "- hear_nothing: 7s",
         "agent 1001 hears nothing for 7s", "house/menu.invalid was heard"),
        ("hold", "# on hold\n", "# on hold\n  - talk: 2s\n",
         "the caller talks for 2s and an agent hears it", "nobody heard it"),
        ("agent_leaves", "satisfaction: 2", "satisfaction: 3", "satisfaction gets the score 3", "it got 2"),
        ("agent_leaves", "satisfaction: 2", "satisfaction: none", "satisfaction gets no score", "it got 2"),
        ("queue_nobody", "3s-6s", "6s-9s", "a message of 6-9 s is kept in voicemail", "one of"),
        ("queue_nobody", "{voicemail: 3s-6s}", "none", "no other message is kept", "was kept in voicemail"),
        ("warm_transfer", "    - hear: house/night.greeting\n", "",
         "agent 1002 hears no phrase that its script does not name", "house/night.greeting was heard"),
    ],
)  # fmt: skip
def test_what_is_not_as_written_is_told(name: str, written: str, instead: str, expected: str, observed: str) -> None:
    text = (TALKS / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8")
    assert written in text
    told = failures(text.replace(written, instead))
    assert any(expected in wanted and observed in seen for wanted, seen in told), told
