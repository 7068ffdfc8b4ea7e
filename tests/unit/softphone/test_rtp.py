"""RTP packets and RFC 4733 keys."""

import pytest

from ivrflow.softphone.rtp import KEY_EVENTS, KeyEvent, RtpPacket, RtpProtocolError, unpack_key, unpack_rtp

PACKET = bytes.fromhex("80080001000000a0deadbeef") + b"\xd5" * 160


def test_a_packet_is_read() -> None:
    assert unpack_rtp(PACKET) == RtpPacket(8, 1, 160, 0xDEADBEEF, b"\xd5" * 160)


def test_a_packet_is_written() -> None:
    assert unpack_rtp(PACKET).pack() == PACKET
    last = RtpPacket(101, 65535, 2**32 - 1, 0, b"", marker=True).pack()
    assert last.hex() == "80" + "e5" + "ffff" + "ffffffff" + "00000000"


def test_sources_extension_and_padding_are_stepped_over() -> None:
    first = bytes([0x80 | 0x20 | 0x10 | 2])
    datagram = first + PACKET[1:12] + bytes(8) + b"\xbe\xde\x00\x01abcd" + b"audio" + b"\x00\x00\x03"
    assert unpack_rtp(datagram).payload == b"audio"


@pytest.mark.parametrize(
    ("datagram", "complaint"),
    [
        (b"", "at least 12 bytes, 0 came"),
        (PACKET[:11], "11 came"),
        (b"\x40" + PACKET[1:], "version should be 2, got 1"),
        (b"\x8f" + PACKET[1:20], "shorter than its header says"),
        (b"\x90" + PACKET[1:14], "extension is cut off"),
        (b"\x90" + PACKET[1:12] + b"\x00\x00\xff\xff", "shorter than its header says"),
        (b"\xa0" + PACKET[1:12] + b"\xff", "shorter than its header says"),
    ],
)
def test_what_is_no_packet_is_said_so(datagram: bytes, complaint: str) -> None:
    with pytest.raises(RtpProtocolError, match=complaint):
        unpack_rtp(datagram)


def test_the_key_event_of_the_standard() -> None:
    # RFC 4733 section 2.3: event, end and reserved bits with volume, duration
    assert KeyEvent("#", 800, ended=True, volume=7).pack() == bytes([11, 0x87, 0x03, 0x20])
    assert unpack_key(bytes([1, 0x0A, 0x00, 0xA0])) == KeyEvent("1", 160)


def test_every_key_has_its_number() -> None:
    assert [KeyEvent(key, 0).pack()[0] for key in KEY_EVENTS] == list(range(16))
    assert KEY_EVENTS.index("*") == 10


@pytest.mark.parametrize("payload", [b"", b"\x01\x0a\x00", b"\x10\x0a\x00\xa0"])
def test_other_events_are_no_keys(payload: bytes) -> None:
    with pytest.raises(RtpProtocolError):
        unpack_key(payload)
