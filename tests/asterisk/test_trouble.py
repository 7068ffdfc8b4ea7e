"""What a caller meets when something breaks: never silence, never a hang-up nobody meant, and nothing left behind."""

import asyncio
import os
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from breakable_wire import BreakableWire
from conftest import Phones
from engine_here import EngineHere, broken, flows_for_tests, heard_by, settings_for, sounds
from peers import has_heard_words

from ivrflow.engine.trace import Fact
from ivrflow.service.app import Service
from ivrflow.settings import SettingsError
from tools.engine import Engine
from tools.pbx import Pbx
from tools.places import CHECKOUT

GREETING = "gov12345/greeting_inbound.standard"
CONNECTED = "gov12345/silent_call.connected"
APOLOGY = "house/fallback.apology"


async def test_an_engine_that_dies_in_a_call_leaves_the_caller_with_an_apology_and_the_duty_extension(
    pbx: Pbx, phones: Phones, tmp_path: Path
) -> None:
    duty = await phones.open("1000")
    phone = await phones.open("caller")
    engine = Engine({**pbx.engine_environment(), "IVRFLOW_JOURNAL": f"sqlite:///{tmp_path}/journal.sqlite"})
    await engine.start()
    said = sounds(flows_for_tests()["gov12345"])
    call = await phone.call("12345")
    await has_heard_words(call, said[GREETING], 0.1)
    engine.kill()
    at_duty = await duty.next_call(within_s=15)
    at_duty.answer()
    await at_duty.wait_answered()
    await call.hang_up()
    await engine.stop()
    heard = [prompt.name for prompt in await heard_by(call, said)]
    assert heard == [GREETING, APOLOGY]


async def test_an_engine_does_not_outlive_the_process_that_started_it(pbx: Pbx, tmp_path: Path) -> None:
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _START_AN_ENGINE),
        cwd=CHECKOUT,
        env={**os.environ, **pbx.engine_environment(), "IVRFLOW_JOURNAL": f"sqlite:///{tmp_path}/j.sqlite"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert starter.stdout is not None
    engine = os.pidfd_open(int(await starter.stdout.readline()))
    try:
        gone = asyncio.Event()
        asyncio.get_running_loop().add_reader(engine, gone.set)
        assert not gone.is_set()
        starter.kill()
        async with asyncio.timeout(10):
            await gone.wait()
    finally:
        asyncio.get_running_loop().remove_reader(engine)
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(engine, signal.SIGKILL)
        os.close(engine)
        await starter.wait()


_START_AN_ENGINE = """
import asyncio, os
from tools.engine import Engine

async def start():
    engine = Engine({name: value for name, value in os.environ.items() if name.startswith("IVRFLOW_")})
    await engine.start()
    print(engine.pid, flush=True)
    await engine.exited()

asyncio.run(start())
"""


async def test_a_stopped_engine_hands_its_live_calls_to_the_fallback(pbx: Pbx, phones: Phones, tmp_path: Path) -> None:
    phone = await phones.open("caller")
    engine = Engine({**pbx.engine_environment(), "IVRFLOW_JOURNAL": f"sqlite:///{tmp_path}/journal.sqlite"})
    await engine.start()
    said = sounds(flows_for_tests()["gov12345"])
    call = await phone.call("12345")
    await has_heard_words(call, said[GREETING], 0.1)
    await engine.stop()
    await has_heard_words(call, said[APOLOGY])
    await call.hang_up()
    heard = [prompt.name for prompt in await heard_by(call, said)]
    assert heard == [GREETING, APOLOGY]


async def test_a_lost_manager_connection_costs_no_call_and_is_made_up_for(
    pbx: Pbx, phones: Phones, tmp_path: Path
) -> None:
    flow = flows_for_tests()["gov12345"]
    async with BreakableWire(pbx.settings.ami_bind, pbx.settings.ami_port) as wire:
        service = Service(
            settings_for(pbx, tmp_path, IVRFLOW_AMI_HOST="127.0.0.1", IVRFLOW_AMI_PORT=str(wire.port)), {flow.id: flow}
        )
        engine = EngineHere(service)
        await service.start()
        try:
            phone = await phones.open("caller")
            leaving, staying = await phone.call("12345"), await phone.call("12345")
            await engine.until_fact(Fact.WAIT_BEGUN)
            wire.cut()
            await engine.until_fact(Fact.HEARING_LOST)
            await leaving.hang_up()  # the manager cannot say so; the caller's own session does
            async with asyncio.timeout(15):
                await wire.refused.wait()
            wire.mend()
            await engine.until_fact(Fact.HEARING_RESTORED)
            async with asyncio.timeout(60):
                await staying.ended
            by_id = {session.first_to_hang_up: session for session in engine.sessions}
            assert set(by_id) == {"caller", "ivrflow"}
            survivor = by_id["ivrflow"]
            assert survivor.outcome == "hung_up"
            assert broken(survivor) == {}
            heard = [prompt.name for prompt in await heard_by(staying, sounds(flow))]
            assert heard[:2] == [GREETING, CONNECTED]
        finally:
            await service.stop(0)


async def test_a_wrong_manager_password_is_said_at_once_and_nothing_is_left_running(pbx: Pbx, tmp_path: Path) -> None:
    tasks = asyncio.all_tasks()
    service = Service(settings_for(pbx, tmp_path, IVRFLOW_AMI_SECRET="wrong-on-purpose"), {})
    with pytest.raises(SettingsError) as told:
        await service.start()
    assert "wrong-on-purpose" not in str(told.value)
    assert re.search(r"refused|password|secret", str(told.value))
    assert asyncio.all_tasks() - tasks == set()


async def test_a_manager_that_is_not_there_is_said_at_once(pbx: Pbx, tmp_path: Path) -> None:
    async with BreakableWire(pbx.settings.ami_bind, pbx.settings.ami_port) as wire:
        port = wire.port
    service = Service(settings_for(pbx, tmp_path, IVRFLOW_AMI_HOST="127.0.0.1", IVRFLOW_AMI_PORT=str(port)), {})
    with pytest.raises(SettingsError, match=str(port)):
        await service.start()
