"""The parts wired together: a call comes in, is served, is journaled; and what cannot start leaves nothing behind."""

import asyncio
import logging
import shutil
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from served import free_port, ring, stand_in

from bench.stand_in import SilentCall
from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.engine.messages import CallArrived, TaskDone
from ivrflow.engine.session import CallSession
from ivrflow.flow_files import load_flows
from ivrflow.runtime.journal_reader import CallSummary, JournalReader
from ivrflow.service.app import Service
from ivrflow.service.reading_aside import load_for_service
from ivrflow.settings import SettingsError, read_settings
from ivrflow.simulator.replay import replay


async def test_a_call_is_served_by_the_flow_of_its_number_and_journaled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stand_in(tmp_path) as environment:
        settings = read_settings(environment)
        service = Service(settings, load_for_service(settings))
        await service.start()
        call, over = await ring(settings.agi_port, "12345")
        async with asyncio.timeout(10):
            while call.commands < 3:  # noqa: ASYNC110 - the stand-in counts what it was told; ANSWER, level, prompt
                await asyncio.sleep(0.01)
            assert service.switchboard.counts.live == 1
            (line,) = service.exchange._lines.values()
            with monkeypatch.context() as patch:
                patch.setattr(CallSession, "task", 7)
                done = line.read(AmiEvent({"Order": "done"}))
                assert done == TaskDone(ticket=7), "an order that a task is done is read with what the session says"
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


async def test_who_rings_while_it_stops_gets_the_fallback_and_who_talks_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with stand_in(tmp_path) as environment:
        settings = read_settings(environment)
        service = Service(settings, load_for_service(settings))
        await service.start()
        live, live_over = await ring(settings.agi_port, "12345")
        async with asyncio.timeout(30):
            while live.commands < 2:  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.01)
            caplog.set_level(logging.INFO, "ivrflow")
            stopping = asyncio.create_task(service.stop(60))
            await asyncio.sleep(0)  # it begins
            assert "stopping: new callers get the fallback; calls that go on, for at most 60 s: 1" in caplog.text
            late, late_over = await ring(settings.agi_port, "12345", "pbx-1.2")
            await late_over
            assert late.commands == 0
            before = live.commands
            while live.commands == before:  # noqa: ASYNC110 - it is asked again, as if nothing had happened
                await asyncio.sleep(0.01)
            live.hang_up()
            await live_over
            await stopping
    assert "call pbx-1.2: the engine is stopping; the caller goes to the fallback" in caplog.text


async def test_what_cannot_start_leaves_no_task_and_no_thread(tmp_path: Path) -> None:
    async with stand_in(tmp_path, IVRFLOW_AMI_PORT=str(free_port())) as environment:
        tasks = asyncio.all_tasks()
        service = Service(read_settings(environment), {})
        with pytest.raises(SettingsError, match="manager"):
            await service.start()
        assert asyncio.all_tasks() == tasks


async def test_what_never_started_can_be_stopped(tmp_path: Path) -> None:
    async with stand_in(tmp_path) as environment:
        tasks = asyncio.all_tasks()
        service = Service(read_settings(environment), {})
        await service.stop(0)
        assert asyncio.all_tasks() == tasks


# ── the local time of a test call ─────────────────────────────────────────────────────────────────────────────────────

NIGHT = "2026-11-20T23:30"


class TestersCall(SilentCall):
    """A silent caller whose INVITE says when it arrives."""

    __test__ = False  # it is no test, whatever it is called

    def __init__(self, at: str, on_over: Callable[[SilentCall], None]) -> None:
        super().__init__("12345", "pbx-1.1", 0.05, lambda _seconds: None, on_over)
        self.at = at
        self.asked = 0
        self.steps = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        if b"PJSIP_HEADER" in data:
            assert data == b'GET VARIABLE "PJSIP_HEADER(read,X-Ivrflow-At)"\n', "nothing else is sent before its answer"
            self.asked += 1
            self._transport.write(f"200 result=1 ({self.at})\n".encode() if self.at else b"200 result=0\n")
            return
        super().data_received(data)
        if b"STREAM FILE" in data:
            self.steps.set()


