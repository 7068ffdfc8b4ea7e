"""Whatever happens to the engine: nobody who waits to be called back is forgotten, and nobody is rung twice at once."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from callback_journal import NUMBER, ORDERED_AT, Telephone, Telephones, order, ordered, placing_flow
from hypothesis import given, settings
from hypothesis import strategies as st

from ivrflow.engine import messages as m
from ivrflow.flow.model import CallFlow, Quiet
from ivrflow.flow.problems import Location
from ivrflow.runtime.callbacks import CallbackScheduler
from ivrflow.runtime.journal_callbacks import INTERRUPTED, CallbackBook, StoredCallback
from ivrflow.runtime.journal_store import Arrived, CallKnown, Happened, JournalStore, to_row

RING_FOR = 30.0
SPARE = 2.0
"""Seconds Asterisk rings on by itself when the engine is gone."""

FLOW = placing_flow(Quiet(15 * 60, 15 * 60 + 30, Location("x.yaml", 1, 1)), ring_for=RING_FOR)

later = st.sampled_from([0.0, 0.25, 1.0, 5.0, 31.0, 60.0, 400.0, 900.0, 3600.0])
happenings = st.one_of(
    st.tuples(st.just("later"), later),
    st.tuples(st.sampled_from(["busy", "no_answer", "answers", "hangs_up", "refuses_to_ring"]), st.integers(0, 3)),
    st.tuples(st.just("killed"), st.booleans()),
    st.tuples(st.just("stopped"), st.booleans()),
    st.tuples(st.sampled_from(["pbx_gone", "pbx_back"]), st.just(0)),
    st.tuples(st.just("cancelled"), st.integers(0, 3)),
)


class World:
    """One engine after the other on one journal; the telephones outlive them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.now = ORDERED_AT
        self.calls = 0
        self.rings: list[tuple[str, float, float]] = []
        """Per telephone that rang: number, from when, until when at most."""
        self.answered: set[str] = set()
        """Calls somebody answered, of which the journal knows."""
        self.store = JournalStore(url)
        self.start()

    def start(self) -> None:
        self.telephones = Telephones()
        self.book = CallbackBook(self.url)
        self.scheduler = CallbackScheduler(
            self.book,
            {"back": FLOW}.get,
            self,
            is_live=lambda _: False,
            at_once=2,
            new_call=self.new_call,
            now=lambda: self.now,
        )

    def new_call(self, _: float) -> str:
        self.calls += 1
        return f"out-{self.calls}"

    @property
    def is_ready(self) -> bool:
        return self.telephones.is_ready

    def call_back(self, call: str, flow: CallFlow, number: str, *rest: object) -> bool:
        """Ring, and see that no telephone of that number can be ringing."""
        still = [end for one, _, end in self.rings if one == number and end > self.now]
        assert not still, f"{number} is rung twice at once"
        rings = self.telephones.call_back(call, flow, number, *rest)  # type: ignore[arg-type]  # handed on
        if rings:
            self.rings.append((number, self.now, self.now + RING_FOR + SPARE))
        return rings

    def quiet(self, telephone: Telephone) -> None:
        """It rings no more."""
        self.rings = [
            (number, begin, self.now if number == telephone.number and end > self.now else end)
            for number, begin, end in self.rings
        ]

    def write_answered(self, telephone: Telephone) -> None:
        known = CallKnown(telephone.call, FLOW, self.now)
        self.store.write([to_row(Arrived(known)), to_row(Happened(known, 1, 1.0, m.CallAnswered(), [], self.now))])
        self.answered.add(telephone.call)

    async def happen(self, what: str, how: object) -> None:
        ringing = self.telephones.ringing
        match what:
            case "later":
                assert isinstance(how, float)
                self.now += how
                for one in [one for one in ringing if self.rang_long_enough(one)]:
                    self.over(one, "no_answer")
            case "busy" | "no_answer" if ringing:
                self.over(ringing[0], what)
            case "answers" if ringing:
                self.quiet(ringing[0])
                self.write_answered(ringing[0])
                ringing.pop(0).answer()
            case "refuses_to_ring":
                self.telephones.takes_calls = not self.telephones.takes_calls
            case "killed":
                if how and ringing:  # in the moment after somebody picked up
                    self.quiet(ringing[0])
                    self.write_answered(ringing[0])
                self.start()
            case "stopped":
                for one in list(ringing):
                    self.over(one, "cancelled")
                await self.scheduler.close()
                self.start()
            case "pbx_gone" | "pbx_back":
                self.telephones.is_ready = what == "pbx_back"
            case "cancelled":
                assert isinstance(how, int)
                open_ones = self.book.listed(("waiting", "placed"))
                if how < len(open_ones):
                    self.book.cancel(open_ones[how].id, at=self.now, by="li", why="x")
            case _:
                pass
        await self.scheduler.round()

    def rang_long_enough(self, telephone: Telephone) -> bool:
        return all(begin + RING_FOR <= self.now for number, begin, _ in self.rings if number == telephone.number)

    def over(self, telephone: Telephone, outcome: str) -> None:
        self.quiet(telephone)
        self.telephones.ringing.remove(telephone)
        telephone.on_over(outcome)

    def check(self) -> None:
        for one in self.book.listed():
            assert (one.next_at is not None) == one.is_open, "it waits and nobody will look"
            assert one.tried <= one.tries
            assert len(one.made) <= 2 * one.tries
            under_way = [a_try for a_try in one.made if not a_try.outcome]
            assert len(under_way) <= 1
            if one.state == "given_up":
                assert one.is_used_up
            if one.state == "waiting":
                assert not self.answered & {a_try.call for a_try in one.made}, "who was called back is called again"


def is_settled(callback: StoredCallback) -> bool:
    return callback.state in {"kept", "given_up", "cancelled"}


async def lives(url: str, story: list[tuple[str, object]]) -> None:
    world = World(url)
    for what, how in story:
        await world.happen(what, how)
        world.check()
    world.telephones.is_ready = world.telephones.takes_calls = True
    for _ in range(60):  # and then nobody ever answers
        if all(map(is_settled, world.book.listed())):
            break
        await world.happen("later", 930.0)
        world.check()
    assert all(map(is_settled, world.book.listed())), "somebody waits for ever"
    for one in world.book.listed():
        counted = [a_try.outcome for a_try in one.made if a_try.outcome != INTERRUPTED]
        assert (one.state == "kept") == ("answered" in counted)
        if one.state == "given_up":
            assert one.tried == one.tries or len(one.made) == 2 * one.tries
    await world.scheduler.close()
    world.store.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(happenings, max_size=25))
def test_no_callback_is_lost_or_doubled(story: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/journal.sqlite"
        ordered(url, "pbx-1.1", order(), order(2, caller="13800000002", retry_after=1.0))
        ordered(url, "pbx-1.2", order(caller=NUMBER, tries=1))
        asyncio.run(lives(url, story))


def test_a_kill_leaves_the_telephone_ringing_and_nobody_rings_it_again_until_it_is_silent(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    ordered(url, "pbx-1.1", order(retry_after=1.0))

    async def story() -> None:
        world = World(url)
        await world.happen("later", 60.0)
        await world.happen("killed", False)
        for _ in range(60):
            await world.happen("later", 1.0)  # sees to it that no telephone rings twice at once
        (_, first, _), (_, second, _) = world.rings
        assert first + RING_FOR + SPARE < second < first + 60
        await world.scheduler.close()
        world.store.close()

    asyncio.run(story())
