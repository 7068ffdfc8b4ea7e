"""The prompts of one AGI session: each is a row of files, and is over once."""

from __future__ import annotations

from collections.abc import Sequence

from ivrflow.bridge import agi_commands as agi
from ivrflow.bridge.agi_events import PlaybackEnding, PlaybackFinished
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.engine.messages import Ticket


class Playback:
    """What plays on the session of that channel."""

    def __init__(self, channel: AgiChannel) -> None:
        self._channel = channel
        self._files: dict[int, tuple[Ticket, bool]] = {}
        """By number of the command: whose prompt the file is, and whether it is the last of that prompt."""

    @property
    def is_playing(self) -> bool:
        """Whether a prompt is not over yet."""
        return bool(self._files)

    def play(self, ticket: Ticket, files: Sequence[str]) -> None:
        """Play a prompt.

        Args:
            ticket: comes back from `ended`.
            files: at least one, each as Asterisk sees it, without its extension.
        """
        # All at once: each goes out in the moment in which the one before is over, and none once they are interrupted.
        for number, file in enumerate(files, start=1):
            self._files[self._channel.send(agi.stream_file(file))] = (ticket, number == len(files))

    def stop(self) -> None:
        """Cut what plays, and what else runs on the session."""
        self._channel.interrupt()

    def ended(self, ending: PlaybackFinished) -> Ticket | None:
        """A file is over; and with its last one, or the first one that failed, the prompt.

        Returns:
            The prompt's ticket when it is over; None otherwise.
        """
        ticket, is_last = self._files.pop(ending.command_id, (None, True))
        if ticket is None or (ending.ending is PlaybackEnding.FINISHED and not is_last):
            return None
        rest = [command for command, (its_ticket, _) in self._files.items() if its_ticket == ticket]
        for command in rest:
            del self._files[command]
        if rest and ending.ending in {PlaybackEnding.MISSING, PlaybackEnding.REFUSED}:
            self._channel.interrupt()  # half a phrase is no phrase
        return ticket
