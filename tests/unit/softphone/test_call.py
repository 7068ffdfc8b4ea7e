"""What one does with a call, and what it ends in: two phones on real sockets, without a PBX."""

import asyncio
import re
import time
from typing import Literal

import numpy as np
import pytest
from loopback_phones import at, eventually, heard, lines, losing_first, phone

from ivrflow.softphone.audio_source import ComfortNoise, NoRtp, Silence, Tone
from ivrflow.softphone.call import CallRefused, NoAnswer, PhoneError
from ivrflow.softphone.codecs import RATE
from ivrflow.softphone.softphone import (
    BUSY,
    DECLINE,
    Answer,
    Refuse,
    RingOn,
)


async def test_a_call_and_its_audio_both_ways() -> None:
    began = time.monotonic()
    async with phone(Answer(0.1, Tone(700))) as bob, at(bob) as alice:
        call = await alice.call("bob", source=Tone(1000))
        (other,) = bob.calls
        assert other.incoming
        assert (call.number, other.number, call.codec, other.codec) == ("bob", "alice", "alaw", "alaw")
        assert call.call_id == other.call_id
        assert call.rings_at is not None
        assert call.answered_at is not None
        assert began <= call.began_at <= call.rings_at <= call.answered_at - 0.09
        await asyncio.gather(heard(call, 10), heard(other, 10))
        end = await call.hang_up(reason='Q.850;cause=16;text="Normal"')
        other_end = await other.ended
        assert (end.by, other_end.by, other_end.cause) == ("phone", "peer", 16)
        assert call.answered_at < end.at <= other_end.at <= time.monotonic()
        assert not call.is_up
        assert alice.calls == []
    for one in (call, other):
        assert one.strangers == 0
        (span,) = one.recording.heard_spans()
        assert span.end - span.start > 0.15


async def test_the_headers_of_an_incoming_invite_can_be_read() -> None:
    async with phone(Answer()) as bob, at(bob) as alice:
        call = await alice.call("bob", headers=[("X-Case", "a; b"), ("X-Empty", "")])
        (other,) = bob.calls
        assert other.header("x-case") == "a; b"
        assert (other.header("X-Empty"), other.header("X-Other")) == ("", "")
        assert call.header("X-Case") == ""


async def test_a_phrase_is_heard_as_it_was_said() -> None:
    phrase = np.tile(np.array([0, 3000, 0, -3000], np.int16), 400)
    async with phone(Answer(source=NoRtp())) as bob, at(bob) as alice:
        call = await alice.call("bob", source=NoRtp())
        (other,) = bob.calls
        await call.say(phrase)
        await heard(other, 10)
        (spurt,) = other.recording.talkspurts()
        assert np.abs(spurt.samples.astype(np.int32) - phrase).max() <= 64


async def test_keys_are_heard_in_order_with_their_times() -> None:
    async with phone(Answer()) as bob, at(bob) as alice:
        call = await alice.call("bob")
        (other,) = bob.calls
        await call.press("1#", hold_ms=100, pause_ms=60)
        await other.press("9", hold_ms=40)
        await eventually(lambda: len(other.recording.heard_keys()) == 2 and len(call.recording.heard_keys()) == 1)
        first, second = other.recording.heard_keys()
        assert (first.key, second.key) == ("1", "#")
        assert (first.held_s, second.held_s) == (0.1, 0.1)
        sent = [packet.timestamp for packet in other.recording.packets() if packet.payload_type == 101]
        assert sent[-1] - sent[0] == 0.16 * RATE
        assert first.at < second.at
        assert [key.key for key in call.recording.heard_keys()] == ["9"]


async def test_hold_and_resume() -> None:
    async with phone(Answer(source=Tone(700))) as bob, at(bob) as alice:
        call = await alice.call("bob", source=Tone(1000))
        (other,) = bob.calls
        await asyncio.gather(heard(call, 5), heard(other, 5))
        await call.hold()
        held_at = time.monotonic()
        call.source = Silence()  # for later: nothing is sent on hold
        await asyncio.sleep(0.2)  # the silence is what is tested
        resuming_at = time.monotonic()
        await call.resume()
        await asyncio.gather(heard(other, len(other.recording) + 5), heard(call, len(call.recording) + 5))
    for one in (call, other):
        arrivals = [packet.arrival for packet in one.recording.packets()]
        assert arrivals[0] < held_at < resuming_at < arrivals[-1]
        assert [at for at in arrivals if held_at + 0.05 < at < resuming_at] == []
    assert not other.recording.talkspurts()[-1].samples[-160:].max() > 8  # A-law has no zero
    assert [line for line in lines(alice, "out") if line == "INVITE"] == ["INVITE"] * 3


