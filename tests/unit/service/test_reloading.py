"""A reload: all of it or nothing, one after the other, and calls that run keep what they began with."""

import asyncio
import logging
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from served import ring, stand_in
from small_flows import flow, say

from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import FlowError, Location, Problem
from ivrflow.runtime.journal_reader import JournalReader
from ivrflow.service.app import Service
from ivrflow.service.reading_aside import ReadingFailed, load_for_service
from ivrflow.service.reloading import Reloading
from ivrflow.settings import SettingsError, read_settings
from tools.places import CHECKOUT

ONE = replace(flow(say("start")), id="one", numbers=("1",))
TWO = replace(flow(say("start")), id="two", numbers=("2", "22"))
THREE = replace(flow(say("start")), id="three", numbers=("2",))
PROBLEMS = (
    Problem(Location("a.yaml", 1, 2), "this is wrong", "mend it"),
    Problem(Location("b.yaml", 3, 4), "that too"),
)


class Served:
    """Flows served, and what the next reading gives."""

    def __init__(self, *flows: CallFlow) -> None:
        self.flows: Mapping[str, CallFlow] = {each.id: each for each in flows}
        self.next: list[Mapping[str, CallFlow] | Exception] = []
        self.under_way = 0
        self.reloading = Reloading(self.read, lambda: self.flows, self.use, lambda: 3)

    async def read(self) -> Mapping[str, CallFlow]:
        self.under_way += 1
        assert self.under_way == 1, "one at a time"
        await asyncio.sleep(0)
        self.under_way -= 1
        result = self.next.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    def use(self, flows: Mapping[str, CallFlow]) -> None:
        self.flows = flows


async def test_what_changed_is_told() -> None:
    served = Served(ONE, TWO)
    new = {"one": replace(ONE, title="another title"), "three": THREE}
    served.next = [new]
    assert await served.reloading.reload() == [
        "new: three; changed: one; gone: two",
        "callers of 22 get the fallback: no flow serves that any more",
        "calls that run keep the flow they began with: 3",
    ]
    assert served.flows is new


async def test_nothing_changed() -> None:
    served = Served(ONE, TWO)
    served.next = [dict(served.flows)]
    assert (await served.reloading.reload())[0] == "as before: 2 flows"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FlowError(PROBLEMS), ["reload: a.yaml:1:2: this is wrong; hint: mend it", "reload: b.yaml:3:4: that too"]),
        (SettingsError("2 prompts have no files", "more"), ["reload: 2 prompts have no files", "reload: more"]),
        (ReadingFailed("it took too long"), ["reload: it took too long"]),
    ],
)
async def test_what_is_broken_changes_nothing(
    error: Exception, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    served = Served(ONE)
    before = served.flows
    served.next = [error, {"two": TWO}]
    with pytest.raises(type(error)):
        await served.reloading.reload()
    assert served.flows is before
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == [*told, "reload refused; the old flows stay"]
    await served.reloading.reload()
    assert list(served.flows) == ["two"], "the next one is not held up by it"


async def test_several_at_once_are_done_one_after_the_other() -> None:
    served = Served(ONE)
    served.next = [{"two": TWO}, {"one": ONE}, FlowError(PROBLEMS)]
    answers = await asyncio.gather(*(served.reloading.reload() for _ in range(3)), return_exceptions=True)
    assert [answer if isinstance(answer, BaseException) else answer[0] for answer in answers[:2]] == [
        "new: two; gone: one",
        "new: one; gone: two",
    ]
    assert isinstance(answers[2], FlowError)
    assert list(served.flows) == ["one"]


async def test_a_running_call_keeps_its_flow_and_a_new_one_gets_the_new(tmp_path: Path) -> None:
    flows = tmp_path / "flows"
    shutil.copytree(CHECKOUT / "callflows", flows)
    async with stand_in(tmp_path, IVRFLOW_FLOWS=str(flows)) as environment:
        settings = read_settings(environment)
        service = Service(settings, load_for_service(settings))
        await service.start()
        old = service.flows_by_id["gov12345"]
        first, first_over = await ring(settings.agi_port, "12345")
        async with asyncio.timeout(60):
            while not service.switchboard.live:  # noqa: ASYNC110 - the stand-in is not told when it is connected
                await asyncio.sleep(0.01)
            (running,) = service.switchboard.live
            file = flows / "gov12345.yaml"
            file.write_text(file.read_text(encoding="utf-8").replace('"12345"', '"54321"'), encoding="utf-8")
            told = await service.reloading.reload()
            assert told == [
                f"changed: gov12345; as before: {len(service.flows_by_id) - 1} flows",
                "callers of 12345 get the fallback: no flow serves that any more",
                "calls that run keep the flow they began with: 1",
            ]
            assert running.session.flow is old
            assert service.flows_by_id["gov12345"] is not old
            refused, refused_over = await ring(settings.agi_port, "12345", "pbx-1.2")
            await refused_over
            assert refused.commands == 0
            second, second_over = await ring(settings.agi_port, "54321", "pbx-1.3")
            while len(service.switchboard.live) < 2:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
            assert service.switchboard.live[1].session.flow is service.flows_by_id["gov12345"]
            second.hang_up()
            await second_over
            before = first.commands
            while first.commands == before:  # noqa: ASYNC110 - the running call goes on: the silent caller is asked
                await asyncio.sleep(0.01)
            first.hang_up()
            await first_over
            await service.switchboard.drain(5)
        await service.stop(0)
    reader = JournalReader(settings.journal)
    assert [(stored.call, stored.flow) for stored in reader.calls()] == [
        ("pbx-1.3", "gov12345"),
        ("pbx-1.1", "gov12345"),
    ]
    reader.close()


async def test_a_number_that_two_flows_claim_refuses_the_reload(tmp_path: Path) -> None:
    flows = tmp_path / "flows"
    shutil.copytree(CHECKOUT / "callflows", flows)
    async with stand_in(tmp_path, IVRFLOW_FLOWS=str(flows)) as environment:
        settings = read_settings(environment)
        service = Service(settings, load_for_service(settings))
        await service.start()
        before = service.flows
        copy = (flows / "gov12345.yaml").read_text(encoding="utf-8").replace("flow: gov12345\n", "flow: second\n")
        (flows / "second.yaml").write_text(copy, encoding="utf-8")
        with pytest.raises(FlowError, match="this number leads to the flow 'gov12345' already"):
            await service.reloading.reload()
        assert service.flows is before
        await service.stop(0)
