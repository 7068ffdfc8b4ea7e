"""Cutting the silence around speech, so that a wait heard by the caller is the wait of the standard.

A synthesiser leaves about 0.4 s before the speech and 1 s after it: a pause of 3.0 s between two such prompts is 4.4 s
of silence in the caller's ear. A prompt may carry at most `DEAD_AIR_MS` at either end.
"""

from __future__ import annotations

import numpy as np

from ivrflow.prompts.sound import PACKET_MS, TELEPHONE_RATE, Samples, telephone_band

DEAD_AIR_MS = 100
"""The most silence a prompt may have before its first and after its last sound, in milliseconds."""

PART_AIR_MS = 140
"""The same of what is only heard between others: a speaker's pause, its rounding up to a packet, and a last faint sound."""

EDGE_MS = 50
"""The silence a trimmed prompt keeps at either end, in milliseconds: room for the fade, none of it in the speech."""

_FAINT_DB = -50.0
_CLEAR_DB = -35.0
_LEAST_EDGE_MS = 20
_BEFORE_CLEAR_MS = 80
_LONGEST_BREATH_MS = (75, 55)  # before and after: with the least edge, and up to a packet at the end, 95 ms
_FRAME_MS = 5
_SUSTAINED_FRAMES = 3
_FADE_MS = 20


def speech_bounds(samples: Samples, rate: int) -> tuple[int, int]:
    """First sample of the speech and the first after it.

    Sound counts as speech from 50 dB below the loudest 5 ms on, for at least 15 ms: the breath of an h or an f is kept
    (it starts 40 to 45 dB down), a single click is not. Resolution is 5 ms. Raises ValueError when nothing is heard.
    """
    return _bounds(samples, rate, _FAINT_DB)


def dead_air(samples: Samples, rate: int) -> tuple[int, int]:
    """Silence before and after the speech, in whole milliseconds."""
    start, end = speech_bounds(samples, rate)
    return start * 1000 // rate, (len(samples) - end) * 1000 // rate


def trim(samples: Samples, rate: int, edges_ms: tuple[int | None, int | None] = (None, None)) -> Samples:
    """The speech with 50 ms before and after it, and up to 20 ms more after it for a whole number of packets.

    Where speech begins or ends with a breath, which on the telephone is hardly more than silence, the edge is shorter
    (down to 20 ms), so that clear speech begins 80 ms into the prompt; the breath itself is cut only where it would be
    more than `DEAD_AIR_MS` (of a part, `PART_AIR_MS`) in the caller's ear, as when a voice dies away slowly. What the
    recording has too little of is filled with silence. The outermost 20 ms are faded, which does not reach into the speech.

    Args:
        samples: the recording.
        rate: its samples per second.
        edges_ms: silence before and after the speech where it is not that, in milliseconds; None where it is.

    Raises ValueError when there is no speech.
    """
    start, end = speech_bounds(samples, rate)
    clear_start, clear_end = (
        at * rate // TELEPHONE_RATE for at in _bounds(telephone_band(samples, rate), TELEPHONE_RATE, _CLEAR_DB)
    )
    before_ms, after_ms = edges_ms
    breath_before = _LONGEST_BREATH_MS[0] if before_ms is None else PART_AIR_MS - before_ms
    breath_after = _LONGEST_BREATH_MS[1] if after_ms is None else PART_AIR_MS - PACKET_MS - after_ms
    start = max(start, clear_start - rate * breath_before // 1000)
    end = min(end, clear_end + rate * breath_after // 1000)
    edge, edge_after = (
        _edge(breath, rate) if asked is None else rate * asked // 1000
        for breath, asked in zip((clear_start - start, end - clear_end), edges_ms, strict=True)
    )
    packet = rate * PACKET_MS // 1000
    length = -(-(edge + end - start + edge_after) // packet) * packet
    before = min(edge, start)
    kept = samples[start - before : min(len(samples), start - edge + length)]
    trimmed = np.zeros(length, dtype=np.float32)
    trimmed[edge - before : edge - before + len(kept)] = kept

    longest = rate * _FADE_MS // 1000
    trimmed[: min(longest, edge)] *= _ramp(min(longest, edge))
    trimmed[-min(longest, edge_after) :] *= _ramp(min(longest, edge_after))[::-1]
    return trimmed


def _ramp(length: int) -> Samples:
    return (0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, length))).astype(np.float32)


def _edge(breath: int, rate: int) -> int:
    milliseconds = min(EDGE_MS, max(_LEAST_EDGE_MS, _BEFORE_CLEAR_MS - max(0, breath) * 1000 // rate))
    return rate * milliseconds // 1000


def _bounds(samples: Samples, rate: int, below_loudest: float) -> tuple[int, int]:
    frame = rate * _FRAME_MS // 1000
    count = len(samples) // frame
    power = np.square(samples[: count * frame].astype(np.float64)).reshape(count, frame).mean(axis=1)
    if count < _SUSTAINED_FRAMES or power.max() <= 0.0:
        raise ValueError("there is no sound in these samples")
    audible = power > power.max() * 10 ** (below_loudest / 10)
    starts = np.flatnonzero(np.convolve(audible, np.ones(_SUSTAINED_FRAMES), mode="valid") == _SUSTAINED_FRAMES)
    if len(starts) == 0:
        raise ValueError("there is nothing longer than a click in these samples")
    return int(starts[0]) * frame, (int(starts[-1]) + _SUSTAINED_FRAMES) * frame