async def test_every_change_is_a_new_version_of_the_same_session_and_names_its_direction() -> None:
    async with phone(Answer(source=Tone(700))) as bob, at(bob) as alice:
        call = await alice.call("bob")
        (other,) = bob.calls
        await other.hold("inactive")  # the side that was called holds too
        await other.resume()
        await other.hold()
        await other.resume()
        await heard(call, len(call.recording) + 5)
        await other.hang_up()
    offers = [line.text for line in other.signalling if line.direction == "out" and line.text.startswith("INVITE")]
    directions = [re.findall(r"^a=(sendrecv|sendonly|recvonly|inactive)\r?$", offer, re.MULTILINE) for offer in offers]
    assert directions == [["inactive"], ["sendrecv"], ["sendonly"], ["sendrecv"]]
    origins = [re.search(r"^o=- (\d+) (\d+) ", offer, re.MULTILINE) for offer in offers]
    assert len({origin[1] for origin in origins if origin}) == 1
    versions = [int(origin[2]) for origin in origins if origin]
    assert versions == list(range(versions[0], versions[0] + 4))
    answers = [line.text for line in other.signalling if line.direction == "in" and "CSeq" in line.text]
    assert any("a=inactive" in answer for answer in answers)
    assert any("a=recvonly" in answer for answer in answers)


@pytest.mark.parametrize(("policy", "status"), [(BUSY, 486), (DECLINE, 603), (Refuse(480, "Away", after_s=0.05), 480)])
async def test_refused(policy: Refuse, status: int) -> None:
    async with phone(policy) as bob, at(bob) as alice:
        with pytest.raises(CallRefused, match=f"refused: {status} {policy.reason}") as refusal:
            await alice.call("bob")
        assert (refusal.value.status, refusal.value.reason) == (status, policy.reason)
        assert alice.calls == bob.calls == []


async def test_nobody_answers() -> None:
    async with phone(RingOn()) as bob, at(bob) as alice:
        call = alice.dial("bob")
        with pytest.raises(NoAnswer, match=r"not answered in 0\.2 s"):
            await call.wait_answered(0.2)
        end = await call.ended
        assert end.by == "phone"
        await eventually(lambda: not bob.calls)
        assert "CANCEL" in lines(alice, "out")


async def test_the_caller_gives_up_while_it_rings() -> None:
    async with phone() as bob, at(bob) as alice:
        call = alice.dial("bob")
        other = await bob.next_call()
        await call.hang_up()
        end = await other.ended
        assert (end.by, end.status) == ("peer", 487)
        with pytest.raises(PhoneError, match="has hung up"):
            other.answer()
        other.decline()


async def test_waiting_can_be_cancelled() -> None:
    async with phone(RingOn()) as bob, at(bob) as alice:
        waiting = asyncio.create_task(alice.call("bob"))
        await eventually(lambda: bob.calls)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert alice.calls == []


@pytest.mark.parametrize(
    ("way", "start"),
    [("out", b"INVITE"), ("in", b"SIP/2.0 200"), ("out", b"ACK"), ("in", b"SIP/2.0 100"), ("out", b"BYE")],
)
async def test_a_lost_message_is_sent_again(way: Literal["in", "out"], start: bytes) -> None:
    async with phone(Answer()) as bob, at(bob, losing_first(way, start)) as alice:
        call = await alice.call("bob")
        (other,) = bob.calls
        await heard(other, 3)
        await call.hang_up()
        async with asyncio.timeout(5):
            assert (await other.ended).by == "peer"


async def test_lost_audio_leaves_holes_and_nothing_else() -> None:
    count = [0]

    def wire(way: str, datagram: bytes) -> bool:
        if way == "in" and datagram[:1] == b"\x80":
            count[0] += 1
            return count[0] % 5 != 0
        return True

    async with phone(Answer(source=Tone(1000))) as bob, at(bob, wire) as alice:
        call = await alice.call("bob", source=ComfortNoise())
        await heard(call, 20)
        assert call.recording.span is not None
        assert call.recording.span.end - call.recording.span.start >= 0.46


async def test_codecs_are_negotiated() -> None:
    async with phone(Answer()) as bob, at(bob, codecs=("g722", "ulaw")) as alice:
        assert (await alice.call("bob")).codec == "ulaw"
    async with phone(Answer()) as bob, at(bob, codecs=("g722",)) as alice:
        with pytest.raises(CallRefused, match="488"):
            await alice.call("bob")


async def test_what_cannot_be_done_now_is_said() -> None:
    async with phone(RingOn()) as bob, at(bob) as alice:
        call = alice.dial("bob")
        for deed in (call.press("1"), call.say(np.zeros(1, np.int16)), call.hold()):
            with pytest.raises(PhoneError, match="not answered yet"):
                await deed
    async with phone(Answer()) as bob, at(bob) as alice:
        call = await alice.call("bob")
        for keys in ("", "x"):
            with pytest.raises(ValueError, match="key"):
                await call.press(keys)
