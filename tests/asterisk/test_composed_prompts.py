"""A phrase with values in it, played by the real PBX recording after recording: heard whole, cut, or left in the middle."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from conftest import Phones
from engine_here import EngineHere, flow_for_tests, serving, sounds

from ivrflow.engine.trace import Fact
from ivrflow.flow.model import CallFlow, Phrase
from ivrflow.scenario.observation import Heard
from ivrflow.scenario.pbx.hearing import hear_all
from ivrflow.softphone.call import Call
from ivrflow.softphone.codecs import RATE, Samples, codec
from ivrflow.softphone.ear import LOOK_EVERY_S, Began, Ear, Ended
from ivrflow.softphone.repertoire import Repertoire
from tools.pbx import Pbx
from tools.places import PROMPTS

GREETING = "gov12345/greeting_inbound.standard"
MENU = "house/menu.main"
CONNECTED = "gov12345/silent_call.connected"
VALUES = {"agent_id": "1024", "surname": "王", "honorific": "女士"}
TEXT = "您好，我的工号是{agent_id}{surname}{honorific}，有什么问题您可以拨打12345政府服务热线联系我们。"
PARTS = 5
LONGEST_GAP_S = 0.06
"""Seconds on the wire from the end of one recording to the beginning of the next; a listener notices none of it."""


@pytest.fixture(scope="module")
def flow(pbx_prompts: Path) -> CallFlow:
    """The hotline, greeting its callers by their names; spoken in the segments of one of its own phrases."""
    assert pbx_prompts.exists()
    flow = flow_for_tests("gov12345")
    plain = flow.phrases[GREETING]
    greeting = Phrase(
        GREETING,
        TEXT,
        plain.where,
        tuple(VALUES),
        plain.text,
        spoken_as={"agent_id": "digits", "surname": "name", "honorific": "words"},
    )
    return dataclasses.replace(flow, phrases={**flow.phrases, GREETING: greeting})


@pytest.fixture(scope="module")
def repertoire(flow: CallFlow) -> Repertoire:
    prompt = flow.prompts.best(flow.phrases[GREETING], VALUES)
    assert prompt is not None
    assert len(prompt.parts) == PARTS, "您好，我的工号是 + 幺零 + 二四 + 王女士 + ，有什么问题…"
    decoder = codec("ulaw")
    parts = [decoder.decode((PROMPTS / f"{part}.ulaw").read_bytes()) for part in prompt.parts]
    composed: Samples = np.concatenate(parts)
    assert len(composed) / RATE == pytest.approx(prompt.seconds, abs=0.001)
    return Repertoire({**sounds(flow), f"{GREETING}#with-values-1": composed})


@pytest_asyncio.fixture(loop_scope="session")
async def engine(pbx: Pbx, flow: CallFlow, tmp_path: Path) -> AsyncIterator[EngineHere]:
    """A serving engine that knows every caller; after the test it has no live call, no task and no connection left."""
    async with serving(pbx, flow, tmp_path) as here:
        connect = here.service.switchboard.connect

        def knowing(call: object) -> None:
            connect(call)  # type: ignore[arg-type]  # exactly what the switchboard is given
            here.sessions[-1]._values |= VALUES

        here.service.switchboard.connect = knowing  # type: ignore[method-assign]  # a look from outside
        yield here


async def heard_by(call: Call, repertoire: Repertoire) -> list[Heard]:
    assert call.answered_at is not None
    heard = await asyncio.to_thread(
        hear_all, call.recording, repertoire, likely=(GREETING, CONNECTED, MENU), answered_at=call.answered_at
    )
    return list(heard)


async def followed(call: Call, repertoire: Repertoire) -> list[Began | Ended]:
    """What an ear tells of the greeting while it is played."""
    assert call.answered_at is not None
    ear = Ear(call.recording, repertoire)
    ear.listen_for(GREETING, call.answered_at)
    told: list[Began | Ended] = []
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(30):
        while not (told and isinstance(told[-1], Ended)):
            if news := ear.look(loop.time()):
                told.append(news)
            await asyncio.sleep(LOOK_EVERY_S)
    return told


async def test_it_is_heard_whole_and_ends_once(phones: Phones, engine: EngineHere, repertoire: Repertoire) -> None:
    phone = await phones.open("caller")
    call = await phone.call("12345")
    began, ended = await followed(call, repertoire)
    session = await engine.until_fact(Fact.PHRASE_STARTED, phrase=CONNECTED)
    await call.hang_up()
    await engine.until_fact(Fact.ENDED)
    heard = await heard_by(call, repertoire)
    assert [(one.kind, one.name) for one in heard[:1]] == [("phrase", GREETING)]
    whole = len(repertoire.sounds[f"{GREETING}#with-values-1"]) / RATE
    greeting = heard[0]
    assert greeting.completeness > 0.95
    # A machine that stalls tears any phrase; more than that, but not much, is allowed it.
    assert greeting.end - greeting.start == pytest.approx(whole, abs=0.5)
    assert isinstance(began, Began)
    assert isinstance(ended, Ended)
    assert ended.completeness > 0.95
    assert [one.name for one in heard if one.kind == "unknown"] == []
    endings = [line for line in session.trace if line.fact is Fact.PHRASE_ENDED and line.phrase == GREETING]
    assert [line.detail for line in endings] == ["finished"]
    assert not [line for line in session.trace if line.fact is Fact.IGNORED]


async def test_between_its_recordings_there_is_no_gap(
    phones: Phones, engine: EngineHere, repertoire: Repertoire
) -> None:
    """Of three calls the best: a stalled machine makes gaps anywhere."""
    phone = await phones.open("caller")
    longest: list[float] = []
    for _ in range(3):
        call = await phone.call("12345")
        await engine.until_fact(Fact.WAIT_BEGUN)
        await call.hang_up()
        await engine.until_fact(Fact.ENDED)
        arrivals = [packet.arrival for packet in call.recording.packets()]
        greeting = (await heard_by(call, repertoire))[0]
        assert call.answered_at is not None
        first, last = call.answered_at + greeting.start, call.answered_at + greeting.end
        within = [arrival for arrival in arrivals if first <= arrival <= last]
        longest.append(max(after - before for before, after in pairwise(within)))
    assert min(longest) < 0.02 + LONGEST_GAP_S


async def test_speech_cuts_it_between_its_recordings_as_anywhere(
    phones: Phones, engine: EngineHere, repertoire: Repertoire
) -> None:
    phone = await phones.open("caller")
    call = await phone.call("12345")
    await engine.until_fact(Fact.PHRASE_STARTED, phrase=GREETING)
    speech = repertoire.sounds["house/night.greeting"][: 2 * RATE]
    await call.say(np.concatenate([np.zeros(RATE * 3 // 2, np.int16), speech]))
    session = await engine.until_fact(Fact.PHRASE_ENDED, phrase=MENU)
    await call.hang_up()
    await engine.until_fact(Fact.ENDED)
    heard = [one for one in await heard_by(call, repertoire) if one.kind == "phrase"]
    assert [one.name for one in heard] == [GREETING, MENU], "nothing of the rest is played after the cut"
    assert 0.1 < heard[0].completeness < 0.7
    (ending,) = [line for line in session.trace if line.fact is Fact.PHRASE_ENDED and line.phrase == GREETING]
    assert ending.detail.startswith("stopped")


async def test_a_hang_up_in_the_middle_leaves_nothing_behind(phones: Phones, engine: EngineHere) -> None:
    """That the engine is left without call, task, timer and line, and the PBX without channel, is seen at the end."""
    phone = await phones.open("caller")
    for wait_s in (0.0, 0.8, 1.6, 2.4):
        call = await phone.call("12345")
        session = await engine.until_fact(Fact.PHRASE_STARTED, phrase=GREETING)
        await asyncio.sleep(wait_s)  # any moment is to do
        await call.hang_up()
        await engine.until(lambda trace: trace[-1].fact is Fact.ENDED)
        assert session.first_to_hang_up == "caller"
        assert not [line for line in session.trace if line.fact is Fact.PHRASE_ENDED and line.detail == "finished"]
