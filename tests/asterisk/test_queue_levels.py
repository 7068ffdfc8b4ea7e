"""Who is asked when callers wait: the queue's next level, and what they are told of their place in it.

A whole engine and a PBX of this file's own, whose telephones ring for seconds and whose agents never rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from agents_here import AGENT_HZ, COLLEAGUE_HZ
from centre_here import SOON, Centre, hotline, open_centre
from one_pbx import own_settings
from peers import prompt

from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.flow.model import CallFlow
from ivrflow.softphone.audio_source import Tone
from ivrflow.softphone.call import Call
from ivrflow.softphone.codecs import Samples
from ivrflow.softphone.listening import recognise
from ivrflow.softphone.softphone import SoftPhone
from tools.pbx import Pbx
from tools.places import PROMPTS

RINGS_S, RETRY_S = 3, 1
"""How long the PBX's queues ring a telephone before the next, and the pause before that."""

SENIORS_AFTER_S = 8
LEVELS = {"queue: agents\n": f"queue: [{{queue: agents}}, {{queue: seniors, after: {SENIORS_AFTER_S}s}}]\n"}

PLACE = "house/queue.position"
PLACES = {
    "{after: 6s, say: house/hold.progress}": f"{{after: 2s, say: {PLACE}}}",
    "{every: 10s, say: house/fallback.apology}": f"{{every: 2s, say: {PLACE}}}",
}
NOBODY_THERE = "house/transfer.no_answer"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pbx(pbx_tree: Path, pbx_prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pbx]:
    """A PBX that rings each telephone for seconds."""
    state, recordings = tmp_path_factory.mktemp("pbx"), tmp_path_factory.mktemp("recordings")
    settings = own_settings(PBX_WRAPUP_SECONDS="0", PBX_AGENT_RING_SECONDS=str(RINGS_S))
    async with Pbx(state, settings, prompts=pbx_prompts, recordings=recordings, tree=pbx_tree) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def centre(pbx: Pbx, tmp_path: Path) -> AsyncIterator[Centre]:
    """An open call centre with two levels of agents; at its end nothing is left."""
    async with open_centre(pbx, hotline(tmp_path, changed=LEVELS), tmp_path) as centre:
        yield centre


@asynccontextmanager
async def ringing_on(phone: SoftPhone) -> AsyncIterator[list[Call]]:
    """Let that telephone ring, whoever calls; what has rung it."""
    rung: list[Call] = []

    async def listen() -> None:
        while True:
            rung.append(await phone.next_call(60))

    listening = asyncio.create_task(listen())
    try:
        yield rung
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def ringing_now(phone: SoftPhone) -> Call:
    """The call that rings a telephone now, after others that were taken back."""
    while True:
        call = await phone.next_call(SOON)
        await asyncio.wait({asyncio.ensure_future(call.ended)}, timeout=0.5)
        if call.end is None:
            return call


def lines(centre: Centre, *facts: Fact) -> list[TraceLine]:
    return [line for line in centre.engine.sessions[-1].trace if line.fact in facts]


def asked(centre: Centre) -> list[tuple[Fact, str]]:
    """The levels of the newest call, in order."""
    return [(line.fact, line.detail) for line in lines(centre, Fact.QUEUED, Fact.LEVEL_RAISED, Fact.LEVEL_KEPT)]


async def test_the_next_level_answers_and_the_first_is_rung_no_more(centre: Centre) -> None:
    await centre.log_in("1001")
    await centre.log_in("1002", queue="seniors")
    async with ringing_on(centre.phones["1001"]) as rung:
        await centre.call()
        await centre.presses("1", Fact.QUEUED)
        await centre.picks_up("1002", COLLEAGUE_HZ)
        await centre.joined("1002", COLLEAGUE_HZ)
        tried = len(rung)
        assert tried, "the first level was asked first"
        async with asyncio.timeout(SOON):
            for call in rung:
                await call.ended
        await asyncio.sleep(RINGS_S + RETRY_S + 1)  # that nobody rings is nothing but time that passes
        assert len(rung) == tried
    await centre.joined("1002", COLLEAGUE_HZ)
    assert asked(centre) == [(Fact.QUEUED, "agents"), (Fact.LEVEL_RAISED, "seniors")]
    queued, raised = lines(centre, Fact.QUEUED, Fact.LEVEL_RAISED)
    assert raised.at - queued.at >= SENIORS_AFTER_S - 0.01
    await centre.calls["caller"].hang_up()
    await centre.ends("1002")
    await centre.fact(Fact.ENDED)


