"""A phone's life on real sockets: registering, taking calls, closing."""

import asyncio
import logging
import time

import numpy as np
import pytest
from loopback_phones import NOWHERE, at, eventually, heard, phone

from ivrflow.softphone.call import CallRefused, PhoneError, Unreachable
from ivrflow.softphone.pacer import Pacer
from ivrflow.softphone.softphone import (
    BUSY,
    Answer,
    RegistrationRefused,
    SoftPhone,
)
from ivrflow.softphone.udp_port import UdpPort


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


async def test_a_call_that_comes_while_the_phone_closes_is_refused() -> None:
    async with phone(Answer()) as bob, at(bob) as alice:
        bob.registered_for_s = 60  # to be taken back at a server that does not answer: closing takes its time
        closing = asyncio.create_task(bob.close(within_s=0.5))
        await asyncio.sleep(0)
        with pytest.raises(CallRefused) as refusal:
            await alice.call("bob")
        assert refusal.value.status == 503
        await closing
        assert bob.calls == []


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


async def test_a_registration_that_is_not_renewed_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    server = Registrar(200)
    async with SoftPhone("1001", "secret", server.port.address) as one:
        await one.register(1)
        server.status = 403
        await eventually(lambda: one.registered_for_s == 0)
    assert server.expires == ["1", "1"]
    assert [record.getMessage() for record in caplog.records] == ["the registration was not renewed: 403 Whatever"]
    server.port.close()


async def test_every_call_has_its_own_signalling() -> None:
    async with phone(Answer()) as bob, at(bob) as alice:
        first, second = await alice.call("bob"), await alice.call("bob")
        at_bob = {call.call_id: call for call in bob.calls}
        await first.hang_up()
        await eventually(lambda: len(first.signalling) >= 6 and len(at_bob[first.call_id].signalling) >= 6)
        for call in (first, at_bob[first.call_id]):
            words = [line.text.split("\r\n")[0].split(" sip:")[0] for line in call.signalling]
            assert words == ["INVITE", "SIP/2.0 100 Trying", "SIP/2.0 200 OK", "ACK", "BYE", "SIP/2.0 200 OK"]
        assert all(second.call_id in line.text for line in second.signalling)
        assert {line.direction for line in second.signalling} == {"in", "out"}


async def test_what_was_said_is_kept_where_it_is_asked_for() -> None:
    async with phone(Answer()) as bob, SoftPhone("alice", server=bob.address, keeps_said=True) as alice:
        call = await alice.call("bob")
        tone = np.round(9000 * np.sin(np.arange(4000) * 2 * np.pi * 440 / 8000)).astype(np.int16)
        await call.say(tone)
        assert call.said is not None
        (span,) = call.said.heard_spans()
        assert 0.47 < span.end - span.start < 1.5, "as long as it was, or longer on a machine that stalls"
        (there,) = bob.calls
        assert there.said is None
        await eventually(lambda: there.recording.heard_spans() and len(there.recording) >= 25)
        (heard_there,) = there.recording.heard_spans()
        assert span.start == pytest.approx(heard_there.start, abs=0.5), "both are times of one clock"
