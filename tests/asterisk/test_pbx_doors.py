"""What engine and PBX offer testers: orders to a live call, the local time of a call, whose call an agent's is, a look inside."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from conftest import Phones
from engine_here import EngineHere, flows_for_tests, serving, settings_for

from ivrflow.engine.trace import Fact
from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import Location
from ivrflow.scenario.pbx_watch import PbxWatch
from tools.pbx import Pbx

GREETING = "gov12345/greeting_inbound.standard"
HERE = Location("test", 1, 1)


@pytest.fixture(scope="session")
def flow() -> CallFlow:
    return flows_for_tests()["gov12345"]


@pytest_asyncio.fixture(loop_scope="session")
async def engine(pbx: Pbx, flow: CallFlow, tmp_path: Path) -> AsyncIterator[EngineHere]:
    async with serving(pbx, flow, tmp_path) as here:
        yield here


@pytest_asyncio.fixture(loop_scope="session")
async def watch(pbx: Pbx, tmp_path: Path) -> AsyncIterator[PbxWatch]:
    async with PbxWatch(settings_for(pbx, tmp_path)) as here:
        yield here


def live(engine: EngineHere) -> set[str]:
    return {call.call_id for call in engine.service.switchboard.live}


# ── which call is ours, and what it leaves behind ─────────────────────────────────────────────────────────────────────


async def test_calls_at_once_are_told_apart_by_their_sip_call_id(
    phones: Phones, engine: EngineHere, watch: PbxWatch
) -> None:
    phone = await phones.open("caller")
    calls = [await phone.call("12345") for _ in range(2)]
    found = await asyncio.gather(*(watch.call_of(call.call_id, 5.0) for call in calls))
    assert set(found) == live(engine)
    assert len(set(found)) == 2
    await calls[0].hang_up()
    first, second = found
    assert first is not None
    assert second is not None
    assert await watch.left_of(first, 5.0) == []
    assert [channel.uniqueid for channel in await watch.channels()] == [second]
    assert await watch.call_of(calls[0].call_id, 0.0) is None
    await calls[1].hang_up()
    assert await watch.left_of(second, 5.0) == []


async def test_an_agents_leg_belongs_to_its_call_and_says_so_to_the_agents_phone(
    phones: Phones, engine: EngineHere, watch: PbxWatch
) -> None:
    agent = await phones.open("1001")
    phone = await phones.open("caller")
    call = await phone.call("12345")
    await engine.until_fact(Fact.PHRASE_STARTED, phrase=GREETING)
    await call.press("0")
    at_agent = await agent.next_call()
    ours = await watch.call_of(call.call_id, 5.0)
    assert ours is not None
    assert at_agent.header("X-Ivrflow-Call") == ours
    left = await watch.left_of(ours, 0.0)
    assert sorted(name.partition("-")[0] for name in left) == ["PJSIP/1001", "PJSIP/caller"]
    at_agent.answer()
    await engine.until_fact(Fact.AGENT_ANSWERED)
    assert {channel.application for channel in await watch.channels()} <= {"AGI", "BridgeWait", "Bridge"}
    await call.hang_up()
    assert await watch.left_of(ours, 5.0) == []
    await engine.until_fact(Fact.ENDED)


async def test_nobody_has_a_call_that_was_never_placed(watch: PbxWatch) -> None:
    assert await watch.call_of("no-such-call@127.0.0.1", 0.2) is None
    assert await watch.left_of("ivrflow-1.1", 0.0) == []
    assert await watch.channels() == []
