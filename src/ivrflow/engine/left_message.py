"""The message a caller left. A pure value."""

from __future__ import annotations

from dataclasses import dataclass

from ivrflow.engine.messages import Ticket


@dataclass(frozen=True, slots=True)
class LeftMessage:
    """What was recorded, and is not kept yet.

    Attributes:
        ticket: of the recording.
        about: the message box it is for.
        seconds: its length.
    """

    ticket: Ticket
    about: str
    seconds: float
