"""Numbers and times as a flow writes them: durations, counts, times of day, days."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from ivrflow.flow.days import HOLIDAYS, DayKind, DaySet
from ivrflow.flow.problems import ProblemList, near_word
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.reader import Kind, from_text, scalar
from ivrflow.flow.reading.source import Items, Node, Text
from ivrflow.flow.reading.syntax import shortened

# ── numbers and times ─────────────────────────────────────────────────────────────────────────────────────────────────

_DURATION = re.compile(
    r"(?:(\d{1,5})h)?(?:(\d{1,6})m(?!s))?(?:(\d{1,8}(?:\.\d{1,3})?)s)?(?:(\d{1,9})ms)?", flags=re.ASCII
)
_DURATION_SCHEMA = js.only_text_like(
    r"(?=.)(?:[0-9]{1,5}h)?(?:[0-9]{1,6}m(?!s))?(?:[0-9]{1,8}(?:[.][0-9]{1,3})?s)?(?:[0-9]{1,9}ms)?"
)
_UNITS = {
    "h": "h",
    "小时": "h",
    "m": "m",
    "min": "m",
    "分": "m",
    "分钟": "m",
    "s": "s",
    "sec": "s",
    "秒": "s",
    "ms": "ms",
    "毫秒": "ms",
}
DAY_S = 86_400.0


def written(seconds: float) -> str:
    """A duration as a flow writes it: "3s", "1m30s", "500ms"."""
    milliseconds = round(seconds * 1000)
    parts: list[str] = []
    for unit, size in (("h", 3_600_000), ("m", 60_000)):
        if milliseconds >= size:
            parts.append(f"{milliseconds // size}{unit}")
            milliseconds %= size
    if milliseconds % 1000 == 0:
        parts += [f"{milliseconds // 1000}s"] if milliseconds or not parts else []
    elif milliseconds < 1000:
        parts.append(f"{milliseconds}ms")
    else:
        parts.append(f"{milliseconds / 1000:g}s")
    return "".join(parts)


def _seconds(text: str) -> float | None:
    hit = _DURATION.fullmatch(text)
    if hit is None or not text:
        return None
    hours, minutes, seconds, milliseconds = (float(part) if part else 0.0 for part in hit.groups())
    return round(hours * 3600 + minutes * 60 + seconds + milliseconds / 1000, 3)


def _duration_hint(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if re.fullmatch(r"\d{1,6}(\.\d+)?", plain, flags=re.ASCII):
        return f"write {plain}s for seconds, {plain}m for minutes, or 500ms"
    if hit := re.fullmatch(r"(\d{1,3})\s*(?:d|days?|天|日)", plain, flags=re.ASCII):
        return f"there are no days here; write {int(hit[1]) * 24}h"
    if hit := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([^\d\s.]+)", plain, flags=re.ASCII):
        unit = next(
            (short for word, short in _UNITS.items() if hit[2] in {word, word + "s", word + "onds", word + "utes"}), ""
        )
        if unit:
            put_right = hit[1] + unit
            return f"write {put_right}" if _seconds(put_right) is not None else f"write at most {written(DAY_S)}"
    return "write a number and its unit without blank: 3s, 500ms, 1m, 1m30s"


def duration(least: float = 0.1, most: float = DAY_S, example: str = "3s") -> Kind[float]:
    """Seconds from `least` to `most`, written with units."""

    def convert(text: Text, problems: ProblemList) -> float | None:
        is_negative = text.text.startswith("-")
        seconds = _seconds(text.text.removeprefix("-"))
        if seconds is None:
            missing_unit = re.fullmatch(r"\d+(\.\d+)?", text.text, flags=re.ASCII)
            message = f"'{shortened(text.text)}' " + ("has no unit" if missing_unit else "is not a duration")
            problems.error(text.where, message, _duration_hint(text.text))
        elif is_negative or not least <= seconds <= most:
            size = "short" if is_negative or seconds < least else "long"
            problems.error(text.where, f"'{text.text}' is too {size}", f"write {written(least)} to {written(most)}")
        else:
            return seconds
        return None

    bounds = f"{written(least)} to {written(most)}"
    return from_text("a duration", example, 0.0, convert, bounds, _DURATION_SCHEMA)


def count(least: int, most: int, example: str = "1") -> Kind[int]:
    """A whole number from `least` to `most`."""

    def convert(text: Text, problems: ProblemList) -> int | None:
        if not re.fullmatch(r"-?\d{1,9}", text.text, flags=re.ASCII):
            problems.error(text.where, f"'{shortened(text.text)}' is not a whole number", f"write {least} to {most}")
        elif text.text.startswith("-") or not least <= int(text.text) <= most:
            size = "many" if int(text.text) > most else "few"
            problems.error(text.where, f"{int(text.text)} is too {size}", f"write {least} to {most}")
        else:
            return int(text.text)
        return None

    schema = js.digits("[0-9]{1,9}", least, most)
    return from_text("a whole number", example, least, convert, f"{least} to {most}", schema)


# Without quotes an older YAML parser makes minutes of 22:15.
_TIME_SCHEMA = js.digits("[0-9]{1,2}:[0-5][0-9]", 0, 24 * 60)
_TIME = re.compile(r"(\d{1,2}):(\d{2})", flags=re.ASCII)


def time_of_day(latest: Literal["23:59", "24:00"]) -> Kind[int]:
    """Minutes since midnight, written as on a clock of 24 hours. Only a closing time may be 24:00."""

    def convert(text: Text, problems: ProblemList) -> int | None:
        hit = _TIME.fullmatch(text.text)
        if hit and int(hit[2]) < 60 and (minute := int(hit[1]) * 60 + int(hit[2])) <= 24 * 60 - (latest == "23:59"):
            return minute
        problems.error(text.where, f"'{shortened(text.text)}' is no time of day", _time_hint(text.text, latest))
        return None

    return from_text("a time of day", '"06:00"', 0, convert, schema=_TIME_SCHEMA)


def _time_hint(text: str, latest: str) -> str:
    plain = unicodedata.normalize("NFKC", text).lower()
    if hit := re.fullmatch(r"(\d{1,2})(?:[:.h点时](\d{2}))?\s*(am|pm)?[点时]?", plain, flags=re.ASCII):
        hour = int(hit[1]) % 12 + 12 * (hit[3] == "pm") if hit[3] else int(hit[1])
        if hour < 24 and int(hit[2] or 0) < 60:
            return f'write "{hour:02}:{hit[2] or "00"}"'
    return f'write hours and minutes, "00:00" to "{latest}"'


EARLIEST_YEAR, LATEST_YEAR = 2000, 2099


def read_time(text: str) -> datetime:
    """A date and a time of day as in "2026-11-20T10:00", local to the flow.

    Raises:
        ValueError: with what is wrong, and what to write as second argument.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{shortened(text)}' is no date and time", "write for example 2026-11-20T10:00") from None
    if time.tzinfo is not None:
        raise ValueError(f"'{shortened(text)}' names a time zone", "leave it out: the time is local to the flow")
    if not EARLIEST_YEAR <= time.year <= LATEST_YEAR:
        years = f"{EARLIEST_YEAR} to {LATEST_YEAR}"
        raise ValueError(f"'{shortened(text)}' is far from any call", f"write a year from {years}")
    return time


