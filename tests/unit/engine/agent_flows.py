"""Small flows in which agents talk with callers, made by hand like those of `small_flows`."""

from collections.abc import Mapping
from dataclasses import replace

from driven_call import DrivenCall, call
from small_flows import WHERE, ladder, rung, say

from ivrflow.engine import messages as m
from ivrflow.flow.model import (
    HANG_UP,
    AgentOrder,
    AgentOrderKind,
    Agents,
    Ask,
    CallBack,
    CallFlow,
    Ladder,
    Listening,
    Queue,
    QueueLevel,
    Record,
    Transfer,
    Warm,
)


def queue(
    name: str = "queue",
    *announce: str,
    levels: Mapping[str, float] | None = None,
    waiting: Ladder | None = None,
    keys: Mapping[str, str] | None = None,
    thanks_over: float = 60.0,
) -> Queue:
    """A queue that waits 180 s at most; each way out leads to a step of its name, which says so."""
    return Queue(
        name,
        WHERE,
        tuple(QueueLevel(WHERE, level, after) for level, after in (levels or {"agents": 0.0}).items()),
        priority=0,
        announce=announce,
        ladder=waiting or ladder(name=name),
        listening=Listening(frozenset({"key"} if keys else ()), keys=keys or {}),
        most=180.0,
        thanks=("thanks for waiting",),
        thanks_over=thanks_over,
        talk_for=600.0,
        agent_left="agent_left",
        no_answer="no_answer",
        nobody="nobody",
        full="full",
    )


QUEUE_EXITS = tuple(say(name, name) for name in ("agent_left", "no_answer", "nobody", "full"))
"""The steps a queue leads to."""


def colleague(name: str = "colleague", *, warm: bool = True) -> Transfer:
    """A transfer that rings 1002 for 20 s."""
    return Transfer(
        name,
        WHERE,
        "1002",
        ("transferring",),
        20.0,
        600.0,
        "agent_left",
        "no_answer",
        "no_answer",
        "no_answer",
        warm=Warm(WHERE, ("who is coming",), ("thank you for waiting",), ("nobody there",)) if warm else None,
    )


def record(name: str = "message") -> Record:
    """Two minutes at most, one second at least, four of silence end it."""
    return Record(name, WHERE, ("speak now",), 120.0, 4.0, 1.0, "#", "voicemail", "recorded", "nothing")


def ask(name: str = "ask", *, filler: bool = True) -> Ask:
    """Eight seconds at most, a filler after two."""
    return Ask(
        name,
        WHERE,
        "https://crm.example/cases",
        ("number", "caller"),
        {"surname": "name"},
        "state",
        {"open": "open"},
        ("one moment",) if filler else (),
        2.0,
        8.0,
        "done",
        "late",
        "wrong",
        "failed",
    )


def call_back(name: str = "callback", number: str = "number") -> CallBack:
    """Within a day, numbers that begin with 1."""
    return CallBack(name, WHERE, number, "placing", ("1*",), 24.0, 3, 900.0, "noted", "undiallable")


def with_agents(
    flow: CallFlow, *transfers: str, hold: str = "", codes: Mapping[str, tuple[AgentOrderKind, str]] | None = None
) -> CallFlow:
    """The flow, with what its agents can do."""
    orders = {code: AgentOrder(kind, WHERE, name) for code, (kind, name) in (codes or {}).items()}
    return replace(flow, agents=Agents(orders, hold, transfers))


def talking(flow: CallFlow, *, after: float = 5.0) -> DrivenCall:
    """A call whose first step rings or queues, answered after so many seconds."""
    seeking = call(flow)
    while seeking.playing:
        seeking.prompt_ends()
    seeks = [action.ticket for action in seeking.actions if isinstance(action, m.Ring | m.JoinQueue)]
    return seeking.happens(m.AgentAnswered(ticket=seeks[-1], agent="1001", rang=3.0), after)


__all__ = [
    "HANG_UP",
    "QUEUE_EXITS",
    "ask",
    "call_back",
    "colleague",
    "queue",
    "record",
    "rung",
    "talking",
    "with_agents",
]
