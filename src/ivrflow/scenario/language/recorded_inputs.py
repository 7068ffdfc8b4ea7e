"""What a journaled call was made of, seen from outside: what was played from when to when, and who did what at which second.

Seconds count from the answer. What the engine heard is turned back into what the caller must do to be heard so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from ivrflow.bridge.speech_gate import CONFIRM_S, PAUSE_S, TALK_SILENCE_MS
from ivrflow.engine import messages as m
from ivrflow.runtime.journal_reader import Happening

KEY_HELD_S = 0.1
"""Seconds a key is held."""

SHORTEST_SAID_S = 0.14
"""Seconds that must be said to count as speech, and a packet more."""

_BEFORE_THE_END_S = 0.05
"""Seconds by which a step that goes on until the end of the call stops before it, so that it is done."""

_SPEECH_ENDS_AFTER_S = PAUSE_S + TALK_SILENCE_MS / 1000 - 0.02
"""Seconds from the last sound to the moment at which speech counts as over."""


@dataclass(slots=True)
class Played:
    """A phrase that was played: from `start` to `end`, second 0 being the answer; `length` is the recording's.

    Attributes:
        began: number of the happening that began it.
        ended: number of the happening that ended it.
        is_whole: whether it was played to its end.
    """

    phrase: str
    start: float
    length: float
    began: int
    end: float = 0.0
    ended: int = 0
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Pressed:
    """One key."""

    key: str


@dataclass(frozen=True, slots=True)
class Said:
    """Speech of so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ordered:
    """Something ivrflow was told: `what` is the step's word, `value` what stands behind it."""

    what: Literal["situation", "cancel", "signal", "done", "value"]
    word: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller hung up."""


Doing: TypeAlias = Pressed | Said | Ordered | HungUp


@dataclass(frozen=True, slots=True)
class Input:
    """Something done at second `at`; `number` is its happening's, 0 for what began before it was noticed (speech)."""

    at: float
    number: int
    doing: Doing


@dataclass(frozen=True, slots=True)
class AgentDid:
    """Something an agent did at second `at`: `what` is the step's word, `word` what stands behind it."""

    at: float
    what: Literal["hold", "resume", "press", "transfer", "hang_up"]
    word: str = ""


@dataclass(frozen=True, slots=True)
class RecordedAgent:
    """How one ringing of an extension, or one wait in a queue, went.

    Attributes:
        extension: empty for a queue of which nobody answered.
        why: why nobody could be had; empty when somebody answered, or it rang until we stopped it.
        after: seconds it rang, or the caller waited, until that.
        talked: seconds until the agent hung up; None when somebody else ended the talk.
        queue: the queue that found the agent; empty for an extension rung.
        since: second at which the ringing or the waiting began.
        rang: seconds of the wait in which the agent's own telephone rang.
        did: what the agent did, in order.
        heard: what was played to the agent, in order.
    """

    extension: str
    answered: bool = False
    why: str = ""
    after: float = 0.0
    talked: float | None = None
    queue: str = ""
    since: float = 0.0
    rang: float = 0.0
    did: tuple[AgentDid, ...] = ()
    heard: tuple[Played, ...] = ()


@dataclass(slots=True)
class RecordedInputs:
    """A call, seen from outside.

    Attributes:
        arrived: its arrival.
        ended_at: second of the last happening.
        deaf: whether the engine could not hear the caller for a while.
        lost: whether the line was lost.
    """

    arrived: m.CallArrived
    ended_at: float = 0.0
    played: list[Played] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    agents: list[RecordedAgent] = field(default_factory=list)
    deaf: bool = False
    lost: bool = False


def recorded_inputs(happenings: Sequence[Happening]) -> RecordedInputs | None:
    """Take a call apart; None when it was never answered, so that nobody can have done anything."""
    arrived = next((line.event for line in happenings if isinstance(line.event, m.CallArrived)), None)
    answered = next((line.at for line in happenings if isinstance(line.event, m.CallAnswered)), None)
    if arrived is None or answered is None:
        return None
    call = RecordedInputs(arrived, ended_at=max(line.at for line in happenings) - answered)
    call.inputs += [Input(0.0, 0, Ordered("value", name, value)) for name, value in arrived.values.items()]
    hearing = _Listener(call)
    for line in happenings:
        hearing.take(line, round(max(0.0, line.at - answered), 6))
    hearing.end(round(call.ended_at, 6))
    call.inputs = [one for one in call.inputs if not _is_too_late(one, call, happenings[-1])]
    call.inputs = _one_at_a_time(sorted(call.inputs, key=_order))
    return call


