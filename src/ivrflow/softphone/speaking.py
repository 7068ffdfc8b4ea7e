"""What one call sends: a frame every 20 ms, from phrases, keys and the audio source. No sockets, no clock."""

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ivrflow.softphone.audio_source import AudioSource, mixed, payloads, split_frames
from ivrflow.softphone.codecs import FRAME, Samples
from ivrflow.softphone.rtp import KEY_EVENTS, KeyEvent, RtpPacket
from ivrflow.softphone.sdp import AgreedAudio

REPEATED_ENDS = 3  # RFC 4733 2.5.1.4: the last report is sent three times
LONGEST_KEY_MS = 8000  # the 16-bit duration of RFC 4733 counts to 8.19 s


@dataclass(slots=True)
class _Key:
    event: str
    ticks: int  # how long it is held
    pause: int  # frames of silence after it
    done: Callable[[], None]
    began: int = -1  # RTP timestamp
    elapsed: int = 0


@dataclass(slots=True)
class _Phrase:
    frames: list[bytes]
    done: Callable[[], None]
    next: int = 0


class Speaker:
    """The sending side of one call. `next_packets` is to be called once every 20 ms.

    Keys go before everything: while one is held, a phrase waits. A phrase goes before the source, which goes on as the
    background of the phrase when it is noise or a tone.
    """

    def __init__(self, agreed: AgreedAudio, source: AudioSource) -> None:
        self._agreed = agreed
        self._source = source
        self._cycle = payloads(source, agreed.codec)
        self._place = 0
        self._sequence = secrets.randbelow(2**15)
        self._timestamp = secrets.randbelow(2**31)
        self._ssrc = secrets.randbelow(2**32)
        self._phrases: deque[_Phrase] = deque()
        self._keys: deque[_Key] = deque()
        self._pause = 0
        self._mark = True  # the next audio packet begins a talkspurt

    @property
    def source(self) -> AudioSource:
        """What is sent while no phrase or key is."""
        return self._source

    @source.setter
    def source(self, source: AudioSource) -> None:
        self._source, self._cycle, self._place = source, payloads(source, self._agreed.codec), 0

    def renegotiated(self, agreed: AgreedAudio) -> None:
        """Go on under new terms; phrases not yet sent are lost when the codec changed."""
        if agreed.codec != self._agreed.codec:
            while self._phrases:
                self._phrases.popleft().done()
            self._cycle, self._place = payloads(self._source, agreed.codec), 0
        self._agreed = agreed

    def say(self, samples: Samples, done: Callable[[], None]) -> None:
        """Queue a phrase (8 kHz); `done` is called when its last frame has been handed out."""
        frames = split_frames(mixed(samples, self._source), self._agreed.codec)
        if frames:
            self._phrases.append(_Phrase(frames, done))
        else:
            done()

    def press(self, key: str, hold_ms: int, pause_ms: int, done: Callable[[], None]) -> None:
        """Queue a key held for `hold_ms`, nothing but the source for `pause_ms` after it; `done` at its release.

        Raises:
            ValueError: no such key, or the time is out of range.
        """
        if len(key) != 1 or key not in KEY_EVENTS:
            raise ValueError(f"no such key: {key!r}; there are {' '.join(KEY_EVENTS)}")
        if not 20 <= hold_ms <= LONGEST_KEY_MS:
            raise ValueError(f"a key is held for 20 to {LONGEST_KEY_MS} ms, got {hold_ms}")
        self._keys.append(_Key(key, hold_ms * 8, round(pause_ms / 20), done))

    def stop(self) -> None:
        """Drop what is queued; whoever waits for it is released."""
        while self._phrases:
            self._phrases.popleft().done()
        while self._keys:
            self._keys.popleft().done()

    def next_packets(self) -> list[bytes]:
        """The datagrams of the next 20 ms: none, one, or the three that end a key."""
        self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF
        if not self._agreed.may_send:
            self._mark = True
            return []
        if self._pause:
            self._pause -= 1
        elif self._keys:
            return self._key_packets(self._keys[0])
        if self._phrases and not self._keys:
            return [self._phrase_packet(self._phrases[0])]
        payload = self._cycle[self._place]
        self._place = (self._place + 1) % len(self._cycle)
        if payload is None:
            self._mark = True
            return []
        what, data = payload
        if what == "audio":
            return [self._audio(data)]
        self._mark = True
        if self._agreed.noise is None:
            return []
        return [self._packet(self._agreed.noise, data, self._timestamp)]

    def skip(self) -> None:
        """Let 20 ms pass unsent: the process was held up too long to catch up."""
        self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF
        self._mark = True

    def _phrase_packet(self, phrase: _Phrase) -> bytes:
        packet = self._audio(phrase.frames[phrase.next])
        phrase.next += 1
        if phrase.next == len(phrase.frames):
            self._phrases.popleft()
            phrase.done()
        return packet

    def _key_packets(self, key: _Key) -> list[bytes]:
        first = key.began < 0
        if first:
            key.began = self._timestamp
        key.elapsed = min(key.elapsed + FRAME, key.ticks)
        ended = key.elapsed == key.ticks
        report = KeyEvent(key.event, key.elapsed, ended).pack()
        payload_type = self._agreed.keys or 0
        packets = [
            self._packet(payload_type, report, key.began, marker=first and n == 0)
            for n in range(REPEATED_ENDS if ended else 1)
        ]
        if ended:
            self._keys.popleft()
            self._pause, self._mark = key.pause, True
            key.done()
        return packets

    def _audio(self, payload: bytes) -> bytes:
        marker, self._mark = self._mark, False
        return self._packet(self._agreed.payload_type, payload, self._timestamp, marker=marker)

    def _packet(self, payload_type: int, payload: bytes, timestamp: int, *, marker: bool = False) -> bytes:
        self._sequence = (self._sequence + 1) & 0xFFFF
        return RtpPacket(payload_type, self._sequence, timestamp, self._ssrc, payload, marker).pack()
