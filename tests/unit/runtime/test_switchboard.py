"""The live calls of one process."""

import asyncio
from typing import cast

from ivrflow.runtime.call_loop import LiveCall
from ivrflow.runtime.switchboard import CallCounts, Switchboard


class Stub:
    def __init__(self, call_id: str, lateness: float = 0.0) -> None:
        self.call_id = call_id
        self.lateness = lateness
        self.abandoned = ""

    def abandon(self, reason: str) -> None:
        self.abandoned = reason


def call(call_id: str, lateness: float = 0.0) -> LiveCall:
    return cast("LiveCall", Stub(call_id, lateness))


async def test_counts_and_the_latest_timer_survive_the_call() -> None:
    board = Switchboard()
    first, second = call("a", 0.004), call("b", 0.002)
    board.connect(first)
    board.connect(second)
    assert set(board.live) == {first, second}
    board.release(first)
    board.release(first)
    assert board.counts == CallCounts(live=1, served=1, latest_timer_s=0.004)
    assert set(board.live) == {second}


async def test_draining_waits_for_the_last_call() -> None:
    board = Switchboard()
    only = call("a")
    board.connect(only)
    asyncio.get_running_loop().call_soon(board.release, only)
    assert await board.drain(5.0) == 0
    assert cast("Stub", only).abandoned == ""


async def test_calls_left_after_the_drain_go_to_the_fallback() -> None:
    board = Switchboard()
    stuck = call("a")
    board.connect(stuck)
    assert await board.drain(0.01) == 1
    assert cast("Stub", stuck).abandoned == "the engine is stopping"


async def test_an_empty_switchboard_is_drained_at_once() -> None:
    assert await Switchboard().drain(0.0) == 0