# ── days ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KINDS_OF_DAY: Mapping[str, DayKind] = {"workdays": "workday", "weekends": "weekend", "holidays": "holiday"}
_CHINESE = {
    "工作日": "workdays",
    "周末": "weekends",
    "节假日": "holidays",
    "法定节假日": "holidays",
    "劳动节": "labour_day",
    "清明节": "tomb_sweeping",
    "端午节": "dragon_boat",
    "中秋节": "mid_autumn",
    "国庆节": "national_day",
} | {chinese: name for name, chinese in HOLIDAYS.items()}
_DAY_WORDS = {"周": 0, "星期": 0, "礼拜": 0}


def holiday_name(word: str) -> str:
    """The name of a public holiday written in either language; empty for any other word."""
    name = _CHINESE.get(word, word)
    return name if name in HOLIDAYS else ""


def _day_hint(word: str) -> str:
    for prefix in _DAY_WORDS:
        if word.startswith(prefix) and (number := "一二三四五六日天".find(word[len(prefix) :])) >= 0:
            return f"write '{DAYS[min(number, 6)]}'"
    if word.lower() in {"daily", "always", "every day", "每天"}:
        return "write mon-sun"
    if word.lower() in {"weekday", "weekdays", "workday"}:
        return "write mon-fri, or workdays for the days that are really worked"
    if word.lower() == "weekend":
        return "write sat,sun, or weekends for the days that are really off"
    if word.lower() == "holiday":
        return "write holidays"
    if word.lower()[:3] in DAYS:
        return f"write '{word.lower()[:3]}'"
    if near := near_word(word.lower(), [*DAYS, *KINDS_OF_DAY, *HOLIDAYS]):
        return f"did you mean '{near}'?"
    return "write mon to sun, workdays, weekends, holidays, or a holiday: spring_festival"


