"""Calls we place on the real PBX: a phone is rung, once and not for ever, and whoever ordered it hears what came of it."""

import asyncio
import dataclasses
import json
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from breakable_wire import BreakableWire
from conftest import Phones
from engine_here import EngineHere, broken, heard_by, kept, serving, settings_for
from one_pbx import no_channels_left

from ivrflow.bridge.orders.ordering_calls import Ordering
from ivrflow.bridge.orders.to_place_calls import CallWanted
from ivrflow.commands.call_commands import Progress, Report, place
from ivrflow.engine.trace import Fact
from ivrflow.flow.model import CallFlow, Transfer
from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex
from ivrflow.runtime.journal_reader import JournalReader
from ivrflow.service.app import Service
from ivrflow.softphone.codecs import Samples, codec
from ivrflow.softphone.softphone import BUSY, DECLINE, Answer, RingOn
from tools.engine import Engine
from tools.pbx import Pbx
from tools.places import CHECKOUT, PROMPTS

OPENING = "gov12345/callback.opening"
TOPIC = "gov12345/callback.topic"
INCONVENIENT = "gov12345/callback.inconvenient"
TEN_IN_THE_MORNING = "2026-11-20T10:00"
RINGS_S = 4.0
"""So that a test need not wait for seven rings."""


def _shorter(flow: CallFlow, rings: float) -> CallFlow:
    """The flow, ringing for less time."""
    placing = flow.places_calls
    assert placing is not None
    rung = dataclasses.replace(placing.ladder.rungs[0], wait=rings)
    ladder = dataclasses.replace(placing.ladder, rungs=(rung,))
    steps = {
        name: dataclasses.replace(step, ring_for=2.0) if isinstance(step, Transfer) else step
        for name, step in flow.steps.items()
    }
    return dataclasses.replace(flow, places_calls=dataclasses.replace(placing, ladder=ladder), steps=steps)


@pytest.fixture(scope="session")
def flow() -> CallFlow:
    catalogue = PromptIndex.load(CHECKOUT / "prompts").catalogue()
    return _shorter(
        load_flows([CHECKOUT / "callflows" / "gov12345_callback.yaml"], catalogue)["gov12345_callback"], RINGS_S
    )


@pytest.fixture
def only_this_flow(tmp_path: Path) -> dict[str, str]:
    """The flow and its recordings as they are shipped, and no other, for an engine that is a process of its own."""
    flows, masters = tmp_path / "callflows", tmp_path / "masters"
    (flows / "standards").mkdir(parents=True)
    for name in ("gov12345_callback", "standards/gov12345", "standards/house"):
        shutil.copy(CHECKOUT / "callflows" / f"{name}.yaml", flows / f"{name}.yaml")
    for name in ("gov12345", "house"):
        shutil.copytree(CHECKOUT / "prompts" / name, masters / name)
    return {"IVRFLOW_FLOWS": str(flows), "IVRFLOW_MASTERS": str(masters)}


@pytest.fixture(scope="session")
def audio(flow: CallFlow, pbx_prompts: Path) -> dict[str, Samples]:
    assert pbx_prompts.exists()
    decoder = codec("ulaw")
    return {
        key: decoder.decode((PROMPTS / f"{prompt.file}.ulaw").read_bytes())
        for (key, values), prompt in flow.prompts.prompts.items()
        if key in {OPENING, TOPIC, INCONVENIENT, "house/fallback.apology"} and not values
    }


@pytest_asyncio.fixture(loop_scope="session")
async def engine(pbx: Pbx, flow: CallFlow, tmp_path: Path) -> AsyncIterator[EngineHere]:
    """A serving engine; after the test it must have no live call, no task and no connection left."""
    async with serving(pbx, flow, tmp_path, IVRFLOW_TEST_CALLS="yes") as here:
        yield here


def wanted(number: str = "1002", at: str = TEN_IN_THE_MORNING, ask: str = "") -> CallWanted:
    return CallWanted(ask or f"ask-{number}-0000", "gov12345_callback", number, at=at)


