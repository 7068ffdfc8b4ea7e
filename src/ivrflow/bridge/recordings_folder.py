"""The recordings folder of a serving engine: its file work is done one thing after the other, in a thread of its own.

Calls never wait for a disk: what comes of a piece of work is told in the event loop. What is too old is deleted when the
engine starts and once a day from then on, in another thread: many files take seconds, and a caller waits for the tone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

from ivrflow.bridge.recording_files import KEEP_DAYS, RecordingRefusedError, prune
from ivrflow.bridge.unsettled_messages import UnsettledMessages

log = logging.getLogger("ivrflow.recordings")

PRUNE_EVERY_S = 86_400.0
"""Seconds from one look at what is too old to the next."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """Where recordings go and how long messages stay.

    Attributes:
        folder: the recordings folder.
        pbx_folder: the same as Asterisk sees it.
        messages_keep_days: days after which a message is deleted; 0 never.
        talk_level: mean |sample| of 20 ms from which a caller speaks.
    """

    folder: Path
    pbx_folder: PurePosixPath
    messages_keep_days: int = 365
    talk_level: int = 512


class Recordings:
    """The folder, shared by all calls of this engine.

    Args:
        settings: where.
        keep_days: asked when something may be too old: days per flow that records its calls.
    """

    def __init__(self, settings: RecordingSettings, keep_days: Callable[[], Mapping[str, int]]) -> None:
        self.folder = settings.folder
        self.unsettled = UnsettledMessages(settings.folder, settings.talk_level)
        self._settings = settings
        self._keep_days = keep_days
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recordings")
        self._deleting = ThreadPoolExecutor(max_workers=1, thread_name_prefix="old_recordings")
        self._pruning: asyncio.TimerHandle | None = None
        self._is_closed = False

    def start(self) -> None:
        """Delete what is too old, and what engines that were killed left unsettled; the first again once a day."""
        if self.folder.is_dir():
            self.do(self.unsettled.sweep, _swept)  # before any message of ours can be there
        self._prune()

    async def close(self) -> None:
        """Finish what is under way, which takes moments, and let go of the folder. Once more does nothing."""
        if self._is_closed:
            return
        if self._pruning is not None:
            self._pruning.cancel()
        self._is_closed = True
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._deleting, bool)
        await loop.run_in_executor(self._thread, self.unsettled.close)
        await asyncio.sleep(0)  # what that work has to tell comes first
        for thread in (self._deleting, self._thread):
            thread.shutdown(wait=False)

    def seen_by_pbx(self, file: PurePosixPath) -> str:
        """The path of a file below the recordings folder as Asterisk sees it."""
        return str(self._settings.pbx_folder / file)

    def do(self, work: Callable[[], T], then: Callable[[T | RecordingRefusedError], None]) -> None:
        """Do a piece of work on files, after what was asked for before; `then` hears what came of it, in the event loop."""
        self._do(self._thread, work, then)

    def _do(
        self, thread: ThreadPoolExecutor, work: Callable[[], T], then: Callable[[T | RecordingRefusedError], None]
    ) -> None:
        if self._is_closed:
            return
        loop = asyncio.get_running_loop()

        def worked() -> None:
            result: T | RecordingRefusedError
            try:
                result = work()
            except RecordingRefusedError as problem:
                result = RecordingRefusedError(str(problem))  # without the traceback, which would keep the call alive
            loop.call_soon_threadsafe(then, result)

        thread.submit(worked)

    def _prune(self) -> None:
        self._pruning = asyncio.get_running_loop().call_later(PRUNE_EVERY_S, self._prune)
        if not self.folder.is_dir():
            return
        days = self._keep_days()
        work = partial(
            prune,
            self.folder,
            datetime.now().astimezone().date(),
            lambda flow: days.get(flow, KEEP_DAYS),
            self._settings.messages_keep_days,
        )
        self._do(self._deleting, work, _pruned)


def _swept(messages: int | RecordingRefusedError) -> None:
    if isinstance(messages, int) and messages:
        log.info("%d messages deleted that an engine which was killed had not kept", messages)


def _pruned(gone: int | RecordingRefusedError) -> None:
    if isinstance(gone, RecordingRefusedError):
        log.error("%s", gone)
    elif gone:
        log.info("%d recordings deleted that were older than is kept", gone)
