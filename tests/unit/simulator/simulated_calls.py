"""Calls to the small hotline on a virtual clock: each phrase takes two seconds."""

from datetime import datetime

from small_flows import hotline

from ivrflow.simulator.agents import Agent, AgentChange
from ivrflow.simulator.call_file import place_call
from ivrflow.simulator.caller import Vocabulary
from ivrflow.simulator.simulation import Simulation

TEN_IN_THE_MORNING = datetime(2026, 11, 20, 10, 0)  # noqa: DTZ001 - local to the flow
HOTLINE = hotline()
VOCABULARY = Vocabulary.of(HOTLINE)


def a_call(*agents: AgentChange) -> Simulation:
    """A call that has just been answered: "good day", then the silent-call ladder of step welcome."""
    return place_call(HOTLINE, TEN_IN_THE_MORNING, agents)


def a_call_with(**agents: Agent) -> Simulation:
    """The same, with the agents behind extensions: `_1001=Agent("busy")`; `_` is everybody."""
    return Simulation(HOTLINE, agents={name.removeprefix("_"): agent for name, agent in agents.items()})
