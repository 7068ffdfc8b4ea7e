"""The house's own file of days off and moved working days, `holidays.yaml` beside the flows.

It wins over the published table where it speaks, up to the day its `until` names. A file with errors is not used at all:
half a list of holidays would be worse than none. Calls go on either way.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import PurePosixPath
from typing import Literal

from ivrflow.flow.days import HOLIDAYS, TABLE_YEARS, Calendar, OwnDay
from ivrflow.flow.problems import FlowError, ProblemList, near_word
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import Form, FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import TEXT, Kind, from_text, wrong
from ivrflow.flow.reading.source import Items, Node, Table, Text, parse
from ivrflow.flow.reading.syntax import shortened
from ivrflow.flow.reading.times import holiday_name

HOLIDAY_FILE = "holidays"
"""The file's name without its ending."""

TABLE_FILE = "holidays.table"
"""Stands among a flow's files for the published table: which years it knew when the flow was compiled."""

MOST_PROBLEMS = 50
LONGEST_RANGE = 31
"""Days one entry may span."""


def is_holiday_file(file: str) -> bool:
    """Whether a file of this name says what kind of day dates are, and is neither flow nor standard."""
    path = PurePosixPath(file.replace("\\", "/"))
    return path.name == TABLE_FILE or (path.stem == HOLIDAY_FILE and path.parent.name != "standards")


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_NO_DATE = date.min
_SEPARATED = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", flags=re.ASCII)


def _read_date(text: Text, problems: ProblemList) -> date | None:
    hit = _SEPARATED.fullmatch(unicodedata.normalize("NFKC", text.text))
    if hit is None:
        message, hint = f"'{shortened(text.text)}' is no date", "write year, month and day: 2027-02-06"
    else:
        year, month, day = (int(part) for part in hit.groups())
        try:
            found = date(year, month, day)
        except ValueError:
            message, hint = f"there is no {shortened(text.text)}", "the month has no such day; look at the notice again"
        else:
            if found.isoformat() == text.text:
                return found
            message, hint = f"'{shortened(text.text)}' is no date", f"write {found.isoformat()}"
    problems.error(text.where, message, hint)
    return None


def _read_name(text: Text, problems: ProblemList) -> str | None:
    if name := holiday_name(text.text):
        return name
    near = near_word(text.text, HOLIDAYS)
    known = ", ".join(HOLIDAYS)
    hint = f"did you mean '{near}'?" if near else f"write one of {known}, or leave 'name' out"
    problems.error(text.where, f"'{shortened(text.text)}' is no public holiday", hint)
    return None


DATE = from_text("a date", "2027-02-06", _NO_DATE, _read_date, schema=js.only_text_like("[0-9]{4}-[0-9]{2}-[0-9]{2}"))
HOLIDAY = from_text("a public holiday", "spring_festival", "", _read_name)

ON = Key("on", DATE, "the day")
FROM = Key("from", DATE, "the first of several days")
TO = Key("to", DATE, "the last of them", example="2027-02-12")
NAME = Key("name", HOLIDAY, "which public holiday, in English or Chinese; without it a day off that belongs to none")
REASON = Key("reason", TEXT, "why; without it the file's own reason", example='"the office moves"')
DAY_OFF_SPEC = FormSpec("a day off", (ON, FROM, TO, NAME, REASON))
MOVED_SPEC = FormSpec("a working day", (ON, FROM, TO, REASON))
_DAY_OFF = form_kind(DAY_OFF_SPEC, "{from: 2027-02-06, to: 2027-02-12, name: spring_festival}")
_MOVED = form_kind(MOVED_SPEC, "{on: 2027-02-14}")


def _list_of(kind: Kind[Form], what: str) -> Kind[tuple[Form, ...]]:
    def read(node: Node, problems: ProblemList) -> tuple[Form, ...] | None:
        if not isinstance(node, Items):
            wrong(node, what, f"- {kind.example}", problems)
            return None
        forms = [kind.read(item, problems) for item in node.items]
        return tuple(form for form in forms if form is not None)

    return Kind(what, f"[{kind.example}]", (), read, schema=js.list_of(kind.schema))


