"""How wide a text will be drawn, without a browser: an estimate that is rather too wide than too narrow.

Pages use whatever sans-serif font the reader has; the widths here are at least those of the common ones, so a label that fits
by this estimate fits in the picture.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_NARROW, _SLIM, _WIDE = frozenset("iljI.,:;'|!`"), frozenset('ftr()[]{}-"/\\ *'), frozenset("mwMW@%&")

_ELLIPSIS = "…"

_CLOSING = "，。、；：！？）》」』】”’,.;:!?)"
_ATOM = re.compile(rf"(?:[0-9A-Za-z_\u00c0-\u1fff]+|.)[{re.escape(_CLOSING)}]*\s*", re.DOTALL)
"""What stays on one line: a word, or one Chinese character, each with the punctuation that closes it."""


def width(text: str, size: float) -> float:
    """Pixels that `text` takes at most in a font of `size` pixels."""
    return size * sum(map(_ems, text))


def fitted(text: str, size: float, room: float) -> str:
    """`text`, cut with an ellipsis where it is wider than `room` pixels; empty when not even two characters fit."""
    if width(text, size) <= room:
        return text
    left = room - width(_ELLIPSIS, size)
    count = 0
    for count, character in enumerate(text):  # noqa: B007 - the count is what is wanted after the loop
        left -= size * _ems(character)
        if left < 0:
            break
    kept = text[:count].rstrip()
    return kept + _ELLIPSIS if len(kept) >= 2 else ""


def wrapped(text: str, size: float, room: float, lines: int) -> tuple[str, ...]:
    """`text` on at most so many lines of `room` pixels; what does not fit on the last one is cut with an ellipsis."""
    done: list[str] = []
    line = ""
    atoms = _ATOM.findall(text)
    for place, atom in enumerate(atoms):
        if width((line + atom).rstrip(), size) <= room:
            line += atom
        elif len(done) == lines - 1 or width(atom.rstrip(), size) > room:
            done.append(fitted(line + "".join(atoms[place:]), size, room))
            return tuple(one for one in done if one)
        else:
            done.append(line.rstrip())
            line = atom
    done.append(line.rstrip())
    return tuple(one for one in done if one)


@lru_cache(maxsize=4096)
def _ems(character: str) -> float:
    """Width of a character as a multiple of the font's size."""
    if not character.isprintable():
        return 0.0 if unicodedata.category(character) == "Cf" else 1.02  # drawn as a sign in its place
    if character.isascii():
        if character in _NARROW:
            return 0.34
        if character in _SLIM:
            return 0.42
        if character in _WIDE:
            return 0.95
        return 0.74 if character.isupper() else 0.62
    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0.0
    return 1.02 if unicodedata.east_asian_width(character) in "WFA" else 0.8
