import errno
import os
import stat
from datetime import date
from pathlib import Path, PurePosixPath

import pytest
from recorded_folder import write_wav

from ivrflow.bridge import recording_files
from ivrflow.bridge.recording_files import (
    RecordedFile,
    RecordingRefusedError,
    call_file,
    message_file,
    prepare,
    prune,
    recorded,
    recording_of,
)

DAY = date(2026, 11, 22)
CALL = "ivrflow-1795334637.0"


def test_names_hold_the_day_and_the_calls_id() -> None:
    assert call_file("gov12345", CALL, DAY) == PurePosixPath(f"calls/gov12345/2026-11-22/{CALL}.wav")
    assert message_file("gov12345", "voicemail", CALL, 2, DAY) == PurePosixPath(
        f"messages/gov12345/voicemail/2026-11-22/{CALL}-2.wav"
    )


@pytest.mark.parametrize("call", ["", "../../etc/passwd", "a/b", ".hidden", "a b", "a\nb", "x" * 150, "电话"])
def test_an_id_that_could_lead_elsewhere_is_no_files_name(call: str) -> None:
    with pytest.raises(RecordingRefusedError, match="call's id holds what no file name"):
        call_file("gov12345", call, DAY)


@pytest.mark.parametrize("name", ["", "..", "a/b", "/etc", "x" * 101])
def test_a_name_that_could_lead_elsewhere_is_no_folders_name(name: str) -> None:
    with pytest.raises(RecordingRefusedError, match="cannot be a folder's name"):
        call_file(name, CALL, DAY)
    with pytest.raises(RecordingRefusedError, match="cannot be a folder's name"):
        message_file("gov12345", name, CALL, 1, DAY)


def test_folders_are_made_like_the_recordings_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o2770)
    prepare(tmp_path, call_file("gov12345", CALL, DAY))
    made = [tmp_path / "calls", tmp_path / "calls/gov12345", tmp_path / "calls/gov12345/2026-11-22"]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in made} == {0o2770}
    prepare(tmp_path, call_file("gov12345", "another-1.1", DAY))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders to others")
def test_folders_made_by_root_belong_to_the_pbx(tmp_path: Path) -> None:
    os.chown(tmp_path, 5060, 5060)
    prepare(tmp_path, call_file("gov12345", CALL, DAY))
    assert {(tmp_path / "calls/gov12345/2026-11-22").stat().st_uid, (tmp_path / "calls").stat().st_gid} == {5060}


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(RecordingRefusedError, match="is not there; make it, so that the PBX's user and ours"):
        prepare(tmp_path / "none", call_file("gov12345", CALL, DAY))
    assert not (tmp_path / "none").exists()


def test_what_stands_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "calls").write_text("no folder", encoding="utf-8")
    with pytest.raises(RecordingRefusedError, match=r"calls/gov12345/2026-11-22: (Not a directory|File exists)"):
        prepare(tmp_path, call_file("gov12345", CALL, DAY))


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_files, "LEAST_ROOM_BYTES", 10**18)
    with pytest.raises(RecordingRefusedError, match=r"has \d+ MB left and 1000000000000 are wanted; make room there"):
        prepare(tmp_path, call_file("gov12345", CALL, DAY))


def test_what_is_there_is_told_with_its_length_and_its_beginning(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / call_file("gov12345", CALL, DAY), (2.5, 900), ended_at=1_000_000.0)
    left = write_wav(tmp_path / message_file("gov12345", "voicemail", CALL, 3, DAY), (1.0, 900), ended_at=1_000_000.0)
    assert list(recorded(tmp_path, "call")) == [
        RecordedFile(whole, "call", CALL, "gov12345", "", 0, 999_997.5, 2.5),
    ]
    assert list(recorded(tmp_path, "message")) == [
        RecordedFile(left, "message", CALL, "gov12345", "voicemail", 3, 999_999.0, 1.0),
    ]
    assert recording_of(tmp_path, "gov12345", CALL) == whole
    assert recording_of(tmp_path, "gov12345", "another-1.1") is None
    assert recording_of(tmp_path, "gov12345", "*") is None


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    for name in (
        "calls/x.wav",
        "calls/f/notes/a.wav",
        "messages/f/box/2026-11-22/no_number.wav",
        "calls/f/2026-11-22/a.txt",
    ):
        write_wav(tmp_path / name)
    link = tmp_path / call_file("gov12345", CALL, DAY)
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "calls/x.wav")
    assert [*recorded(tmp_path, "call"), *recorded(tmp_path, "message")] == []
    assert list(recorded(tmp_path / "none", "call")) == []