class Quiet(Progress):
    """Nothing is told, but it is known that it rings."""

    def __init__(self) -> None:
        super().__init__()
        self.rang = asyncio.Event()

    def ringing(self, call: str, seconds: float) -> None:
        assert call.startswith("out-")
        assert seconds > 0
        self.rang.set()


@asynccontextmanager
async def ordered(
    pbx: Pbx, journal: Path, order: CallWanted, *, wait: bool = False
) -> AsyncIterator["asyncio.Task[Report]"]:
    """The order under way as `ivrflow call` gives it."""
    task = asyncio.create_task(place(settings_for(pbx, journal), order, wait=wait, progress=Quiet()))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_citizen_who_picks_up_hears_the_opening_and_is_handed_to_the_agent(
    pbx: Pbx, phones: Phones, engine: EngineHere, audio: dict[str, Samples], tmp_path: Path
) -> None:
    await phones.open("1001", on_call=Answer(after_s=0.5))
    phone = await phones.open("1002", on_call=Answer(after_s=1.0))
    async with ordered(pbx, tmp_path, wanted(), wait=True) as order:
        await engine.until_fact(Fact.AGENT_ANSWERED, within_s=40)
        (citizen,) = phone.calls
        await citizen.hang_up()
        session = await engine.until_fact(Fact.ENDED)
        report = await order
    heard = [prompt.name for prompt in await heard_by(citizen, audio)]
    assert heard == [OPENING, TOPIC]
    assert report.state == "answered"
    assert report.rang_s is not None
    assert 0.9 < report.rang_s < 5
    assert (report.outcome, report.first_to_hang_up) == ("caller_hung_up", "caller")
    assert "gov12345/callback" in kept(session)
    assert broken(session) == {}


async def test_not_convenient_is_accepted_politely(
    pbx: Pbx, phones: Phones, engine: EngineHere, audio: dict[str, Samples], tmp_path: Path
) -> None:
    phone = await phones.open("1002", on_call=Answer())
    async with ordered(pbx, tmp_path, wanted()) as order:
        assert (await order).state == "answered"
        await engine.until_fact(Fact.PHRASE_ENDED, phrase=OPENING)
        (citizen,) = phone.calls
        await citizen.press("2")
        session = await engine.until_fact(Fact.ENDED)
        await citizen.ended
    assert [prompt.name for prompt in await heard_by(citizen, audio)] == [OPENING, INCONVENIENT]
    assert kept(session) >= {"gov12345/callback", "gov12345/callback_inconvenient"}
    assert session.first_to_hang_up == "ivrflow"


async def test_nobody_answers_and_it_stops_ringing(
    pbx: Pbx, phones: Phones, engine: EngineHere, tmp_path: Path
) -> None:
    phone = await phones.open("1002")
    async with ordered(pbx, tmp_path, wanted()) as order:
        ringing = await phone.next_call(within_s=10)
        report = await order
        await ringing.ended
    assert (report.state, report.outcome) == ("not_answered", "no_answer")
    (session,) = engine.sessions
    times = {line.fact: line.at for line in session.trace}
    assert RINGS_S <= times[Fact.WAIT_USED_UP] < RINGS_S + 1
    await no_channels_left(pbx)


@pytest.mark.parametrize(
    ("account", "manner", "outcome"),
    [
        ("1002", BUSY, "busy"),
        ("1002", DECLINE, "refused"),
        ("1000", None, "unreachable"),
        ("1999", None, "unreachable"),
    ],
    ids=["busy", "declined", "not registered", "no such account"],
)
@pytest.mark.complains(
    "Unable to create channel|Failed to create outgoing session|Could not create dialog|is not registered|endpoint.*not found|No such"
)
async def test_why_nobody_answers(
    pbx: Pbx, phones: Phones, engine: EngineHere, tmp_path: Path, account: str, manner: object, outcome: str
) -> None:
    if manner is not None:
        await phones.open(account, on_call=manner)  # type: ignore[arg-type]  # one of the manners above
    async with ordered(pbx, tmp_path, wanted(account)) as order:
        report = await order
    assert (report.state, report.outcome) == ("not_answered", outcome)
    (session,) = engine.sessions
    assert session.outcome == outcome


