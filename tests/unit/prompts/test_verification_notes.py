"""Reasons that people wrote."""

from pathlib import Path

import pytest
from made_entries import entry, part

from ivrflow.flow.problems import FlowError
from ivrflow.prompts.hearings import Hearing
from ivrflow.prompts.verification_notes import NOTES_NAME, Notes, read_notes

GREET = Hearing((entry("demo/greet"),))
WITHOUT = Hearing((entry("demo/greet", without=True),))
PIECE = Hearing((part("…王…"),))


def _read(folder: Path, text: str) -> Notes:
    (folder / NOTES_NAME).write_text(text, encoding="utf-8")
    return read_notes(folder)


def test_no_file_is_no_notes(tmp_path: Path) -> None:
    notes = read_notes(tmp_path)
    assert (notes.excuse(GREET), notes.homophones(GREET)) == ("", "")


def test_a_phrase_or_one_hearing_of_it(tmp_path: Path) -> None:
    notes = _read(
        tmp_path, 'demo/greet: "all of it"\ndemo/greet without: {homophones: "one"}\npieces/piece 王: "short"\n'
    )
    assert (notes.excuse(GREET), notes.homophones(GREET)) == ("all of it", "")
    assert (notes.excuse(WITHOUT), notes.homophones(WITHOUT)) == ("all of it", "one")
    assert notes.excuse(PIECE) == "short"
    assert notes.unused([GREET, WITHOUT, PIECE]) == []
    assert notes.unused([GREET, WITHOUT]) == [f"{NOTES_NAME}: nothing is called 'pieces/piece 王'; " + _hint(notes)]


def _hint(notes: Notes) -> str:
    return notes.unused([GREET, WITHOUT])[0].partition("; ")[2]


def test_every_phrase_may_be_judged_by_sound(tmp_path: Path) -> None:
    notes = _read(tmp_path, 'every phrase: {homophones: "nobody hears characters"}\n')
    assert notes.homophones(GREET) == notes.homophones(PIECE) == "nobody hears characters"
    assert notes.unused([GREET]) == []


@pytest.mark.parametrize(
    "text",
    [
        "demo/greet:\n",
        'demo/greet: ""\n',
        "demo/greet: [one]\n",
        "demo/greet: {homophones: }\n",
        "demo/greet: {other: why}\n",
        "every phrase: all is well\n",
    ],
)
def test_a_note_needs_its_reason(tmp_path: Path, text: str) -> None:
    with pytest.raises(FlowError, match="has no reason"):
        _read(tmp_path, text)
