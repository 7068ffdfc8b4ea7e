"""The phases of any call, by python-statemachine: what may not happen in a phase is refused.

`CallLifecycle` is the definition: a strict, synchronous `StateMachine`, for phases only. The diagram in docs/lifecycle.md
is drawn from it by `mermaid`, and `CallPhase` walks the table of its transitions, one small object per call.

Why not one machine object per call: measured, it costs 0.2 ms to make and 0.1 ms per transition (more than all the rest
of a silent call's decisions), 11 KB, and 55 objects for the garbage collector to visit. With a thousand calls waiting a
full collection then stops the process for hundreds of milliseconds, and every rule's timer with it.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from statemachine import State, StateMachine


class CallLifecycle(StateMachine):
    """Arriving (or dialling) – conversing – (queued or ringing – bridged – held) – closing – awaiting hang-up – over."""

    arriving = State(initial=True)
    dialling = State()
    conversing = State()
    queued = State()
    ringing = State()
    bridged = State()
    held = State()
    closing = State()
    awaiting_hangup = State()
    over = State(final=True)

    dial = arriving.to(dialling)
    answer = arriving.to(conversing) | dialling.to(conversing)
    join_queue = conversing.to(queued)
    # From a talk: the agent hands the caller over, and stays until the colleague is there.
    ring_agent = conversing.to(ringing) | bridged.to(ringing) | held.to(ringing)
    agent_answers = ringing.to(bridged) | queued.to(bridged)
    hold = bridged.to(held)
    take_back = held.to(bridged)
    agent_is_gone = ringing.to(conversing) | queued.to(conversing) | bridged.to(conversing) | held.to(conversing)
    colleague_is_gone = ringing.to(bridged)
    begin_closing = conversing.to(closing)
    request_arises = closing.to(conversing) | awaiting_hangup.to(conversing)
    await_hangup = closing.to(awaiting_hangup)
    end = (
        arriving.to(over)
        | dialling.to(over)
        | conversing.to(over)
        | queued.to(over)
        | ringing.to(over)
        | bridged.to(over)
        | held.to(over)
        | closing.to(over)
        | awaiting_hangup.to(over)
    )


Transition: TypeAlias = Literal[
    "dial",
    "answer",
    "join_queue",
    "ring_agent",
    "agent_answers",
    "hold",
    "take_back",
    "agent_is_gone",
    "colleague_is_gone",
    "begin_closing",
    "request_arises",
    "await_hangup",
    "end",
]

_LEADS_TO: dict[tuple[str, str], str] = {
    (state.id, transition.event): transition.target.id
    for state in CallLifecycle.states
    for transition in state.transitions
    if transition.target is not None
}
_FIRST: str = next(state.id for state in CallLifecycle.states if state.initial)
_LAST = frozenset(state.id for state in CallLifecycle.states if state.final)


class WrongPhase(Exception):
    """A transition that is not allowed in the phase the call is in: a bug in the engine."""


class CallPhase:
    """The phase one call is in."""

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state: str = _FIRST

    @property
    def name(self) -> str:
        """The phase as the field says it: "awaiting hangup"."""
        return self._state.replace("_", " ")

    @property
    def is_over(self) -> bool:
        """Whether the call has reached its last phase."""
        return self._state in _LAST

    def take(self, transition: Transition) -> None:
        """Move on. Raises `WrongPhase` where the lifecycle does not allow it; the phase is then what it was."""
        try:
            self._state = _LEADS_TO[self._state, transition]
        except KeyError:
            raise WrongPhase(f"{transition} is not allowed while {self.name}") from None


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
