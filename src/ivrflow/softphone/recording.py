"""Everything one call received, packet by packet, and the one timeline it makes in the listener's ear.

Times are seconds of the monotonic clock (`time.monotonic`). Audio is placed by RTP timestamp inside a talkspurt, which is
exact to the sample whatever the network's jitter; each talkspurt is placed by the arrival of its least delayed packet.
"""

import wave
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ivrflow.softphone.codecs import RATE, Codec, Samples, codec
from ivrflow.softphone.rtp import RtpProtocolError, unpack_key, unpack_rtp

PAUSE_S = 0.025  # seconds: the peer paused when its packets come later than this by its own timestamps, and stay late
LASTING = 3  # packets that must be late together before that counts as a pause and not as jitter
LARGEST_GAP = 3000  # packets; a larger step of the sequence number is a new stream (RFC 3550 A.1)
LARGEST_MISORDER = 100  # packets
QUIET_DBFS = -45.0  # dBFS; below it nobody speaks
JOIN_S = 0.5  # a shorter pause is one inside a phrase


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


@dataclass(frozen=True, slots=True)
class HeardSpan:
    """From when to when somebody or something was to be heard (monotonic seconds)."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class HeardKey:
    """A key the peer pressed: when its first packet arrived and how long it was held."""

    key: str
    at: float
    held_s: float


class Recording:
    """The receiving side of one call. `add` only stores; everything else is worked out when asked for."""

    def __init__(self) -> None:
        self._raw = bytearray()
        self._ends = array("Q")
        self._arrivals = array("d")
        self._codecs: dict[int, str] = {0: "ulaw", 8: "alaw", 9: "g722"}
        self._keys_type = 101
        self._worked_out: tuple[int, list[Talkspurt]] = (0, [])

    def add(self, datagram: bytes, arrival: float) -> None:
        """Store one datagram as it came."""
        self._raw += datagram
        self._ends.append(len(self._raw))
        self._arrivals.append(arrival)

    def understand(self, codecs: dict[int, str], keys_type: int | None) -> None:
        """Take over the payload types that this side wrote into its SDP."""
        self._codecs.update(codecs)
        if keys_type is not None:
            self._keys_type = keys_type

    def __len__(self) -> int:
        """How many datagrams came."""
        return len(self._ends)

    @property
    def last_arrival(self) -> float | None:
        """When the latest datagram came."""
        return self._arrivals[-1] if self._arrivals else None

    def packets(self) -> Iterator[ReceivedPacket]:
        """All RTP packets in order of arrival; datagrams that are not RTP are left out."""
        start = 0
        for end, arrival in zip(self._ends, self._arrivals, strict=True):
            try:
                packet = unpack_rtp(bytes(self._raw[start:end]))
            except RtpProtocolError:
                packet = None
            start = end
            if packet:
                yield ReceivedPacket(
                    arrival,
                    packet.sequence,
                    packet.timestamp,
                    packet.ssrc,
                    packet.payload_type,
                    packet.marker,
                    packet.payload,
                )

    def heard_keys(self) -> list[HeardKey]:
        """The keys the peer pressed, in order (RFC 4733: packets of one press share a timestamp)."""
        pressed: dict[tuple[int, int], HeardKey] = {}
        for packet in self.packets():
            if packet.payload_type == self._keys_type:
                try:
                    event = unpack_key(packet.payload)
                except RtpProtocolError:
                    continue
                name = (packet.ssrc, packet.timestamp)
                first = pressed.get(name)
                held_s = max(event.duration / RATE, first.held_s if first else 0.0)
                pressed[name] = HeardKey(event.key, first.at if first else packet.arrival, held_s)
        return list(pressed.values())

    def talkspurts(self) -> list[Talkspurt]:
        """The audio in the order it was sent; after a hold-up of the sender, one may reach into the next."""
        if self._worked_out[0] != len(self):
            spurts = [spurt for stream in self._streams() for spurt in self._placed(stream)]
            self._worked_out = (len(self), spurts)
        return self._worked_out[1]

    def samples(self, start: float, end: float) -> Samples:
        """What was heard from `start` to `end` (monotonic seconds) at 8 kHz; zeros where nothing came."""
        heard = np.zeros(max(0, round((end - start) * RATE)), np.int16)
        for spurt in self.talkspurts():
            place = round((spurt.start - start) * RATE)
            first, last = max(0, place), min(len(heard), place + len(spurt.samples))
            if first < last:
                heard[first:last] = spurt.samples[first - place : last - place]
        return heard

    @property
    def span(self) -> HeardSpan | None:
        """From the first sample to the last; None when no audio came."""
        spurts = self.talkspurts()
        if not spurts:
            return None
        return HeardSpan(min(spurt.start for spurt in spurts), max(spurt.end for spurt in spurts))

    def heard_spans(self, *, quiet_dbfs: float = QUIET_DBFS, join_s: float = JOIN_S) -> list[HeardSpan]:
        """When there was something to hear.

        Args:
            quiet_dbfs: RMS against 32767 below which a 10 ms stretch is silent.
            join_s: Seconds; a shorter pause does not end a span.
        """
        step = RATE // 100
        limit = 32767 * 10 ** (quiet_dbfs / 20)
        spans: list[HeardSpan] = []
        for spurt in sorted(self.talkspurts(), key=lambda spurt: spurt.start):
            padded = np.pad(spurt.samples.astype(np.float64), (0, -len(spurt.samples) % step))
            rms = np.sqrt(np.mean(padded.reshape(-1, step) ** 2, axis=1))
            for block in np.flatnonzero(rms >= limit):
                start = spurt.start + int(block) * step / RATE
                end = min(start + step / RATE, spurt.end)
                if spans and start - spans[-1].end < join_s:
                    spans[-1] = HeardSpan(spans[-1].start, max(spans[-1].end, end))
                else:
                    spans.append(HeardSpan(start, end))
        return spans

    def write_wav(self, path: Path, start: float | None = None, end: float | None = None) -> None:
        """Write what was heard as a WAV file, 8 kHz mono 16 bit; from the first to the last sample unless told."""
        span = self.span or HeardSpan(start or 0.0, end or start or 0.0)
        samples = self.samples(span.start if start is None else start, span.end if end is None else end)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.astype("<i2").tobytes())

    # -- placing

    def _streams(self) -> list[list[tuple[int, ReceivedPacket]]]:
        """Audio packets by stream, each with its sequence number counted on beyond 2**16, in the order they were sent.

        A stream is an SSRC, until its sequence number jumps: then the sender began anew.
        """
        streams: list[dict[int, ReceivedPacket]] = []
        current: dict[int, tuple[dict[int, ReceivedPacket], int]] = {}  # by SSRC: the stream and its highest number
        for packet in self.packets():
            if packet.payload_type not in self._codecs or not packet.payload:
                continue
            stream, highest = current.get(packet.ssrc, ({}, packet.sequence))
            step = (packet.sequence - highest + 0x8000) % 0x10000 - 0x8000
            if not stream or not -LARGEST_MISORDER <= step <= LARGEST_GAP:
                stream, highest, step = {}, packet.sequence, 0
                streams.append(stream)
            stream.setdefault(highest + step, packet)  # a duplicate adds nothing
            current[packet.ssrc] = (stream, max(highest, highest + step))
        return [sorted(stream.items()) for stream in streams]

    def _placed(self, stream: list[tuple[int, ReceivedPacket]]) -> Iterator[Talkspurt]:
        """Cut a stream into talkspurts and place each."""
        decoders: dict[str, Codec] = {}
        pieces: list[tuple[int, float, Samples]] = []  # position in samples, arrival, audio
        before: tuple[int, ReceivedPacket] | None = None
        position = 0
        for number, packet in stream:
            name = self._codecs[packet.payload_type]
            audio = decoders.setdefault(name, codec(name)).decode(packet.payload)
            if before is not None:
                step = _position_step(before, (number, packet))
                if step is None:
                    yield from _anchored(pieces)
                    pieces, position = [], 0
                else:
                    position += step
            pieces.append((position, packet.arrival, audio))
            before = (number, packet)
        yield from _anchored(pieces)


def _position_step(before: tuple[int, ReceivedPacket], now: tuple[int, ReceivedPacket]) -> int | None:
    """How many samples after the packet `before` the packet `now` belongs; None when a new talkspurt begins.

    A short packet is seldom and the last of a prompt. Its timestamp lies one packet after the one before, or, in
    Asterisk, only its own length after it: the audio follows on either way.
    """
    (number_before, packet_before), (number, packet) = before, now
    ticks = (packet.timestamp - packet_before.timestamp) & 0xFFFFFFFF
    length = len(packet_before.payload)  # one byte is one tick in all three codecs
    if number == number_before + 1:
        return length if ticks in (length, len(packet.payload)) else None
    lost = number - number_before - 1
    return ticks if ticks == length * (lost + 1) else None


def _anchored(pieces: list[tuple[int, float, Samples]]) -> Iterator[Talkspurt]:
    """Place packets that follow on from each other, and cut them where the sender paused without saying so.

    The delay of a packet is its arrival minus its position. Jitter only ever adds to it, so the smallest delay from here
    to the end is what the sender's own clock says here; where that lasts on a higher level, the sender had paused.
    """
    if not pieces:
        return
    delays = np.array([arrival - position / RATE for position, arrival, _ in pieces])
    lowest_from_here = np.minimum.accumulate(delays[::-1])[::-1]
    first, anchor = 0, lowest_from_here[0]
    cuts = [0]
    for place in range(1, len(pieces) - LASTING + 1):
        if lowest_from_here[place] > anchor + PAUSE_S:
            cuts.append(place)
            anchor = lowest_from_here[place]
    for first, last in zip(cuts, [*cuts[1:], len(pieces)], strict=True):
        origin = pieces[first][0]
        start = float(lowest_from_here[first]) + origin / RATE
        length = max(position - origin + len(audio) for position, _, audio in pieces[first:last])
        samples = np.zeros(length, np.int16)
        for position, _, audio in pieces[first:last]:
            samples[position - origin : position - origin + len(audio)] = audio
        yield Talkspurt(start, samples)
