"""What the journal knows of callbacks: read, claimed once, settled once, found by the beginning of an id."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from callback_journal import NUMBER, ORDERED_AT, order, ordered, placing_flow

from ivrflow.engine import messages as m
from ivrflow.runtime.journal import Journal
from ivrflow.runtime.journal_callbacks import (
    ANSWERED,
    CallbackBook,
    CallbackSettledError,
    NoSuchCallbackError,
    StoredCallback,
)
from ivrflow.runtime.journal_promises import PromiseBook
from ivrflow.settings import SettingsError

ID = "pbx-1.1/callback-1"


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    ordered(url, "pbx-1.1", order())
    return url


@pytest.fixture
def book(url: str) -> Iterator[CallbackBook]:
    book = CallbackBook(url)
    yield book
    book.close()


def the(book: CallbackBook) -> StoredCallback:
    (found,) = book.listed()
    return found


def test_the_engine_leaves_a_callback_and_the_promise_that_it_is(book: CallbackBook, url: str) -> None:
    callback = the(book)
    assert (callback.id, callback.call, callback.flow, callback.caller) == (ID, "pbx-1.1", "back", NUMBER)
    assert (callback.state, callback.next_at, callback.values) == ("waiting", ORDERED_AT + 60, {"surname": "欧阳"})
    assert NUMBER not in repr(callback)
    assert "欧阳" not in repr(callback)
    promises = PromiseBook(url)
    (promise,) = promises.owed()
    promises.close()
    assert (promise.id, promise.about, promise.due_at, promise.counted) == (
        ID,
        "callback",
        ORDERED_AT + 7200,
        "called back within 2 h",
    )


def test_a_try_belongs_to_one(book: CallbackBook, url: str) -> None:
    callback, other = the(book), CallbackBook(url)
    claims = [
        one.claim(callback, call=f"out-{n}", now=ORDERED_AT + 60, until=ORDERED_AT + 100)
        for n, one in enumerate((book, other))
    ]
    other.close()
    assert claims == [True, False]
    assert [one.call for one in the(book).made] == ["out-0"]
    assert the(book).next_at == ORDERED_AT + 100


def test_what_was_read_before_another_try_is_no_claim(book: CallbackBook) -> None:
    before = the(book)
    assert book.claim(before, call="out-1", now=ORDERED_AT + 60, until=ORDERED_AT + 100)
    book.came_of(ID, call="out-1", outcome="busy", now=ORDERED_AT + 70)
    assert the(book).state == "waiting"
    assert not book.claim(before, call="out-2", now=ORDERED_AT + 71, until=ORDERED_AT + 110)


def test_the_same_news_twice_changes_nothing(book: CallbackBook) -> None:
    book.claim(the(book), call="out-1", now=ORDERED_AT + 60, until=ORDERED_AT + 100)
    book.came_of(ID, call="out-1", outcome="busy", now=ORDERED_AT + 70)
    stands = book.came_of(ID, call="out-1", outcome=ANSWERED, now=ORDERED_AT + 80)
    assert stands == the(book)
    assert [one.outcome for one in the(book).made] == ["busy"]
    assert book.came_of("gone/callback-1", call="out-1", outcome="busy", now=0.0) is None


@pytest.mark.parametrize(
    ("happened", "over", "expected"),
    [
        ([m.CallOrdered(caller=NUMBER, arrived_at=0.0)], "", "interrupted"),
        ([m.CallOrdered(caller=NUMBER, arrived_at=0.0), m.CallAnswered()], "", "answered"),
        ([m.CallOrdered(caller=NUMBER, arrived_at=0.0), m.CallNotAnswered(why="busy")], "busy", "busy"),
        ([m.CallOrdered(caller=NUMBER, arrived_at=0.0)], "cancelled", "interrupted"),
        ([], "", "interrupted"),
    ],
)
def test_what_became_of_a_dead_engines_try_stands_in_the_journal(
    book: CallbackBook, url: str, happened: list[m.CallEvent], over: str, expected: str
) -> None:
    book.claim(the(book), call="out-1", now=ORDERED_AT + 60, until=ORDERED_AT + 100)
    journal = Journal(url)
    journal.open()
    record = journal.call_arrived("out-1", placing_flow(), ORDERED_AT + 60)
    for event in happened:
        record.handled(1.0, event, [])
    if over:
        record.over(over, "", (), ())
    journal.close()
    assert book.recall(the(book)) == ("out-1", expected)


def test_a_callback_by_its_beginning(book: CallbackBook, url: str) -> None:
    ordered(url, "pbx-1.12", order(), order(2, due_at=ORDERED_AT + 10))
    with pytest.raises(
        NoSuchCallbackError, match=r"'pbx-1\.1' is the beginning of several callbacks: pbx-1\.1/callback-1"
    ):
        book.cancel("pbx-1.1", at=ORDERED_AT, by="li", why="x")
    with pytest.raises(
        NoSuchCallbackError, match="no callback is called 'nothing'; `ivrflow callbacks --all` lists them"
    ):
        book.cancel("nothing", at=ORDERED_AT, by="li", why="x")
    with pytest.raises(NoSuchCallbackError, match="no callback is named"):
        book.cancel("", at=ORDERED_AT, by="li", why="x")
    assert book.cancel(ID, at=ORDERED_AT, by="li", why="x").id == ID
    assert [one.id for one in book.listed(("waiting",))] == ["pbx-1.12/callback-2", "pbx-1.12/callback-1"]
    assert book.listed(flow="another") == []
    with pytest.raises(CallbackSettledError, match=r"pbx-1\.1/callback-1 is cancelled already"):
        book.cancel(ID, at=ORDERED_AT, by="li", why="x")


def test_no_journal_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no journal at"):
        CallbackBook(f"sqlite:///{tmp_path}/none.sqlite")
