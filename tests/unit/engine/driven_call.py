"""A call driven by hand: events go in at the times the test says, actions come out, nothing else moves."""

from typing import Self

from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession
from ivrflow.engine.trace import Fact, TraceLine, Verdict
from ivrflow.flow.model import CallFlow

BEGIN = 5_000.0
"""Session time at which calls arrive: far from zero, so that a mixed-up origin shows."""

ARRIVED_AT = 1_700_000_000.0
"""Unix time at which calls arrive: Tuesday 2023-11-14 22:13:20 UTC."""


class DrivenCall:
    """One session, its time and everything it has asked for."""

    def __init__(self, flow: CallFlow, *, arrived_at: float = ARRIVED_AT) -> None:
        self.session = CallSession(flow)
        self.now = BEGIN
        self.actions: list[m.Action] = []
        self.last: list[m.Action] = []
        self.playing: m.Play | None = None
        self._play_ends = 0.0
        self.happens(m.CallArrived(number="12345", arrived_at=arrived_at))

    def happens(self, event: m.CallEvent, after: float = 0.0) -> Self:
        """Feed `event`, `after` seconds later."""
        self.now += after
        if isinstance(event, m.PromptEnded) and self.playing and self.playing.ticket == event.ticket:
            self.playing = None
        self.last = self.session.handle(event, self.now)
        self.actions += self.last
        for action in self.last:
            match action:
                case m.Play():
                    assert self.playing is None, "a prompt begins while another plays"
                    self.playing, self._play_ends = action, self.now + action.seconds
                case m.StopPlaying(ticket=ticket):
                    assert self.playing, "nothing is playing"
                    assert self.playing.ticket == ticket, "another prompt is playing"
                    self.playing = None
                case m.EndCall() | m.FallBack():
                    assert self.playing is None, "the call ends while a prompt plays"
                case _:
                    pass
        return self

    def answered(self) -> Self:
        return self.happens(m.CallAnswered())

    def key(self, key: str, after: float = 0.0) -> Self:
        return self.happens(m.KeyPressed(key=key), after)

    def keys(self, keys: str, each_after: float = 0.0) -> Self:
        for key in keys:
            self.key(key, each_after)
        return self

    def speech(self, after: float = 0.0) -> Self:
        """Speech begins."""
        return self.happens(m.SpeechStarted(), after)

    def quiet(self, after: float = 0.0) -> Self:
        """Speech ends."""
        return self.happens(m.SpeechEnded(), after)

    def remark(self, after: float = 0.0) -> Self:
        """Speech begins and ends a little later."""
        return self.speech(after).quiet(0.2)

    def hangs_up(self, after: float = 0.0) -> Self:
        return self.happens(m.CallerHungUp(), after)

    def situation(self, name: str, after: float = 0.0) -> Self:
        return self.happens(m.SituationStarted(name=name), after)

    def signal(self, word: str, after: float = 0.0) -> Self:
        return self.happens(m.SignalGiven(word=word), after)

    def prompt_ends(self, how: str = "finished") -> Self:
        """The playing prompt runs to its end (at once when it is missing or failed)."""
        play = self.playing
        assert play is not None, "no prompt is playing"
        ended = m.PromptEnded(ticket=play.ticket, how=how)  # type: ignore[arg-type]  # a word the test chose
        return self.happens(ended, max(0.0, self._play_ends - self.now) if how == "finished" else 0.0)

    def time_passes(self) -> Self:
        """Until the deadline, which is then reached."""
        assert self.session.deadline is not None
        self.now = max(self.now, self.session.deadline)
        return self.happens(m.DeadlineReached())

    def silence(self, seconds: float) -> Self:
        """Nobody does anything for `seconds`: prompts end by themselves and deadlines are reached."""
        until = self.now + seconds
        while not self.session.is_over:
            deadline = self.session.deadline
            assert deadline is not None
            due = min(deadline, self._play_ends) if self.playing else deadline
            if due > until:
                break
            self.now = max(self.now, due)
            ends = self.playing and self._play_ends <= deadline
            self.happens(m.PromptEnded(ticket=self.playing.ticket) if self.playing and ends else m.DeadlineReached())
        self.now = max(self.now, until) if not self.session.is_over else self.now
        return self

    @property
    def says(self) -> list[str]:
        """Phrases begun so far."""
        return [action.phrase for action in self.actions if isinstance(action, m.Play)]

    @property
    def trace(self) -> list[TraceLine]:
        return self.session.trace

    @property
    def facts(self) -> list[Fact]:
        return [line.fact for line in self.trace]

    @property
    def steps(self) -> list[str]:
        """Steps entered so far."""
        return [line.step for line in self.trace if line.fact is Fact.STEP_ENTERED]

    @property
    def waits_for(self) -> float:
        """Seconds until the deadline."""
        assert self.session.deadline is not None
        return round(self.session.deadline - self.now, 6)

    def ticket(self, kind: type[m.Action]) -> int:
        """Ticket of the last action of this kind."""
        found = [action for action in self.actions if isinstance(action, kind)]
        return int(getattr(found[-1], "ticket"))  # noqa: B009 - not every action has one

    def verdict(self, rule: str) -> Verdict:
        return next(verdict for verdict in self.session.verdicts if verdict.rule == rule)


def call(flow: CallFlow, *, arrived_at: float = ARRIVED_AT) -> DrivenCall:
    """A call that has been answered."""
    return DrivenCall(flow, arrived_at=arrived_at).answered()
