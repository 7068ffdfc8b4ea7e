"""One hotline: steps, situations, limits, and whom it may ring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Literal, TypeAlias

from ivrflow.flow.days import Calendar
from ivrflow.flow.model.ladders import WHEN, Follow, Ladder, Wording
from ivrflow.flow.model.phrases import DEFAULT_VOICE, Phrase, PromptCatalogue
from ivrflow.flow.model.standards import Standard
from ivrflow.flow.model.steps import Climb, Close, Menu, Queue, Say, Step
from ivrflow.flow.problems import Location


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that end in a worded outcome, never in an exception.

    Attributes:
        call_length: seconds from arrival to a forced end.
        visits_per_step: how often one call may enter the same step.
        steps_per_event: steps entered in answer to one event (a flow that runs in a circle without waiting).
        task_wait: seconds an agent has for a task no standard gives a number for.
        hold_wait: seconds a hold that a code or a situation begins may last, with music, where no standard gives a number;
            one that an agent's telephone begins goes on until it ends there, or the step's `talk_for` is over.
        own_wait: seconds to wait where a standard lets one wait for the caller but gives no number.
        tolerance: seconds a wait may be off the documented band and still count as kept.
        rounds: how often a ladder that goes round ("report progress every 15 s") begins again.
        silence: proven bound of the longest silence a caller can meet while nobody works for them; None: not bounded.
        task_silence: the same with agents' tasks in it.
        to_human: proven bound of the seconds until an agent's telephone begins to ring or the caller stands in a queue;
            None: not bounded.
        nobody_at: steps from which nobody is to be had, on purpose; `to_human` does not hold there.
    """

    call_length: float = 1800.0
    visits_per_step: int = 20
    steps_per_event: int = 50
    task_wait: float = 300.0
    hold_wait: float = 300.0
    own_wait: float = 3.0
    tolerance: float = 0.25
    rounds: int = 20
    silence: float | None = None
    task_silence: float | None = None
    to_human: float | None = None
    nobody_at: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quiet:
    """Minutes of the day from `begins` up to, not including, `ends`, when nobody is rung; may run past midnight."""

    begins: int
    ends: int
    where: Location

    def holds(self, minute: int) -> bool:
        """Whether the minute of the day is a quiet one."""
        if self.begins < self.ends:
            return self.begins <= minute < self.ends
        return minute >= self.begins or minute < self.ends


@dataclass(frozen=True, slots=True)
class PlacesCalls:
    """What a flow that rings people itself is allowed.

    Attributes:
        ladder: one rung that dials; its wait is how many seconds the telephone rings, its rule the documented one.
        quiet: when nobody is rung, by the flow's clock.
        to: who may be rung: digits, or with a `*` behind them how numbers begin.
        start: name of the first step once somebody answers.
    """

    ladder: Ladder
    quiet: tuple[Quiet, ...]
    to: tuple[str, ...]
    start: str
    where: Location

    @property
    def ring_for(self) -> float:
        """Seconds the telephone rings at most."""
        return self.ladder.rungs[0].wait


AgentOrderKind: TypeAlias = Literal["situation", "cancel", "done", "leave", "transfer"]
"""What an agent can order: start a situation; take it back; a task is done; the rung's leave word happened; a transfer."""


@dataclass(frozen=True, slots=True)
class AgentOrder:
    """What a code on an agent's telephone orders.

    Attributes:
        kind: what.
        name: of the situation, or of the transfer step; empty for the others.
    """

    kind: AgentOrderKind
    where: Location
    name: str = ""


@dataclass(frozen=True, slots=True)
class Agents:
    """What agents who talk with a caller of this flow can do.

    Attributes:
        codes: by what is keyed on the telephone during a talk: a star and two digits, "*80".
        hold: the situation that is played when an agent's telephone puts the caller on hold; "" for music only.
        transfers: names of the transfer steps an agent may send a caller to; nobody is sent anywhere else.
        hold_after: seconds of music before that situation begins; who is back by then need not have said a word.
    """

    codes: Mapping[str, AgentOrder] = field(default_factory=dict)
    hold: str = ""
    transfers: tuple[str, ...] = ()
    hold_after: float = 0.0


@dataclass(frozen=True, slots=True)
class CallRecording:
    """That calls are recorded, both sides.

    Attributes:
        announce: phrase keys that say so before it begins.
        whole_call: from the first word on; False: only while caller and agent are joined.
        keep_days: days after which a recording is deleted.
    """

    where: Location
    announce: tuple[str, ...] = ()
    whole_call: bool = False
    keep_days: int = 90


@dataclass(frozen=True, slots=True)
class CallFlow:
    """One hotline's call flow, checked: every name in it resolves, every wait is bounded.

    Attributes:
        id: the flow's name, "gov12345".
        numbers: dialled numbers that lead here.
        start: name of the first step.
        steps: by name; always holds `HANG_UP`.
        outcomes: step per `then` word of the standard ("survey": "close_call"), for situations started by name.
            `RETURN` as target means: back to where the caller was.
        leaves: per situation, step per leave word, where leaving it early does not lead back to where the caller was
            ("colleague_request_personal": {"caller_agrees": "say_goodbye"}).
        situations: every rule of the standard that can happen on a phone line, as a ladder that can be started by name.
        follows: per situation, the one that comes by itself when a caller who was kept waiting in it is back.
        phrases: by key, from the standard and the phrase files the flow uses.
        prompts: which of them exist as audio.
        voice: who speaks; `prompts` holds that voice's already.
        places_calls: what it may do when it rings people itself; None for a flow that is only rung.
        source: the files it was compiled from, name to text: enough to compile it again for a replay.
        wordings: by name, those that the calendar chooses.
        calendar: which kind of day each date is.
        agents: what agents can do on a call.
        recording: how calls are recorded; None: they are not.
    """

    id: str
    title: str
    numbers: tuple[str, ...]
    standard: Standard
    start: str
    steps: Mapping[str, Step]
    outcomes: Mapping[str, str]
    situations: Mapping[str, Ladder]
    phrases: Mapping[str, Phrase]
    prompts: PromptCatalogue
    limits: Limits
    timezone: tzinfo
    where: Location
    leaves: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    follows: Mapping[str, Follow] = field(default_factory=dict)
    places_calls: PlacesCalls | None = None
    source: Mapping[str, str] = field(default_factory=dict)
    voice: str = DEFAULT_VOICE
    wordings: Mapping[str, Wording] = field(default_factory=dict)
    calendar: Calendar = field(default_factory=Calendar)
    agents: Agents = Agents()
    recording: CallRecording | None = None

    @property
    def signals(self) -> frozenset[str]:
        """The words that leave a rung of it somewhere, of a step or of a situation."""
        ladders = [*self.situations.values()]
        ladders += [step.ladder for step in self.steps.values() if isinstance(step, Say | Climb | Menu | Queue | Close)]
        return frozenset(rung.leave_on for ladder in ladders for rung in ladder.rungs if rung.leave_on)

    def lines_of(self, key: str) -> tuple[tuple[str, ...], ...]:
        """What may be said where `key` stands: the phrase itself, or each line of a wording the calendar chooses."""
        owner, _, name = key.partition("/")
        return tuple(line.says for line in self.wordings[name].lines) if owner == WHEN else ((key,),)

    def wordings_of(self, key: str) -> tuple[str, ...]:
        """Every phrase that may be said where `key` stands, each once."""
        return tuple(dict.fromkeys(said for line in self.lines_of(key) for said in line))
