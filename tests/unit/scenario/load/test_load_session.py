"""Loads from the first call to the figures, against something that only takes itself for a PBX."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio
from journalled_calls import silent_call, silent_flow
from little_pbx import LittlePbx
from loopback_phones import eventually
from made_loads import HUNG_UP_ON, Behaves, Told, lasting
from made_results import a_scenario, an_observation
from pretended_sipp import counts, line, pretended_sipp

from ivrflow.runtime.journal import Journal
from ivrflow.scenario.load import load_session as module
from ivrflow.scenario.load.load_records import LoadSize
from ivrflow.scenario.load.load_session import Caller, Loaded, LoadOrder, load
from ivrflow.scenario.observation import Observation
from ivrflow.scenario.pbx.cast import Cast
from ivrflow.scenario.pbx.pbx_stage import PbxStage
from ivrflow.scenario.run.run import CannotRun
from ivrflow.scenario.script import Scenario
from ivrflow.settings import Settings
from ivrflow.softphone.call import Call
from ivrflow.softphone.codecs import Samples
from ivrflow.softphone.softphone import Answer, OnCall, Refuse

FLOW = silent_flow()


@dataclass
class Stage:
    """As much of an open stage as a load needs."""

    cast: Cast
    left: tuple[str, ...] = ()
    played: int = 0
    sounds: dict[str, Samples] = field(default_factory=dict)

    async def play(self, _: Scenario) -> Observation:
        self.played += 1
        return an_observation(lasted=0.1)

    async def left_behind(self) -> tuple[str, ...]:
        return self.left


@dataclass
class Place:
    """A little PBX and what calls it."""

    pbx: LittlePbx
    stage: Stage
    settings: Settings
    told: Told

    async def load(
        self, *, calls: int = 4, most: int = 4, listen: int = 0, caller: Caller = "own", watched: bool = False
    ) -> Loaded:
        order = LoadOrder(
            scenario=replace(a_scenario(within=5.0), number="12345", flow=FLOW),
            table=HUNG_UP_ON,
            size=LoadSize(calls=calls, rate=50.0, most=most, listen=listen),
            caller=caller,
            settings=self.settings,
            watched=watched,
        )
        return await load(order, cast("PbxStage", self.stage), self.told)


@pytest_asyncio.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setattr(module, "judge", lambda _scenario, _observation: ((), ()))
    monkeypatch.setattr(module, "JOURNALED_WITHIN_S", 0.3)
    settings = Settings(journal=f"sqlite:///{tmp_path}/journal.sqlite", agi_port=1, ami_port=1)
    async with LittlePbx() as pbx, Cast(pbx.accounts) as phones:
        place = Place(pbx, Stage(phones), settings, Told())
        answer_as(place, lasting(0.1))
        yield place
        await eventually(lambda: not pbx.live)


def answer_as(place: Place, on_call: OnCall | Behaves) -> None:
    place.pbx._phone.on_call = on_call


def journaled(place: Place, calls: int, *, late: float = 0.0) -> None:
    """What an engine would have written meanwhile."""
    journal = Journal(place.settings.journal)
    journal.open()
    for number in range(calls):
        silent_call(FLOW, journal.call_arrived(f"pbx-1.{number}", FLOW, time.time()), late=late)
    journal.close()


async def test_a_load_by_our_own_phone_comes_to_figures(place: Place) -> None:
    loaded = await place.load(calls=6, listen=2)
    shown = loaded.figures
    assert (shown.side.kind, shown.side.placed, shown.side.well) == ("own", 6, 6)
    assert place.stage.played == len(shown.side.listened) == 2
    assert shown.caller is not None
    assert shown.pacer_late is not None
    assert shown.samples
    assert (loaded.left_behind, loaded.stopped) == ((), False)
    assert place.told.tallies[-1].well == 6


async def test_rules_and_waits_come_from_the_journal_of_that_time(place: Place) -> None:
    journaled(place, 3)  # of earlier
    await asyncio.sleep(0.01)  # told apart by the clock
    answered = 0

    def engine(call: Call) -> OnCall:
        nonlocal answered
        answered += 1
        if answered == 4:
            journal = Journal(place.settings.journal)
            journal.open()
            for number in range(4):
                silent_call(FLOW, journal.call_arrived(f"pbx-2.{number}", FLOW, time.time()))
            journal.close()
        return lasting(0.1)(call)

    answer_as(place, engine)
    shown = (await place.load(watched=True)).figures
    assert shown.journaled == 4
    assert shown.kept == {"gov12345/silent_call": 4}
    assert shown.waits is not None
    assert shown.waits.count == 8
    assert shown.unfinished == 0


async def test_a_journal_that_never_hears_of_the_calls_is_not_waited_for_long(place: Place) -> None:
    journaled(place, 1)
    await asyncio.sleep(0.01)  # told apart by the clock
    shown = (await place.load(watched=True)).figures
    assert shown.journaled == 0


async def test_without_a_journal_that_is_said(place: Place) -> None:
    loaded = await place.load(watched=True)
    assert loaded.figures.journaled is None
    (remark,) = loaded.remarks
    assert remark.startswith("there is no journal at ")


async def test_another_ones_pbx_has_no_journal_and_no_processes_here(place: Place) -> None:
    journaled(place, 1)
    loaded = await place.load(watched=False)
    assert (loaded.figures.journaled, loaded.figures.engine, loaded.figures.pbx) == (None, None, None)
    assert loaded.remarks == ()


async def test_what_is_left_behind_is_told(place: Place) -> None:
    place.stage.left = ("2 calls the engine still has",)
    assert (await place.load()).left_behind == ("2 calls the engine still has",)


async def test_cancelled_it_tells_what_was_measured_and_hangs_up(place: Place) -> None:
    answer_as(place, Answer())
    task = asyncio.create_task(place.load(calls=500, most=3))
    await eventually(lambda: place.pbx.live == 3)
    task.cancel()
    loaded = await task
    assert loaded.stopped
    assert (loaded.figures.side.cut, loaded.figures.side.planned) == (3, 500)
    await eventually(lambda: not place.pbx.live)


@pytest.mark.parametrize("caller", ["own", "sipp"])
async def test_a_first_call_that_is_refused_ends_it_with_the_reason(place: Place, caller: Caller) -> None:
    answer_as(place, Refuse(404, "Not Found"))
    with pytest.raises(CannotRun, match="came to nothing: refused: 404 Not Found"):
        await place.load(caller=caller)


async def test_sipp_and_those_we_listen_to_are_one_load(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretended_sipp(tmp_path, monkeypatch)(
        f"{counts(line(time.time(), 8, 0, 7, 1, 0, 0, 0, 0, 1, 0, 0))}; sleep 0.1; exit 1"
    )
    loaded = await place.load(calls=10, most=10, listen=2, caller="sipp")
    side = loaded.figures.side
    assert (side.kind, side.planned, side.placed) == ("sipp", 10, 10)
    assert (side.well, side.failed) == (9, 1)
    assert place.stage.played == 2
    assert loaded.figures.pacer_late is None
    assert place.told.tallies[-1].placed == 10


async def test_trouble_with_sipp_hangs_up_those_we_listen_to(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretended_sipp(tmp_path, monkeypatch)("echo 'Unable to bind'; exit 255")
    with pytest.raises(CannotRun, match="SIPp ended with code 255: Unable to bind"):
        await place.load(calls=10, listen=2, caller="sipp")
