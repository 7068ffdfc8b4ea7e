"""The recordings in the repository: every wording of every standard is there, up to date, and fit to be heard."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ivrflow.prompts.index import PromptEntry, PromptIndex
from ivrflow.prompts.levels import SPEECH_LEVEL, active_speech_level, loudest_frame
from ivrflow.prompts.reading import read_words
from ivrflow.prompts.renderer import MASTER_RATE, read_master
from ivrflow.prompts.sound import telephone_band
from ivrflow.prompts.trimming import DEAD_AIR_MS
from ivrflow.prompts.wording import load_standard, planned_prompts

ROOT = Path(__file__).parents[3]
STANDARDS = sorted((ROOT / "callflows" / "standards").glob("*.yaml"))
INDEX = PromptIndex.load(ROOT / "prompts")
ENTRIES = list(INDEX.entries.values())


def _name(entry: PromptEntry) -> str:
    return entry.sound


def test_both_standards_are_here() -> None:
    assert {path.stem for path in STANDARDS} >= {"gov12345", "house"}
    assert {entry.standard for entry in ENTRIES} >= {"gov12345", "house"}


@pytest.mark.parametrize("path", STANDARDS, ids=lambda path: path.stem)
def test_every_wording_has_an_up_to_date_recording(path: Path) -> None:
    """When this fails somebody changed a wording: run `ivrflow prompts build` and commit the recordings."""
    planned = planned_prompts(load_standard(path), read_words(ROOT / "prompts" / "readings.yaml"))
    assert planned
    assert [f"{prompt.key} {prompt.text}" for prompt in INDEX.outdated(planned)] == []


@pytest.mark.parametrize("path", STANDARDS, ids=lambda path: path.stem)
def test_no_recording_is_left_of_a_wording_that_went(path: Path) -> None:
    standard = load_standard(path)
    planned = {(prompt.key, prompt.values) for prompt in planned_prompts(standard, {})}
    recorded = {known for known, entry in INDEX.entries.items() if entry.standard == standard.id}
    assert recorded - planned == set()
    files = {file.name for file in (ROOT / "prompts" / standard.id).glob("*.opus")}
    assert files == {entry.file for entry in ENTRIES if entry.standard == standard.id}


@pytest.mark.parametrize("entry", ENTRIES, ids=_name)
def test_a_recording_is_what_its_index_says_and_fit_to_be_heard(entry: PromptEntry) -> None:
    path = ROOT / "prompts" / entry.standard / entry.file
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.format, info.subtype) == (MASTER_RATE, 1, "OGG", "OPUS")
    samples = read_master(path)
    assert len(samples) * 1000 == entry.duration_ms * MASTER_RATE
    assert entry.duration_ms % 20 == 0, "whole telephone packets"
    assert float(np.abs(samples).max()) < 0.95, "no clipping"
    assert active_speech_level(samples, MASTER_RATE) == pytest.approx(SPEECH_LEVEL, abs=2.0)
    assert loudest_frame(samples, MASTER_RATE) == entry.loudest_frame

    # Dead air as a caller perceives it, measured apart from the code that trims: 10 ms frames on the telephone's
    # band, audible from 35 dB below the loudest frame on.
    heard = telephone_band(samples, MASTER_RATE).astype(np.float64)
    power = np.square(heard[: len(heard) // 80 * 80]).reshape(-1, 80).mean(axis=1)
    audible = np.flatnonzero(power > power.max() * 10**-3.5)
    leading, trailing = int(audible[0]) * 10, (len(power) - 1 - int(audible[-1])) * 10
    assert 30 <= leading <= DEAD_AIR_MS
    assert 30 <= trailing <= DEAD_AIR_MS
    assert entry.leading_ms <= leading + 10
    assert entry.trailing_ms <= trailing + 10