async def place(tmp_path: Path, at: str, **changed: str) -> tuple[TestersCall, CallArrived, CallSummary]:
    """A call that says it arrives then: the caller, what the engine was told, and what the journal says."""
    async with stand_in(tmp_path, **changed) as environment:
        settings = read_settings(environment)
        flows = load_for_service(settings)
        service = Service(settings, flows)
        await service.start()
        loop = asyncio.get_running_loop()
        over: asyncio.Future[SilentCall] = loop.create_future()
        _, caller = await loop.create_connection(
            lambda: TestersCall(at, over.set_result), "127.0.0.1", settings.agi_port
        )
        async with asyncio.timeout(10):
            await caller.steps.wait()
            caller.hang_up()
            await over
            await service.switchboard.drain(5)
        await service.stop(0)
    reader = JournalReader(settings.journal)
    stored = reader.call("last")
    reader.close()
    arrived = stored.happenings[0].event
    assert isinstance(arrived, CallArrived)
    assert replay(flows["gov12345"], stored.happenings).parting is None
    return caller, arrived, stored.summary


async def test_a_test_call_arrives_when_it_says_and_is_journaled_when_it_came(tmp_path: Path) -> None:
    began = time.time()
    caller, arrived, summary = await place(tmp_path, NIGHT, IVRFLOW_TEST_CALLS="yes")
    assert caller.asked == 1
    assert datetime.fromtimestamp(arrived.arrived_at, ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%dT%H:%M") == NIGHT
    assert began <= summary.arrived_at <= time.time(), "old calls are deleted from the journal: this one is not old"


@pytest.mark.parametrize("at", ["", "tomorrow", "2026-11-20T23:30+08:00", "0001-01-01T00:00"])
async def test_a_test_call_that_names_no_time_arrives_now(
    tmp_path: Path, at: str, caplog: pytest.LogCaptureFixture
) -> None:
    began = time.time()
    caller, arrived, _ = await place(tmp_path, at, IVRFLOW_TEST_CALLS="yes")
    assert caller.asked == 1
    assert began <= arrived.arrived_at <= time.time()
    told = [record.getMessage() for record in caplog.records if "now counts" in record.getMessage()]
    assert told == (
        ["call pbx-1.1: the local time it asks for is none such as 2026-11-20T10:00; now counts"] if at else []
    )


async def test_real_calls_are_not_asked_when_they_arrive(tmp_path: Path) -> None:
    began = time.time()
    caller, arrived, summary = await place(tmp_path, NIGHT)
    assert caller.asked == 0
    assert began <= arrived.arrived_at == summary.arrived_at <= time.time()


async def test_a_broken_holiday_file_is_logged_once_and_calls_are_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flows = tmp_path / "flows"
    shutil.copytree(Path(__file__).parents[2] / "calls" / "calendar" / "flows", flows)
    (flows / "holidays.yaml").write_text("until: 2027-02-30\nreason: r\n", encoding="utf-8")
    async with stand_in(tmp_path) as environment:
        settings = read_settings(environment)
        service = Service(settings, load_flows([flows]))
        await service.start()
        call, over = await ring(settings.agi_port, "2999")
        async with asyncio.timeout(10):
            while call.commands < 2:  # noqa: ASYNC110 - the stand-in counts what it was told: it is answered
                await asyncio.sleep(0.01)
            call.hang_up()
            await over
            await service.switchboard.drain(5)
        await service.stop(0)
    message = "the holiday file is not used: there is no 2027-02-30; the published holidays count alone"
    hint = "the month has no such day; look at the notice again"
    told = [record.getMessage() for record in caplog.records if "the holiday file" in record.getMessage()]
    assert told == [f"{flows}/holidays.yaml:1:8: {message} ({hint})"]
