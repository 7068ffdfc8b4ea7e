"""Messages of calls that are not over yet: recorded, trimmed, kept or deleted. No sockets, no clock.

Each engine has a folder of its own for them, which it holds by a lock: one that starts removes those that nobody holds
any more, because their engine was killed. What a caller said and nobody kept is gone then, too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import wave
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
import numpy.typing as npt

from ivrflow.bridge.recording_files import (
    BYTES_PER_SECOND,
    HEADER_BYTES,
    RecordingRefusedError,
    alike,
    checked_call,
    make_folder,
    prepare,
)

UNSETTLED = "unsettled"
"""The folder of these folders."""

RATE = 8000
FRAME = 160
"""Samples of 20 ms, by which loudness is told, as Asterisk's talk detection does."""

AFTER_SPEECH_S = 0.2
"""Seconds of silence left at the end of a message: the last sound of a word is a soft one."""

TONE_HZ, TONE_S, TONE_PEAK = 1000, 0.3, 4000
TONE_LOUDEST = round(TONE_PEAK * (1 + np.sqrt(2)) / 4)
"""Mean |sample| of the tone before a message: of the eight samples of one wave."""

_LOCK = "lock"
_TONE = "tone"


@dataclass(frozen=True, slots=True)
class Settled:
    """A message as it is now. `seconds`: its length; `loudest`: mean |sample| of its loudest 20 ms."""

    seconds: float
    loudest: int


class UnsettledMessages:
    """This engine's folder of messages not kept yet.

    Args:
        top: the recordings folder.
        talk_level: mean |sample| of 20 ms from which somebody speaks.
    """

    def __init__(self, top: Path, talk_level: int) -> None:
        self._top = top
        self._talk_level = talk_level
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._lock: IO[bytes] | None = None

    @property
    def tone(self) -> PurePosixPath:
        """The tone before a message, below the recordings folder, without extension."""
        return PurePosixPath(UNSETTLED, self._name, _TONE)

    def file(self, call: str, ticket: int) -> PurePosixPath:
        """Where the message of that ticket is recorded, below the recordings folder.

        Raises:
            RecordingRefusedError: the call's id cannot be a file's name.
        """
        return PurePosixPath(UNSETTLED, self._name, f"{checked_call(call)}-{ticket}.wav")

    def prepare(self, call: str, ticket: int) -> None:
        """Make sure that a message can be recorded there.

        Raises:
            RecordingRefusedError: it cannot; says why.
        """
        file = self.file(call, ticket)
        prepare(self._top, file)
        if self._lock is None:
            try:
                self._take()
            except OSError as problem:
                raise RecordingRefusedError(f"{self._folder}: {problem.strerror or problem}") from problem

    def sweep(self) -> int:
        """Delete what engines that were killed have left.

        Returns:
            How many messages that were.
        """
        messages = 0
        for folder in (self._top / UNSETTLED).glob("*"):
            if folder.name == self._name or not folder.is_dir():
                continue
            with contextlib.suppress(OSError), (folder / _LOCK).open("ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                messages += sum(1 for file in folder.glob("*.wav") if file.stem != _TONE)
                shutil.rmtree(folder)
        return messages

    def settle(self, call: str, ticket: int) -> Settled:
        """Cut the silence at the end of a message that is complete; one in which nobody speaks is empty then.

        Raises:
            RecordingRefusedError: there is none, or it cannot be read.
        """
        path = self._top / self.file(call, ticket)
        try:
            with path.open("r+b") as file:
                header = file.read(HEADER_BYTES)
                samples = np.frombuffer(file.read(path.stat().st_size // 2 * 2 - HEADER_BYTES), np.int16)
                levels = _levels(samples)
                spoken = np.flatnonzero(levels >= self._talk_level)
                end = int(spoken[-1] + 1) * FRAME + round(AFTER_SPEECH_S * RATE) if len(spoken) else 0
                size = min(end, len(samples)) * 2
                file.seek(0)
                file.write(_with_size(header, size))
                file.truncate(HEADER_BYTES + size)
        except (OSError, ValueError) as problem:
            why = problem.strerror if isinstance(problem, OSError) else "it has no header"
            raise RecordingRefusedError(f"{path}: {why}; does the PBX's user share that folder with ours?") from problem
        return Settled(round(size / BYTES_PER_SECOND, 3), int(levels.max(initial=0)))

    def exists(self, call: str, ticket: int) -> bool:
        """Whether the PBX has made the file."""
        return (self._top / self.file(call, ticket)).exists()

    def keep(self, call: str, ticket: int, kept: PurePosixPath) -> None:
        """Move a message to `kept`, below the recordings folder. The PBX may still be writing the end of it.

        Raises:
            RecordingRefusedError: it cannot be moved.
        """
        path = self._top / self.file(call, ticket)
        try:
            make_folder(self._top, self._top / kept.parent)
            path.rename(self._top / kept)
        except OSError as problem:
            raise RecordingRefusedError(f"{path}: {problem.strerror or problem}") from problem

    def discard(self, call: str) -> None:
        """Delete the messages of that call that were not kept."""
        for path in self._folder.glob(f"{checked_call(call)}-*.wav"):
            with contextlib.suppress(OSError):
                path.unlink()

    def close(self) -> None:
        """Delete this engine's folder."""
        if self._lock is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._lock.close()
            self._lock = None

    @property
    def _folder(self) -> Path:
        return self._top / UNSETTLED / self._name

    def _take(self) -> None:
        lock = (self._folder / _LOCK).open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            tone = self._folder / f"{_TONE}.wav"
            with wave.open(str(tone), "wb") as file:
                file.setparams((1, 2, RATE, 0, "NONE", ""))
                file.writeframes(_tone().tobytes())
            alike(self._top, tone, 0o640)
        except BaseException:
            lock.close()
            raise
        self._lock = lock


def _levels(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    """Mean |sample| of every 20 ms."""
    whole = samples[: len(samples) // FRAME * FRAME].astype(np.float64)
    levels: npt.NDArray[np.float64] = np.abs(whole).reshape(-1, FRAME).mean(axis=1)
    return levels


def _with_size(header: bytes, size: int) -> bytes:
    """The header of a .wav file with that many bytes of samples."""
    if len(header) != HEADER_BYTES:
        raise ValueError("no header")
    return b"".join(
        (header[:4], (size + HEADER_BYTES - 8).to_bytes(4, "little"), header[8:40], size.to_bytes(4, "little"))
    )


def _tone() -> npt.NDArray[np.int16]:
    wave = TONE_PEAK * np.sin(2 * np.pi * TONE_HZ * np.arange(round(TONE_S * RATE)) / RATE)
    ramp = np.minimum(1, np.arange(len(wave)) / 80)
    tone: npt.NDArray[np.int16] = (wave * ramp * ramp[::-1]).astype(np.int16)  # no clicks at its ends
    return tone
