"""Calls as a phone hears them, made by hand: shipped prompts in packets, whose moments are known to the sample."""

from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path

import numpy as np

from ivrflow.prompts.formats import telephone_samples
from ivrflow.softphone.codecs import FRAME, FRAME_S, RATE, Samples, codec
from ivrflow.softphone.recording import Recording
from ivrflow.softphone.rtp import RtpPacket

MASTERS = Path(__file__).parents[3] / "prompts"
PAYLOAD_TYPES = {"ulaw": 0, "alaw": 8, "g722": 9}

GREETING = "gov12345/greeting_inbound.standard"
SAME_AS_GREETING = "gov12345/silent_call.greeting"
CONNECTED = "gov12345/silent_call.connected"
CHANGE_PHONE = "gov12345/silent_call.change_phone"
CALLS_BACK = "gov12345/callback.opening-without"
FAREWELL = "house/closing.farewell"
WAIT_ALT1 = "gov12345/hold_request.short.alt1"
WAIT_ALT2 = "gov12345/hold_request.short.alt2"  # half a second like the one before
SOME = (GREETING, CONNECTED, CHANGE_PHONE, CALLS_BACK, FAREWELL, WAIT_ALT1, WAIT_ALT2)


@cache
def shipped(stem: str) -> Samples:
    """A prompt of this checkout at 8 kHz: "house/closing.farewell"."""
    return telephone_samples(MASTERS / f"{stem}.opus")


def some_prompts(*stems: str) -> dict[str, Samples]:
    return {stem: shipped(stem) for stem in stems or SOME}


def last_sound(samples: Samples) -> float:
    """Seconds until the last 10 ms louder than -45 dBFS end."""
    steps = samples[: len(samples) // 80 * 80].reshape(-1, 80).astype(np.float64)
    return float(np.flatnonzero(np.sqrt(np.mean(steps**2, axis=1)) >= 184.2)[-1] + 1) * 0.01


def white_noise(seconds: float, rms: float, seed: int = 1) -> Samples:
    noise: Samples = np.random.default_rng(seed).normal(0, rms, round(seconds * RATE)).astype(np.int16)
    return noise


def made_up_music(seconds: float, seed: int = 1) -> Samples:
    """Chords that change every 0.3 s."""
    random = np.random.default_rng(seed)
    time = np.arange(round(0.3 * RATE)) / RATE
    chords = [
        sum(np.sin(2 * np.pi * 220 * 2 ** (note / 12) * time) * np.exp(-3 * time) for note in random.integers(0, 30, 3))
        for _ in range(round(seconds / 0.3))
    ]
    music: Samples = (np.concatenate(chords) * 3000).astype(np.int16)
    return music


class Line:
    """What a PBX sends to one phone. Between two pieces it sends nothing, and the timestamps of the next begin anew."""

    def __init__(self, codec_name: str = "alaw", *, jitter_s: float = 0.0, seed: int = 0) -> None:
        self.arrivals: list[tuple[bytes, float]] = []
        self._codec = codec_name
        self._jitter_s = jitter_s
        self._random = np.random.default_rng(seed)
        self._sequence = int(self._random.integers(0, 2**16))
        self._timestamp = int(self._random.integers(0, 2**32))

    def play(self, samples: Samples, at: float, *, goes_on: bool = False) -> float:
        """Send `samples` from second `at` on; when the next piece can follow. `goes_on`: the timestamps do."""
        if not goes_on:
            self._timestamp += 7777
        encoder = codec(self._codec)
        for number, start in enumerate(range(0, len(samples), FRAME)):
            payload = encoder.encode(np.ascontiguousarray(samples[start : start + FRAME]))
            packet = RtpPacket(
                PAYLOAD_TYPES[self._codec],
                self._sequence % 2**16,
                (self._timestamp + start) % 2**32,
                7,
                payload,
                number == 0 and not goes_on,
            )
            late = float(self._random.uniform(0, self._jitter_s)) if number else 0.0  # the first one tells the time
            self.arrivals.append((packet.pack(), at + number * FRAME_S + late))
            self._sequence += 1
        self._timestamp += len(samples)
        return at + len(samples) / RATE

    def lose(self, numbers: Collection[int]) -> None:
        """These packets never arrive."""
        self.arrivals = [arrival for number, arrival in enumerate(self.arrivals) if number not in numbers]

    def delay(self, late: Callable[[int, float], float]) -> None:
        """Let packet number n, due at second t, arrive at `late(n, t)`."""
        self.arrivals = [(data, late(number, at)) for number, (data, at) in enumerate(self.arrivals)]

    def recording(self) -> Recording:
        recording = Recording()
        for datagram, at in sorted(self.arrivals, key=lambda arrival: arrival[1]):
            recording.add(datagram, at)
        return recording
