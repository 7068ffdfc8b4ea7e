"""Wordings longer than a voice speaks in one go: cut where a speaker breathes, and joined again."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence

import numpy as np

from ivrflow.prompts.sound import Samples
from ivrflow.prompts.trimming import speech_bounds

LONGEST_PART = 110
"""Characters a voice speaks in one go; longer ones lose words."""

_SENTENCES = re.compile(r"[^。！？!?.；;]+[。！？!?.；;”]*\s*")
_CLAUSES = re.compile(r"[^。！？!?.；;，,、：:]+[。！？!?.；;，,、：:”]*\s*")
_SENTENCE_END = tuple("。！？!?.；;”")
_SENTENCE_PAUSE_S = 0.4
_CLAUSE_PAUSE_S = 0.2


def sentence_parts(spoken: str, fits: Callable[[str], bool]) -> list[str]:
    """The text in as few parts as it takes; whole when it is short enough.

    Cut at sentence ends, and within a sentence that is too long at its commas.

    Args:
        spoken: what is spoken.
        fits: whether the voice takes so many sounds.

    Raises:
        ValueError: there is a stretch without a pause that is too long.
    """

    def short(part: str) -> bool:
        return len(part) <= LONGEST_PART and fits(part)

    if short(spoken):
        return [spoken]
    parts: list[str] = []
    for sentence in _SENTENCES.findall(spoken):
        for piece in [sentence] if short(sentence) else _CLAUSES.findall(sentence):
            if not short(piece):
                raise ValueError(f"“{piece.strip()}” is too long to be spoken in one breath; put a comma into it")
            if parts and short(parts[-1] + piece):
                parts[-1] += piece
            else:
                parts.append(piece)
    return [part.strip() for part in parts]


def joined(parts: Sequence[tuple[str, Samples]], rate: int) -> Samples:
    """The parts one after the other with the pause that their last sign asks for; a single one as it is."""
    if len(parts) == 1:
        return parts[0][1]
    pieces: list[Samples] = []
    for (text, samples), following in itertools.zip_longest(parts, parts[1:]):
        start, end = speech_bounds(samples, rate)
        pieces.append(samples[start:end])
        if following is not None:
            pause = _SENTENCE_PAUSE_S if text.endswith(_SENTENCE_END) else _CLAUSE_PAUSE_S
            pieces.append(np.zeros(round(pause * rate), dtype=np.float32))
    return np.concatenate(pieces)
