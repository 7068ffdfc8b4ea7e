"""The way to one caller through Asterisk: actions become AGI commands and manager actions, what comes back becomes events.

Commands go over the call's own FastAGI session, events come over the one manager connection (keys and speech are lost
to AGI between commands, so they are taken from there). Nothing here decides anything about the call; an ending is
passed on with the ticket of the action it belongs to.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol, TypeAlias, assert_never

from ivrflow.bridge import agi_commands as agi
from ivrflow.bridge.agi_events import PlaybackEnding, PlaybackFinished, Reply
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.bridge.header_question import HeaderQuestion
from ivrflow.bridge.speech_gate import TALK_SILENCE_MS, Heard, SpeechGate
from ivrflow.engine import messages as m

log = logging.getLogger("ivrflow.bridge")

ECHO_TAIL_S = 0.15
"""Seconds the echo of a prompt may still come back after its end (measured with delays of 50 to 150 ms)."""

WHO_LEFT_S = 0.05
"""Seconds to wait for word of who left a talk: a caller's HANGUP was seen up to 44 ms after Bridge()'s reply."""

KEY_END_REPEATED_S = 0.05
"""Seconds beyond its length within which another end of a key sent as SIP INFO is the same end once more."""

HIGHEST_TALK_LEVEL = 3000
"""The threshold is never raised beyond this: callers near the phone reach 2000 on average, 4000 splits their words."""

DONE_VARIABLE = "IVRFLOW_DONE"
"""Channel variable by which the dialplan knows that the engine ended the call as intended and did not die in it."""

CALL_HEADER = "X-Ivrflow-Call"
"""SIP header of an agent's INVITE: the Uniqueid of the caller it is for, which is also the call's id in the journal."""

_HowEnded: TypeAlias = Literal["finished", "stopped", "missing", "failed"]
_WhyUnavailable: TypeAlias = Literal["no_answer", "busy", "unreachable"]

_ENDINGS: Mapping[PlaybackEnding, _HowEnded] = {
    PlaybackEnding.FINISHED: "finished",
    PlaybackEnding.STOPPED: "stopped",
    PlaybackEnding.KEY: "stopped",
    PlaybackEnding.MISSING: "missing",
    PlaybackEnding.HANGUP: "stopped",
    PlaybackEnding.REFUSED: "failed",
}

_RANG_IN_VAIN = "3"
"""OriginateResponse's Reason when the phone rang until the time was up; every other failure says 0 (measured)."""

_CAUSES: Mapping[int, _WhyUnavailable] = {
    # Q.850 cause of the agent's channel (measured: 17 for a 486, 21 for a phone that declined, 19 for one that rang).
    17: "busy",
    18: "no_answer",
    19: "no_answer",
    21: "busy",
}


class Manager(Protocol):
    """What a line needs of the manager connection: an order whose answer nobody waits for."""

    def order(
        self,
        action: str,
        headers: Mapping[str, str],
        on_refused: Callable[[str], None] | None = None,
        *,
        variables: Mapping[str, str] | None = None,
        is_refused_only_surely: bool = False,
    ) -> None:
        """Send an action; `on_refused` hears why if Asterisk refuses it or the connection is lost.

        `variables` are channel variables to set. With `is_refused_only_surely` it does not hear of an action that
        Asterisk may have carried out all the same: one without an answer in time, or before the connection was lost.
        """

    def adopt_agent(self, agent: str, line: AsteriskLine) -> None:
        """Route the events of the channel with that Uniqueid to the line."""


@dataclass(frozen=True, slots=True)
class LineSettings:
    """What all lines share.

    Attributes:
        prompts_dir: the prompts folder as Asterisk sees it.
        talk_level: mean |sample| from which sound counts as talking while nothing plays.
        echo_gain: the loudest echo of our own prompt to expect, as a factor (12 dB below: 0.25).
        music_class: Asterisk's music-on-hold class.
    """

    prompts_dir: str
    talk_level: int = 512
    echo_gain: float = 0.25
    music_class: str = "default"


