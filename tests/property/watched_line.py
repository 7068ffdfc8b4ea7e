"""The line of a call as it would be heard: who is there, what plays, what is recorded; and what may not happen on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession


@dataclass(slots=True)
class LegSeen:
    """An agent as the line would see one: sought, then there, joined or apart, then gone."""

    is_queue: bool
    is_there: bool = False
    is_joined: bool = False
    is_apart: bool = False
    holds: bool = False


class WatchedLine:
    """Follows the events and actions of one call, and asserts that each can be heard as it is meant."""

    def __init__(self) -> None:
        self.legs: dict[m.Ticket, LegSeen] = {}
        self.released: list[m.Ticket] = []
        self.playing: m.Ticket | None = None
        self.music = False
        self.recording = ""
        self.message: m.Ticket | None = None
        self.stopped: m.Ticket | None = None
        self.messages: set[m.Ticket] = set()
        self.kept: list[m.Ticket] = []
        self.asked: m.Ticket | None = None

    def happens(self, event: m.CallEvent, actions: Sequence[m.Action]) -> None:
        """Something happens, and the engine answers."""
        self.ends(event)
        for position, action in enumerate(actions, start=1):
            assert position == len(actions) or not isinstance(action, m.EndCall | m.FallBack), "nothing after the end"
            self.does(action)

    def ends(self, event: m.CallEvent) -> None:
        """What the line knows before the engine does."""
        match event:
            case m.AgentAnswered(ticket=ticket) if ticket in self.legs:
                self.legs[ticket].is_there = True
            case m.AgentUnavailable(ticket=ticket) | m.AgentLeft(ticket=ticket) if ticket in self.legs:
                self.gone(ticket)
            case m.HoldStarted(ticket=ticket) | m.HoldEnded(ticket=ticket) if ticket in self.legs:
                self.legs[ticket].holds = isinstance(event, m.HoldStarted)
            case m.MessageRecorded(ticket=ticket) if ticket == self.message:
                self.message = None
            case m.AnswerReceived(ticket=ticket) if ticket == self.asked:
                self.asked = None
            case m.PromptEnded(ticket=ticket) if ticket == self.playing:
                self.playing = None
            case m.CallerHungUp() | m.LineLost():
                self.message = self.playing = None
            case _:
                pass

    def gone(self, ticket: m.Ticket) -> None:
        assert ticket not in self.released, "nobody is let go twice"
        self.released.append(ticket)
        del self.legs[ticket]

    # ── what the engine does about it ─────────────────────────────────────────────────────────────────────────────────

    def does(self, action: m.Action) -> None:  # noqa: C901 - the one list of all actions that are heard
        match action:
            case m.Ring(ticket=ticket) | m.JoinQueue(ticket=ticket):
                assert all(leg.is_there for leg in self.legs.values()), "one agent is sought at a time"
                assert not any(leg.is_joined for leg in self.legs.values()), "who talks hears no music"
                self.legs[ticket] = LegSeen(isinstance(action, m.JoinQueue))
                assert len(self.legs) <= 2, "one agent, and the colleague"
            case m.StopRinging(ticket=ticket):
                assert ticket in self.legs, "nobody is sought"
                assert not self.legs[ticket].is_there, "who answered is dropped, not stopped"
                self.gone(ticket)
            case m.Bridge(ticket=ticket):
                leg = self.legs[ticket]
                assert leg.is_there, "nobody answered"
                assert not any(other.is_joined for other in self.legs.values()), "somebody is joined with the caller"
                assert not self.music, "nobody talks into the music"
                assert not leg.holds, "this agent's telephone keeps the caller on hold"
                leg.is_joined, leg.is_apart = True, False
            case m.Part(ticket=ticket):
                leg = self.legs[ticket]
                assert leg.is_there, "nobody answered"
                assert not leg.is_apart, "they are apart"
                leg.is_joined, leg.is_apart = False, True
            case m.DropAgent(ticket=ticket):
                assert ticket in self.legs, "no such agent"
                assert self.legs[ticket].is_there, "who did not answer is stopped, not dropped"
                self.gone(ticket)
            case m.StopPlaying(ticket=ticket):
                assert ticket == self.playing, "this prompt is not playing"
                self.playing = None
            case m.Play(hearer=hearer, leg=leg_ticket):
                assert self.playing is None, "a prompt begins while another plays"
                self.playing = action.ticket
                assert not any(leg.is_joined for leg in self.legs.values()), "nobody talks over a prompt"
                assert not self.music or hearer == "agent", "no phrase is said into the music"
                assert self.message in {None, self.stopped}, "no phrase is said into a message"
                assert (leg_ticket != 0) == (hearer != "caller")
                if hearer != "caller":
                    assert self.legs[leg_ticket].is_apart, "that agent would not hear it"
                    assert hearer == "agent" or not self.legs[leg_ticket].holds, "whoever holds hears nothing"
                if action.message:
                    assert action.message in self.messages
            case m.StartMusic() | m.StopMusic():
                assert self.music == isinstance(action, m.StopMusic), "music is turned on and off in turn"
                self.music = not self.music
                if self.music:
                    assert not any(leg.is_joined for leg in self.legs.values()), "no music into a talk"
            case m.StartRecording():
                assert self.recording == ""
                self.recording = "on"
            case m.PauseRecording():
                assert self.recording == "on"
                self.recording = "paused"
            case m.ResumeRecording():
                assert self.recording == "paused"
                self.recording = "on"
            case m.RecordMessage(ticket=ticket):
                assert self.message in {None, self.stopped}
                assert (self.music, self.playing) == (False, None)
                self.message = ticket
                self.messages.add(ticket)
            case m.StopRecordingMessage(ticket=ticket):
                assert ticket == self.message, "no such message is being recorded"
                self.stopped = ticket
            case m.KeepMessage(ticket=ticket):
                assert ticket in self.messages
                assert ticket not in self.kept, "a message is kept once"
                self.kept.append(ticket)
            case m.Enquire(ticket=ticket):
                self.asked = ticket
            case m.EndCall() | m.FallBack():
                assert self.playing is None, "the call ends while a prompt plays"
            case _:
                pass

    def check(self, session: CallSession, now: float) -> None:
        """What holds at every moment."""
        if session.is_over:
            assert not self.legs, "an agent is left behind"
            assert not self.music, "music plays for nobody"
            return
        phase = session.phase
        sought = [leg for leg in self.legs.values() if not leg.is_there]
        assert (phase in {"ringing", "queued"}) == bool(sought), phase
        assert (phase == "queued") == any(leg.is_queue for leg in sought)
        assert (phase in {"bridged", "held"}) <= any(leg.is_there for leg in self.legs.values())
        if phase in {"conversing", "closing", "awaiting hangup"}:
            assert not self.legs, "nobody waits on the line for nothing"
        if sought and self.playing is None:
            assert self.music, "who waits for an agent hears music"
        interrupted = session._place.interrupted
        if interrupted and interrupted.has_agent and not self.legs:
            assert not session.task, "nobody is there to do it"
        if session.waiting_for == "the talk to end":
            assert not session._keys_ahead, "a key of the talk would answer what comes after it, unheard"
        if session.deadline is not None and session.deadline > now:
            self._nobody_is_left_alone(session.waiting_for)

    def _nobody_is_left_alone(self, waiting_for: str) -> None:
        """While an agent is on the line, the caller hears the agent, a prompt or music, whatever the call waits for."""
        there = [leg for leg in self.legs.values() if leg.is_there]
        if not there or self.playing is not None or self.music:
            return
        if waiting_for == "the talk to end":
            assert any(leg.is_joined for leg in there), "a talk of nobody with nobody"
        elif waiting_for == "the rung's wait" or waiting_for.startswith("task "):
            assert any(leg.is_joined or leg.holds for leg in there), waiting_for
