"""A SIP header of the caller's INVITE, asked for before the call begins: what happens until it is known is held back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ivrflow.bridge import agi_commands as agi
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.engine import messages as m

log = logging.getLogger("ivrflow.bridge")

HEADER_WITHIN_S = 1.0
"""Seconds Asterisk has to read the header; it takes 0.1 ms (measured). Then the call goes on without."""


class HeaderQuestion:
    """One header, asked for once.

    Args:
        channel: the call's AGI session.
        header: its name.
        on_answer: called once, with the header's text; empty when there is no such header, or no answer in time.
        tell: takes, right after that, the events that were held back.
    """

    def __init__(
        self, channel: AgiChannel, header: str, on_answer: Callable[[str], None], tell: Callable[[m.CallEvent], None]
    ) -> None:
        self.is_open = True
        """Whether it is still to be answered."""
        self.command = channel.send(agi.get_variable(f"PJSIP_HEADER(read,{header})"))
        """Number of the command whose reply is the answer."""
        self._call = channel.environment.unique_id
        self._on_answer = on_answer
        self._tell = tell
        self._held_back: list[m.CallEvent] = []
        self._until = asyncio.get_running_loop().call_later(HEADER_WITHIN_S, self._overdue)

    def hold_back(self, event: m.CallEvent) -> None:
        """Keep what happened until the call has begun."""
        self._held_back.append(event)

    def answer(self, text: str) -> None:
        """The header is this, or nothing will be known of it any more."""
        if self.is_open:
            self.is_open = False
            self._until.cancel()
            self._on_answer(text)
            for event in self._held_back:
                self._tell(event)

    def _overdue(self) -> None:
        log.warning("call %s: Asterisk has not read a header within %g s", self._call, HEADER_WITHIN_S)
        self.answer("")
