"""What is around the engine on a tried call: the PBX, its queues, the agents, whatever is asked over HTTP.

The PBX opens the line at once and plays every prompt for exactly its length; agents, queues and look-ups behave as
told. Nothing here has a clock: everything under way has the second at which it ends, and the event it then ends with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from ivrflow.engine import messages as m
from ivrflow.simulator.agenda import Agenda
from ivrflow.simulator.agents import Agent, AgentChange, AgentDeed
from ivrflow.simulator.called import Called
from ivrflow.simulator.look_ups import LookUp
from ivrflow.simulator.queues import QueueChange, SimulatedQueue

_LISTENS = (m.JoinQueue, m.RecordMessage)
"""What is under way while it is the caller's turn all the same."""

_NOBODY_THERE = frozenset({"unreachable", "paused", "logged_out"})
"""Agents to whom a queue gives no calls."""


@dataclass(slots=True)
class _Leg:
    """An agent who answered.

    Attributes:
        extension: who; empty when nobody said.
        talks: seconds left to talk.
        joined_at: second at which the agent was joined with the caller; None while apart.
        holds: whether the telephone keeps the caller on hold.
    """

    extension: str
    talks: float
    joined_at: float | None = None
    holds: bool = False


@dataclass(slots=True)
class _Message:
    """A message that is being recorded; `heard` are its seconds up to the last word."""

    begun: m.RecordMessage
    since: float
    heard: float = 0.0


