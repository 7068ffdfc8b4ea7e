import pytest
from hotline_scenarios import GOV, TOP

from ivrflow.scenario.judging.judgement import judge
from ivrflow.scenario.language.reading import load_scenarios
from ivrflow.scenario.script import Scenario
from ivrflow.scenario.simulated.on_simulator import play

EXAMPLES = load_scenarios([TOP / "scenarios" / "examples"], {"gov12345": GOV})


@pytest.mark.parametrize("scenario", EXAMPLES, ids=lambda scenario: scenario.file.rpartition("/")[2])
def test_every_example_teaches_and_passes(scenario: Scenario) -> None:
    findings, _ = judge(scenario, play(scenario))

    assert [finding for finding in findings if finding.fails] == []
    assert len(scenario.about) >= 2
    assert scenario.stages == ("simulator", "pbx")
