"""Where recordings lie, what their names say, and which of them are too old. No sockets, no clock of its own.

    calls/FLOW/2026-11-22/CALL.wav              both sides of a call
    messages/FLOW/BOX/2026-11-22/CALL-1.wav     what a caller left

Names hold the day, the flow, the message box and the call's id in the journal; never a number, a name or a key. The
folder is shared with the PBX, which writes the files (8 kHz, mono, 16 bit).
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

CALLS, MESSAGES = "calls", "messages"

HEADER_BYTES = 44
"""Before the samples of the PBX's .wav files."""

BYTES_PER_SECOND = 16_000

LEAST_ROOM_BYTES = 64_000_000
"""With less room than this nothing more is recorded: an hour of one call, or the journal's last chance."""

MOST_NAMED = 20
"""Files named of those that cannot be deleted; they are likely to have one reason."""

KEEP_DAYS = 90
"""Days for recordings of flows that are not served any more, or do not record any more."""

Kind: TypeAlias = Literal["call", "message"]

_CALL = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,148}", flags=re.ASCII)
_NAME = re.compile(r"\w[\w.-]{0,99}")
_MESSAGE = re.compile(r"(?P<call>.+)-(?P<number>[0-9]+)")


class RecordingRefusedError(Exception):
    """Nothing can be recorded there; the text says why and what to do, to who deployed it."""


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """One recording.

    Attributes:
        path: the file.
        kind: of a whole call, or a message left on one.
        call: the call's id in the journal.
        flow: its flow.
        box: the message box; "" for a call.
        number: of the message on its call, from 1; 0 for a call.
        began_at: Unix time in seconds.
        seconds: its length; 0 while the PBX has not written any of it.
    """

    path: Path
    kind: Kind
    call: str
    flow: str
    box: str
    number: int
    began_at: float
    seconds: float


def call_file(flow: str, call: str, day: date) -> PurePosixPath:
    """Where the recording of a call lies, below the recordings folder.

    Raises:
        RecordingRefusedError: the flow's name or the call's id cannot be part of a file's name.
    """
    return PurePosixPath(CALLS, _checked(flow), day.isoformat(), f"{checked_call(call)}.wav")


def message_file(flow: str, box: str, call: str, number: int, day: date) -> PurePosixPath:
    """Where a kept message lies, below the recordings folder; `number` counts those of the call from 1.

    Raises:
        RecordingRefusedError: a name cannot be part of a file's name.
    """
    return PurePosixPath(MESSAGES, _checked(flow), _checked(box), day.isoformat(), f"{checked_call(call)}-{number}.wav")


def checked_call(call: str) -> str:
    """The call's id, if it can be a file's name.

    Raises:
        RecordingRefusedError: it cannot.
    """
    if not _CALL.fullmatch(call):
        raise RecordingRefusedError("the call's id holds what no file name of ours may hold; see Asterisk's systemname")
    return call


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise RecordingRefusedError(f"'{name[:40]}' cannot be a folder's name; write a plain name in the flow")
    return name


# ── making room ───────────────────────────────────────────────────────────────────────────────────────────────────────


def prepare(folder: Path, file: PurePosixPath) -> None:
    """Make the folders of `file` below the recordings folder, which is there already, and look whether there is room.

    Folders are made like the recordings folder itself (mode, and owner where we may say so), so that the PBX can write
    in them, too.

    Raises:
        RecordingRefusedError: it cannot be; says why.
    """
    check(folder)
    try:
        make_folder(folder, folder / file.parent)
    except OSError as problem:
        raise RecordingRefusedError(f"{folder / file.parent}: {problem.strerror or problem}") from problem


def check(folder: Path) -> None:
    """Look whether we can keep order in the recordings folder, and whether there is room.

    Raises:
        RecordingRefusedError: it is not there, is not ours to write in, or is full.
    """
    if not folder.is_dir():
        raise RecordingRefusedError(f"{folder} is not there; make it, so that the PBX's user and ours can write in it")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RecordingRefusedError(f"{folder} is not ours to write in; give it to our user and the PBX's")
    free = shutil.disk_usage(folder).free
    if free < LEAST_ROOM_BYTES:
        raise RecordingRefusedError(
            f"{folder} has {free // 1_000_000} MB left and {LEAST_ROOM_BYTES // 1_000_000} are wanted; make room there"
        )


