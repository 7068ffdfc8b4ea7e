"""Everything one call received, packet by packet, and the one timeline it makes in the listener's ear.

Times are seconds of the monotonic clock (`time.monotonic`); `placing.py` says where the audio belongs on it.
"""

import wave
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ivrflow.softphone.codecs import RATE, Samples
from ivrflow.softphone.placing import HOLD_BACK_S, Placing, ReceivedPacket, Stream, Talkspurt
from ivrflow.softphone.rtp import RtpProtocolError, unpack_key, unpack_rtp

QUIET_DBFS = -45.0  # dBFS; below it nobody speaks
JOIN_S = 0.5  # a shorter pause is one inside a phrase


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
        self._worked_out: tuple[int, list[Stream], list[Talkspurt]] = (0, [], [])

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

    def codec_of(self, payload_type: int) -> str | None:
        """The codec a payload type stands for; None when it is no audio."""
        return self._codecs.get(payload_type)

    def packets(self, first: int = 0) -> Iterator[ReceivedPacket]:
        """The RTP packets in order of arrival, from datagram `first` on; datagrams that are not RTP are left out."""
        start = self._ends[first - 1] if first else 0
        for number in range(first, len(self._ends)):
            end, arrival = self._ends[number], self._arrivals[number]
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
        self._work_out()
        return self._worked_out[2]

    def streams(self) -> list[Stream]:
        """The same end to end, one piece for each sender, without the silence in which nothing was sent."""
        self._work_out()
        return self._worked_out[1]

    def _work_out(self) -> None:
        if self._worked_out[0] != len(self):
            placing = Placing(self.codec_of, hold_back=None)
            placing.add(self.packets())
            placing.flush()
            spurts = [spurt for stream in placing.streams for spurt in stream.talkspurts()]
            self._worked_out = (len(self), placing.streams, spurts)

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


class Inflow:
    """The audio of a recording while it grows: each packet is decoded once, when it has come.

    The same as `Recording.streams`, but for packets that come out of order by more than `HOLD_BACK` packets: those are
    taken for lost.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._placing = Placing(recording.codec_of)
        self._taken = 0

    def take(self, now: float) -> list[Stream]:
        """Take in what has come until `now`; all streams so far, the latest last."""
        if len(self._recording) > self._taken:
            self._placing.add(self._recording.packets(self._taken))
            self._taken = len(self._recording)
        self._placing.flush(now - HOLD_BACK_S)
        return self._placing.streams
