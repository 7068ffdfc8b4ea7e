"""Simulated calls of made flows, and how long one hears nothing on them."""

from collections.abc import Sequence

from any_flow import Doing, Others

from ivrflow.engine import messages as m
from ivrflow.engine.standing import Keying, Tasking
from ivrflow.engine.trace import Fact
from ivrflow.flow.model import CallFlow
from ivrflow.simulator.agents import AgentChange, AgentDeed
from ivrflow.simulator.caller_commands import AgentActs, TellAgent
from ivrflow.simulator.simulation import Happening, Simulation


class WatchedCall(Simulation):
    """A simulation that remembers where the call stood."""

    def __init__(self, small: CallFlow, around: Others) -> None:
        self.was_keying: list[bool] = []
        self.is_tasking: list[bool] = []
        super().__init__(
            small,
            agents={"": around.agent},
            arrived_at=1_795_140_000.0,
            queues={"agents": around.queue},
            look_up=around.look_up,
            caller=around.caller,
        )

    def feed(self, happened: m.CallEvent) -> Happening | None:
        keying = isinstance(self.session._standing, Keying)
        happening = super().feed(happened)
        if happening is not None:
            self.was_keying.append(keying)
            self.is_tasking.append(isinstance(self.session._standing, Tasking))
        return happening


def play(small: CallFlow, around: Others, script: Sequence[Doing]) -> WatchedCall:
    """Let all that happen, then let the call run out."""
    call = WatchedCall(small, around)
    for doing in script:
        if (ahead := call.next_at) is None:
            break
        if doing.share >= 1.0:
            call.step()
        else:
            call.advance((ahead - call.now) * doing.share)
        if call.is_over:
            break
        match doing.what:
            case "press":
                call.feed(m.KeyPressed(key=doing.word))
            case "speak":
                call.feed(m.SpeechStarted())
                call.feed(m.SpeechEnded())
            case "situation":
                call.feed(m.SituationStarted(name=doing.word))
            case "signal":
                call.feed(m.SignalGiven(word=doing.word))
            case "agent" if doing.word == "leaves":
                call.caller(TellAgent(AgentChange(manner="leaves")))
            case "agent":
                call.caller(AgentActs(AgentDeed("holds" if doing.word == "holds" else "back")))
            case "send":
                call.caller(AgentActs(AgentDeed("transfers", word=doing.word)))
            case "cancel":
                call.feed(m.SituationCancelled())
            case "done":
                call._finish_task()
            case _:
                pass
        call.advance(0.0)
    call.run_out()
    return call


class Line:
    """What is heard on the caller's line."""

    def __init__(self) -> None:
        self.sounds: set[str] = {"not answered"}
        self.quiet_since: float | None = None
        """Since when a caller who leaves a message has said nothing more, once that is known."""
        self._recording_since = 0.0

    def after(self, happening: Happening, *, is_tasking: bool) -> bool:
        """Take what happened; whether anything sounded at that moment, however briefly."""
        self.quiet_since = None
        self._ends(happening.event)
        sounded = False
        for action in happening.actions:
            self._does(action, happening.at)
            sounded = sounded or bool(self.sounds)
        self.sounds.discard("task")
        if is_tasking:
            self.sounds.add("task")
        return sounded

    def _ends(self, event: m.CallEvent) -> None:
        match event:
            case m.CallAnswered():
                self.sounds.discard("not answered")
            case m.PromptEnded():
                self.sounds.discard("prompt")
            case m.AgentLeft() | m.HoldStarted():
                self.sounds.discard("agent")
            case m.MessageRecorded(seconds=seconds):
                self.sounds.discard("message")
                self.quiet_since = self._recording_since + seconds
            case _:
                pass

    def _does(self, action: m.Action, at: float) -> None:
        match action:
            case m.Play(hearer="agent"):
                pass  # a colleague is told who is coming; the caller has music
            case m.Play():
                self.sounds.add("prompt")
            case m.StopPlaying():
                self.sounds.discard("prompt")
            case m.StartMusic():
                self.sounds.add("music")
            case m.StopMusic():
                self.sounds.discard("music")
            case m.Bridge():
                self.sounds.add("agent")
            case m.DropAgent() | m.Part():
                self.sounds.discard("agent")
            case m.RecordMessage():
                self.sounds.add("message")  # a tone, then the caller's own voice
                self._recording_since = at
            case m.EndCall() | m.FallBack():
                self.sounds.add("over")
            case _:
                pass


def longest_silence(call: WatchedCall, *, tasks_sound: bool) -> float:
    """The longest time without a sound in which at most one situation was started."""
    line = Line()
    longest, since, situations, trace_begin = 0.0, 0.0, 0, 0
    for index, happening in enumerate(call.record):
        was_silent = not line.sounds
        sounded = line.after(happening, is_tasking=tasks_sound and call.is_tasking[index])
        if line.quiet_since is not None:
            was_silent, since, situations = True, line.quiet_since, 0
        if was_silent:
            lines = call.session.trace[trace_begin : happening.trace_end]
            situations += sum(one.fact is Fact.SITUATION_STARTED for one in lines)
            if situations <= 1:
                longest = max(longest, happening.at - since)
        trace_begin = happening.trace_end
        is_digit = isinstance(happening.event, m.KeyPressed) and call.was_keying[index]
        if not was_silent or line.sounds or sounded or is_digit:
            since, situations = happening.at, 0
    return longest
