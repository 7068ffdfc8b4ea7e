from typing import TypeVar

import pytest

from ivrflow.flow.days import DaySet
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading import times
from ivrflow.flow.reading.reader import Kind
from ivrflow.flow.reading.source import Items, Node, Text

T = TypeVar("T")
HERE = Location("a.yaml", 1, 1)


def read(kind: Kind[T], node: str | Node) -> tuple[T | None, list[str]]:
    problems = ProblemList()
    value = kind.read(Text(node, HERE) if isinstance(node, str) else node, problems)
    return value, [f"{problem.message} | {problem.hint}" for problem in problems.problems]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("3s", 3.0),
        ("500ms", 0.5),
        ("1m", 60.0),
        ("1m30s", 90.0),
        ("25m", 1500.0),
        ("1.5s", 1.5),
        ("2h", 7200.0),
        ("1h2m3s4ms", 3723.004),
        ("1m500ms", 60.5),
        ("90s", 90.0),
    ],
)
def test_durations(written: str, seconds: float) -> None:
    assert read(times.duration(), written) == (seconds, [])


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("3", "'3' has no unit", "write 3s for seconds, 3m for minutes, or 500ms"),
        ("1.5", "'1.5' has no unit", "write 1.5s for seconds, 1.5m for minutes, or 500ms"),
        ("3 s", "'3 s' is not a duration", "write 3s"),
        ("100000h", "'100000h' is not a duration", "write at most 24h"),
        ("3sec", "'3sec' is not a duration", "write 3s"),
        ("3 seconds", "'3 seconds' is not a duration", "write 3s"),
        ("2 minutes", "'2 minutes' is not a duration", "write 2m"),
        ("3秒", "'3秒' is not a duration", "write 3s"),
        ("2分钟", "'2分钟' is not a duration", "write 2m"),
        ("2d", "'2d' is not a duration", "there are no days here; write 48h"),
        ("1 天", "'1 天' is not a duration", "there are no days here; write 24h"),
        ("３ｓ", "'３ｓ' is not a duration", "write 3s"),
        ("3S", "'3S' is not a duration", "write 3s"),
        ("soon", "'soon' is not a duration", "write a number and its unit without blank: 3s, 500ms, 1m, 1m30s"),
        ("30s1m", "'30s1m' is not a duration", "write a number and its unit without blank: 3s, 500ms, 1m, 1m30s"),
        ("0s", "'0s' is too short", "write 100ms to 24h"),
        ("25h", "'25h' is too long", "write 100ms to 24h"),
    ],
)
def test_what_is_no_duration_is_told_how_to_be_one(written: str, message: str, hint: str) -> None:
    assert read(times.duration(), written) == (None, [f"{message} | {hint}"])


@pytest.mark.parametrize("written", ["9" * 5000 + "s", "1e9s", "nan", "inf", "-1s", "٣s", "1..5s", ".5s", "s", "ms"])
def test_no_text_breaks_the_duration_reader(written: str) -> None:
    value, told = read(times.duration(), written)

    assert value is None
    assert len(told) == 1


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (3.0, "3s"),
        (0.5, "500ms"),
        (60.0, "1m"),
        (90.0, "1m30s"),
        (1.5, "1.5s"),
        (0.0, "0s"),
        (7325.0, "2h2m5s"),
        (60.5, "1m500ms"),
    ],
)
def test_durations_are_written_as_they_are_read(seconds: float, written: str) -> None:
    assert times.written(seconds) == written
    if seconds:
        assert read(times.duration(), written) == (seconds, [])


def test_counts() -> None:
    kind = times.count(1, 10)

    assert read(kind, "10") == (10, [])
    assert read(kind, "0") == (None, ["0 is too few | write 1 to 10"])
    assert read(kind, "11") == (None, ["11 is too many | write 1 to 10"])
    for written in ("1.0", "one", "٣", "1" * 5000, "-1", "0x1"):
        assert read(kind, written)[0] is None


