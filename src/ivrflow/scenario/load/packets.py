"""What the packets of one call tell of whoever sent them: when sound began, the longest gap, the jitter. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ivrflow.softphone.codecs import RATE
from ivrflow.softphone.placing import ReceivedPacket

_NEW_TALKSPURT_S = 0.1
"""A step of the sender's own timestamps larger than this is silence he meant."""

_JITTER_SHARE = 16
"""RFC 3550 6.4.1: each packet counts for a sixteenth."""


@dataclass(frozen=True, slots=True)
class PacketFigures:
    """All times in seconds.

    Attributes:
        count: packets received.
        lost: packets that never came, by their sequence numbers.
        first_after: from the answer to the first packet.
        longest_gap: the longest time between two packets that should have come 20 ms apart.
        jitter: the highest value that the interarrival jitter of RFC 3550 reached.
    """

    count: int
    lost: int
    first_after: float
    longest_gap: float
    jitter: float


def packet_figures(packets: Iterable[ReceivedPacket], answered_at: float) -> PacketFigures | None:
    """The figures of one call, its packets in order of arrival; None when there are none.

    Between two prompts a PBX may send nothing. That is no gap: it marks the packet after it, or its timestamps say so.
    """
    received = list(packets)
    if not received:
        return None
    gap = jitter = highest = 0.0
    for before, packet in pairwise(received):
        if packet.ssrc != before.ssrc or (packet.sequence - before.sequence) & 0xFFFF != 1:
            continue
        meant = ((packet.timestamp - before.timestamp) & 0xFFFFFFFF) / RATE
        if packet.marker or meant > _NEW_TALKSPURT_S:
            continue
        spacing = packet.arrival - before.arrival
        gap = max(gap, spacing)
        jitter += (abs(spacing - meant) - jitter) / _JITTER_SHARE
        highest = max(highest, jitter)
    return PacketFigures(len(received), _lost(received), received[0].arrival - answered_at, gap, highest)


def _lost(received: Sequence[ReceivedPacket]) -> int:
    """How many sequence numbers are missing between the first and the last of each stream."""
    streams: dict[int, set[int]] = {}
    latest: dict[int, int] = {}
    for packet in received:
        before = latest.get(packet.ssrc, packet.sequence)
        # The numbers begin anew after 65535: counted on from the latest, forwards or, where one was overtaken, backwards.
        number = before + (packet.sequence - before + 0x8000) % 0x10000 - 0x8000
        streams.setdefault(packet.ssrc, set()).add(number)
        latest[packet.ssrc] = max(before, number)
    return sum(max(numbers) - min(numbers) + 1 - len(numbers) for numbers in streams.values())
