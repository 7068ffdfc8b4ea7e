import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from ivrflow.runtime.journal_store import JournalStore
from ivrflow.runtime.journal_tables import calls, database_url, happenings, reading_engine, shown, sqlite_file
from ivrflow.settings import SettingsError


def test_every_table_can_be_made_in_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves dialects untyped
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in calls.metadata.sorted_tables]
    made += [str(CreateIndex(index).compile(dialect=dialect)) for index in calls.indexes]
    assert "at DOUBLE PRECISION NOT NULL" in "".join(made)
    assert "trace BYTEA" in "".join(made)
    assert not any("ROWID" in text for text in made)


def test_commits_reach_the_disk_before_they_return_and_readers_are_not_in_the_way(tmp_path: Path) -> None:
    store = JournalStore(f"sqlite:///{tmp_path}/j")
    connection = store.connection()
    assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
    assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    store.close()
    database = sqlite3.connect(tmp_path / "j")
    (definition,) = database.execute("SELECT sql FROM sqlite_master WHERE name = ?", (happenings.name,)).fetchone()
    database.close()
    assert "WITHOUT ROWID" in definition


def test_a_password_is_not_shown() -> None:
    assert shown(database_url("postgresql://ivr:hunter2@db.example/ivr")) == "postgresql://ivr:***@db.example/ivr"


def test_a_relative_path_is_shown_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown(database_url("sqlite:///.ivrflow/j")) == f"{tmp_path}/.ivrflow/j"
    assert sqlite_file(database_url("postgresql://db/ivr")) is None


def test_a_folder_is_no_journal_to_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no journal at"):
        reading_engine(database_url(f"sqlite:///{tmp_path}"))
