"""RTP packets (RFC 3550 section 5.1) and the keys that travel in them (RFC 4733). No sockets."""

import struct
from dataclasses import dataclass

VERSION_BITS = 0x80
KEY_EVENTS = "0123456789*#ABCD"  # event codes 0 to 15, RFC 4733 table 3
KEY_VOLUME = 10  # dBm0 below zero: what phones commonly send

_HEADER = struct.Struct("!BBHII")
_KEY = struct.Struct("!BBH")


class RtpProtocolError(Exception):
    """The peer sent something that is not RTP, or a key that is not RFC 4733."""


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet. `sequence` counts packets modulo 2**16, `timestamp` ticks of 8 kHz modulo 2**32."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def pack(self) -> bytes:
        """The datagram."""
        second = (0x80 if self.marker else 0) | self.payload_type
        return _HEADER.pack(VERSION_BITS, second, self.sequence, self.timestamp, self.ssrc) + self.payload


def unpack_rtp(datagram: bytes) -> RtpPacket:
    """Read one datagram; contributing sources, a header extension and padding are stepped over.

    Raises:
        RtpProtocolError: it is not RTP version 2, or shorter than it says.
    """
    if len(datagram) < _HEADER.size:
        raise RtpProtocolError(f"an RTP packet has at least {_HEADER.size} bytes, {len(datagram)} came")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(datagram)
    if first >> 6 != 2:
        raise RtpProtocolError(f"RTP version should be 2, got {first >> 6}")
    start, end = _HEADER.size + 4 * (first & 0x0F), len(datagram)
    if first & 0x10:  # header extension: two bytes of profile, two of length in words
        if start + 4 > end:
            raise RtpProtocolError("RTP header extension is cut off")
        start += 4 + 4 * int.from_bytes(datagram[start + 2 : start + 4])
    if first & 0x20 and end > start:  # padding: its last byte counts it
        end -= datagram[-1]
    if start > end:
        raise RtpProtocolError("RTP packet is shorter than its header says")
    return RtpPacket(second & 0x7F, sequence, timestamp, ssrc, datagram[start:end], bool(second & 0x80))


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """One RFC 4733 report of a key being held: how long so far (`duration`, ticks of 8 kHz), and whether it ended."""

    key: str
    duration: int
    ended: bool = False
    volume: int = KEY_VOLUME

    def pack(self) -> bytes:
        """The payload."""
        flags = (0x80 if self.ended else 0) | self.volume
        return _KEY.pack(KEY_EVENTS.index(self.key), flags, self.duration)


def unpack_key(payload: bytes) -> KeyEvent:
    """Read one telephone-event payload.

    Raises:
        RtpProtocolError: too short, or an event that is no key.
    """
    if len(payload) < _KEY.size:
        raise RtpProtocolError(f"a telephone-event has {_KEY.size} bytes, {len(payload)} came")
    event, flags, duration = _KEY.unpack_from(payload)
    if event >= len(KEY_EVENTS):
        raise RtpProtocolError(f"telephone-event {event} is no key")
    return KeyEvent(KEY_EVENTS[event], duration, bool(flags & 0x80), flags & 0x3F)
