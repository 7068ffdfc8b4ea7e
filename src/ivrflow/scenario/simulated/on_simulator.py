"""A scenario on the simulator: the engine as it is, on virtual time, with a performer for the caller and each agent.

What the phones do goes to the engine as Asterisk and the bridge would tell it, what the engine asks for goes to the
phones as they would hear it; so the same scenario plays here in milliseconds. What takes a PBX no time worth mentioning
(signalling, the way of a packet, a manager's order) takes none here.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import assert_never

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact
from ivrflow.flow.reading.times import written
from ivrflow.scenario import cues as c
from ivrflow.scenario.observation import EngineSide, Observation, noted_among
from ivrflow.scenario.script import HungUpFirst, Order, Press, Say, Scenario
from ivrflow.scenario.simulated.people import NOBODY, agent_as, called_as, comings_and_goings, manner_at, queues_of
from ivrflow.scenario.simulated.simulated_ear import Sound
from ivrflow.scenario.simulated.simulated_microphone import SimulatedMicrophone
from ivrflow.scenario.simulated.simulated_phone import EndedBy, SimulatedPhone, Speech, Voice
from ivrflow.simulator.agents import AgentChange, AgentDeed
from ivrflow.simulator.call_file import USUAL_TIME
from ivrflow.simulator.caller_commands import AgentActs, Bare, TellAgent, TellLookUp
from ivrflow.simulator.look_ups import LookUp
from ivrflow.simulator.simulation import Happening, Simulation
from ivrflow.softphone.audio_source import NoRtp


def play(scenario: Scenario) -> Observation:
    """Play it, and tell what was observed. It takes milliseconds, and ends at `scenario.within` at the latest."""
    return SimulatedStage(scenario).play()


class SimulatedStage:
    """One play of a scenario. Second 0 is the answer: the simulator's line opens at once, or a call placed begins before.

    Attributes:
        simulation: the call, and everything that reached its engine.
    """

    def __init__(self, scenario: Scenario) -> None:
        flow, at = scenario.flow, scenario.at or USUAL_TIME
        self._scenario = scenario
        self._caller = SimulatedPhone("caller", scenario.caller, flow)
        self._agents = {part.extension: SimulatedPhone(part.extension, part.steps, flow) for part in scenario.agents}
        self._unreachable = {part.extension for part in scenario.agents if part.manner == "unreachable"}
        self._microphone = SimulatedMicrophone(scenario.background, 0.0)
        self._background = scenario.background
        self._cues: deque[tuple[SimulatedPhone, c.Cue]] = deque()
        self._plans: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()
        self._told = 0
        self._prompt: list[Sound] = []
        self._music: Sound | None = None
        self._rung: dict[m.Ticket, list[SimulatedPhone]] = {}
        self._on_line: dict[m.Ticket, SimulatedPhone] = {}
        self._joined: SimulatedPhone | None = None
        self._hung_up_here = False
        self.simulation = Simulation(
            flow,
            agents={"": NOBODY, **{part.extension: agent_as(part) for part in scenario.agents}},
            arrived_at=at.replace(tzinfo=flow.timezone).timestamp(),
            number=scenario.number,
            called=called_as(scenario.called) if scenario.called else None,
            begins_at=-scenario.called.after if scenario.called and not scenario.is_never_answered else 0.0,
            queues=queues_of(scenario),
            look_up=LookUp("fails"),
        )
        for part in scenario.agents:
            for second, manner in comings_and_goings(part):
                change = AgentChange(part.extension, manner, part.after if manner == "answers" else None)
                self._plan_at(second, partial(self.simulation.caller, TellAgent(change)))

    def play(self) -> Observation:
        """Play it to its end, once."""
        simulation, within = self.simulation, self._scenario.within
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
            _engine_side(simulation),
        )

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _now(self) -> float:
        return self.simulation.now

    def _next(self) -> tuple[float, Callable[[], object] | None]:
        """When what happens next; None is the engine's own. At the same moment that goes first: endings, then deadlines."""
        simulation, microphone = self.simulation, self._microphone
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

    def _plan(self, seconds: float, do: Callable[[], object]) -> None:
        self._plan_at(self._now + seconds, do)

    def _plan_at(self, second: float, do: Callable[[], object]) -> None:
        heapq.heappush(self._plans, (second, next(self._numbers), do))

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
        phone.speech = Speech("phrase" if step.phrase else "unknown", step.phrase, step.seconds, self._now)
        self._carry_voices()
        if phone is self._caller:
            self._microphone.begins_to_say(self._now)

        def said() -> None:
            if phone.performer is not performer:
                return
            phone.speech = None
            self._carry_voices()
            if phone is self._caller:
                self._microphone.has_said(self._now)
            self._tell(phone, c.DirectionDone())

        self._plan(step.seconds, said)

    def _press(self, phone: SimulatedPhone, step: Press) -> None:
        performer = phone.performer
        for place, key in enumerate(step.keys):
            # RFC 4733: a key is known to be one when it is released.
            self._plan(place * (step.hold_ms + step.gap_ms) / 1000, partial(self._key, phone, key))

        def pressed() -> None:
            if phone.performer is performer:
                self._tell(phone, c.DirectionDone())

        self._plan((len(step.keys) * (step.hold_ms + step.gap_ms) - step.gap_ms) / 1000, pressed)

    def _key(self, phone: SimulatedPhone, key: str) -> None:
        """A caller's key is for the flow; an agent's goes to the caller's phone, which takes no notice, but for codes."""
        if phone is self._caller:
            self.simulation.feed(m.KeyPressed(key=key))
        elif code := phone.code(key):
            self.simulation.caller(AgentActs(AgentDeed("keys", phone.name, code)))

    def _hold(self, phone: SimulatedPhone) -> None:
        phone.ear.goes_deaf(self._now)
        if phone is self._caller:
            self._microphone.set_source(NoRtp(), self._now)
            if self._joined is not None:
                phone.hold_music = self._joined.ear.begins("music", "", 0.0, self._now)
        else:
            self.simulation.caller(AgentActs(AgentDeed("holds", phone.name)))
        self._carry_voices()
        self._cues.append((phone, c.DirectionDone()))

    def _resume(self, phone: SimulatedPhone) -> None:
        phone.ear.hears_again()
        if phone.hold_music is not None:
            phone.hold_music.ends(self._now)
            phone.hold_music = None
        if phone is self._caller:
            self._microphone.set_source(self._background, self._now)
        else:
            self.simulation.caller(AgentActs(AgentDeed("back", phone.name)))
        self._carry_voices()
        self._cues.append((phone, c.DirectionDone()))

    def _order(self, order: Order) -> None:
        simulation = self.simulation
        match order.what:
            case "situation":
                simulation.feed(m.SituationStarted(name=order.word))
            case "cancel":
                simulation.feed(m.SituationCancelled())
            case "signal":
                simulation.feed(m.SignalGiven(word=order.word))
            case "done":
                simulation.caller(Bare.DONE)
            case "transfer":
                simulation.feed(m.TransferOrdered(step=order.word))
            case "value":
                simulation.feed(m.ValuesLearned(values={order.word: order.value}))
            case _:
                assert_never(order.what)

    def _hang_up(self, phone: SimulatedPhone) -> None:
        if phone is self._caller:
            self._hung_up_here = True
            self.simulation.feed(m.CallerHungUp(cause=16))
        elif phone in self._on_line.values():
            self.simulation.caller(TellAgent(AgentChange(extension=phone.name, manner="leaves")))

    def _other(self, phone: SimulatedPhone) -> SimulatedPhone | None:
        """Who hears this phone, apart from the engine."""
        if phone is self._caller:
            return self._joined if not phone.ear.is_deaf else None
        return self._caller if phone is self._joined and not phone.ear.is_deaf else None

    def _carry_voices(self) -> None:
        """Let everybody who speaks be heard by whoever hears them now, and by nobody else."""
        for phone in (self._caller, *self._agents.values()):
            listener, speech, saying = self._other(phone), phone.speech, phone.saying
            is_heard = speech is not None and listener is not None
            if saying is not None and (not is_heard or listener is None or saying not in listener.ear):
                saying.ends(self._now)
                phone.saying = None
            if speech is not None and listener is not None and phone.saying is None:
                whole = speech.since == self._now
                kind: Voice = speech.kind if whole else "unknown"
                phone.saying = listener.ear.begins(kind, speech.phrase if whole else "", speech.seconds, self._now)

    # ── the engine ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _settle(self) -> None:
        """Follow what the engine did, and what the phones do about it, until nothing more happens at this moment."""
        record = self.simulation.record
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
            case m.AgentAnswered(ticket=ticket, agent=agent, rang=rang):
                self._agent_answered(ticket, agent, rang, at)
            case m.AgentUnavailable(ticket=ticket):
                self._stop_ringing(ticket, "phone", at)
            case m.AgentLeft(ticket=ticket) if ticket in self._on_line:
                self._phone_ends(self._on_line.pop(ticket), "phone", at)
            case _:
                pass
        for action in happening.actions:
            self._perform(action, at)
        if happening is self.simulation.record[-1] and self.simulation.is_over:
            self._end(at)

    def _perform(self, action: m.Action, at: float) -> None:
        match action:
            case m.Dial() if self._scenario.called and self._scenario.called.manner != "unreachable":
                self._caller.rings(at)
            case m.Play():
                self._play(action, at)
            case m.StopPlaying():
                self._end_prompt(at)
            case m.StartMusic():
                self._music = self._caller.ear.begins("music", "", 0.0, at)
            case m.StopMusic():
                self._stop_music()
            case m.Ring(ticket=ticket, extension=extension):
                phone = None if extension in self._unreachable else self._agents.get(extension)
                self._ring(ticket, [phone] if phone else [], at)
            case m.JoinQueue(ticket=ticket, queue=queue):
                self._ring(ticket, self._rings_in_vain(queue), at)
            case m.Bridge(ticket=ticket):
                self._joined = self._on_line.get(ticket)
                self._carry_voices()
            case m.Part():
                self._joined = None
                self._carry_voices()
            case m.StopRinging(ticket=ticket):
                self._stop_ringing(ticket, "peer", at)
            case m.DropAgent(ticket=ticket) if ticket in self._on_line:
                self._phone_ends(self._on_line.pop(ticket), "peer", at)
            case m.Enquire():
                self.simulation.caller(TellLookUp(self._look_up(self.simulation.session.step)))
            case _:
                pass

    def _play(self, play: m.Play, at: float) -> None:
        """A prompt, or the caller's own message, at the ears of all who hear it."""
        kind: Voice = "phrase" if play.phrase else "unknown"
        hearers = [] if play.hearer == "agent" else [self._caller]
        hearers += [self._on_line[play.leg]] if play.hearer != "caller" and play.leg in self._on_line else []
        self._prompt = [hearer.ear.begins(kind, play.phrase, play.seconds, at) for hearer in hearers]
        if self._caller in hearers:
            self._microphone.prompt_began(play.loudest_frame, at)

    def _look_up(self, step: str) -> LookUp:
        other = self._scenario.look_ups.get(step)
        return LookUp("fails") if other is None else LookUp(other.ending, other.after, tuple(other.answer.items()))

    def _ring(self, ticket: m.Ticket, phones: list[SimulatedPhone], at: float) -> None:
        self._rung[ticket] = phones
        for phone in phones:
            phone.rings(at)

    def _rings_in_vain(self, queue: str) -> list[SimulatedPhone]:
        """The phones of a queue that ring and are not answered: whoever answers is known when they do."""
        return [
            self._agents[part.extension]
            for part in self._scenario.agents
            if part.queues and queue in part.queues.names and part.manner in {"busy", "declines", "rings_on"}
            if manner_at(part, self._now) not in {"paused", "logged_out"}
        ]

    def _agent_answered(self, ticket: m.Ticket, agent: str, rang: float, at: float) -> None:
        rung = self._rung.pop(ticket, [])
        phone = self._agents.get(agent) if agent else next(iter(rung), None)
        for other in rung:
            if other is not phone:
                self._phone_ends(other, "peer", at)
        if phone is None:
            return
        if phone not in rung:
            phone.rings(at - rang)
        self._on_line[ticket] = phone
        phone.answers(at)
        self._cues.append((phone, c.Connected()))

    def _stop_ringing(self, ticket: m.Ticket, by: EndedBy, at: float) -> None:
        for phone in self._rung.pop(ticket, []):
            self._phone_ends(phone, by, at)

    def _end_prompt(self, at: float) -> None:
        for sound in self._prompt:
            sound.ends(at)
        if self._prompt:
            self._prompt = []
            self._microphone.prompt_ended(at)

    def _stop_music(self) -> None:
        if self._music is not None:
            self._music.ends(self._now)
            self._music = None

    def _phone_ends(self, phone: SimulatedPhone, by: EndedBy, at: float) -> None:
        """An agent's phone is off the line."""
        phone.speech = None
        if phone is self._joined:
            self._joined = None
        self._carry_voices()
        phone.ended(by, at)
        self._cues.append((phone, c.CallEnded()))

    def _end(self, at: float) -> None:
        for ticket in list(self._rung):
            self._stop_ringing(ticket, "peer", at)
        for ticket in list(self._on_line):
            self._phone_ends(self._on_line.pop(ticket), "peer", at)
        self._prompt, self._music = [], None
        self._caller.ended("phone" if self._hung_up_here else "peer", at)
        self._cues.append((self._caller, c.CallEnded()))


def _engine_side(simulation: Simulation) -> EngineSide:
    session = simulation.session
    hung_up_first: HungUpFirst
    match session.first_to_hang_up:
        case "caller" | "agent" | "ivrflow" as who:
            hung_up_first = who
        case _:
            hung_up_first = "nobody"
    noted = noted_among(action for happening in simulation.record for action in happening.actions)
    answered = next((line.at for line in session.trace if line.fact is Fact.ANSWERED), 0.0)
    return EngineSide(
        "", answered, tuple(session.trace), session.verdicts, session.outcome or None, hung_up_first, noted
    )
