"""One agent's way to a caller: sought by extension or in a queue, then on the line, joined with the caller or apart.

On the PBX it is a Local channel. Half 2 rings the agent, or stands in the queue, and stays joined with the agent's
telephone for the whole talk; so the queue's statistics are right and the telephone's codes work at every moment. Half 1
is the handle. It waits until the caller's session runs Bridge() and takes it over; a Redirect takes it out again, into
an AGI session of its own, over which the agent hears what the caller hears.

A leg may outlive the line that sought it, for the moment in which Asterisk ends its channels.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import re
from collections.abc import Callable, Mapping
from typing import Literal, Protocol, TypeAlias

from ivrflow.bridge import agi_commands as agi
from ivrflow.bridge.agent_session import AgentSession, NobodysSession
from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.bridge.fastagi_server import AgiChannel, AgiHandler
from ivrflow.bridge.manager import Manager
from ivrflow.engine import messages as m
from ivrflow.flow import notations
from ivrflow.flow.model import LONGEST_QUEUEING_S

log = logging.getLogger("ivrflow.bridge")

WHO_LEFT_S = 0.05
"""Seconds to wait for word of who left a talk: a caller's HANGUP was seen up to 44 ms after Bridge()'s reply."""

APART_WITHIN_S = 0.5
"""Seconds the agent's own session may take to come once caller and agent are parted; it takes 1 to 2 ms (measured).
Then the caller hears what is said all the same."""

SPARE_S = 5.0
"""Seconds Asterisk seeks on by itself when the engine, which ends the seeking, is gone."""

AGENT_PATH = "agent"
"""What the dialplan asks for when half 1 comes with a session of its own: agi://engine/agent."""

CONTEXT = "agentleg"
WAIT_THERE, SPEAK_THERE = "up", "apart"
"""Where the dialplan keeps half 1: waiting for the caller; in a session of its own."""

_TELEPHONE = re.compile(r"[^/]+/(.+)-[0-9a-f]+")
"""A channel's name, "PJSIP/1001-0000002a"."""

LEG_NAME = re.compile(r"(.+)-agent[0-9]+a")
"""The Uniqueid of a half 1, and in it the call's."""

_CODECS = frozenset({"alaw", "ulaw", "g722"})

WhyNot: TypeAlias = Literal["no_answer", "busy", "unreachable", "nobody", "full"]

_CAUSES: Mapping[str, WhyNot] = {
    # Q.850 cause of the agent's channel (measured: 17 for a 486, 21 for a phone that declined, 19 for one that rang).
    "17": "busy",
    "18": "no_answer",
    "19": "no_answer",
    "21": "busy",
}

_STATUSES: Mapping[str, WhyNot] = {
    # DIALSTATUS and QUEUESTATUS
    "BUSY": "busy",
    "NOANSWER": "no_answer",
    "TIMEOUT": "no_answer",
    "JOINEMPTY": "nobody",
    "JOINUNAVAIL": "nobody",
    "LEAVEEMPTY": "nobody",
    "LEAVEUNAVAIL": "nobody",
    "FULL": "full",
}


class LegManager(Manager, Protocol):
    """What a leg needs of the manager connection and of whoever routes its events."""

    def adopt(self, channel: str, leg: AgentLeg) -> None:
        """Route the events of the channel with that Uniqueid to the leg."""

    def forget(self, leg: AgentLeg) -> None:
        """The leg is over: route nothing to it any more."""

    def line_up(self, leg: AgentLeg, queue: str, priority: int, waited: float) -> int:
        """Follow the leg's place in the queue; the place it is owed for what it has waited already, 0 for the last."""


class Where(enum.Enum):
    """Where the agent is."""

    SOUGHT = enum.auto()
    WAITING = enum.auto()
    """On the line, in silence, not joined yet."""
    JOINED = enum.auto()
    PARTING = enum.auto()
    APART = enum.auto()
    GONE = enum.auto()


