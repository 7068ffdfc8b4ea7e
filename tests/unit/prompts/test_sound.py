import numpy as np
import pytest
from tone_voice import RATE, tone

from ivrflow.prompts.sound import pcm16, telephone_band


def test_16_bit_samples_stop_at_full_scale() -> None:
    assert pcm16(np.array([0.0, 0.5, 1.0, 1.7, -1.7], dtype=np.float32)).tolist() == [0, 16384, 32767, 32767, -32768]


def test_the_telephone_band_keeps_the_length() -> None:
    assert len(telephone_band(tone(1.5), RATE)) == 12000
    already = tone(1.0, rate=8000)
    assert telephone_band(already, 8000) is already


@pytest.mark.parametrize(("hertz", "carried"), [(1000, 1.0), (3000, 1.0), (5000, 0.0)])
def test_the_telephone_band_ends_at_4_khz(hertz: float, carried: float) -> None:
    heard = telephone_band(tone(1.0, hertz, 0.5), RATE)[1000:-1000]
    assert float(np.abs(heard).max()) == pytest.approx(0.5 * carried, abs=0.01)
