"""Scores, messages and agents, as they were noted; and that they go with their call, unless somebody still waits."""

import sqlite3
from pathlib import Path

import pytest
from callback_journal import NUMBER, ORDERED_AT, order
from journalled_calls import silent_flow

from ivrflow.engine import messages as m
from ivrflow.runtime.journal import Journal
from ivrflow.runtime.journal_callbacks import CallbackBook
from ivrflow.runtime.journal_reader import MASK, JournalReader, mask_action, mask_event
from ivrflow.runtime.journal_retention import purge
from ivrflow.runtime.journal_store import JournalStore

DAY = 86_400.0


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    moments = iter(range(100))
    journal = Journal(url, now=lambda: ORDERED_AT + next(moments))
    journal.open()
    for call, flow in (("pbx-1.1", "gov12345"), ("pbx-1.2", "another")):
        record = journal.call_arrived(call, silent_flow(flow_id=flow), ORDERED_AT)
        arrived = m.CallArrived(number="12345", arrived_at=ORDERED_AT, caller=NUMBER)
        record.handled(0.0, arrived, [m.Ring(ticket=9, extension="1001", seconds=20.0)])
        record.handled(1.0, m.KeyPressed(key="3"), [m.NoteScore(survey="service", score=3, most=5)])
        record.handled(2.0, m.KeyPressed(key="5"), [m.NoteScore(survey="service", score=5, most=5)])
        record.handled(3.0, m.KeyPressed(key="1"), [m.KeepMessage(ticket=4, about="office", seconds=12.5)])
        if call == "pbx-1.1":
            record.handled(4.0, m.KeyPressed(key="2"), [order()])
        record.over("done", "caller", (), ())
    journal.close()
    return url


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    database = sqlite3.connect(url.removeprefix("sqlite:///"))
    found = database.execute(query).fetchall()
    database.close()
    return found


def test_the_last_score_of_a_survey_counts(url: str) -> None:
    first, second = rows(url, "SELECT call, survey, score, most, noted_at FROM scores ORDER BY call")
    assert first == ("pbx-1.1", "service", 5, 5, ORDERED_AT + 2)
    assert second[:4] == ("pbx-1.2", "service", 5, 5)


def test_a_message_is_noted_with_its_box_and_length(url: str) -> None:
    first, second = rows(url, "SELECT call, ticket, box, seconds, kept_at FROM messages ORDER BY call")
    assert first == ("pbx-1.1", 4, "office", 12.5, ORDERED_AT + 3)
    assert second[:4] == ("pbx-1.2", 4, "office", 12.5)


def test_all_of_it_goes_with_its_call_and_who_waits_keeps_it(url: str) -> None:
    connection = JournalStore(url).connection()
    assert purge(connection, 1, ORDERED_AT + 30 * DAY) == 1, "somebody is still to be called back"
    assert [call.call for call in JournalReader(url).calls()] == ["pbx-1.1"]
    book = CallbackBook(url)
    (waiting,) = book.listed()
    assert book.claim(waiting, call="out-1", now=ORDERED_AT + 60, until=ORDERED_AT + 100)
    assert purge(connection, 1, ORDERED_AT + 30 * DAY) == 0, "he is being rung"
    book.came_of(waiting.id, call="out-1", outcome="answered", now=ORDERED_AT + 70)
    assert purge(connection, 1, ORDERED_AT + 30 * DAY) == 1
    assert book.listed() == []
    book.close()
    connection.close()
    tables = ("calls", "agent_legs", "scores", "messages", "callbacks", "callback_tries", "promises")
    assert [rows(url, f"SELECT count(*) FROM {table}") for table in tables] == [[(0,)]] * 7


def test_numbers_and_values_are_masked() -> None:
    masked = mask_action(order())
    assert isinstance(masked, m.OrderCallback)
    assert (masked.caller, masked.values) == (MASK * 3, {"surname": MASK * 3})
    asked = mask_action(m.Enquire(1, "http://x", {"case_number": "4711"}, ("state",), 3.0))
    assert isinstance(asked, m.Enquire)
    assert asked.values == {"case_number": MASK * 3}
    answered = mask_event(m.AnswerReceived(1, values={"name": "欧阳"}))
    assert isinstance(answered, m.AnswerReceived)
    assert answered.values == {"name": MASK * 3}
