"""Somebody hangs up, or vanishes, at the worst moment of a call with agents: nothing stuck, nothing left behind.

A whole engine and a PBX of this file's own, which misses a vanished telephone after seconds and lets no agent rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from agents_here import AGENT_HZ, COLLEAGUE_HZ
from breakable_wire import BreakableWire
from centre_here import SOON, Centre, deaf_server, hotline, open_centre
from one_pbx import own_settings
from peers import has_heard_words, prompt
from recorded_here import beep_heard

from ivrflow.engine.trace import Fact
from ivrflow.softphone.audio_source import Silence, Tone
from ivrflow.softphone.call import Call
from tools.pbx import Pbx
from tools.places import PROMPTS

VANISHED_S, VANISHED_HOLDING_S = 2, 4
"""After how many seconds without audio the PBX of this file misses a telephone."""

RINGS_S = 3
"""How long its queues ring a telephone before the next."""

MESSAGE_ASKED = "house/collect.ask_number"
SURVEY_ASKED = "house/menu.person"
WHISPER = "house/night.greeting"
CAME_BACK = "house/menu.invalid"
NOBODY_THERE = "house/transfer.no_answer"
NOISE = "noise.change_phone.alt1"


# ── a call centre ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pbx(pbx_tree: Path, pbx_prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pbx]:
    """A PBX that misses vanished telephones soon."""
    state, recordings = tmp_path_factory.mktemp("pbx"), tmp_path_factory.mktemp("recordings")
    settings = own_settings(
        PBX_RTP_TIMEOUT=str(VANISHED_S),
        PBX_RTP_TIMEOUT_HOLD=str(VANISHED_HOLDING_S),
        PBX_WRAPUP_SECONDS="0",
        PBX_AGENT_RING_SECONDS=str(RINGS_S),
    )
    async with Pbx(state, settings, prompts=pbx_prompts, recordings=recordings, tree=pbx_tree) as running:
        yield running


# ── where the call stands when it happens ─────────────────────────────────────────────────────────────────────────────


async def queued(centre: Centre) -> None:
    await centre.log_in("1001")
    await centre.call()
    await centre.presses("1", Fact.QUEUED)


async def ringing(centre: Centre) -> None:
    await queued(centre)
    centre.calls["1001"] = await centre.phones["1001"].next_call(SOON)


async def talking(centre: Centre) -> None:
    await queued(centre)
    await centre.picks_up("1001", AGENT_HZ)
    await centre.joined("1001", AGENT_HZ)


async def held(centre: Centre) -> None:
    await talking(centre)
    await centre.calls["1001"].hold()
    await centre.fact(Fact.AGENT_HOLDS)


async def warned(centre: Centre) -> None:
    """An agent-started situation: both hear a phrase, apart."""
    await talking(centre)
    await centre.calls["1001"].press("*21")
    await centre.fact(Fact.PHRASE_STARTED, phrase=f"yunda/{NOISE}")


async def handing_over(centre: Centre) -> None:
    """The colleague's telephone rings, the caller hears music, the agent waits."""
    await talking(centre)
    await centre.phone("1002")
    await centre.calls["1001"].press("*70")
    centre.calls["1002"] = await centre.phones["1002"].next_call(SOON)


async def whispering(centre: Centre) -> None:
    """The colleague has answered and is told who comes."""
    await talking(centre)
    await centre.phone("1002")
    await centre.calls["1001"].press("*70")
    await centre.picks_up("1002", COLLEAGUE_HZ)
    await centre.fact(Fact.PHRASE_STARTED, phrase=WHISPER)


async def scoring(centre: Centre) -> None:
    await talking(centre)
    await centre.calls["1001"].hang_up()
    await centre.fact(Fact.PHRASE_STARTED, phrase=SURVEY_ASKED)


async def recording(centre: Centre) -> None:
    """The caller speaks after the tone."""
    await centre.call()
    await centre.presses("2", Fact.PHRASE_ENDED, phrase=MESSAGE_ASKED)
    await beep_heard(centre.calls["caller"])
    await asyncio.sleep(1.0)  # something is said


async def looking_up(centre: Centre) -> None:
    await centre.call()
    await centre.presses("3", Fact.ENQUIRED)
    async with asyncio.timeout(SOON):
        while not centre.engine.service.enquiries.count:  # noqa: ASYNC110 -- nobody is told
            await asyncio.sleep(0.02)


