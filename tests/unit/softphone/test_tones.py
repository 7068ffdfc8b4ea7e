"""Steady tones, and all that is none."""

import numpy as np
import pytest
from heard_calls import CHANGE_PHONE, PAYLOAD_TYPES, shipped, white_noise

from ivrflow.softphone.codecs import RATE, Samples, codec
from ivrflow.softphone.tones import WINDOW, steady_tones


def tone(seconds: float, *hz: float, volume: float = 6000.0) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    waves = np.array([np.sin(2 * np.pi * one * time + one) for one in hz])
    both: Samples = (volume * waves.sum(axis=0)).astype(np.int16)
    return both


@pytest.mark.parametrize("codec_name", PAYLOAD_TYPES)
@pytest.mark.parametrize(
    ("lines", "name"),
    [((450,), "450 Hz"), ((1200,), "1200 Hz"), ((350, 440), "350+440 Hz"), ((697, 1209), "697+1209 Hz")],
)
def test_a_tone_between_silences(lines: tuple[int, ...], name: str, codec_name: str) -> None:
    silence = np.zeros(4000, np.int16)
    line = codec(codec_name)
    heard = line.decode(line.encode(np.concatenate([silence, tone(1.0, *lines), silence])))
    (found,) = steady_tones(heard)
    assert found.name == name
    assert found.start == pytest.approx(4000, abs=WINDOW)
    assert found.end == pytest.approx(12000, abs=WINDOW)


def test_a_tone_at_any_volume_and_two_one_after_the_other() -> None:
    heard = np.concatenate([tone(0.5, 440, volume=400), tone(0.5, 620, volume=15000)])
    assert [found.name for found in steady_tones(heard)] == ["440 Hz", "620 Hz"]


def test_what_is_no_tone() -> None:
    for sound in (shipped(CHANGE_PHONE), white_noise(2.0, 2000), np.zeros(RATE, np.int16), tone(0.1, 450)):
        assert steady_tones(sound) == []
    assert steady_tones(tone(1.0, 300, 500, 800)) == []
    assert steady_tones(np.zeros(10, np.int16)) == []
