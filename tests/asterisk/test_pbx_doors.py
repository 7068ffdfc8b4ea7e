"""What engine and PBX offer testers: orders to a live call, the local time of a call, whose call an agent's is, a look inside."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio
from conftest import Phones
from engine_here import EngineHere, flows_for_tests, heard_by, kept, real_flows, serving, settings_for

from ivrflow.bridge.ami_client import AmiClient
from ivrflow.bridge.orders.to_calls import ToCall
from ivrflow.engine.messages import CallArrived
from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import Location
from ivrflow.scenario.pbx.engine_watch import EngineWatch
from ivrflow.scenario.pbx.pbx_watch import PbxWatch
from ivrflow.scenario.script import Order
from ivrflow.settings import SettingsError
from ivrflow.softphone.call import Call
from ivrflow.softphone.codecs import Samples, codec
from ivrflow.softphone.softphone import Answer
from tools.pbx import Pbx
from tools.places import PROMPTS

pytestmark = pytest.mark.usefixtures("pbx_prompts")

GREETING = "gov12345/greeting_inbound.standard"
CONNECTED = "gov12345/silent_call.connected"
REPLY = "gov12345/caller_greets.reply"
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
    halves = ["Local/1001@ivrflow"] * 2
    assert sorted(name.partition("-")[0] for name in left) == [*halves, "PJSIP/1001", "PJSIP/caller"]
    at_agent.answer()
    await engine.until_fact(Fact.AGENT_ANSWERED)
    assert {channel.application for channel in await watch.channels()} <= {
        "AGI",
        "BridgeWait",
        "Bridge",
        "Dial",
        "AppDial",
    }
    await call.hang_up()
    assert await watch.left_of(ours, 5.0) == []
    await engine.until_fact(Fact.ENDED)


async def test_engine_and_pbx_are_seen_as_processes_and_hold_nothing_after_a_call(
    phones: Phones, engine: EngineHere, watch: PbxWatch, pbx: Pbx
) -> None:
    here = EngineWatch(pbx.settings.agi_port, pbx.settings.agi_host)
    there = EngineWatch(pbx.settings.ami_port, pbx.settings.ami_bind)
    before, asterisk = here.look(), there.look()
    assert before is not None
    assert asterisk is not None
    assert (before.pid, before.connections) == (os.getpid(), 0), "the engine of these tests lives in their process"
    assert asterisk.pid == pbx.pid
    assert asterisk.connections >= 2, "the engine's and the tester's manager connections"
    phone = await phones.open("caller")
    call = await phone.call("12345")
    during = here.look()
    assert during is not None
    assert during.connections == 1
    ours = await watch.call_of(call.call_id, 5.0)
    assert ours is not None
    await call.hang_up()
    assert await watch.left_of(ours, 5.0) == []
    await engine.until_fact(Fact.ENDED)
    assert await engine.service.exchange.server.drain(5.0) == 0
    after = here.look()
    assert after is not None
    assert after.connections == 0


async def test_nobody_has_a_call_that_was_never_placed(watch: PbxWatch) -> None:
    assert await watch.call_of("no-such-call@127.0.0.1", 0.2) is None
    assert await watch.left_of("ivrflow-1.1", 0.0) == []
    assert await watch.channels() == []


async def test_a_manager_that_refuses_or_is_not_there_is_one_clear_sentence(pbx: Pbx, tmp_path: Path) -> None:
    wrong = settings_for(pbx, tmp_path, IVRFLOW_AMI_SECRET="wrong-on-purpose")
    with pytest.raises(
        SettingsError, match=r"refuses the manager login of 'ivrflow' at .*compare the user and the secret"
    ):
        async with PbxWatch(wrong):
            pass
    nobody = settings_for(pbx, tmp_path, IVRFLOW_AMI_PORT=str(pbx.settings.agi_port))
    with pytest.raises(SettingsError, match="no Asterisk manager interface answers at"):
        async with PbxWatch(nobody):
            pass


# ── orders ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class OrderedCall:
    """A silent caller's call that is told things."""

    def __init__(self, watch: PbxWatch, engine: EngineHere, call: Call, uniqueid: str) -> None:
        self._watch = watch
        self.engine = engine
        self.call = call
        self.uniqueid = uniqueid

    async def order(self, what: ToCall, word: str = "", value: str = "") -> None:
        assert await self._watch.order(self.uniqueid, Order(what, HERE, word, value)) == ""


