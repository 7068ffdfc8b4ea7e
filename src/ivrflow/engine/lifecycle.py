"""The phases of any call, by python-statemachine: what may not happen in a phase is refused.

The diagram in docs/lifecycle.md is drawn from it by `mermaid`.

Used for phases only: strict `StateMachine`, synchronous, no delayed events, no timeouts, no sends inside a callback.
"""

from __future__ import annotations

from statemachine import State, StateMachine
from statemachine.exceptions import TransitionNotAllowed


class CallLifecycle(StateMachine):
    """Arriving – conversing – (ringing – bridged) – closing – awaiting hang-up – over."""

    arriving = State(initial=True)
    conversing = State()
    ringing = State()
    bridged = State()
    closing = State()
    awaiting_hangup = State()
    over = State(final=True)

    answer = arriving.to(conversing)
    ring_agent = conversing.to(ringing)
    agent_answers = ringing.to(bridged)
    agent_is_gone = ringing.to(conversing) | bridged.to(conversing)
    begin_closing = conversing.to(closing)
    request_arises = closing.to(conversing) | awaiting_hangup.to(conversing)
    await_hangup = closing.to(awaiting_hangup)
    end = (
        arriving.to(over)
        | conversing.to(over)
        | ringing.to(over)
        | bridged.to(over)
        | closing.to(over)
        | awaiting_hangup.to(over)
    )

    @property
    def phase(self) -> str:
        """The phase the call is in, as the field says it: "awaiting hangup"."""
        return next(iter(self.configuration)).id.replace("_", " ")


def mermaid() -> str:
    """The lifecycle as a Mermaid state diagram, drawn from its own transitions."""
    lines = ["stateDiagram-v2"]
    lines += [f"    [*] --> {state.id}" for state in CallLifecycle.states if state.initial]
    for state in CallLifecycle.states:
        lines += [
            f"    {state.id} --> {transition.target.id}: {transition.event.replace('_', ' ')}"
            for transition in state.transitions
            if transition.target is not None
        ]
    lines += [f"    {state.id} --> [*]" for state in CallLifecycle.states if state.final]
    return "\n".join(lines)


__all__ = ["CallLifecycle", "TransitionNotAllowed", "mermaid"]
