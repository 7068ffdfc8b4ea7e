"""Choosing by local time, through the session; the choice itself is tested with the calendar."""

from datetime import UTC, datetime, timedelta, timezone

from driven_call import DrivenCall
from small_flows import flow, hours, say, window

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
