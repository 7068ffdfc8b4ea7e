"""How written digits and letters are spoken, and words a voice would misread.

A synthesiser reads 12345 as a quantity (one ten thousand two thousand ...); a caller expects a telephone number, digit
by digit, its 1 spoken 幺. So digits are written out before they reach any voice. What is spoken is kept in the prompt
index beside what is written, for everybody to read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading.encoding import decode
from ivrflow.flow.reading.source import Table, Text, parse

_DIGITS = "零一二三四五六七八九"
_TELEPHONE = "零幺二三四五六七八九"
_TENS = ("", "十", "百", "千")

_COUNTED = "个|位|天|周|小时|分钟|秒|次|元|块|年|岁|倍|人|件|条|部|遍|点|度|米|公里|吨|名|项|种|份|张"
_DATED = "月|日|楼|层"
_AMOUNT = re.compile(rf"(\d+)(?={_COUNTED}|{_DATED}|万|亿)")
_CLOCK = re.compile(r"(?<!\d)([01]?\d|2[0-4]):([0-5]\d)(?!\d)点?")
_CLOCK_RANGE = re.compile(r"(?<=:\d\d)点?\s?[-~—至]{1,2}\s?(?=\d{1,2}:\d\d)")
_CLOCK_LIST = re.compile(r"(?<=:\d\d)\s+")
_BETWEEN_DIGITS = re.compile(r"(?<=[\d０-９])[：－～](?=[\d０-９])")
_FULL_WIDTH = re.compile(r"[０-９％Ａ-Ｚａ-ｚ]")
_TIMES = re.compile(r"(?<=\d)\s?×\s?(?=\d)")
_BLANK = "×"
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
_DECIMAL = re.compile(r"(\d+)\.(\d+)")
_RANGE = re.compile(r"(?<!\d)(\d{1,2})-(?=\d{1,2}(?!\d))")
_GROUPS = re.compile(r"(?<=\d)-(?=\d)")
_YEAR = re.compile(r"(?<!\d)(\d{4})(?=年)")
_TWO = re.compile(rf"(?<![\d十百千万亿点])2(?={_COUNTED}|万|亿)")
_RUN = re.compile(r"\d+")


def spoken_form(text: str) -> str:
    """The text with every digit written as it is said.

    Three digits and more, or a leading zero, are a number to be keyed or noted (telephone, agent, ticket): digit by
    digit, 1 as 幺. One or two digits, and digits before a measure word, are a quantity. Years are read digit by digit
    with 一; 2 before a measure word is 两; `12:30` is a time of day, `3-5` and `12:00-14:00` are ranges. Letters in a
    Mandarin text are spelled as Mandarin speakers name them, `×` is 某. An English text stays as it is.
    """
    if is_english(text):
        return text
    text = _FULL_WIDTH.sub(lambda hit: unicodedata.normalize("NFKC", hit[0]), text)
    text = _BETWEEN_DIGITS.sub(lambda hit: unicodedata.normalize("NFKC", hit[0]), text)
    text = _TIMES.sub("乘", text).replace(_BLANK, "某")
    text = _LATIN.sub(lambda hit: _named_letters(hit[0]), text)
    text = _CLOCK_RANGE.sub("到", text)
    text = _CLOCK_LIST.sub("，", text)
    text = _CLOCK.sub(_clock, text)
    text = _PERCENT.sub(lambda hit: f"百分之{_decimal(hit[1])}", text)
    text = _DECIMAL.sub(lambda hit: _decimal(hit[0]), text)
    text = _RANGE.sub(r"\1到", text)
    text = _GROUPS.sub("，", text)
    text = _YEAR.sub(lambda hit: _one_by_one(hit[1], _DIGITS), text)
    text = _TWO.sub("两", text)
    text = _AMOUNT.sub(lambda hit: _run(hit[1]) if _is_noted(hit[1]) else quantity(int(hit[1])), text)
    return _RUN.sub(lambda hit: _run(hit[0]), text)


def quantity(number: int) -> str:
    """A whole number below 10**12 as a quantity: 12 → 十二, 305 → 三百零五, 20000 → 二万."""
    if number == 0:
        return _DIGITS[0]
    for size, name in ((10**8, "亿"), (10**4, "万")):
        if number >= size:
            high, low = divmod(number, size)
            gap = _DIGITS[0] if 0 < low < size // 10 else ""
            return quantity(high) + name + (gap + _thousands(low, bare_ten=False) if low else "")
    return _thousands(number, bare_ten=True)


def _thousands(number: int, *, bare_ten: bool) -> str:
    if number >= 10**4:
        return quantity(number)
    said, gap = "", False
    for place in range(3, -1, -1):
        digit = number // 10**place % 10
        if digit == 0:
            gap = bool(said)
            continue
        if gap:
            said, gap = said + _DIGITS[0], False
        if not (digit == 1 and place == 1 and not said and bare_ten):
            said += _DIGITS[digit]
        said += _TENS[place]
    return said


def _is_noted(digits: str) -> bool:
    return (len(digits) > 1 and digits.startswith("0")) or len(digits) > 12


def _run(digits: str) -> str:
    if len(digits) >= 3 or _is_noted(digits):
        return _one_by_one(digits, _TELEPHONE)
    return quantity(int(digits))


def _one_by_one(digits: str, names: str) -> str:
    return "".join(names[int(digit)] for digit in digits)


def _decimal(written: str) -> str:
    whole, _, part = written.partition(".")
    return quantity(int(whole)) + (f"点{_one_by_one(part, _DIGITS)}" if part else "")


def _clock(hit: re.Match[str]) -> str:
    hour, minute = int(hit[1]), int(hit[2])
    said = ("两" if hour == 2 else quantity(hour)) + "点"
    if minute == 0:
        return said
    return said + (_DIGITS[0] if minute < 10 else "") + quantity(minute) + "分"


# ── letters ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_HAN = re.compile(r"[\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")
_LETTERS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        [
            "诶",
            "必",
            "西",
            "弟",
            "伊",
            "艾弗",
            "记",
            "艾尺",
            "爱",
            "杰",
            "开",
            "艾勒",
            "艾姆",
            "恩",
            "欧",
            "批",
            "扣",
            "阿",
            "艾斯",
            "提",
            "优",
            "维",
            "达不溜",
            "艾克斯",
            "歪",
            "贼",
        ],
        strict=True,
    )
)
_LETTER_WORDS = {"e-mail": "伊妹儿", "email": "伊妹儿", "wifi": "歪费", "wi-fi": "歪费", "sim": "西姆", "ok": "欧开"}


def is_english(text: str) -> bool:
    """Whether a text is English: letters, and not one Chinese character."""
    return bool(_LATIN.search(text)) and not _HAN.search(text)


def _named_letters(word: str) -> str:
    """QQ as 扣扣: written in characters, which is what a Mandarin voice can read."""
    lower = word.lower()
    return _LETTER_WORDS.get(lower) or "".join(_LETTERS.get(letter, "") for letter in lower)


_SPEAKABLE = re.compile(r"[\u4e00-\u9fff，。！？、；：…“”（）《》 ]")
_SPEAKABLE_ENGLISH = re.compile(r"[A-Za-z0-9 ,.;:!?'’-]")


def unspeakable(spoken: str) -> str:
    """The characters of a spoken form that the voice of its language cannot read, each once; empty when it can."""
    speakable = _SPEAKABLE_ENGLISH if is_english(spoken) else _SPEAKABLE
    return "".join(dict.fromkeys(char for char in spoken if not speakable.match(char)))


_SYLLABLES = re.compile(r"[a-zü]+[1-5](?: [a-zü]+[1-5])*")


def read_words(path: Path) -> Mapping[str, str]:
    """Words with the syllables to speak them by, `调至: "tiao2 zhi4"` (tone 5 is the neutral one).

    Raises `FlowError` with every word whose syllables do not fit; a missing file is no words.
    """
    if not path.exists():
        return {}
    problems = ProblemList()
    text = decode(path.read_bytes(), str(path), problems)
    node = parse(text, str(path), problems) if text is not None else None
    words: dict[str, str] = {}
    for entry in node.entries if isinstance(node, Table) else ():
        word, said = entry.key.text, entry.value.text if isinstance(entry.value, Text) else ""
        if not _SYLLABLES.fullmatch(said) or len(said.split()) != len(word):
            problems.error(
                entry.key.where,
                f"'{said}' is not one syllable with its tone for each character of '{word}'",
                'write it like "tiao2 zhi4"; tone 5 is the neutral tone',
            )
        words[word] = said
    problems.raise_errors()
    return words


def words_in(spoken: str, words: Mapping[str, str]) -> dict[str, str]:
    """Those of the words that occur in a spoken form, sorted: a change of any other word leaves its prompt alone."""
    return {word: words[word] for word in sorted(words) if word in spoken}
