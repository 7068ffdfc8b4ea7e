"""Values as Mandarin speakers say them: 1024 as 幺零二四, 2026-10-01 as 二零二六年十月一日, 128.50 as 一百二十八元五角.

Whole numbers are read by cn2an; what is a digit to be noted, a date, a time or money is decided here. The result is
Chinese characters alone, in the groups a speaker makes of it: the three of a telephone number, otherwise one.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from typing import Literal, TypeAlias

import cn2an

SpokenAs: TypeAlias = Literal["digits", "telephone", "number", "time", "date", "amount", "name", "words"]
"""How a value is read, see `WAYS`."""

WAYS: Mapping[SpokenAs, str] = {
    "digits": "one by one, 1 as 幺",
    "telephone": "the same, in groups",
    "number": "as a quantity",
    "time": "as a time of day",
    "date": "as a day, with or without its year",
    "amount": "as money",
    "name": "as a family name",
    "words": "only as somebody recorded it ahead",
}

Groups: TypeAlias = tuple[str, ...]
"""What is said, cut where the speaker pauses."""

MOST_DIGITS = 20
"""Digits that can be noted by somebody who hears them; one who says more has made a mistake."""

_DIGITS = "零幺二三四五六七八九"
_PLAIN_DIGITS = "零一二三四五六七八九"
_CHINESE = re.compile(r"[\u4e00-\u9fff]+")
_WHOLE = re.compile(r"\d{1,12}|\d{1,3}(?:,\d{3}){1,3}")
_DECIMAL = re.compile(rf"(?P<whole>{_WHOLE.pattern})(?:\.(?P<part>\d{{1,4}}))?")
_MONEY = re.compile(rf"[¥￥]?(?P<whole>{_WHOLE.pattern})(?:\.(?P<part>\d{{1,2}}))?(?:元|块)?")
_TIME = re.compile(
    r"(?P<part>凌晨|早上|上午|中午|下午|晚上)?(?P<hour>\d{1,2})"
    r"(?::(?P<minute>\d{2})|[点时](?:(?P<minute_of>\d{1,2})分|(?P<half>半)|整)?)"
)
_DATE = re.compile(
    r"(?:(?P<year>\d{4})(?P<dash>[-/.])(?P<month>\d{1,2})(?P=dash)(?P<day>\d{1,2})"
    r"|(?:(?P<year_of>\d{4})年)?(?P<month_of>\d{1,2})月(?P<day_of>\d{1,2})[日号]"
    r"|(?P<month_at>\d{1,2})[-/](?P<day_at>\d{1,2}))"
)
_SEPARATED = re.compile(r"\d+(?:[- ]\d+)*")
_BEFORE_NUMBER = re.compile(r"(?:\+|00)86[- ]?(?=1\d{2}[- ]?\d{4}[- ]?\d{4}$)")
_LEAP_YEAR = 2024
_LONGEST_NAME = 4
_TWO = re.compile(r"(?<![十百千零])二(?=[千万亿])")


class NotSpeakable(ValueError):
    """The value cannot be read as what it should be; says why, without the value (it is personal)."""


def spoken(value: str, spoken_as: SpokenAs) -> Groups:
    """The value as it is said.

    Raises:
        NotSpeakable: it cannot be read that way.
    """
    text = unicodedata.normalize("NFKC", value).strip()
    if not text:
        raise NotSpeakable("it is empty")
    match spoken_as:
        case "digits":
            return _one_by_one(text)
        case "telephone":
            return _telephone(text)
        case "number":
            return (_number(text),)
        case "time":
            return (_time(text),)
        case "date":
            return (_date(text),)
        case "amount":
            return (_amount(text),)
        case "name":
            return (_name(text),)
        case "words":
            return (_words(text),)


def _one_by_one(text: str) -> Groups:
    if not _SEPARATED.fullmatch(text):
        raise NotSpeakable("it is not made of digits alone")
    digits = _counted(re.sub(r"\D", "", text))
    return (_said(digits, _DIGITS),)


def _telephone(text: str) -> Groups:
    """In threes and fours, as its owner would say it; as it is written where that has gaps."""
    text = _BEFORE_NUMBER.sub("", text)
    if not _SEPARATED.fullmatch(text):
        raise NotSpeakable("it is not a telephone number")
    _counted(re.sub(r"\D", "", text))
    return tuple(_said(group, _DIGITS) for run in re.split(r"\D", text) for group in _grouped(run))


def _grouped(run: str) -> list[str]:
    length = len(run)
    if length <= 5:  # a hotline's number, 12345 or 95598, is said in one breath
        return [run]
    first = length % 4 or 4
    return [run[:first], *(run[at : at + 4] for at in range(first, length, 4))]


def _counted(digits: str) -> str:
    if len(digits) > MOST_DIGITS:
        raise NotSpeakable(f"it has {len(digits)} digits; nobody notes more than {MOST_DIGITS}")
    return digits


def _number(text: str) -> str:
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise NotSpeakable("it is not a number")
    if not found["part"]:
        return _measured(_whole(found["whole"]))
    return _quantity(_whole(found["whole"])) + "点" + _said(found["part"], _PLAIN_DIGITS)


def _time(text: str) -> str:
    found = _TIME.fullmatch(text)
    if found is None:
        raise NotSpeakable("it is not a time of day such as 13:30")
    hour, minute = int(found["hour"]), int(found["minute"] or found["minute_of"] or 0)
    if hour > 24 or minute > 59 or (hour == 24 and minute):  # hours and minutes of a day
        raise NotSpeakable("there is no such time of day")
    said = (found["part"] or "") + _measured(hour) + "点"
    if found["half"]:
        return said + "半"
    if not minute:
        return said
    return said + ("零" if minute < 10 else "") + _quantity(minute) + "分"  # 九点零五分


def _date(text: str) -> str:
    found = _DATE.fullmatch(text)
    if found is None:
        raise NotSpeakable("it is not a date such as 2026-10-01")
    year = found["year"] or found["year_of"] or ""
    month = int(found["month"] or found["month_of"] or found["month_at"])
    day = int(found["day"] or found["day_of"] or found["day_at"])
    try:
        dt.date(int(year or _LEAP_YEAR), month, day)
    except ValueError:
        raise NotSpeakable("there is no such day") from None
    said = f"{_said(year, _PLAIN_DIGITS)}年" if year else ""
    return f"{said}{_quantity(month)}月{_quantity(day)}日"


def _amount(text: str) -> str:
    found = _MONEY.fullmatch(text)
    if found is None:
        raise NotSpeakable("it is not an amount such as 128.50")
    yuan, jiao, fen = _whole(found["whole"]), *map(int, (found["part"] or "").ljust(2, "0"))
    said = f"{_measured(yuan)}元" if yuan or not (jiao or fen) else ""
    if jiao:
        said += f"{_measured(jiao)}角"
    elif fen and yuan:
        said += "零"
    return said + (f"{_measured(fen)}分" if fen else "")


def _name(text: str) -> str:
    if len(text) > _LONGEST_NAME or not _CHINESE.fullmatch(text):
        raise NotSpeakable("it is not a name in Chinese characters")
    return text


def _words(text: str) -> str:
    if not _CHINESE.fullmatch(text):
        raise NotSpeakable("it is not in Chinese characters alone")
    return text


def _whole(written: str) -> int:
    return int(written.replace(",", ""))


def _measured(number: int) -> str:
    """A quantity right before its measure word."""
    return "两" if number == 2 else _quantity(number)  # the one number with a form of its own


def _quantity(number: int) -> str:
    said: str = cn2an.an2cn(number, "low")
    return _TWO.sub("两", said.removeprefix("一") if said.startswith("一十") else said)


def _said(digits: str, names: str) -> str:
    return "".join(names[int(digit)] for digit in digits)
