import wave
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from recorded_folder import write_wav

from ivrflow.bridge.recording_files import RecordingRefusedError
from ivrflow.bridge.unsettled_messages import TONE_LOUDEST, TONE_S, Settled, UnsettledMessages

CALL = "ivrflow-1795334637.0"
TALK_LEVEL = 512


@pytest.fixture
def unsettled(tmp_path: Path) -> Iterator[UnsettledMessages]:
    one = UnsettledMessages(tmp_path, TALK_LEVEL)
    one.prepare(CALL, 3)
    yield one
    one.close()


def test_the_tone_is_there_once_a_message_can_be_recorded(unsettled: UnsettledMessages, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / f"{unsettled.tone}.wav"), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        tone = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(float)
    assert len(tone) == TONE_S * 8000
    assert abs(tone[0]) + abs(tone[-1]) < 50, "no clicks"
    assert np.abs(tone).reshape(-1, 160).mean(axis=1).max() == pytest.approx(TONE_LOUDEST, rel=0.02)


def test_the_silence_at_the_end_is_cut(unsettled: UnsettledMessages, tmp_path: Path) -> None:
    path = write_wav(tmp_path / unsettled.file(CALL, 3), (0.5, 0), (1.5, 3000), (4.0, 100))
    assert unsettled.settle(CALL, 3) == Settled(2.2, 3000)
    with wave.open(str(path), "rb") as file:
        assert file.getnframes() == 2.2 * 8000
    assert unsettled.settle(CALL, 3) == Settled(2.2, 3000)


@pytest.mark.parametrize("parts", [[(3.0, TALK_LEVEL - 1)], []])
def test_where_nobody_speaks_nothing_is_left(
    parts: list[tuple[float, int]], unsettled: UnsettledMessages, tmp_path: Path
) -> None:
    write_wav(tmp_path / unsettled.file(CALL, 3), *parts)
    assert unsettled.settle(CALL, 3).seconds == 0.0


@pytest.mark.parametrize("content", [None, b"", b"RIFF and no more"])
def test_a_message_that_cannot_be_read_is_named(
    content: bytes | None, unsettled: UnsettledMessages, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / unsettled.file(CALL, 3)).write_bytes(content)
    with pytest.raises(RecordingRefusedError, match="does the PBX's user share that folder with ours"):
        unsettled.settle(CALL, 3)


def test_keeping_moves_and_discarding_deletes_the_rest_of_that_call(
    unsettled: UnsettledMessages, tmp_path: Path
) -> None:
    for ticket in (3, 7):
        write_wav(tmp_path / unsettled.file(CALL, ticket), (1.0, 900))
    other = write_wav(tmp_path / unsettled.file("ivrflow-1795334637.01", 3), (1.0, 900))
    kept = PurePosixPath(f"messages/gov12345/voicemail/2026-11-22/{CALL}-1.wav")
    unsettled.keep(CALL, 7, kept)
    assert unsettled.exists(CALL, 3)
    unsettled.discard(CALL)
    assert (tmp_path / kept).exists()
    assert not unsettled.exists(CALL, 3)
    assert other.exists()
    with pytest.raises(RecordingRefusedError, match="No such file"):
        unsettled.keep(CALL, 3, kept)
    unsettled.close()
    assert list(tmp_path.rglob("*.wav")) == [tmp_path / kept]


def test_what_a_killed_engine_left_is_swept_and_what_a_live_one_holds_is_not(
    unsettled: UnsettledMessages, tmp_path: Path
) -> None:
    live = write_wav(tmp_path / unsettled.file(CALL, 3), (1.0, 900))
    dead = write_wav(tmp_path / "unsettled/4711-abc/ivrflow-1.1-3.wav", (1.0, 900))
    write_wav(tmp_path / "unsettled/4711-abc/tone.wav")
    next_one = UnsettledMessages(tmp_path, TALK_LEVEL)
    assert next_one.sweep() == 1
    assert live.exists()
    assert not dead.parent.exists()
    unsettled._lock.close()  # type: ignore[union-attr]  # what the kernel does when a process is killed
    assert next_one.sweep() == 1
    assert not live.exists()
