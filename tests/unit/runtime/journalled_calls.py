"""Calls to put into a journal: a small flow with the shape of the silent-caller standard, walked by the real engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Protocol

from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession
from ivrflow.engine.trace import TraceLine, Verdict
from ivrflow.flow.model import (
    Band,
    CallFlow,
    Climb,
    HangUp,
    Ladder,
    Limits,
    Listening,
    Phrase,
    Prompt,
    PromptCatalogue,
    Rule,
    RuleRung,
    Rung,
    Standard,
    Step,
)
from ivrflow.flow.problems import Location

CALLER = "13912345678"
HONORIFIC = "欧阳女士"


class Record(Protocol):
    def handled(self, at: float, event: m.CallEvent, actions: Sequence[m.Action]) -> None: ...

    def over(self, outcome: str, ended_by: str, trace: Sequence[TraceLine], verdicts: Sequence[Verdict]) -> None: ...


def silent_flow(title: str = "12345 政府服务热线", flow_id: str = "gov12345") -> CallFlow:
    """Three phrases with 3 s, 3-5 s and nothing after them; speech leaves the ladder."""
    texts = ["您好，政府热线，请问有什么可以帮到您？", "您好，您的电话已接通，请讲！", "对不起，听不到您的声音。"]
    waits = [Band(3.0, 3.0), Band(3.0, 5.0), None]
    place = Location("callflows/standards/gov12345.yaml", 216, 9)
    phrases = {f"gov12345/silent.{n}": Phrase(f"gov12345/silent.{n}", text, place) for n, text in enumerate(texts, 1)}
    phrases["gov12345/greet"] = Phrase("gov12345/greet", "{honorific}，您好！", place, ("honorific",), without="您好！")
    keys = list(phrases)[:3]
    rule_rungs = tuple(RuleRung(place, say=key, wait=wait) for key, wait in zip(keys, waits, strict=True))
    rule = Rule("gov12345/silent_call", "silent_call", "nobody speaks", rule_rungs, "hangup", {}, "", place)
    other = Rule("gov12345/noise", "noise", "it is loud", rule_rungs, "hangup", {}, "", place)
    rungs = tuple(
        Rung(place, say=key, wait=wait.most if wait else 0.0, band=wait, rule="gov12345/silent_call")
        for key, wait in zip(keys, waits, strict=True)
    )
    prompts: dict[tuple[str, tuple[tuple[str, str], ...]], Prompt] = {
        (key, ()): Prompt(key.replace(".", "_"), phrases[key].text, 1.0 + n / 8, 900) for n, key in enumerate(keys)
    }
    prompts["gov12345/greet", (("honorific", "女士"),)] = Prompt("gov12345/greet_1", "女士，您好！", 0.9)
    standard = Standard("gov12345", title, "", place, phrases, {"silent_call": rule, "noise": other})
    climb = Climb(
        "welcome", place, Ladder("silent_call", rungs, "hangup", place), Listening(), left={}, used_up="hang_up"
    )
    steps: dict[str, Step] = {"welcome": climb, "hang_up": HangUp("hang_up", place, "nobody_spoke")}
    return CallFlow(
        id=flow_id,
        title=title,
        numbers=("12345",),
        standard=standard,
        start="welcome",
        steps=steps,
        outcomes={},
        situations={},
        phrases=phrases,
        prompts=PromptCatalogue(prompts),
        limits=Limits(),
        timezone=UTC,
        where=place,
        source={"callflows/gov12345.yaml": f"flow: {flow_id}\ntitle: {title}\n", "standards/gov12345.yaml": "id: …"},
    )


def silent_call(
    flow: CallFlow, record: Record, *, began: float = 1000.1, until: float = 60.0, late: float = 0.0
) -> CallSession:
    """A caller who says nothing, presses 7 once, and hears every phrase to its end.

    Args:
        flow: what to walk.
        record: where it goes.
        began: session time of the arrival.
        until: seconds after which the engine "dies": nothing more is recorded and the call is never over.
        late: seconds by which every deadline is served late.
    """
    session = CallSession(flow)
    now = began
    pending: list[tuple[float, m.CallEvent]] = [
        (now, m.CallArrived(number="12345", arrived_at=1_790_000_000.25, caller=CALLER, values={"name": HONORIFIC})),
        (now + 0.02, m.CallAnswered()),
        (now + 2.5, m.KeyPressed(key="7")),
        (now + 2.6, m.ValuesLearned(values={"honorific": HONORIFIC})),
    ]
    while not session.is_over:
        deadline = session.deadline
        due = min(pending, key=_when) if pending else (float("inf"), m.DeadlineReached())
        if deadline is not None and deadline + late < due[0]:
            due = (deadline + late, m.DeadlineReached())
        else:
            pending.remove(due)
        now, event = due
        if now - began > until:
            return session
        actions = session.handle(event, now)
        record.handled(now, event, actions)
        pending += [
            (now + action.seconds, m.PromptEnded(ticket=action.ticket))
            for action in actions
            if isinstance(action, m.Play)
        ]
    record.over(session.outcome, session.first_to_hang_up, session.trace, session.verdicts)
    return session


_when: Callable[[tuple[float, m.CallEvent]], float] = lambda pair: pair[0]  # noqa: E731 - typed once, used once
