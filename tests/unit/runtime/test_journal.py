import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from journalled_calls import silent_call, silent_flow
from sqlalchemy import event

from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession
from ivrflow.runtime import journal as journal_module
from ivrflow.runtime import journal_store, journal_tables
from ivrflow.runtime.journal import CallRecord, Journal
from ivrflow.runtime.journal_layout import prepare
from ivrflow.runtime.journal_reader import JournalReader, NoSuchCallError
from ivrflow.settings import SettingsError

FLOW = silent_flow()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "journal.sqlite"


@pytest.fixture
def url(file: Path) -> str:
    return f"sqlite:///{file}"


@contextmanager
def writing(url: str, **options: Any) -> Iterator[Journal]:
    journal = Journal(url, commit_every=options.pop("commit_every", 0.02), **options)
    journal.open()
    try:
        yield journal
    finally:
        journal.close()


def eventually(holds: Callable[[], object], what: str) -> None:
    """Wait for the writer thread, which tells nobody when it is done."""
    give_up = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < give_up, what
        time.sleep(0.005)


def read(url: str) -> JournalReader:
    return JournalReader(url, show_personal=True)


def some_lines(record: CallRecord, count: int, *, first: int = 1) -> None:
    for number in range(first, first + count):
        record.handled(float(number), m.SignalGiven(word="understood"), [])


def numbers(url: str, call: str) -> list[int]:
    try:
        return [happening.number for happening in read(url).call(call).happenings]
    except NoSuchCallError:
        return []


# ── what is kept ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Overheard:
    """Passes everything on to a record and remembers what a replay must find again."""

    def __init__(self, record: CallRecord) -> None:
        self.record = record
        self.heard: list[tuple[float, m.CallEvent, tuple[m.Action, ...]]] = []

    def handled(self, at: float, event: m.CallEvent, actions: Any) -> None:
        self.heard.append((at, event, tuple(actions)))
        self.record.handled(at, event, actions)

    def over(self, *ending: Any) -> None:
        self.record.over(*ending)


def test_a_call_is_found_again_exactly_as_it_was(url: str) -> None:
    with writing(url) as journal:
        overheard = Overheard(journal.call_arrived("pbx-1.1", FLOW, 1_790_000_000.25))
        session = silent_call(FLOW, overheard, began=1 / 3)
    stored = read(url).call("pbx-1.1")
    assert [(line.at, line.event, line.actions) for line in stored.happenings] == overheard.heard
    assert [line.number for line in stored.happenings] == list(range(1, len(overheard.heard) + 1))
    assert stored.trace == tuple(session.trace)
    assert stored.verdicts == session.verdicts
    assert (stored.summary.outcome, stored.summary.ended_by) == ("nobody_spoke", "ivrflow")
    assert stored.summary.arrived_at == 1_790_000_000.25
    assert stored.source == FLOW.source
    assert stored.prompts == FLOW.prompts
    assert stored.missing == 0
    assert journal.lost == 0


def test_a_stored_call_can_be_replayed_to_the_same_actions(url: str) -> None:
    with writing(url) as journal:
        silent_call(FLOW, journal.call_arrived("pbx-1.1", FLOW, 0.0), began=0.1)
    stored = read(url).call("last")
    again = CallSession(FLOW)
    for line in stored.happenings:
        assert tuple(again.handle(line.event, line.at)) == line.actions
    assert tuple(again.trace) == stored.trace


def test_a_flow_is_stored_once_for_all_its_calls_and_again_when_it_changed(url: str, file: Path) -> None:
    with writing(url) as journal:
        for n in range(3):
            journal.call_arrived(f"a.{n}", FLOW, float(n)).handled(0.0, m.CallAnswered(), [])
        journal.call_arrived("a.3", silent_flow(), 3.0)  # a reload that changed nothing
        journal.call_arrived("b.0", silent_flow(title="edited"), 4.0)
    with sqlite3.connect(file) as database:
        assert database.execute("SELECT count(*) FROM flow_versions").fetchone() == (2,)
        assert database.execute("SELECT count(*) FROM prompt_catalogues").fetchone() == (1,)
    database.close()
    assert read(url).call("b.0").source["callflows/gov12345.yaml"].endswith("title: edited\n")


