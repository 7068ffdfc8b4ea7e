"""The pieces that values are put together from, shared by all standards.

What numbers, dates, times, money and telephone numbers are made of follows from how they are said
(`flow.spoken_values`). Family names and the titles behind them stand in a file that people may add to, and so do
whatever other words shall be spoken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.encoding import decode
from ivrflow.flow.reading.forms import FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import TEXT, one_or_more
from ivrflow.flow.reading.source import parse
from ivrflow.flow.speaking.composing import PAUSE, VALUE_HERE, piece_key
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


def planned_pieces(path: Path, words: Mapping[str, str]) -> list[PlannedPrompt]:
    """Every piece: those that numbers are made of, and those of the file. No file is no pieces at all.

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
    said = [*_of_numbers()]
    if form is not None:
        names, titles = form[_FAMILY_NAMES], form[_TITLES]
        said += [*names, *titles, *form[_WORDS], *(name + title for name in names for title in titles)]
    planned = [
        planned_part(piece_key(piece), f"{VALUE_HERE}{piece}{VALUE_HERE}", where, words, problems)
        for piece in dict.fromkeys(said)
    ]
    problems.raise_errors()
    return planned


def _of_numbers() -> Iterator[str]:
    noted = [*_NOTED, *(tens + ones for tens in _NOTED for ones in _NOTED)]
    yield from noted
    yield from (piece + PAUSE for piece in noted)
    yield from _DIGITS
    yield "两"
    below_hundred = [_below_hundred(number) for number in range(100)]
    yield from below_hundred
    yield from (f"零{digit}" for digit in _DIGITS[1:])
    yield from (f"一{teen}" for teen in below_hundred[10:20])
    for unit in "百千":
        yield from (f"{digit}{unit}" for digit in _DIGITS[1:])
    yield from ("两千", "两万", "两亿", "万", "亿", "点", "元", "角", "分", "年", "半")
    yield from (f"{'两' if hour == 2 else below_hundred[hour]}点" for hour in range(_HOURS))
    yield from (f"{below_hundred[month]}月" for month in range(1, _MONTHS + 1))
    yield from (f"{below_hundred[day]}日" for day in range(1, _DAYS + 1))
    yield from ("凌晨", "早上", "上午", "中午", "下午", "晚上")


def _below_hundred(number: int) -> str:
    tens, ones = divmod(number, 10)
    if not tens:
        return _DIGITS[ones]
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")
