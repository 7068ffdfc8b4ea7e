"""The parts wired together: a call comes in, is served, is journaled; and what cannot start leaves nothing behind."""

import asyncio
from pathlib import Path

import pytest
from served import free_port, stand_in

from bench.stand_in import SilentCall
from ivrflow.app import Service
from ivrflow.runtime.journal_reader import JournalReader
from ivrflow.serve_commands import load_for_service
from ivrflow.settings import SettingsError, read_settings


async def ring(port: int, number: str) -> tuple[SilentCall, "asyncio.Future[SilentCall]"]:
    loop = asyncio.get_running_loop()
    over: asyncio.Future[SilentCall] = loop.create_future()
    _, call = await loop.create_connection(
        lambda: SilentCall(number, "pbx-1.1", 0.05, lambda _seconds: None, over.set_result), "127.0.0.1", port
    )
    return call, over


async def test_a_call_is_served_by_the_flow_of_its_number_and_journaled(tmp_path: Path) -> None:
    async with stand_in(tmp_path) as environment:
        settings = read_settings(environment)
        service = Service(settings, load_for_service(settings))
        await service.start()
        call, over = await ring(settings.agi_port, "12345")
        async with asyncio.timeout(10):
            while call.commands < 3:  # noqa: ASYNC110 - the stand-in counts what it was told; ANSWER, level, prompt
                await asyncio.sleep(0.01)
            assert service.switchboard.counts.live == 1
            call.hang_up()  # the stand-in breaks off without a word, as a dying PBX does
            await over
            await service.switchboard.drain(5)
        await service.stop(0)
    reader = JournalReader(settings.journal)
    (stored,) = reader.calls()
    reader.close()
    assert (stored.flow, stored.outcome, stored.ended_by) == ("gov12345", "line_lost", "")


async def test_a_number_nobody_serves_is_given_back_at_once(tmp_path: Path) -> None:
    async with stand_in(tmp_path) as environment:
        settings = read_settings(environment)
        service = Service(settings, load_for_service(settings))
        await service.start()
        call, over = await ring(settings.agi_port, "00000")
        async with asyncio.timeout(10):
            await over
        assert call.commands == 0
        await service.stop(0)


async def test_calls_left_when_it_stops_go_to_the_fallback(tmp_path: Path) -> None:
    async with stand_in(tmp_path) as environment:
        settings = read_settings(environment)
        service = Service(settings, load_for_service(settings))
        await service.start()
        call, over = await ring(settings.agi_port, "12345")
        async with asyncio.timeout(10):
            while call.commands < 2:  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.01)
            await service.stop(0.05)
            await over


async def test_what_cannot_start_leaves_no_task_and_no_thread(tmp_path: Path) -> None:
    async with stand_in(tmp_path, IVRFLOW_AMI_PORT=str(free_port())) as environment:
        tasks = asyncio.all_tasks()
        service = Service(read_settings(environment), {})
        with pytest.raises(SettingsError, match="manager"):
            await service.start()
        assert asyncio.all_tasks() == tasks
