"""Recording one call, both sides: MixMonitor on the caller's channel, which talks, holds and transfers leave alone.

It begins on the call's own session, ahead of the talk or the prompt that is to be recorded: whoever may begin it over the
manager connection may run programs as the PBX's user, since MixMonitor takes a command for its end. Pausing cannot wait
for a prompt or a talk, so that goes over the manager connection. While it is paused silence is written (measured: from and
to within 20 ms), so that the recording keeps the call's time but for the moments in which keys are down, and 40 ms after
each talk. Keys that a telephone sends as events (RFC 4733) are in no recording; those it sends as tones are, unless it is
paused.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from ivrflow.bridge import agi_commands as agi
from ivrflow.bridge.agi_events import Reply
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.bridge.manager import Manager
from ivrflow.bridge.recording_files import RecordingRefusedError, call_file, prepare
from ivrflow.bridge.recordings_folder import Recordings

log = logging.getLogger("ivrflow.recordings")

SEEN_WITHIN_S = 2.0
"""Seconds within which the PBX has made the file; it does so at once, before the first sound."""

PREPARED_WITHIN_S = 1.0
"""Seconds that the call waits for the folder of its recording; a disk has it within milliseconds. What takes longer is
recorded from where the call's session is free."""

NOTHING_BETWEEN_S = 0.04
"""Seconds without recording and detection after a talk: two frames."""

DEAD_CHANNEL = 511
"""Code of a reply when the caller has just gone."""


class CallRecording:
    """What is recorded of one call.

    Args:
        call: its id, which is the Uniqueid of the caller's channel.
        channel: its session.
        manager: carries out orders.
        recordings: the folder; None where nothing is recorded.
        go_on: called when the session may be used for what comes after the beginning, once `is_preparing` is over.

    Attributes:
        is_preparing: whether the folder is being made: what is sent on the session now would come ahead of the beginning,
            and a talk keeps the session until it is over.
    """

    def __init__(
        self,
        call: str,
        channel: AgiChannel,
        manager: Manager,
        recordings: Recordings | None,
        go_on: Callable[[], None],
    ) -> None:
        self.is_preparing = False
        self._call = call
        self._channel = channel
        self._manager = manager
        self._recordings = recordings
        self._go_on = go_on
        self._is_asked = False
        self._is_running = False
        self._is_paused = False
        self._is_over = False
        self._path = ""
        self._is_there: Callable[[], bool] = bool
        self._beginning = 0
        """Number of the command that begins it, until its reply."""
        self._overdue: asyncio.TimerHandle | None = None
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
        self._path, self._is_there = recordings.seen_by_pbx(file), (recordings.folder / file).exists
        self.is_preparing = True
        self._overdue = asyncio.get_running_loop().call_later(PREPARED_WITHIN_S, self._late)
        recordings.do(partial(prepare, recordings.folder, file), self._prepared)

    def _prepared(self, problem: RecordingRefusedError | None) -> None:
        if self._is_over:
            return
        if problem is None:
            self._is_running = True
            self._beginning = self._channel.send(agi.exec_("MixMonitor", self._path))
        else:
            self._refused(str(problem))
        self._no_longer_preparing()

    def _late(self) -> None:
        log.warning("call %s: its recording begins late, since the recordings folder is slow", self._call)
        self._no_longer_preparing()

    def _no_longer_preparing(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
        if self.is_preparing:
            self.is_preparing = False
            self._go_on()

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

    def begin_anew(self) -> bool:
        """Go on in the same file after a talk, with nothing between Asterisk and the caller's sound meanwhile.

        Asterisk 22 does not record a prompt that is played once Bridge() is over, however often the recording is begun
        (measured; music and the next talk are recorded). It does again when no recording and no detection of talking was on
        the channel for the time of a frame. So they are taken off; the caller's next prompt waits for it.

        Returns:
            Whether anything is recorded, so that it was done. The detection of talking has to be set again.
        """
        if not self._is_running or self._is_over or self._beginning:
            return False
        self._channel.send(agi.set_variable("TALK_DETECT(remove)", ""))
        self._channel.send(agi.exec_("StopMixMonitor"))
        self._channel.send(agi.exec_("Wait", str(NOTHING_BETWEEN_S)))
        self._beginning = self._channel.send(agi.exec_("MixMonitor", self._path, "a"))
        return True

    def replied(self, command: int, reply: Reply) -> bool:
        """Take a reply if it says that recording has begun, or begun anew."""
        if not self._beginning or command != self._beginning:
            return False
        self._beginning = 0
        if reply.code == DEAD_CHANNEL:
            self._is_running = False
        elif reply.failed:
            self._refused("the PBX has no MixMonitor(); load app_mixmonitor.so")
        else:
            if self._look is None:
                self._look = asyncio.get_running_loop().call_later(SEEN_WITHIN_S, self._look_for_it)
            if self._is_paused:
                self._mute()
        return True

    def close(self) -> None:
        """The caller's channel is gone, and with it the recording is complete."""
        self._is_over = True
        self.is_preparing = False
        for timer in (self._overdue, self._look):
            if timer is not None:
                timer.cancel()

    def _mute(self) -> None:
        if self._is_running and not self._beginning:
            headers = {"Channel": self._call, "Direction": "both", "State": "1" if self._is_paused else "0"}
            self._manager.order("MixMonitorMute", headers, self._not_paused if self._is_paused else self._not_resumed)

    def _not_paused(self, why: str) -> None:
        """What must not be recorded may be said now: better no recording than that."""
        if self._is_running and not self._is_over:
            self._is_running = False
            log.error("call %s: its recording ends here, since it could not be paused: %s", self._call, why)
            self._channel.send(agi.exec_("StopMixMonitor"))

    def _not_resumed(self, why: str) -> None:
        if not self._is_over:
            log.error("call %s: its recording stays paused: %s", self._call, why)

    def _look_for_it(self) -> None:
        if self._recordings is not None:
            self._recordings.do(self._is_there, self._looked)

    def _looked(self, is_there: bool | RecordingRefusedError) -> None:  # noqa: FBT001 - what the look came to
        if is_there is not True and self._is_running and not self._is_over:
            self._refused("the PBX made no file; its log says why (docs/recordings.md)")

    def _refused(self, why: str) -> None:
        self._is_running = False
        if not self._is_over:
            log.error("call %s is not recorded: %s", self._call, why)
