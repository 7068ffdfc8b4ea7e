"""A tried call as anyone can read it: one line per happening, and the verdicts at its end.

A line says at which second, who (caller, ivrflow, agent, clock, line), what in plain words, and for what ivrflow does
the rule and the place in the flow or standard. The keys in it are the tester's own: they stand in the commands anyway.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from ivrflow.engine import messages as m
from ivrflow.engine.trace import AGENT_GONE, Fact, Judgement, TraceLine, Verdict
from ivrflow.flow.reading.times import written
from ivrflow.flow.speaking.composing import VALUE_HERE
from ivrflow.simulator.simulation import Happening, Simulation

Who: TypeAlias = Literal["caller", "ivrflow", "agent", "clock", "line"]

_UNTOLD = frozenset({Fact.LADDER_BEGUN})
"""What says nothing that the next line does not say."""

_UNTOLD_DETAILS = frozenset({(Fact.PHRASE_ENDED, "finished"), (Fact.AGENT_LEFT, "let go")})
"""What nobody wonders about, or what the action that comes with it says."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line. `at` is in seconds since the call arrived; `rule` and `where` are empty when there is none to name.

    `line` is the trace line it tells of, where it does not tell of an action alone.
    """

    at: float
    who: Who
    what: str
    rule: str = ""
    where: str = ""
    line: TraceLine | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        parts = [f"{self.at:8.2f}  {self.who:7}  {self.what}"]
        parts += [f"[{self.rule}]"] if self.rule else []
        parts += [self.where] if self.where else []
        return "  ".join(parts)


class Transcript:
    """What can be told about a simulation, as far as it has got."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._flow = simulation.session.flow
        self._spoken = {prompt.file: prompt.text for prompt in self._flow.prompts.prompts.values()}
        self._told = 0
        self._queued: set[m.Ticket] = set()
        self._looking = False

    def news(self) -> Iterator[Told]:
        """What happened since the last time this was asked."""
        record = self._simulation.record
        while self._told < len(record):
            begin = record[self._told - 1].trace_end if self._told else 0
            happening = record[self._told]
            self._told += 1
            yield from self._tell(happening, self._simulation.session.trace[begin : happening.trace_end])

    def verdicts(self) -> Iterator[str]:
        """The rules that applied, kept or broken, and how many did not apply."""
        return tell_verdicts(self._simulation.session.verdicts)

    def _tell(self, happening: Happening, lines: list[TraceLine]) -> Iterator[Told]:
        """The trace says what was decided and why; the actions say what was really asked for, in the same order."""
        actions = deque(happening.actions)
        self._queued |= {action.ticket for action in actions if isinstance(action, m.JoinQueue)}
        if not lines:
            yield from self._without_trace(happening)
        for line in lines:
            if line.fact in {Fact.ENQUIRED, Fact.ENQUIRY_OVER}:
                self._looking = line.fact is Fact.ENQUIRED
            if line.fact in _UNTOLD or (line.fact, line.detail) in _UNTOLD_DETAILS:
                continue
            anchor = _ANCHORS.get(line.fact)
            if anchor:
                while actions and not isinstance(actions[0], anchor.before):
                    yield from self._tell_action(happening.at, actions.popleft())
                action = actions.popleft() if actions and isinstance(actions[0], anchor.about) else None
                yield self._tell_line(line, happening.event, action)
            else:
                yield self._tell_line(line, happening.event, None)
        for action in actions:
            yield from self._tell_action(happening.at, action)

    def _without_trace(self, happening: Happening) -> Iterator[Told]:
        match happening.event:
            case m.ValuesLearned(values=values):
                known = ", ".join(f"{name} = {value}" for name, value in values.items())
                yield Told(happening.at, "agent", f"fills in {known}")
            case m.AnswerReceived():
                kept = "the look-up is answered; first what is being said is said to its end"
                yield Told(happening.at, "line", kept if self._looking else "the look-up comes too late")
            case _:
                pass

    def _tell_action(self, at: float, action: m.Action) -> Iterator[Told]:
        """An action no trace line speaks of."""
        match action:
            case m.StartMusic():
                yield Told(at, "ivrflow", "plays music")
            case m.StopMusic():
                yield Told(at, "ivrflow", "stops the music")
            case m.StopRinging(ticket=ticket) if ticket in self._queued:
                yield Told(at, "ivrflow", "leaves the queue")
            case m.StopRinging() | m.StopDialling():
                yield Told(at, "ivrflow", "stops ringing")
            case m.Bridge():
                yield Told(at, "ivrflow", "joins caller and agent")
            case m.DropAgent():
                yield Told(at, "ivrflow", "takes the agent off the line")
            case m.Part():
                yield Told(at, "ivrflow", "has the agent listen")
            case m.RecordMessage(seconds=seconds):
                yield Told(at, "ivrflow", f"sounds the tone and records for at most {written(seconds)}")
            case m.StopRecordingMessage():
                yield Told(at, "ivrflow", "stops recording the message")
            case _:
                yield Told(at, "ivrflow", f"does {type(action).__name__}")

    def _tell_line(self, line: TraceLine, event: m.CallEvent, action: m.Action | None) -> Told:
        who, what = self._words(line, event, action)
        if who != "ivrflow":
            return Told(line.at, who, what, line=line)
        rule = f"{line.rule} {line.rung}" if line.rule else ""
        if line.also_rule:
            rule += f", {line.also_rule}"
        return Told(line.at, who, what, rule, line.where.rpartition(":")[0], line)

    def _words(self, line: TraceLine, event: m.CallEvent, action: m.Action | None) -> tuple[Who, str]:  # noqa: C901 - one short sentence per fact
        length = written(line.seconds) if line.seconds is not None else ""
        aside = f" ({line.detail})" if line.detail else ""
        match line.fact:
            case Fact.ARRIVED:
                return "caller", self._calls(event)
            case Fact.ORDERED:
                return "ivrflow", self._is_to_call(event)
            case Fact.NOT_PLACED:
                return "ivrflow", f"does not place the call: {line.detail}"
            case Fact.DIALLING:
                return "ivrflow", f"rings the person for at most {length}"
            case Fact.NOT_ANSWERED:
                return "caller", f"does not pick up: {line.detail.replace('_', ' ')}"
            case Fact.ANSWERED:
                picks_up = self._simulation.was_placed
                return ("caller", "picks up") if picks_up else ("ivrflow", "answers")
            case Fact.STEP_ENTERED:
                return "ivrflow", f"goes to step {line.step}"
            case Fact.PHRASE_STARTED:
                if isinstance(action, m.Play) and action.message:
                    return "ivrflow", f"plays back the message ({line.seconds or 0:.2f} s)"
                says = f"{_HOW_SAID[action.hearer] if isinstance(action, m.Play) else 'says'} {line.phrase}"
                return "ivrflow", f"{says} “{self._text(line, action)}” ({line.seconds or 0:.2f} s){aside}"
            case Fact.PHRASE_ENDED:
                return "ivrflow", f"breaks off {line.phrase or 'the message'}{aside.replace('stopped: ', '')}"
            case Fact.WAIT_BEGUN:
                return "ivrflow", f"waits {length}{aside}"
            case Fact.WAIT_USED_UP:
                return "clock", f"the wait is used up{aside}"
            case Fact.LADDER_BEGUN:
                return "ivrflow", f"begins {line.detail}"
            case Fact.LADDER_LEFT:
                return "ivrflow", f"leaves the ladder: {line.detail}"
            case Fact.LADDER_USED_UP:
                return "ivrflow", f"has used up the ladder, then: {line.detail}"
            case Fact.LADDER_PAUSED:
                return "ivrflow", f"pauses the ladder {line.detail}"
            case Fact.KEY_PRESSED:
                return "caller", f"presses {line.key}"
            case Fact.DIGITS_COLLECTED:
                return "ivrflow", f"has the entry: {line.detail}"
            case Fact.SPEECH_STARTED:
                return "caller", "speaks"
            case Fact.SPEECH_ENDED:
                return "caller", "stops speaking"
            case Fact.SIGNAL_GIVEN:
                return "agent", f"judges: {line.detail}"
            case Fact.TASK_ASKED:
                return "ivrflow", f"asks the agent to {line.detail.replace('_', ' ')}"
            case Fact.TASK_DONE:
                return "agent", f"has done it in {length}: {line.detail.replace('_', ' ')}"
            case Fact.HOLD_BEGUN:
                return "ivrflow", f"keeps the caller waiting, {line.detail}"
            case Fact.HOLD_OVER:
                return "caller", f"has waited {line.seconds or 0:.2f} s"
            case Fact.QUEUED:
                return "ivrflow", f"joins queue {line.detail} for at most {length}"
            case Fact.QUEUE_MOVED:
                return "line", f"the caller is at {line.detail}" + (f", {length} expected" if length else "")
            case Fact.LEVEL_RAISED:
                return "ivrflow", f"asks the next level: joins queue {line.detail}"
            case Fact.LEVEL_KEPT:
                return "ivrflow", f"finds nobody at this level: joins queue {line.detail} again"
            case Fact.RINGING:
                extension = action.extension if isinstance(action, m.Ring) else ""
                return "ivrflow", f"rings {extension} for at most {length}"
            case Fact.AGENT_ANSWERED:
                return "agent", f"{line.detail} answers, rung for {length or '0s'}" if line.detail else "answers"
            case Fact.AGENT_UNAVAILABLE:
                return "agent", f"cannot be had: {line.detail.replace('_', ' ')}"
            case Fact.AGENT_LEFT:
                return "agent", f"is off the line{aside}"
            case Fact.AGENT_HOLDS:
                return "agent", "puts the caller on hold"
            case Fact.AGENT_BACK:
                return "agent", "takes the caller back"
            case Fact.PARTED:
                return "ivrflow", "parts caller and agent"
            case Fact.JOINED:
                return "ivrflow", "joins caller and agent again"
            case Fact.ORDER_GIVEN:
                return "agent", f"orders: {line.detail}"
            case Fact.RECORDING:
                return "ivrflow", _RECORDING.get(line.detail, "records the call")
            case Fact.MESSAGE_RECORDED:
                return "caller", f"has left {length or 'nothing'}, ended by: {line.detail}"
            case Fact.MESSAGE_KEPT:
                return "ivrflow", f"keeps the message of {length} for {line.detail}"
            case Fact.SCORED:
                return "ivrflow", f"notes the score, {line.detail}"
            case Fact.CALLBACK_ORDERED:
                return "ivrflow", f"notes a callback within {length}, {line.detail}"
            case Fact.ENQUIRED:
                return "ivrflow", f"looks it up, for at most {length}"
            case Fact.ENQUIRY_OVER:
                return "line", f"the look-up is over: {line.detail}"
            case Fact.SITUATION_STARTED:
                return "agent", f"starts the situation {line.detail}"
            case Fact.SITUATION_FOLLOWED:
                return "ivrflow", f"goes on with the situation {line.detail}"
            case Fact.SITUATION_OVER if line.detail == AGENT_GONE:
                return "ivrflow", f"gives the situation up: {line.detail}"
            case Fact.SITUATION_OVER:
                return "ivrflow", f"is through with the situation, then: {line.detail}"
            case Fact.PROMISE_MADE | Fact.PROMISE_JOINED:
                return "ivrflow", f"promises {line.detail}"
            case Fact.HEARING_LOST:
                return "line", "the caller cannot be heard"
            case Fact.HEARING_RESTORED:
                return "line", "the caller can be heard again"
            case Fact.LIMIT_REACHED:
                return "clock", f"limit reached: {line.detail}"
            case Fact.IGNORED:
                return "ivrflow", f"ignores: {line.detail}"
            case Fact.CALLER_HUNG_UP:
                return "caller", "hangs up"
            case Fact.LINE_LOST:
                return "line", "is gone; nobody hung up"
            case Fact.HANDED_OVER:
                return "ivrflow", f"hands the caller to the fallback: {line.detail}"
            case Fact.ENDED:
                first = self._simulation.session.first_to_hang_up
                return "ivrflow", f"the call is over: {line.detail}" + (f", {first} hung up first" if first else "")

    def _calls(self, event: m.CallEvent) -> str:
        if not isinstance(event, m.CallArrived):
            return "calls"
        local = datetime.fromtimestamp(event.arrived_at, self._flow.timezone)
        return f"calls {event.number} ({self._flow.title}) on {local:%a %Y-%m-%d %H:%M}"

    def _is_to_call(self, event: m.CallEvent) -> str:
        if not isinstance(event, m.CallOrdered):
            return "is to call somebody"
        local = datetime.fromtimestamp(event.arrived_at, self._flow.timezone)
        return f"is to call somebody ({self._flow.title}) on {local:%a %Y-%m-%d %H:%M}"

    def _text(self, line: TraceLine, action: m.Action | None) -> str:
        """What is really spoken: the wording of the very prompt, or the phrase when nobody recorded it."""
        if isinstance(action, m.Play) and action.parts:
            return "".join(self._spoken[part].strip(VALUE_HERE) for part in action.parts)
        if isinstance(action, m.Play) and action.prompt in self._spoken:
            return self._spoken[action.prompt]
        phrase = self._flow.phrases[line.phrase]
        return phrase.without or phrase.text


