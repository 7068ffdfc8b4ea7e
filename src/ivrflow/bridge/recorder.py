"""What is recorded on one line: the call, and the messages its caller leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, assert_never

from ivrflow.bridge.agi_events import Reply
from ivrflow.bridge.call_recording import CallRecording
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.bridge.manager import Manager
from ivrflow.bridge.message_recording import MessageRecorder
from ivrflow.bridge.recordings_folder import Recordings
from ivrflow.bridge.unsettled_messages import TONE_LOUDEST
from ivrflow.engine import messages as m

RecordingAction: TypeAlias = (
    m.StartRecording | m.PauseRecording | m.ResumeRecording | m.RecordMessage | m.StopRecordingMessage | m.KeepMessage
)


class Recorder:
    """Everything recorded on one line.

    Args:
        call: the call's id, which is the Uniqueid of the caller's channel.
        channel: its session.
        manager: carries out orders.
        recordings: the folder; None where nothing can be recorded.
        tell: hears what came of a message.
        before_tone: hears how loud the tone before a message is (mean |sample| of 20 ms), whose echo is no speech.
        go_on: called when the session may be used again after `is_preparing`.
    """

    def __init__(
        self,
        call: str,
        channel: AgiChannel,
        manager: Manager,
        recordings: Recordings | None,
        *,
        tell: Callable[[m.CallEvent], None],
        before_tone: Callable[[int], None],
        go_on: Callable[[], None],
    ) -> None:
        self._before_tone = before_tone
        self.call = CallRecording(call, channel, manager, recordings, go_on)
        self.messages = MessageRecorder(call, channel, recordings, tell)

    @property
    def is_preparing(self) -> bool:
        """Whether the recording of the call is to come first on the session, and cannot yet."""
        return self.call.is_preparing

    def perform(self, action: RecordingAction, flow: str) -> None:
        """Start doing it; `flow` is the call's."""
        match action:
            case m.StartRecording():
                self.call.start(flow)
            case m.PauseRecording():
                self.call.pause()
            case m.ResumeRecording():
                self.call.resume()
            case m.RecordMessage():
                self._before_tone(TONE_LOUDEST)
                self.messages.record(action)
            case m.StopRecordingMessage(ticket=ticket):
                self.messages.stop(ticket)
            case m.KeepMessage():
                self.messages.keep(action, flow)
            case _:
                assert_never(action)

    def replied(self, command: int, reply: Reply) -> bool:
        """Take a reply if it is to a command of ours."""
        return self.messages.replied(command, reply) or self.call.replied(command, reply)

    def begin_anew(self) -> bool:
        """A talk is over: see to it that prompts are recorded after it, too.

        Returns:
            Whether the detection of talking was switched off for that, and has to be set again.
        """
        return self.call.begin_anew()

    def close(self) -> None:
        """The line is closed."""
        self.call.close()
        self.messages.close()
