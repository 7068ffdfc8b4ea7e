"""Where received audio belongs: packets of one sender put in order, decoded once each, and placed on the clock.

Audio is placed by RTP timestamp inside a talkspurt, which is exact to the sample whatever the network's jitter; each
talkspurt is placed by the arrival of its least delayed packet. Times are seconds of the monotonic clock.
"""

import math
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from ivrflow.softphone.codecs import RATE, Codec, Samples, codec

PAUSE_S = 0.025  # seconds: the peer paused when its packets come later than this by its own timestamps, and stay late
LASTING = 3  # packets that must be late together before that counts as a pause and not as jitter
LARGEST_GAP = 3000  # packets; a larger step of the sequence number is a new stream (RFC 3550 A.1)
LARGEST_MISORDER = 100  # packets
LEAST_PAUSE_S = 0.06  # seconds between two samples that jitter does not explain
LEAP_S = 0.004  # seconds by which the sender's clock must leap to be followed
AGREEING = 10  # packets before and after that which must agree
HOLD_BACK = 4  # packets for which a missing one is waited for before it counts as lost
HOLD_BACK_S = 0.06  # the same in seconds

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReceivedPacket:
    """One RTP packet and when it arrived, as the kernel saw it (monotonic seconds)."""

    arrival: float
    sequence: int
    timestamp: int
    ssrc: int
    payload_type: int
    marker: bool
    payload: bytes


@dataclass(frozen=True, slots=True)
class Talkspurt:
    """Audio that was sent without a break: its first sample was heard at `start` (monotonic seconds)."""

    start: float
    samples: Samples

    @property
    def end(self) -> float:
        """When its last sample had been heard."""
        return self.start + len(self.samples) / RATE


