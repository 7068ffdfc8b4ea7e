"""Sockets on loopback: arrival times, losses and neighbouring ports."""

import asyncio
import time

import pytest

from ivrflow.softphone.udp_port import UdpPort, rtp_pair

LOOPBACK = "127.0.0.1"
Arrived = list[tuple[bytes, tuple[str, int], float]]


async def until(arrived: Arrived, count: int) -> None:
    async with asyncio.timeout(5):
        while len(arrived) < count:  # noqa: ASYNC110 - the sockets are what is tested
            await asyncio.sleep(0)


async def test_a_datagram_arrives_with_its_source_and_time() -> None:
    one, two = UdpPort(LOOPBACK), UdpPort(LOOPBACK)
    arrived: Arrived = []
    two.listen(lambda *item: arrived.append(item))
    late_by = []
    try:
        # The kernel begins to stamp some moments after the first socket of the machine asks for it; until then it stamps
        # when a datagram is fetched, which here is 50 ms too late.
        for _ in range(20):
            arrived.clear()
            before = time.monotonic()
            one.send(b"hello", two.address)
            after = time.monotonic()
            time.sleep(0.05)  # noqa: ASYNC251 - the event loop is to be busy: the arrival is to be right all the same
            await until(arrived, 1)
            ((datagram, source, at),) = arrived
            assert (datagram, source) == (b"hello", one.address)
            late_by.append(at - after)
            if before - 0.001 <= at <= after + 0.02:
                return
        raise AssertionError(f"the arrival was never right: late by {late_by} s")
    finally:
        one.close()
        two.close()


async def test_without_kernel_stamps_the_clock_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivrflow.softphone.udp_port._SO_TIMESTAMPNS", 9999)
    one = UdpPort(LOOPBACK)
    arrived: Arrived = []
    one.listen(lambda *item: arrived.append(item))
    before = time.monotonic()
    one.send(b"to myself", one.address)
    await until(arrived, 1)
    assert before <= arrived[0][2] <= time.monotonic()
    one.close()


async def test_what_a_busy_process_has_left_waiting_is_taken_in_one_turn() -> None:
    one, two = UdpPort(LOOPBACK), UdpPort(LOOPBACK)
    arrived: Arrived = []
    two.listen(lambda *item: arrived.append(item))
    for number in range(100):
        one.send(bytes([number]), two.address)
    time.sleep(0.05)  # noqa: ASYNC251 - the event loop is to be busy
    turns = 0
    async with asyncio.timeout(5):
        while len(arrived) < 100:
            turns += 1
            await asyncio.sleep(0)
    assert [datagram[0] for datagram, *_ in arrived] == list(range(100))
    assert turns < 20
    one.close()
    two.close()


async def test_what_waits_can_be_taken_before_closing() -> None:
    one, two = UdpPort(LOOPBACK), UdpPort(LOOPBACK)
    arrived: Arrived = []
    two.take_what_waits()  # nobody listens yet
    two.listen(lambda *item: arrived.append(item))
    for number in range(300):
        one.send(bytes([number % 256]), two.address)
    two.take_what_waits()
    two.close()
    assert len(arrived) == 300
    two.take_what_waits()
    one.close()


async def test_whoever_is_told_may_close_the_port() -> None:
    one, two = UdpPort(LOOPBACK), UdpPort(LOOPBACK)
    arrived: Arrived = []

    def taken(*item: object) -> None:
        arrived.append(item)  # type: ignore[arg-type]  # only counted
        two.close()

    two.listen(taken)
    for _ in range(3):
        one.send(b"bye", two.address)
    time.sleep(0.05)  # noqa: ASYNC251 - all three are to wait
    await until(arrived, 1)
    await asyncio.sleep(0)
    assert len(arrived) == 1
    one.close()


async def test_a_wire_that_loses() -> None:
    one, two = UdpPort(LOOPBACK), UdpPort(LOOPBACK)
    arrived: Arrived = []
    two.listen(lambda *item: arrived.append(item), lambda way, datagram: (way, datagram) != ("in", b"2"))
    one.listen(lambda *_: None, lambda way, datagram: (way, datagram) != ("out", b"1"))
    for datagram in (b"1", b"2", b"3"):
        one.send(datagram, two.address)
    await until(arrived, 1)
    assert [datagram for datagram, *_ in arrived] == [b"3"]
    one.close()
    two.close()


async def test_sending_to_nobody_is_harmless_and_closing_twice_too() -> None:
    one = UdpPort(LOOPBACK)
    one.listen(lambda *_: None)
    one.send(b"x", (LOOPBACK, 9))
    one.close()
    one.send(b"x", (LOOPBACK, 9))
    one.close()


def test_a_taken_port_is_an_error_and_leaves_no_socket() -> None:
    one = UdpPort(LOOPBACK)
    with pytest.raises(OSError, match="in use"):
        UdpPort(*one.address)
    one.close()


def test_rtp_ports_are_even_and_have_their_neighbour() -> None:
    pairs = [rtp_pair(LOOPBACK) for _ in range(20)]
    for rtp, rtcp in pairs:
        assert rtp.address[1] % 2 == 0
        assert rtcp.address[1] == rtp.address[1] + 1
    for pair in pairs:
        for port in pair:
            port.close()


def test_when_no_pair_is_free_it_is_said() -> None:
    with pytest.raises(OSError, match="no pair"):
        rtp_pair(LOOPBACK, tries=0)