class _Listener:
    """Follows the happenings of one call."""

    def __init__(self, call: RecordedInputs) -> None:
        self._call = call
        self._tickets: dict[m.Ticket, Played] = {}
        self._rung: dict[m.Ticket, tuple[int, float]] = {}
        self._talking: m.Ticket = 0
        self._task: m.Ticket = 0
        self._speaks_since: float | None = None

    def take(self, line: Happening, at: float) -> None:
        self._event(line.event, at, line.number)
        for action in line.actions:
            self._action(action, at, line.number)

    def end(self, at: float) -> None:
        """The call is over: what still goes on ends with it."""
        for played in self._tickets.values():
            played.end, played.ended = at, _AFTER_ALL
        if self._speaks_since is not None:
            self._say_until(at, ended=False)

    def _event(self, event: m.CallEvent, at: float, number: int) -> None:  # noqa: C901 - the one list of what is seen of events
        do = self._call.inputs.append
        match event:
            case m.KeyPressed(key=key):
                do(Input(at, number, Pressed(key)))
            case m.SpeechStarted() if self._speaks_since is None:
                self._speaks_since = at
            case m.SpeechEnded() if self._speaks_since is not None:
                self._say_until(at, ended=True)
            case m.CallerHungUp():
                do(Input(at, number, HungUp()))
            case m.SituationStarted(name=name):
                do(Input(at, number, Ordered("situation", name)))
            case m.SituationCancelled():
                do(Input(at, number, Ordered("cancel")))
            case m.SignalGiven(word=word):
                do(Input(at, number, Ordered("signal", word)))
            case m.TaskDone(ticket=ticket) if ticket == self._task:
                do(Input(at, number, Ordered("done")))
            case m.ValuesLearned(values=values):
                for name, value in values.items():
                    do(Input(at, number, Ordered("value", name, value)))
            case m.PromptEnded(ticket=ticket, how=how):
                self._prompt_ended(ticket, at, number, is_whole=how == "finished")
            case m.AgentAnswered(ticket=ticket) | m.AgentUnavailable(ticket=ticket) | m.AgentLeft(ticket=ticket):
                self._agent(event, ticket, at)
            case m.HoldStarted(ticket=ticket):
                self._did(ticket, AgentDid(at, "hold"))
            case m.HoldEnded(ticket=ticket):
                self._did(ticket, AgentDid(at, "resume"))
            case m.AgentKeyed(ticket=ticket, code=code):
                self._did(ticket, AgentDid(at, "press", code))
            case m.TransferOrdered(step=step):
                self._did(self._talking, AgentDid(at, "transfer", step))
            case m.HearingLost() | m.HearingRestored():
                self._call.deaf = True
            case m.LineLost():
                self._call.lost = True
            case _:
                pass

    def _action(self, action: m.Action, at: float, number: int) -> None:
        match action:
            case m.Play(ticket=ticket, phrase=phrase, seconds=seconds, hearer=hearer, leg=leg) if phrase:
                played = Played(phrase, at, seconds, number)
                self._tickets[ticket] = played
                if hearer != "agent":
                    self._call.played.append(played)
                if hearer != "caller" and leg in self._rung:
                    index, _ = self._rung[leg]
                    agent = self._call.agents[index]
                    self._call.agents[index] = replace(agent, heard=(*agent.heard, played))
            case m.StopPlaying(ticket=ticket):
                started = self._tickets.get(ticket)
                self._prompt_ended(
                    ticket, at, number, is_whole=started is not None and at - started.start >= started.length
                )
            case m.Ring(ticket=ticket, extension=extension):
                self._rung[ticket] = len(self._call.agents), at
                self._call.agents.append(RecordedAgent(extension, since=at))
            case m.JoinQueue(ticket=ticket, queue=queue):
                self._rung[ticket] = len(self._call.agents), at
                self._call.agents.append(RecordedAgent("", queue=queue, since=at))
            case m.Instruct(ticket=ticket):
                self._task = ticket
            case _:
                pass

    def _prompt_ended(self, ticket: m.Ticket, at: float, number: int, *, is_whole: bool) -> None:
        played = self._tickets.pop(ticket, None)
        if played is not None:
            played.end, played.ended, played.is_whole = at, number, is_whole

    def _did(self, ticket: m.Ticket, did: AgentDid) -> None:
        if ticket in self._rung:
            index, _ = self._rung[ticket]
            agent = self._call.agents[index]
            self._call.agents[index] = replace(agent, did=(*agent.did, did))

    def _agent(self, event: m.AgentAnswered | m.AgentUnavailable | m.AgentLeft, ticket: m.Ticket, at: float) -> None:
        if ticket not in self._rung:
            return
        index, rung_at = self._rung[ticket]
        agent = self._call.agents[index]
        after = round(at - rung_at, 6)
        match event:
            case m.AgentAnswered(agent=who, rang=rang) if not agent.answered and not agent.why:
                self._talking = ticket
                agent = replace(agent, answered=True, after=after, rang=min(rang or after, after))
                agent = replace(agent, extension=who) if agent.queue else agent
            case m.AgentUnavailable(why=why) if not agent.answered and not agent.why:
                agent = replace(agent, why=why, after=after)
            case m.AgentLeft() if agent.answered and agent.talked is None:
                agent = replace(agent, talked=round(after - agent.after, 6))
            case _:
                pass
        self._call.agents[index] = agent

    def _say_until(self, at: float, *, ended: bool) -> None:
        """Speech that was noticed from `_speaks_since` to `at`: it began earlier, and stopped earlier."""
        assert self._speaks_since is not None, "somebody speaks"
        begun = max(0.0, self._speaks_since - CONFIRM_S)
        stopped = at - (_SPEECH_ENDS_AFTER_S if ended else _BEFORE_THE_END_S)
        seconds = max(SHORTEST_SAID_S, stopped - begun)
        self._call.inputs.append(Input(round(begun, 6), 0, Said(round(seconds, 6))))
        self._speaks_since = None


