"""One call on a virtual clock: the engine as it is, with everything around it played (`surroundings`).

Time is a number that jumps from one happening to the next, so a call of twenty seconds takes a millisecond. Every event
that reached the engine is recorded with its second and the engine's answer: what a journal holds, and what a replay
needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

import msgspec

from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession
from ivrflow.engine.trace import Fact
from ivrflow.flow.model import CallFlow
from ivrflow.simulator.agents import Agent
from ivrflow.simulator.called import Called, some_number
from ivrflow.simulator.caller_commands import (
    AgentActs,
    Bare,
    Command,
    GiveSignal,
    LearnValue,
    Press,
    Speak,
    StartSituation,
    Stay,
    TellAgent,
    TellLookUp,
    TellQueue,
)
from ivrflow.simulator.look_ups import LookUp
from ivrflow.simulator.queues import SimulatedQueue
from ivrflow.simulator.surroundings import Surroundings

KEY_GAP_S = 0.3
"""Seconds from one key to the next when several are typed together."""

_EPSILON_S = 1e-9
"""Less than any wait: sums of seconds that should meet a deadline exactly may miss it by their last bits."""

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
        queues: Mapping[str, SimulatedQueue] | None = None,
        look_up: LookUp | None = None,
        caller: str = "",
    ) -> None:
        """Let the call begin: the caller's, whose line opens at once, or the one the flow places.

        Args:
            flow: what the call walks.
            agents: how the agent at an extension behaves; under "" everybody not named.
            arrived_at: Unix time in seconds, which decides on opening hours.
            number: the number dialled; by default the flow's first, or one it may ring.
            called: how the person behaves whom the flow rings; None for a caller's call.
            begins_at: second at which it begins.
            queues: the PBX's queues, by name; in one not named, agents answer as "" does.
            look_up: how look-ups end; they are answered after a second, with nothing known, when nobody says.
            caller: the number of a caller who rings us; "" when it is withheld.
        """
        self.session = CallSession(flow)
        self.now = begins_at
        self.record: list[Happening] = []
        self._around = Surroundings(agents or {}, queues or {}, look_up or LookUp(), called or Called())
        self._called = called
        if called is None:
            number = number or next(iter(flow.numbers), "")
            self.feed(m.CallArrived(number=number, arrived_at=arrived_at, caller=caller))
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
        """Whether it is the caller's turn: nothing plays, rings, talks or works, and the call is not over.

        Also while the caller waits in a queue, where keys count, and while a message is recorded.
        """
        return self._around.is_listening and not self.session.is_over

    @property
    def next_at(self) -> float | None:
        """The second of the next happening if nobody does anything; None when the call is over."""
        deadline = self.session.deadline
        return None if deadline is None else min(self._around.next_at, deadline)

    def step(self) -> Happening | None:
        """Go to the next happening; None when the call is over. What ends at the very deadline comes before it."""
        deadline = self.session.deadline
        if deadline is None:
            return None
        ends_at = self._around.next_at
        if ends_at <= deadline:
            self.now = max(self.now, ends_at)
            return self.feed(self._around.pop())
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
        remark = ""
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
                remark = self._finish_task()
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
                remark = self._happens(self._around.tell_agent(change, self.now))
            case AgentActs(deed=deed):
                remark = self._happens(self._around.agent_acts(deed, self.now))
            case TellQueue(change=change):
                remark = self._happens(self._around.tell_queue(change, self.now))
            case TellLookUp(look_up=look_up):
                self._around.tell_look_up(look_up, self.now)
            case _:
                assert_never(command)
        self.advance(0.0)
        return remark

    def feed(self, event: m.CallEvent) -> Happening | None:
        """Hand the engine an event now, record it and do what the engine answers; None once the call is over."""
        session = self.session
        if session.is_over:
            return None
        trace_begin = len(session.trace)
        self._around.happens(event, self.now)
        actions = session.handle(event, self.now)
        happening = Happening(self.now, event, tuple(actions), len(session.trace))
        self.record.append(happening)
        facts = {line.fact for line in session.trace[trace_begin:]}
        if facts & _TASK_BEHIND:
            self._around.no_task()
        if Fact.ENQUIRY_OVER in facts:
            self._around.no_look_up()
        for action in actions:
            self._around.perform(action, self.now)
        if self.is_over:
            self._around.over()
        return happening

    def _press(self, keys: str) -> None:
        for index, key in enumerate(keys):
            if index:
                self.advance(KEY_GAP_S)
            self.feed(m.KeyPressed(key=key))

    def _finish_task(self) -> str:
        ticket = self._around.task
        if ticket is None:
            return "no task is asked for"
        self.feed(m.TaskDone(ticket=ticket))
        return ""

    def _happens(self, outcome: m.CallEvent | str) -> str:
        """Let the engine know what somebody did; or say why it came to nothing."""
        if isinstance(outcome, str):
            return outcome
        self.feed(outcome)
        return ""