async def test_at_a_quiet_hour_no_phone_rings(pbx: Pbx, phones: Phones, engine: EngineHere, tmp_path: Path) -> None:
    phone = await phones.open("1002")
    async with ordered(pbx, tmp_path, wanted(at="2026-11-20T12:45")) as order:
        report = await order
    assert report.state == "refused"
    assert report.why == "quiet hours until 2026-11-20 14:00"
    assert report.again.startswith("2026-11-20T14:00")
    assert len(phone.calls) == 0
    assert engine.sessions[0].outcome == "quiet_hours"


async def test_what_the_flow_may_not_do_is_refused_at_the_door(
    pbx: Pbx, phones: Phones, engine: EngineHere, tmp_path: Path
) -> None:
    assert phones is not None
    for order, why in (
        (wanted("2001"), "the flow gov12345_callback may not ring this number"),
        (dataclasses.replace(wanted(), flow="gov12345", ask="other-flow"), "the engine has no flow gov12345"),
    ):
        async with ordered(pbx, tmp_path, order) as task:
            report = await task
        assert report.state == "refused"
        assert report.why.startswith(why)
    assert engine.sessions == []


async def test_one_order_never_rings_twice(pbx: Pbx, phones: Phones, engine: EngineHere, tmp_path: Path) -> None:
    phone = await phones.open("1002", on_call=RingOn())
    async with Ordering(settings_for(pbx, tmp_path), wanted()) as ordering:
        assert (await ordering.give()).state == "dialling"
        await ordering._tell({"UserEvent": "Ivrflow", "Order": "call", "Ask": ordering.wanted.ask,
                              "Flow": "gov12345_callback", "Number": "1002", "At": TEN_IN_THE_MORNING})  # fmt: skip
        over = await ordering.next(10)
        assert over is not None
        assert over.outcome == "no_answer"
    assert len(engine.sessions) == 1
    assert len(phone.calls) <= 1


async def test_an_order_taken_back_while_it_rings(pbx: Pbx, phones: Phones, engine: EngineHere, tmp_path: Path) -> None:
    phone = await phones.open("1002")
    async with Ordering(settings_for(pbx, tmp_path), wanted()) as ordering:
        await ordering.give()
        ringing = await phone.next_call(within_s=10)
        await ordering.take_back()
        over = await ordering.next(5)
        assert over is not None
        assert over.outcome == "cancelled"
        await ringing.ended
    assert engine.sessions[0].outcome == "cancelled"


async def test_the_citizen_puts_the_phone_down_during_the_opening(
    pbx: Pbx, phones: Phones, engine: EngineHere, tmp_path: Path
) -> None:
    phone = await phones.open("1002", on_call=Answer())
    async with ordered(pbx, tmp_path, wanted(), wait=True) as order:
        await engine.until_fact(Fact.PHRASE_STARTED, phrase=OPENING)
        (citizen,) = phone.calls
        await citizen.hang_up()
        report = await order
    assert (report.outcome, report.first_to_hang_up) == ("caller_hung_up", "caller")


async def test_an_engine_that_stops_stops_ringing(pbx: Pbx, phones: Phones, flow: CallFlow, tmp_path: Path) -> None:
    phone = await phones.open("1002")
    async with (
        serving(pbx, flow, tmp_path, IVRFLOW_TEST_CALLS="yes") as here,
        ordered(pbx, tmp_path, wanted()) as order,
    ):
        ringing = await phone.next_call(within_s=10)
        await here.service.stop(5)
        end = await ringing.ended
        report = await order
    assert end.by == "peer"
    assert report.state == "cancelled"
    assert here.sessions[0].outcome == "cancelled"


