"""Two phones that call each other over real sockets on loopback, without a PBX."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest

from ivrflow.scenario.audio_source import ComfortNoise, NoRtp, Silence, Tone
from ivrflow.scenario.call import Call, CallRefused, NoAnswer, PhoneError, Unreachable
from ivrflow.scenario.pacer import Pacer
from ivrflow.scenario.softphone import (
    BUSY,
    DECLINE,
    Answer,
    OnCall,
    Refuse,
    RegistrationRefused,
    RingOn,
    SoftPhone,
)
from ivrflow.scenario.udp_port import UdpPort, Wire

NOWHERE = ("127.0.0.1", 9)


def phone(on_call: OnCall | Callable[[Call], OnCall] | None = None, wire: Wire | None = None) -> SoftPhone:
    return SoftPhone("bob", server=NOWHERE, on_call=on_call, wire=wire)


def at(bob: SoftPhone, wire: Wire | None = None, codecs: tuple[str, ...] = ("alaw", "ulaw")) -> SoftPhone:
    """Alice's phone, whose server is Bob's."""
    return SoftPhone("alice", server=bob.address, wire=wire, codecs=codecs)


def losing_first(way: Literal["in", "out"], start: bytes) -> Wire:
    """Loses the first datagram that goes this way and begins like this."""
    lost: list[bytes] = []

    def wire(direction: str, datagram: bytes) -> bool:
        if direction == way and datagram.startswith(start) and not lost:
            lost.append(datagram)
            return False
        return True

    return wire


def lines(phone: SoftPhone, direction: str) -> list[str]:
    return [line.text.split("\r\n")[0].split(" sip:")[0] for line in phone.signalling if line.direction == direction]


async def eventually(condition: Callable[[], object]) -> None:
    """Wait, for ten seconds at most, until the condition holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - both ends are sockets: nobody here is told when the other has it
            await asyncio.sleep(0.005)


async def heard(call: Call, packets: int) -> None:
    """Wait until so many packets were received."""
    await eventually(lambda: len(call.recording) >= packets)


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
        assert second.at - first.at == pytest.approx(0.16, abs=0.05)
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


async def test_nobody_there() -> None:
    async with SoftPhone("alice", server=NOWHERE) as alice:
        with pytest.raises(Unreachable, match="nothing answers SIP"):
            await alice.call("bob", within_s=0.2)
        with pytest.raises(Unreachable, match="no answer to our registration"):
            await alice.register(within_s=0.2)


async def test_a_policy_may_look_at_the_call() -> None:
    async with phone(lambda call: Answer() if call.number == "alice" else BUSY) as bob, at(bob) as alice:
        call = await alice.call("bob")
        assert call.is_up


async def test_taking_calls_by_hand() -> None:
    async with phone() as bob, at(bob) as alice:
        with pytest.raises(PhoneError, match="nobody called"):
            await bob.next_call(within_s=0.05)
        for answered in (True, False):
            call = alice.dial("bob")
            other = await bob.next_call()
            if answered:
                other.answer()
                await call.wait_answered()
            else:
                other.decline(480, "Away")
                with pytest.raises(CallRefused):
                    await call.wait_answered()


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


async def test_closing_hangs_up_and_leaves_nothing() -> None:
    async with phone(Answer()) as bob:
        async with at(bob) as alice:
            calls = [await alice.call("bob") for _ in range(3)]
            saying = asyncio.create_task(calls[0].press("1" * 50))
            await asyncio.sleep(0)
        with pytest.raises(PhoneError, match="over"):
            await saying
        assert {(call.end.by if call.end else None) for call in calls} == {"phone"}
        await eventually(lambda: not bob.calls)
        await alice.close()
        for use in (lambda: alice.dial("bob"), lambda: alice.address):
            with pytest.raises(PhoneError, match="closed"):
                use()


async def test_closing_does_not_wait_for_a_peer_that_is_gone() -> None:
    async with phone(Answer()) as bob, at(bob) as alice:
        await alice.call("bob")
        await bob.close(within_s=0)
        began = time.monotonic()
        await alice.close(within_s=0.1)
        assert time.monotonic() - began < 5


async def test_what_is_no_sip_is_counted_and_harmless(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with phone(Answer()) as bob, at(bob) as alice:
        stranger = UdpPort("127.0.0.1")
        for datagram in (b"", b"\r\n\r\n", b"\0\0\0\0", b"hello", b"INVITE sip:x SIP/2.0\r\n\r\n"):
            stranger.send(datagram, bob.address)
        call = await alice.call("bob")
        assert bob.not_sip == 2
        (other,) = bob.calls
        stranger.send(b"\x80\x08" + bytes(170), other._port.address)
        await eventually(lambda: other.strangers)
        assert call.is_up
        stranger.close()
    assert "hello" not in caplog.text


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


async def test_a_port_that_is_taken_and_a_server_without_name() -> None:
    async with phone() as bob:
        with pytest.raises(PhoneError, match="no UDP port for SIP"):
            async with SoftPhone("x", local_port=bob.address[1]):
                pass
    with pytest.raises(Unreachable, match=r"SIP server no\.such\.host\.invalid"):
        async with SoftPhone("x", server=("no.such.host.invalid", 5060)):
            pass


async def test_many_calls_share_one_pacer() -> None:
    pacer = Pacer()
    async with (
        SoftPhone("bob", server=NOWHERE, on_call=Answer(), pacer=pacer) as bob,
        SoftPhone("alice", server=bob.address, pacer=pacer) as alice,
    ):
        calls = [alice.dial("bob") for _ in range(30)]
        await asyncio.gather(*(call.wait_answered() for call in calls))
        assert sum(map(len, pacer._turns)) == 60
        await asyncio.gather(*(heard(call, 5) for call in calls))
    assert not any(pacer._turns)


class Registrar:
    """A server of a few lines: answers every REGISTER with `status`."""

    def __init__(self, status: int) -> None:
        self.port = UdpPort("127.0.0.1")
        self.status = status
        self.expires: list[str] = []
        self.port.listen(self._taken)

    def _taken(self, datagram: bytes, source: tuple[str, int], arrival: float) -> None:
        del arrival
        text = datagram.decode()
        keep = [row for row in text.split("\r\n") if row.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
        self.expires += [row.split(": ")[1] for row in text.split("\r\n") if row.startswith("Expires")]
        self.port.send("\r\n".join([f"SIP/2.0 {self.status} Whatever", *keep, "", ""]).encode(), source)


async def test_registering_and_taking_it_back() -> None:
    server = Registrar(200)
    async with SoftPhone("1001", "secret", server.port.address) as one:
        assert await one.register(120) == 120
        assert one.registered_for_s == 120
    assert server.expires == ["120", "0"]
    server.port.close()


async def test_a_refused_registration() -> None:
    server = Registrar(403)
    async with SoftPhone("1001", "secret", server.port.address) as one:
        with pytest.raises(RegistrationRefused, match="403 Whatever; check the account and its password") as refusal:
            await one.register()
        assert refusal.value.status == 403
    server.port.close()
