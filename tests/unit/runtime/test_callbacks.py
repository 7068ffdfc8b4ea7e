"""People are called back when they may be, as often as was agreed, and never twice at once."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from callback_journal import NUMBER, ORDERED_AT, Telephones, order, ordered, placing_flow
from journalled_calls import silent_flow

from ivrflow.flow.model import CallFlow, Quiet
from ivrflow.flow.problems import Location
from ivrflow.runtime.callbacks import RINGS_ON_S, STILL_TALKING_S, CallbackScheduler, new_call
from ivrflow.runtime.journal_callbacks import CallbackBook, StoredCallback
from ivrflow.runtime.journal_promises import PromiseBook

FIRST_TRY = ORDERED_AT + 60
HERE = Location("x.yaml", 1, 1)


class World:
    """An engine's scheduler, its clock, and the telephones."""

    def __init__(self, url: str, flow: CallFlow, *, at_once: int = 4) -> None:
        self.url = url
        self.now = FIRST_TRY
        self.telephones = Telephones()
        self.live: set[str] = set()
        self.flows = {flow.id: flow}
        self.at_once = at_once
        self._calls = 0
        self.start()

    def start(self) -> None:
        """Another engine on the same journal: what the one before held in memory is gone."""
        self.telephones.ringing.clear()
        self.book = CallbackBook(self.url)
        self.scheduler = CallbackScheduler(
            self.book,
            self.flows.get,
            self.telephones,
            is_live=self.live.__contains__,
            at_once=self.at_once,
            new_call=self._new_call,
            now=lambda: self.now,
        )

    def _new_call(self, now: float) -> str:
        self._calls += 1
        return f"out-{int(now)}.{self._calls}"

    async def round(self, later: float = 0.0) -> None:
        self.now += later
        await self.scheduler.round()

    @property
    def callback(self) -> StoredCallback:
        (found,) = self.book.listed()
        return found

    @property
    def outcomes(self) -> list[str]:
        return [one.outcome for one in self.callback.made]

    def promise(self) -> str:
        book = PromiseBook(self.url)
        (found,) = book.owed(with_settled=True)
        book.close()
        return found.state(self.now)


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    ordered(url, "pbx-1.1", order())
    return url


@pytest_asyncio.fixture
async def world(url: str) -> AsyncIterator[World]:
    world = World(url, placing_flow())
    yield world
    await world.scheduler.close()


async def test_who_picks_up_was_called_back(world: World) -> None:
    await world.round()
    (rung,) = world.telephones.ringing
    assert (rung.number, rung.values, rung.call) == (NUMBER, {"surname": "欧阳"}, "out-1790000060.1")
    assert (world.callback.state, world.promise()) == ("placed", "open")
    world.now += 6
    rung.on_answered()
    await world.round()
    assert (world.callback.state, world.callback.settled_at) == ("kept", FIRST_TRY + 6)
    assert world.promise() == "kept"
    rung.on_over("caller_hung_up")
    await world.round(7200)
    assert world.outcomes == ["answered"]
    book = PromiseBook(world.url)
    (promise,) = book.owed(with_settled=True)
    book.close()
    assert (promise.about, promise.owed_by, promise.kept_by, promise.kept_by_call) == (
        "callback",
        "ivrflow",
        "ivrflow",
        "out-1790000060.1",
    )


async def test_nobody_is_rung_before_the_moment_and_nothing_twice(world: World) -> None:
    world.now = ORDERED_AT + 59
    await world.round()
    assert world.telephones.ringing == []
    await world.round(1)
    await world.round(3600)
    await world.round(3600)
    assert len(world.telephones.ringing) == 1


