"""A line's recorder between a PBX that is only pretended and a real folder."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import cast

from recorded_folder import write_wav

from ivrflow.bridge.agi_commands import Command
from ivrflow.bridge.agi_events import PlaybackEnding, PlaybackFinished, Reply
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.bridge.recorder import Recorder, RecordingAction
from ivrflow.bridge.recordings_folder import Recordings, RecordingSettings
from ivrflow.engine import messages as m

CALL = "ivrflow-1795334637.0"
DONE = Reply(200, "0")


class RecordedLine:
    """Stands in for the caller's session and the manager connection; keeps what was sent and told."""

    def __init__(self, folder: Path, *, has_folder: bool = True) -> None:
        self.folder = folder
        self.recordings = Recordings(RecordingSettings(folder, PurePosixPath("/pbx")), dict)
        self.sent: list[str] = []
        self.interrupted = 0
        self.orders: list[tuple[str, dict[str, str]]] = []
        self.refusals: list[Callable[[str], None] | None] = []
        self.told: asyncio.Queue[m.CallEvent] = asyncio.Queue()
        self.echoes: list[int] = []
        self.went_on = 0
        self._changed = asyncio.Event()
        self.recorder = Recorder(
            CALL,
            cast("AgiChannel", self),
            self,
            self.recordings if has_folder else None,
            tell=self.told.put_nowait,
            before_tone=self.echoes.append,
            go_on=self._go_on,
        )

    # ── the session and the manager ──

    def send(self, command: Command) -> int:
        self.sent.append(command.line.decode().rstrip("\n"))
        self._changed.set()
        return len(self.sent)

    def interrupt(self) -> bool:
        self.interrupted += 1
        return True

    def order(
        self,
        action: str,
        headers: Mapping[str, str],
        on_refused: Callable[[str], None] | None = None,
        *,
        variables: Mapping[str, str] | None = None,
        is_refused_only_surely: bool = False,
    ) -> None:
        assert not variables
        assert not is_refused_only_surely
        self.orders.append((action, dict(headers)))
        self.refusals.append(on_refused)
        self._changed.set()

    def _go_on(self) -> None:
        assert not self.recorder.is_preparing
        self.went_on += 1
        self._changed.set()

    # ── what a test does ──

    def perform(self, action: RecordingAction) -> None:
        self.recorder.perform(action, "gov12345")

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not wanted():
                self._changed.clear()
                await self._changed.wait()

    async def begun(self) -> None:
        """Begin to record the call; the PBX has."""
        self.perform(m.StartRecording())
        await self.until(lambda: bool(self.sent))
        self.reply()

    async def worked(self) -> None:
        """Wait until the folder's thread has done what it was asked, and what came of it was told."""
        done = asyncio.Event()
        self.recordings.do(lambda: None, lambda _: done.set())
        await done.wait()

    def hang_folder(self) -> threading.Event:
        """Let nothing be done in the folder until that is set."""
        goes_on = threading.Event()
        self.recordings.do(goes_on.wait, lambda _: None)
        return goes_on

    async def next_told(self) -> m.CallEvent:
        async with asyncio.timeout(5):
            return await self.told.get()

    def reply(self, reply: Reply = DONE) -> None:
        """Answer the newest command."""
        assert self.recorder.replied(len(self.sent), reply)

    def tone_over(self, ending: PlaybackEnding = PlaybackEnding.FINISHED) -> None:
        assert self.recorder.messages.playback_ended(PlaybackFinished(len(self.sent), ending))

    async def recording(self, order: m.RecordMessage, *parts: tuple[float, int]) -> None:
        """Bring a message to where it records; its file holds `parts` already."""
        self.perform(order)
        await self.until(lambda: self.sent[-1:] != [] and self.sent[-1].startswith("STREAM FILE"))
        self.tone_over()
        assert self.recorder.messages.replied(len(self.sent) - 1, DONE)
        self.write(order.ticket, *parts)
        self.reply(Reply(200, "1", "0x7f9558001d50"))

    def write(self, ticket: m.Ticket, *parts: tuple[float, int]) -> None:
        write_wav(self.folder / self.recordings.unsettled.file(CALL, ticket), *parts)

    async def close(self) -> None:
        self.recorder.close()
        await self.recordings.close()