@pytest_asyncio.fixture(loop_scope="session")
async def ordered(phones: Phones, engine: EngineHere, watch: PbxWatch) -> OrderedCall:
    """A caller who has heard the greeting and says nothing."""
    phone = await phones.open("caller")
    call = await phone.call("12345")
    uniqueid = await watch.call_of(call.call_id, 5.0)
    assert uniqueid is not None
    await engine.until_fact(Fact.WAIT_BEGUN)
    return OrderedCall(watch, engine, call, uniqueid)


def recordings(flow: CallFlow, *phrases: str) -> dict[str, Samples]:
    """Those phrases in every wording, as the PBX plays them; named with the values that are spoken in them."""
    decode = codec("ulaw").decode
    return {
        " ".join((phrase, *(value for _, value in values))): decode((PROMPTS / f"{prompt.file}.ulaw").read_bytes())
        for (phrase, values), prompt in flow.prompts.prompts.items()
        if phrase in phrases
    }


async def test_a_situation_is_played_and_its_ladder_climbed_to_the_end(ordered: OrderedCall, flow: CallFlow) -> None:
    await ordered.order("situation", "noise")
    async with asyncio.timeout(60):
        assert (await ordered.call.ended).by == "peer"
    session = await ordered.engine.until_fact(Fact.ENDED)
    assert session.outcome == "hung_up"
    assert "gov12345/noise" in kept(session)
    rungs = [rung.say for rung in flow.situations["noise"].rungs if rung.say]
    heard = await heard_by(ordered.call, recordings(flow, *rungs, GREETING))
    assert [prompt.name for prompt in heard] == [GREETING, *rungs]


async def test_a_signal_leaves_the_situation_and_a_cancelled_one_is_left_too(ordered: OrderedCall) -> None:
    await ordered.order("situation", "noise")
    await ordered.engine.until_fact(Fact.SITUATION_STARTED)
    await ordered.order("signal", "audible")
    await ordered.engine.until_fact(Fact.SITUATION_OVER)
    await ordered.order("situation", "dialect")
    await ordered.engine.until(lambda trace: starts(trace) == ["noise", "dialect"])
    await ordered.order("cancel")
    session = await ordered.engine.until(lambda trace: [line.fact for line in trace].count(Fact.SITUATION_OVER) == 2)
    assert [line.detail for line in session.trace if line.fact is Fact.LADDER_LEFT] == ["audible", "cancelled"]
    await ordered.call.hang_up()
    await ordered.engine.until_fact(Fact.ENDED)


def starts(trace: list[TraceLine]) -> list[str]:
    return [line.detail for line in trace if line.fact is Fact.SITUATION_STARTED]


async def test_a_task_is_done(ordered: OrderedCall) -> None:
    await ordered.order("done")  # none was asked for yet
    await ordered.order("situation", "hold_request_short")
    await ordered.engine.until_fact(Fact.TASK_ASKED)
    await ordered.order("done")
    session = await ordered.engine.until_fact(Fact.TASK_DONE)
    assert [line.fact for line in session.trace].count(Fact.TASK_DONE) == 1
    await ordered.call.hang_up()
    await ordered.engine.until_fact(Fact.ENDED)


async def test_a_value_is_spoken(ordered: OrderedCall, flow: CallFlow) -> None:
    await ordered.order("value", "honorific", "女士")
    await ordered.order("situation", "caller_greets")
    await ordered.engine.until_fact(Fact.SITUATION_OVER)
    await ordered.call.hang_up()
    await ordered.engine.until_fact(Fact.ENDED)
    heard = await heard_by(ordered.call, recordings(flow, REPLY, GREETING))
    assert [prompt.name for prompt in heard] == [GREETING, f"{REPLY} 女士"]


