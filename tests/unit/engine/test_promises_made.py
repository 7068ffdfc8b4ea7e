"""What a call has promised."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from driven_call import ARRIVED_AT, DrivenCall, call
from small_flows import WHERE, climb, flow, ladder, listening, rule, rule_rung, rung

from ivrflow.engine import messages as m
from ivrflow.engine.promises import due, promised, written_due
from ivrflow.engine.trace import Fact
from ivrflow.flow.days import Calendar
from ivrflow.flow.model import CallFlow, Promise, Rule

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar()
HOUR = 3600.0


def promise(**changes: object) -> Promise:
    return replace(Promise(about="enquiry", where=WHERE), **changes)  # type: ignore[arg-type]  # the fields of a promise


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


# ── due times ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_hours_are_real_hours() -> None:
    assert due(promise(hours=24), local("2026-11-20T10:30"), {}, CALENDAR).at == local("2026-11-21T10:30")


def test_hours_pass_also_while_clocks_are_put_forward() -> None:
    made = datetime(2026, 3, 28, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    found = due(promise(hours=24), made, {}, CALENDAR).at
    assert found.timestamp() - made.timestamp() == 24 * HOUR
    assert found.hour == 13


@pytest.mark.parametrize(
    ("made", "days", "due_at"),
    [
        ("2026-11-20T10:00", 3, "2026-11-26T00:00"),  # Friday: Monday, Tuesday, Wednesday
        ("2026-11-16T10:00", 3, "2026-11-20T00:00"),  # Monday: Tuesday, Wednesday, Thursday
        ("2026-11-21T23:59", 1, "2026-11-24T00:00"),  # Saturday: Monday
        ("2026-09-30T09:00", 1, "2026-10-09T00:00"),  # the day before the national holidays
    ],
)
def test_working_days_end_with_the_last_of_them(made: str, days: int, due_at: str) -> None:
    found = due(promise(working_days=days), local(made), {}, CALENDAR)
    assert found.at == local(due_at)
    assert found.counted == f"{days} working day{'s' if days > 1 else ''}"


@pytest.mark.parametrize(
    ("values", "hours", "counted"),
    [
        ({"hours": "4"}, 4, "4 h, named on the call"),
        ({"hours": " ４８ "}, 48, "48 h, named on the call"),
        ({"hours": "0.5"}, 0.5, "0.5 h, named on the call"),
        ({"days": "2"}, 48, "2 days, named on the call"),
        ({"hours": "4", "days": "2"}, 4, "4 h, named on the call"),
        ({"hours": "999"}, 999, "999 h, named on the call"),
        ({}, 24, "24 h, as no time was named on the call"),
        *(
            ({"hours": text}, 24, "24 h, as no time was named on the call")
            for text in ("", "0", "-3", "1000", "999.9", "soon", "1e3", "4h", "nan", "0.0")
        ),
    ],
)
def test_what_the_agent_named_counts(values: Mapping[str, str], hours: float, counted: str) -> None:
    made = local("2026-11-20T10:00")
    found = due(promise(value="hours", days_value="days", or_hours=24.0), made, values, CALENDAR)
    assert found.at.timestamp() - made.timestamp() == hours * HOUR
    assert found.counted == counted


def test_midnight_belongs_to_the_day_that_ends() -> None:
    assert written_due(local("2026-11-26T00:00")) == "Wed 2026-11-25 24:00"
    assert written_due(local("2026-11-26T00:01")) == "Thu 2026-11-26 00:01"


# ── one matter ────────────────────────────────────────────────────────────────────────────────────────────────────────


def noted(one: Promise, rule_id: str, at: str, before: tuple[m.NotePromise, ...] = ()) -> m.NotePromise:
    return promised(one, rule_id, local(at), {}, CALENDAR, before).note


def test_two_rules_about_one_matter_are_one_promise_with_the_earlier_due_time() -> None:
    first = noted(promise(hours=24), "gov/complaint", "2026-11-20T10:00")
    later = promised(promise(hours=48), "gov/closing", local("2026-11-20T10:01"), {}, CALENDAR, (first,))
    assert (later.fact, later.note, later.is_news) == (Fact.PROMISE_JOINED, first, False)
    assert "one matter with gov/complaint: due Sat 2026-11-21 10:00, the earlier of the two (24 h)" in later.told
    sooner = promised(promise(hours=2), "gov/closing", local("2026-11-20T10:01"), {}, CALENDAR, (first,))
    assert sooner.is_news
    assert (sooner.note.number, sooner.note.rule, sooner.note.counted) == (1, "gov/complaint", "2 h")
    assert sooner.note.due_at == local("2026-11-20T12:01").timestamp()
    assert sooner.note.made_at == first.made_at


@pytest.mark.parametrize(
    ("other", "rule_id"),
    [
        (promise(hours=2.0), "gov/complaint"),  # the same rule again: the caller has another question
        (promise(hours=2.0, about="complaint"), "gov/closing"),
        (promise(hours=2.0, owed_by="manager"), "gov/closing"),
        (promise(hours=2.0, repeats=True), "gov/closing"),
        (promise(hours=2.0, then_hours=2.0, then_owed_by="manager"), "gov/closing"),
    ],
)
def test_other_matters_are_promises_of_their_own(other: Promise, rule_id: str) -> None:
    first = noted(promise(hours=24), "gov/complaint", "2026-11-20T10:00")
    second = promised(other, rule_id, local("2026-11-20T10:01"), {}, CALENDAR, (first,))
    assert (second.fact, second.note.number, second.is_news) == (Fact.PROMISE_MADE, 2, True)


# ── on a call ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def promising(name: str, *rungs: object, **changes: object) -> Rule:
    return replace(rule(name, *rungs), promise=promise(**changes))  # type: ignore[arg-type]  # rungs of a rule


LATER = promising(
    "later",
    rule_rung("may we call", leave_on="refusal"),
    rule_rung(task="note number"),
    rule_rung("we will call"),
    hours=24.0,
)
AGREED = promising(
    "agreed", rule_rung("is a day all right", leave_on="consent"), rule_rung(task="note number"), hours=24.0
)
HELPED = promising("helped", rule_rung("what about", leave_on="caller_explains"), hours=24.0)
GOODBYE = promising("goodbye", rule_rung("goodbye"), hours=12.0)
PLAIN = rule("plain", rule_rung("not at all"))


def hotline() -> CallFlow:
    waiting = climb("welcome", rung("hello", 60.0), listens=listening(), used_up="hang_up")
    return flow(waiting, rules=(LATER, AGREED, HELPED, GOODBYE, PLAIN))


def notes(asked: DrivenCall) -> list[m.NotePromise]:
    return [action for action in asked.actions if isinstance(action, m.NotePromise)]


def test_a_ladder_climbed_to_its_end_promises() -> None:
    asked = call(hotline()).prompt_ends().situation("later", 1.0).prompt_ends().silence(400)
    (note,) = notes(asked)
    line = next(line for line in asked.trace if line.fact is Fact.PROMISE_MADE)
    assert (note.number, note.rule, note.about, note.owed_by) == (1, "gov/later", "enquiry", "agent")
    assert note.due_at - note.made_at == 24 * HOUR
    assert note.made_at == pytest.approx(ARRIVED_AT + line.at)
    assert (line.rule, line.seconds) == ("gov/later", 24 * HOUR)
    assert line.detail.startswith("an answer to the enquiry, due Wed 2023-11-15 22:")
    assert line.detail.endswith(" (24 h)")


def test_a_caller_who_refuses_is_promised_nothing() -> None:
    asked = call(hotline()).prompt_ends().situation("later", 1.0).signal("refusal", 0.5).silence(400)
    assert notes(asked) == []
    assert Fact.PROMISE_MADE not in asked.facts


def test_a_caller_who_agrees_is_promised_it_though_rungs_are_left() -> None:
    asked = call(hotline()).prompt_ends().situation("agreed", 1.0).signal("consent", 0.5)
    assert [note.rule for note in notes(asked)] == ["gov/agreed"]


def test_a_caller_who_has_been_helped_meanwhile_is_promised_nothing() -> None:
    asked = call(hotline()).prompt_ends().situation("helped", 1.0).signal("caller_explains", 0.5).silence(60)
    assert notes(asked) == []


def test_a_situation_taken_back_promises_nothing() -> None:
    asked = call(hotline()).prompt_ends().situation("goodbye", 1.0).happens(m.SituationCancelled(), 0.5)
    assert notes(asked) == []


def test_who_hangs_up_during_the_last_words_has_been_promised_it() -> None:
    asked = call(hotline()).prompt_ends().situation("later", 1.0).prompt_ends().silence(0)
    while asked.playing is None or asked.playing.phrase != "we will call":
        asked.time_passes()
    assert [note.rule for note in notes(asked.hangs_up(0.5))] == ["gov/later"]


def test_who_hangs_up_earlier_has_not() -> None:
    assert notes(call(hotline()).prompt_ends().situation("later", 1.0).hangs_up(0.5)) == []
    assert notes(call(hotline()).prompt_ends().situation("goodbye", 1.0).hangs_up(0.5)) == [], "nothing was heard"


def test_rules_about_one_matter_are_noted_once_and_put_forward() -> None:
    asked = call(hotline()).prompt_ends().situation("agreed", 1.0).signal("consent", 0.5).situation("goodbye", 1.0)
    asked.prompt_ends().silence(1)
    first, second = notes(asked)
    assert (first.number, second.number, second.rule, second.counted) == (1, 1, "gov/agreed", "12 h")
    assert second.due_at < first.due_at
    assert Fact.PROMISE_JOINED in asked.facts


def test_a_rule_that_promises_nothing_notes_nothing() -> None:
    assert notes(call(hotline()).prompt_ends().situation("plain", 1.0).prompt_ends()) == []


def test_values_that_became_known_in_time_count() -> None:
    named = promising("named", rule_rung("in so many hours"), value="hours", or_hours=24.0)
    waiting = climb("welcome", rung("hello", 60.0), listens=listening(), used_up="hang_up")
    asked = call(flow(waiting, rules=(named,))).prompt_ends()
    asked.happens(m.ValuesLearned(values={"hours": "4"})).situation("named", 1.0).prompt_ends()
    assert [(note.due_at - note.made_at, note.counted) for note in notes(asked)] == [
        (4 * HOUR, "4 h, named on the call")
    ]


def test_a_step_that_says_only_the_beginning_of_a_rule_promises_nothing() -> None:
    beginning = climb("welcome", rung("may we call", rule="gov/later"), used_up="hang_up")
    asked = call(flow(beginning, rules=(LATER,))).silence(60)
    assert asked.session.is_over
    assert notes(asked) == []


def test_the_last_rung_of_a_rule_promises_also_where_a_step_joins_several() -> None:
    joined = replace(
        climb("welcome", used_up="hang_up"),
        ladder=ladder(rung("goodbye", rule="gov/goodbye"), rung("not at all", rule="gov/plain")),
    )
    assert [note.rule for note in notes(call(flow(joined, rules=(GOODBYE, PLAIN))).silence(60))] == ["gov/goodbye"]


def test_times_are_those_of_the_flow() -> None:
    waiting = climb("welcome", rung("hello", 60.0), listens=listening(), used_up="hang_up")
    days = promising("days", rule_rung("three days"), working_days=3)
    for zone, due_at in ((UTC, "2023-11-18T00:00+00:00"), (SHANGHAI, "2023-11-21T00:00+08:00")):
        asked = call(flow(waiting, rules=(days,), timezone=zone)).prompt_ends().situation("days", 1.0).prompt_ends()
        assert notes(asked)[0].due_at == datetime.fromisoformat(due_at).timestamp()
