"""A call placed back keeps a promise; a promise that cannot be noted costs nobody the call."""

import time
from pathlib import Path

import pytest
from promised_calls import note, promised

from ivrflow.commands.call_commands import _keep
from ivrflow.runtime.journal import Journal
from ivrflow.runtime.journal_promises import PromiseBook
from ivrflow.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    journal = Journal(url)
    journal.open()
    promised(journal, "pbx-1.1", [note(made_at=time.time() - 60, due_at=time.time() + 60)])
    journal.close()
    return Settings(journal=url)


def test_the_call_is_noted_though_the_journal_has_it_not_yet(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    _keep(settings, "pbx-1.1", "pbx-2.2")
    assert capsys.readouterr().err == "pbx-1.1/1 is kept\n"
    book = PromiseBook(settings.journal)
    (kept,) = book.owed(with_settled=True)
    book.close()
    assert (kept.kept_by_call, kept.kept_by, kept.state(time.time())) == ("pbx-2.2", "ivrflow call", "kept")


def test_what_cannot_be_noted_is_told(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    _keep(settings, "nothing", "pbx-2.2")
    assert capsys.readouterr().err.startswith("the promise is not noted as kept: no promise is called 'nothing'")
