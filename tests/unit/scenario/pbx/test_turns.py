"""Who needs the same state goes together; nobody is overtaken; a cancelled wait leaves no trace."""

import asyncio

import pytest

from ivrflow.scenario.pbx.turns import Turns


class Crowd:
    """People who take turns; `here` is who has one."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.here: list[str] = []
        self._leave: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def comes(self, name: str, state: object) -> None:
        self._leave[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._turn(name, state))
        await settled()

    async def leaves(self, *names: str) -> None:
        for name in names:
            self._leave[name].set()
        await settled()
        for name in names:
            assert self._tasks[name].done()

    async def gives_up(self, name: str) -> None:
        self._tasks[name].cancel()
        with pytest.raises(asyncio.CancelledError):
            await self._tasks[name]
        await settled()

    async def _turn(self, name: str, state: object) -> None:
        async with self.turns.taken(state):
            self.here.append(name)
            try:
                await self._leave[name].wait()
            finally:
                self.here.remove(name)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_same_state_is_shared_and_another_waits_until_all_have_left() -> None:
    crowd = Crowd()
    for name in ("a", "b"):
        await crowd.comes(name, True)
    await crowd.comes("off", False)
    assert crowd.here == ["a", "b"]
    await crowd.leaves("a")
    assert crowd.here == ["b"]
    await crowd.leaves("b")
    assert crowd.here == ["off"]
    await crowd.leaves("off")


async def test_a_newcomer_overtakes_nobody_but_goes_in_with_its_like() -> None:
    crowd = Crowd()
    for name, state in (("a", True), ("off 1", False), ("b", True), ("off 2", False), ("c", True)):
        await crowd.comes(name, state)
    assert crowd.here == ["a"]
    await crowd.leaves("a")
    assert crowd.here == ["off 1", "off 2"]
    await crowd.leaves("off 1", "off 2")
    assert crowd.here == ["b", "c"]
    await crowd.leaves("b", "c")


async def test_a_state_of_its_own_is_shared_with_nobody() -> None:
    crowd = Crowd()
    for name in ("a", "b"):
        await crowd.comes(name, object())
    assert crowd.here == ["a"]
    await crowd.leaves("a")
    assert crowd.here == ["b"]
    await crowd.leaves("b")


async def test_who_gives_up_waiting_lets_those_behind_pass() -> None:
    crowd = Crowd()
    for name, state in (("a", True), ("off", False), ("b", True)):
        await crowd.comes(name, state)
    await crowd.gives_up("off")
    assert crowd.here == ["a", "b"]
    await crowd.gives_up("a")
    await crowd.comes("off again", False)
    assert crowd.here == ["b"]
    await crowd.leaves("b")
    assert crowd.here == ["off again"]
    await crowd.leaves("off again")


async def test_who_is_cancelled_in_the_moment_its_turn_comes_gives_it_back() -> None:
    crowd = Crowd()
    await crowd.comes("a", True)
    await crowd.comes("off", False)
    await crowd.comes("b", True)
    crowd._leave["a"].set()
    while crowd.turns._state is True:  # noqa: ASYNC110 - the very turn of the loop is meant
        await asyncio.sleep(0)
    await crowd.gives_up("off")
    assert crowd.here == ["b"]
    await crowd.leaves("b")
