"""What was observed while a scenario was played, and what is to be said about it.

Every time is in seconds since the caller's call was answered, on the clock of whoever observed it: the caller's packets
for what was heard, the engine's trace for what it did. `EngineSide.answered_at` ties the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from ivrflow.engine import messages as m
from ivrflow.engine.trace import TraceLine, Verdict
from ivrflow.flow.problems import Location
from ivrflow.scenario.script import HungUpFirst, Scenario, Stage

CLOCKS_APART_S = 0.06
"""Seconds by which a wait on the wire and the same wait in the engine may differ before that is worth a word."""

SoundKind: TypeAlias = Literal["phrase", "music", "tone", "unknown"]


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that was heard.

    Attributes:
        kind: a phrase; hold music; a tone (ringing, busy, a test tone); a sound that is none of these.
        name: the phrase's key; "440 Hz" for a tone; empty otherwise.
        start: second of its first sample.
        end: second of its last sound.
        completeness: share of the phrase's sound that was heard, 0 to 1; 1 for what has no end of its own.
        correlation: how well that share matched, 0 to 1; 1 on the simulator.
        length: seconds the whole recording takes, from first to last sample; for other sounds, how long it was heard.
        text: what a speech recogniser understood, when one was asked.
        tail: seconds of the recording that follow on the last sound heard: its quiet end, or what was cut off. None
            where nobody looked: then what `length` leaves. A sender that slipped makes the two differ.
    """

    kind: SoundKind
    name: str
    start: float
    end: float
    completeness: float = 1.0
    correlation: float = 1.0
    length: float = 0.0
    text: str = ""
    tail: float | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """Something a phone did: what, in words without digits or numbers (`keys` holds those), from when to when."""

    what: str
    start: float
    end: float
    where: Location
    keys: str = ""


@dataclass(frozen=True, slots=True)
class GaveUp:
    """A step that never came to its end: what the phone was waiting for, and since when."""

    waiting_for: str
    since: float
    at: float
    where: Location


@dataclass(frozen=True, slots=True)
class SipLine:
    """One SIP message of a phone: `direction` is "out" or "in"; `summary` its first line and CSeq, `text` all of it."""

    at: float
    direction: Literal["in", "out"]
    summary: str
    text: str


@dataclass(frozen=True, slots=True)
class PhoneSide:
    """One phone's part of a call.

    Attributes:
        name: "caller", or the agent's extension.
        rang_at: when it began to ring (agents); None when it never did.
        answered_at: 0 for the caller; None when it was never answered.
        ended_at: when its call ended; None when it never began.
        ended_by: this phone, the PBX, or nobody (nobody answered, or the PBX vanished).
        heard: in order. On the simulator: what the engine had played to its end or its cut.
        acts: what it did, in order.
        gave_up: where its script got stuck; None when it came through.
        sip: its signalling.
        audio: what it heard (left) and said (right) as a sound file; None when that was not kept.
        audio_from: second at which that sound file begins.
        trouble: why this phone could not play its part, in one sentence; empty when it could.
    """

    name: str
    rang_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    ended_by: Literal["phone", "peer", "nobody"] | None = None
    heard: tuple[Heard, ...] = ()
    acts: tuple[Act, ...] = ()
    gave_up: GaveUp | None = None
    sip: tuple[SipLine, ...] = ()
    audio: Path | None = None
    audio_from: float = 0.0
    trouble: str = ""


Noted: TypeAlias = m.KeepMessage | m.NoteScore | m.OrderCallback


def noted_among(actions: Iterable[m.Action]) -> tuple[Noted, ...]:
    """What a call left behind, of all that the engine asked for; whom a callback rings is left out."""
    return tuple(
        m.OrderCallback(action.number, "", action.flow, action.made_at, action.due_at, action.tries, action.retry_after)
        if isinstance(action, m.OrderCallback)
        else action
        for action in actions
        if isinstance(action, m.KeepMessage | m.NoteScore | m.OrderCallback)
    )


@dataclass(frozen=True, slots=True)
class EngineSide:
    """The same call as the engine tells it.

    Attributes:
        call: its id in the journal; empty on the simulator.
        answered_at: second of the trace at which the line was open; what it and `PhoneSide` call 0 is the same moment.
        trace: the trace, its times in seconds since the call arrived.
        verdicts: one per rule.
        outcome: the flow's word for its end.
        hung_up_first: who.
        noted: the messages it kept, the scores it noted and the callbacks it ordered; without numbers and values.
    """

    call: str
    answered_at: float
    trace: tuple[TraceLine, ...]
    verdicts: tuple[Verdict, ...]
    outcome: str | None
    hung_up_first: HungUpFirst | None
    noted: tuple[Noted, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything about one play of a scenario.

    Attributes:
        stage: where.
        caller: the caller's side.
        agents: by extension.
        engine: None when there was no journal to look into.
        leaks: what was left behind after the call: channels, live calls, in words.
        stalls: (from, seconds): when this machine, or the PBX, stood still for longer than 100 ms.
    """

    stage: Stage
    caller: PhoneSide
    agents: Mapping[str, PhoneSide] = field(default_factory=dict)
    engine: EngineSide | None = None
    leaks: tuple[str, ...] = ()
    stalls: tuple[tuple[float, float], ...] = ()


FindingKind: TypeAlias = Literal[
    "not heard", "cut", "not cut", "unexpected", "never", "pause", "ended", "outcome", "verdict", "promise", "length",
    "gave up", "noted",
    "clocks", "leak", "trouble", "transcript",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was not as the scenario says.

    Attributes:
        kind: what sort of thing.
        where: the line of the scenario it goes against.
        expected: in words.
        observed: in words.
        at: second of the call it happened at, for the picture; None when there is no one second.
        fails: whether the scenario has failed by it; clocks apart and the like are only worth a word.
    """

    kind: FindingKind
    where: Location
    expected: str
    observed: str
    at: float | None = None
    fails: bool = True


@dataclass(frozen=True, slots=True)
class ClockPair:
    """One documented wait on both clocks, in seconds: None where that side did not see it.

    Attributes:
        rule: whose wait.
        rung: its rung, from 1.
        band: "3 s", "10-30 s": what the rule allows, in words.
        least: seconds the rule allows at least.
        most: and at most.
        engine: from the end of the phrase to what came next, in the engine.
        wire: the same in the caller's packets.
        at: second (wire, else engine) at which the wait began, for the picture.
    """

    rule: str
    rung: int
    band: str
    least: float
    most: float
    engine: float | None
    wire: float | None
    at: float

    @property
    def apart(self) -> float | None:
        """By how many seconds wire and engine differ."""
        return None if self.engine is None or self.wire is None else self.wire - self.engine


ResultWord: TypeAlias = Literal["passed", "failed", "not run"]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one scenario on one stage.

    Attributes:
        observation: None when it could not be played at all; then `trouble` says why.
        findings: what was not as it should be.
        clocks: the documented waits.
        trouble: why it could not be played, one sentence; empty when it could.
        took: seconds of wall time.
        tries: how often it was played; more than once only when the machine stood still during a failed one.
        skipped: whether it was left out on purpose (`trouble` says why).
    """

    scenario: Scenario
    stage: Stage
    observation: Observation | None
    findings: tuple[Finding, ...] = ()
    clocks: tuple[ClockPair, ...] = ()
    trouble: str = ""
    took: float = 0.0
    tries: int = 1
    skipped: bool = False

    @property
    def word(self) -> ResultWord:
        """The result in a word."""
        if self.skipped:
            return "not run"
        return "failed" if self.trouble or any(finding.fails for finding in self.findings) else "passed"