def test_a_file_the_pbx_has_only_opened_has_no_length_yet(tmp_path: Path) -> None:
    path = tmp_path / call_file("gov12345", CALL, DAY)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"RIFF")
    (file,) = recorded(tmp_path, "call")
    assert file.seconds == 0.0


def test_what_is_older_than_its_flow_says_is_deleted(tmp_path: Path) -> None:
    def kept_for(flow: str) -> int:
        return {"short": 1}.get(flow, 90)

    old, young = write_wav(tmp_path / call_file("short", "a-1", date(2026, 11, 20))), date(2026, 11, 21)
    stays = [
        write_wav(tmp_path / call_file("short", "b-1", young)),
        write_wav(tmp_path / call_file("long", "c-1", date(2026, 8, 24))),
        write_wav(tmp_path / message_file("short", "box", "d-1", 1, date(2026, 11, 12))),
    ]
    goes = [
        write_wav(tmp_path / call_file("long", "e-1", date(2026, 8, 23))),
        write_wav(tmp_path / message_file("short", "box", "f-1", 1, date(2026, 11, 11))),
        old,
    ]
    foreign = tmp_path / "calls/short/2026-11-20/notes.txt"
    foreign.write_text("somebody's", encoding="utf-8")
    assert prune(tmp_path, DAY, kept_for, 10) == 3
    assert all(path.exists() for path in stays)
    assert not any(path.exists() for path in goes)
    assert foreign.exists()
    assert not goes[0].parent.exists(), "empty days go, too"
    assert prune(tmp_path, DAY, kept_for, 10) == 0


def test_what_cannot_be_deleted_keeps_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day = date(2020, 1, 1)
    stuck = [
        write_wav(tmp_path / call_file("another", "a-1", day)),
        write_wav(tmp_path / message_file("gov12345", "another", "b-1", 1, day)),
    ]
    goes = [
        write_wav(tmp_path / call_file("gov12345", "c-1", day)),
        write_wav(tmp_path / message_file("gov12345", "voicemail", "d-1", 1, day)),
    ]
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path in stuck:
            raise PermissionError(errno.EACCES, "Permission denied")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(RecordingRefusedError) as refused:
        prune(tmp_path, DAY, lambda _: 90, 365)
    assert not any(path.exists() for path in goes)
    assert str(refused.value) == (
        f"2 of the recordings that are too old cannot be deleted: {stuck[0]}: Permission denied; {stuck[1]}: Permission "
        "denied. Their folders must be our user's to write in (docs/recordings.md). Deleted: 2"
    )
    monkeypatch.setattr(recording_files, "MOST_NAMED", 1)
    with pytest.raises(RecordingRefusedError, match=r"a-1\.wav: Permission denied; and 1 more\. Their"):
        prune(tmp_path, DAY, lambda _: 90, 365)


def test_a_file_that_cannot_be_looked_at_keeps_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = write_wav(tmp_path / call_file("another", "a-1", date(2020, 1, 1)))
    goes = write_wav(tmp_path / call_file("gov12345", "c-1", date(2020, 1, 1)))
    stat_of = Path.stat

    def fail(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path == broken:
            raise OSError(errno.EIO, "Input/output error")
        return stat_of(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", fail)
    with pytest.raises(RecordingRefusedError, match=r"^1 of the recordings .*a-1\.wav: Input/output error"):
        prune(tmp_path, DAY, lambda _: 90, 365)
    assert not goes.exists()


def test_messages_can_be_kept_for_ever(tmp_path: Path) -> None:
    write_wav(tmp_path / message_file("gov12345", "box", CALL, 1, date(1999, 1, 1)))
    assert prune(tmp_path, DAY, lambda _: 1, 0) == 0