async def test_tried_again_after_a_while_and_not_for_ever(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for outcome in ("busy", "no_answer", "refused"):
        await world.round()
        world.telephones.ringing.pop().on_over(outcome)
        await world.round(899)
        assert world.telephones.ringing == []
        world.now += 1
    assert (world.callback.state, world.outcomes) == ("given_up", ["busy", "no_answer", "refused"])
    assert world.callback.why == "tried 3 times: busy, no answer, refused"
    assert world.promise() == "broken", "though it was not due yet"
    await world.round(7200)
    assert world.telephones.ringing == []
    assert "callback pbx-1.1/callback-1 is given up: tried 3 times: busy, no answer, refused" in caplog.text
    assert NUMBER not in caplog.text


async def test_lateness_is_told(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world.now = ORDERED_AT + 7200 + 600
    await world.round()
    world.telephones.ringing.pop().answer()
    await world.round()
    assert "callback pbx-1.1/callback-1 is kept, 10 min late" in caplog.text
    assert (world.callback.state, world.promise(), world.callback.late_by(0.0)) == ("kept", "kept late", 600.0)


async def test_quiet_hours_put_it_off_and_cost_no_try(url: str) -> None:
    world = World(url, placing_flow(Quiet(14 * 60, 15 * 60, HERE)))  # 14:14 UTC is the first try
    await world.round()
    assert world.telephones.ringing == []
    assert (world.callback.state, world.callback.tried) == ("waiting", 0)
    assert world.callback.why == "quiet hours until 2026-09-21 15:00"
    await world.round((world.callback.next_at or 0.0) - world.now - 1)
    assert world.telephones.ringing == []
    await world.round(1)
    assert len(world.telephones.ringing) == 1
    assert world.callback.why == ""
    await world.scheduler.close()


@pytest.mark.parametrize(
    ("flow", "why"),
    [
        (placing_flow(to=("2*",)), "the flow back may not ring this number"),
        (None, "the engine has no flow back"),
    ],
)
async def test_what_can_never_be_placed_is_given_up_with_the_reason(url: str, flow: CallFlow | None, why: str) -> None:
    world = World(url, flow or placing_flow())
    if flow is None:
        world.flows.clear()
    await world.round()
    assert (world.callback.state, world.callback.why, world.promise()) == ("given_up", why, "broken")
    assert world.telephones.ringing == []
    await world.scheduler.close()


async def test_a_flow_that_places_no_calls(url: str) -> None:
    world = World(url, placing_flow())
    world.flows["back"] = silent_flow(flow_id="back")
    await world.round()
    assert (world.callback.state, world.callback.why) == ("given_up", "the flow back places no calls")
    await world.scheduler.close()


async def test_the_call_on_which_it_was_ordered_is_over_first(world: World) -> None:
    world.live.add("pbx-1.1")
    await world.round()
    assert (world.telephones.ringing, world.callback.why) == ([], "the first call goes on")
    world.live.clear()
    await world.round(STILL_TALKING_S)
    assert len(world.telephones.ringing) == 1


async def test_without_a_pbx_everybody_waits(world: World) -> None:
    world.telephones.is_ready = False
    await world.round(3600)
    assert (world.callback.state, world.callback.made) == ("waiting", ())
    world.telephones.is_ready = True
    await world.round()
    assert len(world.telephones.ringing) == 1


async def test_a_try_that_rings_nobody_after_all_costs_none(world: World) -> None:
    world.telephones.takes_calls = False
    await world.round()
    await world.round()
    assert (world.callback.state, world.callback.tried, world.outcomes) == ("waiting", 0, ["interrupted"])
    world.telephones.takes_calls = True
    await world.round(900)
    assert len(world.telephones.ringing) == 1


async def test_tries_that_say_nothing_are_bounded_too(world: World) -> None:
    world.telephones.takes_calls = False
    for _ in range(8):
        await world.round(900)
    assert (world.callback.state, len(world.callback.made)) == ("given_up", 6)


async def test_no_more_at_once_than_allowed_and_the_most_urgent_first(url: str) -> None:
    for n in range(2, 6):
        ordered(url, f"pbx-1.{n}", order(caller=f"1390000000{n}", due_at=ORDERED_AT + 7200 - n))
    world = World(url, placing_flow(), at_once=2)
    await world.round()
    assert [rung.number for rung in world.telephones.ringing] == ["13900000005", "13900000004"]
    world.telephones.ringing[0].on_answered()
    await world.round()
    assert len(world.telephones.ringing) == 2, "a talk is a call under way"
    world.telephones.ringing[0].on_over("caller_hung_up")
    await world.round()
    assert [rung.number for rung in world.telephones.ringing][2:] == ["13900000003"]
    assert world.book.being_rung(world.now) == {"13900000004", "13900000003"}
    await world.scheduler.close()


async def test_two_wishes_of_one_person_are_not_rung_at_once(url: str) -> None:
    ordered(url, "pbx-1.2", order())
    world = World(url, placing_flow())
    await world.round()
    assert len(world.telephones.ringing) == 1
    world.telephones.ringing[0].answer()
    await world.round()
    assert len(world.telephones.ringing) == 2
    await world.scheduler.close()


async def test_cancelled_while_it_waits_and_while_it_rings(world: World) -> None:
    await world.round()
    cancelled = world.book.cancel("pbx-1.1", at=world.now, by="li", why="a colleague did it")
    assert (cancelled.state, cancelled.why) == ("cancelled", "a colleague did it")
    assert world.promise() == "dropped"
    world.telephones.ringing[0].on_over("no_answer")
    await world.round(900)
    assert len(world.telephones.ringing) == 1
    assert (world.callback.state, world.outcomes) == ("cancelled", ["no_answer"])


async def test_who_picks_up_though_it_was_cancelled_was_called_back(world: World) -> None:
    await world.round()
    world.book.cancel("pbx-1.1", at=world.now, by="li", why="too late")
    world.telephones.ringing[0].answer()
    await world.round()
    assert (world.callback.state, world.promise()) == ("kept", "kept")


def take_away(url: str) -> None:
    file = Path(url.removeprefix("sqlite:///"))
    file.rename(file.with_suffix(".away"))


def bring_back(url: str) -> None:
    file = Path(url.removeprefix("sqlite:///"))
    file.with_suffix(".away").rename(file)


@pytest.mark.parametrize("how", ["kept", "dropped"])
async def test_a_promise_settled_by_hand_rings_nobody(world: World, how: str) -> None:
    book = PromiseBook(world.url)
    if how == "kept":
        book.keep("pbx-1.1/callback-1", at=world.now - 5, by="li")
    else:
        book.drop("pbx-1.1/callback-1", at=world.now - 5, by="li", why="the caller took it back")
    book.close()
    await world.round()
    assert world.telephones.ringing == []
    state, why = world.callback.state, world.callback.why
    assert (state, why) == (("kept", "noted by li") if how == "kept" else ("cancelled", "the caller took it back"))


async def test_a_killed_engine_rings_nobody_twice(world: World) -> None:
    await world.round()
    assert len(world.telephones.ringing) == 1
    world.start()  # nothing of the try is known but that it was made
    await world.round(30 + RINGS_ON_S - 0.001)
    assert (world.telephones.ringing, world.callback.state) == ([], "placed"), "the telephone may still ring"
    await world.round(0.001)
    assert (world.callback.state, world.outcomes, world.callback.tried) == ("waiting", ["interrupted"], 0)
    await world.round(900)
    assert len(world.telephones.ringing) == 1


async def test_what_came_of_it_while_the_database_refused_is_kept(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.round()
    world.telephones.ringing.pop().answer()
    take_away(world.url)
    await world.round()
    await world.round()
    assert caplog.text.count("callbacks wait until the journal can be used again") == 1
    bring_back(world.url)
    await world.round(3600)
    assert (world.callback.state, world.callback.settled_at) == ("kept", FIRST_TRY)


async def test_it_runs_by_itself_and_closes_with_the_last_news(url: str) -> None:
    world = World(url, placing_flow())
    rang = asyncio.Event()
    world.telephones.on_ring = rang.set
    world.scheduler.start()
    async with asyncio.timeout(30):
        await rang.wait()
    world.telephones.ringing[0].on_over("cancelled")  # the engine stops
    await world.scheduler.close()
    assert world.outcomes == ["interrupted"]


async def test_a_bug_is_told(url: str, caplog: pytest.LogCaptureFixture) -> None:
    world = World(url, placing_flow())

    rang = asyncio.Event()

    def broken() -> None:
        rang.set()
        raise RuntimeError("a bug")

    world.telephones.on_ring = broken
    world.scheduler.start()
    async with asyncio.timeout(30):
        await rang.wait()
    await world.scheduler.close()
    assert "nobody is called back any more until the engine is restarted" in caplog.text


def test_ids_are_never_the_same_twice() -> None:
    give = new_call("out-")
    first, second = give(1790000000.5), give(1790000000.5)
    assert first != second
    assert first.startswith("out-1790000000.")
