"""Our own phone at the real PBX: what it hears is what was played, and what it does reaches the other side."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from one_pbx import Phones
from peers import AgiPeer, AgiSession, prompt, seconds_of_tone

from ivrflow.softphone.audio_source import AudioSource, ComfortNoise, NoRtp, Silence, Tone
from ivrflow.softphone.call import Call, CallRefused
from ivrflow.softphone.codecs import RATE
from ivrflow.softphone.listening import find_all, recognise
from ivrflow.softphone.softphone import Answer, RingOn, SoftPhone
from tools.pbx import Pbx

PLAYED = "/var/lib/ivrflow/prompts"
SAID = "house/menu.invalid"
NO_ENGINE = pytest.mark.complains("Connecting to .* failed", "Couldn't connect to any host")


async def eventually(condition: Callable[[], object], within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in Asterisk, which tells nobody
            await asyncio.sleep(0.01)


def serving(*commands: str) -> Callable[[AgiSession], Awaitable[None]]:
    """An engine that answers, gives these commands and ends the call."""

    async def serve(session: AgiSession) -> None:
        for command in ("ANSWER", *commands):
            assert (await session.command(command)).startswith("200 result=")
        await session.finish()

    return serve


async def over(call: Call) -> None:
    async with asyncio.timeout(30):
        await call.ended


@pytest.mark.parametrize(("codec", "fits"), [("alaw", 0.99), ("ulaw", 0.99), ("g722", 0.9)])  # g722: half its band
async def test_a_prompt_is_heard_as_it_was_played(
    codec: str, fits: float, pbx: Pbx, phones: Phones, pbx_prompts: Path
) -> None:
    play = f'STREAM FILE {PLAYED}/{SAID} ""'
    async with AgiPeer(pbx, serving(play, play)):
        caller = await phones.open("caller", codec=codec)
        call = await caller.call("12345")
        await over(call)
    assert call.codec == codec
    played = prompt(pbx_prompts, SAID)
    found = find_all(call.recording, played)
    assert len(found) == 2
    assert all(one.correlation > fits for one in found)
    assert all(one.completeness > 0.95 for one in found)  # a busy machine may break a block in two
    assert found[1].start - found[0].start >= len(played) / RATE - 0.05


async def test_keys_reach_the_pbx_in_order(pbx: Pbx, phones: Phones) -> None:
    pressed: list[str] = []

    async def serve(session: AgiSession) -> None:
        await session.command("ANSWER")
        for _ in range(4):
            reply = await session.command("WAIT FOR DIGIT 10000")
            pressed.append(chr(int(reply.removeprefix("200 result="))))
        await session.finish()

    async with AgiPeer(pbx, serve):
        caller = await phones.open("caller")
        call = await caller.call("12345")
        await call.press("1*0#", pause_ms=500)
        await over(call)
    assert pressed == ["1", "*", "0", "#"]


async def test_who_hung_up_and_why(pbx: Pbx, phones: Phones) -> None:
    caller = await phones.open("caller")
    async with AgiPeer(pbx, serving()):
        call = await caller.call("12345")
        await over(call)
    assert call.end is not None
    assert (call.end.by, call.end.cause) == ("peer", 16)
    assert call.answered_at is not None
    assert call.began_at < call.answered_at < call.end.at

    async def hears_it(session: AgiSession) -> None:
        await session.command("ANSWER")
        assert await session.line() == "HANGUP"

    async with AgiPeer(pbx, hears_it):
        call = await caller.call("12345")
        assert (await call.hang_up()).by == "phone"


async def test_a_number_that_does_not_exist(phones: Phones) -> None:
    caller = await phones.open("caller")
    with pytest.raises(CallRefused) as refusal:
        await caller.call("nobody")
    assert refusal.value.status == 404


async def test_the_pbx_knows_a_registered_phone_until_it_is_closed(pbx: Pbx) -> None:
    settings = pbx.settings
    server = (settings.sip_bind, settings.sip_port)
    async with SoftPhone("1001", settings.password("1001"), server) as phone:
        granted = await phone.register(120)
        assert 60 <= granted <= 120
        assert f"{phone.address[1]}" in await pbx.cli("pjsip show contacts")
        again = await phone.register(120)
        assert again >= 60
    assert "1001/sip" not in await pbx.cli("pjsip show contacts")


@NO_ENGINE
async def test_two_people_talk_hold_and_press_keys(phones: Phones) -> None:
    """Without an engine the PBX connects the caller with the duty phone."""
    duty = await phones.open("1000", on_call=Answer(source=Tone(700)))
    caller = await phones.open("caller")
    call = await caller.call("12345", source=Tone(1200))
    await eventually(lambda: duty.calls and duty.calls[0].is_up, within_s=30)
    (other,) = duty.calls
    await eventually(lambda: hears(call, 700) and hears(other, 1200))
    await call.press("5")
    await eventually(other.recording.heard_keys)
    assert [key.key for key in other.recording.heard_keys()] == ["5"]
    await other.hold()
    assert "a=recvonly" in [line.text for line in duty.signalling if "a=recvonly" in line.text][-1]
    await other.resume()
    assert other.answered_at is not None
    before = len(other.recording)
    await eventually(lambda: len(other.recording) > before + 25)
    assert hears(other, 1200)
    await other.hang_up()
    await over(call)
    assert call.end is not None
    assert call.end.by == "peer"


def hears(call: Call, hz: int) -> bool:
    """Whether the last 200 ms were that tone."""
    span = call.recording.span
    return span is not None and seconds_of_tone(call.recording.samples(span.end - 0.2, span.end), hz) > 0.1


@NO_ENGINE
async def test_a_phone_that_rings_hears_that_the_caller_gave_up(phones: Phones) -> None:
    duty = await phones.open("1000", on_call=RingOn())
    caller = await phones.open("caller")
    call = await caller.call("12345")
    await eventually(lambda: duty.calls, within_s=30)
    (other,) = duty.calls
    await call.hang_up()
    await over(other)
    assert other.end is not None
    assert (other.end.by, other.end.status) == ("peer", 487)


@pytest.mark.parametrize("source", [Silence(), NoRtp(), ComfortNoise()], ids=lambda source: type(source).__name__)
async def test_every_kind_of_silence_is_a_call(
    source: AudioSource, pbx: Pbx, phones: Phones, pbx_prompts: Path
) -> None:
    async with AgiPeer(pbx, serving(f'STREAM FILE {PLAYED}/{SAID} ""')):
        caller = await phones.open("caller")
        call = await caller.call("12345", source=source)
        await over(call)
    assert [found.name for found in recognise(call.recording, {SAID: prompt(pbx_prompts, SAID)})] == [SAID]


async def test_twenty_callers_at_once(pbx: Pbx, phones: Phones, pbx_prompts: Path) -> None:
    async with AgiPeer(pbx, serving(f'STREAM FILE {PLAYED}/{SAID} ""')):
        caller = await phones.open("caller")
        calls = [caller.dial("12345") for _ in range(20)]
        await asyncio.gather(*(call.wait_answered() for call in calls))
        await asyncio.gather(*map(over, calls))
    played = prompt(pbx_prompts, SAID)
    assert [len(find_all(call.recording, played)) for call in calls] == [1] * 20
    assert {call.end.by for call in calls if call.end} == {"peer"}
    assert sum(call.strangers for call in calls) == 0
