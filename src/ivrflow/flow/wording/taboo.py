"""Finding what nobody may say: a standard's taboo sentences, however a wording writes them.

Traditional is compared as Simplified, full-width as half-width, 您 as 你, without punctuation and blanks. A sentence with a
gap (`{number}`, `XX`, `*`, `…`, `～`) leaves room there for a few words. A short sentence (什么, 喂) is an ordinary word
elsewhere and counts only as a whole utterance, unless the standard names its group under `taboo_anywhere`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product

from ivrflow.flow.model import Phrase, Placeholder, Standard
from ivrflow.flow.wording.script import simplified

SHORT = 4
"""A sentence of so many characters or fewer counts as a whole utterance only."""

GAP = 16
"""Characters that a gap in a sentence may stand for."""

MOST_FILLED = 200
"""Wordings of one phrase compared with its closed placeholders filled in."""

_GAPS = re.compile(r"\{[^{}]*\}|\*+|[xX×ｘＸ]{2,}|…+|\.{3,}|[~～]+")
_IN_BRACES = re.compile(r"\{([^{}]*)\}")
_ENDS = frozenset("。.!?;\n")
_OPEN = "_"
"""Stands for a value only the call knows."""


@dataclass(frozen=True, slots=True)
class Comparable:
    """A wording as it is compared.

    Attributes:
        text: its letters and digits alone.
        edges: the positions in `text` at which a sentence begins or ends.
    """

    text: str
    edges: frozenset[int]


@lru_cache(maxsize=8192)
def comparable(wording: str) -> Comparable:
    """The wording in the shape in which wordings are compared."""
    kept: list[str] = []
    edges = {0}
    plain = unicodedata.normalize("NFKC", simplified(_IN_BRACES.sub(_OPEN, wording))).casefold()
    for character in plain:
        if character.isalnum() or character == _OPEN:
            kept.append("你" if character == "您" else character)
        elif character in _ENDS:
            edges.add(len(kept))
    return Comparable("".join(kept), frozenset((*edges, len(kept))))


class SaidPattern:
    """A sentence with or without gaps, to be looked for in wordings."""

    def __init__(self, sentence: str, *, anywhere: bool = False) -> None:
        pieces = [comparable(piece).text for piece in _GAPS.split(sentence)]
        while pieces and not pieces[0]:
            pieces.pop(0)
        while pieces and not pieces[-1]:
            pieces.pop()
        self._is_whole = not anywhere and sum(len(piece) for piece in pieces) <= SHORT
        self._plain = pieces[0] if len(pieces) == 1 else ""
        gap = f"(.{{0,{GAP}}}?)"
        self._pattern = re.compile(gap.join(re.escape(piece) for piece in pieces)) if len(pieces) > 1 else None

    def is_in(self, wording: Comparable) -> bool:
        """Whether the wording says it."""
        return any(
            not self._is_whole or (begin in wording.edges and end in wording.edges)
            for begin, end in self._hits(wording)
        )

    def _hits(self, wording: Comparable) -> Iterator[tuple[int, int]]:
        if self._pattern is not None:
            for hit in self._pattern.finditer(wording.text):
                gaps = [hit.span(number) for number in range(1, self._pattern.groups + 1)]
                if not any(begin <= edge <= end for begin, end in gaps if begin < end for edge in wording.edges):
                    yield hit.span()
            return
        begin = wording.text.find(self._plain) if self._plain else -1
        while begin >= 0:
            yield begin, begin + len(self._plain)
            begin = wording.text.find(self._plain, begin + 1)


@dataclass(frozen=True, slots=True)
class TabooHit:
    """A taboo sentence that a wording says.

    Attributes:
        sentence: as the standard writes it.
        rules: ids of the rules that say the same of the group; may be empty.
    """

    standard: str
    group: str
    sentence: str
    rules: tuple[str, ...] = ()

    @property
    def cited(self) -> str:
        """Where the standard says so: "oufei taboo shirk", and the rules that repeat it."""
        rules = f" ({', '.join(self.rules)})" if self.rules else ""
        return f"{self.standard} taboo {self.group}{rules}"


class TabooList:
    """What nobody may say by one standard."""

    def __init__(self, standard: Standard) -> None:
        self.standard = standard.id
        rules: dict[str, list[str]] = {}
        for rule in standard.rules.values():
            for group in rule.lint.taboo if rule.lint else ():
                rules.setdefault(group, []).append(rule.id)
        self._entries = [
            (
                SaidPattern(sentence, anywhere=group in standard.taboo_anywhere),
                TabooHit(standard.id, group, sentence, tuple(rules.get(group, ()))),
            )
            for group, sentences in standard.taboo.items()
            for sentence in sentences
        ]

    def __bool__(self) -> bool:
        return bool(self._entries)

    def found_in(self, wordings: Iterable[str]) -> list[TabooHit]:
        """The sentences any of these wordings says, each once, in the standard's order."""
        if not self._entries:
            return []
        compared = [comparable(wording) for wording in wordings]
        return [hit for pattern, hit in self._entries if any(pattern.is_in(wording) for wording in compared)]


def wordings(phrase: Phrase, placeholders: Mapping[str, Placeholder]) -> tuple[str, ...]:
    """Everything a phrase can come to: closed placeholders filled in, open ones left, and the wording without values."""
    closed = [name for name in phrase.placeholders if name in placeholders and placeholders[name].values]
    filled: list[str] = []
    for values in islice(product(*(placeholders[name].values for name in closed)), MOST_FILLED):
        text = phrase.text
        for name, value in zip(closed, values, strict=True):
            text = text.replace(f"{{{name}}}", value)
        filled.append(text)
    return tuple(dict.fromkeys((*filled, *([phrase.without] if phrase.without is not None else ()))))