_AFTER_ALL = 1_000_000_000
"""Number of whatever ends only with the call."""

_BREATH_S = 10.0
"""Seconds after which whoever speaks draws breath: speech without any silence in it counts as over after a while."""

_BREATH_PAUSE_S = 0.2
"""How long that takes: long enough to be a silence, too short to be the end of speech."""


def _one_at_a_time(inputs: list[Input]) -> list[Input]:
    """Speech during which something else is done is broken off for it, since a script does one thing at a time."""
    done: list[Input] = []
    for index, one in enumerate(inputs):
        if not isinstance(one.doing, Said):
            done.append(one)
            continue
        done += _around(one.at, one.doing.seconds, inputs[index + 1 :])
    return sorted(done, key=_order)


def _is_too_late(one: Input, call: RecordedInputs, last: Happening) -> bool:
    """Whether a key was pressed so shortly before ivrflow hung up that it could not be let go, and was not the reason."""
    if not isinstance(one.doing, Pressed) or isinstance(last.event, m.CallerHungUp) or one.number == last.number:
        return False
    return one.at > call.ended_at - KEY_HELD_S - 0.02


def _order(one: Input) -> tuple[float, bool]:
    """By their seconds; speech goes on after what it was broken off for."""
    return one.at, isinstance(one.doing, Said)


def _around(at: float, seconds: float, others: Sequence[Input]) -> Iterator[Input]:
    until = at + seconds
    for other in others:
        if other.at >= until or isinstance(other.doing, HungUp):
            break
        if isinstance(other.doing, Said):
            continue
        if round(other.at - at, 6) >= SHORTEST_SAID_S:
            yield from _in_breaths(at, other.at)
        at = max(at, other.at + _BREATH_PAUSE_S)
    hung_up = next((other.at for other in others if isinstance(other.doing, HungUp)), until)
    if round(min(until, hung_up) - at, 6) >= SHORTEST_SAID_S:
        yield from _in_breaths(at, min(until, hung_up))


def _in_breaths(at: float, until: float) -> Iterator[Input]:
    while until - at > _BREATH_S + _BREATH_PAUSE_S + SHORTEST_SAID_S:
        yield Input(round(at, 6), 0, Said(_BREATH_S))
        at += _BREATH_S + _BREATH_PAUSE_S
    yield Input(round(at, 6), 0, Said(round(until - at, 6)))
