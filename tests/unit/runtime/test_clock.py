"""The clock of live calls."""

import asyncio

from ivrflow.runtime.clock import LoopClock


async def test_it_wakes_when_asked_and_not_when_taken_back() -> None:
    clock = LoopClock(asyncio.get_running_loop())
    woken = asyncio.Event()
    never: list[str] = []
    taken_back = clock.wake_at(clock.now() + 0.005, lambda: never.append("woken"))
    taken_back.cancel()
    before = clock.now()
    clock.wake_at(before + 0.01, woken.set)
    async with asyncio.timeout(5):
        await woken.wait()
    assert clock.now() >= before + 0.01
    assert never == []
