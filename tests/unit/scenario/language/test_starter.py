import re
from dataclasses import replace

import pytest
from hotline_scenarios import GOV, HOTLINE
from little_centre import CENTRE

from ivrflow.flow.model import CallFlow, HangUp
from ivrflow.scenario.judging.judgement import judge
from ivrflow.scenario.language.reading import read_scenario
from ivrflow.scenario.language.starter import starter
from ivrflow.scenario.simulated.on_simulator import play


@pytest.mark.parametrize("flow", [GOV, HOTLINE], ids=lambda flow: flow.id)
def test_a_starter_passes_as_it_is(flow: CallFlow) -> None:
    scenario = read_scenario(starter(flow), "starter.yaml", {flow.id: flow})

    findings, _ = judge(scenario, play(scenario))

    assert scenario.caller
    assert scenario.proves
    assert [finding for finding in findings if finding.fails] == []


@pytest.mark.parametrize("flow", [GOV, HOTLINE], ids=lambda flow: flow.id)
def test_every_line_that_is_commented_out_can_be_used(flow: CallFlow) -> None:
    lines = starter(flow).splitlines()
    asleep = [number for number, line in enumerate(lines) if re.match(r"\s*# (- |\w+:|  )", line) and number > 2]
    used = [re.sub(r"^(\s*)# ", r"\1", line) if number in asleep else line for number, line in enumerate(lines)]
    used = [line for line in used if not line.startswith("  never_hear")]  # it must be heard in the script

    scenario = read_scenario("\n".join(used), "starter.yaml", {flow.id: flow})

    assert len(asleep) >= 13
    assert len(scenario.agents) == 1
    assert scenario.expect.lasts


def test_a_flow_that_says_nothing_gets_one_too() -> None:
    flow = replace(HOTLINE, start="end", steps={"end": HangUp("end", HOTLINE.where, "over")}, situations={})

    text = starter(flow)

    assert "wait: 5s" in text
    assert "agents" not in text
    assert read_scenario(text, "starter.yaml", {flow.id: flow}).caller


def test_an_agent_takes_the_calls_of_the_flows_queue() -> None:
    text = starter(CENTRE).replace("# agents:", "agents:").replace('#   "1002"', '  "1002"')
    used = re.sub(r"^#( {5}- )", r"\1", text, flags=re.MULTILINE)

    (agent,) = read_scenario(used, "starter.yaml", {CENTRE.id: CENTRE}).agents

    assert agent.queues is not None
    assert agent.queues.names == ("agents",)
    assert '"1001":' in starter(replace(CENTRE, steps={k: v for k, v in CENTRE.steps.items() if k != "colleague"}))
