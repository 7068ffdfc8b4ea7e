"""What the sources send and sound like."""

import numpy as np
import pytest

from ivrflow.softphone.audio_source import (
    Breathing,
    ComfortNoise,
    Noise,
    NoRtp,
    Silence,
    Tone,
    background,
    mixed,
    payloads,
    split_frames,
)
from ivrflow.softphone.codecs import FRAME, RATE, Samples, codec


def level_dbfs(samples: Samples) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples.astype(np.float64) ** 2)) / 32767))


def test_silence_is_frames_of_zeros() -> None:
    (payload,) = payloads(Silence(), "alaw")
    assert payload == ("audio", b"\xd5" * FRAME)


def test_no_rtp_sends_nothing() -> None:
    assert payloads(NoRtp(), "alaw") == (None,)


def test_comfort_noise_comes_now_and_then() -> None:
    cycle = payloads(ComfortNoise(level_dbov=70, every_ms=100), "ulaw")
    assert cycle == (("noise", b"\x46"), None, None, None, None)


@pytest.mark.parametrize("level", [-60.0, -40.0, -20.0])
def test_noise_has_the_level_asked_for(level: float) -> None:
    samples = background(Noise(level))
    assert samples is not None
    assert level_dbfs(samples) == pytest.approx(level, abs=0.2)


def test_noise_is_the_same_every_time_and_another_for_another_seed() -> None:
    assert payloads(Noise(-30, seed=1), "alaw") == payloads(Noise(-30, seed=1), "alaw")
    assert payloads(Noise(-30, seed=1), "alaw") != payloads(Noise(-30, seed=2), "alaw")


def test_breathing_is_heard_for_a_second_and_a_half_and_then_not() -> None:
    samples = background(Breathing(-45.0))
    assert samples is not None
    half = round(1.5 * RATE)
    breath, quiet, second, last = (samples[n * half : (n + 1) * half] for n in range(4))
    assert len(samples) == 4 * half
    assert level_dbfs(breath) == pytest.approx(-45.0, abs=1.0)
    assert level_dbfs(second) == pytest.approx(-45.0, abs=1.0)
    assert not quiet.any()
    assert not last.any()


def test_breath_has_no_voice_and_no_hiss() -> None:
    samples = background(Breathing(-20.0))
    assert samples is not None
    power = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    assert power[(hertz > 250) & (hertz < 2600)].sum() > 0.99 * power.sum()


def test_a_tone_has_its_pitch_and_level_and_no_seam() -> None:
    samples = background(Tone(437, -15.0))
    assert samples is not None
    assert level_dbfs(samples) == pytest.approx(-15.0, abs=0.05)
    spectrum = np.abs(np.fft.rfft(np.tile(samples, 2).astype(np.float64)))
    assert np.argmax(spectrum) == 437 * 2 * len(samples) // RATE
    assert np.sort(spectrum)[-2] < spectrum.max() / 1000


def test_nobody_is_louder_than_full_scale() -> None:
    with pytest.raises(ValueError, match="at most 0 dBFS"):
        background(Noise(3.0))


def test_the_last_frame_is_filled_up() -> None:
    frames = split_frames(np.full(FRAME + 1, 1000, np.int16), "alaw")
    assert [len(frame) for frame in frames] == [FRAME, FRAME]
    assert np.count_nonzero(codec("alaw").decode(frames[1]) > 500) == 1


def test_an_empty_phrase_has_no_frames() -> None:
    assert split_frames(np.zeros(0, np.int16), "ulaw") == []


def test_noise_goes_on_behind_a_phrase() -> None:
    phrase = np.zeros(RATE * 7, np.int16)
    phrase[:RATE] = 8000
    heard = mixed(phrase, Noise(-40))
    assert level_dbfs(heard[2 * RATE :]) == pytest.approx(-40, abs=0.3)
    assert np.mean(heard[:RATE]) == pytest.approx(8000, abs=50)
    assert mixed(phrase, Silence()) is phrase
    assert mixed(np.full(100, 32767, np.int16), Tone(1000, -3.1)).max() == 32767
