"""What a scenario file says: who calls which number, what every phone does, what must be heard, what must come of it.

A script is a list of steps done one after the other. Each step but the first begins at the *moment* the step before it
ended: `hear` ends when the phrase's last sound was heard, `say` and `press` when the last frame was sent, `wait` when its
seconds are over. So timings never add up errors: they count from what was really heard. When the steps are used up the
caller stays silent until the call is over, and an agent talks on until somebody hangs up. All times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from ivrflow.engine.trace import Judgement
from ivrflow.flow.model import Band, CallFlow
from ivrflow.flow.problems import Location
from ivrflow.softphone.audio_source import AudioSource

RECOGNISED_AFTER_S = 0.6
"""Seconds of a phrase that must have been heard before anybody can know which one it is."""

HEARD_AT_LEAST = 0.7
"""Share of a phrase that counts as having heard it, where the script does not say."""

PATIENCE_S = 30.0
"""Seconds for which a phone waits for a phrase, beyond the pause the script expects, before it gives up."""


# ── what happens at a phone ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Hear:
    """The phrase is heard to its end; the step ends with its last sound.

    Attributes:
        phrase: the phrase's key, "gov12345/silent_call.greeting".
        at_least: share of its sound that must be heard, 0 to 1.
        within: seconds for which the phone waits for it to begin.
    """

    phrase: str
    where: Location
    at_least: float = HEARD_AT_LEAST
    within: float = PATIENCE_S


@dataclass(frozen=True, slots=True)
class HearStart:
    """The phrase begins; the step's moment is its first sound, known `RECOGNISED_AFTER_S` later.

    What the phone does next may cut it; so it need not be heard to its end.

    Attributes:
        at_most: share of its sound that may be heard before it must be cut; 1 when it may go on to its end.
        at_least: share of its sound that must be heard in the end, when what the phone does next must not cut it.
    """

    phrase: str
    where: Location
    at_most: float = 1.0
    within: float = PATIENCE_S
    at_least: float = 0.0


@dataclass(frozen=True, slots=True)
class HearMusic:
    """Hold music begins."""

    where: Location
    within: float = PATIENCE_S


@dataclass(frozen=True, slots=True)
class Pause:
    """How long it is quiet between the phrase before and the one after: an expectation, not a doing.

    Where the caller's script names no phrase after it, it ends with the call, which the other side ends (`last_pause`).

    Attributes:
        band: the seconds allowed, before `tolerance`.
        tolerance: seconds by which a pause may be off and still be right.
        rule: id of the rule the band was taken from ("as the rule says"); empty when the script gives seconds.
    """

    band: Band
    where: Location
    tolerance: float
    rule: str = ""


@dataclass(frozen=True, slots=True)
class HearNothing:
    """For so many seconds from the moment of the step before nothing is heard: no phrase, no music, nobody."""

    seconds: float
    where: Location


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for so many seconds, counted from the moment of the step before."""

    seconds: float
    where: Location


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Do nothing until so many seconds after this phone's call was answered."""

    second: float
    where: Location


