"""The pieces that values are put together from, shared by all standards.

What numbers, dates, times, money and telephone numbers are made of follows from how they are said
(`flow.spoken_values`). Family names and the titles behind them stand in a file that people may add to, and so do
whatever other words shall be spoken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.encoding import decode
from ivrflow.flow.reading.forms import FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import TEXT, one_or_more
from ivrflow.flow.reading.source import parse
from ivrflow.flow.speaking.composing import PAUSE, VALUE_HERE, piece_key
from ivrflow.flow.speaking.spoken_values import WAYS, SpokenAs
from ivrflow.prompts.wording import PlannedPrompt, planned_part

PIECES_NAME = "pieces.yaml"

_FAMILY_NAMES = Key(
    "family_names", one_or_more(TEXT, "names"), "family names, recorded alone and with each title", example="[王, 李]"
)
_TITLES = Key("titles", one_or_more(TEXT, "titles"), "titles behind a family name", example="[先生, 女士]")
_WORDS = Key("words", one_or_more(TEXT, "words"), "further words that values are made of", example="[路灯]")
_PIECES = form_kind(FormSpec("pieces", (_FAMILY_NAMES, _TITLES, _WORDS)), "{family_names: [王, 李], titles: [先生]}")

_DIGITS = "零一二三四五六七八九"
_NOTED = "零幺二三四五六七八九"
_HOURS = 25
_MONTHS = 12
_DAYS = 31


def planned_pieces(
    path: Path, words: Mapping[str, str], spoken_as: Collection[SpokenAs] = tuple(WAYS)
) -> list[PlannedPrompt]:
    """The pieces: those that numbers are made of, and those of the file. No file is no pieces at all.

    Args:
        path: the file.
        words: words with the syllables to speak them by.
        spoken_as: how the values are read that shall be spoken.

    Raises `FlowError` with everything that is wrong with the file.
    """
    if not path.exists():
        return []
    problems = ProblemList()
    text = decode(path.read_bytes(), str(path), problems)
    node = parse(text, str(path), problems) if text is not None else None
    form = _PIECES.read(node, problems) if node is not None else None
    problems.raise_errors()
    where = Location(str(path), 1, 1)
    said = [piece for way, pieces in _OF_NUMBERS.items() if way in spoken_as for piece in pieces()]
    if form is not None and not {"name", "words"}.isdisjoint(spoken_as):
        names, titles = form[_FAMILY_NAMES], form[_TITLES]
        said += [*names, *titles, *form[_WORDS], *(name + title for name in names for title in titles)]
    planned = [
        planned_part(piece_key(piece), f"{VALUE_HERE}{piece}{VALUE_HERE}", where, words, problems)
        for piece in dict.fromkeys(said)
    ]
    problems.raise_errors()
    return planned


def _of_digits() -> Iterator[str]:
    yield from _NOTED
    yield from (tens + ones for tens in _NOTED for ones in _NOTED)


def _of_telephone_numbers() -> Iterator[str]:
    yield from _of_digits()
    yield from (piece + PAUSE for piece in _of_digits())


def _of_quantities() -> Iterator[str]:
    yield from _DIGITS
    yield "两"
    below_hundred = _numbers_below_hundred()
    yield from below_hundred
    yield from (f"零{digit}" for digit in _DIGITS[1:])
    yield from (f"一{teen}" for teen in below_hundred[10:20])
    for unit in "百千":
        yield from (f"{digit}{unit}" for digit in _DIGITS[1:])
    yield from ("两千", "两万", "两亿", "万", "亿", "点")


def _of_money() -> Iterator[str]:
    yield from _of_quantities()
    yield from ("元", "角", "分")


def _of_times() -> Iterator[str]:
    below_hundred = _numbers_below_hundred()
    yield from below_hundred
    yield from (f"零{digit}" for digit in _DIGITS[1:])
    yield from (f"{'两' if hour == 2 else below_hundred[hour]}点" for hour in range(_HOURS))
    yield from ("分", "半", "凌晨", "早上", "上午", "中午", "下午", "晚上")


def _of_dates() -> Iterator[str]:
    below_hundred = _numbers_below_hundred()
    yield from _DIGITS
    yield from _of_digits()
    yield "年"
    yield from (f"{below_hundred[month]}月" for month in range(1, _MONTHS + 1))
    yield from (f"{below_hundred[day]}日" for day in range(1, _DAYS + 1))


_OF_NUMBERS: Mapping[SpokenAs, Callable[[], Iterator[str]]] = MappingProxyType(
    {
        "telephone": _of_telephone_numbers,
        "digits": _of_digits,
        "number": _of_quantities,
        "amount": _of_money,
        "date": _of_dates,
        "time": _of_times,
    }
)


def _numbers_below_hundred() -> list[str]:
    return [_below_hundred(number) for number in range(100)]


def _below_hundred(number: int) -> str:
    tens, ones = divmod(number, 10)
    if not tens:
        return _DIGITS[ones]
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")