@pytest.mark.parametrize(("written", "minute"), [("06:00", 360), ("6:05", 365), ("00:00", 0), ("24:00", 1440)])
def test_times_of_day(written: str, minute: int) -> None:
    assert read(times.time_of_day("24:00"), written) == (minute, [])


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("6", 'write "06:00"'),
        ("22.30", 'write "22:30"'),
        ("10pm", 'write "22:00"'),
        ("12am", 'write "00:00"'),
        ("9：30", 'write "09:30"'),
        ("8点", 'write "08:00"'),
        ("24:00", 'write hours and minutes, "00:00" to "23:59"'),
        ("12:60", 'write hours and minutes, "00:00" to "23:59"'),
        ("noon", 'write hours and minutes, "00:00" to "23:59"'),
    ],
)
def test_what_is_no_time_of_day_is_told_how_to_be_one(written: str, hint: str) -> None:
    assert read(times.time_of_day("23:59"), written) == (None, [f"'{written}' is no time of day | {hint}"])


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("mon,wed,fri", {0, 2, 4}),
        ("mon-sun", {0, 1, 2, 3, 4, 5, 6}),
        ("fri-mon", {4, 5, 6, 0}),
        ("sun", {6}),
        ("mon - wed, sat", {0, 1, 2, 5}),
    ],
)
def test_days(written: str, days: set[int]) -> None:
    assert read(times.DAY_SET, written) == (DaySet(frozenset(days)), [])


def test_days_in_a_list() -> None:
    assert read(times.DAY_SET, Items((Text("mon-tue", HERE), Text("sat", HERE)), HERE)) == (
        DaySet(frozenset({0, 1, 5})),
        [],
    )


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("workdays", DaySet(kinds=frozenset({"workday"}))),
        ("工作日", DaySet(kinds=frozenset({"workday"}))),
        ("weekends,周末", DaySet(kinds=frozenset({"weekend"}))),
        ("法定节假日", DaySet(kinds=frozenset({"holiday"}))),
        ("春节, labour_day", DaySet(holidays=frozenset({"spring_festival", "labour_day"}))),
        ("劳动节,五一", DaySet(holidays=frozenset({"labour_day"}))),
        ("sat,holidays,元旦", DaySet(frozenset({5}), frozenset({"holiday"}), frozenset({"new_year"}))),
    ],
)
def test_kinds_of_day_and_holidays_stand_beside_days_of_the_week(written: str, days: DaySet) -> None:
    assert read(times.DAY_SET, written) == (days, [])


def test_only_days_of_the_week_have_a_dash() -> None:
    hint = "only weekdays have a dash: mon-fri"
    assert read(times.DAY_SET, "spring_festival-national_day") == (
        None,
        [f"'spring_festival-national_day' is no range | {hint}"],
    )


@pytest.mark.parametrize(
    "written", ["mon-fri", "mon-tue,thu", "sun", "workdays,holidays", "sat,weekends,spring_festival"]
)
def test_days_are_written_as_they_are_read(written: str) -> None:
    days, told = read(times.DAY_SET, written)
    assert told == []
    assert times.written_days(days or DaySet()) == written


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("Monday", "write 'mon'"),
        ("周六", "write 'sat'"),
        ("星期天", "write 'sun'"),
        ("daily", "write mon-sun"),
        ("weekdays", "write mon-fri, or workdays for the days that are really worked"),
        ("weekend", "write sat,sun, or weekends for the days that are really off"),
        ("holiday", "write holidays"),
        ("spring_festval", "did you mean 'spring_festival'?"),
        ("fry", "did you mean 'fri'?"),
    ],
)
def test_other_words_for_days_are_understood_in_the_hint(written: str, hint: str) -> None:
    assert read(times.DAY_SET, written) == (None, [f"'{written}' is no day | {hint}"])


def test_every_bad_day_is_told() -> None:
    value, told = read(times.DAY_SET, "mon,xxx,yyy-fri,")

    assert value is None
    assert [line.partition(" ")[0] for line in told] == ["'xxx'", "'yyy'", "''"]


# ── a date and a time of day ──────────────────────────────────────────────────────────────────────────────────────────


def test_local_times() -> None:
    assert times.read_time("2026-11-20T10:00").isoformat() == "2026-11-20T10:00:00"
    assert times.read_time("2026-11-20 23:30:15").isoformat() == "2026-11-20T23:30:15"


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("tomorrow", "'tomorrow' is no date and time", "write for example 2026-11-20T10:00"),
        ("", "'' is no date and time", "write for example 2026-11-20T10:00"),
        ("2026-11-20T10:00+08:00", "'2026-11-20T10:00+08:00' names a time zone", "leave it out"),
        ("2026-11-20T10:00Z", "names a time zone", "leave it out"),
        ("0001-01-01T00:00", "far from any call", "write a year from 2000 to 2099"),
        ("9999-12-31T23:59", "far from any call", "write a year from 2000 to 2099"),
        ("9" * 5000, "…", "write for example"),
    ],
)
def test_what_is_no_local_time(written: str, message: str, hint: str) -> None:
    with pytest.raises(ValueError) as problem:
        times.read_time(written)
    said, advised = problem.value.args
    assert message in said
    assert advised.startswith(hint)
    assert len(said) < 200