class AsteriskLine:
    """One caller's channel. Made by the exchange when Asterisk connects; speaks to the live call through `on_event`."""

    def __init__(
        self,
        channel: AgiChannel,
        manager: Manager,
        settings: LineSettings,
        on_closed: Callable[[AsteriskLine], None],
    ) -> None:
        self.unique_id = channel.environment.unique_id
        self.agent_channels: dict[str, m.Ticket] = {}
        """Uniqueid of every agent's channel we ordered for this call, to the ticket of its `Ring`."""
        self.task: m.Ticket = 0
        """Ticket of the latest task asked of the agent; 0 when there was none."""
        self.on_event: Callable[[m.CallEvent], None] = _nobody
        self._channel = channel
        self._manager = manager
        self._settings = settings
        self._on_closed = on_closed
        self._loop = asyncio.get_running_loop()
        self._gate = SpeechGate()
        self._gate_timer: asyncio.TimerHandle | None = None
        self._tail_timer: asyncio.TimerHandle | None = None
        self._word_timer: asyncio.TimerHandle | None = None
        self._question: HeaderQuestion | None = None
        self._playing: dict[int, tuple[m.Ticket, bool]] = {}
        """By number of the command: whose prompt the file is, and whether it is the last of that prompt."""
        self._answering = 0
        self._bridging: tuple[int, m.Ticket] = (0, 0)
        self._causes: dict[str, int] = {}
        self._refused_agents: set[str] = set()
        self._answered_agents: set[str] = set()
        self._left: set[m.Ticket] = set()
        self._unsettled: m.Ticket | None = None
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
        """Start doing it."""
        match action:
            case m.Dial() | m.StopDialling():
                raise AssertionError("only a line that does not exist yet is dialled, see outgoing_line")
            case m.Answer():
                self._answering = self._channel.send(agi.answer())
            case m.Play():
                self._play(action)
            case m.StopPlaying():
                self._channel.interrupt()
            case m.StartMusic():
                self._channel.send(agi.set_music(self._settings.music_class))
            case m.StopMusic():
                self._channel.send(agi.set_music(None))
            case m.Ring():
                self._ring(action)
            case m.StopRinging(ticket=ticket) | m.DropAgent(ticket=ticket):
                self._drop_agent(ticket)
            case m.Bridge(ticket=ticket):
                self._bridge(ticket)
            case m.Instruct():
                self.task = action.ticket
                log.info("call %s: the agent is asked to %s", self.unique_id, action.task)
            case m.NotePromise():
                pass  # the journal keeps it
            case m.EndCall():
                self._end_call()
            case m.FallBack(reason=reason):
                self._fall_back(reason)
            case _:
                assert_never(action)

    def _play(self, play: m.Play) -> None:
        files = play.parts or ((play.prompt,) if play.prompt else ())
        if not files:
            self._loop.call_soon(self._tell, m.PromptEnded(ticket=play.ticket, how="missing"))
            return
        self._set_level(round(play.loudest_frame * self._settings.echo_gain * 1.1))
        # All at once: each goes out in the moment in which the one before is over, and none once they are interrupted.
        for number, file in enumerate(files, start=1):
            command = self._channel.send(agi.stream_file(f"{self._settings.prompts_dir}/{file}"))
            self._playing[command] = (play.ticket, number == len(files))

    def _set_level(self, level: int) -> None:
        """Set what counts as talking: above the echo of what is playing, otherwise the settings' own level."""
        if self._tail_timer is not None:
            self._tail_timer.cancel()
            self._tail_timer = None
        level = max(self._settings.talk_level, min(level, HIGHEST_TALK_LEVEL))
        if level != self._level and not self._is_gone:
            self._level = level
            self._channel.send(agi.set_variable("TALK_DETECT(set)", f"{TALK_SILENCE_MS},{level}"))

    def _lower_level(self) -> None:
        self._tail_timer = None
        if not self._playing:
            self._set_level(0)

    def _ring(self, ring: m.Ring) -> None:
        agent = f"{self.unique_id}-agent{ring.ticket}"
        self.agent_channels[agent] = ring.ticket
        self._manager.adopt_agent(agent, self)
        self._manager.order(
            "Originate",
            {
                "Channel": f"PJSIP/{ring.extension}",
                "ChannelId": agent,
                "Context": "agentleg",
                "Exten": "up",
                "Priority": "1",
                # The engine keeps the bound; Asterisk's own comes later and only if the engine is gone.
                "Timeout": str(round(ring.seconds * 1000) + 5000),
                "CallerID": "ivrflow",
                "Async": "true",
            },
            lambda why: self._refused(ring.ticket, why),
            variables={f"PJSIP_HEADER(add,{CALL_HEADER})": self.unique_id},
        )

    def _refused(self, ticket: m.Ticket, why: str) -> None:
        log.warning("call %s: the agent's phone could not be rung: %s", self.unique_id, why)
        self._tell(m.AgentUnavailable(ticket=ticket, why="unreachable"))

    def _drop_agent(self, ticket: m.Ticket) -> None:
        for agent, its_ticket in list(self.agent_channels.items()):
            if its_ticket == ticket:
                self._manager.order("Hangup", {"Channel": agent, "Cause": "16"})

    def _bridge(self, ticket: m.Ticket) -> None:
        for agent, its_ticket in self.agent_channels.items():
            if its_ticket == ticket:
                # Bridge() keeps this AGI session: its reply comes when the agent has left.
                self._bridging = (self._channel.send(agi.exec_("Bridge", agent)), ticket)

    def _end_call(self) -> None:
        self._channel.send(agi.set_variable(DONE_VARIABLE, "1"))
        self._hanging_up = self._channel.send(agi.hangup())

    def _fall_back(self, reason: str) -> None:
        log.warning("call %s goes to the fallback: %s", self.unique_id, reason)
        for ticket in set(self.agent_channels.values()) - {self._bridging[1]}:
            self._drop_agent(ticket)  # or a phone rings on, and whoever picks it up finds nobody; a talk may go on
        self._channel.interrupt()
        self._channel.close()  # without the done variable: the dialplan's fallback has the caller now

    # ── what the AGI session says ─────────────────────────────────────────────────────────────────────────────────────

    def replied(self, command_id: int, reply: Reply) -> None:
        """A command was answered."""
        if self._question is not None and command_id == self._question.command:
            self._question.answer(reply.text or "")
        elif command_id == self._answering and not reply.failed:
            self._tell(m.CallAnswered())
        elif command_id == self._bridging[0]:
            self._bridge_ended()
        elif command_id == self._hanging_up:
            self._channel.close()

    def _bridge_ended(self) -> None:
        """Bridge() is over: the agent left, or the caller did. The reply is the same for both.

        The manager says whose phone hung up, on another socket and at about the same time; a caller's HANGUP follows
        on this one. So without word of the agent yet, a moment is given to whichever comes.
        """
        ticket, self._bridging = self._bridging[1], (0, 0)
        self._unsettled = ticket
        if ticket in self.agent_channels.values() and ticket not in self._left:
            self._wait_for_word(partial(self._agent_left, ticket))
        else:
            self._agent_left(ticket)

    def _agent_left(self, ticket: m.Ticket) -> None:
        if self._unsettled == ticket and not self._is_gone:
            self._unsettled = None
            self._tell(m.AgentLeft(ticket=ticket))

    def playback_ended(self, ending: PlaybackFinished) -> None:
        """A file is over, and with it perhaps the prompt: told once, with the last of its files or the first that failed."""
        ticket, is_last = self._playing.pop(ending.command_id, (None, True))
        if ticket is None or (ending.ending is PlaybackEnding.FINISHED and not is_last):
            return
        rest = [command for command, (its_ticket, _) in self._playing.items() if its_ticket == ticket]
        for command in rest:
            del self._playing[command]
        if ending.ending is PlaybackEnding.MISSING:
            log.error("call %s: the PBX has no audio for a prompt; run `ivrflow doctor`", self.unique_id)
        if rest and ending.ending in {PlaybackEnding.MISSING, PlaybackEnding.REFUSED}:
            self._channel.interrupt()  # half a phrase is no phrase
        if ending.ending is not PlaybackEnding.HANGUP:
            self._tell(m.PromptEnded(ticket=ticket, how=_ENDINGS[ending.ending]))
        if not self._playing and not self._is_gone:
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
        self.on_event = _nobody  # line and live call let go of each other: no work for the garbage collector
        self._on_closed(self)

    # ── what the manager says ─────────────────────────────────────────────────────────────────────────────────────────

    def caller_left(self, cause: int) -> None:
        """The caller's channel is gone; told once."""
        self._gone(m.CallerHungUp(cause=cause))

    def _gone(self, how: m.CallEvent) -> None:
        if self._is_gone:
            return
        self._is_gone = True
        for timer in (self._gate_timer, self._tail_timer, self._word_timer):
            if timer is not None:
                timer.cancel()
        self._tell(how)

    def told(self, order: m.CallEvent) -> None:
        """Somebody says something about the call: which situation this is, that the task is done."""
        self._tell(order)

    def key_pressed(self, key: str) -> None:
        """The caller pressed a key."""
        self._keys_go_down = True
        self._tell(m.KeyPressed(key=key))

    def key_released(self, key: str, held_ms: float) -> None:
        """The caller released a key after `held_ms`. Of one that came as a SIP INFO this is all that Asterisk tells.

        Asterisk stretches a key shorter than 80 ms to that, and tells its end again when it lets go of it. Measured with
        six keys of 40 ms, 40 ms apart: 125 ms later, when the next key is down. So the moment of an end says nothing; but
        a phone whose keys are told going down has each told so exactly once, however fast it types.
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
        self._gate.talking_started(self._loop.time())
        self._follow_gate([])

    def talking_stopped(self, lasted_ms: float) -> None:
        """Asterisk does not hear the caller any more."""
        self._follow_gate(self._gate.talking_stopped(self._loop.time(), lasted_ms))

    def hearing_lost(self) -> None:
        """The manager connection is gone: keys and speech do not reach us."""
        self._follow_gate(self._gate.lost())
        self._tell(m.HearingLost())

    def hearing_restored(self) -> None:
        """The manager connection is back, and the caller is still there."""
        self._tell(m.HearingRestored())

    def agent_answered(self, agent: str) -> None:
        """The agent's phone was picked up."""
        if (ticket := self.agent_channels.get(agent)) is not None:
            self._answered_agents.add(agent)
            self._tell(m.AgentAnswered(ticket=ticket))

    def agent_unavailable(self, agent: str, reason: str) -> None:
        """The agent's phone will not be picked up; `reason` is OriginateResponse's code.

        A busy phone and one that is not there are both reason 0. The cause of the agent's channel tells them apart; it
        may come a moment later, and a phone that is not registered has no channel at all.
        """
        if (ticket := self.agent_channels.get(agent)) is None:
            return
        if reason == _RANG_IN_VAIN:
            self._tell_unavailable(agent, ticket, "no_answer")
        elif agent in self._causes:
            self._tell_unavailable(agent, ticket, _CAUSES.get(self._causes[agent], "unreachable"))
        else:
            self._refused_agents.add(agent)
            self._wait_for_word(partial(self._tell_unavailable, agent, ticket, "unreachable"))

    def _wait_for_word(self, otherwise: Callable[[], None]) -> None:
        """Give word of who left, or why, a moment to come; a call that is over waits for none, and nothing holds its line."""
        if self._is_gone:
            otherwise()
        else:
            self._word_timer = self._loop.call_later(WHO_LEFT_S, otherwise)

    def _tell_unavailable(self, agent: str, ticket: m.Ticket, why: _WhyUnavailable) -> None:
        if self.agent_channels.pop(agent, None) is not None:
            self._tell(m.AgentUnavailable(ticket=ticket, why=why))

    def agent_hung_up(self, agent: str, cause: int) -> None:
        """The agent's phone hung up, or never picked up, for that Q.850 cause."""
        if (ticket := self.agent_channels.get(agent)) is None:
            return
        self._causes.setdefault(agent, cause)
        if agent in self._refused_agents:
            self._tell_unavailable(agent, ticket, _CAUSES.get(self._causes[agent], "unreachable"))
        else:
            self._left.add(ticket)
            self._agent_left(ticket)

    def agent_gone(self, agent: str, cause: int) -> None:
        """The agent's channel is gone."""
        self.agent_hung_up(agent, cause)
        if agent in self._answered_agents:
            self.agent_channels.pop(agent, None)

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
