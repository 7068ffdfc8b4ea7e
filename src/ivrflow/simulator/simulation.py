"""One call on a virtual clock: the engine as it is, with everything around it played by this file.

The PBX opens the line at once and plays every prompt for exactly its length; agents behave as told. Time is a number
that jumps from one happening to the next, so a call of twenty seconds takes a millisecond. Every event that reached
the engine is recorded with its second and the engine's answer: what a journal holds, and what a replay needs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

import msgspec

from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession
from ivrflow.engine.trace import Fact
from ivrflow.flow.model import CallFlow
from ivrflow.simulator.agents import Agent, AgentChange
from ivrflow.simulator.called import Called, some_number
from ivrflow.simulator.caller_commands import (
    Bare,
    Command,
    GiveSignal,
    LearnValue,
    Press,
    Speak,
    StartSituation,
    Stay,
    TellAgent,
)

KEY_GAP_S = 0.3
"""Seconds from one key to the next when several are typed together."""

_EPSILON_S = 1e-9
"""Less than any wait: sums of seconds that should meet a deadline exactly may miss it by their last bits."""

_ENDINGS = (
    m.CallAnswered,
    m.CallNotAnswered,
    m.PromptEnded,
    m.AgentAnswered,
    m.AgentUnavailable,
    m.AgentLeft,
    m.TaskDone,
)

_TASK_BEHIND = frozenset(
    {Fact.TASK_DONE, Fact.WAIT_USED_UP, Fact.LADDER_LEFT, Fact.LADDER_USED_UP, Fact.SITUATION_OVER, Fact.ENDED}
)
"""What the trace says when a call no longer waits for a task: there is no action that takes a task back."""


class Happening(msgspec.Struct, frozen=True):
    """One event as it reached the engine, and the engine's answer.

    Attributes:
        at: session time in seconds.
        trace_end: how many lines the trace had afterwards.
    """

    at: float
    event: m.CallEvent
    actions: tuple[m.Action, ...]
    trace_end: int = 0


_Begun: TypeAlias = m.Answer | m.Dial | m.Play | m.Ring | m.Bridge | m.Instruct


@dataclass(slots=True)
class _UnderWay:
    """The one thing that the world around the engine is doing: a call never waits for two.

    Attributes:
        begun: the action that asked for it.
        since: second at which it began.
        ends_at: second at which it ends by itself; infinite when it does not.
        ending: the event it then ends with.
    """

    begun: _Begun
    since: float
    ends_at: float
    ending: m.CallEvent


class Simulation:
    """One call, from its arrival at second 0.

    Attributes:
        session: the engine's side of the call.
        now: seconds since the call arrived.
        record: every happening so far.
    """

    def __init__(
        self,
        flow: CallFlow,
        *,
        agents: Mapping[str, Agent] | None = None,
        arrived_at: float = 0.0,
        number: str = "",
        called: Called | None = None,
        begins_at: float = 0.0,
    ) -> None:
        """Let the call begin: the caller's, whose line opens at once, or the one the flow places.

        Args:
            flow: what the call walks.
            agents: how the agent at an extension behaves; under "" everybody not named.
            arrived_at: Unix time in seconds, which decides on opening hours.
            number: the number dialled; by default the flow's first, or one it may ring.
            called: how the person behaves whom the flow rings; None for a caller's call.
            begins_at: second at which it begins.
        """
        self.session = CallSession(flow)
        self.now = begins_at
        self.record: list[Happening] = []
        self._agents = {"": Agent(), **(agents or {})}
        self._agent_called = self._agents[""]
        self._under_way: _UnderWay | None = None
        self._called = called
        if called is None:
            self.feed(m.CallArrived(number=number or next(iter(flow.numbers), ""), arrived_at=arrived_at))
        else:
            self.feed(m.CallOrdered(caller=number or some_number(flow), arrived_at=arrived_at))
        self.advance(0.0)

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_over(self) -> bool:
        """Whether the call has ended."""
        return self.session.is_over

    @property
    def was_placed(self) -> bool:
        """Whether the flow rang somebody, and was not rung."""
        return self._called is not None

    @property
    def is_listening(self) -> bool:
        """Whether it is the caller's turn: nothing plays, rings, talks or works, and the call is not over."""
        return self._under_way is None and not self.session.is_over

    @property
    def next_at(self) -> float | None:
        """The second of the next happening if nobody does anything; None when the call is over."""
        deadline = self.session.deadline
        if deadline is None or self._under_way is None:
            return deadline
        return min(self._under_way.ends_at, deadline)

    def step(self) -> Happening | None:
        """Go to the next happening; None when the call is over. What ends at the very deadline comes before it."""
        deadline = self.session.deadline
        if deadline is None:
            return None
        under_way = self._under_way
        if under_way and under_way.ends_at <= deadline:
            self.now = under_way.ends_at
            return self.feed(under_way.ending)
        self.now = max(self.now, deadline)
        return self.feed(m.DeadlineReached())

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass, with everything that happens in them up to the last moment."""
        until = self.now + seconds
        while (at := self.next_at) is not None and at <= until + _EPSILON_S:
            self.step()
        if not self.is_over:
            self.now = max(self.now, until)

    def run_out(self) -> None:
        """Let time pass until the call is over. It always gets there: a call has a longest length."""
        while self.step() is not None:
            pass

    # ── what anybody does ─────────────────────────────────────────────────────────────────────────────────────────────

    def caller(self, command: Command) -> str:  # noqa: C901 - the one list of all commands; each branch is one line
        """Do what a command says, time included.

        Returns:
            Why it came to nothing, in words; empty when it was done. `/where`, `/help` and `/quit` do nothing to a call.
        """
        if self.is_over:
            return "the call is over"
        match command:
            case Bare.NEXT:
                self.step()
            case Bare.LISTEN:
                while not self.is_listening and self.step():
                    pass
            case Bare.HANG_UP:
                self.feed(m.CallerHungUp(cause=16))
            case Bare.CANCEL:
                self.feed(m.SituationCancelled())
            case Bare.DONE:
                return self._finish_task()
            case Bare.DEAF:
                self.feed(m.HearingLost())
            case Bare.HEAR:
                self.feed(m.HearingRestored())
            case Bare.WHERE | Bare.HELP | Bare.QUIT:
                pass
            case Press(keys=keys):
                self._press(keys)
            case Speak(seconds=seconds):
                self.feed(m.SpeechStarted())
                self.advance(seconds)
                self.feed(m.SpeechEnded())
            case Stay(seconds=seconds):
                self.run_out() if seconds is None else self.advance(seconds)
            case StartSituation(name=name):
                self.feed(m.SituationStarted(name=name))
            case GiveSignal(word=word):
                self.feed(m.SignalGiven(word=word))
            case LearnValue(name=name, value=value):
                self.feed(m.ValuesLearned(values={name: value}))
            case TellAgent(change=change):
                remark = self._tell_agent(change)
                self.advance(0.0)
                return remark
            case _:
                assert_never(command)
        self.advance(0.0)
        return ""

    def feed(self, event: m.CallEvent) -> Happening | None:
        """Hand the engine an event now, record it and do what the engine answers; None once the call is over."""
        session = self.session
        if session.is_over:
            return None
        if isinstance(event, _ENDINGS):
            self._under_way = None
        trace_begin = len(session.trace)
        actions = session.handle(event, self.now)
        happening = Happening(self.now, event, tuple(actions), len(session.trace))
        self.record.append(happening)
        if (
            self._under_way
            and isinstance(self._under_way.begun, m.Instruct)
            and any(line.fact in _TASK_BEHIND for line in session.trace[trace_begin:])
        ):
            self._under_way = None
        for action in actions:
            self._perform(action)
        return happening

    def _press(self, keys: str) -> None:
        for index, key in enumerate(keys):
            if index:
                self.advance(KEY_GAP_S)
            self.feed(m.KeyPressed(key=key))

    def _finish_task(self) -> str:
        match self._under_way:
            case _UnderWay(begun=m.Instruct(ticket=ticket)):
                self.feed(m.TaskDone(ticket=ticket))
                return ""
            case _:
                return "no task is asked for"

    def _tell_agent(self, change: AgentChange) -> str:
        """Somebody who rings, talks or works does it now; everybody else from the next time on."""
        under_way = self._under_way
        match under_way:
            case _UnderWay(begun=m.Bridge(ticket=ticket)) if change.manner == "leaves":
                self.feed(m.AgentLeft(ticket=ticket))
                return ""
            case _ if change.manner == "leaves":
                return "no agent is talking"
            case _UnderWay(begun=m.Ring(extension=extension) as ring) if change.manner and (
                change.extension in {"", extension}
            ):
                self._ring(ring, change.made_to(replace(self._agent_called, after=0.0)))
                return ""
            case _UnderWay(begun=m.Instruct(), since=since) if change.works is not None and not change.extension:
                under_way.ends_at = max(self.now, since + change.works)
            case _:
                pass
        for extension in [change.extension] if change.extension else list(self._agents):
            self._agents[extension] = change.made_to(self._agent_at(extension))
        return ""

    # ── the world around the engine ───────────────────────────────────────────────────────────────────────────────────

    def _agent_at(self, extension: str) -> Agent:
        return self._agents.get(extension, self._agents[""])

    def _begin(self, action: _Begun, seconds: float, ending: m.CallEvent) -> None:
        self._under_way = _UnderWay(action, self.now, self.now + seconds, ending)

    def _perform(self, action: m.Action) -> None:
        """Do what the engine asks for; its ending comes when it would come."""
        match action:
            case m.Play(ticket=ticket, seconds=seconds):
                self._begin(action, seconds, m.PromptEnded(ticket=ticket))
            case m.Answer():
                self._begin(action, 0.0, m.CallAnswered())
            case m.Dial():
                self._dial(action, self._called or Called())
            case m.Ring(extension=extension):
                self._ring(action, self._agent_at(extension))
            case m.Bridge(ticket=ticket):
                self._begin(action, self._agent_called.talks, m.AgentLeft(ticket=ticket))
            case m.Instruct(ticket=ticket):
                self._begin(action, self._agents[""].works, m.TaskDone(ticket=ticket))
            case m.StopPlaying() | m.StopDialling() | m.StopRinging() | m.DropAgent() | m.EndCall() | m.FallBack():
                self._under_way = None
            case m.StartMusic() | m.StopMusic() | m.NotePromise():
                pass
            case _:
                assert_never(action)

    def _dial(self, dial: m.Dial, called: Called) -> None:
        """Let the person's telephone ring."""
        match called.manner:
            case "answers":
                self._begin(dial, called.after, m.CallAnswered())
            case "busy":
                self._begin(dial, called.after, m.CallNotAnswered(why="busy"))
            case "refuses":
                self._begin(dial, called.after, m.CallNotAnswered(why="refused"))
            case "unreachable":
                self._begin(dial, called.after, m.CallNotAnswered(why="unreachable"))
            case "away":
                self._begin(dial, math.inf, m.CallNotAnswered())
            case _:
                assert_never(called.manner)

    def _ring(self, ring: m.Ring, agent: Agent) -> None:
        """Let the extension ring, or what rings already go on in another way."""
        self._agent_called = agent
        match agent.manner:
            case "answers":
                self._begin(ring, agent.after, m.AgentAnswered(ticket=ring.ticket))
            case "busy":
                self._begin(ring, agent.after, m.AgentUnavailable(ticket=ring.ticket, why="busy"))
            case "unreachable":
                self._begin(ring, 0.0, m.AgentUnavailable(ticket=ring.ticket, why="unreachable"))
            case "away":
                self._begin(ring, math.inf, m.AgentUnavailable(ticket=ring.ticket))
            case _:
                assert_never(agent.manner)
