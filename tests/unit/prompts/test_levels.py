import numpy as np
import pytest
from tone_voice import RATE, silence, tone

from ivrflow.prompts.levels import SPEECH_LEVEL, active_speech_level, even_out, loudest_frame


def test_a_full_scale_sine_is_3_db_below_overload() -> None:
    assert active_speech_level(tone(1.0, amplitude=1.0), RATE) == pytest.approx(-3.01, abs=0.05)


def test_pauses_do_not_count_as_quiet_speech() -> None:
    speech = tone(1.0, amplitude=0.1)
    with_pauses = np.concatenate([speech, silence(2.0), speech, silence(1.0)])
    assert active_speech_level(with_pauses, RATE) == pytest.approx(active_speech_level(speech, RATE), abs=0.1)


def test_soft_syllables_count() -> None:
    loud, soft = tone(1.0, amplitude=0.2), tone(1.0, amplitude=0.1)
    mixed = active_speech_level(np.concatenate([loud, soft]), RATE)
    assert mixed == pytest.approx(10 * np.log10((0.2**2 + 0.1**2) / 4), abs=0.1)


def test_what_the_telephone_does_not_carry_is_not_loud() -> None:
    speech = tone(1.0, amplitude=0.1)
    assert active_speech_level(speech + tone(1.0, 9000, 0.3), RATE) == pytest.approx(
        active_speech_level(speech, RATE), abs=0.1
    )


def test_silence_has_no_level() -> None:
    with pytest.raises(ValueError, match="silence"):
        active_speech_level(silence(1.0), RATE)


@pytest.mark.parametrize("amplitude", [0.001, 0.05, 0.9])
def test_every_prompt_ends_up_at_the_same_level(amplitude: float) -> None:
    evened = even_out(np.concatenate([tone(0.5, amplitude=amplitude), silence(0.5)]), RATE)
    assert active_speech_level(evened, RATE) == pytest.approx(SPEECH_LEVEL, abs=0.05)


def test_a_peak_is_not_clipped_but_kept_in_bounds() -> None:
    samples = tone(1.0, amplitude=0.01)
    samples[12000:12012] = 0.9
    evened = even_out(samples, RATE)
    assert np.abs(evened).max() == pytest.approx(0.89, abs=0.01)
    assert np.allclose(evened, samples * (evened[12000] / samples[12000]), atol=1e-6), "all of it by the same gain"


def test_the_loudest_20_ms_wherever_they_begin() -> None:
    samples = np.zeros(8000, dtype=np.float32)
    samples[1003 : 1003 + 160] = 0.25
    samples[5000 : 5000 + 80] = 0.3
    assert loudest_frame(samples, 8000) == round(0.25 * 32767)


def test_the_loudest_frame_of_a_sine_is_its_mean_magnitude() -> None:
    assert loudest_frame(tone(1.0, 400, 0.5, 8000), 8000) == pytest.approx(0.5 * 32767 * 2 / np.pi, rel=0.01)


def test_short_and_silent_samples_have_a_frame_too() -> None:
    assert loudest_frame(silence(1.0), RATE) == 0
    assert loudest_frame(silence(0.0, 8000), 8000) == 0
    assert loudest_frame(np.full(80, 0.5, dtype=np.float32), 8000) == pytest.approx(0.25 * 32767, abs=1)
