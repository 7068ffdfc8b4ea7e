"""Correlation of sounds, whatever their volume."""

import numpy as np
import pytest
from heard_calls import CHANGE_PHONE, GREETING, shipped, white_noise

from ivrflow.softphone.likeness import QUIET, correlation, sliding_correlation, sounds

SPEECH = shipped(GREETING)[4000:8000].astype(np.float64)


def test_volume_makes_no_difference_and_another_sound_does() -> None:
    assert correlation(SPEECH, SPEECH * 0.1) == pytest.approx(1.0)
    assert correlation(SPEECH, -SPEECH) == pytest.approx(-1.0)
    assert abs(correlation(SPEECH, shipped(CHANGE_PHONE)[4000:8000].astype(np.float64))) < 0.3
    assert correlation(SPEECH, np.zeros(4000)) == 0.0


def test_it_slides_over_what_was_heard() -> None:
    heard = np.concatenate([white_noise(0.5, 800), shipped(GREETING), np.zeros(2000)]).astype(np.float64)
    score = sliding_correlation(heard, SPEECH)
    assert len(score) == len(heard) - len(SPEECH) + 1
    assert int(np.argmax(score)) == 4000 + 4000
    for place in (0, 3000, 8000, len(score) - 1):
        assert score[place] == pytest.approx(correlation(heard[place : place + 4000], SPEECH), abs=1e-6)


def test_silence_is_like_nothing() -> None:
    assert not sliding_correlation(np.zeros(5000), SPEECH).any()


def test_what_can_be_heard() -> None:
    assert sounds(np.full(80, QUIET * 1.01))
    assert not sounds(np.full(80, QUIET * 0.99))
