import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from recorded_line import CALL, DONE, RecordedLine

from ivrflow.bridge import message_recording
from ivrflow.bridge.agi_events import PlaybackEnding, PlaybackFinished, Reply
from ivrflow.bridge.unsettled_messages import TONE_LOUDEST
from ivrflow.engine import messages as m

ORDER = m.RecordMessage(ticket=3, seconds=60.0, silence=0.2, end_key="#")
PATIENT = m.RecordMessage(ticket=3, seconds=60.0, silence=30.0)
SPOKEN = ((1.0, 3000),)
STOP = 'EXEC "StopMixMonitor" "0x7f9558001d50"'


def left_unsettled(line: RecordedLine) -> list[Path]:
    return list(line.folder.glob("unsettled/*"))


@pytest_asyncio.fixture
async def line(tmp_path: Path) -> AsyncIterator[RecordedLine]:
    line = RecordedLine(tmp_path)
    yield line
    await line.close()
    assert left_unsettled(line) == []


async def test_a_tone_then_the_callers_side_alone_is_recorded(line: RecordedLine) -> None:
    await line.recording(PATIENT, *SPOKEN)
    tone, start, name = line.sent
    folder = f"/pbx/{line.recordings.unsettled.tone.parent}"
    assert tone == f'STREAM FILE "{folder}/tone" ""'
    assert start.replace("\\", "") == f'EXEC "MixMonitor" ",r({folder}/{CALL}-3.wav)i(IVRFLOW_MESSAGE)"'
    assert name == 'GET VARIABLE "IVRFLOW_MESSAGE"'
    assert line.echoes == [TONE_LOUDEST]
    assert line.recorder.messages.sound_file(3) == f"{folder}/{CALL}-3"


async def test_silence_ends_it_and_its_length_is_told_without(line: RecordedLine) -> None:
    await line.recording(ORDER, *SPOKEN, (2.0, 0))
    await line.until(lambda: line.sent[-1] == STOP)
    line.reply()
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="silence", seconds=1.2)
    assert line.recorder.messages.loudest_frame(3) == 3000


async def test_while_the_caller_speaks_there_is_no_silence(line: RecordedLine) -> None:
    await line.recording(ORDER, *SPOKEN)
    line.recorder.messages.talking_started()
    await asyncio.sleep(0.3)  # longer than the silence that ends it
    assert line.sent[-1] != STOP
    line.recorder.messages.talking_stopped(2000.0)
    await line.until(lambda: line.sent[-1] == STOP)


async def test_a_click_is_no_speech(line: RecordedLine) -> None:
    await line.recording(ORDER, *SPOKEN)
    line.recorder.messages.talking_started()
    await asyncio.sleep(0.3)  # longer than the silence that ends it
    line.recorder.messages.talking_stopped(20.0)
    for _ in range(2):
        await asyncio.sleep(0)  # the timer that is due
    assert line.sent[-1] == STOP, "at once: the silence is over for long"
    line.reply()
    assert isinstance(await line.next_told(), m.MessageRecorded)


async def test_who_cannot_be_heard_is_not_silent(line: RecordedLine) -> None:
    await line.recording(ORDER, *SPOKEN)
    line.recorder.messages.hearing_lost()
    await asyncio.sleep(0.3)  # longer than the silence that ends it
    assert line.sent[-1] != STOP
    line.recorder.messages.hearing_restored()
    await line.until(lambda: line.sent[-1] == STOP)


async def test_a_message_that_goes_on_is_full(line: RecordedLine) -> None:
    await line.recording(m.RecordMessage(ticket=3, seconds=0.2, silence=30.0), *SPOKEN)
    await line.until(lambda: line.sent[-1] == STOP)
    line.reply()
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="full", seconds=1.0)


async def test_it_is_stopped_when_told_and_only_then(line: RecordedLine) -> None:
    await line.recording(PATIENT, *SPOKEN)
    line.perform(m.StopRecordingMessage(ticket=2))
    assert line.sent[-1] != STOP
    line.perform(m.StopRecordingMessage(ticket=3))
    line.perform(m.StopRecordingMessage(ticket=3))
    assert line.sent.count(STOP) == 1
    line.reply()
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="key", seconds=1.0)


