"""Choosing by local time, through the session; the choice itself is tested with the calendar."""

from datetime import UTC, datetime, timedelta, timezone

from driven_call import DrivenCall, call
from small_flows import climb, flow, hours, listening, rung, say, window

TUESDAY_EVENING = datetime(2023, 11, 14, 21, 59, tzinfo=UTC).timestamp()


def arriving(at: float, zone_hours: int = 0) -> DrivenCall:
    by_hours = flow(
        hours("h", window(range(5), 6 * 60, 22 * 60, "good day", then="day"), otherwise="night"),
        say("day", "day"),
        say("night", "night"),
        timezone=timezone(timedelta(hours=zone_hours)),
    )
    return DrivenCall(by_hours, arrived_at=at)


def test_a_window_that_holds_says_its_words_and_leads_on() -> None:
    assert arriving(TUESDAY_EVENING).answered().silence(60).says == ["good day", "day"]


def test_otherwise_it_leads_on_without_a_word() -> None:
    assert arriving(TUESDAY_EVENING + 60).answered().silence(60).says == ["night"]


def test_local_time_is_the_flows_own() -> None:
    assert arriving(TUESDAY_EVENING, 1).answered().silence(60).says == ["night"]
    assert arriving(TUESDAY_EVENING + 60, -1).answered().silence(60).says == ["good day", "day"]


def test_the_time_that_counts_is_now_not_the_arrival() -> None:
    late = arriving(TUESDAY_EVENING + 55)
    late.now += 6.0
    assert late.answered().silence(60).says == ["night"]


def test_what_is_said_during_the_words_of_a_window_is_no_answer_to_the_step_behind_it() -> None:
    listens = listening(speech="day")
    asked = flow(
        hours("h", window(range(7), 0, 1440, "good day", then="ask")),
        climb("ask", rung("hello", 3.0), listens=listens),
        say("day", "day"),
    )
    quiet = call(asked).remark(0.2).prompt_ends().prompt_ends()
    assert (quiet.session.step, quiet.waits_for) == ("ask", 3.0)
