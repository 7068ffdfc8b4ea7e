"""The way to one caller through Asterisk: actions become AGI commands and manager actions, what comes back becomes events.

Commands go over the call's own FastAGI session, events come over the one manager connection (keys and speech are lost
to AGI between commands, so they are taken from there). Nothing here decides anything about the call; an ending is
passed on with the ticket of the action it belongs to.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from ivrflow.bridge import agi_commands as agi
from ivrflow.bridge.agent_leg import AgentLeg, LegManager, Where
from ivrflow.bridge.agent_session import AgentSession
from ivrflow.bridge.agi_events import PlaybackEnding, PlaybackFinished, Reply
from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.bridge.header_question import HeaderQuestion
from ivrflow.bridge.orders.to_calls import read_order
from ivrflow.bridge.playback import Playback
from ivrflow.bridge.recorder import Recorder
from ivrflow.bridge.recordings_folder import Recordings
from ivrflow.bridge.speech_gate import TALK_SILENCE_MS, Heard, SpeechGate
from ivrflow.engine import messages as m

log = logging.getLogger("ivrflow.bridge")

ECHO_TAIL_S = 0.15
"""Seconds the echo of a prompt may still come back after its end (measured with delays of 50 to 150 ms)."""

KEY_END_REPEATED_S = 0.05
"""Seconds beyond its length within which another end of a key sent as SIP INFO is the same end once more."""

HIGHEST_TALK_LEVEL = 3000
"""The threshold is never raised beyond this: callers near the phone reach 2000 on average, 4000 splits their words."""

DONE_VARIABLE = "IVRFLOW_DONE"
"""Channel variable by which the dialplan knows that the engine ended the call as intended and did not die in it."""

CALL_HEADER = "X-Ivrflow-Call"
"""SIP header of an agent's INVITE: the Uniqueid of the caller it is for, which is also the call's id in the journal."""

_HowEnded: TypeAlias = Literal["finished", "stopped", "missing", "failed"]

_ENDINGS: Mapping[PlaybackEnding, _HowEnded] = {
    PlaybackEnding.FINISHED: "finished",
    PlaybackEnding.STOPPED: "stopped",
    PlaybackEnding.KEY: "stopped",
    PlaybackEnding.MISSING: "missing",
    PlaybackEnding.HANGUP: "stopped",
    PlaybackEnding.REFUSED: "failed",
}


@dataclass(frozen=True, slots=True)
class LineSettings:
    """What all lines share.

    Attributes:
        prompts_dir: the prompts folder as Asterisk sees it.
        talk_level: mean |sample| from which sound counts as talking while nothing plays.
        echo_gain: the loudest echo of our own prompt to expect, as a factor (12 dB below: 0.25).
        music_class: Asterisk's music-on-hold class.
        recordings: where calls and messages are recorded; None: nowhere.
    """

    prompts_dir: str
    talk_level: int = 512
    echo_gain: float = 0.25
    music_class: str = "default"
    recordings: Recordings | None = None


class AsteriskLine:
    """One caller's channel. Made by the exchange when Asterisk connects; speaks to the live call through `on_event`."""

    def __init__(
        self,
        channel: AgiChannel,
        manager: LegManager,
        settings: LineSettings,
        on_closed: Callable[[AsteriskLine], None],
    ) -> None:
        self.unique_id = channel.environment.unique_id
        self.flow = ""
        """Id of the call's flow, below which its recordings are filed."""
        self.on_event: Callable[[m.CallEvent], None] = _nobody
        self.read: Callable[[AmiEvent], m.CallEvent] = read_order
        """Asks the live call what an order means to it; raises OrderRefused where it means nothing."""
        self._channel = channel
        self._manager = manager
        self._settings = settings
        self._on_closed = on_closed
        self._loop = asyncio.get_running_loop()
        self._gate = SpeechGate()
        self._gate_timer: asyncio.TimerHandle | None = None
        self._tail_timer: asyncio.TimerHandle | None = None
        self._question: HeaderQuestion | None = None
        self._playback = Playback(channel)
        self._recorder = Recorder(
            self.unique_id,
            channel,
            manager,
            settings.recordings,
            tell=self._tell,
            before_tone=self._expect_echo,
            go_on=self._go_on,
        )
        self._held_back: deque[m.Action] = deque()
        """Actions that come after the beginning of the call's recording, which is not on the session yet."""
        self._legs: dict[m.Ticket, AgentLeg] = {}
        """Every agent sought for this call, by the ticket of the action that sought them."""
        self._not_begun: set[m.Ticket] = set()
        """Prompts that wait until the agent can hear them too."""
        self._answering = 0
        self._hanging_up = 0
        self._level = 0
        self._keys_go_down = False
        self._key_up = ("", 0.0)
        self._is_gone = False

    # ── before the call begins ────────────────────────────────────────────────────────────────────────────────────────

    def ask_header(self, name: str, on_answer: Callable[[str], None]) -> None:
        """Ask for a SIP header of the caller's INVITE before the call begins.

        Args:
            name: the header.
            on_answer: called once, with the header's text; empty when there is no such header, Asterisk does not answer
                in time, or the session ends. What happens until then is told right after it.
        """
        self._question = HeaderQuestion(self._channel, name, on_answer, self._tell)

    # ── actions ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def perform(self, action: m.Action) -> None:
        """Start doing it, after what was asked for before."""
        if self._recorder.is_preparing:
            self._held_back.append(action)
            return
        match action:
            case m.Dial() | m.StopDialling():
                raise AssertionError("only a line that does not exist yet is dialled, see outgoing_line")
            case m.Answer():
                self._answering = self._channel.send(agi.answer())
            case m.Play():
                self._play(action)
            case m.StopPlaying(ticket=ticket):
                self._stop_playing(ticket)
            case m.StartMusic():
                self._channel.send(agi.set_music(self._settings.music_class))
            case m.StopMusic():
                self._channel.send(agi.set_music(None))
            case m.Ring() | m.JoinQueue() | m.StopRinging() | m.DropAgent() | m.Bridge() | m.Part():
                self._perform_with_agent(action)
            case m.Instruct():
                log.info("call %s: the agent is asked to %s", self.unique_id, action.task)
            case (
                m.RecordMessage()
                | m.StopRecordingMessage()
                | m.KeepMessage()
                | m.StartRecording()
                | m.PauseRecording()
                | m.ResumeRecording()
            ):
                self._recorder.perform(action, self.flow)
            case m.Enquire() | m.NotePromise() | m.NoteScore() | m.OrderCallback():
                pass  # the live call asks over HTTP; the journal keeps the rest
            case m.EndCall():
                self._end_call()
            case m.FallBack(reason=reason):
                self._fall_back(reason)
            case _:
                assert_never(action)

    def _go_on(self) -> None:
        while self._held_back:
            self.perform(self._held_back.popleft())

    def _play(self, play: m.Play) -> None:
        files = self._files(play)
        leg = self._legs.get(play.leg)
        if not files:
            self._loop.call_soon(self._tell, m.PromptEnded(ticket=play.ticket, how="missing"))
        elif play.hearer == "caller":
            self._play_to_caller(play, files)
        elif leg is None:
            self._play_in_step(play, files, None)
        else:
            self._not_begun.add(play.ticket)
            leg.when_apart(lambda session: self._begin(play, files, session))

    def _files(self, play: m.Play) -> list[str]:
        """What is played, as Asterisk sees the files."""
        if play.message:
            return [self._recorder.messages.sound_file(play.message)]
        return [f"{self._settings.prompts_dir}/{file}" for file in (play.parts or (play.prompt,)) if file]

    def _begin(self, play: m.Play, files: Sequence[str], session: AgentSession | None) -> None:
        if play.ticket in self._not_begun and not self._is_gone:
            self._not_begun.remove(play.ticket)
            self._play_in_step(play, files, session)

    def _play_in_step(self, play: m.Play, files: Sequence[str], session: AgentSession | None) -> None:
        """Play to the agent, and to the caller as well unless it is for the agent alone."""
        ticket = play.ticket
        if play.hearer == "both":
            if session is not None:
                session.play(ticket, files)
            self._play_to_caller(play, files)
        elif session is not None:
            session.play(ticket, files, lambda ending: self._tell(m.PromptEnded(ticket=ticket, how=_ENDINGS[ending])))
        else:
            self._loop.call_soon(self._tell, m.PromptEnded(ticket=ticket, how="failed"))

    def _play_to_caller(self, play: m.Play, files: Sequence[str]) -> None:
        self._expect_echo(play.loudest_frame or self._recorder.messages.loudest_frame(play.message))
        self._playback.play(play.ticket, files)

    def _stop_playing(self, ticket: m.Ticket) -> None:
        if ticket in self._not_begun:
            self._not_begun.remove(ticket)
            self._loop.call_soon(self._tell, m.PromptEnded(ticket=ticket, how="stopped"))
            return
        for leg in self._legs.values():
            if leg.session is not None:
                leg.session.stop()
        self._playback.stop()

    def _expect_echo(self, loudest_frame: int) -> None:
        self._set_level(round(loudest_frame * self._settings.echo_gain * 1.1))

    def _set_level(self, level: int) -> None:
        """Set what counts as talking: above the echo of what is playing, otherwise the settings' own level."""
        if self._tail_timer is not None:
            self._tail_timer.cancel()
            self._tail_timer = None
        level = max(self._settings.talk_level, min(level, HIGHEST_TALK_LEVEL))
        if level != self._level and not self._is_gone:
            self._level = level
            self._channel.send(agi.set_variable("TALK_DETECT(set)", f"{TALK_SILENCE_MS},{level}"))

    def _record_anew(self) -> None:
        if self._recorder.begin_anew():
            self._level = 0
            self._set_level(0)

    def _lower_level(self) -> None:
        self._tail_timer = None
        if not self._playback.is_playing:
            self._set_level(0)

    def _perform_with_agent(
        self, action: m.Ring | m.JoinQueue | m.StopRinging | m.DropAgent | m.Bridge | m.Part
    ) -> None:
        leg = self._legs.get(action.ticket)
        if leg is None:
            leg = AgentLeg(self.unique_id, action.ticket, self._channel, self._manager, self._tell)
            self._legs[action.ticket] = leg
        match action:
            case m.Ring(extension=extension, seconds=seconds):
                leg.ring(extension, seconds)
            case m.JoinQueue(queue=queue, priority=priority, waited=waited):
                leg.queue(queue, priority, waited)
            case m.StopRinging() | m.DropAgent():
                leg.drop()
            case m.Bridge():
                leg.join()
            case m.Part():
                self._record_anew()  # ahead of what is played once they are apart
                leg.part()
            case _:
                assert_never(action)

    def _end_call(self) -> None:
        self._channel.send(agi.set_variable(DONE_VARIABLE, "1"))
        self._hanging_up = self._channel.send(agi.hangup())

    def _fall_back(self, reason: str) -> None:
        log.warning("call %s goes to the fallback: %s", self.unique_id, reason)
        self._let_agents_go(but_a_talk=True)  # or a phone rings on, and whoever picks it up finds nobody
        self._channel.interrupt()
        self._channel.close()  # without the done variable: the dialplan's fallback has the caller now

    # ── what the AGI session says ─────────────────────────────────────────────────────────────────────────────────────

    def replied(self, command_id: int, reply: Reply) -> None:
        """A command was answered."""
        if self._question is not None and command_id == self._question.command:
            self._question.answer(reply.text or "")
        elif command_id == self._answering and not reply.failed:
            self._tell(m.CallAnswered())
        elif command_id == self._hanging_up:
            self._channel.close()
        elif not self._recorder.replied(command_id, reply):
            joined = next((leg for leg in self._legs.values() if leg.is_joined_by(command_id)), None)
            if joined is not None:
                self._record_anew()
                joined.bridge_replied()

    def playback_ended(self, ending: PlaybackFinished) -> None:
        """A file is over, and with it perhaps the prompt."""
        if self._recorder.messages.playback_ended(ending):
            self._lower_level_soon()
            return
        ticket = self._playback.ended(ending)
        if ticket is None:
            return
        if ending.ending is PlaybackEnding.MISSING:
            log.error("call %s: the PBX has no audio for a prompt; run `ivrflow doctor`", self.unique_id)
        if ending.ending is not PlaybackEnding.HANGUP:
            self._tell(m.PromptEnded(ticket=ticket, how=_ENDINGS[ending.ending]))
        self._lower_level_soon()

    def _lower_level_soon(self) -> None:
        if not self._playback.is_playing and not self._is_gone:
            self._tail_timer = self._loop.call_later(ECHO_TAIL_S, self._lower_level)

    def hung_up(self) -> None:
        """The caller's channel has left the session: nothing of ours redirects it, so the caller is gone."""
        self.caller_left(0)
        self._channel.close()

    def closed(self) -> None:
        """The session is over. Asterisk says HANGUP first when the caller left; without it the PBX died or broke off."""
        self._gone(m.LineLost())
        if self._question is not None:
            self._question.answer("")
            self._question = None
        for leg in self._legs.values():
            leg.release()
        self._legs.clear()
        self._recorder.close()
        self._held_back.clear()
        self.on_event, self.read = _nobody, read_order  # line and live call let go of each other: no garbage to collect
        self._on_closed(self)

    # ── what the manager says ─────────────────────────────────────────────────────────────────────────────────────────

    def caller_left(self, cause: int) -> None:
        """The caller's channel is gone; told once."""
        self._gone(m.CallerHungUp(cause=cause))

    def _gone(self, how: m.CallEvent) -> None:
        if self._is_gone:
            return
        self._is_gone = True
        for timer in (self._gate_timer, self._tail_timer):
            if timer is not None:
                timer.cancel()
        self._let_agents_go(but_a_talk=isinstance(how, m.LineLost))  # an AGI session that breaks off ends no talk
        self._tell(how)

    def _let_agents_go(self, *, but_a_talk: bool) -> None:
        for leg in self._legs.values():
            if not (but_a_talk and leg.where is Where.JOINED):
                leg.drop()

    def told(self, order: m.CallEvent) -> None:
        """Somebody says something about the call: which situation this is, that the task is done."""
        self._tell(order)

    def key_pressed(self, key: str) -> None:
        """The caller pressed a key."""
        self._keys_go_down = True
        self._tell(m.KeyPressed(key=key))

    def key_released(self, key: str, held_ms: float) -> None:
        """The caller released a key after `held_ms`. Of one that came as a SIP INFO this is all that Asterisk tells.

        Asterisk stretches a key shorter than 80 ms to that, waits 45 ms before the next, and tells the end of each key
        it put off up to three times. Measured with six keys of 40 ms, 40 ms apart: the same end again after 125 ms, as
        late as the next key. How often and when says nothing, then; but a phone whose keys are told going down has each
        told so exactly once, however fast it types, and its ends tell nothing new.
        """
        if self._keys_go_down:
            return
        now = self._loop.time()
        last_key, last_at = self._key_up
        if key != last_key or now - last_at > held_ms / 1000 + KEY_END_REPEATED_S:
            self._tell(m.KeyPressed(key=key))
        self._key_up = (key, now)

    def talking_started(self) -> None:
        """Asterisk hears the caller."""
        self._recorder.messages.talking_started()
        self._gate.talking_started(self._loop.time())
        self._follow_gate([])

    def talking_stopped(self, lasted_ms: float) -> None:
        """Asterisk does not hear the caller any more."""
        self._recorder.messages.talking_stopped(lasted_ms)
        self._follow_gate(self._gate.talking_stopped(self._loop.time(), lasted_ms))

    def hearing_lost(self) -> None:
        """The manager connection is gone: keys and speech do not reach us."""
        self._recorder.messages.hearing_lost()
        self._follow_gate(self._gate.lost())
        self._tell(m.HearingLost())

    def hearing_restored(self) -> None:
        """The manager connection is back, and the caller is still there."""
        self._recorder.messages.hearing_restored()
        self._tell(m.HearingRestored())

    def _follow_gate(self, heard: list[Heard]) -> None:
        for event in heard:
            self._tell(event)
        if self._gate_timer is not None:
            self._gate_timer.cancel()
            self._gate_timer = None
        if self._gate.deadline is not None and not self._is_gone:
            self._gate_timer = self._loop.call_at(self._gate.deadline, self._gate_due)

    def _gate_due(self) -> None:
        self._gate_timer = None
        self._follow_gate(self._gate.reached(self._loop.time()))

    def _tell(self, event: m.CallEvent) -> None:
        if self._question is not None and self._question.is_open:
            self._question.hold_back(event)
        else:
            self.on_event(event)


def _nobody(event: m.CallEvent) -> None:
    """Stands in until the live call listens."""
