"""From Asterisk's talk detection to speech: clicks are not speech, a pause between words is not its end.

Measured: ChannelTalkingStart comes with the first loud 20 ms frame, even if it stays the only one; Stop comes
`silence` milliseconds after the last one, and not at all when a phone with silence suppression just stops sending.
So speech counts once it has lasted `SHORTEST_S`, ends after `PAUSE_S` without more, and never lasts longer than
`LONGEST_S` without a Stop. Pure: time is an argument, the deadline a property.
"""

from __future__ import annotations

from typing import TypeAlias

from ivrflow.engine.messages import SpeechEnded, SpeechStarted

TALK_SILENCE_MS = 120
"""TALK_DETECT's silence parameter: short, so that the Stop after a click comes soon."""

SHORTEST_S = 0.12
"""Speech shorter than this is a click, a tap or a breath."""

CONFIRM_S = SHORTEST_S + TALK_SILENCE_MS / 1000 - 0.02
"""Seconds after a Start within which the Stop of anything shorter must have come (it comes a frame early)."""

PAUSE_S = 0.4
"""Seconds between words that do not end speech."""

LONGEST_S = 15.0
"""Seconds without a Stop after which the caller's phone has stopped sending rather than the caller kept talking."""

Heard: TypeAlias = SpeechStarted | SpeechEnded


class SpeechGate:
    """Follows one caller's talking."""

    def __init__(self) -> None:
        self._speaking = False
        self.deadline: float | None = None
        """When `reached` is due; None while nothing is open."""

    @property
    def is_speaking(self) -> bool:
        """Whether the caller counts as speaking."""
        return self._speaking

    def talking_started(self, now: float) -> None:
        """Asterisk hears something."""
        self.deadline = now + (LONGEST_S if self._speaking else CONFIRM_S)

    def talking_stopped(self, now: float, lasted_ms: float) -> list[Heard]:
        """Asterisk hears nothing any more; the sound lasted so many milliseconds."""
        if self._speaking:
            self.deadline = now + PAUSE_S
            return []
        if self.deadline is None:
            return []  # it was given up as speech long ago, or began unheard: it is over now, and nobody begins to speak
        if lasted_ms < SHORTEST_S * 1000:
            self.deadline = None
            return []
        self._speaking = True
        self.deadline = now + PAUSE_S
        return [SpeechStarted()]

    def reached(self, now: float) -> list[Heard]:
        """The deadline has come."""
        if self.deadline is None or now < self.deadline:
            return []
        if not self._speaking:
            self._speaking = True
            self.deadline = now + LONGEST_S
            return [SpeechStarted()]
        self._speaking = False
        self.deadline = None
        return [SpeechEnded()]

    def lost(self) -> list[Heard]:
        """Nothing can be heard any more: whoever was speaking has stopped as far as we know."""
        was_speaking = self._speaking
        self._speaking = False
        self.deadline = None
        return [SpeechEnded()] if was_speaking else []
