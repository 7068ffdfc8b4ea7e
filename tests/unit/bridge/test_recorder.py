from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from recorded_line import DONE, RecordedLine

from ivrflow.engine import messages as m


@pytest_asyncio.fixture
async def line(tmp_path: Path) -> AsyncIterator[RecordedLine]:
    line = RecordedLine(tmp_path)
    yield line
    await line.close()


async def test_a_message_in_a_recorded_call_leaves_its_recording_alone(line: RecordedLine) -> None:
    await line.begun()
    await line.recording(m.RecordMessage(ticket=3, seconds=60.0, silence=30.0), (1.0, 3000))
    line.perform(m.StopRecordingMessage(ticket=3))
    assert line.sent[-1] == 'EXEC "StopMixMonitor" "0x7f9558001d50"', "this one, not all"
    line.reply()
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="key", seconds=1.0)
    line.perform(m.PauseRecording())
    assert [action for action, _ in line.orders] == ["MixMonitorMute"]


@pytest.mark.parametrize("command", [0, 1, 99])
async def test_replies_to_others_are_left_to_them(command: int, line: RecordedLine) -> None:
    assert not line.recorder.replied(command, DONE)
