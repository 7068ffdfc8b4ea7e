"""Asterisk as ivrflow sees it: calls come in over FastAGI, events come in over AMI and are routed to the call they belong to.

One filtered manager connection serves all calls. When it is lost live calls go on, deaf: their waits mean nothing until
it is back. After a reconnect every live call is checked against the channels Asterisk really has.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass

from ivrflow.bridge.agent_leg import AGENT_PATH, LEG_NAME, AgentLeg
from ivrflow.bridge.agent_session import NobodysSession
from ivrflow.bridge.agi_events import Environment
from ivrflow.bridge.ami_client import AmiActionTimeout, AmiClient, AmiConnectionLost
from ivrflow.bridge.ami_protocol import AmiError, AmiEvent
from ivrflow.bridge.asterisk_line import AsteriskLine, LineSettings
from ivrflow.bridge.fastagi_server import AgiChannel, AgiHandler, FastAgiServer
from ivrflow.bridge.manager_events import number, tell_of_caller, tell_of_telephone
from ivrflow.bridge.orders.answered import Asked, Reply, heard_fields, is_asked, read_asked, reply_pages, who_asks
from ivrflow.bridge.orders.to_calls import OrderRefused, is_order, masked
from ivrflow.bridge.orders.to_place_calls import (
    Answer,
    CallOff,
    CallWanted,
    answer_fields,
    is_call_order,
    read_call_order,
)
from ivrflow.bridge.outgoing_line import OUTGOING, OutgoingLine
from ivrflow.bridge.queue_places import QueuePlaces

log = logging.getLogger("ivrflow.bridge")

PING_EVERY_S = 1.0
PING_WITHIN_S = 2.0
"""Seconds: a manager that still accepts but no longer answers is found out within 3 s: no ladder is used up unheard."""

LAST_ORDERS_S = 1.0
"""Seconds that orders under way have to be answered when the engine stops."""

MAX_UNIQUE_ID = 149
"""Characters of the longest Uniqueid that Asterisk has room for."""

SESSIONS_PER_CALL = 3
"""The caller's, and those of two agents while one hands the caller over to the other."""

FALLBACK = "fallback"
"""The dialplan's context for callers whom no engine serves any more."""


@dataclass(frozen=True, slots=True)
class ExchangeAddress:
    """Where Asterisk's manager is and where we listen for its calls."""

    ami_host: str
    ami_port: int
    ami_user: str
    ami_secret: str
    agi_host: str
    agi_port: int


