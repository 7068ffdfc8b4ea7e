from pathlib import Path

import pytest
from sqlalchemy import insert, select

from ivrflow.runtime.journal_database import JournalDatabase, find_row
from ivrflow.runtime.journal_layout import prepare
from ivrflow.runtime.journal_tables import calls, database_url, tags, writing_engine
from ivrflow.settings import SettingsError

TAG = {"tag": "repeat", "call": "pbx-1"}


@pytest.fixture
def database(tmp_path: Path) -> JournalDatabase:
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    writer = writing_engine(database_url(url))
    prepare(writer, database_url(url))
    writer.dispose()
    return JournalDatabase(url)


def test_what_was_written_is_read(database: JournalDatabase) -> None:
    with database.writing() as connection:
        connection.execute(insert(tags).values(subject="pbx-1/1", **TAG))

    with database.reading() as connection:
        assert connection.scalars(select(tags.c.subject)).all() == ["pbx-1/1"]
    database.close()


def test_nothing_of_a_block_that_fails_is_kept(database: JournalDatabase) -> None:
    def fail() -> None:
        with database.writing() as connection:
            connection.execute(insert(tags).values(subject="pbx-1/1", **TAG))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    with database.reading() as connection:
        assert connection.scalars(select(tags.c.subject)).all() == []
    database.close()


def test_nobody_writes_while_reading(database: JournalDatabase) -> None:
    with pytest.raises(SettingsError, match="journal"), database.reading() as connection:
        connection.execute(insert(tags).values(subject="pbx-1/1", **TAG))
    database.close()


def test_where_there_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no journal"):
        JournalDatabase(f"sqlite:///{tmp_path}/nothing.sqlite")


def test_a_row_that_nobody_named(database: JournalDatabase) -> None:
    with database.reading() as connection, pytest.raises(LookupError, match="no call is named; `ivrflow calls` lists"):
        find_row(connection, calls, "", bool, LookupError)
    database.close()