def test_a_live_call_is_visible_before_it_is_over(url: str) -> None:
    with writing(url) as journal:
        record = journal.call_arrived("pbx-1.1", FLOW, 5.0)
        record.handled(1.0, m.CallAnswered(), [])
        eventually(lambda: numbers(url, "pbx-1.1") == [1], "the line is committed while the call goes on")
        assert not read(url).call("pbx-1.1").summary.is_over


def test_the_file_is_for_its_owner_alone_and_so_are_those_beside_it(url: str, file: Path) -> None:
    old = os.umask(0o000)
    try:
        with writing(url) as journal:
            some_lines(journal.call_arrived("a", FLOW, 0.0), 1)
            eventually(lambda: numbers(url, "a"), "written")
            modes = {path.name: path.stat().st_mode & 0o777 for path in file.parent.iterdir()}
    finally:
        os.umask(old)
    assert modes == {"journal.sqlite": 0o600, "journal.sqlite-wal": 0o600, "journal.sqlite-shm": 0o600}


# ── a crash ───────────────────────────────────────────────────────────────────────────────────────────────────────────

ENGINE_THAT_DIES = """
import sys, time
sys.path.insert(0, {here!r})
from journalled_calls import silent_flow
from ivrflow.engine.messages import SignalGiven
from ivrflow.runtime.journal import Journal
journal = Journal({url!r})
journal.open()
flow = silent_flow()
records = [journal.call_arrived(f"dying.{{n}}", flow, float(n)) for n in range(5)]
print("writing", flush=True)
while True:
    for record in records:
        record.handled(time.monotonic(), SignalGiven(word="understood"), [])
    time.sleep(0.001)  # it is killed in the middle of this, and is not to fill the disk before
"""


@pytest.mark.parametrize("after_s", [0.35, 1.2])
def test_a_killed_engine_loses_at_most_the_last_second_and_never_the_file(url: str, file: Path, after_s: float) -> None:
    program = ENGINE_THAT_DIES.format(here=str(Path(__file__).parent), url=url)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == b"writing\n"
        began_at = time.monotonic()
        time.sleep(after_s)  # any moment is as good as another
        killed_at = time.monotonic()
        engine.send_signal(signal.SIGKILL)
        engine.wait()
    database = sqlite3.connect(file)
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()
    found = read(url).calls()
    assert {call.call for call in found} == {f"dying.{n}" for n in range(5)}
    assert not any(call.is_over for call in found)
    for call in found:
        stored = read(url).call(call.call)
        assert stored.missing == 0
        last = stored.happenings[-1].at if stored.happenings else began_at  # killed before the first commit was due
        assert killed_at - last <= 1.0
    with writing(url) as journal:  # the next engine goes on in the same file
        silent_call(FLOW, journal.call_arrived("next", FLOW, 100.0))
    assert read(url).call("next").summary.is_over


READER = """
import sys
from ivrflow.runtime.journal_reader import JournalReader
reader = JournalReader({url!r})
for _ in range(3):
    for call in reader.calls():
        stored = reader.call(call.call)
        assert [line.number for line in stored.happenings] == list(range(1, len(stored.happenings) + 1))
"""


def test_other_processes_read_while_it_is_written(url: str) -> None:
    with writing(url, commit_every=0.005) as journal:
        silent_call(FLOW, journal.call_arrived("first", FLOW, 0.0))
        eventually(lambda: numbers(url, "first"), "written")
        readers = [subprocess.Popen([sys.executable, "-c", READER.format(url=url)]) for _ in range(2)]
        written = 0
        while any(reader.poll() is None for reader in readers):
            silent_call(FLOW, journal.call_arrived(f"call.{written}", FLOW, float(written)))
            written += 1
            time.sleep(0.03)  # now and then, while others read
        assert [reader.wait() for reader in readers] == [0, 0]
        assert not journal.is_refused
    assert journal.lost == 0
    assert len(read(url).calls(limit=written + 9)) == written + 1


