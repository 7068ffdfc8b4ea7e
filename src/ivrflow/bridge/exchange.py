"""Asterisk as ivrflow sees it: calls come in over FastAGI, events come in over AMI and are routed to the call they belong to.

One filtered manager connection serves all calls. When it is lost live calls go on, deaf: their waits mean nothing until
it is back. After a reconnect every live call is checked against the channels Asterisk really has.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ivrflow.bridge.agi_events import Environment
from ivrflow.bridge.ami_client import AmiActionTimeout, AmiClient, AmiConnectionLost
from ivrflow.bridge.ami_protocol import AmiError, AmiEvent
from ivrflow.bridge.asterisk_line import AsteriskLine, LineSettings
from ivrflow.bridge.asked_orders import Asked, Reply, heard_fields, is_asked, read_asked, reply_pages
from ivrflow.bridge.call_orders import Answer, CallOff, CallWanted, answer_fields, is_call_order, read_call_order
from ivrflow.bridge.fastagi_server import AgiChannel, FastAgiServer
from ivrflow.bridge.orders import OrderRefused, is_order, masked, read_order
from ivrflow.bridge.outgoing_line import OUTGOING, OutgoingLine

log = logging.getLogger("ivrflow.bridge")

PING_EVERY_S = 1.0
PING_WITHIN_S = 2.0
"""Seconds: a manager that still accepts but no longer answers is found out within 3 s: no ladder is used up unheard."""

LAST_ORDERS_S = 1.0
"""Seconds that orders under way have to be answered when the engine stops."""

MAX_UNIQUE_ID = 149
"""Characters of the longest Uniqueid that Asterisk has room for."""


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
        self._agents: dict[str, AsteriskLine] = {}
        self._on_order = on_order
        self._dialling: dict[str, OutgoingLine] = {}
        self._orders: set[asyncio.Task[None]] = set()
        self._is_up = False
        self.server = FastAgiServer(self._call_arrived, max_connections=max_calls)
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

    # ── calls ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _call_arrived(self, channel: AgiChannel) -> AsteriskLine:
        line = AsteriskLine(channel, self, self._line_settings, self._line_closed)
        outgoing = self._dialling.get(line.unique_id)
        if fault := self._fault_of(line.unique_id):
            log.warning("closed the FastAGI connection from %s: %s", channel.peer, fault)
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
        for agent in [agent for agent, its_line in self._agents.items() if its_line is line]:
            del self._agents[agent]

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
        sending = self._send_order(action, headers, on_refused, variables, is_refused_only_surely)
        task = asyncio.get_running_loop().create_task(sending)
        self._orders.add(task)
        task.add_done_callback(self._orders.discard)

    def adopt_agent(self, agent: str, line: AsteriskLine) -> None:
        """Route the events of the agent's channel `agent` (its Uniqueid) to that line."""
        self._agents[agent] = line

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
        if event.name == "UserEvent":
            if is_order(event):
                self._ordered(event)
            return
        unique_id = event.get("Uniqueid")
        if (line := self._lines.get(unique_id)) is not None:
            _of_caller(line, event)
        elif (line := self._agents.get(unique_id)) is not None:
            _of_agent(line, unique_id, event)
        elif (outgoing := self._dialling.get(unique_id)) is not None:
            _of_outgoing(outgoing, event)

    def _ordered(self, event: AmiEvent) -> None:
        """Somebody tells a call something, or wants one placed. Nothing that comes this way may do harm."""
        if is_call_order(event):
            self._take_order(event, read_call_order, "an order to place a call")
            return
        if is_asked(event):
            self._take_order(event, read_asked, "an order")
            return
        call = event.get("Call")
        line = self._lines.get(call)
        if line is None:
            log.warning("an order is ignored: no live call has its Call %s", masked(call))
            return
        try:
            line.told(read_order(event, line.task))
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
            return
        if self._on_order is not None:
            self._on_order(order)

    def _manager_up(self) -> None:
        first = not self._is_up
        self._is_up = True
        if first and (self._lines or self._dialling):
            task = asyncio.get_running_loop().create_task(self._resync())
            self._orders.add(task)
            task.add_done_callback(self._orders.discard)

    def _manager_down(self, reason: str) -> None:
        self._is_up = False
        log.error("the manager connection is lost (%s): %d live calls go on unheard", reason, len(self._lines))
        for line in list(self._lines.values()):
            line.hearing_lost()

    async def _resync(self) -> None:
        """After a reconnect: which of our callers are still there?"""
        ringing = list(self._dialling.values())
        deaf = list(self._lines.values())  # not those who arrive while Asterisk makes its list: they may not be in it
        try:
            present = {channel.get("Uniqueid") for channel in await self.manager.list_action("CoreShowChannels")}
        except AmiConnectionLost:
            return  # deaf they stay, until it is back once more
        except AmiError as error:
            # Their keys and speech arrive again all the same, and a caller who has left is known from the session.
            log.warning("cannot check the live calls after the reconnect: %s", error)
            present = {line.unique_id for line in deaf} | {line.unique_id for line in ringing}
        for line in deaf:
            if line.unique_id in present:
                line.hearing_restored()
            else:
                line.caller_left(0)
        for outgoing in ringing:
            if outgoing.unique_id not in present:
                outgoing.lost_sight()


def _of_outgoing(line: OutgoingLine, event: AmiEvent) -> None:
    match event.name:
        case "OriginateResponse":
            if event.get("Response") != "Success":
                line.originate_failed(event.get("Reason"))
        case "Hangup":
            line.channel_gone(int(_number(event.get("Cause"))))
        case _:
            pass


def _of_caller(line: AsteriskLine, event: AmiEvent) -> None:
    match event.name:
        case "DTMFBegin":
            if event.get("Direction") == "Received":
                line.key_pressed(event.get("Digit"))
        case "DTMFEnd":
            if event.get("Direction") == "Received":
                line.key_released(event.get("Digit"), _number(event.get("DurationMs")))
        case "ChannelTalkingStart":
            line.talking_started()
        case "ChannelTalkingStop":
            line.talking_stopped(_number(event.get("Duration")))
        case "HangupRequest" | "SoftHangupRequest" | "Hangup":
            line.caller_left(int(_number(event.get("Cause"))))
        case _:
            pass


def _of_agent(line: AsteriskLine, agent: str, event: AmiEvent) -> None:
    match event.name:
        case "OriginateResponse":
            if event.get("Response") == "Success":
                line.agent_answered(agent)
            else:
                line.agent_unavailable(agent, event.get("Reason"))
        case "HangupRequest":
            line.agent_hung_up(agent, int(_number(event.get("Cause"))))
        case "Hangup":
            line.agent_gone(agent, int(_number(event.get("Cause"))))
        case _:
            pass


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
