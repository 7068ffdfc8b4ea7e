import sqlite3
import time
from pathlib import Path

import pytest
from journalled_calls import silent_call, silent_flow
from sqlalchemy import Connection

from ivrflow.runtime.journal import Journal
from ivrflow.runtime.journal_reader import JournalReader
from ivrflow.runtime.journal_retention import purge
from ivrflow.runtime.journal_store import JournalStore

DAY = 86_400.0


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Calls on day 1 to 6; the first two walked an older version of the flow."""
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    journal = Journal(url)
    journal.open()
    for n in range(1, 7):
        flow = silent_flow("an older title") if n <= 2 else silent_flow()
        silent_call(flow, journal.call_arrived(f"day {n}", flow, n * DAY))
    journal.close()
    return url


@pytest.fixture
def connection(url: str) -> Connection:
    return JournalStore(url).connection()


def counts(url: str) -> dict[str, int]:
    database = sqlite3.connect(url.removeprefix("sqlite:///"))
    tables = ("calls", "happenings", "judgements", "flow_versions", "prompt_catalogues")
    found = {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
    database.close()
    return found


def test_calls_past_their_time_go_with_all_that_belongs_to_them(url: str, connection: Connection) -> None:
    before = counts(url)
    assert purge(connection, older_than_days=3, now=6.5 * DAY) == 3
    assert [call.call for call in JournalReader(url).calls()] == ["day 6", "day 5", "day 4"]
    after = counts(url)
    assert after == {
        "calls": 3,
        "happenings": before["happenings"] // 2,
        "judgements": before["judgements"] // 2,
        "flow_versions": 1,  # nobody refers to the older one any more
        "prompt_catalogues": 1,
    }
    connection.close()


def test_a_flow_version_stays_while_one_call_refers_to_it(url: str, connection: Connection) -> None:
    assert purge(connection, older_than_days=5, now=6.5 * DAY) == 1
    assert counts(url)["flow_versions"] == 2
    assert JournalReader(url).call("day 2").source["callflows/gov12345.yaml"].endswith("an older title\n")
    connection.close()


def test_it_goes_in_small_transactions(url: str, connection: Connection) -> None:
    deleted = [purge(connection, older_than_days=1, now=100 * DAY, at_most=4) for _ in range(3)]
    assert deleted == [4, 2, 0]
    assert set(counts(url).values()) == {0}
    connection.close()


def test_an_engine_keeps_to_it_by_itself_and_goes_on_writing(url: str) -> None:
    journal = Journal(url, keep_days=3, commit_every=0.02)
    journal.open()
    flow = silent_flow("an older title")
    silent_call(flow, journal.call_arrived("yesterday", flow, time.time() - DAY))
    while [call.call for call in JournalReader(url).calls()] != ["yesterday"]:
        assert journal.lost == 0
    silent_call(flow, journal.call_arrived("now", flow, time.time()))
    journal.close()
    assert [call.call for call in JournalReader(url).calls()] == ["now", "yesterday"]
    assert JournalReader(url).call("now").source == flow.source
    assert journal.lost == 0


def test_without_a_keeping_time_nothing_is_deleted(url: str) -> None:
    journal = Journal(url)
    journal.open()
    silent_call(silent_flow(), journal.call_arrived("today", silent_flow(), 90_000 * DAY))
    journal.close()
    assert counts(url)["calls"] == 7
