"""Loudness, peaks and dead air of recordings that are made up."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from tone_voice import RATE, silence, tone

from ivrflow.prompts.levels import SPEECH_LEVEL, even_out
from ivrflow.prompts.soundness import Sound, measured


def test_a_good_recording_has_no_faults(tmp_path: Path) -> None:
    samples = even_out(np.concatenate([silence(0.05), tone(0.8), silence(0.05)]), RATE)
    found = _measured(tmp_path, samples)
    assert found.seconds == pytest.approx(0.9, abs=0.001)
    assert found.level_db == pytest.approx(SPEECH_LEVEL, abs=0.3)
    assert found.leading_ms == pytest.approx(50, abs=15)
    assert found.trailing_ms == pytest.approx(50, abs=15)
    assert list(found.faults) == []


@pytest.mark.parametrize(
    ("samples", "fault"),
    [
        (np.concatenate([silence(0.05), tone(0.8, amplitude=0.01), silence(0.05)]), "dBov, not at -24"),
        (np.concatenate([silence(0.05), tone(0.8, amplitude=0.99), silence(0.05)]), "clips: its peak is"),
        (
            np.concatenate([silence(0.4), tone(0.8), silence(0.05)]),
            "ms of silence before the speech; 100 ms is the most",
        ),
        (
            np.concatenate([silence(0.05), tone(0.8), silence(0.4)]),
            "ms of silence after the speech; 100 ms is the most",
        ),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, samples: np.ndarray, fault: str) -> None:
    assert fault in "\n".join(_measured(tmp_path, samples).faults)


def test_a_part_may_have_a_pause(tmp_path: Path) -> None:
    path = tmp_path / "part.wav"
    samples = even_out(np.concatenate([silence(0.01), tone(0.8), silence(0.12)]), RATE)
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    assert list(measured(path, is_part=True).faults) == []
    assert len(list(measured(path).faults)) == 1


def test_a_silent_one_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no sound"):
        _measured(tmp_path, silence(1.0))


def _measured(folder: Path, samples: np.ndarray) -> Sound:
    path = folder / "one.wav"
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return measured(path)
