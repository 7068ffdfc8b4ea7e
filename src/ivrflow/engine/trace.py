"""What happened on a call, line by line, each with its place in the flow: the evidence verdicts are given on.

Times are seconds since the call arrived. Keyed digits stand only in `key`; words for people never contain them.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Fact(StrEnum):
    """The kinds of trace line."""

    ARRIVED = "call arrived"
    ORDERED = "call ordered"
    NOT_PLACED = "call not placed"
    DIALLING = "dialling"
    NOT_ANSWERED = "not answered"
    ANSWERED = "answered"
    STEP_ENTERED = "step entered"
    LADDER_BEGUN = "ladder begun"
    PHRASE_STARTED = "phrase started"
    PHRASE_ENDED = "phrase ended"
    WAIT_BEGUN = "wait begun"
    WAIT_USED_UP = "wait used up"
    LADDER_LEFT = "ladder left"
    LADDER_USED_UP = "ladder used up"
    LADDER_PAUSED = "ladder paused"
    KEY_PRESSED = "key pressed"
    DIGITS_COLLECTED = "digits collected"
    SPEECH_STARTED = "speech started"
    SPEECH_ENDED = "speech ended"
    SIGNAL_GIVEN = "signal given"
    TASK_ASKED = "task asked"
    TASK_DONE = "task done"
    HOLD_BEGUN = "hold begun"
    HOLD_OVER = "hold over"
    RINGING = "ringing"
    AGENT_ANSWERED = "agent answered"
    AGENT_UNAVAILABLE = "agent unavailable"
    AGENT_LEFT = "agent left"
    QUEUED = "queued"
    QUEUE_MOVED = "queue moved"
    LEVEL_RAISED = "next level asked"
    LEVEL_KEPT = "level kept"
    AGENT_HOLDS = "agent holds"
    AGENT_BACK = "agent back"
    PARTED = "parted"
    JOINED = "joined"
    ORDER_GIVEN = "order given"
    RECORDING = "recording"
    MESSAGE_RECORDED = "message recorded"
    MESSAGE_KEPT = "message kept"
    SCORED = "scored"
    CALLBACK_ORDERED = "callback ordered"
    ENQUIRED = "enquired"
    ENQUIRY_OVER = "enquiry over"
    SITUATION_STARTED = "situation started"
    SITUATION_FOLLOWED = "situation followed"
    SITUATION_OVER = "situation over"
    PROMISE_MADE = "promise made"
    PROMISE_JOINED = "promise joined"
    HEARING_LOST = "hearing lost"
    HEARING_RESTORED = "hearing restored"
    LIMIT_REACHED = "limit reached"
    IGNORED = "ignored"
    CALLER_HUNG_UP = "caller hung up"
    LINE_LOST = "line lost"
    ENDED = "call ended"
    HANDED_OVER = "handed to the fallback"


AGENT_GONE = "the agent is gone"
"""How a situation is over that only the agent could have gone on with."""


class TraceLine(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One line of a call's trace.

    Attributes:
        at: seconds since the call arrived.
        fact: what happened.
        step: the flow step (or situation) the call stood in.
        rule: id of the documented rule concerned.
        also_rule: a second rule the same phrase obeys.
        rung: position of the rung within its rule (or ladder), counted from 1; 0 when on none.
        phrase: key of the phrase concerned.
        detail: what else there is to say, in words fit for anybody's eyes.
        key: the key pressed; personal.
        seconds: a length that belongs to the fact: a wait's chosen length, a prompt's duration.
        where: place in the flow or standard, "file:line:column".
        local: on the call's first line the local time, "2026-10-01T10:00:00+08:00".
        day: on the call's first line the public holiday it is, "国庆"; empty on other days.
    """

    at: float
    fact: Fact
    step: str = ""
    rule: str = ""
    also_rule: str = ""
    rung: int = 0
    phrase: str = ""
    detail: str = ""
    key: str = ""
    seconds: float | None = None
    where: str = ""
    local: str = ""
    day: str = ""


class Judgement(StrEnum):
    """What a rule's verdict can be."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_APPLICABLE = "not applicable"


class WaitSeen(msgspec.Struct, frozen=True, gc=False):
    """One documented wait as it was observed: all in seconds."""

    least: float
    most: float
    observed: float
    rung: int


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """One rule's verdict on one call.

    Attributes:
        rule: the rule's id, "gov12345/silent_call".
        judgement: kept, broken, or not applicable (its situation did not arise).
        expected: what the standard asks for, in words.
        observed: what happened, in words; for a broken rule, what was wrong.
        waits: every documented wait that was run to its end or cut short by nothing the standard names.
        evidence: indexes of the trace lines the verdict rests on.
    """

    rule: str
    judgement: Judgement
    expected: str
    observed: str
    waits: tuple[WaitSeen, ...] = ()
    evidence: tuple[int, ...] = ()
