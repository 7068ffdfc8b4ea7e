"""A softphone that is not ours dials the same number: what our own caller tells of the engine and the PBX is not its fancy."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from baresip import Baresip, installed
from engine_here import EngineHere, broken, flows_for_tests, kept, serving
from peers import prompt

from ivrflow.engine.trace import Fact
from ivrflow.softphone.codecs import RATE, Samples
from tools.pbx import Pbx

GREETING = "gov12345/greeting_inbound.standard"
CONNECTED = "gov12345/silent_call.connected"
CHANGE_PHONE = "gov12345/silent_call.change_phone"
QUESTION = "house/collect.ask_number"

pytestmark = pytest.mark.skipif(not installed(), reason="baresip is not installed: make test installs baresip-core")


@pytest_asyncio.fixture(loop_scope="session")
async def engine(pbx: Pbx, tmp_path: Path) -> AsyncIterator[EngineHere]:
    async with serving(pbx, flows_for_tests()["gov12345"], tmp_path) as here:
        yield here


@pytest_asyncio.fixture(loop_scope="session")
async def baresip(pbx: Pbx, tmp_path: Path) -> AsyncIterator[Baresip]:
    settings = pbx.settings
    server = (settings.sip_bind, settings.sip_port)
    async with Baresip(tmp_path / "baresip", "caller", settings.password("caller"), server) as phone:
        yield phone


def matches(heard: Samples, played: Samples) -> tuple[float, float]:
    """How well `played` is found in `heard` (1: exactly), and at which second of it."""
    size = 1 << (len(heard) + len(played)).bit_length()
    sound, sought = heard.astype(np.float64), played.astype(np.float64)
    product = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(sought, size)), size)
    place = int(np.argmax(product[: len(heard)]))
    there = sound[place : place + len(sought)]
    sought = sought[: len(there)]
    likeness = float(there @ sought / np.sqrt(max(1.0, float(there @ there) * float(sought @ sought))))
    return likeness, place / RATE


def parts_heard(heard: Samples, played: Samples) -> float:
    """Share of the half seconds of a prompt that were heard: its jitter buffer may drop or repeat a packet between them."""
    half = RATE // 2
    parts = [played[start : start + half] for start in range(0, len(played) - half + 1, half)]
    return sum(matches(heard, part)[0] > 0.9 for part in parts) / len(parts)


async def test_it_hears_the_whole_silent_call_and_is_hung_up_on(
    engine: EngineHere, baresip: Baresip, pbx_prompts: Path
) -> None:
    await baresip.dial("12345")
    await baresip.until("CALL_ESTABLISHED", 10)
    closed = await baresip.until("CALL_CLOSED", 40)
    assert "peer" in closed["param"], "it should have been hung up on"
    session = await engine.until_fact(Fact.ENDED)
    assert kept(session) == {"gov12345/greeting_inbound", "gov12345/silent_call"}
    assert broken(session) == {}
    heard = await asyncio.to_thread(baresip.heard)
    sounds = {name: prompt(pbx_prompts, name) for name in (GREETING, CONNECTED, CHANGE_PHONE)}
    assert {name: parts_heard(heard, sound) for name, sound in sounds.items() if parts_heard(heard, sound) < 0.7} == {}
    begins = [matches(heard, sound[:RATE])[1] for sound in sounds.values()]
    assert begins == sorted(begins), "the phrases came in another order"
    assert parts_heard(heard, prompt(pbx_prompts, QUESTION)) < 0.2, "this test would hear anything"


async def test_its_key_leads_where_the_flow_says_and_it_may_hang_up_first(
    engine: EngineHere, baresip: Baresip, pbx_prompts: Path
) -> None:
    await baresip.dial("12345")
    await baresip.until("CALL_ESTABLISHED", 10)
    await engine.until_fact(Fact.PHRASE_STARTED, phrase=GREETING)
    await baresip.press("2")
    session = await engine.until_fact(Fact.PHRASE_ENDED, phrase=QUESTION)
    assert [line.key for line in session.trace if line.fact is Fact.KEY_PRESSED] == ["2"]
    await baresip.hang_up()
    await baresip.until("CALL_CLOSED", 10)
    await engine.until_fact(Fact.ENDED)
    assert session.first_to_hang_up == "caller"
    heard = await asyncio.to_thread(baresip.heard)
    assert parts_heard(heard, prompt(pbx_prompts, QUESTION)) > 0.5
    assert parts_heard(heard, prompt(pbx_prompts, GREETING)) < 0.7, "the key should have cut the greeting"
