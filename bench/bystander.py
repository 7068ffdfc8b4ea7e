"""How late is this machine itself? A process that does nothing but sleep, beside the one that is measured.

Virtual machines lose the processor to their neighbours for tens or hundreds of milliseconds; whatever is measured then is
late, and so is this process. A figure is read beside the bystander's, taken in the same seconds.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import threading
import time
from typing import Self

SLEEP_S = 0.005


class Bystander:
    """The sleeping process.

    async with Bystander() as bystander: ...
    bystander.late   # milliseconds: p50, p99, p99.9, max
    """

    def __init__(self) -> None:
        self.late: dict[str, float] = {}
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.bystander"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        await self._process.stdout.readline()
        return self

    async def __aexit__(self, *_raised: object) -> None:
        assert self._process is not None
        output, _ = await self._process.communicate(b"")  # closing its input ends it
        self.late = json.loads(output)

    def __str__(self) -> str:
        return (
            f"this machine itself meanwhile (a process that only sleeps): late p50 {self.late['p50']:.1f} ms, "
            f"p99 {self.late['p99']:.1f} ms, p99.9 {self.late['p99_9']:.1f} ms, max {self.late['max']:.1f} ms"
        )


def sleep_until_told() -> None:
    """Sleep in small pieces until standard input ends, then print by how much the pieces were too long."""
    ended = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    print("sleeping", flush=True)
    late = []
    while not ended.is_set():
        before = time.perf_counter()
        time.sleep(SLEEP_S)
        late.append((time.perf_counter() - before - SLEEP_S) * 1000)
    late.sort()
    cut = statistics.quantiles(late, n=1000, method="inclusive")
    print(json.dumps({"p50": cut[499], "p99": cut[989], "p99_9": cut[998], "max": late[-1]}))


if __name__ == "__main__":  # started by Bystander
    sleep_until_told()
