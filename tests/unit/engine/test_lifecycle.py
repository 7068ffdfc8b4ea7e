from collections.abc import Callable
from pathlib import Path
from typing import cast, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statemachine.exceptions import TransitionNotAllowed

from ivrflow.engine.lifecycle import CallLifecycle, CallPhase, Transition, WrongPhase, mermaid

REACH: dict[str, list[str]] = {
    "arriving": [],
    "dialling": ["dial"],
    "conversing": ["answer"],
    "queued": ["answer", "join_queue"],
    "ringing": ["answer", "ring_agent"],
    "bridged": ["answer", "ring_agent", "agent_answers"],
    "held": ["answer", "ring_agent", "agent_answers", "hold"],
    "closing": ["answer", "begin_closing"],
    "awaiting hangup": ["answer", "begin_closing", "await_hangup"],
    "over": ["end"],
}
ALLOWED: dict[str, dict[str, str]] = {
    "arriving": {"dial": "dialling", "answer": "conversing", "end": "over"},
    "dialling": {"answer": "conversing", "end": "over"},
    "conversing": {"join_queue": "queued", "ring_agent": "ringing", "begin_closing": "closing", "end": "over"},
    "queued": {"agent_answers": "bridged", "agent_is_gone": "conversing", "end": "over"},
    "ringing": {
        "agent_answers": "bridged",
        "agent_is_gone": "conversing",
        "colleague_is_gone": "bridged",
        "end": "over",
    },
    "bridged": {"hold": "held", "ring_agent": "ringing", "agent_is_gone": "conversing", "end": "over"},
    "held": {"take_back": "bridged", "ring_agent": "ringing", "agent_is_gone": "conversing", "end": "over"},
    "closing": {"request_arises": "conversing", "await_hangup": "awaiting hangup", "end": "over"},
    "awaiting hangup": {"request_arises": "conversing", "end": "over"},
    "over": {},
}
TRANSITIONS = sorted({transition for allowed in ALLOWED.values() for transition in allowed})


def in_phase(name: str) -> CallPhase:
    phase = CallPhase()
    for transition in REACH[name]:
        phase.take(cast("Transition", transition))
    assert phase.name == name
    return phase


@pytest.mark.parametrize("name", REACH)
@pytest.mark.parametrize("transition", TRANSITIONS)
def test_each_transition_is_taken_or_refused_in_each_phase(name: str, transition: Transition) -> None:
    phase = in_phase(name)
    leads_to = ALLOWED[name].get(transition)
    if leads_to:
        phase.take(transition)
        assert phase.name == leads_to
    else:
        with pytest.raises(WrongPhase, match=f"{transition} is not allowed while {name}"):
            phase.take(transition)
        assert phase.name == name
    assert phase.is_over == (phase.name == "over")


def test_the_names_of_the_transitions_are_those_of_the_machine() -> None:
    assert sorted(get_args(Transition)) == sorted(event.id for event in CallLifecycle().events) == TRANSITIONS


@given(st.lists(st.sampled_from(TRANSITIONS), max_size=12))
def test_a_call_walks_exactly_as_the_machine_does(transitions: list[str]) -> None:
    machine, phase = CallLifecycle(), CallPhase()
    for transition in transitions:
        go: Callable[[], object] = getattr(machine, transition)
        try:
            go()
        except TransitionNotAllowed:
            with pytest.raises(WrongPhase):
                phase.take(cast("Transition", transition))
        else:
            phase.take(cast("Transition", transition))
        assert {state.id.replace("_", " ") for state in machine.configuration} == {phase.name}


def test_the_diagram_shows_every_transition_once() -> None:
    drawn = [line.strip() for line in mermaid().splitlines() if "-->" in line]
    named = [
        f"{phase.replace(' ', '_')} --> {target.replace(' ', '_')}: {transition.replace('_', ' ')}"
        for phase, allowed in ALLOWED.items()
        for transition, target in allowed.items()
    ]
    assert sorted(line for line in drawn if "[*]" not in line) == sorted(named)
    assert "[*] --> arriving" in drawn
    assert "over --> [*]" in drawn


def test_the_documented_diagram_is_not_stale() -> None:
    page = Path(__file__).parents[3] / "docs" / "lifecycle.md"
    assert f"```mermaid\n{mermaid()}\n```" in page.read_text(encoding="utf-8"), (
        "docs/lifecycle.md is stale: paste what "
        "`python -c 'from ivrflow.engine.lifecycle import mermaid; print(mermaid())'` prints"
    )
