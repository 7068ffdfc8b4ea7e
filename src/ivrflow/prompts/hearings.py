"""What a recogniser is given to hear: a prompt alone, or a part in company.

A part of a phrase with values (一日, 先生, 二四) is never heard alone by a caller, and hardly anybody understands a single
syllable out of nowhere. So parts are heard as the PBX joins them: a segment with a number in its gaps, digits four pieces
on end, a day after its month, a title after a family name, any other piece between the words of a segment. Only the part
itself is judged.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ivrflow.flow.speaking.composing import PAUSE, PIECES, VALUE_HERE
from ivrflow.prompts.index import PromptEntry
from ivrflow.prompts.reading import is_english
from ivrflow.prompts.recogniser import Language
from ivrflow.prompts.renderer import read_master
from ivrflow.prompts.sound import Samples

_NOTED = frozenset("零幺二三四五六七八九")
_DIGITS_ON_END = 4
_NUMBER = ("幺零", "二四")
"""Pieces that fill the gaps of a segment."""

_NUMERAL = "[零一二两三四五六七八九十百千万亿]"
_COMPANY: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (rf"{_NUMERAL}+月", (), ("二十三日", "下午", "三点")),
    (rf"{_NUMERAL}+日", ("十月",), ("下午", "三点")),
    (rf"{_NUMERAL}+点", ("十月", "二十三日"), ()),
    ("凌晨|早上|上午|中午|下午|晚上", ("十月", "二十三日"), ("三点",)),
    ("半", ("下午", "三点"), ()),
    ("分", ("下午", "三点", "三十五"), ()),
    ("点", ("三十五",), ("零五",)),
    ("年", ("二零", "二六"), ("十月", "二十三日")),
    ("元|角", ("三十五",), ()),
    ("[万亿]", ("三",), ("元",)),
    (f"{_NUMERAL}[百千万亿]", (), ("元",)),
    ("一十.", ("三百",), ("元",)),
    ("[六七八九]十.?", (), ("元",)),
    (f"{_NUMERAL}+", ("下午", "三点"), ("分",)),
)
"""Of pieces: what they are like, and the pieces that a caller may well hear before and after them."""

_TITLES = "先生|女士|小姐|同学|老太太|小朋友"

_BEFORE = "对不起，我姓"
_BEFORE_NUMBER = "我的工号是"
_AFTER = "感谢你的来电。"
"""Words around a part where they are recorded. Always the same: a new phrase makes nothing else be heard again."""

_SPOKEN_NUMBER = "号"
"""In the words before a number to be noted."""

_CARRIER_MS = 1500
"""Words around a part otherwise, in milliseconds: of all segments those are taken that come next to this."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """Sounds one after the other, and what they say.

    Attributes:
        judged: the prompts that are judged, in order.
        before, after: those around them, which are not.
    """

    judged: tuple[PromptEntry, ...]
    before: tuple[PromptEntry, ...] = ()
    after: tuple[PromptEntry, ...] = ()

    @property
    def name(self) -> str:
        """For people: the phrase, its values or the part's words, and the voice unless it is the default one."""
        first = self.judged[0]
        values = " ".join(value for entry in self.judged for value in entry.values.values())
        variant = "without" if first.variant == "without" else values
        speaker = f"({first.speaker})" if first.speaker else ""
        return " ".join(filter(None, (first.key, variant, speaker)))

    @property
    def book(self) -> str:
        """The standard, or the pieces all standards share."""
        return self.judged[0].standard

    @property
    def said(self) -> str:
        """What is judged, as it is read aloud."""
        return _said(self.judged)

    @property
    def said_before(self) -> str:
        """What is said before that."""
        return _said(self.before)

    @property
    def said_after(self) -> str:
        """What is said after it."""
        return _said(self.after)

    @property
    def all(self) -> tuple[PromptEntry, ...]:
        """All prompts, in the order in which they are heard."""
        return (*self.before, *self.judged, *self.after)

    @property
    def language(self) -> Language:
        """The language the recogniser is told."""
        return "en" if is_english(self.said) else "zh"

    def sound(self, root: Path) -> Samples:
        """What is heard, at the rate of the masters, joined as the PBX joins it: without anything between."""
        return np.concatenate([read_master(root / entry.folder / entry.file) for entry in self.all])

    def hash(self, hashes: Mapping[str, str]) -> str:
        """Changes when any of the masters does.

        Args:
            hashes: those of the masters, by `PromptEntry.sound`.
        """
        named = "\n".join(hashes[entry.sound] for entry in self.all)
        return hashlib.sha256(f"{named}\n{self.said_before}|{self.said}|{self.said_after}".encode()).hexdigest()[:16]