@pytest.mark.complains("res_agi.c: Connecting to .* failed", "FastAGI failed", "AGI failed")
async def test_an_engine_that_dies_while_it_rings_leaves_a_phone_that_rings_no_longer_than_it_may(
    pbx: Pbx, phones: Phones, tmp_path: Path, only_this_flow: dict[str, str], audio: dict[str, Samples]
) -> None:
    phone = await phones.open("1002")
    journal = {"IVRFLOW_JOURNAL": f"sqlite:///{tmp_path}/journal.sqlite"}
    environment = {**pbx.engine_environment(), **only_this_flow, **journal, "IVRFLOW_TEST_CALLS": "yes"}
    engine = Engine(environment)
    await engine.start()
    async with Ordering(settings_for(pbx, tmp_path), wanted()) as ordering:
        await ordering.give()
        citizen = await phone.next_call(within_s=10)
        engine.kill()
        await engine.stop()
        citizen.answer()
        await citizen.wait_answered()
        async with asyncio.timeout(20):
            await citizen.ended
    assert [prompt.name for prompt in await heard_by(citizen, audio)] == ["house/fallback.apology"]


async def test_a_manager_connection_lost_while_it_rings_rings_nobody_twice(
    pbx: Pbx, phones: Phones, flow: CallFlow, tmp_path: Path
) -> None:
    async with BreakableWire(pbx.settings.ami_bind, pbx.settings.ami_port) as wire:
        changed = {"IVRFLOW_AMI_HOST": "127.0.0.1", "IVRFLOW_AMI_PORT": str(wire.port), "IVRFLOW_TEST_CALLS": "yes"}
        service = Service(settings_for(pbx, tmp_path, **changed), {flow.id: flow})
        here = EngineHere(service)
        await service.start()
        try:
            phone = await phones.open("1002")
            async with Ordering(settings_for(pbx, tmp_path), wanted()) as ordering:
                await ordering.give()
                citizen = await phone.next_call(within_s=10)
                wire.cut()
                citizen.answer()
                await here.until_fact(Fact.ANSWERED)
                await here.until_fact(Fact.HEARING_LOST)
                wire.mend()
                await here.until_fact(Fact.HEARING_RESTORED)
                await citizen.hang_up()
                session = await here.until_fact(Fact.ENDED)
        finally:
            await service.stop(2)
    assert session.first_to_hang_up == "caller"
    assert len(phone.calls) <= 1


@pytest.mark.complains(
    "Endpoint '1001': Could not create dialog", "endpoint '1001'"
)  # whoever agrees waits for an agent
async def test_the_command(pbx: Pbx, phones: Phones, engine: EngineHere, tmp_path: Path) -> None:
    """`ivrflow call` as a person runs it, at whatever hour the test runs: placed, or refused for the hour."""
    await phones.open("1002", on_call=Answer())
    environment = {**pbx.engine_environment(), "IVRFLOW_JOURNAL": f"sqlite:///{tmp_path}/journal.sqlite"}
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ivrflow", "call", "1002", "--flow", "gov12345_callback", "--format", "json"),
        cwd=CHECKOUT,
        env={**environment, "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(command.communicate(), 30)
    report = json.loads(out)
    session = await engine.until_fact(Fact.ENDED, within_s=60)
    if report["state"] == "refused":
        assert command.returncode == 1
        assert report["again"]
        assert session.outcome == "quiet_hours"
    else:
        assert (report["state"], command.returncode) == ("answered", 0)
        assert b"ringing, 4 s at most" in err
    assert b"1002" not in out + err


async def test_a_call_nobody_answered_is_in_the_journal(
    pbx: Pbx, phones: Phones, flow: CallFlow, tmp_path: Path
) -> None:
    await phones.open("1002", on_call=BUSY)
    async with serving(pbx, flow, tmp_path, IVRFLOW_TEST_CALLS="yes"), ordered(pbx, tmp_path, wanted()) as order:
        report = await order
    reader = JournalReader(f"sqlite:///{tmp_path}/journal.sqlite")
    try:
        stored = reader.call(report.call)
    finally:
        reader.close()
    assert stored.summary.outcome == "busy"
    assert stored.summary.direction == "outbound"
