import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio
from recorded_line import CALL, DONE, RecordedLine

from ivrflow.bridge import call_recording
from ivrflow.bridge.agi_events import Reply
from ivrflow.engine import messages as m

MUTE = ("MixMonitorMute", {"Channel": CALL, "Direction": "both", "State": "1"})
UNMUTE = ("MixMonitorMute", {"Channel": CALL, "Direction": "both", "State": "0"})


@pytest_asyncio.fixture
async def line(tmp_path: Path) -> AsyncIterator[RecordedLine]:
    line = RecordedLine(tmp_path)
    yield line
    await line.close()


async def test_the_callers_channel_is_recorded_below_flow_and_day(line: RecordedLine) -> None:
    await line.begun()
    day = datetime.now().astimezone().date().isoformat()
    assert line.sent == [f'EXEC "MixMonitor" "/pbx/calls/gov12345/{day}/{CALL}.wav"']
    assert (line.folder / f"calls/gov12345/{day}").is_dir()
    line.perform(m.StartRecording())
    await line.worked()
    assert len(line.sent) == 1, "once for a call"
    assert line.orders == [], "beginning one is not the manager's to do"


async def test_the_session_is_kept_free_until_it_begins(line: RecordedLine) -> None:
    line.perform(m.StartRecording())
    assert line.recorder.is_preparing
    await line.until(lambda: bool(line.went_on))
    assert [command.partition(" ")[2].split()[0] for command in line.sent] == ['"MixMonitor"']
    await line.worked()
    assert line.went_on == 1


async def test_a_slow_folder_keeps_nobody_waiting(
    line: RecordedLine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_recording, "PREPARED_WITHIN_S", 0.01)
    goes_on = line.hang_folder()
    line.perform(m.StartRecording())
    await line.until(lambda: bool(line.went_on))
    assert line.sent == []
    assert f"call {CALL}: its recording begins late" in caplog.text
    goes_on.set()
    await line.until(lambda: bool(line.sent))
    assert line.went_on == 1


async def test_a_pause_mutes_both_sides(line: RecordedLine) -> None:
    await line.begun()
    for action in (m.PauseRecording(), m.PauseRecording(), m.ResumeRecording(), m.ResumeRecording()):
        line.perform(action)
    assert line.orders == [MUTE, UNMUTE]


async def test_a_pause_ordered_in_the_same_moment_holds(line: RecordedLine) -> None:
    line.perform(m.StartRecording())
    line.perform(m.PauseRecording())
    await line.until(lambda: bool(line.sent))
    assert line.orders == [], "there is nothing to pause yet"
    line.reply()
    assert line.orders == [MUTE]


async def test_pausing_what_is_not_recorded_does_nothing(line: RecordedLine) -> None:
    line.perform(m.PauseRecording())
    line.perform(m.ResumeRecording())
    assert line.orders == []


async def test_what_cannot_be_paused_is_stopped(line: RecordedLine, caplog: pytest.LogCaptureFixture) -> None:
    await line.begun()
    line.perform(m.PauseRecording())
    refuse = line.refusals[-1]
    assert refuse is not None
    refuse("the connection was lost")
    assert line.sent[1:] == ['EXEC "StopMixMonitor" ""']
    assert f"call {CALL}: its recording ends here, since it could not be paused: the connection was lost" in caplog.text
    line.perform(m.ResumeRecording())
    assert line.orders[-1] == MUTE


async def test_what_stays_paused_is_named(line: RecordedLine, caplog: pytest.LogCaptureFixture) -> None:
    await line.begun()
    line.perform(m.PauseRecording())
    line.perform(m.ResumeRecording())
    refuse = line.refusals[-1]
    assert refuse is not None
    refuse("the connection was lost")
    assert f"call {CALL}: its recording stays paused" in caplog.text
    assert len(line.sent) == 1


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        pytest.param(Reply(200, "-2"), f"call {CALL} is not recorded: the PBX has no MixMonitor()", id="no module"),
        pytest.param(Reply(511), "", id="the caller has just gone"),
    ],
)
async def test_what_did_not_begin_is_not_paused(
    reply: Reply, said: str, line: RecordedLine, caplog: pytest.LogCaptureFixture
) -> None:
    line.perform(m.StartRecording())
    await line.until(lambda: bool(line.sent))
    line.reply(reply)
    assert said in caplog.text
    assert bool(said) == bool(caplog.text)
    line.perform(m.PauseRecording())
    assert line.orders == []
    assert not line.recorder.begin_anew()


async def test_a_file_that_the_pbx_never_makes_is_named(
    line: RecordedLine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_recording, "SEEN_WITHIN_S", 0.0)
    await line.begun()
    async with asyncio.timeout(5):
        while "is not recorded: the PBX made no file" not in caplog.text:
            await line.worked()  # the look is due at once


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    line = RecordedLine(tmp_path / "none")
    line.perform(m.StartRecording())
    await line.worked()
    assert (line.sent, line.went_on) == ([], 1)
    assert f"call {CALL} is not recorded: {tmp_path}/none is not there" in caplog.text
    await line.close()


async def test_without_a_folder_nothing_is_recorded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    line = RecordedLine(tmp_path, has_folder=False)
    line.perform(m.StartRecording())
    assert "is not recorded: there is no recordings folder" in caplog.text
    await line.close()


async def test_a_flow_whose_name_leads_elsewhere_records_nothing(
    line: RecordedLine, caplog: pytest.LogCaptureFixture
) -> None:
    line.recorder.perform(m.StartRecording(), "../..")
    await line.worked()
    assert (line.sent, line.recorder.is_preparing) == ([], False)
    assert "cannot be a folder's name" in caplog.text


async def test_a_call_that_ended_meanwhile_is_left_alone(line: RecordedLine, caplog: pytest.LogCaptureFixture) -> None:
    line.perform(m.StartRecording())
    line.recorder.close()
    await line.worked()
    assert (line.sent, line.went_on) == ([], 0)
    assert caplog.text == ""


async def test_after_a_talk_it_goes_on_in_the_same_file(line: RecordedLine) -> None:
    await line.begun()
    file = line.sent[0].split('"')[3]
    assert line.recorder.begin_anew()
    assert line.sent[1:] == [
        'SET VARIABLE "TALK_DETECT(remove)" ""',
        'EXEC "StopMixMonitor" ""',
        'EXEC "Wait" "0.04"',
        f'EXEC "MixMonitor" "{file},a"',
    ]
    assert not line.recorder.begin_anew(), "not while that is under way"
    assert not line.recorder.replied(4, DONE)
    assert line.recorder.replied(5, DONE)
    assert line.recorder.begin_anew()


async def test_what_is_paused_while_it_begins_anew_is_paused_as_soon_as_it_has(line: RecordedLine) -> None:
    await line.begun()
    line.recorder.begin_anew()
    line.perform(m.PauseRecording())
    assert line.orders == [], "there is nothing to pause yet"
    line.reply()
    assert line.orders == [MUTE]
    line.perform(m.ResumeRecording())
    assert line.orders == [MUTE, UNMUTE]


async def test_what_is_not_recorded_does_not_begin_anew(line: RecordedLine) -> None:
    assert not line.recorder.begin_anew()
    assert line.sent == []
