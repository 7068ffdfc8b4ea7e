"""What the PBX of a test has recorded, and when it begins to."""

import asyncio
from pathlib import Path

from peers import seconds_of_tone

from ivrflow.softphone.call import Call

BEEP_HZ = 1000
"""The tone after which a caller speaks a message, 0.3 s of it."""


def is_finished(path: Path) -> bool:
    """Whether its header tells its length, which the PBX writes last."""
    with path.open("rb") as file:
        header = file.read(44)
    if header[8:12] != b"WAVE":
        return False
    return int.from_bytes(header[40:44], "little") == path.stat().st_size - 44 > 0


async def beep_heard(call: Call, within_s: float = 10.0) -> None:
    """Wait until the tone before a message was heard to its end."""
    async with asyncio.timeout(within_s):
        while not _is_beep_in(call):  # noqa: ASYNC110 -- a recording tells nobody what is in it
            await asyncio.sleep(0.02)


def _is_beep_in(call: Call) -> bool:
    span = call.recording.span
    return span is not None and seconds_of_tone(call.recording.samples(span.start, span.end), BEEP_HZ) >= 0.24
