"""Whenever and however something is promised: it is due later, and working days end with a day that is worked."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from ivrflow.engine.messages import NotePromise
from ivrflow.engine.promises import MOST_NAMED, due, promised
from ivrflow.flow.days import Calendar, OwnDay
from ivrflow.flow.model import Promise
from ivrflow.flow.problems import Location

WHERE = Location("x.yaml", 1, 1)
ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/Santiago", "Pacific/Apia", "UTC")]
OWN = Calendar(
    own={date(2026, 11, day): OwnDay("holiday", WHERE) for day in range(2, 14)}
    | {date(2026, 11, 15): OwnDay("workday", WHERE)},
    until=date(2026, 12, 31),
    file="days.yaml",
)

moments = st.builds(
    lambda seconds, zone: datetime.fromtimestamp(seconds, zone),
    st.floats(datetime(2020, 1, 1, tzinfo=UTC).timestamp(), datetime(2040, 1, 1, tzinfo=UTC).timestamp()),
    st.sampled_from(ZONES),
)
calendars = st.sampled_from([Calendar(), OWN])
times = st.one_of(
    st.builds(lambda hours: Promise("enquiry", WHERE, hours=float(hours)), st.integers(1, 999)),
    st.builds(lambda days: Promise("enquiry", WHERE, working_days=days), st.integers(1, 30)),
    st.just(Promise("complaint", WHERE, value="hours", days_value="days", or_hours=24.0)),
)
values = st.dictionaries(
    st.sampled_from(["hours", "days", "topic"]), st.one_of(st.text(max_size=6), st.integers(-5, 2000).map(str))
)


@given(times, moments, values, calendars)
def test_nothing_is_due_before_it_is_promised(
    promise: Promise, made: datetime, known: dict[str, str], calendar: Calendar
) -> None:
    found = due(promise, made, known, calendar)
    assert found.at > made
    assert found.counted
    if promise.working_days is None:
        assert found.at.timestamp() - made.timestamp() <= MOST_NAMED * 24 * 3600 + 1


@given(st.integers(1, 30), moments, calendars)
def test_working_days_end_on_a_day_that_is_worked(days: int, made: datetime, calendar: Calendar) -> None:
    at = due(Promise("enquiry", WHERE, working_days=days), made, {}, calendar).at
    last = at.date() - timedelta(days=1)
    assert (at.hour, at.minute, at.second) == (0, 0, 0)
    assert calendar.on(last).kind == "workday"
    between = [made.date() + timedelta(days=n) for n in range(1, (last - made.date()).days + 1)]
    assert sum(calendar.on(day).kind == "workday" for day in between) == days


@given(st.lists(st.tuples(times, st.sampled_from(["a/one", "a/two", "a/three"])), min_size=1, max_size=6), moments)
def test_a_promise_once_made_is_only_ever_put_forward(made: list[tuple[Promise, str]], began: datetime) -> None:
    stand: dict[int, float] = {}
    notes: dict[int, NotePromise] = {}
    for minute, (promise, rule) in enumerate(made):
        found = promised(promise, rule, began + timedelta(minutes=minute), {}, Calendar(), tuple(notes.values()))
        note = found.note
        assert note.due_at <= stand.get(note.number, float("inf"))
        assert found.is_news == (note.due_at < stand.get(note.number, float("inf")))
        notes[note.number], stand[note.number] = note, note.due_at
    assert sorted(notes) == list(range(1, len(notes) + 1))
