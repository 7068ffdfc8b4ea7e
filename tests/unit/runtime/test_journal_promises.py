"""Promises in the journal, and what people note about them."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from promised_calls import HOUR, MADE_AT, note, promised

from ivrflow.runtime.journal import Journal
from ivrflow.runtime.journal_promises import NoSuchPromiseError, PromiseBook, PromiseSettledError
from ivrflow.runtime.journal_retention import purge
from ivrflow.runtime.journal_store import JournalStore
from ivrflow.settings import SettingsError

DUE = MADE_AT + 24 * HOUR


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/journal.sqlite"


@pytest.fixture
def book(url: str) -> Iterator[PromiseBook]:
    """Three calls: one promise, two promises, and one that repeats on a call whose engine died."""
    journal = Journal(url)
    journal.open()
    promised(journal, "pbx-1.1", [note()])
    promised(journal, "pbx-1.2", [note(due_at=MADE_AT + 2 * HOUR), note(2, about="complaint", owed_by="manager")])
    promised(journal, "pbx-2.1", [note(repeats_h=24.0, about="complaint")], is_over=False)
    journal.close()
    made = PromiseBook(url)
    yield made
    made.close()


def ids(book: PromiseBook, **which: object) -> list[str]:
    return [one.id for one in book.owed(**which)]  # type: ignore[arg-type]  # the book's own parameters


def test_what_is_owed_stands_in_the_order_of_its_due_times(book: PromiseBook) -> None:
    assert ids(book) == ["pbx-1.2/1", "pbx-1.1/1", "pbx-1.2/2", "pbx-2.1/1"]
    assert ids(book, due_by=MADE_AT + 3 * HOUR) == ["pbx-1.2/1"]
    assert ids(book, flow="other") == []
    first = book.owed()[1]
    assert (first.call, first.flow, first.rule, first.about) == ("pbx-1.1", "gov12345", "gov12345/later", "enquiry")
    assert (first.made_at, first.due_at, first.counted, first.owed_by) == (MADE_AT, DUE, "24 h", "agent")


def test_a_promise_outlives_an_engine_that_dies_in_the_call(book: PromiseBook) -> None:
    assert "pbx-2.1/1" in ids(book)


def test_past_due_and_open_is_broken(book: PromiseBook) -> None:
    one = book.owed()[1]
    assert (one.state(DUE - 1), one.state(DUE), one.state(DUE + 1)) == ("open", "open", "broken")


def test_kept_in_time_and_kept_late(book: PromiseBook) -> None:
    kept, following = book.keep("pbx-1.1/1", at=DUE, by="li", satisfied=True)
    assert (kept.state(DUE + 99), kept.kept_by, kept.satisfied, following) == ("kept", "li", True, None)
    late, _ = book.keep("pbx-1.2/1", at=MADE_AT + 2 * HOUR + 1, by="li")
    assert (late.state(DUE), late.satisfied) == ("kept late", None)
    assert "pbx-1.1/1" not in ids(book)
    stored = {one.id: one for one in book.owed(with_settled=True)}
    assert stored["pbx-1.1/1"] == kept


def test_what_the_person_said_may_be_added_later_and_nothing_else(book: PromiseBook) -> None:
    book.keep("pbx-1.1/1", at=DUE, by="li")
    with pytest.raises(
        PromiseSettledError, match=r"pbx-1.1/1 is kept already, says li; --satisfied can still be added"
    ):
        book.keep("pbx-1.1/1", at=DUE, by="wang")
    told, _ = book.keep("pbx-1.1/1", at=DUE + 9, by="wang", satisfied=False)
    assert (told.satisfied, told.kept_at, told.kept_by) == (False, DUE, "li")


def test_nothing_is_kept_before_it_was_made(book: PromiseBook) -> None:
    with pytest.raises(PromiseSettledError, match=r"pbx-1.1/1 was made only after that moment"):
        book.keep("pbx-1.1/1", at=MADE_AT - 1, by="li")


def test_what_repeats_is_owed_again_until_the_matter_is_closed(book: PromiseBook) -> None:
    _, second = book.keep("pbx-2.1/1", at=MADE_AT + HOUR, by="li")
    assert second is not None
    assert (second.id, second.matter, second.due_at) == ("pbx-2.1/1.2", "pbx-2.1/1", MADE_AT + 25 * HOUR)
    assert (second.counted, second.made_at) == ("24 h after the last time", MADE_AT + HOUR)
    _, third = book.keep("pbx-2.1/1.2", at=MADE_AT + 25 * HOUR, by="li")
    assert third is not None
    assert third.id == "pbx-2.1/1.3"
    _, nothing = book.keep("pbx-2.1", at=MADE_AT + 26 * HOUR, by="li", is_closed=True)
    assert nothing is None
    assert not [name for name in ids(book) if name.startswith("pbx-2")]


def test_somebody_else_goes_on_once(url: str) -> None:
    journal = Journal(url)
    journal.open()
    promised(journal, "c", [note(then_h=2.0, then_owed_by="manager")])
    journal.close()
    book = PromiseBook(url)
    _, following = book.keep("c", at=MADE_AT + HOUR, by="li")
    assert following is not None
    assert (following.owed_by, following.due_at) == ("manager", MADE_AT + 3 * HOUR)
    assert following.counted == "2 h after the part of agent was kept"
    assert book.keep("c", at=MADE_AT + 2 * HOUR, by="li")[1] is None
    book.close()


def test_dropped_is_neither_kept_nor_broken(book: PromiseBook) -> None:
    dropped = book.drop("pbx-1.1/1", at=MADE_AT + 5, by="li", why="taken back")
    assert dropped.state(DUE + 1) == "dropped"
    with pytest.raises(PromiseSettledError, match=r"pbx-1.1/1 was dropped: taken back"):
        book.keep("pbx-1.1/1", at=DUE, by="li")
    with pytest.raises(PromiseSettledError, match="is dropped already"):
        book.drop("pbx-1.1/1", at=DUE, by="li", why="again")


def test_the_beginning_of_an_id_is_enough_when_one_open_promise_is_meant(book: PromiseBook) -> None:
    with pytest.raises(NoSuchPromiseError) as several:
        book.keep("pbx-1.", at=DUE, by="li")
    assert str(several.value) == (
        "'pbx-1.' is the beginning of several promises: pbx-1.1/1, pbx-1.2/1, pbx-1.2/2; write one more character"
    )
    assert book.keep("pbx-1.1", at=DUE, by="li")[0].id == "pbx-1.1/1"
    book.keep("pbx-1.2/2", at=DUE, by="li")
    assert book.keep("pbx-1.2", at=DUE, by="li")[0].id == "pbx-1.2/1", "the other one is settled"
    for wanted, says in (
        ("pbx-9", "no promise is called 'pbx-9'"),
        ("", "no promise is named"),
        ("PBX", "called 'PBX'"),
    ):
        with pytest.raises(NoSuchPromiseError, match=says):
            book.drop(wanted, at=DUE, by="li", why="x")


def test_a_call_that_gave_the_answer_must_be_one(book: PromiseBook) -> None:
    with pytest.raises(NoSuchPromiseError, match="no call is called 'pbx-7'"):
        book.keep("pbx-1.1/1", at=DUE, by="li", call="pbx-7")
    assert book.keep("pbx-1.1/1", at=DUE, by="li", call="pbx-1.2")[0].kept_by_call == "pbx-1.2"


def test_tags_of_a_promise_and_of_its_call(book: PromiseBook) -> None:
    assert book.tag("pbx-1.2/2", ["repeat", "key_account"]) == "pbx-1.2/2"
    assert book.tag("pbx-1.2", ["cross_province"]) == "pbx-1.2"
    assert book.tag("pbx-1.2/2", ["repeat"]) == "pbx-1.2/2", "once is enough"
    tagged = {one.id: one.tags for one in book.owed()}
    assert tagged["pbx-1.2/2"] == ("cross_province", "key_account", "repeat")
    assert tagged["pbx-1.2/1"] == ("cross_province",)
    book.tag("pbx-1.2/2", ["repeat"], is_removed=True)
    assert {one.id: one.tags for one in book.owed()}["pbx-1.2/2"] == ("cross_province", "key_account")


def test_a_promise_put_forward_keeps_what_was_noted(url: str) -> None:
    journal = Journal(url)
    journal.open()
    promised(journal, "c", [note(), note(due_at=MADE_AT + HOUR, counted="1 h")])
    journal.close()
    book = PromiseBook(url)
    (one,) = book.owed()
    assert (one.due_at, one.counted, one.made_at) == (MADE_AT + HOUR, "1 h", MADE_AT)
    book.close()


def test_a_call_is_not_forgotten_while_something_is_owed(book: PromiseBook, url: str) -> None:
    connection = JournalStore(url).connection()
    assert purge(connection, 0.5, MADE_AT + 20 * HOUR) == 0, "two are due later, and so are the others' second ones"
    book.keep("pbx-1.1/1", at=MADE_AT, by="li")
    book.tag("pbx-1.1", ["repeat"])
    assert purge(connection, 0.5, MADE_AT + 20 * HOUR) == 1
    assert purge(connection, 0.5, MADE_AT + 30 * HOUR) == 2, "what is broken does not keep personal data for ever"
    connection.close()
    database = sqlite3.connect(url.removeprefix("sqlite:///"))
    left = [
        database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("promises", "tags", "call_figures")
    ]
    database.close()
    assert left == [0, 0, 0]


def test_no_journal_and_an_older_one_are_told(tmp_path: Path, book: PromiseBook, url: str) -> None:
    with pytest.raises(SettingsError, match="there is no journal at"):
        PromiseBook(f"sqlite:///{tmp_path}/none.sqlite")
    database = sqlite3.connect(url.removeprefix("sqlite:///"))
    database.execute("UPDATE journal_layout SET version = 1")
    database.commit()
    database.close()
    with pytest.raises(SettingsError, match=r"written by an earlier version of ivrflow \(layout 1, this needs 3\)"):
        book.owed()
