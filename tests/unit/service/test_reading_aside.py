"""Reading the flows in another process: what comes back is what reading them here would give, or why there is none."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from served import stand_in

from ivrflow.flow.problems import FlowError
from ivrflow.service.reading_aside import ReadingFailed, load_for_service, read_aside
from ivrflow.settings import Settings, SettingsError, read_settings
from tools.places import CHECKOUT


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[Settings]:
    """Of an engine whose flows may be spoilt."""
    flows = tmp_path / "flows"
    shutil.copytree(CHECKOUT / "callflows", flows)
    async with stand_in(tmp_path, IVRFLOW_FLOWS=str(flows)) as environment:
        yield read_settings(environment)


async def test_the_flows_are_those_that_reading_them_here_gives(settings: Settings) -> None:
    here = load_for_service(settings)
    aside = await read_aside(settings)
    assert aside == here
    assert list(aside) == list(here)
    first, second = (aside[name].prompts.prompts for name in ("gov12345", "yunda"))
    shared = first.keys() & second.keys()
    assert shared
    assert all(first[key] is second[key] for key in shared), "what flows share is packed once"


async def test_everything_that_is_wrong_with_every_file_comes_back(settings: Settings) -> None:
    for name in ("gov12345", "yunda"):
        file = settings.flows / f"{name}.yaml"
        file.write_text(file.read_text(encoding="utf-8") + "\nno_such_key: 1\n", encoding="utf-8")
    with pytest.raises(FlowError) as here:
        load_for_service(settings)
    with pytest.raises(FlowError) as aside:
        await read_aside(settings)
    assert aside.value.problems == here.value.problems
    assert len({problem.where.file for problem in aside.value.problems if "no_such_key" in problem.message}) == 2


async def test_a_folder_that_is_gone(settings: Settings) -> None:
    shutil.rmtree(settings.flows)
    with pytest.raises(SettingsError, match="there is no file or folder"):
        await read_aside(settings)


@pytest.fixture
def others() -> set[psutil.Process]:
    """Processes of earlier tests: multiprocessing, once used, keeps one to the end."""
    return set(psutil.Process().children())


async def _reader(others: set[psutil.Process]) -> psutil.Process:
    """The process that reads, once it is there."""
    async with asyncio.timeout(30):
        while not (begun := set(psutil.Process().children()) - others):  # noqa: ASYNC110 - the system tells nobody of a new process
            await asyncio.sleep(0.005)
    (reader,) = begun
    return reader


async def test_a_reader_that_is_killed(settings: Settings, others: set[psutil.Process]) -> None:
    reading = asyncio.create_task(read_aside(settings))
    (await _reader(others)).send_signal(signal.SIGKILL)
    with pytest.raises(ReadingFailed, match="ended with code -9"):
        await reading


async def test_a_reader_that_takes_too_long_is_ended(
    settings: Settings, others: set[psutil.Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivrflow.service.reading_aside.LONGEST_S", 0.01)
    with pytest.raises(ReadingFailed, match="longer than"):
        await read_aside(settings)
    assert set(psutil.Process().children()) <= others


async def test_who_does_not_wait_leaves_no_reader_behind(settings: Settings, others: set[psutil.Process]) -> None:
    reading = asyncio.create_task(read_aside(settings))
    reader = await _reader(others)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert not reader.is_running()