class AgentLeg:
    """One agent of one call, from the order to seek one.

    Args:
        call: the Uniqueid of the caller's channel.
        ticket: of the action that seeks the agent.
        caller: the caller's AGI session.
        manager: carries out orders.
        tell: takes what happens.
    """

    def __init__(
        self,
        call: str,
        ticket: m.Ticket,
        caller: AgiChannel,
        manager: LegManager,
        tell: Callable[[m.CallEvent], None],
    ) -> None:
        self.ticket = ticket
        # Bridge() takes the first channel whose name or Uniqueid begins as it was told: neither may begin like another.
        self.name = f"{call}-agent{ticket}a"
        """Uniqueid of half 1."""
        self.where = Where.SOUGHT
        self.session: AgentSession | None = None
        """The agent's own session, while there is one."""
        self._call = call
        self._other_half = f"{call}-agent{ticket}b"
        self._caller = caller
        self._manager = manager
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._ringing: dict[str, tuple[str, float]] = {}
        """By Uniqueid of every telephone that rings: whose it is, and the loop's time since when."""
        self._phone = ""
        self._is_up = False
        self._joining = 0
        self._is_joined = False
        """Whether Asterisk has said that what `_joining` asked for is done."""
        self._has_left = False
        self._is_alone = False
        """Whether half 2 is gone, and the agent with it."""
        self._is_over = False
        """Whether half 1 is gone."""
        self._is_dropped = False
        self._when_apart: list[Callable[[AgentSession | None], None]] = []
        self._timer: asyncio.TimerHandle | None = None

    # ── sought ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def ring(self, extension: str, seconds: float) -> None:
        """Ring an extension."""
        if not notations.EXTENSION.fullmatch(extension):
            self._refused("an extension is a number")
            return
        self._seek(f"Local/{extension}@ivrflow-ring/n", seconds + SPARE_S, {})

    def queue(self, queue: str, priority: int, waited: float) -> None:
        """Stand in a queue."""
        if not notations.QUEUE.fullmatch(queue):
            self._refused("no queue has such a name")
            return
        place = self._manager.line_up(self, queue, priority, waited)
        variables = {"QUEUE_PRIO": str(priority), **({"IVRFLOW_POSITION": str(place)} if place else {})}
        self._seek(f"Local/{queue}@ivrflow-queue/n", LONGEST_QUEUEING_S + SPARE_S, variables)

    def _seek(self, channel: str, seconds: float, variables: Mapping[str, str]) -> None:
        for half in (self.name, self._other_half):
            self._manager.adopt(half, self)
        self._manager.order(
            "Originate",
            {
                "Channel": channel,
                "ChannelId": self.name,
                "OtherChannelId": self._other_half,
                "Context": CONTEXT,
                "Exten": WAIT_THERE,
                "Priority": "1",
                "Timeout": str(round((seconds + SPARE_S) * 1000)),  # half 2 gives up before that, and says why
                "CallerID": "ivrflow",
                "Codecs": _agents_codec(self._caller),
                "Async": "true",
            },
            self._refused,
            variables={"__IVRFLOW_CALL": self._call, "IVRFLOW_SECONDS": str(round(seconds)), **variables},
        )

    def _refused(self, why: str) -> None:
        log.warning("call %s: no agent could be sought: %s", self._call, why)
        self._hang_up()  # an order that Asterisk did not answer may have been carried out
        self._loop.call_soon(self._unavailable, "unreachable")

    def _unavailable(self, why: WhyNot) -> None:
        if self.where is Where.SOUGHT:
            self._gone()
            self._tell(m.AgentUnavailable(ticket=self.ticket, why=why))
        self._manager.forget(self)

    # ── joined, parted, let go ────────────────────────────────────────────────────────────────────────────────────────

    def join(self) -> None:
        """Join the agent with the caller."""
        if self.where is Where.PARTING:
            self._when_apart.append(self._join_again)
        elif self.where in {Where.WAITING, Where.APART}:
            if self.session is not None:
                self.session.stop()
                self.session = None  # Asterisk takes half 1 out of it
            self.where = Where.JOINED
            self._is_joined = False
            self._caller.send(agi.set_music(None))  # Bridge() does not stop it: the caller would hear nothing else
            # Bridge() keeps the caller's session: its reply comes when the agent has left, or was taken out.
            self._joining = self._caller.send(agi.exec_("Bridge", self.name))

    def _join_again(self, _session: AgentSession | None) -> None:
        self.join()

    def part(self) -> None:
        """Take the agent out of the talk, into a session of the agent's own."""
        if self.where in {Where.WAITING, Where.JOINED}:
            is_joining = self.where is Where.JOINED and not self._is_joined
            self.where = Where.PARTING
            if is_joining:
                # Bridge() takes half 1 from wherever it was led meanwhile, and they would talk on (measured): it has to
                # be taken out of the talk, so that has to begin first.
                self._after(APART_WITHIN_S, self._lead_away)
            else:
                self._lead_away()
        elif self.where is Where.PARTING:  # as they are to stay, whatever was ordered meanwhile
            self._when_apart = [then for then in self._when_apart if then != self._join_again]

    def _lead_away(self) -> None:
        self._after(APART_WITHIN_S, self._apart)
        if not self._is_alone:  # else half 1 is about to end
            self._redirect()

    def _redirect(self) -> None:
        self._manager.order(
            "Redirect",
            {"Channel": self.name, "Context": CONTEXT, "Exten": SPEAK_THERE, "Priority": "1"},
            lambda _why: self._apart(),  # the agent has just left, as a rule
        )

    def when_apart(self, then: Callable[[AgentSession | None], None]) -> None:
        """Call `then` as soon as the agent can be spoken to: with the agent's session, or None when there is none."""
        if self.where is Where.WAITING:
            self.part()
        if self.where is Where.PARTING:
            self._when_apart.append(then)
        else:
            then(self.session if self.where is Where.APART else None)

    def _apart(self) -> None:
        if self.where is Where.PARTING and self._is_over:
            self._left()  # before it could be led away
        elif self.where is Where.PARTING:
            self.where = Where.APART
            self._go_on()

    def _go_on(self) -> None:
        self._after(0, None)
        waiting, self._when_apart = self._when_apart, []
        for then in waiting:
            then(self.session if self.where is Where.APART else None)

    def _is_parted(self) -> None:
        if self.session is not None and not self._joining:
            self._apart()

    def drop(self) -> None:
        """Let the agent go, or stop seeking one. Nothing more is told of this leg."""
        if not self._is_dropped:
            self._is_dropped = True
            self._gone()
            self._hang_up()

    def release(self) -> None:
        """The line is over: nobody is to be told any more."""
        self._tell = _nobody

    def _hang_up(self) -> None:
        if self.session is not None:
            self.session.end()  # the dialplan lets the agent go then, also while the manager connection is away
        self._manager.order("Hangup", {"Channel": self.name, "Cause": "16"})

    def manager_is_back(self) -> None:
        """What was ordered while the manager connection was away, or just before, may be lost: order it again.

        Seeking is not: whoever wanted an agent then has been told that there is none.
        """
        if self.where is Where.GONE:
            self._hang_up()
        elif self.where is Where.APART and self._joining:  # they talk on, and what is played waits for the end of it
            self._redirect()

    def _gone(self) -> None:
        self.where = Where.GONE
        self._go_on()

    def _left(self) -> None:
        """The agent is not on the line any more."""
        if self.where is not Where.GONE:
            self._gone()
            self._tell(m.AgentLeft(ticket=self.ticket))
            if not self._has_left:
                self._hang_up()  # only the bridge is over as far as is known: nobody may stay behind

    def is_joined_by(self, command_id: int) -> bool:
        """Whether that command is this leg's Bridge()."""
        return bool(self._joining) and command_id == self._joining

    def bridge_replied(self) -> None:
        """This leg's Bridge() is over."""
        self._joining = 0
        if self.where is Where.PARTING:
            self._is_parted()
        elif self.where is Where.JOINED:
            # The agent left, or the caller did: the reply is the same for both. The manager says whose phone hung up, on
            # another socket and at about the same time; a caller's HANGUP follows on this one. So without word of the
            # agent yet, a moment is given to whichever comes.
            if self._has_left:
                self._left()
            else:
                self._after(WHO_LEFT_S, self._left)

    # ── the agent's own session ───────────────────────────────────────────────────────────────────────────────────────

    def session_opened(self, channel: AgiChannel) -> AgiHandler:
        """Half 1 has come with a session of its own."""
        if self._is_alone or self.where not in {Where.PARTING, Where.APART}:
            return NobodysSession(channel)
        session = self.session = AgentSession(channel, self._session_closed)
        if self.where is Where.PARTING:
            self._is_parted()  # who waited for it may have them joined again at once
        return session

    def _session_closed(self, session: AgentSession) -> None:
        """That session is over."""
        if self.session is session:
            self.session = None

    # ── what the manager says ─────────────────────────────────────────────────────────────────────────────────────────

    def happened(self, event: AmiEvent) -> None:
        """An event of one of the leg's channels."""
        channel = event.get("Uniqueid")
        if channel == self.name:
            self._of_half_1(event)
        elif channel == self._other_half:
            self._of_half_2(event)
        elif channel == self._phone:
            self._of_phone(event)

    def _of_half_1(self, event: AmiEvent) -> None:
        match event.name:
            case "Newchannel" if self._is_dropped:
                self._hang_up()  # the order to end it came before Asterisk had made it
            case "OriginateResponse" if event.get("Response") == "Success":
                self._is_up = True
                if len(self._ringing) == 1:
                    (self._phone,) = self._ringing  # Dial() says a moment later that it was this one
                self._answered()
            case "BridgeEnter" if self._joining and event.get("BridgeType") == "basic":  # it waits in a "holding" one
                was_joined, self._is_joined = self._is_joined, True
                if self.where is Where.PARTING and not was_joined:
                    self._lead_away()
            case "OriginateResponse" | "Hangup" if self.where is Where.SOUGHT:
                # Why comes from half 2, a moment before or after, unless there never was one.
                self._after(WHO_LEFT_S, lambda: self._unavailable("unreachable"))
            case "OriginateResponse" | "Hangup":
                self.ended()
            case _:
                pass

    def _of_half_2(self, event: AmiEvent) -> None:
        phone = event.get("DestUniqueid")
        match event.name:
            case "DialBegin" if phone:
                named = _TELEPHONE.fullmatch(event.get("DestChannel"))
                self._ringing[phone] = (named[1] if named else "", self._loop.time())
                self._manager.adopt(phone, self)
            case "DialEnd" if event.get("DialStatus") == "ANSWER":
                self._phone = phone
                self._answered()
            case "DialEnd":
                self._ringing.pop(phone, None)
            case "Hangup" if self.where is not Where.SOUGHT:
                # Asterisk ends half 1 too. Led away in that very moment it comes with a session first, and without a
                # HANGUP in it: for Asterisk the channel was dead before (measured: one time in ten).
                self._is_alone = True
                if self.session is not None:
                    self.session.hung_up()
            case "UserEvent" if event.get("UserEvent") == "IvrflowLeg":
                status = _STATUSES.get(event.get("Status"), "unreachable")
                self._unavailable(_CAUSES.get(event.get("Cause"), status))
            case _:
                pass

    def _of_phone(self, event: AmiEvent) -> None:
        match event.name:
            case "HangupRequest":
                self._has_left = True
                if self.where is Where.JOINED and not self._joining:
                    self._left()
            case "Hold" if self.where is not Where.GONE:
                self._tell(m.HoldStarted(ticket=self.ticket))
            case "Unhold" if self.where is not Where.GONE:
                self._tell(m.HoldEnded(ticket=self.ticket))
            case "UserEvent" if event.get("UserEvent") == "IvrflowCode" and self.where is not Where.GONE:
                if notations.CODE.fullmatch(code := event.get("Code")):
                    self._tell(m.AgentKeyed(ticket=self.ticket, code=code))
            case _:
                pass

    def _answered(self) -> None:
        """Somebody has picked up; half 1 may be joined as soon as Asterisk says so of half 1 too."""
        if self._is_dropped and self._is_up:
            self._hang_up()
        elif self.where is Where.SOUGHT and self._is_up and self._phone:
            self.where = Where.WAITING
            self._after(0, None)
            agent, since = self._ringing.get(self._phone, ("", self._loop.time()))
            rang = round(self._loop.time() - since, 3)
            self._tell(m.AgentAnswered(ticket=self.ticket, agent=agent, rang=rang))

    def seen(self, channels: Mapping[str, AmiEvent]) -> None:
        """Asterisk's list of its channels, this leg's among them: somebody may have picked up while nothing was told.

        The telephone is the one that is joined with half 2.
        """
        if self.where is not Where.SOUGHT or channels[self.name].get("ChannelStateDesc") != "Up":
            return
        bridge = channels[self._other_half].get("BridgeId") if self._other_half in channels else ""
        for phone, channel in channels.items():
            named = _TELEPHONE.fullmatch(channel.get("Channel"))
            if bridge and channel.get("BridgeId") == bridge and phone != self._other_half and named:
                self._manager.adopt(phone, self)
                self._ringing[phone] = (named[1], self._loop.time())  # for how long it rang nobody knows
                self._is_up, self._phone = True, phone
                self._answered()
                return

    def moved(self, position: int, expected_s: float) -> None:
        """The caller stands elsewhere in the queue."""
        if self.where is Where.SOUGHT:
            self._tell(m.QueueMoved(ticket=self.ticket, position=position, expected_s=expected_s))

    def ended(self) -> None:
        """The leg's channels are gone."""
        self._has_left = self._is_over = True
        if self.where is Where.SOUGHT:
            self._unavailable("unreachable")
        elif not (self.where is Where.JOINED and self._joining):  # else Bridge() replies in a moment
            self._left()
        self._manager.forget(self)

    def _after(self, seconds: float, then: Callable[[], None] | None) -> None:
        """Set the leg's one timer; None for none."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, then) if then is not None else None


def _agents_codec(caller: AgiChannel) -> str:
    """The codec of agents' telephones, as the dialplan says it, for the halves to speak it too.

    Asterisk 22 drops what it translates when the packet before had a number that looks newer. Packets of a talk have
    numbers, those of a prompt are all 0: translated on the telephone, either the prompts to a parted agent are lost or
    the talk behind them (measured). On the caller's side it begins anew with each talk.
    """
    arguments = caller.environment.arguments
    return next((codec for codec in arguments[:1] if codec in _CODECS), "alaw")


def _nobody(event: m.CallEvent) -> None:
    """Stands in when the line is over."""