@dataclass(frozen=True, slots=True)
class Say:
    """Say something.

    Attributes:
        phrase: key of a phrase of the flow, spoken in its recorded voice; empty when `file` or `seconds` says what.
        file: a sound file, absolute; None when there is none.
        seconds: how long it takes: of the recording, or of plain made-up speech when there is neither phrase nor file.
        must_be_heard: whether the other side must hear it: caller and agent are joined.
    """

    seconds: float
    where: Location
    phrase: str = ""
    file: Path | None = None
    must_be_heard: bool = False


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys, one after the other."""

    keys: str
    where: Location
    hold_ms: int = 100
    gap_ms: int = 100


@dataclass(frozen=True, slots=True)
class Background:
    """What the microphone picks up from now on while nothing is said."""

    source: AudioSource
    where: Location


@dataclass(frozen=True, slots=True)
class Hold:
    """Put the other side on hold (re-INVITE).

    Attributes:
        is_inactive: whether the telephone says `inactive` instead of the usual `sendonly`.
    """

    where: Location
    is_inactive: bool = False


@dataclass(frozen=True, slots=True)
class Resume:
    """Take it off hold."""

    where: Location


@dataclass(frozen=True, slots=True)
class HangUp:
    """Hang up; nothing can follow."""

    where: Location


@dataclass(frozen=True, slots=True)
class Order:
    """Something an agent tells ivrflow about the call, without a sound.

    Attributes:
        what: start the situation `word`; take it back; give the signal `word`; the task is done; the placeholder
            `word` has the value `value`; send the caller to the transfer step `word`.
    """

    what: Literal["situation", "cancel", "signal", "done", "value", "transfer"]
    where: Location
    word: str = ""
    value: str = ""


Step: TypeAlias = (
    Hear
    | HearStart
    | HearMusic
    | HearNothing
    | Pause
    | Wait
    | WaitUntil
    | Say
    | Press
    | Background
    | Hold
    | Resume
    | HangUp
    | Order
)


def last_pause(steps: Sequence[Step]) -> Pause | None:
    """The pause between the last phrase of a script and the end of the call; None where the script has none."""
    for step in reversed(steps):
        if isinstance(step, Pause):
            return step
        if isinstance(step, Hear | HearStart | HearMusic | HangUp):
            return None
    return None


@dataclass(frozen=True, slots=True)
class InQueues:
    """The queues whose calls an agent takes, and from when to when. Seconds after the caller's call was answered.

    Attributes:
        names: of the queues.
        logs_in: when the agent logs in; None: before the call.
        logs_out: when the agent logs out; None: after the call.
        pauses: when the agent pauses, 0 for before the call; None: never.
        back: when the agent takes the pause back; None: never.
    """

    names: tuple[str, ...]
    where: Location
    logs_in: float | None = None
    logs_out: float | None = None
    pauses: float | None = None
    back: float | None = None


@dataclass(frozen=True, slots=True)
class AgentPart:
    """One agent: a further SIP phone.

    Attributes:
        extension: also the name of its SIP account.
        manner: answers after `after` seconds of ringing; refuses (busy, declines) after them; lets it ring; or its
            phone is not there at all.
        steps: what is done from the answer on.
        queues: whose calls it takes; None for an agent whom only transfers ring.
    """

    extension: str
    manner: Literal["answers", "busy", "declines", "rings_on", "unreachable"]
    where: Location
    after: float = 0.0
    steps: tuple[Step, ...] = ()
    queues: InQueues | None = None


@dataclass(frozen=True, slots=True)
class OtherSide:
    """What comes of a look-up of the flow.

    Attributes:
        ending: there is an answer; what comes is none that can be understood; an error comes back; nothing ever comes.
        after: seconds until then.
        answer: the fields of the answer.
    """

    ending: Literal["answers", "wrong", "fails", "never"]
    where: Location
    after: float = 0.0
    answer: Mapping[str, str] = field(default_factory=dict)


# ── what must come of it ──────────────────────────────────────────────────────────────────────────────────────────────

NEVER_TALKED = frozenset({"no_answer", "busy", "refused", "unreachable", "cancelled", "quiet_hours", "not_allowed"})
"""Outcomes of calls we place in which nobody ever talks."""

HungUpFirst: TypeAlias = Literal["caller", "ivrflow", "agent", "nobody"]


@dataclass(frozen=True, slots=True)
class ExpectedVerdict:
    """The verdict a rule must get."""

    judgement: Judgement
    where: Location


@dataclass(frozen=True, slots=True)
class PromisedTime:
    """When what was promised is due: after hours, at the end of a working day, or nothing may be promised."""

    hours: float | None = None
    working_days: int | None = None

    @property
    def is_never(self) -> bool:
        """Whether nothing may be promised."""
        return self.hours is None and self.working_days is None

    def __str__(self) -> str:
        if self.working_days is not None:
            return f"{self.working_days} working day{'' if self.working_days == 1 else 's'}"
        return "never" if self.hours is None else f"{self.hours:g} h"


NEVER_PROMISED = PromisedTime()


@dataclass(frozen=True, slots=True)
class ExpectedPromise:
    """What a rule must promise."""

    time: PromisedTime
    where: Location


@dataclass(frozen=True, slots=True)
class ExpectedMessage:
    """A message that must have been left in a message box; `seconds` its length, None for any."""

    seconds: Band | None
    where: Location


@dataclass(frozen=True, slots=True)
class ExpectedScore:
    """The score that must have been given in a survey; None: none at all."""

    score: int | None
    where: Location


@dataclass(frozen=True, slots=True)
class Expectations:
    """What must be true when the call is over. What is None or empty is not looked at.

    Attributes:
        hung_up_first: who.
        outcome: the flow's word for how the call ended.
        verdicts: by rule id. Whether or not any are listed, no rule may be broken that is not listed as broken.
        never_hear: keys of phrases that must not be heard, each with its place.
        heard_else: whether the caller may also hear phrases the script does not name.
        lasts: seconds from the answer to the end.
        promises: by rule id; what is not listed may be promised or not.
        messages: by message box; None when nobody looks, and empty when nobody may have left one.
        scores: by survey.
        callbacks: names of the flows by which the caller is called back, in their order; None when nobody looks.
        places: where each of these is written, by its name; for what is missing, the whole section.
    """

    hung_up_first: HungUpFirst | None = None
    outcome: str | None = None
    verdicts: Mapping[str, ExpectedVerdict] = field(default_factory=dict)
    never_hear: Mapping[str, Location] = field(default_factory=dict)
    heard_else: bool = False
    lasts: Band | None = None
    promises: Mapping[str, ExpectedPromise] = field(default_factory=dict)
    messages: Mapping[str, ExpectedMessage] | None = None
    scores: Mapping[str, ExpectedScore] = field(default_factory=dict)
    callbacks: tuple[str, ...] | None = None
    places: Mapping[str, Location] = field(default_factory=dict)


Stage: TypeAlias = Literal["pbx", "simulator"]
STAGES: tuple[Stage, ...] = ("simulator", "pbx")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario, checked: every name in it is known, every expectation possible.

    Attributes:
        title: one line for people, unique within a run's report only by `file`.
        file: the file it was read from, as it was named.
        text: that file's text, for reports.
        about: the comment lines at its head.
        flow: what answers, as it is in the tester's own checkout.
        number: what the caller dials; when `called` is there, the number that the flow rings.
        called: how the caller's telephone rings for a call that the flow places; None when the caller calls.
        at: local time of the call in the flow's time zone; None: whatever time it is.
        proves: ids of the rules this scenario is the proof of.
        stages: where it can be played.
        why_not: why it cannot be played on the other one, when `stages` holds only one.
        background: what the caller's microphone picks up from the start.
        caller: what the caller does from the answer on.
        agents: the further phones.
        look_ups: what the other side of a look-up does, by the name of the flow's step.
        expect: what must be true at the end.
        within: seconds for everything, from dialling; then the call is torn down and the scenario has failed.
    """

    title: str
    file: str
    text: str
    about: tuple[str, ...]
    flow: CallFlow
    number: str
    at: datetime | None
    proves: tuple[str, ...]
    stages: tuple[Stage, ...]
    why_not: str
    background: AudioSource
    caller: tuple[Step, ...]
    agents: tuple[AgentPart, ...]
    expect: Expectations
    within: float
    where: Location
    called: AgentPart | None = None
    look_ups: Mapping[str, OtherSide] = field(default_factory=dict)

    @property
    def queues(self) -> frozenset[str]:
        """The queues of the PBX that this scenario has agents in."""
        return frozenset(name for agent in self.agents if agent.queues for name in agent.queues.names)

    @property
    def telephones_rung(self) -> tuple[AgentPart, ...]:
        """Every telephone that ivrflow may ring: the agents', and the caller's when the flow places the call."""
        return (*self.agents, *([self.called] if self.called else []))

    @property
    def is_never_answered(self) -> bool:
        """Whether the caller is to be rung and nobody shall ever talk: nobody picks up, or the hour forbids it."""
        if self.called is None:
            return False
        return self.called.manner != "answers" or self.expect.outcome in NEVER_TALKED