class Stream:
    """What one sender sent, end to end, without the silence in which it sent nothing.

    A place is a number of samples from the stream's beginning. Packets that were lost inside a talkspurt leave zeros,
    and an entry in `gaps`.
    """

    def __init__(self) -> None:
        self.gaps: list[tuple[int, int]] = []
        """From which place to which nothing came."""
        self._audio = np.zeros(RATE, np.int16)
        self._length = 0
        self._places = array("q")  # of each packet's first sample
        self._arrivals = array("d")
        self._strands = array("q", [0])  # packets with which timestamps began anew
        self._anchored: dict[int, tuple[int, list[tuple[int, float]]]] = {}  # by strand: packets, and their anchors
        self._decoders: dict[str, Codec] = {}
        self._before: tuple[int, int, int] | None = None  # number, timestamp and payload bytes of the packet before

    def __len__(self) -> int:
        """How many samples there are."""
        return self._length

    @property
    def samples(self) -> Samples:
        """All of them, at 8 kHz. A view that the next packet may leave behind: do not keep it."""
        return self._audio[: self._length]

    def append(self, number: int, packet: ReceivedPacket, name: str) -> None:
        """Decode the next packet in order (codec `name`) and put it where it belongs.

        Args:
            number: The sequence number, counted on beyond 2**16.
            packet: The packet.
            name: Its codec.
        """
        decoder = self._decoders.get(name) or self._decoders.setdefault(name, codec(name))
        audio = decoder.decode(packet.payload)
        place = self._length
        if self._before is not None:
            step = _position_step(self._before, number, packet)
            if step is None:
                self._strands.append(len(self._places))
            else:
                place = self._places[-1] + step
                if place > self._length:
                    self.gaps.append((self._length, place))
        end = place + len(audio)
        if end > len(self._audio):
            self._audio = np.concatenate([self._audio, np.zeros(max(end, len(self._audio)), np.int16)])
        self._audio[place:end] = audio
        self._length = max(self._length, end)
        self._places.append(place)
        self._arrivals.append(packet.arrival)
        self._before = (number, packet.timestamp, len(packet.payload))

    def time(self, place: int) -> float:
        """When the sample at `place` was heard, as far as the packets that have come can tell.

        A place outside of what came is counted on from the nearest packet.
        """
        anchors = self._anchors(self._strand_of(place))
        origin, start = max((anchor for anchor in anchors if anchor[0] <= place), default=anchors[0])
        return start + (place - origin) / RATE

    def place_arrived(self, since: float) -> int:
        """The place of the first packet that came at `since` or later; the length when none did."""
        for number in range(len(self._arrivals) - 1, -1, -1):
            if self._arrivals[number] < since:
                return self._places[number + 1] if number + 1 < len(self._places) else self._length
        return 0

    def came(self, start: int, end: int) -> npt.NDArray[np.bool_] | None:
        """Which of the samples from `start` to `end` came; None when all did."""
        missing = [(first, last) for first, last in self.gaps if first < end and last > start]
        if not missing:
            return None
        there = np.ones(end - start, np.bool_)
        for first, last in missing:
            there[max(0, first - start) : last - start] = False
        return there

    def pauses(self, start: int, end: int, least_s: float = LEAST_PAUSE_S) -> list[int]:
        """The places between `start` and `end` before which the sender had paused for more than `least_s` seconds."""
        first, last = self._strand_of(start), self._strand_of(end - 1)
        places = [place for strand in range(first, last + 1) for place, _ in self._anchors(strand)]
        return [place for place in places if start < place < end and self.time(place) - self.time(place - 1) > least_s]

    def talkspurts(self) -> Iterator[Talkspurt]:
        """The audio cut where the sender paused, each piece at the time it was heard; copies."""
        for strand in range(len(self._strands)):
            anchors = self._anchors(strand)
            ends = [origin for origin, _ in anchors[1:]] + [self._strand_end(strand)]
            for (origin, start), end in zip(anchors, ends, strict=True):
                yield Talkspurt(start, self._audio[origin:end].copy())

    def _strand_of(self, place: int) -> int:
        return bisect_right(self._strands, max(0, bisect_right(self._places, place) - 1)) - 1

    def _strand_end(self, strand: int) -> int:
        return self._places[self._strands[strand + 1]] if strand + 1 < len(self._strands) else self._length

    def _anchors(self, strand: int) -> list[tuple[int, float]]:
        """The places where the sender began, or paused or hurried without saying so, and when each was heard."""
        first = self._strands[strand]
        last = self._strands[strand + 1] if strand + 1 < len(self._strands) else len(self._places)
        known = self._anchored.get(strand)
        if known and known[0] == last - first:
            return known[1]
        places = np.array(self._places[first:last])
        if not len(places):
            return [(0, 0.0)]
        delays = np.array(self._arrivals[first:last]) - places / RATE
        anchors = [
            (int(places[begin + cut]), level + int(places[begin + cut]) / RATE)
            for begin, end in pairwise([0, *_leaps(delays), len(places)])
            for cut, level in _levels(delays[begin:end])
        ]
        self._anchored[strand] = (last - first, anchors)
        return anchors


def _leaps(delays: Floats) -> list[int]:
    """The packets with which the sender's clock leapt without a pause: many agree on one delay, then on another.

    Asterisk does that when one sound takes the place of another: it does not wait for the 20 ms to be over.
    """
    leaps: list[int] = []
    begin = 0
    while len(delays) - begin > 2 * AGREEING:
        rest = delays[begin:]
        windows = sliding_window_view(rest, AGREEING)
        latest, earliest = windows.max(axis=1), windows.min(axis=1)
        spread = latest - earliest
        before, after = slice(None, -AGREEING), slice(AGREEING, None)
        # What was held up and then comes in a burst is early step by step, and never earlier than the first.
        forward = np.minimum.accumulate(rest)[AGREEING - 1 : -AGREEING] - latest[after]
        backward = earliest[after] - latest[before]
        backward[backward > PAUSE_S] = 0.0  # a pause, or a hold-up: `_levels` tells which
        surely = np.maximum(LEAP_S, np.maximum(spread[before], spread[after]))
        found = np.flatnonzero(np.maximum(forward, backward) > surely)
        if not len(found):
            break
        begin += AGREEING + int(found[0])
        leaps.append(begin)
    return leaps


