"""How far a text that was understood is from what should have been said: in characters, and in sounds.

Who writes down Mandarin chooses among characters that sound the same. So both rates are told: the one in characters, in
which every such choice counts as an error, and the one in sounds (syllables without their tones), in which it does not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from ivrflow.flow.wording.script import simplified
from ivrflow.prompts.reading import spoken_form


@dataclass(frozen=True, slots=True)
class Difference:
    """What separates two texts.

    Attributes:
        length: characters of the text that should have been said, as they are compared.
        errors: characters to change, add or leave out until the texts agree.
        sound_errors: syllables to change, add or leave out until they sound alike.
    """

    length: int
    errors: int
    sound_errors: int


def error_rate(errors: int, length: int) -> float:
    """Errors by what should have been said; above 1 when more was understood than was to be said."""
    return errors / max(1, length)


def difference(text: str, expected: str, before: str = "", after: str = "") -> Difference:
    """Compare what was understood with what should have been said.

    Punctuation, spaces, capitals, the script (traditional or simplified) and the form of numbers make no difference: 12345
    and 幺二三四五 agree, and so do 10秒 and 十秒, 13:30 and 十三点三十分, QQ and 扣扣. Everything else does. Without the
    package that knows how characters sound (of the `asr` extra), every error counts as one of sound.

    Args:
        text: what was understood.
        expected: what is judged.
        before: what was said before that, and is not judged.
        after: what was said after it, likewise. A number that reaches from one into the other has all of it judged.
    """
    heard = compared(text)
    lead, wanted, trail = compared(before), compared(expected), compared(after)
    if (whole := compared(before + expected + after)) != lead + wanted + trail:
        lead, wanted, trail = "", whole, ""  # a number that only all of it says: 三 and 万 are 30000
    by_sound = [syllables(part) for part in (lead, wanted, trail)]
    return Difference(
        len(wanted),
        edits(heard, lead + wanted + trail, len(lead), len(lead) + len(wanted)),
        edits(
            syllables(heard),
            [sound for part in by_sound for sound in part],
            len(by_sound[0]),
            len(by_sound[0]) + len(by_sound[1]),
        ),
    )


def differs(text: str, expected: str) -> float:
    """Error rate of `text` by sound: syllables to change until it sounds like `expected`, by the length of that.

    A recogniser guesses the characters from the context, and on a telephone it often guesses others that sound the same.
    """
    heard, wanted = syllables(compared(text)), syllables(compared(expected))
    if not wanted:
        return 1.0 if heard else 0.0
    return edits(heard, wanted) / len(wanted)


def compared(text: str) -> str:
    """The text as it is compared: simplified, in small letters, numbers as digits, nothing but letters and digits."""
    read = spoken_form(simplified(unicodedata.normalize("NFKC", text))).lower()
    in_digits = _NUMBER.sub(lambda hit: _in_digits(hit[0]), read)
    return "".join(sign for sign in in_digits if unicodedata.category(sign)[0] in "LN")


def syllables(written: str) -> list[str]:
    """How each character of a text that `compared` made sounds, tones left out; the character itself where nobody can tell."""
    return _sounds()("".join(_SPOKEN.get(sign, sign) for sign in written))


def edits(one: Sequence[str], other: Sequence[str], start: int = 0, end: int | None = None) -> int:
    """The least number of signs to change, add or leave out (Levenshtein) until `one` is `other`.

    With `start` and `end` only those in that stretch of `other`, of all shortest ways the one with fewest of them there.
    """
    end = len(other) if end is None else end
    whole = (start, end) == (0, len(other))
    judged = [1 if start <= column < end else 0 for column in range(len(other))]
    # What was added counts where it stands within the stretch, and at the ends of the text when all of it is judged.
    added = [1 if whole or start < column < end else 0 for column in range(len(other) + 1)]
    row = [(0, 0)]
    for column in range(len(other)):
        row.append(_plus(row[-1], judged[column]))
    for sign in one:
        new = [_plus(row[0], added[0])]
        for column, wanted in enumerate(other):
            kept = row[column] if sign == wanted else _plus(row[column], judged[column])
            new.append(min(kept, _plus(row[column + 1], added[column + 1]), _plus(new[-1], judged[column])))
        row = new
    return row[-1][1]


def _plus(cost: tuple[int, int], within: int) -> tuple[int, int]:
    """One more edit: of all of them, and of those that are judged."""
    return cost[0] + 1, cost[1] + within


def knows_sounds() -> bool:
    """Whether the package that knows how characters sound is installed."""
    return _sounds() is not list


@cache
def _sounds() -> Callable[[str], list[str]]:
    try:
        from pypinyin import lazy_pinyin
    except ImportError:  # nothing was transcribed here, then: the recogniser comes with it
        return list
    sounds: Callable[[str], list[str]] = lazy_pinyin  # untyped where the package is not installed
    return sounds


_SPOKEN = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
_DIGITS = {sign: value for value, signs in enumerate(("零〇", "一幺", "二两", *"三四五六七八九")) for sign in signs}
_TENS = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "亿": 10**8}
_NUMBER = re.compile(f"[{''.join(_DIGITS)}{''.join(_TENS)}{''.join(_MYRIADS)}]+")


def _in_digits(number: str) -> str:
    """十二 as 12; 幺二三 as 123; numbers that follow each other at once, 十二三, as 123."""
    if not (_TENS.keys() | _MYRIADS.keys()) & set(number):
        return "".join(str(_DIGITS[sign]) if sign in _DIGITS else sign for sign in number)
    numbers: list[int] = []
    whole, part, unit = 0, 0, 0  # `unit`: the last of ten, hundred, thousand since the last myriad
    digit: int | None = None

    def close(carried: int | None = None) -> None:
        nonlocal whole, part, unit, digit
        if whole or part or digit is not None:
            numbers.append(whole + part + (digit or 0))
        whole, part, unit, digit = 0, 0, 0, carried

    for sign in number:
        if sign in _DIGITS:
            gap = digit == 0 and (whole or part)  # the 零 of 三百零五
            if digit is not None and not gap:
                close()
            digit = _DIGITS[sign]
        elif sign in _TENS:
            size = _TENS[sign]
            if unit and size >= unit:  # 十一十二 and 三百四百 are two numbers each
                carried, digit = (None, digit) if size == _TENS["十"] else (digit, None)
                close(carried)
            part, unit, digit = part + (digit or 1) * size, size, None
        else:
            whole += (part + (digit or 0) or 1) * _MYRIADS[sign]
            part, unit, digit = 0, 0, None
    close()
    return "".join(map(str, numbers))
