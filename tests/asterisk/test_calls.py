"""Real calls: a SIP phone rings the real PBX, the engine drives the call, and what counts is what the phone heard."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from conftest import Phones
from engine_here import EngineHere, broken, flows_for_tests, heard_by, kept, serving, sounds

from ivrflow.engine.messages import CallerHungUp
from ivrflow.engine.trace import Fact
from ivrflow.flow.model import CallFlow
from ivrflow.softphone.audio_source import ComfortNoise, Noise, NoRtp, Silence, Tone
from ivrflow.softphone.call import Call
from ivrflow.softphone.codecs import RATE, Samples
from ivrflow.softphone.softphone import Refuse
from tools.pbx import Pbx

GREETING = "gov12345/greeting_inbound.standard"
CONNECTED = "gov12345/silent_call.connected"
CHANGE_PHONE = "gov12345/silent_call.change_phone"
MENU = "house/menu.main"
ANYTHING_ELSE = "gov12345/anything_else.ask"
SURVEY = "gov12345/closing.survey"
AWAY = "house/transfer.no_answer"
NOBODY_THERE = "house/queue.nobody"
CHOICE = "house/message.choice"


@pytest.fixture(scope="session")
def flow() -> CallFlow:
    return flows_for_tests()["gov12345"]


@pytest.fixture(scope="session")
def audio(flow: CallFlow, pbx_prompts: Path) -> dict[str, Samples]:
    assert pbx_prompts.exists()
    return sounds(flow)


@pytest_asyncio.fixture(loop_scope="session")
async def engine(pbx: Pbx, flow: CallFlow, tmp_path: Path) -> AsyncIterator[EngineHere]:
    """A serving engine; after the test it must have no live call, no task and no connection left."""
    async with serving(pbx, flow, tmp_path) as here:
        yield here


def loud(samples: Samples, gain: float = 1.0) -> Samples:
    louder: Samples = np.clip(samples * gain, -32768, 32767).astype(np.int16)
    return louder


async def names(call: Call, audio: dict[str, Samples]) -> list[str]:
    return [prompt.name for prompt in await heard_by(call, audio)]


SILENCES = (Silence(), NoRtp(), ComfortNoise(), Noise(-50.0))


async def test_a_silent_caller_meets_the_ladder_whatever_silence_is_made_of(
    phones: Phones, engine: EngineHere, audio: dict[str, Samples]
) -> None:
    phone = await phones.open("caller")
    calls = [await phone.call("12345", source=source) for source in SILENCES]
    async with asyncio.timeout(40):
        ends = [await call.ended for call in calls]
    assert {end.by for end in ends} == {"peer"}
    for call in calls:
        heard = await heard_by(call, audio)
        assert [prompt.name for prompt in heard] == [GREETING, CONNECTED, CHANGE_PHONE]
        # A machine that stalls tears prompts and stretches waits on the wire; the exact figures are `make bench`'s.
        assert all(prompt.completeness > 0.6 for prompt in heard)
        for before, after in pairwise(heard):
            silence = after.start - (before.start + len(audio[before.name]) / RATE)
            assert 2.5 < silence < 4.5
    for session in engine.sessions:
        assert kept(session) == {"gov12345/greeting_inbound", "gov12345/silent_call"}
        assert broken(session) == {}
        assert session.first_to_hang_up == "ivrflow"


async def test_speech_cuts_the_greeting_and_leads_to_the_menu(
    phones: Phones, engine: EngineHere, audio: dict[str, Samples]
) -> None:
    phone = await phones.open("caller")
    call = await phone.call("12345")
    await engine.until_fact(Fact.PHRASE_STARTED, phrase=GREETING)
    # Less than 300 ms of a phrase cannot be recognised.
    await call.say(np.concatenate([np.zeros(RATE * 4 // 5, np.int16), audio["house/night.greeting"][: 2 * RATE]]))
    session = await engine.until_fact(Fact.PHRASE_ENDED, phrase=MENU)
    await call.hang_up()
    greeting, menu = await heard_by(call, audio)
    assert (greeting.name, menu.name) == (GREETING, MENU)
    assert greeting.completeness < 0.6
    assert menu.completeness > greeting.completeness
    await engine.until_fact(Fact.ENDED)
    assert "gov12345/silent_call" in kept(session)


async def test_a_click_neither_cuts_the_greeting_nor_ends_the_silence(
    phones: Phones, engine: EngineHere, audio: dict[str, Samples]
) -> None:
    phone = await phones.open("caller")
    call = await phone.call("12345")
    click = np.full(160, 12000, np.int16)
    await engine.until_fact(Fact.PHRASE_STARTED, phrase=GREETING)
    await call.say(click)
    await engine.until_fact(Fact.WAIT_BEGUN)
    await call.say(click)
    await engine.until_fact(Fact.PHRASE_STARTED, phrase=CONNECTED)
    await call.hang_up()
    session = await engine.until_fact(Fact.ENDED)
    assert not [line for line in session.trace if line.fact is Fact.SPEECH_STARTED]
    assert (await heard_by(call, audio))[0].completeness > 0.6


async def test_the_echo_of_our_own_prompt_is_not_speech(
    phones: Phones, engine: EngineHere, audio: dict[str, Samples]
) -> None:
    phone = await phones.open("caller")
    call = await phone.call("12345")
    await engine.until_fact(Fact.PHRASE_STARTED, phrase=GREETING)
    delayed = np.concatenate([np.zeros(RATE // 10, np.int16), loud(audio[GREETING], 0.25)])
    await call.say(delayed)
    session = await engine.until_fact(Fact.PHRASE_STARTED, phrase=CONNECTED)
    await call.hang_up()
    await engine.until_fact(Fact.ENDED)
    assert not [line for line in session.trace if line.fact is Fact.SPEECH_STARTED]


async def test_a_key_leads_to_an_agent_who_hangs_up_first_and_the_caller_is_closed_politely(
    phones: Phones, engine: EngineHere, audio: dict[str, Samples]
) -> None:
    agent = await phones.open("1001")
    phone = await phones.open("caller")
    call = await phone.call("12345", source=Tone(1200, -20.0))
    await engine.until_fact(Fact.PHRASE_STARTED, phrase=GREETING)
    await call.press("0")
    at_agent = await agent.next_call()
    at_agent.answer()
    await engine.until_fact(Fact.AGENT_ANSWERED)
    at_agent.source = Tone(700, -20.0)
    await asyncio.gather(hears(call, 700), hears(at_agent, 1200))
    call.source = Silence()
    await at_agent.hang_up()
    await engine.until_fact(Fact.PHRASE_ENDED, phrase=SURVEY)
    await call.hang_up()
    session = await engine.until_fact(Fact.ENDED)
    assert [name for name in (await names(call, audio)) if name in {ANYTHING_ELSE, SURVEY}] == [ANYTHING_ELSE, SURVEY]
    assert session.first_to_hang_up == "agent"
    assert broken(session) == {}
    assert {"gov12345/anything_else", "gov12345/closing"} <= kept(session)


async def hears(call: Call, hertz: int, within_s: float = 5.0) -> None:
    """Wait until the newest 200 ms a phone received are a tone of that many hertz."""
    heard = 0
    async with asyncio.timeout(within_s):
        while True:
            span = call.recording.span
            if span is not None:
                newest = call.recording.samples(span.end - 0.2, span.end).astype(float)
                spectrum = np.abs(np.fft.rfft(newest))
                heard = int(np.argmax(spectrum)) * 5
                if abs(heard - hertz) <= 10 and spectrum.max() > 10000:
                    return
            await asyncio.sleep(0.02)


async def test_a_caller_who_leaves_a_talk_is_the_first_to_hang_up_and_frees_the_agent(
    phones: Phones, engine: EngineHere
) -> None:
    agent = await phones.open("1001")
    phone = await phones.open("caller")
    call = await phone.call("12345")
    await engine.until_fact(Fact.ANSWERED)
    await call.press("0")
    at_agent = await agent.next_call()
    at_agent.answer()
    await engine.until_fact(Fact.AGENT_ANSWERED)
    await call.hang_up()
    async with asyncio.timeout(3):
        assert (await at_agent.ended).by == "peer"
    session = await engine.until_fact(Fact.ENDED)
    assert session.first_to_hang_up == "caller"
    assert not [line for line in session.trace if line.fact is Fact.AGENT_LEFT and line.detail != "let go"]


@pytest.mark.complains("Endpoint '1001': Could not create dialog", "endpoint '1001'")
@pytest.mark.parametrize(
    ("policy", "why"), [(Refuse(486), "busy"), (None, "no_answer"), ("unregistered", "unreachable")]
)
async def test_an_agent_who_cannot_be_had_brings_the_caller_back(
    policy: Refuse | str | None, why: str, phones: Phones, engine: EngineHere, audio: dict[str, Samples]
) -> None:
    agent = None
    if policy != "unregistered":
        agent = await phones.open("1001", on_call=policy if isinstance(policy, Refuse) else None)
    phone = await phones.open("caller")
    call = await phone.call("12345")
    await engine.until_fact(Fact.ANSWERED)
    await call.press("0")
    session = await engine.until_fact(Fact.PHRASE_STARTED, phrase=CHOICE)
    await call.hang_up()
    await engine.until_fact(Fact.ENDED)
    unavailable = [line.detail for line in session.trace if line.fact is Fact.AGENT_UNAVAILABLE]
    assert unavailable == [why, "nobody"], "the telephone, and then the queue, in which nobody is logged in"
    heard = await names(call, audio)
    assert [name for name in heard if name in {AWAY, NOBODY_THERE}] == [AWAY, NOBODY_THERE]
    if agent is not None:
        await agent.close()


@pytest.mark.parametrize("key_ms", [100, 60, 40])
async def test_digits_are_collected_with_their_end_key_and_never_written_in_words(
    key_ms: int, phones: Phones, engine: EngineHere, audio: dict[str, Samples]
) -> None:
    """However fast they are typed: Asterisk tells the ends of keys shorter than 80 ms again, as late as the next key."""
    phone = await phones.open("caller")
    call = await phone.call("12345")
    await engine.until_fact(Fact.ANSWERED)
    await call.press("2")
    await engine.until_fact(Fact.PHRASE_STARTED, phrase="house/collect.ask_number")
    await call.press("86420#", hold_ms=key_ms, pause_ms=key_ms)
    session = await engine.until_fact(Fact.PHRASE_ENDED, phrase="house/collect.confirm")
    await call.hang_up()
    await engine.until_fact(Fact.ENDED)
    (collected,) = [line for line in session.trace if line.fact is Fact.DIGITS_COLLECTED]
    assert collected.key == "86420"
    assert "86420" not in "".join(line.detail for line in session.trace)
    assert "house/collect.confirm" in (await names(call, audio))


@pytest.mark.parametrize("moment", ["greeting", "wait", "menu", "ringing", "closing"])
async def test_a_hang_up_is_known_at_once_at_every_point(moment: str, phones: Phones, engine: EngineHere) -> None:
    agent = await phones.open("1001")
    phone = await phones.open("caller")
    call = await phone.call("12345")
    await engine.until_fact(Fact.PHRASE_STARTED, phrase=GREETING)
    if moment == "wait":
        await engine.until_fact(Fact.WAIT_BEGUN)
    elif moment == "menu":
        await call.say(np.tile(np.array([9000, -9000], np.int16), RATE // 4))
        await engine.until_fact(Fact.PHRASE_STARTED, phrase=MENU)
    elif moment in {"ringing", "closing"}:
        await call.press("0")
        await engine.until_fact(Fact.RINGING)
        if moment == "closing":
            at_agent = await agent.next_call()
            at_agent.answer()
            await engine.until_fact(Fact.AGENT_ANSWERED)
            await at_agent.hang_up()
            await engine.until_fact(Fact.PHRASE_STARTED, phrase=ANYTHING_ELSE)
    left_at = asyncio.get_running_loop().time()
    await call.hang_up()
    session = await engine.until_fact(Fact.ENDED, within_s=2.0)
    (known_at,) = [at for at, event in engine.happened if isinstance(event, CallerHungUp)][:1]
    assert known_at - left_at < 1.0  # measured at a few milliseconds; the figure is `make bench`'s business
    assert session.outcome == "caller_hung_up"
    assert session.first_to_hang_up == ("agent" if moment == "closing" else "caller")
    await agent.close()


async def test_calls_side_by_side_do_not_hear_each_other(
    phones: Phones, engine: EngineHere, audio: dict[str, Samples]
) -> None:
    phone = await phones.open("caller")
    silent, keyed = await phone.call("12345"), await phone.call("12345")
    await engine.until_fact(Fact.PHRASE_STARTED, phrase=GREETING)
    await keyed.press("2")
    await engine.until_fact(Fact.PHRASE_ENDED, phrase="house/collect.ask_number")
    await keyed.hang_up()
    async with asyncio.timeout(40):
        await silent.ended
    assert (await names(silent, audio)) == [GREETING, CONNECTED, CHANGE_PHONE]
    assert (await names(keyed, audio))[-1] == "house/collect.ask_number"


async def test_a_number_without_a_flow_gets_the_fallback_and_never_silence(
    phones: Phones, engine: EngineHere, audio: dict[str, Samples]
) -> None:
    phone = await phones.open("caller")
    call = await phone.call("99999")
    async with asyncio.timeout(40):
        await call.ended
    assert (await names(call, audio))[0] == "house/fallback.apology"
    assert engine.sessions == []