UNTIL = Key("until", DATE, "the last day on which this file counts", required=True, example="2027-12-31")
WHY = Key("reason", TEXT, "who says so", required=True, example='"国务院办公厅 2027 年放假通知"')
DAYS_OFF = Key("days_off", _list_of(_DAY_OFF, "a list of days off"), "days on which the public is off")
WORKDAYS = Key(
    "workdays", _list_of(_MOVED, "a list of working days"), "days that are worked, whatever weekday they are"
)
HOLIDAY_SPEC = FormSpec("a holiday file", (UNTIL, WHY, DAYS_OFF, WORKDAYS))

# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_calendar(text: str, file: str, years: tuple[int, int] = TABLE_YEARS) -> Calendar:
    """The calendar with the days of a holiday file; without them when there is an error in it (`problems`)."""
    problems = ProblemList(most=MOST_PROBLEMS)
    calendar = Calendar(file=file, years=years)
    try:
        node = parse(text, file, problems)
        if isinstance(node, Table):
            calendar = _read(node, calendar, problems)
        elif node is not None:
            wrong(node, "a holiday file", "until: 2027-12-31", problems)
    except FlowError as error:
        return Calendar(file=file, problems=error.problems, years=years)
    found = tuple(sorted(set(problems.problems)))
    if problems.errors:
        return Calendar(file=file, problems=found, years=years)
    return replace(calendar, problems=found)


def _read(node: Table, calendar: Calendar, problems: ProblemList) -> Calendar:
    form = HOLIDAY_SPEC.read(node, node.where, problems)
    until = form[UNTIL]
    own: dict[date, OwnDay] = {}
    for key in (DAYS_OFF, WORKDAYS):
        for entry in form[key]:
            kind: Literal["workday", "holiday"] = "holiday" if key is DAYS_OFF else "workday"
            day = OwnDay(kind, entry.where, entry[NAME], entry[REASON] or form[WHY])
            for each in _dates(entry, problems):
                if (other := own.get(each)) is not None:
                    message = f"{each} is there already, in line {other.where.line}"
                    problems.error(entry.where, message, "a day is off or worked, once; delete one of them")
                    break
                own[each] = day
                if until != _NO_DATE and each > until:
                    message = f"{each} is after the day on which this file ends, {until}"
                    problems.error(entry.where, message, "write a later until:, or delete the day")
                    break
    return replace(calendar, own=own, until=until, until_where=form.place(UNTIL))


def _dates(entry: Form, problems: ProblemList) -> Iterator[date]:
    """The dates an entry speaks of."""
    written = {key.name for key in (ON, FROM, TO) if entry.wrote(key)}
    if written not in ({"on"}, {"from", "to"}):
        hint = "write on: and a date, or from: and to:"
        problems.error(entry.where, "which days are meant is not clear", hint)
        return
    if not written <= set(entry.values):
        return  # noted already: a date could not be read
    first, last = (entry[ON], entry[ON]) if written == {"on"} else (entry[FROM], entry[TO])
    length = (last - first).days + 1
    if length < 1:
        problems.error(entry.place(TO), f"{last} is before {first}", f"write from: {last}, to: {first}")
    elif length > LONGEST_RANGE:
        message = f"from {first} to {last} are {length} days; at most {LONGEST_RANGE} are read"
        problems.error(entry.place(TO), message, "look at the year and the month again")
    else:
        yield from (first + timedelta(days=number) for number in range(length))


def table_years(text: str | None) -> tuple[int, int]:
    """The years the published table is believed for: those it knew when the flow was first compiled, if that is known."""
    hit = re.fullmatch(r"(\d{4})-(\d{4})\s*", text or "", flags=re.ASCII)
    if hit is None:
        return TABLE_YEARS
    return max(int(hit[1]), TABLE_YEARS[0]), min(int(hit[2]), TABLE_YEARS[1])


def table_text(years: tuple[int, int]) -> str:
    """How `table_years` are kept among a flow's files."""
    return f"{years[0]}-{years[1]}\n"
