from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ivrflow.report.period import BadPeriodError, period_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)  # already the 21st in Shanghai


def test_the_last_day_belongs_to_it() -> None:
    found = period_of("2026-11-01", "2026-11-30", SHANGHAI, NOW)
    assert str(found) == "2026-11-01 to 2026-11-30"
    assert found.until == datetime(2026, 12, 1, tzinfo=SHANGHAI)
    assert found.is_whole_days
    assert str(period_of("2026-11-05", "2026-11-05", SHANGHAI, NOW)) == "2026-11-05"


def test_without_days_it_is_this_month_so_far_by_the_flows_clock() -> None:
    assert str(period_of(None, None, SHANGHAI, NOW)) == "2026-11-01 to 2026-11-21"


def test_moments() -> None:
    found = period_of("2026-11-01T08:30", "2026-11-01T12:00", SHANGHAI, NOW)
    assert str(found) == "2026-11-01 08:30 to 2026-11-01 12:00"
    assert period_of("2026-11-01T00:00+00:00", "2026-11-02", SHANGHAI, NOW).since.hour == 8


@pytest.mark.parametrize(
    ("begins", "ends", "says"),
    [
        ("yesterday", None, "--from: 'yesterday' is no day; write 2026-11-01, or 2026-11-01T08:30"),
        ("2026-11-01", "2026-11-31", "--to: '2026-11-31' is no day; write 2026-11-01, or 2026-11-01T08:30"),
        (
            "2026-11-30",
            "2026-11-01",
            "it begins with 2026-11-30 and ends with 2026-11-01: write the earlier one as --from",
        ),
        (
            "2026-12-01",
            None,
            "it begins with 2026-12-01 and ends with today, 2026-11-21: write the earlier one as --from",
        ),
    ],
)
def test_what_is_no_period_is_told(begins: str, ends: str | None, says: str) -> None:
    with pytest.raises(BadPeriodError) as told:
        period_of(begins, ends, SHANGHAI, NOW)
    assert str(told.value) == says
