"""Recording what a caller says after a tone: until they say nothing more, the message is full, or the session stops it.

A second MixMonitor hears the caller's side alone, so the call's own session stays free for the next command. AGI's
RECORD FILE does not (measured on Asterisk 22): nothing but a key stops it, its silence cannot be told from noise by the
level that counts elsewhere here, and its tone needs sound files that are not there.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal, TypeAlias

from ivrflow.bridge import agi_commands as agi
from ivrflow.bridge.agi_events import PlaybackEnding, PlaybackFinished, Reply
from ivrflow.bridge.call_recording import PREPARED_WITHIN_S
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.bridge.recording_files import RecordingRefusedError, message_file
from ivrflow.bridge.recordings_folder import Recordings
from ivrflow.bridge.speech_gate import SHORTEST_S, TALK_SILENCE_MS
from ivrflow.bridge.unsettled_messages import Settled
from ivrflow.engine import messages as m

log = logging.getLogger("ivrflow.recordings")

SEEN_WITHIN_S = 1.0
"""Seconds within which the PBX has made the file; it does so at once, before the first sound."""

BEGUN_WITHIN_S = 3.0
"""Seconds from the folder's being ready to the PBX's recording; the tone takes 0.3 of them, the rest moments."""

ENDED_WITHIN_S = 3.0
"""Seconds from the end of a message until it is closed, cut and told, which takes moments; `RECORDING_GUARD_S` of the call is more."""

ID_VARIABLE = "IVRFLOW_MESSAGE"
"""Channel variable that holds which of the channel's recordings is the message."""

_ID = re.compile(r"0x[0-9a-f]{1,16}")

What: TypeAlias = Literal["tone", "start", "id", "stop"]
How: TypeAlias = Literal["key", "silence", "full", "failed"]


@dataclass(slots=True, eq=False)
class _Message:
    """One that is being recorded. Times are the event loop's.

    Attributes:
        began_at: when recording began; None before.
        quiet_since: since when the caller said nothing, sound that goes on just now left out.
    """

    order: m.RecordMessage
    began_at: float | None = None
    quiet_since: float = 0.0
    id: str = ""
    ending: How | None = None