async def test_it_can_be_stopped_during_the_tone(line: RecordedLine) -> None:
    line.perform(PATIENT)
    await line.until(lambda: len(line.sent) == 1)
    line.perform(m.StopRecordingMessage(ticket=3))
    assert line.interrupted == 1
    line.tone_over(PlaybackEnding.STOPPED)
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="key", seconds=0.0)
    assert len(line.sent) == 1


async def test_it_can_be_stopped_before_the_tone(line: RecordedLine) -> None:
    line.perform(PATIENT)
    line.perform(m.StopRecordingMessage(ticket=3))
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="key", seconds=0.0)
    assert line.sent == []


async def test_it_can_be_stopped_while_the_pbx_begins(line: RecordedLine) -> None:
    line.perform(PATIENT)
    await line.until(lambda: len(line.sent) == 1)
    line.tone_over()
    line.perform(m.StopRecordingMessage(ticket=3))
    line.write(3, *SPOKEN)
    line.reply(Reply(200, "1", "0x7f9558001d50"))
    assert line.sent[-1] == STOP
    line.reply()
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="key", seconds=1.0)


async def test_a_missing_tone_costs_no_message(line: RecordedLine, caplog: pytest.LogCaptureFixture) -> None:
    line.perform(PATIENT)
    await line.until(lambda: len(line.sent) == 1)
    line.tone_over(PlaybackEnding.MISSING)
    assert "does not find the tone in its recordings folder" in caplog.text
    assert len(line.sent) == 3


@pytest.mark.parametrize(
    ("refused", "why"), [("start", "is app_mixmonitor.so loaded"), ("id", "which recording it is")]
)
async def test_a_pbx_that_does_not_record_fails_it(
    refused: str, why: str, line: RecordedLine, caplog: pytest.LogCaptureFixture
) -> None:
    line.perform(PATIENT)
    await line.until(lambda: len(line.sent) == 1)
    line.tone_over()
    if refused == "start":
        assert line.recorder.messages.replied(len(line.sent) - 1, Reply(200, "-2"))
    else:
        line.reply(Reply(200, "0"))
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="failed")
    assert why in caplog.text
    assert not line.recorder.messages.replied(len(line.sent), DONE)


async def test_a_file_the_pbx_never_made_fails_it(
    line: RecordedLine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_recording, "SEEN_WITHIN_S", 0.05)
    line.perform(PATIENT)
    await line.until(lambda: len(line.sent) == 1)
    line.tone_over()
    line.reply(Reply(200, "1", "0x7f9558001d50"))
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="failed")
    assert line.sent[-1] == STOP
    assert f"call {CALL}: a message could not be recorded: the PBX made no file" in caplog.text


async def test_a_folder_that_is_not_there_fails_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    line = RecordedLine(tmp_path / "none")
    line.perform(PATIENT)
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="failed")
    assert line.sent == []
    assert "none is not there; make it" in caplog.text
    await line.close()


async def test_a_folder_that_hangs_keeps_nobody_waiting_for_the_tone(
    line: RecordedLine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_recording, "PREPARED_WITHIN_S", 0.01)
    goes_on = line.hang_folder()
    line.perform(PATIENT)
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="failed")
    assert f"call {CALL}: a message could not be recorded: the recordings folder does not answer within" in caplog.text
    goes_on.set()
    await line.worked()
    assert line.sent == [], "no tone for who hears something else by now"
    monkeypatch.undo()
    await line.recording(m.RecordMessage(ticket=4, seconds=60.0, silence=0.2), *SPOKEN)
    await line.until(lambda: line.sent[-1] == STOP)


async def test_who_stops_it_while_the_folder_hangs_is_told_too(
    line: RecordedLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_recording, "ENDED_WITHIN_S", 0.01)
    goes_on = line.hang_folder()
    line.perform(PATIENT)
    line.perform(m.StopRecordingMessage(ticket=3))
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="failed")
    goes_on.set()


async def test_a_pbx_that_does_not_begin_fails_it_and_is_stopped_when_it_does(
    line: RecordedLine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_recording, "BEGUN_WITHIN_S", 0.01)
    line.perform(PATIENT)
    await line.until(lambda: len(line.sent) == 1)
    line.tone_over()
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="failed")
    assert "the PBX does not begin to record within" in caplog.text
    assert line.recorder.messages.replied(len(line.sent) - 1, DONE)
    line.reply(Reply(200, "1", "0x7f9558001d50"))
    assert line.sent[-1] == STOP