# ── a database that refuses ───────────────────────────────────────────────────────────────────────────────────────────


def told(caplog: pytest.LogCaptureFixture, *, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


def test_while_the_database_is_locked_lines_wait_and_none_is_lost(
    url: str, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with writing(url) as journal:
        record = journal.call_arrived("a", FLOW, 0.0)
        eventually(lambda: read(url).calls(), "written")
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        some_lines(record, 5)
        eventually(lambda: journal.is_refused, "the writer meets the lock")
        some_lines(record, 5, first=6)
        other.execute("ROLLBACK")
        other.close()
        eventually(lambda: numbers(url, "a") == list(range(1, 11)), "written after the lock")
        eventually(lambda: not journal.is_refused, "recovered")
    assert journal.lost == 0
    (complaint,) = told(caplog, level=logging.ERROR)
    assert complaint.startswith("the journal cannot be written: database is locked. Calls go on; 20000 lines may wait")
    (relief,) = told(caplog, level=logging.WARNING)
    assert relief.startswith("the journal is written again after ")


class Disk:
    """Makes the journal's next connections end at so many pages, as a full disk would."""

    def __init__(self, journal: Journal) -> None:
        self.pragma = "PRAGMA max_page_count=1000000"
        engine = journal._store._engine
        assert engine is not None
        event.listen(engine, "connect", lambda connection, _: connection.execute(self.pragma))


def test_a_full_disk_costs_what_does_not_fit_the_waiting_room_and_the_calls_concerned_say_so(
    url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "RETRY_MOST_S", 0.05)
    journal = Journal(url, commit_every=0.02, room=100)
    journal.open()
    disk = Disk(journal)
    disk.pragma = "PRAGMA max_page_count=1"  # SQLite takes the present size for the least
    record = journal.call_arrived("a", FLOW, 0.0)
    some_lines(record, 90)  # more than the pages there are can take
    eventually(lambda: journal.is_refused, "the disk is full")
    lost = 500 - (100 - journal.waiting)
    some_lines(record, 500, first=91)
    assert journal.waiting == 100
    assert journal.lost == lost
    disk.pragma = "PRAGMA max_page_count=1000000"
    eventually(lambda: not journal.is_refused and journal.waiting == 0, "recovered")
    record.over("nobody_spoke", "ivrflow", [], [])
    journal.close()
    stored = read(url).call("a")
    assert [line.number for line in stored.happenings] == list(range(1, 591 - lost))
    assert stored.missing == journal.lost == lost
    assert stored.summary.is_over
    complaint, losses = told(caplog, level=logging.ERROR)
    assert complaint.startswith("the journal cannot be written: database or disk is full. Calls go on; 100 lines may")
    assert (
        losses
        == f"the journal lost {lost} lines that it could not write in time; the calls concerned are marked incomplete"
    )


def test_a_database_that_became_read_only_is_waited_for(url: str, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(url, commit_every=0.02)
    journal.open()
    disk = Disk(journal)
    disk.pragma = "PRAGMA query_only=ON"
    some_lines(journal.call_arrived("a", FLOW, 0.0), 3)
    eventually(lambda: journal.is_refused, "refused")
    disk.pragma = "PRAGMA query_only=OFF"
    eventually(lambda: not journal.is_refused, "recovered")
    journal.close()
    assert numbers(url, "a") == [1, 2, 3]
    assert "attempt to write a readonly database" in told(caplog, level=logging.ERROR)[0]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_journal_deleted_under_the_engine_is_begun_again(
    url: str, file: Path, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    with writing(url) as journal:
        record = journal.call_arrived("a", FLOW, 0.0)
        some_lines(record, 3)
        eventually(lambda: numbers(url, "a") == [1, 2, 3], "written")
        if what == "file":
            file.unlink()
        else:
            shutil.rmtree(file.parent)
        some_lines(record, 2, first=4)
        eventually(lambda: file.exists() and not journal.is_refused and journal.waiting == 0, "begun again")
        record.over("nobody_spoke", "ivrflow", [], [])
    stored = read(url).call("a")
    assert [line.number for line in stored.happenings] == [4, 5]
    assert stored.missing == 3
    assert stored.source == FLOW.source
    assert f"{file} was deleted or replaced" in told(caplog, level=logging.ERROR)[0]


def test_a_line_that_cannot_be_written_down_is_dropped_alone(url: str, caplog: pytest.LogCaptureFixture) -> None:
    half_a_pair = "\ud800"
    with writing(url) as journal:
        record = journal.call_arrived("a", FLOW, 0.0)
        record.handled(1.0, m.CallAnswered(), [])
        record.handled(2.0, m.SignalGiven(word=half_a_pair), [])
        record.handled(float("nan"), m.CallAnswered(), [])  # only the database can tell
        record.handled(4.0, m.CallAnswered(), [])
        journal.call_arrived(half_a_pair, FLOW, 0.0)
    assert numbers(url, "a") == [1, 4]
    assert journal.lost == 3
    assert sorted(told(caplog, level=logging.ERROR)) == [
        "lines of call '\\ud800' cannot be stored in the journal: UnicodeEncodeError",
        "lines of call 'a' cannot be stored in the journal: UnicodeEncodeError",
    ]


def test_a_call_id_used_twice_spoils_neither_the_first_call_nor_the_others(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with writing(url) as journal:
        some_lines(journal.call_arrived("twice", FLOW, 0.0), 3)
        some_lines(journal.call_arrived("twice", FLOW, 9.0), 4)
        some_lines(journal.call_arrived("other", FLOW, 9.0), 2)
    assert (numbers(url, "twice"), numbers(url, "other")) == ([1, 2, 3, 4], [1, 2])
    assert journal.lost == 3
    assert told(caplog, level=logging.ERROR) == [
        "lines of call 'twice' cannot be stored in the journal: IntegrityError"
    ]


def test_closing_does_not_wait_for_ever_for_a_locked_database(url: str, file: Path) -> None:
    journal = Journal(url, commit_every=0.02)
    journal.open()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    some_lines(journal.call_arrived("a", FLOW, 0.0), 5)
    began = time.monotonic()
    journal.close(timeout=0.2)
    assert time.monotonic() - began < 10
    eventually(lambda: journal.lost == 6, "the writer gave up, and counted")
    other.close()


def test_what_comes_after_closing_is_counted_as_lost(url: str) -> None:
    with writing(url) as journal:
        record = journal.call_arrived("a", FLOW, 0.0)
    some_lines(record, 2)
    assert (journal.lost, journal.waiting) == (2, 0)
    journal.close()


def test_a_bug_in_the_writer_stops_the_journal_and_not_the_calls(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bugs: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: bugs.append(args.exc_value))
    journal = Journal(url, commit_every=0.02)
    journal.open()
    monkeypatch.setattr(journal._store, "write", lambda _: 1 // 0)
    record = journal.call_arrived("a", FLOW, 0.0)
    eventually(lambda: bugs, "the writer stopped")
    some_lines(record, 3)
    assert journal.lost >= 3
    assert journal.waiting == 0
    assert isinstance(bugs[0], ZeroDivisionError)
    journal.close()


# ── opening ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_newer_layout_is_refused_by_writer_and_reader(url: str, file: Path) -> None:
    with writing(url):
        pass
    database = sqlite3.connect(file)
    database.execute("UPDATE journal_layout SET version = 4")
    database.commit()
    database.close()
    for use in (Journal(url).open, read(url).calls):
        with pytest.raises(SettingsError) as raised:
            use()
        assert str(raised.value) == (
            f"IVRFLOW_JOURNAL: {file} was written by another version of ivrflow (layout 4, this one knows 3); use that "
            "version, or name another database"
        )


def test_another_programs_database_is_left_alone(url: str, file: Path) -> None:
    file.parent.mkdir()
    database = sqlite3.connect(file)
    database.execute("CREATE TABLE calls (number TEXT)")
    database.close()
    with pytest.raises(SettingsError, match="holds another program's tables; name another database"):
        Journal(url).open()
    with pytest.raises(SettingsError, match="is no journal of ivrflow"):
        read(url).calls()


def test_a_file_that_is_no_database_is_refused(url: str, file: Path) -> None:
    file.parent.mkdir()
    file.write_text("not a database, but long enough to have a header of its own\n" * 20)
    for use in (Journal(url).open, read(url).calls):
        with pytest.raises(SettingsError, match="cannot be used: file is not a database; mend it"):
            use()


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (
            "sqlite:////proc/none/journal.sqlite",
            "/proc/none/journal.sqlite cannot be written: No such file or directory",
        ),
        ("sqlite:////dev/null/journal.sqlite", "/dev/null/journal.sqlite cannot be written: /dev/null is no folder"),
        ("sqlite:////tmp", "/tmp cannot be written: Is a directory"),
        ("sqlite://", "it names no file; write sqlite:///PATH"),
        ("sqlite:///:memory:", "it names no file; write sqlite:///PATH"),
        ("journal.sqlite", "it is not a database URL; for a file write sqlite:///PATH"),
        ("nosuch://host/db", "no database is called 'nosuch'; write sqlite:///PATH"),
        ("oracle+cx_oracle://u:hunter2@h/db", "needs the Python package 'cx_Oracle'; install it, or write"),
    ],
)
def test_an_unusable_journal_is_said_at_once(bad: str, says: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Journal(bad).open()
    assert says in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One entry for each time the tables were looked at; nobody waits for a lock inside SQLite."""
    tried: list[None] = []

    def counted(*whose: Any) -> None:
        tried.append(None)
        prepare(*whose)

    monkeypatch.setattr(journal_store, "prepare", counted)
    monkeypatch.setattr(journal_tables, "BUSY_S", 0.0)
    return tried


@pytest.fixture
def maker(file: Path) -> Iterator[sqlite3.Connection]:
    """Another engine, in the moment in which it makes the journal."""
    file.parent.mkdir()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield other
    other.close()


def test_an_engine_that_starts_waits_for_one_that_is_making_the_journal(
    url: str, tries: list[None], maker: sqlite3.Connection
) -> None:
    journal = Journal(url)
    with ThreadPoolExecutor(1) as starting:
        opened = starting.submit(journal.open)
        eventually(lambda: len(tries) > 2, "asked again")
        assert not opened.done()
        maker.execute("ROLLBACK")
        opened.result(20)
    some_lines(journal.call_arrived("a", FLOW, 0.0), 3)
    journal.close()
    assert numbers(url, "a") == [1, 2, 3]


def test_a_journal_that_stays_locked_is_said(
    url: str, tries: list[None], maker: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_store, "OPENING_S", 0.05)
    with pytest.raises(SettingsError, match="cannot be used: database is locked; mend it"):
        Journal(url).open()
    assert maker.in_transaction
    assert len(tries) > 1


def test_two_engines_may_make_the_same_journal_at_once(url: str) -> None:
    journals = [Journal(url) for _ in range(4)]
    with ThreadPoolExecutor(len(journals)) as starting:
        for opened in [starting.submit(journal.open) for journal in journals]:
            opened.result()
    for n, journal in enumerate(journals):
        some_lines(journal.call_arrived(f"call.{n}", FLOW, float(n)), 3)
    for journal in journals:
        journal.close()
    assert len(read(url).calls()) == 4
    assert sum(journal.lost for journal in journals) == 0
