import asyncio
import sys

import pytest
from loopback_phones import eventually

from ivrflow.scenario.load import load_machine as module
from ivrflow.scenario.load.load_machine import MachineWatch
from ivrflow.scenario.pbx.engine_watch import EngineWatch


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_S", 0.05)


async def test_it_looks_again_and_again_at_this_process_and_the_machine() -> None:
    late = iter([0.001, 0.5, *[0.002] * 1000])
    async with MachineWatch(live=lambda: 7, pacer_late=lambda: next(late)) as machine:
        await eventually(lambda: len(machine.samples) >= 3)
    times = [sample.at for sample in machine.samples]
    assert times == sorted(times)
    assert {sample.live for sample in machine.samples} == {7}
    assert [sample.pacer_late for sample in machine.samples[:2]] == [0.001, 0.5]
    assert all(sample.engine is None and sample.pbx is None for sample in machine.samples)
    (first, *_) = machine.samples
    assert first.caller is not None
    assert first.caller.memory > 10_000_000
    assert first.caller.cpu >= 0
    assert 0 <= first.stolen <= 100
    assert 0 <= first.others <= 100


async def test_when_it_is_left_there_is_a_last_look_and_no_task() -> None:
    before = asyncio.all_tasks()
    async with MachineWatch(live=lambda: 0) as machine:
        pass
    assert len(machine.samples) == 1
    assert asyncio.all_tasks() == before


async def test_engine_and_pbx_are_found_by_their_ports() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, MachineWatch(live=lambda: 0, engine=EngineWatch(port), pbx=EngineWatch(1)) as machine:
        await eventually(lambda: machine.samples)
    assert machine.samples[0].engine is not None
    assert machine.samples[0].pbx is None


async def test_a_process_that_uses_a_core_is_seen_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_S", 0.3)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass")
    try:
        async with MachineWatch(live=lambda: 0, caller=lambda: process.pid) as machine:
            await eventually(lambda: any(one.caller and one.caller.cpu > 5 for one in machine.samples))
    finally:
        process.kill()
        await process.wait()


async def test_a_caller_that_begins_later_and_ends_is_followed_while_it_is_there() -> None:
    begun: list[int] = []
    async with MachineWatch(live=lambda: 0, caller=lambda: begun[0] if begun else None) as machine:
        await eventually(lambda: machine.samples)
        assert machine.samples[-1].caller is None
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
        begun.append(process.pid)
        await eventually(lambda: machine.samples[-1].caller is not None)
        await process.communicate(b"\n")
        await eventually(lambda: machine.samples[-1].caller is None)
