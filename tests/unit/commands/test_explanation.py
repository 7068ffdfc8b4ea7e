"""What is explained is what the engine does; the reasons are the calendar's."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from little_centre import CENTRE

from ivrflow.commands.explanation import Explanation, Way, explain_moment
from ivrflow.flow.model import CallFlow
from ivrflow.flow_files import load_flows

ROOT = Path(__file__).parents[3]
CLINIC = Path("tests/calls/calendar/flows/clinic.yaml")
GOV = Path("callflows/gov12345.yaml")


@pytest.fixture(scope="module")
def flows() -> dict[str, CallFlow]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return {**load_flows([CLINIC]), **load_flows([GOV])}


def explained(flow: CallFlow, at: str) -> Explanation:
    return explain_moment(flow, datetime.fromisoformat(at))


def choices(told: Explanation, what: str) -> list[tuple[bool, str, str]]:
    line = next(line for line in told.meets if line.what.startswith(what))
    return [(choice.holds, choice.times, choice.why) for choice in line.choices]


def way(told: Explanation, when: str) -> Way:
    return next(way for way in told.ways if way.when == when)


def whats(told: Way) -> list[str]:
    return [line.what.partition(" “")[0] for line in told.lines]


def test_a_holiday_with_its_windows_and_wordings(flows: dict[str, CallFlow]) -> None:
    told = explained(flows["clinic"], "2026-10-01T10:30")

    assert (told.day, told.day_from, told.weekday) == (
        "public holiday (national_day 国庆)",
        "the published table of holidays",
        "Thursday",
    )
    today = "a public holiday (national_day 国庆)"
    assert choices(told, "goes to step opening_hours") == [
        (True, "weekends,holidays 10:00-12:00", f"it is 10:30 on {today}")
    ]
    assert choices(told, "says clinic/greeting.festival") == [
        (False, "new_year,spring_festival", f"Thursday, {today}, is none of its days"),
        (True, "holidays", f"it is 10:30 on {today}"),
    ]
    assert told.meets[-1].what == "waits 2s"
    greeting = next(line for line in told.meets if "greeting.festival" in line.what)
    assert (greeting.where, greeting.choices[0].where) == (f"{CLINIC}:12", f"{CLINIC}:11")
    assert "“节日好！”" in greeting.what


def test_why_no_window_holds(flows: dict[str, CallFlow]) -> None:
    told = explained(flows["clinic"], "2026-11-20T12:30")
    today = "a working day"
    assert choices(told, "goes to step opening_hours") == [
        (False, "weekends,holidays 10:00-12:00", f"Friday, {today}, is none of its days"),
        (False, "workdays 08:00-12:00", "12:30 is not before 12:00"),
        (False, "workdays 14:00-18:00", "12:30 is before 14:00"),
        (False, "workdays 22:00-06:00", "12:30 is before 22:00"),
        (True, "otherwise", "no window holds"),
    ]


def test_the_small_hours_belong_to_the_evening_before(flows: dict[str, CallFlow]) -> None:
    told = explained(flows["clinic"], "2026-10-01T03:00")
    assert choices(told, "goes to step opening_hours")[-1] == (
        True,
        "workdays 22:00-06:00",
        "03:00 belongs to the evening before, Wednesday, a working day",
    )


def test_a_day_of_the_house_names_its_line(flows: dict[str, CallFlow]) -> None:
    told = explained(flows["clinic"], "2026-11-23T11:00")
    assert (told.day, told.day_from) == (
        "public holiday (the clinic moves)",
        "tests/calls/calendar/flows/holidays.yaml:4 (the clinic moves)",
    )


def test_a_year_nobody_knows_is_a_warning(flows: dict[str, CallFlow]) -> None:
    told = explained(flows["clinic"], "2095-10-01T10:30")
    assert (told.day, told.day_from) == ("weekend", "the day of the week alone: nobody knows the holidays of this year")
    assert any("nobody knows the public holidays of 2095 yet" in warning for warning in told.warnings)
    assert explained(flows["gov12345"], "2095-10-01T10:30").warnings == ()


def test_what_silence_speech_and_keys_lead_to(flows: dict[str, CallFlow]) -> None:
    told = explained(flows["clinic"], "2026-10-17T10:30")

    assert [way.when for way in told.ways] == ["silence", "speech", "key 0"]
    assert whats(way(told, "silence"))[-2:] == [
        "goes to step hang_up",
        "the call is over: hung_up, ivrflow hung up first",
    ]
    assert "says clinic/silent.ask" in whats(way(told, "silence"))
    assert whats(way(told, "key 0")) == [
        "caller: presses 0",
        "leaves the ladder: key",
        "goes to step goodbye",
        "says clinic/closing.daily",
        "has used up the ladder, then: wait_caller_hangup",
        "waits 5s (for the caller to hang up first)",
    ]


def test_a_call_that_is_over_at_once_has_no_ways(flows: dict[str, CallFlow]) -> None:
    told = explained(flows["gov12345"], "2026-10-01T02:00")
    assert [line.what.partition(" “")[0] for line in told.meets][2:5] == [
        "goes to step opening_hours",
        "goes to step night_welcome",
        "says gov12345/greeting_inbound.standard",
    ]
    assert whats(way(told, "key 0"))[-1] == "rings 1000 for at most 30s"


# ── agents, messages and look-ups ─────────────────────────────────────────────────────────────────────────────────────


def from_step(name: str) -> Explanation:
    return explained(replace(CENTRE, start=name), "2026-11-20T10:00")


def test_a_queue_is_left_by_keys_by_agents_and_by_its_bound() -> None:
    told = from_step("queue")

    assert [way.when for way in told.ways] == [
        "an agent answering",
        "key 1",
        "the agent hanging up",
        "nobody answering within 3m",
        "no agent being logged in, or all pausing",
        "the queue taking nobody else",
    ]
    assert told.meets[-1].what == "waits 10s"
    assert "joins caller and agent" in whats(way(told, "an agent answering"))
    assert "goes to step message" in whats(way(told, "key 1"))
    assert whats(way(told, "nobody answering within 3m")) == ["goes to step message"]


def test_a_look_up_is_answered_late_wrongly_or_not() -> None:
    told = from_step("ask")

    assert [way.when for way in told.ways] == [
        "an answer",
        "an answer that says state open",
        "no answer in time",
        "an answer that cannot be understood",
        "nobody there to ask, or an error",
    ]
    assert "goes to step queue" in whats(way(told, "an answer"))
    assert whats(way(told, "nobody there to ask, or an error")) == ["goes to step bye"]


def test_a_message_is_left_or_not() -> None:
    told = from_step("message")

    assert [way.when for way in told.ways] == ["silence", "a message"]
    assert "goes to step bye" in whats(way(told, "silence"))
    assert whats(way(told, "a message")) == ["goes to step play"]


def test_what_takes_no_time_is_gone_through() -> None:
    told = from_step("keep")

    assert [line.what for line in told.meets][2:5] == [
        "goes to step keep",
        "goes to step score",
        "notes the score, survey: 3 of 5",
    ]
    assert told.ways == ()