@pytest_asyncio.fixture(loop_scope="session")
async def centre(pbx: Pbx, tmp_path: Path) -> AsyncIterator[Centre]:
    """An open call centre; at its end nothing is left."""
    async with deaf_server() as port, open_centre(pbx, hotline(tmp_path, port), tmp_path) as centre:
        yield centre


# ── the caller ────────────────────────────────────────────────────────────────────────────────────────────────────────

Moment = Callable[[Centre], Awaitable[None]]

AT_ANY_MOMENT: list[Moment] = [
    *(queued, ringing, talking, held, warned, handing_over, whispering, scoring, recording, looking_up)
]
IN_A_TALK: list[Moment] = [talking, held, warned, handing_over, whispering]


def named(moment: Moment) -> str:
    return moment.__name__


@pytest.mark.parametrize("vanishes", [False, True], ids=["hangs up", "vanishes"])
@pytest.mark.parametrize("moment", AT_ANY_MOMENT, ids=named)
async def test_a_caller_who_leaves(moment: Moment, vanishes: bool, centre: Centre) -> None:
    await moment(centre)
    others = [account for account in centre.calls if account != "caller" and centre.calls[account].end is None]
    first = "caller" if moment is not scoring else "agent"
    if vanishes:
        centre.wires["caller"].is_cut = True
    else:
        centre.calls["caller"].hang_up_now()
    await centre.fact(Fact.CALLER_HUNG_UP)
    await centre.ends(*others)
    session = centre.engine.sessions[-1]
    assert (session.is_over, session.outcome, session.first_to_hang_up) == (True, "caller_hung_up", first)
    if moment is recording:  # who leaves while speaking has left a message
        await message_left(centre.pbx)
    else:
        assert list((centre.pbx.recordings / "messages").rglob("*.wav")) == []


async def message_left(pbx: Pbx) -> None:
    """Wait until one message is kept."""
    async with asyncio.timeout(5):
        while len(list((pbx.recordings / "messages").rglob("*.wav"))) != 1:  # noqa: ASYNC110 -- no file system tells
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("first", ["caller", "agents"])
@pytest.mark.parametrize("moment", IN_A_TALK, ids=named)
async def test_all_hang_up_in_the_same_instant(moment: Moment, first: str, centre: Centre) -> None:
    await moment(centre)
    for _, call in sorted(centre.calls.items(), reverse=first == "caller"):
        call.hang_up_now()
    await centre.fact(Fact.CALLER_HUNG_UP)
    await centre.ends(*centre.calls)
    session = centre.engine.sessions[-1]
    assert (session.is_over, session.outcome) == (True, "caller_hung_up")


@pytest.mark.parametrize("moment", [ringing, talking, held, warned, handing_over, whispering], ids=named)
async def test_a_caller_who_leaves_while_the_manager_connection_is_away(
    moment: Moment, pbx: Pbx, tmp_path: Path
) -> None:
    async with (
        BreakableWire(pbx.settings.ami_bind, pbx.settings.ami_port) as wire,
        open_centre(
            pbx, hotline(tmp_path), tmp_path, IVRFLOW_AMI_HOST="127.0.0.1", IVRFLOW_AMI_PORT=str(wire.port)
        ) as centre,
    ):
        await moment(centre)
        agents = [account for account in centre.calls if account != "caller"]
        wire.cut()
        await centre.fact(Fact.HEARING_LOST)
        centre.calls["caller"].hang_up_now()
        await centre.fact(Fact.CALLER_HUNG_UP)
        if moment is not ringing:  # whom the caller talked with, and who was spoken to, is let go without the manager
            await centre.ends("1001")
        async with asyncio.timeout(SOON):
            await wire.refused.wait()
        wire.mend()
        await centre.ends(*agents)