def master_hashes(root: Path, entries: Iterable[PromptEntry]) -> dict[str, str]:
    """The first sixteen digits of each master's SHA-256, by `PromptEntry.sound`.

    Raises `OSError` when a master is missing.
    """
    return {
        entry.sound: hashlib.sha256((root / entry.folder / entry.file).read_bytes()).hexdigest()[:16]
        for entry in entries
    }


def hearings(entries: Sequence[PromptEntry]) -> list[Hearing]:
    """What to hear so that every entry is judged exactly once.

    Args:
        entries: all of an index, whatever is asked for in the end: parts need company.
    """
    found: list[Hearing] = []
    for speaker in dict.fromkeys(entry.speaker for entry in entries):
        mine = [entry for entry in entries if entry.speaker == speaker]
        found += [Hearing((entry,)) for entry in mine if entry.variant != "part"]
        found += _in_company([entry for entry in mine if entry.variant == "part"])
    return found


def _in_company(parts: Sequence[PromptEntry]) -> Iterator[Hearing]:
    pieces = {entry.values["words"]: entry for entry in parts if entry.standard == PIECES}
    number = _named(_NUMBER, pieces)
    segments = [entry for entry in parts if entry.standard != PIECES]
    openings = [entry for entry in segments if not _opens(entry) and _closes(entry)]
    before = _carrier(openings, _BEFORE)
    before_number = _carrier((entry for entry in openings if _SPOKEN_NUMBER in entry.text), _BEFORE_NUMBER) or before
    after = _carrier((entry for entry in segments if _opens(entry) and not _closes(entry)), _AFTER)
    for entry in segments:
        if not (_opens(entry) and _closes(entry)):
            yield Hearing((entry,), number if _opens(entry) else (), number if _closes(entry) else ())
        elif re.search(_TITLES, entry.spoken):  # a value that a standard lists
            yield Hearing((entry,), _named(("王",), pieces), after)
        else:
            yield Hearing((entry,), before, after)
    digits = [words for words in pieces if set(words.removesuffix(PAUSE)) <= _NOTED]
    # Mixed, but always alike: of seven sevens on end nobody counts how many there were.
    noted = [pieces[words] for words in sorted(digits, key=lambda words: hashlib.sha256(words.encode()).digest())]
    for start in range(0, len(noted), _DIGITS_ON_END):
        yield Hearing(tuple(noted[start : start + _DIGITS_ON_END]), before_number, after)
    for words, entry in pieces.items():
        if words not in digits:
            yield _with_others(entry, words, pieces, before_number, after)


def _with_others(
    entry: PromptEntry,
    words: str,
    pieces: Mapping[str, PromptEntry],
    before: tuple[PromptEntry, ...],
    after: tuple[PromptEntry, ...],
) -> Hearing:
    """A piece with those it goes with; else with what a caller is addressed by or told."""
    for like, earlier, later in _COMPANY:
        if re.fullmatch(like, words) and (company := (_named(earlier, pieces), _named(later, pieces))) != ((), ()):
            earlier_ones, later_ones = company
            return Hearing((entry,), earlier_ones or before, later_ones)
    if re.search(_TITLES, words):
        alone = re.fullmatch(_TITLES, words) is not None
        return Hearing((entry,), _named(("王",), pieces) if alone else (), after)
    if title := _named(("先生",), pieces):
        return Hearing((entry,), (), (*title, *after))
    return Hearing((entry,), before, after)


def _named(words: Iterable[str], pieces: Mapping[str, PromptEntry]) -> tuple[PromptEntry, ...]:
    """Those of the pieces that there are."""
    return tuple(pieces[word] for word in words if word in pieces)


def _carrier(segments: Iterable[PromptEntry], preferred: str) -> tuple[PromptEntry, ...]:
    ordered = sorted(
        segments, key=lambda entry: (entry.spoken != preferred, abs(entry.duration_ms - _CARRIER_MS), entry.sound)
    )
    return tuple(ordered[:1])


def _opens(entry: PromptEntry) -> bool:
    """Whether something comes before it."""
    return entry.text.startswith(VALUE_HERE)


def _closes(entry: PromptEntry) -> bool:
    """Whether something comes after it."""
    return entry.text.endswith(VALUE_HERE)


def _said(entries: Iterable[PromptEntry]) -> str:
    return "".join(entry.spoken for entry in entries)
