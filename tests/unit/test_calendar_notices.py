from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ivrflow.calendar_notices import CalendarWatch, calendar_notices, unknown_year
from ivrflow.flow.compiling.compiler import compile_flow
from ivrflow.flow.days import Calendar
from ivrflow.flow.keys.holiday_file import read_calendar
from ivrflow.flow.model import CallFlow

CASES = Path(__file__).parents[1] / "problems"
FILES = {name: (CASES / "flows" / file).read_text(encoding="utf-8") for name, file in (
    ("hotline.yaml", "nothing_wrong.yaml"),
    ("standards/tiny.yaml", "standards/tiny.yaml"),
    ("standards/house.yaml", "standards/house.yaml"),
)}  # fmt: skip
ASKING = "wordings:\n  greeting:\n    - {days: holidays, say: house/morning}\n    - {say: hello}\n\nsteps:\n"
GOOD = (CASES / "holidays" / "nothing_wrong.yaml").read_text(encoding="utf-8")


def flow(calendar: Calendar | None = None, *, asks: bool = True) -> CallFlow:
    text = FILES["hotline.yaml"]
    if asks:
        text = text.replace("steps:\n", ASKING).replace("opening: hello", "opening: when/greeting")
    compiled = compile_flow({**FILES, "hotline.yaml": text}, "hotline.yaml")
    return replace(compiled, calendar=calendar or Calendar(years=(2004, 2026)))


def told(one: CallFlow, today: str) -> list[str]:
    return [f"{notice.where}: {notice.message}" for notice in calendar_notices([one], date.fromisoformat(today))]


UNKNOWN = "nobody knows the public holidays of 2027 yet, and hotline asks for them: the weekly hours go on"


def test_a_year_nobody_knows_is_told_two_months_ahead() -> None:
    assert told(flow(), "2026-10-31") == []
    assert told(flow(), "2026-11-02") == [f"hotline.yaml:10:7: {UNKNOWN}"]
    assert told(flow(), "2027-05-01") == [f"hotline.yaml:10:7: {UNKNOWN}"]
    assert told(flow(asks=False), "2027-05-01") == []


def test_flows_that_ask_for_the_same_are_told_of_together() -> None:
    (notice,) = calendar_notices([flow(), replace(flow(), id="second")], date(2027, 5, 1))
    assert "2 flows ask for them" in notice.message


def test_a_holiday_file_that_knows_the_year_answers_it() -> None:
    own = replace(read_calendar(GOOD, "holidays.yaml"), years=(2004, 2026))
    assert told(flow(own), "2026-12-31") == []
    assert told(flow(own), "2027-10-31") == []
    assert unknown_year(own, date(2027, 12, 1)) == 2028
    assert told(flow(replace(own, until=date(2027, 6, 1))), "2027-05-01") == [f"hotline.yaml:10:7: {UNKNOWN}"]


def test_a_holiday_file_that_is_over_says_so() -> None:
    own = replace(read_calendar(GOOD, "holidays.yaml"), years=(2004, 2030))
    assert told(flow(own), "2027-12-31") == []
    over = "the holiday file ended on 2027-12-31; the published holidays count alone"
    assert told(flow(own), "2028-01-01") == [f"holidays.yaml:1:1: {over}"]
    assert told(flow(own, asks=False), "2028-01-01") == [f"holidays.yaml:1:1: {over}"]


def test_a_broken_holiday_file_says_so() -> None:
    broken = read_calendar("until: soon\nreason: r\n", "holidays.yaml")
    assert told(flow(broken), "2026-06-01") == [
        "holidays.yaml:1:8: the holiday file is not used: 'soon' is no date; the published holidays count alone"
    ]


def test_a_service_says_each_thing_once() -> None:
    watch = CalendarWatch([flow()])
    assert watch.news(date(2026, 6, 1)) == []
    assert len(watch.news(date(2026, 11, 20))) == 1
    assert watch.news(date(2026, 11, 20)) == []
    assert watch.news(date(2027, 1, 1)) == []


def test_today_is_the_flows_own_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivrflow.calendar_notices._today", lambda _zone: date(2027, 5, 1))
    assert len(calendar_notices([flow()])) == 1
