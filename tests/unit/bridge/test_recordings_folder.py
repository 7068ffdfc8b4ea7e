import asyncio
import errno
import logging
import threading
from datetime import date
from functools import partial
from pathlib import Path, PurePosixPath

import pytest
from recorded_folder import write_wav

from ivrflow.bridge import recordings_folder
from ivrflow.bridge.recording_files import RecordingRefusedError, call_file
from ivrflow.bridge.recordings_folder import Recordings, RecordingSettings


def recordings_in(folder: Path, **keep_days: int) -> Recordings:
    return Recordings(RecordingSettings(folder, PurePosixPath("/on/the/pbx")), lambda: keep_days)


async def test_old_recordings_and_what_a_killed_engine_left_go_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    old = write_wav(tmp_path / call_file("gov12345", "a-1", date(2020, 1, 1)))
    unknown = write_wav(tmp_path / call_file("no_such_flow", "a-2", date(2020, 1, 1)))
    kept = write_wav(tmp_path / call_file("for_long", "a-3", date(2020, 1, 1)))
    left = write_wav(tmp_path / "unsettled/1-a/ivrflow-1.1-3.wav")
    recordings = recordings_in(tmp_path, gov12345=30, for_long=36_500)
    recordings.start()
    await recordings.close()
    assert [path.exists() for path in (old, unknown, kept, left)] == [False, False, True, False]
    assert "2 recordings deleted that were older than is kept" in caplog.text
    assert "1 messages deleted that an engine which was killed had not kept" in caplog.text


async def test_what_cannot_be_deleted_is_said_and_the_rest_is_gone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = write_wav(tmp_path / call_file("another", "a-1", date(2020, 1, 1)))
    goes = write_wav(tmp_path / call_file("gov12345", "a-2", date(2020, 1, 1)))
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path == stuck:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    recordings = recordings_in(tmp_path)
    recordings.start()
    await recordings.close()
    assert not goes.exists()
    assert f"1 of the recordings that are too old cannot be deleted: {stuck}: Operation not permitted." in caplog.text


async def test_deleting_what_is_too_old_keeps_no_call_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on, worked = threading.Event(), asyncio.Event()

    def prune_slowly(*_: object) -> int:
        goes_on.wait()
        return 0

    monkeypatch.setattr(recordings_folder, "prune", prune_slowly)
    recordings = recordings_in(tmp_path)
    recordings.start()
    recordings.do(lambda: None, lambda _: worked.set())
    try:
        async with asyncio.timeout(5):
            await worked.wait()
    finally:
        goes_on.set()
    await recordings.close()


async def test_without_a_folder_nothing_is_made_and_nothing_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recordings = recordings_in(tmp_path / "none")
    recordings.start()
    await recordings.close()
    assert not (tmp_path / "none").exists()
    assert caplog.text == ""


async def test_work_is_done_in_order_and_told_in_the_event_loop(tmp_path: Path) -> None:
    recordings, told = recordings_in(tmp_path), list[object]()
    loop = asyncio.get_running_loop()

    def refuse() -> int:
        raise RecordingRefusedError("no room")

    def tell(result: int | RecordingRefusedError) -> None:
        told.append((result, asyncio.get_running_loop() is loop))

    for number in range(20):
        recordings.do(partial(int, number), tell)
    recordings.do(refuse, told.append)
    await recordings.close()
    assert told[:-1] == [(number, True) for number in range(20)]
    assert str(told[-1]) == "no room"
    assert getattr(told[-1], "__traceback__", 1) is None
    recordings.do(refuse, told.append)
    assert len(told) == 21


def test_a_file_has_another_path_on_the_pbx(tmp_path: Path) -> None:
    assert recordings_in(tmp_path).seen_by_pbx(PurePosixPath("calls/a.wav")) == "/on/the/pbx/calls/a.wav"
