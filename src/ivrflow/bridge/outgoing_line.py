"""The way to a person we ring: dialled over the manager connection, and from the answer on an `AsteriskLine`.

Asterisk rings the telephone by one Originate, never a second one for the same call. When the person picks up, the
dialplan connects the channel with the engine as it connects a caller's (FastAGI), under the identity chosen here; until
then nothing of the call exists but this line. Who does not pick up is known from the manager: the channel's end and its
cause. Nothing here decides how long it rings; Asterisk's own bound comes later and only if the engine is gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from ivrflow.bridge.agent_leg import WHO_LEFT_S
from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.bridge.asterisk_line import CALL_HEADER, AsteriskLine
from ivrflow.bridge.manager import Manager
from ivrflow.bridge.orders.to_calls import read_order
from ivrflow.engine import messages as m

log = logging.getLogger("ivrflow.bridge")

OUTGOING = "out-"
"""How the identity of every call we place begins; it is the channel's Uniqueid too."""

CONTEXT, EXTENSION = "ivrflow-called", "answered"
"""Where the dialplan takes who picked up."""

SPARE_S = 2.0
"""Seconds Asterisk rings on by itself when the engine, which ends the ringing, is gone."""

WhyNot: TypeAlias = Literal["no_answer", "busy", "refused", "unreachable", "cancelled"]

_RANG_IN_VAIN = "3"
"""OriginateResponse's Reason when the telephone rang until Asterisk's own time was up."""

_CAUSES: Mapping[int, WhyNot] = {
    # Q.850 cause of the person's channel (measured: 17 for a 486, 21 for a phone that declined, 19 for one that rang).
    16: "refused",  # picked up and put down again before the call could begin
    17: "busy",
    18: "no_answer",
    19: "no_answer",
    21: "refused",
}


class OutgoingLine:
    """One person's telephone, from the order on.

    Args:
        unique_id: the call's id, beginning with `OUTGOING`.
        dial_string: what Asterisk rings, "PJSIP/1001"; holds nothing that was not checked.
        calling_number: the number the person is shown, digits.
        manager: carries out orders.
        on_settled: called once when it rings no more: answered, or not.
    """

    def __init__(
        self,
        unique_id: str,
        dial_string: str,
        calling_number: str,
        manager: Manager,
        on_settled: Callable[[OutgoingLine], None],
    ) -> None:
        self.unique_id = unique_id
        self.on_event: Callable[[m.CallEvent], None] = _nobody
        self.read: Callable[[AmiEvent], m.CallEvent] = read_order
        """As that of the line it joins."""
        self.flow = ""
        """Id of the call's flow, below which its recordings are filed."""
        self._dial_string = dial_string
        self._calling_number = calling_number
        self._manager = manager
        self._on_settled = on_settled
        self._joined: AsteriskLine | None = None
        self._is_settled = False
        self._cause: int | None = None
        self._grace: asyncio.TimerHandle | None = None

    # ── actions ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def perform(self, action: m.Action) -> None:
        """Start doing it."""
        if self._joined is not None:
            self._joined.perform(action)
            return
        match action:
            case m.Dial(seconds=seconds):
                self._dial(seconds)
            case m.StopDialling() | m.EndCall() | m.FallBack():
                self._stop()
            case _:
                raise AssertionError(f"{type(action).__name__} while nobody has picked up")

    def _dial(self, seconds: float) -> None:
        self._manager.order(
            "Originate",
            {
                "Channel": self._dial_string,
                "ChannelId": self.unique_id,
                "Context": CONTEXT,
                "Exten": EXTENSION,
                "Priority": "1",
                "Timeout": str(round((seconds + SPARE_S) * 1000)),
                "CallerID": f'"" <{self._calling_number}>' if self._calling_number else "ivrflow",
                "Async": "true",
            },
            self._refused,
            variables={f"PJSIP_HEADER(add,{CALL_HEADER})": self.unique_id},
            # A telephone that may be ringing is neither rung again nor given up: the engine's own bound ends it.
            is_refused_only_surely=True,
        )

    def _stop(self) -> None:
        """Stop ringing. Somebody who picks up at this very moment is hung up."""
        if not self._is_settled:
            self._manager.order("Hangup", {"Channel": self.unique_id, "Cause": "16"})
            self._settle()

    def never_mind(self) -> None:
        """The call is over before anybody was rung."""
        if not self._is_settled:
            self._settle()

    def cancel(self) -> None:
        """Whoever ordered the call takes it back, or the engine stops: stop ringing, and say so."""
        if not self._is_settled:
            self._manager.order("Hangup", {"Channel": self.unique_id, "Cause": "16"})
            self._not_answered("cancelled")

    def told(self, order: m.CallEvent) -> None:
        """Somebody says something about the call while it rings."""
        self.on_event(order)

    # ── what comes of it ──────────────────────────────────────────────────────────────────────────────────────────────

    def join(self, line: AsteriskLine) -> None:
        """The person picked up: `line` is the way to them from now on."""
        self._joined = line
        line.flow = self.flow
        line.on_event, line.read = self.on_event, self.read
        self._settle()
        line.on_event(m.CallAnswered())

    def originate_failed(self, reason: str) -> None:
        """Asterisk gave up ringing; `reason` is OriginateResponse's code.

        A busy phone, one that declined and one that is not there are all reason 0. The cause of the channel tells them
        apart; it may come a moment later, and a phone that is not registered has no channel at all.
        """
        if reason == _RANG_IN_VAIN:
            self._not_answered("no_answer")
        elif self._cause is not None:
            self._not_answered(_CAUSES.get(self._cause, "unreachable"))
        elif self._grace is None and not self._is_settled:
            self._grace = asyncio.get_running_loop().call_later(WHO_LEFT_S, self._not_answered, "unreachable")

    def channel_gone(self, cause: int) -> None:
        """The person's channel is gone, for that Q.850 cause."""
        self._cause = cause
        self._not_answered(_CAUSES.get(cause, "unreachable"))

    def lost_sight(self) -> None:
        """After a time without the manager connection Asterisk has no such channel any more."""
        self._not_answered("unreachable")

    def _refused(self, why: str) -> None:
        log.warning("call %s: the telephone could not be rung: %s", self.unique_id, why)
        self._not_answered("unreachable")

    def _not_answered(self, why: WhyNot) -> None:
        if not self._is_settled:
            tell = self.on_event
            self._settle()
            tell(m.CallNotAnswered(why=why))

    def _settle(self) -> None:
        self._is_settled = True
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
        self.on_event, self.read = _nobody, read_order  # line and live call let go of each other: no garbage to collect
        self._on_settled(self)


def _nobody(event: m.CallEvent) -> None:
    """Stands in while no live call listens."""
