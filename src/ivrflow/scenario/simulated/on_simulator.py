"""A scenario on the simulator: the engine as it is, on virtual time, with a performer for the caller and each agent.

What the phones do goes to the engine as Asterisk and the bridge would tell it, what the engine asks for goes to the
phones as they would hear it; so the same scenario plays here in milliseconds. What takes a PBX no time worth mentioning
(signalling, the way of a packet, a manager's order) takes none here.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Literal, assert_never

from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession
from ivrflow.engine.trace import Fact
from ivrflow.flow.reading.times import written
from ivrflow.scenario import cues as c
from ivrflow.scenario.observation import EngineSide, Observation
from ivrflow.scenario.script import AgentPart, HungUpFirst, Order, Press, Say, Scenario
from ivrflow.scenario.simulated.simulated_ear import Sound
from ivrflow.scenario.simulated.simulated_microphone import SimulatedMicrophone
from ivrflow.scenario.simulated.simulated_phone import EndedBy, SimulatedPhone
from ivrflow.simulator.agents import Agent, AgentChange
from ivrflow.simulator.call_file import USUAL_TIME
from ivrflow.simulator.called import Called
from ivrflow.simulator.caller_commands import Bare, TellAgent
from ivrflow.simulator.simulation import Happening, Simulation
from ivrflow.softphone.audio_source import NoRtp

_NOBODY = Agent("unreachable", talks=math.inf, works=math.inf)
"""An extension without a phone in the scenario. A task takes until somebody says that it is done."""


def play(scenario: Scenario) -> Observation:
    """Play it, and tell what was observed. It takes milliseconds, and ends at `scenario.within` at the latest."""
    return _Stage(scenario).play()


class _Stage:
    """One play of a scenario. Second 0 is the answer: the simulator's line opens at once, or a call placed begins before."""

    def __init__(self, scenario: Scenario) -> None:
        flow, at = scenario.flow, scenario.at or USUAL_TIME
        self._scenario = scenario
        self._caller = SimulatedPhone("caller", scenario.caller, flow)
        self._agents = {part.extension: SimulatedPhone(part.extension, part.steps, flow) for part in scenario.agents}
        self._unreachable = {part.extension for part in scenario.agents if part.manner == "unreachable"}
        self._microphone = SimulatedMicrophone(scenario.background, 0.0)
        self._background = scenario.background
        self._cues: deque[tuple[SimulatedPhone, c.Cue]] = deque()
        self._plans: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._told = 0
        self._prompt: Sound | None = None
        self._music: Sound | None = None
        self._rung: SimulatedPhone | None = None
        self._talking: SimulatedPhone | None = None
        self._hung_up_here = False
        self._simulation = Simulation(
            flow,
            agents={"": _NOBODY, **{part.extension: _agent(part) for part in scenario.agents}},
            arrived_at=at.replace(tzinfo=flow.timezone).timestamp(),
            number=scenario.number,
            called=_called(scenario.called) if scenario.called else None,
            begins_at=-scenario.called.after if scenario.called and not scenario.is_never_answered else 0.0,
        )

    def play(self) -> Observation:
        simulation, within = self._simulation, self._scenario.within
        if self._scenario.called is None:
            self._caller.answers(0.0)
            self._tell(self._caller, c.Connected())
        self._settle()
        while not simulation.is_over:
            at, do = self._next()
            if at > within:
                simulation.advance(within - simulation.now)
                self._caller.trouble = f"the call was not over within {written(within)}"
                self._hang_up(self._caller)
            elif do is None:
                simulation.step()
            else:
                simulation.advance(max(0.0, at - simulation.now))
                do()
            self._settle()
        return Observation(
            "simulator",
            self._caller.side(),
            {name: phone.side() for name, phone in self._agents.items()},
            _engine_side(simulation.session),
        )

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _now(self) -> float:
        return self._simulation.now

    def _next(self) -> tuple[float, Callable[[], object] | None]:
        """When what happens next; None is the engine's own. At the same moment that goes first: endings, then deadlines."""
        simulation, microphone = self._simulation, self._microphone
        assert simulation.next_at is not None, "a call that is not over has a deadline"
        due: list[tuple[float, Callable[[], object] | None]] = [(simulation.next_at, None)]
        if self._plans:
            due.append((self._plans[0][0], lambda: heapq.heappop(self._plans)[2]()))
        if (at := microphone.deadline) is not None:
            due.append((at, lambda: [simulation.feed(event) for event in microphone.reached(at)]))
        for phone in (self._caller, *self._agents.values()):
            due += self._due_at(phone)
        return min(due, key=lambda one: round(one[0], 9))  # the first of equals

    def _due_at(self, phone: SimulatedPhone) -> list[tuple[float, Callable[[], object]]]:
        due: list[tuple[float, Callable[[], object]]] = []
        if (heard_at := phone.ear.due) is not None:
            due.append((heard_at, lambda: self._tell(phone, phone.ear.tell(max(heard_at, self._now)))))
        if (deadline := phone.performer.deadline) is not None:
            due.append((deadline, lambda: self._tell(phone, c.DeadlineReached(), deadline)))
        return due

    def _plan(self, seconds: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._plans, (self._now + seconds, next(self._numbers), do))

    # ── the phones ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _tell(self, phone: SimulatedPhone, cue: c.Cue | None, at: float | None = None) -> None:
        """Give the phone's performer a cue and do what it says."""
        if cue is None:
            return
        now = self._now if at is None else max(at, self._now)
        for direction in phone.performer.handle(cue, now):
            self._direct(phone, direction)

    def _direct(self, phone: SimulatedPhone, direction: c.Direction) -> None:
        match direction:
            case c.ListenFor():
                phone.ear.listen(direction)
            case c.StopListening():
                phone.ear.stop()
            case c.StartSaying(step=step):
                self._say(phone, step)
            case c.StartPressing(step=step):
                self._press(phone, step)
            case c.SetBackground(source=source):
                if phone is self._caller:
                    self._background = source
                    if not phone.ear.is_deaf:
                        self._microphone.set_source(source, self._now)
            case c.StartHold():
                self._hold(phone)
            case c.StartResume():
                self._resume(phone)
            case c.GiveOrder(order=order):
                self._order(order)
            case c.EndCall():
                self._hang_up(phone)
            case _:
                assert_never(direction)

    def _say(self, phone: SimulatedPhone, step: Say) -> None:
        performer = phone.performer
        listener = self._other(phone)
        if listener is not None:
            kind: Literal["phrase", "unknown"] = "phrase" if step.phrase else "unknown"
            phone.saying = listener.ear.begins(kind, step.phrase, step.seconds, self._now)
        if phone is self._caller:
            self._microphone.begins_to_say(self._now)

        def said() -> None:
            if phone.saying is not None:
                phone.saying.ends(self._now)
                phone.saying = None
            if phone is self._caller:
                self._microphone.has_said(self._now)
            if phone.performer is performer:
                self._tell(phone, c.DirectionDone())

        self._plan(step.seconds, said)

    def _press(self, phone: SimulatedPhone, step: Press) -> None:
        performer = phone.performer
        for place, key in enumerate(step.keys):
            if phone is self._caller:  # an agent's keys go to the caller's phone, which takes no notice
                self._plan(place * (step.hold_ms + step.gap_ms) / 1000, partial(self._key, key))

        def pressed() -> None:
            if phone.performer is performer:
                self._tell(phone, c.DirectionDone())

        self._plan((len(step.keys) * (step.hold_ms + step.gap_ms) - step.gap_ms) / 1000, pressed)

    def _key(self, key: str) -> None:
        self._simulation.feed(m.KeyPressed(key=key))

    def _hold(self, phone: SimulatedPhone) -> None:
        listener = self._other(phone)
        phone.ear.goes_deaf(self._now)
        if listener is not None:
            phone.hold_music = listener.ear.begins("music", "", 0.0, self._now)
        if phone is self._caller:
            self._microphone.set_source(NoRtp(), self._now)
        self._cues.append((phone, c.DirectionDone()))

    def _resume(self, phone: SimulatedPhone) -> None:
        phone.ear.hears_again()
        if phone.hold_music is not None:
            phone.hold_music.ends(self._now)
            phone.hold_music = None
        if phone is self._caller:
            self._microphone.set_source(self._background, self._now)
        self._cues.append((phone, c.DirectionDone()))

    def _order(self, order: Order) -> None:
        simulation = self._simulation
        match order.what:
            case "situation":
                simulation.feed(m.SituationStarted(name=order.word))
            case "cancel":
                simulation.feed(m.SituationCancelled())
            case "signal":
                simulation.feed(m.SignalGiven(word=order.word))
            case "done":
                simulation.caller(Bare.DONE)
            case "value":
                simulation.feed(m.ValuesLearned(values={order.word: order.value}))
            case _:
                assert_never(order.what)

    def _hang_up(self, phone: SimulatedPhone) -> None:
        if phone is self._caller:
            self._hung_up_here = True
            self._simulation.feed(m.CallerHungUp(cause=16))
        elif phone is self._talking:
            self._simulation.caller(TellAgent(AgentChange(manner="leaves")))

    def _other(self, phone: SimulatedPhone) -> SimulatedPhone | None:
        """Who hears this phone, apart from the engine."""
        if phone is self._caller:
            return self._talking
        return self._caller if phone is self._talking and not phone.ear.is_deaf else None

    # ── the engine ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _settle(self) -> None:
        """Follow what the engine did, and what the phones do about it, until nothing more happens at this moment."""
        record = self._simulation.record
        while self._told < len(record) or self._cues:
            if self._told < len(record):
                self._told += 1
                self._follow(record[self._told - 1])
            else:
                self._tell(*self._cues.popleft())

    def _follow(self, happening: Happening) -> None:
        at = happening.at
        match happening.event:
            case m.CallAnswered() if self._scenario.called is not None:
                self._caller.answers(at)
                self._cues.append((self._caller, c.Connected()))
            case m.PromptEnded():
                self._end_prompt(at)
            case m.AgentAnswered() if self._rung is not None:
                self._rung.answers(at)
                self._cues.append((self._rung, c.Connected()))
            case m.AgentUnavailable() if self._rung is not None:
                self._phone_ends(self._rung, "phone", at)
            case m.AgentLeft() if self._talking is not None:
                self._phone_ends(self._talking, "phone", at)
            case _:
                pass
        for action in happening.actions:
            self._perform(action, at)
        if happening is self._simulation.record[-1] and self._simulation.is_over:
            self._end(at)

    def _perform(self, action: m.Action, at: float) -> None:
        ear = self._caller.ear
        match action:
            case m.Dial() if self._scenario.called and self._scenario.called.manner != "unreachable":
                self._caller.rings(at)
            case m.Play(phrase=phrase, seconds=seconds, loudest_frame=loudest_frame):
                self._prompt = ear.begins("phrase", phrase, seconds, at)
                self._microphone.prompt_began(loudest_frame, at)
            case m.StopPlaying():
                self._end_prompt(at)
            case m.StartMusic():
                self._music = ear.begins("music", "", 0.0, at)
            case m.StopMusic():
                self._stop_music()
            case m.Ring(extension=extension):
                self._rung = None if extension in self._unreachable else self._agents.get(extension)
                if self._rung is not None:
                    self._rung.rings(at)
            case m.Bridge():
                self._talking, self._rung = self._rung, None
            case m.StopRinging() if self._rung is not None:
                self._phone_ends(self._rung, "peer", at)
            case m.DropAgent() if self._talking is not None:
                self._phone_ends(self._talking, "peer", at)
            case _:
                pass

    def _end_prompt(self, at: float) -> None:
        if self._prompt is not None:
            self._prompt.ends(at)
            self._prompt = None
            self._microphone.prompt_ended(at)

    def _stop_music(self) -> None:
        if self._music is not None:
            self._music.ends(self._now)
            self._music = None

    def _phone_ends(self, phone: SimulatedPhone, by: EndedBy, at: float) -> None:
        """An agent's phone is off the line."""
        if phone is self._talking:
            self._caller.ear.all_ends(at)
            self._music = self._talking = None
        if phone is self._rung:
            self._rung = None
        phone.ended(by, at)
        self._cues.append((phone, c.CallEnded()))

    def _end(self, at: float) -> None:
        for phone in (self._rung, self._talking):
            if phone is not None:
                self._phone_ends(phone, "peer", at)
        self._prompt = self._music = None
        self._caller.ended("phone" if self._hung_up_here else "peer", at)
        self._cues.append((self._caller, c.CallEnded()))


def _called(part: AgentPart) -> Called:
    """How the caller's telephone rings on a call we place."""
    match part.manner:
        case "answers" | "busy":
            return Called(part.manner, part.after)
        case "declines":
            return Called("refuses", part.after)
        case "rings_on":
            return Called("away")
        case "unreachable":
            return Called("unreachable", part.after)
        case _:
            assert_never(part.manner)


def _agent(part: AgentPart) -> Agent:
    """How the simulator's agent behaves until the performer has the phone in its hand."""
    match part.manner:
        case "answers":
            return Agent("answers", part.after, talks=math.inf, works=math.inf)
        case "busy" | "declines":
            return Agent("busy", part.after)
        case "rings_on":
            return Agent("away")
        case "unreachable":
            return _NOBODY
        case _:
            assert_never(part.manner)


def _engine_side(session: CallSession) -> EngineSide:
    hung_up_first: HungUpFirst
    match session.first_to_hang_up:
        case "caller" | "agent" | "ivrflow" as who:
            hung_up_first = who
        case _:
            hung_up_first = "nobody"
    answered = next((line.at for line in session.trace if line.fact is Fact.ANSWERED), 0.0)
    return EngineSide("", answered, tuple(session.trace), session.verdicts, session.outcome or None, hung_up_first)
