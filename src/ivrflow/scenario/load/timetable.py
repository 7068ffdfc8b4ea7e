"""A caller's script as a timetable: what to do at which second after the answer, with nobody listening. Pure.

Recognising what is heard is too dear for hundreds of calls at once. But a phrase lasts as long as its recording and a
wait as long as its rule, so the simulator knows beforehand at which second each step of a script falls. A call under load
follows that timetable; a few calls of every load are listened to like any scenario.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ivrflow.flow.problems import FlowError, Problem
from ivrflow.scenario.observation import Observation
from ivrflow.scenario.performer import in_words
from ivrflow.scenario.script import (
    Background,
    HangUp,
    Hear,
    HearMusic,
    HearStart,
    Hold,
    Order,
    Press,
    Resume,
    Say,
    Scenario,
)

REACTION_S = 0.1
"""Seconds by which a step that follows a phrase is done later than predicted: a phrase that begins a little late under
load is then still heard to its end, as a person would hear it."""

EARLY_S = 2.0
"""A call that ends by so many seconds earlier than predicted did not go its way."""

Doing: TypeAlias = Say | Press | Background | Hold | Resume | HangUp


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to do: `at` in seconds since the answer."""

    at: float
    step: Doing


@dataclass(frozen=True, slots=True)
class Timetable:
    """What every call of a load does.

    Attributes:
        entries: in order; entries whose second has passed while the one before was done are done at once.
        ends_at: second at which the call is over when all goes well.
        ended_by: who hangs up then.
        hears: whether anything is to be heard at all.
    """

    entries: tuple[Entry, ...]
    ends_at: float
    ended_by: Literal["phone", "peer"]
    hears: bool

    @property
    def ends_no_earlier_than(self) -> float:
        """Second since the answer before which a call that ends did not go its way."""
        return max(0.0, self.ends_at - EARLY_S)


def timetable(scenario: Scenario, predicted: Observation) -> Timetable:
    """What the caller of `scenario` does when, as the simulator `predicted` it.

    Raises:
        FlowError: it cannot be played under load; says where and why.
    """
    # `hold: 5s` is three steps in one place, so the place alone does not tell them apart.
    steps = {(step.where, in_words(step)): step for step in scenario.caller}
    problems = list(_not_for_load(scenario))
    caller = predicted.caller
    if not problems and caller.gave_up is not None:
        stuck = caller.gave_up
        problems.append(
            Problem(
                stuck.where,
                f"this caller gets stuck here already on the simulator: {stuck.waiting_for}",
                "put the scenario right first: ivrflow scenario run, on the simulator",
            )
        )
    if not problems and (caller.ended_at is None or caller.ended_by not in {"phone", "peer"}):
        problems.append(Problem(scenario.where, "the simulator does not see this call end", "let the caller hang up"))
    if problems:
        raise FlowError(problems)
    assert caller.ended_at is not None
    doings = [(act.start, step) for act in caller.acts if isinstance(step := steps.get((act.where, act.what)), Doing)]
    heard_first = next((step.where for step in scenario.caller if isinstance(step, Hear | HearStart | HearMusic)), None)
    return Timetable(
        tuple(
            Entry(start + REACTION_S if heard_first is not None and heard_first < step.where else start, step)
            for start, step in doings
        ),
        caller.ended_at,
        "phone" if caller.ended_by == "phone" else "peer",
        bool(caller.heard),
    )


def _not_for_load(scenario: Scenario) -> Iterator[Problem]:
    if "pbx" not in scenario.stages:
        yield Problem(scenario.where, "this scenario is for the simulator only", "load needs one that runs on a PBX")
    for agent in scenario.agents:
        if agent.manner != "unreachable":
            yield Problem(
                agent.where,
                "load plays callers only, and this scenario has an agent",
                "take one whose callers never reach an agent; or let the agent be unreachable",
            )
    for step in scenario.caller:
        if isinstance(step, Order):
            yield Problem(step.where, "load gives ivrflow no orders", "take a scenario without this step")
