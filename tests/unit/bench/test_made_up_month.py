"""The month of calls that `bench.report` makes up fits the journal's tables."""

from pathlib import Path

from bench.journal import silent_call
from bench.report import report, store


def test_the_made_up_calls_are_all_reported(tmp_path: Path) -> None:
    flow, call = silent_call()
    store(tmp_path / "month.sqlite", flow, call, 60)
    made, _ = report(tmp_path / "month.sqlite", flow)
    assert made.calls == 60
