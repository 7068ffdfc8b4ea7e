from collections.abc import Callable
from pathlib import Path

import pytest

from ivrflow.engine.lifecycle import CallLifecycle, TransitionNotAllowed, mermaid

REACH: dict[str, list[str]] = {
    "arriving": [],
    "conversing": ["answer"],
    "ringing": ["answer", "ring_agent"],
    "bridged": ["answer", "ring_agent", "agent_answers"],
    "closing": ["answer", "begin_closing"],
    "awaiting hangup": ["answer", "begin_closing", "await_hangup"],
    "over": ["end"],
}
ALLOWED: dict[str, dict[str, str]] = {
    "arriving": {"answer": "conversing", "end": "over"},
    "conversing": {"ring_agent": "ringing", "begin_closing": "closing", "end": "over"},
    "ringing": {"agent_answers": "bridged", "agent_is_gone": "conversing", "end": "over"},
    "bridged": {"agent_is_gone": "conversing", "end": "over"},
    "closing": {"request_arises": "conversing", "await_hangup": "awaiting hangup", "end": "over"},
    "awaiting hangup": {"request_arises": "conversing", "end": "over"},
    "over": {},
}
TRANSITIONS = sorted({transition for allowed in ALLOWED.values() for transition in allowed})


def lifecycle_in(phase: str) -> CallLifecycle:
    lifecycle = CallLifecycle()
    for transition in REACH[phase]:
        take(lifecycle, transition)
    assert lifecycle.phase == phase
    return lifecycle


def take(lifecycle: CallLifecycle, transition: str) -> None:
    go: Callable[[], object] = getattr(lifecycle, transition)
    go()


@pytest.mark.parametrize("phase", REACH)
@pytest.mark.parametrize("transition", TRANSITIONS)
def test_each_transition_is_taken_or_refused_in_each_phase(phase: str, transition: str) -> None:
    lifecycle = lifecycle_in(phase)
    leads_to = ALLOWED[phase].get(transition)
    if leads_to:
        take(lifecycle, transition)
        assert lifecycle.phase == leads_to
    else:
        with pytest.raises(TransitionNotAllowed):
            take(lifecycle, transition)
        assert lifecycle.phase == phase


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
