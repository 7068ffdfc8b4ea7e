from dataclasses import replace
from datetime import UTC, datetime

from placing_flows import HERE, placing_flow

from ivrflow.engine.hindrance import NOT_ALLOWED, QUIET_HOURS, hindrance
from ivrflow.flow.model import Quiet

NOON = datetime(2026, 11, 20, 12, 45, tzinfo=UTC).timestamp()
RESTS = Quiet(12 * 60 + 30, 14 * 60, HERE)


def test_nothing_hinders_an_allowed_call_at_a_good_hour() -> None:
    assert hindrance(placing_flow(), "1002", NOON) is None


def test_the_hour_hinders_until_it_is_over() -> None:
    found = hindrance(placing_flow(quiet=(RESTS,)), "1002", NOON)
    assert found is not None
    assert found.outcome == QUIET_HOURS
    assert str(found) == "quiet hours until 2026-11-20 14:00"
    assert found.again_at == datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


def test_a_number_that_is_not_listed_is_never_rung_and_never_named() -> None:
    found = hindrance(placing_flow(), "20017", NOON)
    assert found is not None
    assert (found.outcome, found.again_at) == (NOT_ALLOWED, None)
    assert "20017" not in found.why


def test_a_flow_that_is_only_rung() -> None:
    found = hindrance(replace(placing_flow(), places_calls=None), "1002", NOON)
    assert found is not None
    assert found.outcome == NOT_ALLOWED
    assert found.why.endswith("places no calls")
