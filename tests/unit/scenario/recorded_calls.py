"""Calls of the simulator as the journal would have stored them."""

from __future__ import annotations

from collections.abc import Iterable

from hotline_scenarios import GOV

from ivrflow.engine import messages as m
from ivrflow.flow.model import CallFlow
from ivrflow.runtime.journal_reader import CallSummary, Happening, StoredCall
from ivrflow.simulator.agents import AgentChange
from ivrflow.simulator.caller_commands import Command, TellAgent
from ivrflow.simulator.simulation import Simulation

FRIDAY_AT_TEN = 1_795_140_000.0


def call(*commands: Command, flow: CallFlow = GOV, agent: AgentChange | None = None) -> Simulation:
    """A call on which that was done."""
    simulation = Simulation(flow, arrived_at=FRIDAY_AT_TEN)
    for command in ([TellAgent(agent)] if agent else []) + list(commands):
        simulation.caller(command)
    return simulation


def stored(simulation: Simulation, *, happenings: Iterable[Happening] | None = None, missing: int = 0) -> StoredCall:
    """What the journal has of it."""
    session = simulation.session
    lines = (Happening(number, one.at, one.event, one.actions) for number, one in enumerate(simulation.record, 1))
    happened = tuple(lines if happenings is None else happenings)
    summary = CallSummary(
        call="1795140000.17",
        flow=session.flow.id,
        arrived_at=FRIDAY_AT_TEN,
        lasted=happened[-1].at - happened[0].at,
        caller="",
        outcome=session.outcome or None,
        ended_by=session.first_to_hang_up if session.is_over else None,
        kept=(),
        broken=(),
    )
    return StoredCall(
        summary=summary,
        source=session.flow.source,
        prompts=session.flow.prompts,
        phrases={},
        happenings=happened,
        missing=missing,
        trace=tuple(session.trace) if session.is_over else (),
        verdicts=session.verdicts if session.is_over else (),
    )


def events(
    *timed: tuple[float, m.CallEvent], actions: dict[int, tuple[m.Action, ...]] | None = None
) -> list[Happening]:
    """Happenings made by hand; `actions` by their numbers, from 1."""
    answers = actions or {}
    return [Happening(number, at, event, answers.get(number, ())) for number, (at, event) in enumerate(timed, 1)]
