"""What the packets of one call tell of whoever sent them: when sound began, the longest gap, the jitter. Pure."""

from __future__ import annotations

from collections.abc import Iterable
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
    lost = 0
    gap = jitter = highest = 0.0
    for before, packet in pairwise(received):
        step = (packet.sequence - before.sequence) & 0xFFFF
        if packet.ssrc != before.ssrc or not 0 < step < 0x8000:
            continue
        lost += step - 1
        meant = ((packet.timestamp - before.timestamp) & 0xFFFFFFFF) / RATE
        if packet.marker or meant > _NEW_TALKSPURT_S:
            continue
        spacing = packet.arrival - before.arrival
        gap = max(gap, spacing)
        jitter += (abs(spacing - meant) - jitter) / _JITTER_SHARE
        highest = max(highest, jitter)
    return PacketFigures(len(received), lost, received[0].arrival - answered_at, gap, highest)
