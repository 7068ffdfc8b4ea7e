"""The recordings in the repository: every wording of every standard is there, up to date, and fit to be heard."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ivrflow.prompts.index import PromptEntry, PromptIndex
from ivrflow.prompts.levels import SPEECH_LEVEL, active_speech_level, loudest_frame
from ivrflow.prompts.pack import voices_wanted
from ivrflow.prompts.pieces import PIECES_NAME, planned_pieces
from ivrflow.prompts.reading import read_words
from ivrflow.prompts.renderer import MASTER_RATE, read_master
from ivrflow.prompts.sound import telephone_band
from ivrflow.prompts.trimming import DEAD_AIR_MS
from ivrflow.prompts.wording import PAUSE_MS, load_standard, planned_prompts

ROOT = Path(__file__).parents[3]
STANDARDS = sorted((ROOT / "callflows" / "standards").glob("*.yaml"))
INDEX = PromptIndex.load(ROOT / "prompts")
ENTRIES = list(INDEX.everything)


def _name(entry: PromptEntry) -> str:
    return entry.sound


def test_both_standards_are_here() -> None:
    assert {path.stem for path in STANDARDS} >= {"gov12345", "house"}
    assert {entry.standard for entry in ENTRIES} >= {"gov12345", "house"}


@pytest.mark.parametrize("path", STANDARDS, ids=lambda path: path.stem)
def test_every_wording_has_an_up_to_date_recording(path: Path) -> None:
    """When this fails somebody changed a wording: run `ivrflow prompts build` and commit the recordings."""
    standard = load_standard(path)
    planned = planned_prompts(standard, read_words(ROOT / "prompts" / "readings.yaml"))
    assert bool(planned) == bool(standard.phrases)
    assert [f"{prompt.key} {prompt.text}" for prompt in INDEX.outdated(planned)] == []


@pytest.mark.parametrize("path", STANDARDS, ids=lambda path: path.stem)
def test_no_recording_is_left_of_a_wording_that_went(path: Path) -> None:
    standard = load_standard(path)
    planned = {(prompt.key, prompt.values) for prompt in planned_prompts(standard, {})}
    recorded = {(entry.key, entry.pairs) for entry in ENTRIES if entry.standard == standard.id}
    assert recorded - planned == set()
    here = ROOT / "prompts" / standard.id
    files = {str(file.relative_to(here.parent)) for file in here.rglob("*.opus")}
    assert files == {f"{entry.folder}/{entry.file}" for entry in ENTRIES if entry.standard == standard.id}


def test_every_flow_has_the_voice_it_asks_for() -> None:
    """Also the parts of phrases with values that it says, and no others."""
    words = read_words(ROOT / "prompts" / "readings.yaml")
    standards = [load_standard(path) for path in STANDARDS]
    pieces = ROOT / "prompts" / PIECES_NAME
    planned = [prompt for standard in standards for prompt in planned_prompts(standard, words)]
    planned += planned_pieces(pieces, words)
    every_wanted = voices_wanted(ROOT / "callflows", standards, pieces)
    assert every_wanted.keys() <= INDEX.voices.keys()
    for voice, wanted in every_wanted.items():
        spoken = [prompt for prompt in planned if wanted.includes(prompt)]
        assert [prompt.key for prompt in INDEX.outdated(spoken, voice)] == []
    for voice, entries in INDEX.voices.items():
        parts = {wording for wording, entry in entries.items() if entry.variant == "part"}
        assert parts <= (every_wanted[voice].parts or frozenset() if voice in every_wanted else frozenset())


def test_nothing_a_caller_hears_comes_from_the_last_resort() -> None:
    assert {entry.voice.partition("/")[0] for entry in ENTRIES} <= {"kokoro-82m-int8", "recorded"}


@pytest.mark.parametrize("entry", ENTRIES, ids=_name)
def test_a_recording_is_what_its_index_says_and_fit_to_be_heard(entry: PromptEntry) -> None:
    path = ROOT / "prompts" / entry.folder / entry.file
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
    # What is played between others has next to no silence, or a speaker's pause.
    least, most = (0, PAUSE_MS + 100) if entry.variant == "part" else (30, DEAD_AIR_MS)
    assert least <= leading <= most
    assert least <= trailing <= most
    assert entry.leading_ms <= leading + 10
    assert entry.trailing_ms <= trailing + 10