def make_folder(top: Path, wanted: Path) -> None:
    """Make `wanted`, which lies below the recordings folder `top`, and what is missing above it."""
    missing = []
    while not wanted.is_dir() and wanted != top:
        missing.append(wanted)
        wanted = wanted.parent
    if not top.is_dir():
        top.mkdir(mode=0o750, parents=True)
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        alike(top, one, stat.S_IMODE(top.stat().st_mode))


def alike(top: Path, made: Path, mode: int) -> None:
    """Give what we made that mode and, where we may, the recordings folder's owner."""
    made.chmod(mode)
    if os.geteuid() == 0:
        owner = top.stat()
        os.chown(made, owner.st_uid, owner.st_gid)


# ── what is there ─────────────────────────────────────────────────────────────────────────────────────────────────────


def recorded(folder: Path, kind: Kind) -> Iterator[RecordedFile]:
    """Every recording of that kind, in no order; other files are passed over.

    Raises:
        RecordingRefusedError: the folder cannot be read.
    """
    try:
        for path in _paths(folder, kind):
            if (file := _read_name(path, kind)) is not None:
                yield file
    except OSError as problem:
        raise RecordingRefusedError(f"{folder} cannot be read: {problem.strerror or problem}") from problem


def _paths(folder: Path, kind: Kind) -> list[Path]:
    depth = 2 if kind == "call" else 3
    return sorted((folder / (CALLS if kind == "call" else MESSAGES)).glob("*/" * depth + "*.wav"))


def _read_name(path: Path, kind: Kind) -> RecordedFile | None:
    if path.is_symlink() or _day(path.parent.name) is None:
        return None
    try:
        found = path.stat()
    except FileNotFoundError:  # deleted a moment ago
        return None
    seconds = round(max(0, found.st_size - HEADER_BYTES) / BYTES_PER_SECOND, 3)
    began_at = found.st_mtime - seconds
    if kind == "call":
        return RecordedFile(path, kind, path.stem, path.parts[-3], "", 0, began_at, seconds)
    named = _MESSAGE.fullmatch(path.stem)
    if named is None:
        return None
    flow, box = path.parts[-4:-2]
    return RecordedFile(path, kind, named["call"], flow, box, int(named["number"]), began_at, seconds)


def recording_of(folder: Path, flow: str, call: str) -> Path | None:
    """The recording of that call; None when there is none."""
    if not (_NAME.fullmatch(flow) and _CALL.fullmatch(call)):
        return None
    return next((folder / CALLS / flow).glob(f"*/{call}.wav"), None)


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None


# ── what is too old ───────────────────────────────────────────────────────────────────────────────────────────────────


def prune(folder: Path, today: date, keep_days: Callable[[str], int], messages_keep_days: int) -> int:
    """Delete recordings of calls older than `keep_days` of their flow says, and messages older than that many days.

    A message box that keeps 0 days keeps for ever. Folders that became empty go, too. What cannot be deleted keeps nothing
    else there.

    Returns:
        How many were deleted.

    Raises:
        RecordingRefusedError: something could not be deleted; names it, once everything else is gone.
    """
    gone = 0
    problems: list[str] = []
    kinds: tuple[Kind, ...] = ("call", "message")
    for kind in kinds:
        try:
            paths = _paths(folder, kind)
        except OSError as problem:
            problems.append(_why(folder, problem))
            continue
        for path in paths:
            try:
                file = _read_name(path, kind)
                if file is None or not _is_too_old(file, today, keep_days, messages_keep_days):
                    continue
                path.unlink(missing_ok=True)
                gone += 1
                if not any(path.parent.iterdir()):
                    path.parent.rmdir()
            except OSError as problem:
                problems.append(_why(path, problem))
    if problems:
        more = f"; and {len(problems) - MOST_NAMED} more" if len(problems) > MOST_NAMED else ""
        raise RecordingRefusedError(
            f"{len(problems)} of the recordings that are too old cannot be deleted: {'; '.join(problems[:MOST_NAMED])}{more}. "
            f"Their folders must be our user's to write in (docs/recordings.md). Deleted: {gone}"
        )
    return gone


def _is_too_old(file: RecordedFile, today: date, keep_days: Callable[[str], int], messages_keep_days: int) -> bool:
    day = _day(file.path.parent.name)
    days = keep_days(file.flow) if file.kind == "call" else messages_keep_days
    return day is not None and bool(days) and (today - day).days > days


def _why(path: Path, problem: OSError) -> str:
    return f"{path}: {problem.strerror or problem}"
