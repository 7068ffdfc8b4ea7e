"""How the people of a scenario behave towards the simulator: who is rung, who is an agent of a queue, from when to when."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import assert_never

from ivrflow.flow.model import Queue
from ivrflow.scenario.script import AgentPart, Scenario
from ivrflow.simulator.agents import Agent, Manner
from ivrflow.simulator.called import Called
from ivrflow.simulator.queues import SimulatedQueue

NOBODY = Agent("unreachable", talks=math.inf, works=math.inf)
"""An extension without a phone in the scenario. A task takes until somebody says that it is done."""


def called_as(part: AgentPart) -> Called:
    """How the caller's telephone rings on a call we place."""
    match part.manner:
        case "answers" | "busy":
            return Called(part.manner, part.after)
        case "declines":
            return Called("refuses", part.after)
        case "rings_on":
            return Called("away")
        case "unreachable":
            return Called("unreachable", part.after)
        case _:
            assert_never(part.manner)


def agent_as(part: AgentPart) -> Agent:
    """How the simulator's agent behaves until the performer has the phone in its hand."""
    if (manner := manner_at(part, -math.inf)) in {"paused", "logged_out"}:
        return Agent(manner, part.after, talks=math.inf, works=math.inf, rings=part.after)
    match part.manner:
        case "answers":
            return Agent("answers", part.after, talks=math.inf, works=math.inf, rings=part.after)
        case "busy" | "declines":
            return Agent("busy", part.after)
        case "rings_on":
            return Agent("away")
        case "unreachable":
            return NOBODY
        case _:
            assert_never(part.manner)


def queues_of(scenario: Scenario) -> dict[str, SimulatedQueue]:
    """Every queue of the flow, with the agents the scenario has in it."""
    steps = scenario.flow.steps.values()
    names = {level.queue for step in steps if isinstance(step, Queue) for level in step.levels}
    return {
        name: SimulatedQueue(
            tuple(part.extension for part in scenario.agents if part.queues and name in part.queues.names)
        )
        for name in names
    }


def comings_and_goings(part: AgentPart) -> list[tuple[float, Manner]]:
    """When an agent's state in the queues changes during the call, and how."""
    if part.queues is None:
        return []
    there = agent_as(replace(part, queues=None)).manner
    changes: list[tuple[float | None, Manner]] = [
        (part.queues.logs_in, there),
        (part.queues.pauses, "paused"),
        (part.queues.back, there),
        (part.queues.logs_out, "logged_out"),
    ]
    return sorted((second, manner) for second, manner in changes if second is not None and second > 0)


def manner_at(part: AgentPart, second: float) -> Manner | None:
    """The state of an agent's membership at that second; None for an agent of no queue."""
    if part.queues is None:
        return None
    manner: Manner = "answers"
    if part.queues.logs_in:
        manner = "logged_out"
    elif part.queues.pauses == 0:
        manner = "paused"
    for at, changed in comings_and_goings(part):
        manner = changed if at <= second else manner
    return manner