def written_days(days: DaySet) -> str:
    """Days as a flow writes them: runs of weekdays with a dash, then the other words."""
    runs: list[list[int]] = []
    for day in sorted(days.weekdays):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    words = [DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}-{DAYS[run[-1]]}" for run in runs]
    words += [word for word, kind in KINDS_OF_DAY.items() if kind in days.kinds]
    return ",".join([*words, *(name for name in HOLIDAYS if name in days.holidays)])


def written_minute(minute: int) -> str:
    """A minute of the day as a flow writes it: "08:30"."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _read_days(node: Node, problems: ProblemList) -> DaySet | None:
    what, example = "days", "mon-fri"
    pieces: list[Text] = []
    for part in node.items if isinstance(node, Items) else (node,):
        text = scalar(part, what, example, problems)
        if text is None:
            return None
        pieces += [Text(piece.strip(), text.where) for piece in text.text.split(",")]
    days: set[int] = set()
    kinds: set[DayKind] = set()
    holidays: set[str] = set()
    before = len(problems.errors)
    for piece in pieces:
        word = _CHINESE.get(piece.text, piece.text)
        if word in KINDS_OF_DAY:
            kinds.add(KINDS_OF_DAY[word])
        elif word in HOLIDAYS:
            holidays.add(word)
        else:
            days |= _weekdays(piece, problems)
    return DaySet(frozenset(days), frozenset(kinds), frozenset(holidays)) if len(problems.errors) == before else None


def _weekdays(piece: Text, problems: ProblemList) -> set[int]:
    """The days of the week a word or a range of words names."""
    ends = [word.strip() for word in piece.text.split("-")]
    strange = next((word for word in ends if word not in DAYS), None)
    if strange is not None:
        shown = shortened(strange)
        if len(ends) > 1 and (shown in KINDS_OF_DAY or _CHINESE.get(shown, shown) in HOLIDAYS):
            problems.error(piece.where, f"'{shortened(piece.text)}' is no range", "only weekdays have a dash: mon-fri")
        else:
            problems.error(piece.where, f"'{shown}' is no day", _day_hint(shown))
        return set()
    if len(ends) > 2:
        hint = f"write {ends[0]}-{ends[-1]}, or {','.join(ends[:8])}"
        problems.error(piece.where, f"'{shortened(piece.text)}' has more than one dash", hint)
        return set()
    first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
    return {(first + step) % 7 for step in range((last - first) % 7 + 1)}


_DAY_SCHEMA: js.Schema = {
    "type": "string",
    "anyOf": [js.one_of([*DAYS, "mon-fri", "mon-sun", *KINDS_OF_DAY, *HOLIDAYS]), {"pattern": "[^ ]"}],
}
DAY_SET: Kind[DaySet] = Kind("days", "mon-fri", DaySet(), _read_days, schema=js.one_or_list_of(_DAY_SCHEMA))