class Exchange:
    """The PBX: owns the FastAGI server, the manager connection and every caller's line.

    Args:
        address: where to connect and to listen.
        line_settings: what all lines share.
        on_call: takes a new line and what Asterisk says of it; connects it to a live call, or closes it by returning
            False (the dialplan's fallback has the caller then).
        max_calls: live calls at most; the fallback has who calls beyond that.
        on_order: takes orders to place a call, those that take one back, and those that are answered; None ignores them.
    """

    def __init__(
        self,
        address: ExchangeAddress,
        line_settings: LineSettings,
        on_call: Callable[[AsteriskLine, Environment], bool],
        *,
        max_calls: int,
        on_order: Callable[[CallWanted | CallOff | Asked], None] | None = None,
    ) -> None:
        self._address = address
        self._line_settings = line_settings
        self._on_call = on_call
        self._lines: dict[str, AsteriskLine] = {}
        self._legs: dict[str, AgentLeg] = {}
        """By Uniqueid of every channel of theirs."""
        self._places = QueuePlaces(lambda: asyncio.get_running_loop().time(), self._ask_hold_time)
        self._max_calls = max_calls
        self._refused_calls = 0
        self._on_order = on_order
        self._dialling: dict[str, OutgoingLine] = {}
        self._orders: set[asyncio.Task[None]] = set()
        self._is_up = False
        self.server = FastAgiServer(self._connected, max_connections=SESSIONS_PER_CALL * max_calls)
        self.manager = AmiClient(
            address.ami_host,
            address.ami_port,
            address.ami_user,
            address.ami_secret,
            on_event=self._manager_said,
            on_up=self._manager_up,
            on_down=self._manager_down,
            ping_interval=PING_EVERY_S,
            ping_seconds=PING_WITHIN_S,
        )

    async def start(self) -> None:
        """Log in, then listen.

        Raises:
            SettingsError: the manager refuses or cannot be reached, or the FastAGI port is taken.
        """
        await self.manager.start()
        await self.server.start(self._address.agi_host, self._address.agi_port)

    async def close(self) -> None:
        """Close everything; callers still there go to the dialplan's fallback."""
        await self.server.close()
        if self._is_up and self._orders:  # a telephone that shall stop ringing is told so
            await asyncio.wait(self._orders, timeout=LAST_ORDERS_S)
        for task in list(self._orders):
            task.cancel()
        await asyncio.gather(*self._orders, return_exceptions=True)
        await self.manager.close()
        self._legs.clear()  # nobody tells of them any more

    # ── calls ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _connected(self, channel: AgiChannel) -> AgiHandler:
        if channel.environment.path == AGENT_PATH:
            return self._agent_connected(channel)
        return self._call_arrived(channel)

    def _agent_connected(self, channel: AgiChannel) -> AgiHandler:
        """Half 1 of an agent's leg; one that was just let go, or joined, may come too late."""
        leg = self._legs.get(channel.environment.unique_id)
        return NobodysSession(channel) if leg is None else leg.session_opened(channel)

    def _call_arrived(self, channel: AgiChannel) -> AsteriskLine:
        line = AsteriskLine(channel, self, self._line_settings, self._line_closed)
        outgoing = self._dialling.get(line.unique_id)
        if fault := self._fault_of(line.unique_id):
            log.warning("closed the FastAGI connection from %s: %s", channel.peer, fault)
            channel.close()
        elif self._is_full:
            channel.close()
        elif outgoing is not None:
            self._lines[line.unique_id] = line
            outgoing.join(line)
            if not self._is_up:
                line.hearing_lost()
        elif line.unique_id.startswith(OUTGOING):
            log.warning("call %s: picked up too late; nobody waits for it any more", line.unique_id)
            channel.close()
        elif not self._on_call(line, channel.environment):
            channel.close()
        else:
            self._lines[line.unique_id] = line
            if not self._is_up:
                line.hearing_lost()
        return line

    @property
    def _is_full(self) -> bool:
        """Whether one call more would be too many; said once."""
        is_full = len(self._lines) >= self._max_calls
        if is_full and not self._refused_calls:
            log.error("refusing calls: %d are live, which is the limit", self._max_calls)
        elif self._refused_calls and not is_full:
            log.warning("accepting calls again; %d were refused", self._refused_calls)
        self._refused_calls = self._refused_calls + 1 if is_full else 0
        return is_full

    def _fault_of(self, unique_id: str) -> str:
        """Why that cannot be a new call's identity, or "". Events are routed and the journal is kept by it."""
        if not unique_id:
            return "its environment has no agi_uniqueid"
        if len(unique_id) > MAX_UNIQUE_ID or not unique_id.isprintable():
            return f"its agi_uniqueid {unique_id[:40]!r} is none that Asterisk gives"
        return f"call {unique_id} is live and has its session already" if unique_id in self._lines else ""

    def _line_closed(self, line: AsteriskLine) -> None:
        if self._lines.get(line.unique_id) is line:
            del self._lines[line.unique_id]

    # ── calls we place ────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_up(self) -> bool:
        """Whether the manager connection is there, without which nobody can be rung."""
        return self._is_up

    def outgoing(self, unique_id: str, dial_string: str, calling_number: str) -> OutgoingLine:
        """A line to somebody who is to be rung. Its `Dial` rings, once."""
        line = OutgoingLine(unique_id, dial_string, calling_number, self, self._outgoing_settled)
        self._dialling[unique_id] = line
        return line

    def stop_dialling(self) -> None:
        """Stop every telephone that rings: the engine is about to stop."""
        for line in list(self._dialling.values()):
            line.cancel()

    def answer(self, answer: Answer) -> None:
        """Tell whoever ordered a call what became of it."""
        self.order("UserEvent", answer_fields(answer))

    def heard(self, ask: str) -> None:
        """Tell whoever gave the order of that name that it takes a while."""
        self.order("UserEvent", heard_fields(ask))

    def reply(self, ask: str, reply: Reply) -> None:
        """Tell whoever gave the order of that name what came of it."""
        for fields in reply_pages(ask, reply):
            self.order("UserEvent", fields)

    def _outgoing_settled(self, line: OutgoingLine) -> None:
        self._dialling.pop(line.unique_id, None)

    # ── orders to the manager ─────────────────────────────────────────────────────────────────────────────────────────

    def order(
        self,
        action: str,
        headers: Mapping[str, str],
        on_refused: Callable[[str], None] | None = None,
        *,
        variables: Mapping[str, str] | None = None,
        is_refused_only_surely: bool = False,
    ) -> None:
        """Send an action whose answer nobody waits for."""
        self._do(self._send_order(action, headers, on_refused, variables, is_refused_only_surely))

    def adopt(self, channel: str, leg: AgentLeg) -> None:
        """Route the events of the channel with that Uniqueid to the leg."""
        self._legs[channel] = leg

    def forget(self, leg: AgentLeg) -> None:
        """The leg is over: route nothing to it any more."""
        self._places.forget(leg)
        for channel in [channel for channel, its_leg in self._legs.items() if its_leg is leg]:
            del self._legs[channel]

    def line_up(self, leg: AgentLeg, queue: str, priority: int, waited: float) -> int:
        """Follow the leg's place in the queue; the place it is owed for what it has waited already, 0 for the last."""
        return self._places.line_up(leg, queue, priority, waited)

    def _ask_hold_time(self, queue: str) -> None:
        self._do(self._learn_hold_time(queue))

    async def _learn_hold_time(self, queue: str) -> None:
        seconds = 0.0
        try:
            for summary in await self.manager.list_action("QueueSummary", {"Queue": queue}):
                seconds = number(summary.get("HoldTime"))
        except AmiError as error:
            log.warning("the hold time of a queue is not known: %s", error)
        self._places.hold_time(queue, seconds)

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._orders.add(task)
        task.add_done_callback(self._orders.discard)

    async def _send_order(
        self,
        action: str,
        headers: Mapping[str, str],
        on_refused: Callable[[str], None] | None,
        variables: Mapping[str, str] | None,
        is_refused_only_surely: bool,  # noqa: FBT001 - handed on from the keyword above
    ) -> None:
        try:
            await self.manager.action(action, headers, variables=variables)
        except AmiError as error:
            may_be_done = isinstance(error, AmiActionTimeout | AmiConnectionLost)
            if on_refused is not None and not (is_refused_only_surely and may_be_done):
                on_refused(str(error))

    # ── what the manager says ─────────────────────────────────────────────────────────────────────────────────────────

    def _manager_said(self, event: AmiEvent) -> None:
        if event.name == "UserEvent" and is_order(event):
            self._ordered(event)
            return
        unique_id = event.get("Uniqueid")
        if event.name == "QueueCallerJoin":
            self._places.joined(event, self._legs.get(unique_id))
        elif event.name == "QueueCallerLeave":
            self._places.left(event, self._legs.get(unique_id))
        elif (line := self._lines.get(unique_id)) is not None:
            tell_of_caller(line, event)
        elif (leg := self._legs.get(unique_id)) is not None:
            leg.happened(event)
        elif (outgoing := self._dialling.get(unique_id)) is not None:
            tell_of_telephone(outgoing, event)

    def _ordered(self, event: AmiEvent) -> None:
        """Somebody tells a call something, or wants one placed. Nothing that comes this way may do harm."""
        if is_call_order(event):
            self._take_order(event, read_call_order, "an order to place a call")
            return
        if is_asked(event):
            self._take_order(event, read_asked, "an order")
            return
        call = event.get("Call")
        line = self._lines.get(call) or self._dialling.get(call)
        if line is None:
            log.warning("an order is ignored: no live call has its Call %s", masked(call))
            return
        try:
            line.told(line.read(event))
        except OrderRefused as problem:
            why = str(problem)  # a log record that kept the exception would keep the line, by its traceback
            log.warning("call %s: an order is ignored: %s", call, why)

    def _take_order(
        self, event: AmiEvent, read: Callable[[AmiEvent], CallWanted | CallOff | Asked], called: str
    ) -> None:
        """Hand an order on to those who carry it out and answer."""
        try:
            order = read(event)
        except OrderRefused as problem:
            why = str(problem)
            log.warning("%s is ignored: %s", called, why)
            if (ask := who_asks(event)) and read is read_asked:
                self.reply(ask, Reply(done=False, words=(why,)))
            return
        if self._on_order is not None:
            self._on_order(order)

    def _manager_up(self) -> None:
        first = not self._is_up
        self._is_up = True
        if first:
            self._do(self._resync())

    def _manager_down(self, reason: str) -> None:
        self._is_up = False
        log.error("the manager connection is lost (%s): %d live calls go on unheard", reason, len(self._lines))
        self._places.lost()
        for line in list(self._lines.values()):
            line.hearing_lost()

    async def _resync(self) -> None:
        """After a connect: which of our callers and agents are still there, and which agents are kept for nobody?"""
        ringing = list(self._dialling.values())
        deaf = list(self._lines.values())  # not those who arrive while Asterisk makes its list: they may not be in it
        legs = set(self._legs.values())
        for leg in legs:
            leg.manager_is_back()
        try:
            present = {
                channel.get("Uniqueid"): channel for channel in await self.manager.list_action("CoreShowChannels")
            }
        except AmiConnectionLost:
            return  # deaf they stay, until it is back once more
        except AmiError as error:
            # Their keys and speech arrive again all the same, and a caller who has left is known from the session.
            log.warning("cannot check the live calls after the reconnect: %s", error)
            for line in deaf:
                line.hearing_restored()
            return
        for line in deaf:
            if line.unique_id in present:
                line.hearing_restored()
            else:
                line.caller_left(0)
        for outgoing in ringing:
            if outgoing.unique_id not in present:
                outgoing.lost_sight()
        for leg in legs:
            if leg.name in present:
                leg.seen(present)
            else:
                leg.ended()
        self._let_orphans_go(present)

    def _let_orphans_go(self, present: Mapping[str, AmiEvent]) -> None:
        """End the agents' legs whose caller has left or is in the fallback: an engine that is no more sought them."""
        for name in present.keys() - self._legs.keys():
            if found := LEG_NAME.fullmatch(name):
                caller = present.get(found[1])
                if caller is None or caller.get("Context") == FALLBACK or found[1] in self._lines:
                    log.warning("call %s: an agent is let go who was sought for nobody who is still there", found[1])
                    self.order("Hangup", {"Channel": name, "Cause": "16"})