class MessageRecorder:
    """The messages of one call.

    Args:
        call: the call's id.
        channel: its session.
        recordings: the folder; None where nothing can be recorded.
        tell: hears `MessageRecorded`.
    """

    def __init__(
        self, call: str, channel: AgiChannel, recordings: Recordings | None, tell: Callable[[m.CallEvent], None]
    ) -> None:
        self._call = call
        self._channel = channel
        self._recordings = recordings
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._message: _Message | None = None
        self._commands: dict[int, tuple[_Message, What]] = {}
        self._settled: dict[m.Ticket, Settled] = {}
        self._due: asyncio.TimerHandle | None = None
        self._look: asyncio.TimerHandle | None = None
        self._overdue: asyncio.TimerHandle | None = None
        self._kept = 0
        self._is_used = False
        self._is_sounding = False
        self._is_deaf = False
        self._is_over = False

    # ── actions ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def record(self, order: m.RecordMessage) -> None:
        """Sound the tone and record."""
        self._cancel_timers()
        self._message = message = _Message(order)
        self._is_used = True
        recordings = self._recordings
        if recordings is None:
            self._loop.call_soon(self._failed, message, "there is no recordings folder")
            return
        self._wait_for(message, PREPARED_WITHIN_S, "the recordings folder does not answer")
        work = partial(recordings.unsettled.prepare, self._call, order.ticket)
        recordings.do(work, partial(self._prepared, message))

    def stop(self, ticket: m.Ticket) -> None:
        """Stop recording now."""
        if self._message is not None and self._message.order.ticket == ticket:
            self._end(self._message, "key")

    def keep(self, order: m.KeepMessage, flow: str) -> None:
        """Keep the message; the caller may be gone already, and the PBX still writing it."""
        if self._recordings is None:
            return
        self._kept += 1
        try:
            kept = message_file(flow, order.about, self._call, self._kept, datetime.now().astimezone().date())
        except RecordingRefusedError as problem:
            _kept(self._call, problem)
            return
        work = partial(self._recordings.unsettled.keep, self._call, order.ticket, kept)
        self._recordings.do(work, partial(_kept, self._call))

    def sound_file(self, ticket: m.Ticket) -> str:
        """The message of that ticket as Asterisk plays it."""
        if self._recordings is None:
            return ""
        return self._recordings.seen_by_pbx(self._recordings.unsettled.file(self._call, ticket).with_suffix(""))

    def loudest_frame(self, ticket: m.Ticket) -> int:
        """Mean |sample| of the loudest 20 ms of that message."""
        settled = self._settled.get(ticket)
        return settled.loudest if settled else 0

    # ── what happens ──────────────────────────────────────────────────────────────────────────────────────────────────

    def replied(self, command: int, reply: Reply) -> bool:
        """Take a reply if it is to a command of ours."""
        if command not in self._commands:
            return False
        message, what = self._commands.pop(command)
        if message is not self._message:
            if what == "id" and _ID.fullmatch(reply.text or ""):  # it was given up before the PBX began
                self._channel.send(agi.exec_("StopMixMonitor", reply.text or ""))
        elif what == "start" and reply.failed:
            self._forget(message)
            self._failed(message, "the PBX does not record; is app_mixmonitor.so loaded?")
        elif what == "id":
            self._named(message, reply.text or "")
        elif what == "stop":
            self._settle(message)
        return True

    def playback_ended(self, ending: PlaybackFinished) -> bool:
        """Take the end of a sound if it is that of the tone."""
        if ending.command_id not in self._commands:
            return False
        message, _ = self._commands.pop(ending.command_id)
        if ending.ending is PlaybackEnding.HANGUP or message is not self._message:
            return True
        if ending.ending is PlaybackEnding.MISSING:
            log.error("call %s: the PBX does not find the tone in its recordings folder", self._call)
        self._begin(message)
        return True

    def talking_started(self) -> None:
        """Asterisk hears the caller, or a click."""
        self._is_sounding = True

    def talking_stopped(self, lasted_ms: float) -> None:
        """Asterisk does not hear the caller any more."""
        self._is_sounding = False
        message = self._message
        if message is None:
            return
        if lasted_ms >= SHORTEST_S * 1000:
            message.quiet_since = self._loop.time() - TALK_SILENCE_MS / 1000
        self._arm(message)

    def hearing_lost(self) -> None:
        """What the caller says does not reach us: silence means nothing."""
        self._is_deaf = True

    def hearing_restored(self) -> None:
        """It does again."""
        self._is_deaf = self._is_sounding = False
        if self._message is not None:
            self._message.quiet_since = self._loop.time()
            self._arm(self._message)

    def close(self) -> None:
        """The call is over: what was not kept is deleted."""
        self._is_over = True
        self._message = None
        self._commands.clear()
        self._cancel_timers()
        if self._is_used and self._recordings is not None:
            self._recordings.do(partial(self._recordings.unsettled.discard, self._call), _done)

    # ── one message ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _prepared(self, message: _Message, problem: RecordingRefusedError | None) -> None:
        if message is not self._message or self._recordings is None:
            return
        if problem is not None:
            self._failed(message, str(problem))
            return
        if message.ending is not None:
            self._settle(message)  # it was stopped before it began
            return
        self._wait_for(message, BEGUN_WITHIN_S, "the PBX does not begin to record")
        self._send(message, "tone", agi.stream_file(self._recordings.seen_by_pbx(self._recordings.unsettled.tone)))

    def _begin(self, message: _Message) -> None:
        if message.ending is not None or self._recordings is None:
            self._settle(message)  # it was stopped during the tone
            return
        path = self._recordings.seen_by_pbx(self._recordings.unsettled.file(self._call, message.order.ticket))
        self._send(message, "start", agi.exec_("MixMonitor", "", f"r({path})i({ID_VARIABLE})"))
        self._send(message, "id", agi.get_variable(ID_VARIABLE))

    def _named(self, message: _Message, name: str) -> None:
        """It records: the clocks run."""
        if not _ID.fullmatch(name):
            self._failed(message, "the PBX does not say which recording it is")
            return
        message.id = name
        message.began_at = message.quiet_since = self._loop.time()
        self._look = self._loop.call_later(SEEN_WITHIN_S, self._look_for_it, message)
        if message.ending is None:
            self._cancel_overdue()
            self._arm(message)
        else:
            self._stop(message)

    def _arm(self, message: _Message) -> None:
        """Wake when the message is full or has been silent for long enough, whichever is first."""
        if message.began_at is None or message.ending is not None:
            return
        if self._due is not None:
            self._due.cancel()
        full = message.began_at + message.order.seconds
        self._due = self._loop.call_at(min(full, message.quiet_since + message.order.silence), self._reached, message)

    def _reached(self, message: _Message) -> None:
        self._due = None
        if message is not self._message or message.began_at is None:
            return
        now, full = self._loop.time(), message.began_at + message.order.seconds
        if now >= full:
            self._end(message, "full")
        elif not self._is_sounding and not self._is_deaf and now >= message.quiet_since + message.order.silence:
            self._end(message, "silence")
        else:  # there is sound: its end arms again, and so does a phone that just stops sending, by the bound
            self._due = self._loop.call_at(full, self._reached, message)

    def _end(self, message: _Message, how: How) -> None:
        if message.ending is None:
            message.ending = how
            self._cancel_timers()
            self._wait_for(message, ENDED_WITHIN_S, "it is not complete")
            if message.id:
                self._stop(message)
            elif (message, "tone") in self._commands.values():
                self._channel.interrupt()

    def _stop(self, message: _Message) -> None:
        """Its reply comes when the file is closed (measured)."""
        self._send(message, "stop", agi.exec_("StopMixMonitor", message.id))

    def _settle(self, message: _Message) -> None:
        if self._recordings is None or not message.id:
            self._told(message, Settled(0.0, 0))
            return
        work = partial(self._recordings.unsettled.settle, self._call, message.order.ticket)
        self._recordings.do(work, partial(self._told, message))

    def _told(self, message: _Message, settled: Settled | RecordingRefusedError) -> None:
        if message is not self._message:
            return
        if isinstance(settled, RecordingRefusedError):
            self._failed(message, str(settled))
            return
        self._message = None
        self._cancel_timers()
        self._settled[message.order.ticket] = settled
        self._tell(m.MessageRecorded(ticket=message.order.ticket, how=message.ending or "key", seconds=settled.seconds))

    def _look_for_it(self, message: _Message) -> None:
        if self._recordings is not None and message is self._message:
            work = partial(self._recordings.unsettled.exists, self._call, message.order.ticket)
            self._recordings.do(work, partial(self._looked, message))

    def _looked(self, message: _Message, is_there: bool | RecordingRefusedError) -> None:  # noqa: FBT001 - what the look came to
        if is_there is not True and message is self._message and message.ending is None:
            self._failed(message, "the PBX made no file; its log says why (docs/recordings.md)")

    def _failed(self, message: _Message, why: str) -> None:
        if message is not self._message or self._is_over:
            return
        log.error("call %s: a message could not be recorded: %s", self._call, why)
        self._message = None
        self._cancel_timers()
        if message.id and message.ending is None:
            self._channel.send(agi.exec_("StopMixMonitor", message.id))
        self._tell(m.MessageRecorded(ticket=message.order.ticket, how="failed"))

    def _send(self, message: _Message, what: What, command: agi.Command) -> None:
        self._commands[self._channel.send(command)] = message, what

    def _forget(self, message: _Message) -> None:
        """What is still to be answered says nothing any more."""
        self._commands = {command: asked for command, asked in self._commands.items() if asked[0] is not message}

    def _wait_for(self, message: _Message, seconds: float, what: str) -> None:
        """Give the message up unless it goes on within so many seconds: the caller waits for it, and hears nothing."""
        self._cancel_overdue()
        why = f"{what} within {seconds:g} s; is the disk of that folder slow, or gone?"
        self._overdue = self._loop.call_later(seconds, self._failed, message, why)

    def _cancel_overdue(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def _cancel_timers(self) -> None:
        self._cancel_overdue()
        for timer in (self._due, self._look):
            if timer is not None:
                timer.cancel()
        self._due = self._look = None


def _kept(call: str, problem: RecordingRefusedError | None) -> None:
    if problem is not None:
        log.error(
            "call %s: a message could not be kept, though the journal has it: %s; `ivrflow messages` lists what is there",
            call,
            problem,
        )


def _done(_: object) -> None:
    """Nobody waits for it."""
