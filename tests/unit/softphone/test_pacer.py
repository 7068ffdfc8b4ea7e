"""Turns every 20 ms that do not drift."""

import asyncio
import time

import pytest

from ivrflow.softphone.pacer import CATCH_UP_S, TURNS, Pacer


class Counted:
    """Counts its turns and sets an event at the one waited for."""

    def __init__(self, wanted: int = 10**9) -> None:
        self.turns: list[float] = []
        self.missed = 0
        self.wanted = wanted
        self.enough = asyncio.Event()

    def frame_due(self) -> None:
        self.turns.append(time.monotonic())
        if len(self.turns) == self.wanted:
            self.enough.set()

    def frame_missed(self) -> None:
        self.missed += 1


async def enough(counted: Counted) -> None:
    async with asyncio.timeout(10):
        await counted.enough.wait()


async def test_turns_come_every_20_ms_and_do_not_drift() -> None:
    pacer, counted = Pacer(), Counted(wanted=50)
    pacer.attach(counted)
    await enough(counted)
    pacer.detach(counted)
    took = counted.turns[-1] - counted.turns[0]
    assert took >= 49 * 0.02 - CATCH_UP_S  # the first turn may be late, the last one cannot be early


async def test_nothing_runs_while_nothing_is_attached() -> None:
    pacer, counted = Pacer(), Counted(wanted=2)
    assert pacer._timer is None
    pacer.attach(counted)
    await enough(counted)
    pacer.detach(counted)
    assert pacer._timer is None
    pacer.detach(counted)


async def test_many_are_spread_over_the_turns() -> None:
    pacer = Pacer()
    all_of_them = [Counted(wanted=3) for _ in range(TURNS * 5)]
    for counted in all_of_them:
        pacer.attach(counted)
    assert [len(turn) for turn in pacer._turns] == [5] * TURNS
    await asyncio.gather(*map(enough, all_of_them))
    for counted in all_of_them:
        pacer.detach(counted)


class Clock:
    """Stands in for the time module's monotonic clock."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize(("held_up", "due", "missed"), [(0.1, 6, 0), (1.0, 10, 41)])
async def test_a_short_hold_up_is_caught_up_and_a_long_one_skipped(
    monkeypatch: pytest.MonkeyPatch, held_up: float, due: int, missed: int
) -> None:
    clock = Clock()
    monkeypatch.setattr("ivrflow.softphone.pacer.time", clock)
    pacer, counted = Pacer(), Counted()
    pacer.attach(counted)
    clock.now += held_up + 0.0001
    pacer._run()
    pacer.detach(counted)
    assert (len(counted.turns), counted.missed) == (due, missed)
    assert pacer.latest_s == pytest.approx(held_up, abs=0.001)


async def test_one_may_leave_in_its_own_turn() -> None:
    pacer = Pacer()

    class Leaving(Counted):
        def frame_due(self) -> None:
            super().frame_due()
            pacer.detach(self)

    leaving = Leaving(wanted=1)
    pacer.attach(leaving)
    await enough(leaving)
    assert len(leaving.turns) == 1
    assert pacer._timer is None


async def test_one_that_comes_when_the_last_one_leaves_gets_its_turns() -> None:
    pacer, next_one = Pacer(), Counted(wanted=3)

    class Succeeded(Counted):
        def frame_due(self) -> None:
            pacer.detach(self)
            pacer.attach(next_one)

    pacer.attach(Succeeded())
    await enough(next_one)
    assert next_one.turns[-1] - next_one.turns[0] >= 2 * 0.02 - CATCH_UP_S
    pacer.detach(next_one)
    assert pacer._timer is None


async def test_a_hold_up_is_remembered_with_its_beginning_and_its_length() -> None:
    pacer, counted = Pacer(), Counted(wanted=3)
    pacer.attach(counted)
    await enough(counted)
    counted.wanted, counted.enough = len(counted.turns) + 1, asyncio.Event()
    began = time.monotonic()
    time.sleep(0.15)  # noqa: ASYNC251 - the hold-up itself
    await enough(counted)
    pacer.detach(counted)
    due, late = pacer.stalls[-1]
    assert late >= 0.12
    assert due <= began + 0.02, "the next turn was due at most one turn later"
    assert due + late >= began + 0.15