async def test_the_dialplan_can_give_an_order_too(ordered: OrderedCall, pbx: Pbx, phones: Phones) -> None:
    await phones.open("1001", on_call=Answer())
    settings = pbx.settings
    manager = AmiClient(
        settings.ami_bind,
        settings.ami_port,
        settings.ami_user,
        settings.ami_secret,
        on_event=lambda _event: None,
        on_up=lambda: None,
        on_down=lambda _reason: None,
    )
    await manager.start()
    order = f"Ivrflow,Call: {ordered.uniqueid},Order: situation,Word: noise"
    await manager.action(
        "Originate", {"Channel": "PJSIP/1001", "Application": "UserEvent", "Data": order, "Async": "true"}
    )
    await ordered.engine.until_fact(Fact.SITUATION_STARTED)
    await manager.close()
    await ordered.call.hang_up()
    await ordered.engine.until_fact(Fact.ENDED)


async def test_what_nobody_understands_does_no_harm(
    ordered: OrderedCall, watch: PbxWatch, caplog: pytest.LogCaptureFixture
) -> None:
    await ordered.order("situation", "earthquake")
    await ordered.order("signal", "earthquake")
    await ordered.order("value", "earthquake", "1")
    await ordered.order("situation", "13800001111")
    assert await watch.order("ivrflow-1.1", Order("cancel", HERE)) == ""
    assert "cannot hold" in await watch.order(ordered.uniqueid, Order("signal", HERE, "a\r\nAction: Logoff"))
    session = await ordered.engine.until_fact(Fact.PHRASE_STARTED, phrase=CONNECTED)
    assert [line for line in session.trace if line.fact in {Fact.IGNORED, Fact.SIGNAL_GIVEN}] == []
    situation, signal, malformed, nobodys = [
        text for record in caplog.records if "order is ignored" in (text := record.getMessage())
    ]
    ignored = f"call {ordered.uniqueid}: an order is ignored: the flow {session.flow.id} has no"
    assert situation.startswith(f"{ignored} situation named 'earthquake'")
    assert signal.startswith(f"{ignored} signal named 'earthquake'")
    assert malformed.startswith(f"call {ordered.uniqueid}: an order is ignored: its Word '###########' is no name")
    assert nobodys == "an order is ignored: no live call has its Call 'ivrflow-#.#'"
    await ordered.call.hang_up()
    await ordered.engine.until_fact(Fact.ENDED)


# ── the local time of a call ──────────────────────────────────────────────────────────────────────────────────────────


async def first_step(phones: Phones, engine: EngineHere, at: str) -> str:
    """Where a call that says it arrives then is led by the opening hours."""
    phone = await phones.open("caller")
    call = await phone.call("12345", headers=[("X-Ivrflow-At", at)])
    session = await engine.until_fact(Fact.PHRASE_STARTED, phrase=GREETING)
    await call.hang_up()
    await engine.until_fact(Fact.ENDED)
    return [line.step for line in session.trace if line.fact is Fact.STEP_ENTERED][1]


def arrivals(engine: EngineHere) -> list[float]:
    return [event.arrived_at for _, event in engine.happened if isinstance(event, CallArrived)]


async def test_a_test_call_arrives_when_it_says_at_any_hour(pbx: Pbx, phones: Phones, tmp_path: Path) -> None:
    flow = real_flows()["gov12345"]
    async with serving(pbx, flow, tmp_path, IVRFLOW_TEST_CALLS="yes") as engine:
        assert await first_step(phones, engine, "2026-11-20T10:00") == "welcome"
        assert await first_step(phones, engine, "2026-11-20T23:30") == "night_welcome"
        local = [datetime.fromtimestamp(at, flow.timezone).strftime("%Y-%m-%d %H:%M") for at in arrivals(engine)]
        assert local == ["2026-11-20 10:00", "2026-11-20 23:30"]


async def test_a_time_nobody_can_read_is_now(
    pbx: Pbx, phones: Phones, flow: CallFlow, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    began = time.time()
    async with serving(pbx, flow, tmp_path, IVRFLOW_TEST_CALLS="yes") as engine:
        await first_step(phones, engine, "at night, please")
        assert began <= arrivals(engine)[0] <= time.time()
    assert any("is none such as 2026-11-20T10:00; now counts" in record.getMessage() for record in caplog.records)


async def test_real_calls_arrive_when_they_arrive(pbx: Pbx, phones: Phones, flow: CallFlow, tmp_path: Path) -> None:
    began = time.time()
    async with serving(pbx, flow, tmp_path) as engine:
        await first_step(phones, engine, "2001-01-01T00:00")
        assert began <= arrivals(engine)[0] <= time.time()