def _levels(delays: Floats) -> list[tuple[int, float]]:
    """The packets with which the sender began or paused, and by how much its clock is behind from there.

    The delay of a packet is its arrival minus its place. Jitter only ever adds to it, so the smallest delay from here
    to the end is what the sender's own clock says here; where that lasts on a higher level, the sender had paused.
    """
    lowest_from_here = np.minimum.accumulate(delays[::-1])[::-1][: max(1, len(delays) - LASTING + 1)]
    levels = [(0, float(lowest_from_here[0]))]
    while (cut := int(np.searchsorted(lowest_from_here, levels[-1][1] + PAUSE_S, "right"))) < len(lowest_from_here):
        levels.append((cut, float(lowest_from_here[cut])))
    return levels


def _position_step(before: tuple[int, int, int], number: int, packet: ReceivedPacket) -> int | None:
    """How many samples after the packet `before` this one belongs; None when a new talkspurt begins.

    A short packet is seldom and the last of a prompt. Its timestamp lies one packet after the one before, or, in
    Asterisk, only its own length after it: the audio follows on either way.
    """
    number_before, timestamp_before, length = before  # one byte is one tick in all three codecs
    ticks = (packet.timestamp - timestamp_before) & 0xFFFFFFFF
    if number == number_before + 1:
        return length if ticks in (length, len(packet.payload)) else None
    lost = number - number_before - 1
    return ticks if ticks == length * (lost + 1) else None


class Placing:
    """Sorts packets into streams.

    A stream is an SSRC, until its sequence number jumps: then the sender began anew. A missing packet is waited for:
    for `hold_back` further packets, or, when that is None, until `flush`. One that comes later than that is left out,
    and so is a double.
    """

    def __init__(self, codec_of: Callable[[int], str | None], hold_back: int | None = HOLD_BACK) -> None:
        self.streams: list[Stream] = []
        self._codec_of = codec_of
        self._hold_back = hold_back
        self._current: dict[int, _Queue] = {}  # by SSRC

    def add(self, packets: Iterable[ReceivedPacket]) -> None:
        """Take packets in the order of their arrival; those without audio are left out."""
        for packet in packets:
            name = self._codec_of(packet.payload_type)
            if name is None or not packet.payload:
                continue
            queue = self._current.get(packet.ssrc)
            step = (packet.sequence - queue.highest + 0x8000) % 0x10000 - 0x8000 if queue else 0
            if queue is None or not -LARGEST_MISORDER <= step <= LARGEST_GAP:
                if queue:
                    queue.release()
                queue, step = _Queue(Stream(), packet.sequence), 0
                self._current[packet.ssrc] = queue
                self.streams.append(queue.stream)
            queue.put(queue.highest + step, packet, name)
            if self._hold_back is not None:
                queue.release_in_order(self._hold_back)

    def flush(self, arrived_before: float = math.inf) -> None:
        """Wait no longer for what is missing in front of packets that came before this second."""
        for queue in self._current.values():
            queue.release_old(arrived_before)


class _Queue:
    """One stream's packets on their way into order."""

    def __init__(self, stream: Stream, first: int) -> None:
        self.stream = stream
        self.highest = first
        self._next: int | None = None  # number of the packet to come; None until the first one was placed
        self._waiting: dict[int, tuple[ReceivedPacket, str]] = {}

    def put(self, number: int, packet: ReceivedPacket, name: str) -> None:
        self.highest = max(self.highest, number)
        if self._next is None or number >= self._next:
            self._waiting.setdefault(number, (packet, name))

    def release_in_order(self, hold_back: int) -> None:
        """Place what is in order; wait no longer for what `hold_back` packets have overtaken."""
        while self._waiting and (self._next is None or len(self._waiting) > hold_back or self._next in self._waiting):
            self._place(min(self._waiting))

    def release_old(self, arrived_before: float) -> None:
        """Wait no longer for what is missing in front of packets that came before this second."""
        old = [number for number, (packet, _) in self._waiting.items() if packet.arrival < arrived_before]
        for number in sorted(self._waiting):
            if (old and number <= max(old)) or number == self._next:
                self._place(number)

    def release(self) -> None:
        """Place everything there is."""
        for number in sorted(self._waiting):
            self._place(number)

    def _place(self, number: int) -> None:
        self.stream.append(number, *self._waiting.pop(number))
        self._next = number + 1
