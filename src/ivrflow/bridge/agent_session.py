"""The AGI session of an agent's half of a talk: what is played here the agent hears, and nobody else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ivrflow.bridge.agi_events import PlaybackEnding, PlaybackFinished, Reply
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.bridge.playback import Playback
from ivrflow.engine.messages import Ticket


class AgentSession:
    """One such session; `on_closed` hears once that it is over."""

    def __init__(self, channel: AgiChannel, on_closed: Callable[[AgentSession], None]) -> None:
        self._channel = channel
        self._on_closed = on_closed
        self._playback = Playback(channel)
        self._on_over: dict[Ticket, Callable[[PlaybackEnding], None]] = {}

    def play(
        self, ticket: Ticket, files: Sequence[str], on_over: Callable[[PlaybackEnding], None] | None = None
    ) -> None:
        """Play a prompt to the agent; `on_over` hears once how it ended."""
        if on_over is not None:
            self._on_over[ticket] = on_over
        self._playback.play(ticket, files)

    def stop(self) -> None:
        """Cut what the agent hears."""
        if self._playback.is_playing:
            self._playback.stop()

    def end(self) -> None:
        """Cut what the agent hears, and give the channel back to the dialplan."""
        self.stop()
        self._channel.close()

    def replied(self, command_id: int, reply: Reply) -> None:
        """Nothing but prompts is ever sent here."""

    def playback_ended(self, ending: PlaybackFinished) -> None:
        """A file is over."""
        if (ticket := self._playback.ended(ending)) is not None and (on_over := self._on_over.pop(ticket, None)):
            on_over(ending.ending)

    def hung_up(self) -> None:
        """Half 1 has left: it is joined with the caller, or ended."""
        self._channel.close()

    def closed(self) -> None:
        """The session is over."""
        unfinished, self._on_over = self._on_over, {}
        for on_over in unfinished.values():
            on_over(PlaybackEnding.HANGUP)
        on_closed, self._on_closed = self._on_closed, _whatever
        on_closed(self)


class NobodysSession:
    """The session of an agent who is not on the line any more, or is joined with the caller already: it ends."""

    def __init__(self, channel: AgiChannel) -> None:
        channel.close()

    def replied(self, command_id: int, reply: Reply) -> None:
        """Nothing is sent here."""

    def playback_ended(self, ending: PlaybackFinished) -> None:
        """Nothing plays."""

    def hung_up(self) -> None:
        """It is closed already."""

    def closed(self) -> None:
        """Nobody is to be told."""


def _whatever(session: AgentSession) -> None:
    """Stands in once it was told."""
