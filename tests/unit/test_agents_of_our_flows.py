"""Whoever talks with a caller in a flow of this project has every situation that its standard leaves to an agent."""

from pathlib import Path

import pytest

from ivrflow.flow.model import CallFlow, Queue, Transfer
from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex

CHECKOUT = Path(__file__).parents[2]
FLOWS = load_flows([CHECKOUT / "callflows"], PromptIndex.load(CHECKOUT / "prompts").catalogue())
WITHOUT_SITUATIONS = ["phone_etiquette"]
"""Its standard has none."""

WITH_AGENTS = sorted(
    name
    for name, flow in FLOWS.items()
    if any(isinstance(step, Queue | Transfer) for step in flow.steps.values()) and name not in WITHOUT_SITUATIONS
)


def on_demand(flow: CallFlow) -> set[str]:
    return {rule.name for rule in flow.standard.rules.values() if "on_demand" in rule.met_by}


def ordered(flow: CallFlow, kind: str) -> set[str]:
    return {order.name for order in flow.agents.codes.values() if order.kind == kind}


def test_these_have_agents() -> None:
    assert len(WITH_AGENTS) == len(FLOWS) - len(WITHOUT_SITUATIONS)


@pytest.mark.parametrize("name", WITH_AGENTS)
def test_every_situation_left_to_an_agent_has_a_code(name: str) -> None:
    flow = FLOWS[name]
    assert on_demand(flow) - ordered(flow, "situation") == set()


@pytest.mark.parametrize("name", WITH_AGENTS)
def test_it_can_be_taken_back_done_and_left(name: str) -> None:
    kinds = {order.kind for order in FLOWS[name].agents.codes.values()}
    assert kinds >= {"cancel", "done", "leave"}


@pytest.mark.parametrize("name", WITH_AGENTS)
def test_a_standard_that_words_the_hold_is_heard_when_the_telephone_holds(name: str) -> None:
    flow = FLOWS[name]
    words_it = any(rule.situation == "hold_request" for rule in flow.standard.rules.values())
    assert bool(flow.agents.hold) == words_it


@pytest.mark.parametrize("name", WITH_AGENTS)
def test_who_is_sent_on_is_never_sent_back_to_the_same_telephone(name: str) -> None:
    flow = FLOWS[name]
    for word in ("transfer", "escalate"):
        step = flow.steps.get(flow.outcomes.get(word, ""))
        if step is not None:
            assert isinstance(step, Transfer), word
            assert step.warm is not None, f"{word}: the agent stays until somebody is there"
            assert step.name in flow.agents.transfers
            assert step.extension == "1000"
