"""A journal of an earlier version is brought up to date, with what its calls can still tell."""

import sqlite3
from pathlib import Path

import pytest
from journalled_calls import silent_flow

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.runtime.journal import Journal
from ivrflow.runtime.journal_promises import PromiseBook
from ivrflow.runtime.journal_tables import LAYOUT

NEW_IN_3 = ("agent_legs", "scores", "messages", "callbacks", "callback_tries")


def told_call(url: str) -> None:
    """A call of the days of layout 2: an extension rung, an agent who kept the caller on hold, a promise."""
    journal = Journal(url)
    journal.open()
    record = journal.call_arrived("pbx-1.1", silent_flow(), 1_790_000_000.0)
    record.handled(100.0, m.CallArrived(number="12345", arrived_at=1_790_000_000.0), [m.Answer()])
    record.handled(105.0, m.PromptEnded(ticket=1), [m.Ring(ticket=2, extension="1001", seconds=20.0)])
    record.handled(112.0, m.AgentAnswered(ticket=2), [m.Bridge(ticket=2)])
    promise = m.NotePromise(1, "gov12345/later", "enquiry", 1_790_000_000.0, 1_790_003_600.0, "1 h")
    record.handled(130.0, m.TaskDone(ticket=3), [promise])
    record.handled(142.0, m.CallerHungUp(), [])
    trace = [
        TraceLine(0.0, Fact.ARRIVED),
        TraceLine(5.0, Fact.RINGING),
        TraceLine(12.0, Fact.AGENT_ANSWERED),
        TraceLine(20.0, Fact.HOLD_BEGUN),
        TraceLine(30.0, Fact.HOLD_OVER, seconds=10.0),
        TraceLine(42.0, Fact.CALLER_HUNG_UP),
    ]
    record.over("caller_hung_up", "caller", trace, ())
    journal.close()


def agents(file: Path) -> list[tuple[object, ...]]:
    database = sqlite3.connect(file)
    found = database.execute("SELECT extension, waited, rang, talked, held FROM agent_legs ORDER BY number").fetchall()
    database.close()
    return found


@pytest.mark.parametrize("version", [1, 2])
def test_an_earlier_journal_tells_its_agents(tmp_path: Path, version: int) -> None:
    file = tmp_path / "journal.sqlite"
    url = f"sqlite:///{file}"
    told_call(url)
    assert agents(file) == [("1001", 7.0, 7.0, 30.0, 10.0)]
    database = sqlite3.connect(file)
    gone = NEW_IN_3 if version == 2 else (*NEW_IN_3, "promises", "tags", "call_figures")
    for table in gone:
        database.execute(f"DROP TABLE {table}")
    if version == 2:
        database.execute("ALTER TABLE promises DROP COLUMN failed_at")
    database.execute(f"UPDATE journal_layout SET version = {version}")
    database.commit()
    database.close()
    journal = Journal(url)
    journal.open()
    journal.close()
    assert agents(file) == [("1001", 7.0, 7.0, 30.0, 10.0)]
    book = PromiseBook(url)
    assert [one.failed_at for one in book.owed()] == [None] * (1 if version == 2 else 0)
    book.close()
    database = sqlite3.connect(file)
    assert database.execute("SELECT version FROM journal_layout").fetchone() == (LAYOUT,)
    database.close()
