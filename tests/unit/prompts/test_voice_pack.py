"""The recordings in the repository are understood: what was heard of them is kept, and reaches the goals."""

import importlib.util
from pathlib import Path

import pytest
import soxr

from ivrflow.prompts.closeness import difference, error_rate
from ivrflow.prompts.hearings import hearings, master_hashes
from ivrflow.prompts.index import PromptEntry, PromptIndex
from ivrflow.prompts.recogniser import RECOGNISER, RECOGNISER_RATE, packaged_recogniser
from ivrflow.prompts.renderer import MASTER_RATE
from ivrflow.prompts.soundness import measured
from ivrflow.prompts.verification import MOST_RATE, VERIFICATION_NAME, faults, judge, read_verification
from ivrflow.prompts.verification_notes import read_notes

MASTERS = Path(__file__).parents[3] / "prompts"
ENTRIES = list(PromptIndex.load(MASTERS).everything)
HEARINGS = hearings(ENTRIES)
SAMPLE = [one for one in HEARINGS if one.judged[0].variant == "none"]


@pytest.mark.parametrize("entry", ENTRIES[:: max(1, len(ENTRIES) // 60)], ids=lambda entry: entry.sound)
def test_the_sound_is_fit_to_be_heard(entry: PromptEntry) -> None:
    assert list(measured(MASTERS / entry.folder / entry.file, is_part=entry.variant == "part").faults) == []


def test_every_recording_was_heard_and_is_understood() -> None:
    """When this fails wording or voice changed: run `make verify-voices` and commit prompts/verification.json."""
    known = read_verification(MASTERS)
    assert {one.recogniser for one in known.values()} == {RECOGNISER}
    hashes = master_hashes(MASTERS, ENTRIES)
    notes = read_notes(MASTERS)
    assert list(faults(judge(HEARINGS, hashes, known, notes), {})) == []
    assert notes.unused(HEARINGS) == []


def test_what_was_heard_is_counted_rightly() -> None:
    """The figures kept are those of the texts kept: nobody mended them by hand."""
    known = read_verification(MASTERS)
    assert [one.name for one in known.values() if one.counted() != one] == []
    hashes = master_hashes(MASTERS, ENTRIES)
    assert known.keys() <= {one.hash(hashes) for one in HEARINGS}, (
        f"{VERIFICATION_NAME} holds recordings that are gone: run make verify-voices"
    )


@pytest.mark.skipif(
    importlib.util.find_spec("faster_whisper") is None, reason="the recogniser (the asr extra) is not installed"
)
@pytest.mark.timeout(300)
def test_the_recogniser_understands_a_sample() -> None:
    recognise = packaged_recogniser()
    known = read_verification(MASTERS)
    hashes = master_hashes(MASTERS, ENTRIES)
    fit = [one for one in SAMPLE if (kept := known.get(one.hash(hashes))) is not None and kept.rate <= MOST_RATE / 2]
    assert len(fit) >= 3, "run make verify-voices"
    for one in fit[:: max(1, len(fit) // 3)][:3]:
        heard = recognise(soxr.resample(one.sound(MASTERS), MASTER_RATE, RECOGNISER_RATE), one.language)
        found = difference(heard, one.said)
        assert error_rate(found.errors, found.length) <= MOST_RATE, f"{one.name}: {heard}"