async def test_an_agent_who_picks_up_while_the_manager_connection_is_away_is_joined_when_it_is_back(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with (
        BreakableWire(pbx.settings.ami_bind, pbx.settings.ami_port) as wire,
        open_centre(
            pbx, hotline(tmp_path), tmp_path, IVRFLOW_AMI_HOST="127.0.0.1", IVRFLOW_AMI_PORT=str(wire.port)
        ) as centre,
    ):
        await ringing(centre)
        wire.cut()
        await centre.fact(Fact.HEARING_LOST)
        centre.calls["1001"].source = Tone(AGENT_HZ, -20.0)
        centre.calls["1001"].answer()
        await centre.calls["1001"].wait_answered()
        async with asyncio.timeout(SOON):
            await wire.refused.wait()
        wire.mend()
        await centre.joined("1001", AGENT_HZ)
        assert [line.detail for line in centre.engine.sessions[-1].trace if line.fact is Fact.AGENT_ANSWERED] == [
            "1001"
        ]
        await centre.calls["1001"].press("*21")
        await centre.fact(Fact.PHRASE_STARTED, phrase=f"yunda/{NOISE}")
        await centre.calls["caller"].hang_up()
        await centre.ends("1001")


# ── the agent ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("vanishes", [False, True], ids=["hangs up", "vanishes"])
@pytest.mark.parametrize("moment", [talking, held], ids=named)
async def test_an_agent_who_leaves_never_drops_the_caller(moment: Moment, vanishes: bool, centre: Centre) -> None:
    await moment(centre)
    if vanishes:
        centre.wires["1001"].is_cut = True
    else:
        centre.calls["1001"].hang_up_now()
    await centre.fact(Fact.PHRASE_STARTED, phrase=SURVEY_ASKED)
    assert centre.calls["caller"].is_up
    await centre.calls["caller"].press("1")
    await centre.fact(Fact.SCORED)
    await centre.calls["caller"].hang_up()
    await centre.fact(Fact.ENDED)
    assert centre.engine.sessions[-1].first_to_hang_up == "agent"


@pytest.mark.parametrize("vanishes", [False, True], ids=["hangs up", "vanishes"])
async def test_a_situation_goes_on_without_the_agent_who_started_it(vanishes: bool, centre: Centre) -> None:
    """Its ladder needs nobody; what comes of it is the standard's."""
    await warned(centre)
    if vanishes:
        centre.wires["1001"].is_cut = True
    else:
        centre.calls["1001"].hang_up_now()
    await centre.fact(Fact.AGENT_LEFT)
    await centre.engine.until_fact(Fact.ENDED, within_s=60)
    session = centre.engine.sessions[-1]
    assert (session.outcome, len([line for line in session.trace if line.fact is Fact.AGENT_LEFT])) == ("hung_up", 1)
    assert len([line for line in session.trace if line.fact is Fact.PHRASE_ENDED and line.phrase.endswith(NOISE)]) == 3


@pytest.mark.parametrize("vanishes", [False, True], ids=["hangs up", "vanishes"])
@pytest.mark.parametrize("moment", [handing_over, whispering], ids=named)
async def test_an_agent_who_leaves_while_handing_over_leaves_the_caller_to_the_colleague(
    moment: Moment, vanishes: bool, centre: Centre
) -> None:
    await moment(centre)
    if vanishes:
        centre.wires["1001"].is_cut = True
    else:
        centre.calls["1001"].hang_up_now()
    if moment is handing_over:
        centre.calls["1002"].source = Tone(COLLEAGUE_HZ, -20.0)
        centre.calls["1002"].answer()
    await centre.joined("1002", COLLEAGUE_HZ)
    await centre.calls["1002"].hang_up()
    await centre.fact(Fact.PHRASE_STARTED, phrase=SURVEY_ASKED)
    await centre.calls["caller"].hang_up()
    await centre.fact(Fact.ENDED)


@pytest.mark.parametrize("how", ["hangs up", "vanishes", "signs off"])
@pytest.mark.parametrize("moment", [handing_over, whispering], ids=named)
async def test_a_colleague_who_leaves_gives_the_caller_back_to_the_agent(
    moment: Moment, how: str, centre: Centre
) -> None:
    await moment(centre)
    if how == "hangs up":
        centre.calls["1002"].hang_up_now()
    elif how == "vanishes":
        centre.wires["1002"].is_cut = True
    else:
        await centre.phones["1002"].close()
    await centre.fact(Fact.PHRASE_STARTED, phrase=CAME_BACK)
    await centre.joined("1001", AGENT_HZ)
    await centre.calls["caller"].hang_up()
    await centre.ends("1001")
    await centre.fact(Fact.ENDED)


# ── an agent who is being rung by a queue ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", ["declines", "vanishes", "signs off", "logs out"])
async def test_an_agent_who_leaves_while_being_rung_by_a_queue_leaves_the_caller_to_the_next(
    how: str, centre: Centre
) -> None:
    await ringing(centre)
    await centre.log_in("1002")
    if how == "declines":
        centre.calls["1001"].decline()
    elif how == "vanishes":
        centre.wires["1001"].is_cut = True
    elif how == "signs off":
        await centre.phones["1001"].close()
    else:
        await centre.log_out("1001")
    await centre.picks_up("1002", COLLEAGUE_HZ)
    await centre.joined("1002", COLLEAGUE_HZ)
    await centre.calls["caller"].hang_up()
    await centre.ends("1002")


async def test_who_lets_it_ring_is_not_rung_again_before_the_others(centre: Centre) -> None:
    """Somebody who has gone from the desk does not keep the callers to himself."""
    await centre.log_in("1001", "1002")
    await centre.call()
    await centre.presses("1", Fact.QUEUED)
    rung: list[str] = []
    arrivals = {
        name: asyncio.ensure_future(phone.next_call(SOON)) for name, phone in centre.phones.items() if name != "caller"
    }
    async with asyncio.timeout(SOON):
        while len(rung) < 4:
            await asyncio.wait(arrivals.values(), return_when=asyncio.FIRST_COMPLETED)
            for name, arrival in arrivals.items():
                if arrival.done():
                    centre.calls[name] = arrival.result()
                    rung.append(name)
                    arrivals[name] = asyncio.ensure_future(centre.phones[name].next_call(SOON))
    for arrival in arrivals.values():
        arrival.cancel()
    assert rung[:2] in (["1001", "1002"], ["1002", "1001"]), rung
    assert rung[2:] == rung[:2]


async def test_the_only_agent_signing_off_while_being_rung_leaves_nobody(centre: Centre) -> None:
    await ringing(centre)
    await centre.phones["1001"].close()
    await centre.fact(Fact.PHRASE_STARTED, phrase=NOBODY_THERE)
    assert "nobody" in [line.detail for line in centre.engine.sessions[-1].trace if line.fact is Fact.AGENT_UNAVAILABLE]
    await centre.calls["caller"].hang_up()
    await centre.fact(Fact.ENDED)


# ── the engine stops ──────────────────────────────────────────────────────────────────────────────────────────────────


async def gets_the_fallback(call: Call) -> None:
    """Wait until that caller hears the fallback's apology."""
    await has_heard_words(call, prompt(PROMPTS, "house/fallback.apology"), 0.3)


@pytest.mark.parametrize("moment", [queued, talking, held, warned, handing_over, recording, looking_up], ids=named)
async def test_an_engine_that_stops_lets_calls_end_in_peace_and_takes_no_new_ones(
    moment: Moment, centre: Centre
) -> None:
    await moment(centre)
    stopping = asyncio.create_task(centre.engine.service.stop(60))
    await asyncio.sleep(0)  # it begins
    late = await centre.phones["caller"].call("7000")
    await gets_the_fallback(late)
    await late.hang_up()
    assert not stopping.done()
    assert len(centre.engine.sessions) == 1
    match moment.__name__:
        case "queued":
            await centre.picks_up("1001", AGENT_HZ)
        case "held":
            await centre.calls["1001"].resume()
        case "warned":
            await centre.calls["1001"].press("*80")  # taken back
        case "handing_over":
            centre.calls["1002"].decline()
            await centre.fact(Fact.PHRASE_STARTED, phrase=CAME_BACK)
        case "recording":
            centre.calls["caller"].source = Silence()
            await centre.fact(Fact.MESSAGE_KEPT)
            await message_left(centre.pbx)
        case _:
            pass
    if "1001" in centre.calls:
        await centre.joined("1001", AGENT_HZ)
    await centre.calls["caller"].hang_up()
    async with asyncio.timeout(SOON):
        await stopping


@pytest.mark.parametrize("moment", [held, warned, handing_over, whispering, recording, looking_up], ids=named)
async def test_when_its_time_is_up_callers_get_the_fallback_and_agents_apart_from_them_are_let_go(
    moment: Moment, centre: Centre
) -> None:
    await moment(centre)
    async with asyncio.timeout(SOON):
        await centre.engine.service.stop(0.5)
    await centre.ends(*(account for account in centre.calls if account != "caller"))
    await gets_the_fallback(centre.calls["caller"])
    await centre.calls["caller"].hang_up()
