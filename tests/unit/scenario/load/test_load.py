"""Loads by our own phone against one that only takes itself for a PBX."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from loopback_phones import eventually
from made_loads import HUNG_UP_ON, Behaves, Told, lasting
from made_results import a_finding, a_scenario, an_observation

from ivrflow.flow.problems import Location
from ivrflow.scenario.load import load as module
from ivrflow.scenario.load.load import OwnLoad
from ivrflow.scenario.load.load_records import LoadSize, Tally
from ivrflow.scenario.load.timetable import Entry, Timetable
from ivrflow.scenario.observation import Observation
from ivrflow.scenario.pbx.saying import plain_speech
from ivrflow.scenario.run.run import CannotRun, Judge, Play
from ivrflow.scenario.script import Background, HangUp, Hold, Press, Resume, Say, Scenario
from ivrflow.softphone.audio_source import Noise
from ivrflow.softphone.call import Call, CallRefused
from ivrflow.softphone.recording import Recording
from ivrflow.softphone.softphone import Answer, OnCall, Refuse, RingOn, SoftPhone

HERE = Location("scenarios/a.yaml", 3, 5)


@dataclass
class World:
    """A load and what calls it: kept calls of the other side in `there`."""

    load: OwnLoad
    told: Told
    there: list[Call]


@asynccontextmanager
async def a_load(
    behaves: Behaves | OnCall,
    *,
    calls: int = 5,
    rate: float = 200.0,
    most: int = 100,
    listen: int = 0,
    table: Timetable = HUNG_UP_ON,
    within: float = 10.0,
    play: Play | None = None,
    judge: Judge = lambda _scenario, _observation: ((), ()),
) -> AsyncIterator[World]:
    there: list[Call] = []

    def called(call: Call) -> OnCall:
        there.append(call)
        return behaves(call) if callable(behaves) else behaves

    async with SoftPhone("pbx", on_call=called) as pbx, SoftPhone("caller", server=pbx.address) as phone:
        told = Told()
        load = OwnLoad(
            scenario=replace(a_scenario(within=within), number="12345"),
            table=table,
            size=LoadSize(calls=calls, rate=rate, most=most, listen=listen),
            phone=phone,
            listener=told,
            voice=lambda step: plain_speech(step.seconds),
            play=play,
            judge=judge,
        )
        yield World(load, told, there)
        await eventually(lambda: not phone.calls)


def faults(world: World) -> list[str]:
    return [call.fault for call in sorted(world.load.calls, key=lambda call: call.number)]


async def test_every_call_is_placed_and_told_of() -> None:
    async with a_load(lasting(0.1), calls=5) as world:
        await world.load.run()
    side = world.load.side(1000.0)
    assert (side.placed, side.answered, side.well, side.failed, side.cut) == (5, 5, 5, 0, 0)
    assert side.began_at == 1000.0
    assert len(side.setups) == 5
    assert all(0 < setup < 5 for setup in side.setups)
    assert [call.number for call in sorted(world.load.calls, key=lambda call: call.placed_at)] == [0, 1, 2, 3, 4]
    assert world.told.tallies[-1] == Tally(5, 5, 0, well=5, failed=0)
    assert side.live[-1][1] == 0


async def test_no_more_calls_are_there_at_once_than_asked() -> None:
    async with a_load(lasting(0.1), calls=7, most=2) as world:
        await world.load.run()
    assert world.told.most_live == 2
    assert world.load.side(0.0).most_live == 2


async def test_calls_are_placed_at_the_rate() -> None:
    async with a_load(lasting(0.0), calls=6, rate=20.0) as world:
        begun = time.monotonic()
        await world.load.run()
    assert time.monotonic() - begun >= 5 / 20


async def test_what_was_missed_is_not_made_up_for_in_a_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CATCH_UP_S", 0.0)
    async with a_load(lasting(0.3), calls=4, rate=10.0, most=1) as world:
        await world.load.run()
    placed = sorted(call.placed_at for call in world.load.calls)
    assert all(later - earlier >= 0.25 for earlier, later in pairwise(placed))


async def test_the_timetable_is_followed() -> None:
    entries = (
        Entry(0.05, Say(0.2, HERE)),
        Entry(0.3, Press("12", HERE)),
        Entry(0.7, Background(Noise(-40.0), HERE)),
        Entry(0.9, Hold(HERE)),
        Entry(1.0, Resume(HERE)),
        Entry(1.2, HangUp(HERE)),
    )
    async with a_load(Answer(), calls=1, table=Timetable(entries, 1.2, "phone", hears=False)) as world:
        await world.load.run()
        (there,) = world.there
        await eventually(lambda: there.end)
    assert faults(world) == [""]
    assert [key.key for key in there.recording.heard_keys()] == ["1", "2"]
    assert spoke_after(there.recording, there) == pytest.approx(0.05, abs=0.5)
    (call,) = world.load.calls
    assert call.answered_at is not None
    assert call.ended_at is not None
    assert call.ended_at - call.answered_at >= 1.2


def spoke_after(recording: Recording, call: Call) -> float:
    assert call.answered_at is not None
    return recording.heard_spans()[0].start - call.answered_at


@pytest.mark.parametrize(
    ("table", "behaves", "fault"),
    [
        (Timetable((), 5.0, "peer", hears=False), lasting(0.1), "over before its time"),
        (
            Timetable((Entry(5.0, HangUp(HERE)),), 5.0, "phone", hears=False),
            lasting(0.1),
            "the other side hung up before the caller did",
        ),
        (Timetable((), 0.1, "peer", hears=True), lasting(0.1), "no sound came"),
        (Timetable((), 0.1, "peer", hears=True), lasting(0.2, Noise()), ""),
        (HUNG_UP_ON, Answer(), "not over within the scenario's bound"),
    ],
)
async def test_a_call_that_does_not_go_its_way_has_failed_with_the_reason(
    table: Timetable, behaves: Behaves | OnCall, fault: str
) -> None:
    async with a_load(behaves, calls=2, table=table, within=1.0) as world:
        await world.load.run()
    assert faults(world) == [fault, fault]
    assert world.load.side(0.0).faults == ({fault: 2} if fault else {})


async def test_packets_are_worked_out_for_every_call() -> None:
    async with a_load(lasting(0.3, Noise()), calls=2, table=Timetable((), 0.3, "peer", hears=True)) as world:
        await world.load.run()
    packets = world.load.side(0.0).packets
    assert len(packets) == 2
    assert all(figures.count > 3 for figures in packets)


async def test_calls_refused_later_are_counted_by_their_status() -> None:
    answered: list[Call] = []

    def behaves(call: Call) -> OnCall:
        answered.append(call)
        return lasting(0.1)(call) if len(answered) == 1 else Refuse(503, "Service Unavailable")

    async with a_load(behaves, calls=3) as world:
        await world.load.run()
    assert faults(world) == ["", "refused: 503 Service Unavailable", "refused: 503 Service Unavailable"]
    assert world.load.side(0.0).statuses == {503: 2}
    assert world.load.side(0.0).answered == 1


@pytest.mark.parametrize(
    ("behaves", "why"),
    [(Refuse(404, "Not Found"), "refused: 404 Not Found"), (RingOn(), r"not answered in 0\.2 s")],
)
async def test_when_the_first_call_comes_to_nothing_no_other_is_placed(
    behaves: OnCall, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWERED_WITHIN_S", 0.2)
    async with a_load(behaves, calls=50) as world:
        with pytest.raises(CannotRun, match=f"^the first call came to nothing: {why}; no other was placed$"):
            await world.load.run()
    assert len(world.there) == 1


async def test_a_load_that_is_cancelled_hangs_up_all_and_keeps_what_it_measured() -> None:
    first_over = asyncio.Event()

    def behaves(call: Call) -> OnCall:
        if first_over.is_set():
            return Answer()
        first_over.set()
        return lasting(0.05)(call)

    async with a_load(behaves, calls=1000, rate=100.0, most=5) as world:
        task = asyncio.create_task(world.load.run())
        await eventually(lambda: len(world.there) == 6 and sum(call.is_up for call in world.there) == 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await eventually(lambda: all(call.end for call in world.there))
    side = world.load.side(0.0)
    assert (side.well, side.failed, side.cut) == (1, 0, 5)
    assert side.planned == 1000
    assert len(side.setups) == 6
    assert world.told.tallies[-1].live == 0


# ── calls that are listened to ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("calls", "listen", "numbers"),
    [(10, 0, set()), (10, 1, {5}), (10, 5, {1, 3, 5, 7, 9}), (3, 5, {0, 1, 2}), (300, 3, {50, 150, 250})],
)
def test_who_is_listened_to_is_spread_over_the_run(calls: int, listen: int, numbers: set[int]) -> None:
    assert LoadSize(calls=calls, rate=1.0, most=1, listen=listen).listened == numbers


async def test_a_few_are_played_and_judged_like_scenarios() -> None:
    played: list[Scenario] = []

    async def play(scenario: Scenario) -> Observation:
        played.append(scenario)
        return an_observation(lasted=4.0)

    async with a_load(lasting(0.05), calls=6, listen=2, play=play) as world:
        await world.load.run()
    assert len(played) == 2
    assert len(world.there) == 4
    side = world.load.side(0.0)
    assert (side.placed, side.answered, side.well) == (6, 6, 6)
    assert [result.word for result in side.listened] == ["passed", "passed"]


async def test_one_that_is_not_as_the_scenario_says_has_failed() -> None:
    async def play(_: Scenario) -> Observation:
        return an_observation()

    finding = a_finding(a_scenario())
    async with a_load(lasting(0.05), calls=4, listen=1, play=play, judge=lambda *_: ((finding,), ())) as world:
        await world.load.run()
    assert faults(world) == ["", "", "listened to: pause", ""]


async def test_one_that_could_not_be_played_has_failed_with_the_reason() -> None:
    async def play(_: Scenario) -> Observation:
        raise CallRefused(486, "Busy Here")

    async with a_load(lasting(0.05), calls=4, listen=1, play=play) as world:
        await world.load.run()
    assert faults(world) == ["", "", "refused: 486 Busy Here", ""]
    assert world.load.side(0.0).statuses == {486: 1}