class Surroundings:
    """Everything under way around one call, and how everybody in it behaves."""

    def __init__(
        self,
        agents: Mapping[str, Agent],
        queues: Mapping[str, SimulatedQueue],
        look_up: LookUp,
        called: Called,
    ) -> None:
        """Args: how agents behave, under "" everybody not named; the queues; the next look-up; the person rung."""
        self._agents = {"": Agent(), **agents}
        self._queues = dict(queues)
        self._look_up = look_up
        self._called = called
        self._agenda = Agenda()
        self._sought: dict[m.Ticket, tuple[str, Agent]] = {}
        self._legs: dict[m.Ticket, _Leg] = {}
        self._message: _Message | None = None
        self._is_speaking = False
        self._asked: m.Ticket | None = None

    # ── what can be asked ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_listening(self) -> bool:
        """Whether nothing plays, rings, talks, works or is looked up."""
        return all(
            isinstance(one.begun, _LISTENS) or (isinstance(one.begun, m.Enquire) and one.ticket != self._asked)
            for one in self._agenda.under_way
        )

    @property
    def next_at(self) -> float:
        """Second at which something ends by itself; infinite when nothing does."""
        return self._agenda.next_at

    @property
    def task(self) -> m.Ticket | None:
        """The task an agent is at."""
        task = self._agenda.find(m.Instruct)
        return task.ticket if task else None

    # ── what happens ──────────────────────────────────────────────────────────────────────────────────────────────────

    def pop(self) -> m.CallEvent:
        """What ends first; the older one when two end at once."""
        return self._agenda.pop()

    def happens(self, event: m.CallEvent, now: float) -> None:
        """Something reaches the engine, by itself or because somebody said so: what it ends is no longer under way."""
        match event:
            case m.CallAnswered() | m.CallNotAnswered():
                self._agenda.drop(m.Answer, m.Dial)
            case m.PromptEnded() | m.TaskDone() | m.AgentUnavailable() | m.AnswerReceived():
                self._agenda.forget(event.ticket)
            case m.AgentAnswered(ticket=ticket):
                self._agenda.forget(ticket)
                extension, agent = self._sought.pop(ticket, ("", self._agents[""]))
                self._legs[ticket] = _Leg(extension, agent.talks)
            case m.AgentLeft(ticket=ticket):
                self._agenda.forget(ticket)
                self._legs.pop(ticket, None)
            case m.HoldEnded(ticket=ticket):
                self._agenda.forget(ticket, m.HoldEnded)
                if ticket in self._legs:
                    self._legs[ticket].holds = False
            case m.MessageRecorded(ticket=ticket):
                self._agenda.forget(ticket)
                self._message = None
            case m.SpeechStarted():
                self._is_speaking = True
                self._go_on_recording()
            case m.SpeechEnded():
                self._is_speaking = False
                if self._message:
                    self._message.heard = round(now - self._message.since, 3)
                self._go_on_recording()
            case _:
                pass

    def no_task(self) -> None:
        """The engine no longer waits for a task: there is no action that takes one back."""
        self._agenda.drop(m.Instruct)

    def no_look_up(self) -> None:
        """The engine no longer waits for an answer; it may still come, too late."""
        self._asked = None

    def over(self) -> None:
        """The call is over: nothing more comes of it."""
        self._agenda.under_way.clear()
        self._legs.clear()
        self._message = None

    # ── what the engine asks for ──────────────────────────────────────────────────────────────────────────────────────

    def perform(self, action: m.Action, now: float) -> None:  # noqa: C901 - the one list of all actions; a line or two each
        """Do what the engine asks for; its ending comes when it would come."""
        match action:
            case m.Play(ticket=ticket, seconds=seconds):
                self.no_task()
                self._agenda.begin(action, now, seconds, m.PromptEnded(ticket=ticket))
            case m.Answer():
                self._agenda.begin(action, now, 0.0, m.CallAnswered())
            case m.Dial():
                self._dial(action, now)
            case m.Ring(extension=extension):
                self.no_task()
                self._ring(action, now, self._agent_at(extension))
            case m.JoinQueue():
                self.no_task()
                self._join(action, now)
            case m.Bridge(ticket=ticket):
                leg = self._legs[ticket]
                leg.joined_at = now
                self._agenda.begin(action, now, leg.talks, m.AgentLeft(ticket=ticket))
            case m.Part(ticket=ticket):
                leg = self._legs[ticket]
                leg.talks -= now - (leg.joined_at if leg.joined_at is not None else now)
                leg.joined_at = None
                self._agenda.forget(ticket, m.AgentLeft)
            case m.Instruct(ticket=ticket):
                self.no_task()
                holds = any(leg.holds for leg in self._legs.values())  # then the agent is at it until the hold is over
                self._agenda.begin(
                    action, now, math.inf if holds else self._agents[""].works, m.TaskDone(ticket=ticket)
                )
            case m.RecordMessage():
                self._message = _Message(action, now)
                self._go_on_recording()
            case m.StopRecordingMessage(ticket=ticket):
                if self._message and self._message.begun.ticket == ticket:
                    seconds = round(now - self._message.since, 3)
                    self._agenda.forget(ticket)
                    self._agenda.begin(self._message.begun, now, 0.0, m.MessageRecorded(ticket, "key", seconds))
            case m.Enquire():
                self._enquire(action, now, self._look_up)
            case m.StopPlaying(ticket=ticket):
                self._agenda.forget(ticket)
            case m.StopRinging(ticket=ticket):
                self._agenda.forget(ticket)
                self._sought.pop(ticket, None)
            case m.DropAgent(ticket=ticket):
                self._agenda.forget(ticket)
                self._legs.pop(ticket, None)
            case m.StopDialling():
                self._agenda.drop(m.Dial)
            case m.EndCall() | m.FallBack():
                self.over()
            case (
                m.StartMusic()
                | m.StopMusic()
                | m.StartRecording()
                | m.PauseRecording()
                | m.ResumeRecording()
                | m.KeepMessage()
                | m.NoteScore()
                | m.OrderCallback()
                | m.NotePromise()
            ):
                pass
            case _:
                assert_never(action)

    # ── what somebody says ────────────────────────────────────────────────────────────────────────────────────────────

    def tell_agent(self, change: AgentChange, now: float) -> m.CallEvent | str:
        """Somebody who rings, talks or works does it now; everybody else from the next time on.

        Returns:
            What happens at once; or, in words, why it came to nothing, empty when it did not.
        """
        if change.manner == "leaves":
            ticket = self._on_the_line(change.extension)
            return m.AgentLeft(ticket=ticket) if ticket is not None else "no agent is talking"
        sought = self._agenda.find(m.Ring, m.JoinQueue)
        match sought.begun if sought else None:
            case m.Ring(extension=extension) as ring if change.manner and change.extension in {"", extension}:
                _, agent = self._sought[ring.ticket]
                self._ring(ring, now, change.made_to(replace(agent, after=0.0)))
                return ""
            case m.JoinQueue(queue=name) as join if change.manner and change.extension in {"", *self._members(name)}:
                self._change_agents(change if change.after is not None else replace(change, after=0.0))
                self._seek(join, now)
                return ""
            case _:
                pass
        task = self._agenda.find(m.Instruct)
        if task and change.works is not None and not change.extension:
            self._agenda.forget(task.ticket)
            self._agenda.begin(task.begun, task.since, max(now - task.since, change.works), task.ending)
        self._change_agents(change)
        return ""

    def agent_acts(self, deed: AgentDeed, now: float) -> m.CallEvent | str:
        """An agent on the line does something now. Returns what `tell_agent` does."""
        ticket = self._on_the_line(deed.extension)
        if ticket is None:
            return "no agent is talking"
        leg = self._legs[ticket]
        match deed.what:
            case "holds" if leg.holds:
                return "the agent holds already"
            case "holds":
                leg.holds = True
                started = m.HoldStarted(ticket=ticket)
                if deed.seconds is not None:
                    self._agenda.begin(m.Bridge(ticket), now, deed.seconds, m.HoldEnded(ticket))
                return started
            case "back":
                return m.HoldEnded(ticket=ticket) if leg.holds else "the agent does not hold"
            case "keys":
                return m.AgentKeyed(ticket=ticket, code=deed.word)
            case "transfers":
                return m.TransferOrdered(step=deed.word)
            case _:
                assert_never(deed.what)

    def tell_queue(self, change: QueueChange, now: float) -> m.CallEvent | str:
        """A queue changes, also for a caller who waits in it. Returns what `tell_agent` does."""
        self._queues[change.queue] = change.made_to(self._queues.get(change.queue, SimulatedQueue()))
        joined = self._agenda.find(m.JoinQueue)
        join = joined.begun if joined else None
        waits = isinstance(join, m.JoinQueue) and join.queue == change.queue
        if change.agent:
            agent = change.agent
            if waits and agent.after is None:
                agent = replace(agent, after=0.0)
            self._change_agents(agent)
        if not waits or not isinstance(join, m.JoinQueue):
            return ""
        if change.position is not None:
            return m.QueueMoved(ticket=join.ticket, position=change.position, expected_s=change.expects or 0.0)
        if change.state != "full":
            self._seek(join, now)
        return ""

    def tell_look_up(self, look_up: LookUp, now: float) -> None:
        """The look-up under way ends so, counted from now; otherwise the next ones do."""
        asked = self._agenda.find(m.Enquire)
        if asked and isinstance(asked.begun, m.Enquire) and asked.ticket == self._asked:
            self._agenda.forget(asked.ticket)
            self._enquire(asked.begun, now, look_up)
        else:
            self._look_up = look_up

    # ── how it comes about ────────────────────────────────────────────────────────────────────────────────────────────

    def _agent_at(self, extension: str) -> Agent:
        return self._agents.get(extension, self._agents[""])

    def _change_agents(self, change: AgentChange) -> None:
        for extension in [change.extension] if change.extension else list(self._agents):
            self._agents[extension] = change.made_to(self._agent_at(extension))

    def _on_the_line(self, extension: str) -> m.Ticket | None:
        """The agent who is joined with the caller, or the last one who answered."""
        legs = {ticket: leg for ticket, leg in self._legs.items() if extension in {"", leg.extension}}
        joined = [ticket for ticket, leg in legs.items() if leg.joined_at is not None]
        return next(iter(joined), max(legs, default=None))

    def _dial(self, dial: m.Dial, now: float) -> None:
        """Let the person's telephone ring."""
        called = self._called
        match called.manner:
            case "answers":
                self._agenda.begin(dial, now, called.after, m.CallAnswered())
            case "busy":
                self._agenda.begin(dial, now, called.after, m.CallNotAnswered(why="busy"))
            case "refuses":
                self._agenda.begin(dial, now, called.after, m.CallNotAnswered(why="refused"))
            case "unreachable":
                self._agenda.begin(dial, now, called.after, m.CallNotAnswered(why="unreachable"))
            case "away":
                self._agenda.begin(dial, now, math.inf, m.CallNotAnswered())
            case _:
                assert_never(called.manner)

    def _ring(self, ring: m.Ring, now: float, agent: Agent) -> None:
        """Let the extension ring, or what rings already go on in another way."""
        ticket = ring.ticket
        self._agenda.forget(ticket)
        self._sought[ticket] = ring.extension, agent
        match agent.manner:
            case "answers" | "paused":
                self._agenda.begin(ring, now, agent.after, m.AgentAnswered(ticket=ticket))
            case "busy":
                self._agenda.begin(ring, now, agent.after, m.AgentUnavailable(ticket=ticket, why="busy"))
            case "unreachable" | "logged_out":
                self._agenda.begin(ring, now, 0.0, m.AgentUnavailable(ticket=ticket, why="unreachable"))
            case "away":
                self._agenda.begin(ring, now, math.inf, m.AgentUnavailable(ticket=ticket))
            case _:
                assert_never(agent.manner)

    def _members(self, queue: str) -> tuple[str, ...]:
        members = self._queues.get(queue, SimulatedQueue()).members
        return ("",) if members is None else members

    def _join(self, join: m.JoinQueue, now: float) -> None:
        """Stand in the queue, unless it is full."""
        queue = self._queues.get(join.queue, SimulatedQueue())
        if queue.is_full:
            self._agenda.begin(join, now, 0.0, m.AgentUnavailable(ticket=join.ticket, why="full"))
            return
        answers_at = self._seek(join, now)
        if answers_at is None:
            return
        position = queue.position
        for ahead in range(position, 0, -1):  # moving up evenly until somebody answers
            after = (answers_at - now) * (position - ahead) / position if ahead < position else 0.0
            moved = m.QueueMoved(join.ticket, ahead, round(queue.expects * ahead / position, 3))
            if math.isfinite(after):
                self._agenda.begin(join, now, after, moved)

    def _seek(self, join: m.JoinQueue, now: float) -> float | None:
        """Look for an agent of the queue. Returns when one answers, infinite for never; None when there is nobody."""
        ticket = join.ticket
        self._agenda.forget(ticket, m.AgentAnswered)
        self._agenda.forget(ticket, m.AgentUnavailable)
        there = [name for name in self._members(join.queue) if self._agent_at(name).manner not in _NOBODY_THERE]
        if not there:
            self._agenda.forget(ticket)
            self._agenda.begin(join, now, 0.0, m.AgentUnavailable(ticket=ticket, why="nobody"))
            return None
        free = [name for name in there if self._agent_at(name).manner == "answers"]
        if not free:
            self._agenda.begin(join, now, math.inf, m.AgentUnavailable(ticket=ticket))
            return math.inf
        first = min(free, key=lambda name: self._agent_at(name).after)
        agent = self._agent_at(first)
        self._sought[ticket] = first, agent
        answered = m.AgentAnswered(ticket=ticket, agent=first, rang=min(agent.rings, agent.after))
        self._agenda.begin(join, now, agent.after, answered)
        return now + agent.after

    def _go_on_recording(self) -> None:
        """When the message now ends by itself: when it is full, or the caller was silent for long enough."""
        message = self._message
        if message is None:
            return
        ticket, begun = message.begun.ticket, message.begun
        self._agenda.forget(ticket)
        if not self._is_speaking:
            said = m.MessageRecorded(ticket=ticket, how="silence", seconds=message.heard)
            self._agenda.begin(begun, message.since, message.heard + begun.silence, said)
        full = m.MessageRecorded(ticket=ticket, how="full", seconds=begun.seconds)
        self._agenda.begin(begun, message.since, begun.seconds, full)

    def _enquire(self, enquire: m.Enquire, now: float, look_up: LookUp) -> None:
        self._asked = ticket = enquire.ticket
        match look_up.ending:
            case "answers":
                values = {name: look_up.values[name] for name in enquire.wanted if name in look_up.values}
                self._agenda.begin(enquire, now, look_up.after, m.AnswerReceived(ticket=ticket, values=values))
            case "wrong":
                self._agenda.begin(enquire, now, look_up.after, m.AnswerReceived(ticket=ticket, how="wrong"))
            case "fails":
                self._agenda.begin(enquire, now, look_up.after, m.AnswerReceived(ticket=ticket, how="failed"))
            case "never":
                self._agenda.begin(enquire, now, math.inf, m.AnswerReceived(ticket=ticket))
            case _:
                assert_never(look_up.ending)
