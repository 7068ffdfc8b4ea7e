"""Recording one call, both sides: MixMonitor on the caller's channel, which talks, holds and transfers leave alone.

All orders go over the manager connection: a call's own session may be busy with a prompt or a talk just then. While it
is paused silence is written (measured: from and to within 20 ms), so that the recording keeps the call's time but for the
moments in which keys are down, and 40 ms after each talk. Keys that a telephone sends as events (RFC 4733) are in no recording; those it sends as
tones are, unless it is paused.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol

from ivrflow.bridge import agi_commands as agi
from ivrflow.bridge.recording_files import RecordingRefusedError, call_file, prepare

if TYPE_CHECKING:
    from ivrflow.bridge.fastagi_server import AgiChannel
    from ivrflow.bridge.recordings import Recordings

log = logging.getLogger("ivrflow.recordings")

SEEN_WITHIN_S = 2.0
"""Seconds within which the PBX has made the file; it does so at once, before the first sound."""


NOTHING_BETWEEN_S = 0.04
"""Seconds without recording and detection after a talk: two frames."""


class Orders(Protocol):
    """What a recording needs of the manager connection: an order whose answer nobody waits for."""

    def order(self, action: str, headers: Mapping[str, str], on_refused: Callable[[str], None] | None = None) -> None:
        """Send an action; `on_refused` hears why if Asterisk refuses it or the connection is lost."""


class CallRecording:
    """What is recorded of one call.

    Args:
        call: its id, which is the Uniqueid of the caller's channel.
        manager: carries out orders.
        recordings: the folder; None where nothing is recorded.
        stop: stops every recording of the channel on the call's own session, when the manager cannot.
    """

    def __init__(self, call: str, manager: Orders, recordings: Recordings | None, stop: Callable[[], None]) -> None:
        self._call = call
        self._manager = manager
        self._recordings = recordings
        self._stop = stop
        self._is_asked = False
        self._is_running = False
        self._is_paused = False
        self._is_over = False
        self._path = ""
        self._anew = 0
        self._look: asyncio.TimerHandle | None = None

    def start(self, flow: str) -> None:
        """Record from now on; `flow` is the call's. What cannot be recorded is said in the log, and the call goes on."""
        if self._is_asked:
            return
        self._is_asked = True
        recordings = self._recordings
        if recordings is None:
            self._refused("there is no recordings folder")
            return
        try:
            file = call_file(flow, self._call, datetime.now().astimezone().date())
        except RecordingRefusedError as problem:
            self._refused(str(problem))
            return
        work = partial(prepare, recordings.folder, file)
        recordings.do(work, partial(self._prepared, recordings.seen_by_pbx(file), (recordings.folder / file).exists))

    def _prepared(self, path: str, is_there: Callable[[], bool], problem: RecordingRefusedError | None) -> None:
        if self._is_over:
            return
        if problem is not None:
            self._refused(str(problem))
            return
        self._is_running, self._path = True, path
        self._manager.order("MixMonitor", {"Channel": self._call, "File": path}, self._refused)
        if self._is_paused:
            self._mute()
        self._look = asyncio.get_running_loop().call_later(SEEN_WITHIN_S, self._look_for_it, is_there)

    def pause(self) -> None:
        """Write silence from now on."""
        if not self._is_paused:
            self._is_paused = True
            self._mute()

    def resume(self) -> None:
        """Write what is said again."""
        if self._is_paused:
            self._is_paused = False
            self._mute()

    def begin_anew(self, channel: AgiChannel) -> bool:
        """Go on in the same file after a talk, with nothing between Asterisk and the caller's sound meanwhile.

        Asterisk 22 does not record a prompt that is played once Bridge() is over, however often the recording is begun
        (measured; music and the next talk are recorded). It does again when no recording and no detection of talking was on
        the channel for the time of a frame. So they are taken off; the caller's next prompt waits for it.

        Returns:
            Whether anything is recorded, so that it was done. The detection of talking has to be set again.
        """
        if not self._is_running or self._is_over or self._anew:
            return False
        channel.send(agi.set_variable("TALK_DETECT(remove)", ""))
        channel.send(agi.exec_("StopMixMonitor"))
        channel.send(agi.exec_("Wait", str(NOTHING_BETWEEN_S)))
        self._anew = channel.send(agi.exec_("MixMonitor", self._path, "a"))
        return True

    def replied(self, command: int) -> bool:
        """Take a reply if it says that recording has begun anew."""
        if not self._anew or command != self._anew:
            return False
        self._anew = 0
        if self._is_paused:
            self._mute()
        return True

    def close(self) -> None:
        """The caller's channel is gone, and with it the recording is complete."""
        self._is_over = True
        if self._look is not None:
            self._look.cancel()

    def _mute(self) -> None:
        if self._is_running and not self._anew:
            headers = {"Channel": self._call, "Direction": "both", "State": "1" if self._is_paused else "0"}
            self._manager.order("MixMonitorMute", headers, self._not_paused if self._is_paused else self._not_resumed)

    def _not_paused(self, why: str) -> None:
        """What must not be recorded may be said now: better no recording than that."""
        if self._is_running and not self._is_over:
            self._is_running = False
            log.error("call %s: its recording ends here, since it could not be paused: %s", self._call, why)
            self._stop()

    def _not_resumed(self, why: str) -> None:
        if not self._is_over:
            log.error("call %s: its recording stays paused: %s", self._call, why)

    def _look_for_it(self, is_there: Callable[[], bool]) -> None:
        if self._recordings is not None:
            self._recordings.do(is_there, self._looked)

    def _looked(self, is_there: bool | RecordingRefusedError) -> None:  # noqa: FBT001 - what the look came to
        if is_there is not True and self._is_running and not self._is_over:
            self._refused("the PBX made no file; its log says why (docs/recordings.md)")

    def _refused(self, why: str) -> None:
        self._is_running = False
        if not self._is_over:
            log.error("call %s is not recorded: %s", self._call, why)
