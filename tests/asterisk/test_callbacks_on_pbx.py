"""Who asked to be called back is called, on the real PBX: after a try in vain, and after an engine that was killed."""

import asyncio
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from callback_journal import order, ordered
from conftest import Phones
from engine_here import serving
from one_pbx import no_channels_left

from ivrflow.engine.trace import Fact
from ivrflow.flow.model import CallFlow
from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex
from ivrflow.runtime.callbacks import RINGS_ON_S
from ivrflow.runtime.journal_callbacks import CallbackBook, StoredCallback
from ivrflow.softphone.softphone import BUSY, Answer, Refuse
from tools.engine import Engine
from tools.pbx import Pbx
from tools.places import CHECKOUT

RINGS_S = 4.0
"""So that a test need not wait for seven rings."""


@pytest.fixture
def callflows(tmp_path: Path) -> Path:
    """The flow as it is shipped, but it rings shorter, and at any hour."""
    folder = tmp_path / "callflows"
    (folder / "standards").mkdir(parents=True)
    for name in ("gov12345", "house"):
        shutil.copy(CHECKOUT / "callflows" / "standards" / f"{name}.yaml", folder / "standards")
    text = (CHECKOUT / "callflows" / "gov12345_callback.yaml").read_text()
    text, shorter = re.subn(r"(?m)^  ring_for: .*$", f"  ring_for: {RINGS_S:g}s", text, count=1)
    text, at_any_hour = re.subn(r"(?m)^  quiet: .*\n", "", text, count=1)
    assert (shorter, at_any_hour) == (1, 1)
    (folder / "gov12345_callback.yaml").write_text(text)
    return folder


@pytest.fixture
def flow(callflows: Path) -> CallFlow:
    catalogue = PromptIndex.load(CHECKOUT / "prompts").catalogue()
    return load_flows([callflows], catalogue)["gov12345_callback"]


@pytest.fixture
def masters(pbx_prompts: Path, tmp_path: Path) -> Path:
    """The recordings of this flow alone, in the formats the PBX plays."""
    assert pbx_prompts.exists()
    for name in ("gov12345", "house"):
        shutil.copytree(CHECKOUT / "prompts" / name, tmp_path / "masters" / name)
    return tmp_path / "masters"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Somebody asked for it two minutes ago, when 1002 rang us."""
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    now = time.time()
    wanted = order(
        caller="1002",
        flow="gov12345_callback",
        made_at=now - 120,
        due_at=now + 3600,
        tries=2,
        retry_after=1.0,
        values={},
    )
    ordered(url, "pbx-1.1", wanted, noted_at=now - 120)
    return url


async def stands(url: str, expected: Callable[[StoredCallback], bool], within_s: float = 30.0) -> StoredCallback:
    """The callback once it is as expected; another thread or process writes it, so it is looked at again and again."""
    book = CallbackBook(url)
    try:
        async with asyncio.timeout(within_s):
            while True:
                (callback,) = await asyncio.to_thread(book.listed)
                if expected(callback):
                    return callback
                await asyncio.sleep(0.1)
    finally:
        book.close()


async def test_busy_at_first_and_called_back_then(
    pbx: Pbx, phones: Phones, flow: CallFlow, url: str, tmp_path: Path
) -> None:
    manners: list[Refuse | Answer] = [BUSY, Answer(after_s=0.5)]
    phone = await phones.open("1002", on_call=lambda _: manners.pop(0))
    async with serving(pbx, flow, tmp_path) as engine:
        await stands(url, lambda callback: callback.tried == 1)
        await engine.until_fact(Fact.PHRASE_STARTED, within_s=40)
        kept = await stands(url, lambda callback: callback.state == "kept")
        await phone.calls[-1].hang_up()
        await engine.until_fact(Fact.ENDED)
    assert [one.outcome for one in kept.made] == ["busy", "answered"]
    assert len({one.call for one in kept.made}) == 2
    assert manners == []
    assert [session.outcome for session in engine.sessions] == ["busy", "caller_hung_up"]
    await no_channels_left(pbx)


async def test_an_engine_killed_while_it_rings_loses_nobody_and_rings_nobody_twice_at_once(
    pbx: Pbx, phones: Phones, callflows: Path, masters: Path, url: str
) -> None:
    here = {"IVRFLOW_JOURNAL": url, "IVRFLOW_FLOWS": str(callflows), "IVRFLOW_MASTERS": str(masters)}
    environment = {**pbx.engine_environment(), **here}
    phone = await phones.open("1002")
    killed = Engine(environment)
    await killed.start()
    first = await phone.next_call(within_s=20)
    killed.kill()
    await killed.stop()
    engine = Engine(environment)
    await engine.start()
    try:
        await first.ended  # Asterisk's own bound
        placed = await stands(url, lambda callback: callback.state == "placed")
        assert [one.outcome for one in placed.made] == [""], "what came of it nobody knows yet"
        second = await phone.next_call(within_s=RINGS_S + RINGS_ON_S + 30)
        second.answer()
        await second.wait_answered()
        kept = await stands(url, lambda callback: callback.state == "kept")
        await second.hang_up()
    finally:
        await engine.stop()
    assert [one.outcome for one in kept.made] == ["interrupted", "answered"]
    assert kept.tried == 1
    await no_channels_left(pbx)