@dataclass(frozen=True, slots=True)
class _Anchor:
    """How a trace line and the actions of the same answer stand in line.

    Attributes:
        about: the action the line tells of; it is not told twice.
        before: the actions that come with this line or after it; any other was done before.
    """

    about: tuple[type[m.Action], ...]
    before: tuple[type[m.Action], ...]


_HOW_SAID = {"caller": "says", "both": "says to both", "agent": "whispers to the agent"}

_RECORDING = {
    "begun": "records the call from now on",
    "paused": "pauses the recording of the call",
    "goes on": "goes on recording the call",
}
"""What the trace says of the recording, as a sentence."""

_LATER = (
    m.Play,
    m.StopPlaying,
    m.StartMusic,
    m.Ring,
    m.JoinQueue,
    m.Instruct,
    m.Part,
    m.Bridge,
    m.StartRecording,
    m.PauseRecording,
    m.ResumeRecording,
    m.RecordMessage,
    m.KeepMessage,
    m.NoteScore,
    m.OrderCallback,
    m.Enquire,
    m.NotePromise,
    m.EndCall,
    m.FallBack,
)
"""Actions that a later trace line tells of, or that follow it."""

_OF_THE_CALL = (m.StartRecording, m.PauseRecording, m.ResumeRecording)

_ANCHORS: dict[Fact, _Anchor] = {
    Fact.ARRIVED: _Anchor((m.Answer,), (m.Answer,)),
    Fact.DIALLING: _Anchor((m.Dial,), (m.Dial,)),
    Fact.STEP_ENTERED: _Anchor((), _LATER),
    Fact.PHRASE_STARTED: _Anchor((m.Play,), (m.Play,)),
    Fact.PHRASE_ENDED: _Anchor((m.StopPlaying,), (m.StopPlaying, *_LATER)),
    Fact.TASK_ASKED: _Anchor((m.Instruct,), (m.Instruct,)),
    Fact.HOLD_BEGUN: _Anchor((m.StartMusic,), (m.StartMusic, m.Instruct)),
    Fact.HOLD_OVER: _Anchor((m.StopMusic,), (m.StopMusic, *_LATER)),
    Fact.RINGING: _Anchor((m.Ring,), (m.Ring,)),
    Fact.QUEUED: _Anchor((m.JoinQueue,), (m.JoinQueue,)),
    Fact.LEVEL_RAISED: _Anchor((m.JoinQueue,), (m.JoinQueue,)),
    Fact.LEVEL_KEPT: _Anchor((m.JoinQueue,), (m.JoinQueue,)),
    Fact.PARTED: _Anchor((m.Part,), (m.Part, *_LATER)),
    Fact.JOINED: _Anchor((m.Bridge,), (m.Bridge, *_LATER)),
    Fact.RECORDING: _Anchor(_OF_THE_CALL, _OF_THE_CALL),
    Fact.MESSAGE_KEPT: _Anchor((m.KeepMessage,), (m.KeepMessage,)),
    Fact.SCORED: _Anchor((m.NoteScore,), (m.NoteScore,)),
    Fact.CALLBACK_ORDERED: _Anchor((m.OrderCallback,), (m.OrderCallback,)),
    Fact.ENQUIRED: _Anchor((m.Enquire,), (m.Enquire,)),
    Fact.PROMISE_MADE: _Anchor((m.NotePromise,), (m.NotePromise,)),
    Fact.PROMISE_JOINED: _Anchor((m.NotePromise,), (m.NotePromise, *_LATER)),
    Fact.HANDED_OVER: _Anchor((m.FallBack,), (m.FallBack,)),
    Fact.ENDED: _Anchor((m.EndCall,), (m.EndCall,)),
    Fact.AGENT_LEFT: _Anchor((), _LATER),
}


def tell_verdicts(verdicts: tuple[Verdict, ...]) -> Iterator[str]:
    """Broken rules first, each with what the standard asks for and what happened."""
    order = [Judgement.BROKEN, Judgement.KEPT]
    for judgement in order:
        for verdict in verdicts:
            if verdict.judgement is judgement:
                yield f"{judgement:8}  {verdict.rule}: {verdict.expected}"
                yield f"          observed: {verdict.observed}"
    others = sum(verdict.judgement is Judgement.NOT_APPLICABLE for verdict in verdicts)
    yield f"not applicable: {others} rules"


def whole_transcript(simulation: Simulation) -> str:
    """Everything about a call, from its first line to its verdicts."""
    transcript = Transcript(simulation)
    told = [str(line) for line in transcript.news()]
    return "\n".join([*told, "", *transcript.verdicts()]) + "\n"