async def test_a_tone_that_ends_late_begins_nothing(line: RecordedLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_recording, "BEGUN_WITHIN_S", 0.01)
    line.perform(PATIENT)
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="failed")
    line.tone_over()
    assert len(line.sent) == 1


@pytest.mark.parametrize("hangs", ["the PBX", "the folder"])
async def test_a_message_that_is_never_complete_fails(
    hangs: str, line: RecordedLine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_recording, "ENDED_WITHIN_S", 0.01)
    await line.recording(PATIENT, *SPOKEN)
    goes_on = line.hang_folder()
    line.perform(m.StopRecordingMessage(ticket=3))
    if hangs == "the folder":
        line.reply()
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="failed")
    assert "a message could not be recorded: it is not complete within" in caplog.text
    assert line.sent.count(STOP) == 1
    goes_on.set()
    await line.worked()
    assert line.told.empty()


async def test_what_records_for_long_is_not_late(line: RecordedLine) -> None:
    await line.recording(PATIENT, *SPOKEN)
    assert line.recorder.messages._overdue is None
    line.perform(m.StopRecordingMessage(ticket=3))
    line.reply()
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="key", seconds=1.0)
    assert line.recorder.messages._overdue is None


async def test_without_a_folder_nothing_is_recorded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    line = RecordedLine(tmp_path, has_folder=False)
    line.perform(PATIENT)
    assert await line.next_told() == m.MessageRecorded(ticket=3, how="failed")
    line.perform(m.KeepMessage(ticket=3, about="voicemail", seconds=1.0))
    assert line.recorder.messages.sound_file(3) == ""
    assert "there is no recordings folder" in caplog.text
    await line.close()


async def test_kept_messages_are_counted_and_the_rest_is_gone_with_the_call(line: RecordedLine) -> None:
    for ticket in (3, 5, 7):
        await line.recording(m.RecordMessage(ticket=ticket, seconds=60.0, silence=30.0), *SPOKEN)
        line.perform(m.StopRecordingMessage(ticket=ticket))
        line.reply()
        await line.next_told()
    for ticket in (3, 7):
        line.perform(m.KeepMessage(ticket=ticket, about="voicemail", seconds=1.0))
    await line.worked()
    kept = sorted(path.name for path in line.folder.glob("messages/gov12345/voicemail/*/*.wav"))
    assert kept == [f"{CALL}-1.wav", f"{CALL}-2.wav"]
    assert [path.name for path in line.folder.glob(f"unsettled/*/{CALL}*")] == [f"{CALL}-5.wav"]
    line.recorder.close()
    await line.worked()
    assert list(line.folder.glob(f"unsettled/*/{CALL}*")) == []


async def test_a_message_is_kept_while_the_pbx_still_writes_it(line: RecordedLine) -> None:
    await line.recording(PATIENT, *SPOKEN)
    line.perform(m.KeepMessage(ticket=3, about="voicemail", seconds=1.0))
    line.recorder.close()
    await line.worked()
    assert len(list(line.folder.glob("messages/gov12345/voicemail/*/*.wav"))) == 1
    assert line.told.empty()


@pytest.mark.parametrize(("about", "why"), [("../..", "cannot be a folder's name"), ("voicemail", "No such file")])
async def test_a_message_that_cannot_be_kept_is_named(
    about: str, why: str, line: RecordedLine, caplog: pytest.LogCaptureFixture
) -> None:
    line.perform(m.KeepMessage(ticket=9, about=about, seconds=1.0))
    await line.worked()
    assert f"call {CALL}: a message could not be kept, though the journal has it: " in caplog.text
    assert "`ivrflow messages` lists what is there" in caplog.text
    assert why in caplog.text


async def test_what_is_not_ours_is_left_to_others(line: RecordedLine) -> None:
    messages = line.recorder.messages
    assert not messages.replied(1, DONE)
    assert not messages.playback_ended(PlaybackFinished(1, PlaybackEnding.FINISHED))
    await line.recording(PATIENT, *SPOKEN)
    assert not messages.replied(77, DONE)
    assert not messages.playback_ended(PlaybackFinished(77, PlaybackEnding.FINISHED))
    assert messages.loudest_frame(3) == 0
