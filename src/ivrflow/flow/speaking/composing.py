"""A phrase with values in it, put together from recordings: the text around the values, and the pieces of the values.

The text around the values is recorded in segments. A segment is named by its words, with "…" where a value comes before
or after it: a changed wording never meets an old recording. Values come from an inventory of pieces that all standards
share (the number words, digits two by two, months, family names). Nothing here knows of files: `exists` tells which
recordings there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ivrflow.flow.speaking.spoken_values import NotSpeakable, SpokenAs, spoken

WordingKey: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]
"""What a recording is found by: a phrase's key and the values spoken in it."""

VALUE_HERE = "…"
"""Stands in a segment's words where a value comes before or after it."""

PAUSE = "，"
"""Ends the words of a piece behind which the speaker pauses, as between the groups of a telephone number."""

PIECES = "pieces"
"""The book of the pieces that all standards share."""

_PIECE = f"{PIECES}/piece"
_SEGMENT = "/segment"

MOST_PARTS = 40
"""Recordings in one phrase; nobody listens to more numbers than that."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SILENT = re.compile(r"[^\w]*")
_LONGEST_PIECE = 8
_ORDINAL = re.compile(rf"{VALUE_HERE}[月日号楼层]")
"""What a number in front of it counts to and does not measure: 二月, 二号, but 两天."""

_ORDINAL_SIGN = f"第{VALUE_HERE}"
"""What makes the number behind it an ordinal, whatever follows: 第二位."""


@dataclass(frozen=True, slots=True)
class Unspoken:
    """Why the values of a phrase are not spoken: which one, and what is the matter with it (never the value itself)."""

    placeholder: str
    why: str

    def __str__(self) -> str:
        return f"the value of {self.placeholder}: {self.why}" if self.placeholder else f"the values: {self.why}"


def segment_key(book: str, words: str) -> WordingKey:
    """Where the recording of a segment is found."""
    return (f"{book}{_SEGMENT}", (("words", words),))


def piece_key(words: str) -> WordingKey:
    """Where the recording of a piece is found."""
    return (_PIECE, (("words", words),))


def is_part(key: WordingKey) -> bool:
    """Whether it is only heard between others: a segment or a piece."""
    return key[0] == _PIECE or key[0].endswith(_SEGMENT)


def segments(text: str) -> list[str]:
    """What is recorded of a phrase with placeholders, in order: "我是…", "…号话务员，您…", "…问题".

    Text between two values that holds nothing to speak is none.
    """
    return [stretch for stretch in _stretches(text) if isinstance(stretch, str)]


def composed(
    book: str,
    text: str,
    spoken_as: Mapping[str, SpokenAs],
    values: Mapping[str, str],
    exists: Callable[[WordingKey], bool],
) -> tuple[WordingKey, ...] | Unspoken:
    """The recordings that together say the text with these values; or why they cannot.

    Args:
        book: the standard the phrase belongs to.
        text: the phrase's, with placeholders.
        spoken_as: how each of its placeholders is read.
        values: at least the placeholders'.
        exists: whether there is a recording.
    """
    parts: list[WordingKey] = []
    stretches = _stretches(text)
    for position, stretch in enumerate(stretches):
        if isinstance(stretch, str):
            segment = segment_key(book, stretch)
            if not exists(segment):
                return Unspoken("", "the words around the values are not recorded in segments")
            parts.append(segment)
            continue
        groups: list[str] = []
        for name, is_after_pause in stretch:
            try:
                said = spoken(values[name], spoken_as.get(name, "words"))
            except NotSpeakable as problem:
                return Unspoken(name, str(problem))
            if said == ("两",) and _is_ordinal(stretches, position):
                said = ("二",)
            # Values that follow each other at once are said in one breath, and may be recorded so: 王女士.
            groups[-1:] = [*groups[-1:], *said] if is_after_pause or not groups else [groups[-1] + said[0], *said[1:]]
        for number, group in enumerate(groups, start=1):
            pieces = _fewest(book, group, exists, pause=number < len(groups))
            if pieces is None:
                return Unspoken(stretch[0][0], "nobody recorded the words it is made of")
            parts += pieces
    if len(parts) > MOST_PARTS:
        return Unspoken("", f"the phrase would take {len(parts)} recordings; {MOST_PARTS} is the most")
    return tuple(parts)


def is_chinese(text: str) -> bool:
    """Whether a text with placeholders has no words in Latin letters."""
    return re.search(r"[A-Za-z]", _PLACEHOLDER.sub("", text)) is None


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its values."""
    return _PLACEHOLDER.sub(lambda hit: values[hit[1]], text)


def _fewest(book: str, words: str, exists: Callable[[WordingKey], bool], *, pause: bool) -> list[WordingKey] | None:
    """The fewest pieces that make up the words; None when there are none.

    Args:
        book: the standard, which may have words of its own recorded.
        words: what is said.
        exists: whether there is a recording.
        pause: whether the speaker pauses behind it.
    """

    def piece(start: int, end: int) -> WordingKey | None:
        asked = words[start:end]
        keys = [piece_key(asked), segment_key(book, f"{VALUE_HERE}{asked}{VALUE_HERE}")]
        if pause and end == len(words):
            keys.insert(0, piece_key(asked + PAUSE))
        return next((key for key in keys if exists(key)), None)

    best: list[list[WordingKey] | None] = [*[None] * len(words), []]  # by where the rest begins
    for start in range(len(words) - 1, -1, -1):
        for end in range(min(len(words), start + _LONGEST_PIECE), start, -1):
            rest, key, known = best[end], piece(start, end), best[start]
            if rest is not None and key is not None and (known is None or len(rest) + 1 < len(known)):
                best[start] = [key, *rest]
    return best[0]


def _is_ordinal(stretches: list[_Stretch], position: int) -> bool:
    """Whether the value at `position` counts to something, as the words around it tell."""
    before, after = stretches[max(0, position - 1) : position], stretches[position + 1 : position + 2]
    is_marked = bool(before) and isinstance(before[0], str) and before[0].endswith(_ORDINAL_SIGN)
    return is_marked or (bool(after) and isinstance(after[0], str) and _ORDINAL.match(after[0]) is not None)


_Stretch: TypeAlias = str | list[tuple[str, bool]]
"""The words of a segment, or placeholders that follow each other, each with whether a pause comes before it."""


def _stretches(text: str) -> list[_Stretch]:
    stretches: list[_Stretch] = []
    at = 0
    for hit in _PLACEHOLDER.finditer(text):
        between = text[at : hit.start()]
        if not _SILENT.fullmatch(between):
            stretches.append(_named(text, at, hit.start()))
        if stretches and isinstance(run := stretches[-1], list):
            run.append((hit[1], bool(between)))
        else:
            stretches.append([(hit[1], False)])
        at = hit.end()
    if not _SILENT.fullmatch(text[at:]):
        stretches.append(_named(text, at, len(text)))
    return stretches


def _named(text: str, start: int, end: int) -> str:
    return (VALUE_HERE if start else "") + text[start:end] + (VALUE_HERE if end < len(text) else "")