async def test_where_nobody_is_logged_in_the_next_level_is_asked_at_once(centre: Centre) -> None:
    await centre.log_in("1002", queue="seniors")
    await centre.call()
    await centre.presses("1", Fact.QUEUED)
    await centre.picks_up("1002", COLLEAGUE_HZ)
    await centre.joined("1002", COLLEAGUE_HZ)
    assert asked(centre) == [(Fact.QUEUED, "agents"), (Fact.LEVEL_RAISED, "seniors")]
    queued, raised = lines(centre, Fact.QUEUED, Fact.LEVEL_RAISED)
    assert raised.at - queued.at < SENIORS_AFTER_S, "before its time"
    await centre.calls["1002"].hang_up()
    await centre.fact(Fact.STEP_ENTERED, step="rate")
    await centre.calls["caller"].hang_up()
    await centre.fact(Fact.ENDED)


async def test_a_level_without_anybody_leaves_the_caller_with_the_one_before(centre: Centre) -> None:
    await centre.log_in("1001")
    await centre.call()
    await centre.presses("1", Fact.QUEUED)
    await centre.fact(Fact.LEVEL_KEPT)
    centre.calls["1001"] = call = await ringing_now(centre.phones["1001"])
    call.source = Tone(AGENT_HZ, -20.0)
    call.answer()
    await centre.joined("1001", AGENT_HZ)
    assert asked(centre) == [(Fact.QUEUED, "agents"), (Fact.LEVEL_RAISED, "seniors"), (Fact.LEVEL_KEPT, "agents")]
    await centre.calls["caller"].hang_up()
    await centre.ends("1001")
    await centre.fact(Fact.ENDED)


async def test_nobody_at_any_level_is_nobody(centre: Centre) -> None:
    await centre.call()
    await centre.presses("1", Fact.PHRASE_STARTED, phrase=NOBODY_THERE)
    assert asked(centre) == [(Fact.QUEUED, "agents"), (Fact.LEVEL_RAISED, "seniors"), (Fact.LEVEL_KEPT, "agents")]
    assert [line.detail for line in lines(centre, Fact.AGENT_UNAVAILABLE)][-1] == "nobody"
    await centre.calls["caller"].hang_up()
    await centre.fact(Fact.ENDED)


# ── the place in the queue ────────────────────────────────────────────────────────────────────────────────────────────


def saying(flow: CallFlow, place: int) -> Samples:
    """The announcement of that place, and of one minute."""
    best = flow.prompts.best(flow.phrases[PLACE], {"queue_position": str(place), "queue_minutes": "1"})
    assert best is not None
    assert best.parts, "put together from recordings"
    said: Samples = np.concatenate([prompt(PROMPTS, part) for part in best.parts])
    return said


def without(flow: CallFlow) -> Samples:
    """The announcement while the PBX does not know both."""
    best = flow.prompts.best(flow.phrases[PLACE], {})
    assert best is not None
    return prompt(PROMPTS, best.file)


async def test_callers_hear_their_place_and_how_long_it_will_take(pbx: Pbx, tmp_path: Path) -> None:
    flow = hotline(tmp_path, changed=PLACES)
    async with open_centre(pbx, flow, tmp_path) as centre:
        await centre.log_in("1001")
        await centre.call()
        await centre.presses("1", Fact.QUEUED)
        async with asyncio.timeout(SOON):
            for _ in range(2):  # only of a queue whose callers have waited, the PBX reckons how long others will
                await (await centre.phones["1001"].next_call(SOON)).ended
        await centre.picks_up("1001", AGENT_HZ)
        await centre.joined("1001", AGENT_HZ)
        for name in ("second", "third"):
            await centre.call(name)
            await centre.presses("1", Fact.QUEUED, name=name)
        await centre.fact(Fact.PHRASE_ENDED, phrase=PLACE)
        await centre.calls["second"].hang_up()
        await centre.engine.until(
            lambda trace: any(line.fact is Fact.QUEUE_MOVED and line.detail == "position 1" for line in trace), SOON
        )
        moved_at = centre.engine.sessions[-1].trace[-1].at
        await centre.engine.until(
            lambda trace: any(
                line.fact is Fact.PHRASE_STARTED and line.phrase == PLACE and line.at > moved_at for line in trace
            ),
            SOON,
        )
        started = len(lines(centre, Fact.PHRASE_STARTED))
        await centre.engine.until(lambda trace: len([one for one in trace if one.fact is Fact.PHRASE_ENDED]) >= started)
        places = {str(place): saying(flow, place) for place in (1, 2, 3)} | {"unknown": without(flow)}
        heard = {
            name: [one.name for one in await asyncio.to_thread(recognise, centre.calls[name].recording, places)]
            for name in ("second", "third")
        }
    assert heard["second"][:1] == ["1"]
    assert heard["third"][0] == "2"
    # Who has waited longer by then than callers of this queue do, which is reckoned from all calls of the tests above, is
    # told no minutes any more.
    (*_, moved) = lines(centre, Fact.QUEUE_MOVED)
    first = "1" if moved.seconds else "unknown"
    assert heard["third"][-1] == first
    assert set(heard["third"]) == {first, "2"}
