import sqlite3
from pathlib import Path

import pytest
from journalled_calls import CALLER, HONORIFIC, silent_call, silent_flow

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.runtime.journal import Journal
from ivrflow.runtime.journal_reader import MASK, JournalReader, NoSuchCallError, mask_action, mask_event, mask_line
from ivrflow.settings import SettingsError

DAY = 86_400.0


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Six calls, a day apart: the fourth broken, the fifth cut off, the sixth of another flow."""
    url = f"sqlite:///{tmp_path_factory.mktemp('journal')}/journal 100%#?.sqlite"
    journal = Journal(url)
    journal.open()
    flow, other = silent_flow(), silent_flow(flow_id="yunda")
    for n in range(1, 7):
        record = journal.call_arrived(f"pbx-{n}.{n}", other if n == 6 else flow, n * DAY)
        silent_call(flow, record, late=0.5 if n == 4 else 0.0, until=8.0 if n == 5 else 60.0)
    journal.close()
    assert journal.lost == 0
    return url


@pytest.fixture
def reader(url: str) -> JournalReader:
    return JournalReader(url)


def ids(reader: JournalReader, **wanted: object) -> list[str]:
    return [call.call for call in reader.calls(**wanted)]  # type: ignore[arg-type]  # each test names real arguments


def test_calls_come_newest_first_and_no_more_than_asked(reader: JournalReader) -> None:
    assert ids(reader) == ["pbx-6.6", "pbx-5.5", "pbx-4.4", "pbx-3.3", "pbx-2.2", "pbx-1.1"]
    assert ids(reader, limit=2) == ["pbx-6.6", "pbx-5.5"]


def test_calls_are_chosen_by_time_flow_and_verdict(reader: JournalReader) -> None:
    assert ids(reader, since=2 * DAY, until=4 * DAY) == ["pbx-3.3", "pbx-2.2"]
    assert ids(reader, flow="yunda") == ["pbx-6.6"]
    assert ids(reader, only_broken=True) == ["pbx-4.4"]
    assert ids(reader, only_broken=True, limit=1, since=4.5 * DAY) == []


def test_a_summary_says_how_the_call_went(reader: JournalReader) -> None:
    _, cut_off, broken, kept, *_ = reader.calls()
    assert (kept.outcome, kept.ended_by, kept.is_over) == ("nobody_spoke", "ivrflow", True)
    assert kept.lasted == pytest.approx(11.395)
    assert (kept.kept, kept.broken) == (("gov12345/silent_call",), ())
    assert (broken.kept, broken.broken) == ((), ("gov12345/silent_call",))
    assert (cut_off.outcome, cut_off.ended_by, cut_off.is_over) == (None, None, False)
    assert cut_off.lasted == pytest.approx(5.145)


def test_the_endings_of_a_stretch_of_time_come_at_once(reader: JournalReader) -> None:
    endings = reader.endings(since=3 * DAY, until=6 * DAY, flow="gov12345")
    assert [(ending.call, ending.arrived_at) for ending in endings] == [
        ("pbx-3.3", 3 * DAY),
        ("pbx-4.4", 4 * DAY),
        ("pbx-5.5", 5 * DAY),
    ]
    kept, broken, cut_off = endings
    assert (kept.outcome, kept.ended_by) == ("nobody_spoke", "ivrflow")
    stored = reader.call("pbx-4.4")
    assert (broken.trace, broken.verdicts) == (stored.trace, stored.verdicts)
    assert [line.key for line in broken.trace if line.fact is Fact.KEY_PRESSED] == [MASK]
    assert (cut_off.outcome, cut_off.trace, cut_off.verdicts) == (None, (), ())
    assert reader.endings(since=7 * DAY, until=8 * DAY, flow="gov12345") == []


def test_a_call_cut_off_shows_what_happened_before(reader: JournalReader) -> None:
    stored = reader.call("pbx-5.5")
    assert isinstance(stored.happenings[-1].event, m.PromptEnded)
    assert (stored.trace, stored.verdicts, stored.missing) == ((), (), 0)


def test_a_call_is_found_by_its_id_by_the_beginning_of_it_and_as_the_last(reader: JournalReader) -> None:
    assert reader.call("pbx-3.3").summary.call == "pbx-3.3"
    assert reader.call("pbx-3").summary.call == "pbx-3.3"
    assert reader.call("last").summary.call == "pbx-6.6"


@pytest.mark.parametrize("wanted", ["pbx-9", "PBX-3", "pbx_3", "%", ""])
def test_a_call_that_is_not_there_is_said_to_be(reader: JournalReader, wanted: str) -> None:
    with pytest.raises(NoSuchCallError, match="`ivrflow calls` lists them"):
        reader.call(wanted)


def test_a_beginning_shared_by_several_calls_is_refused_with_their_names(reader: JournalReader) -> None:
    with pytest.raises(NoSuchCallError) as raised:
        reader.call("pbx")
    assert str(raised.value) == (
        "'pbx' is the beginning of several calls: pbx-6.6, pbx-5.5, pbx-4.4, pbx-3.3, …; write one more character"
    )


def test_an_empty_journal_has_no_last_call(tmp_path: Path) -> None:
    journal = Journal(f"sqlite:///{tmp_path}/j")
    journal.open()
    journal.close()
    reader = JournalReader(f"sqlite:///{tmp_path}/j")
    assert reader.calls() == []
    with pytest.raises(NoSuchCallError, match="the journal holds no call yet"):
        reader.call("last")


def test_personal_data_is_masked_unless_asked_for(reader: JournalReader, url: str) -> None:
    masked = reader.call("pbx-1.1")
    arrived, *_ = masked.happenings
    assert arrived.event == m.CallArrived(
        number="12345", arrived_at=1_790_000_000.25, caller=MASK * 3, values={"name": MASK * 3}
    )
    everything = repr(masked) + repr(reader.calls())
    assert CALLER not in everything
    assert HONORIFIC not in everything
    assert m.KeyPressed(key="7") not in [line.event for line in masked.happenings]
    assert {line.key for line in masked.trace} == {"", MASK}

    open_reader = JournalReader(url, show_personal=True)
    shown = open_reader.call("pbx-1.1")
    assert open_reader.calls()[0].caller == shown.summary.caller == CALLER
    assert m.KeyPressed(key="7") in [line.event for line in shown.happenings]
    assert m.ValuesLearned(values={"honorific": HONORIFIC}) in [line.event for line in shown.happenings]
    assert {line.key for line in shown.trace} == {"", "7"}


def test_masking_leaves_the_rest_alone() -> None:
    assert mask_event(m.CallArrived(number="12345", arrived_at=1.0)) == m.CallArrived(number="12345", arrived_at=1.0)
    assert mask_event(m.SpeechStarted()) == m.SpeechStarted()
    line = TraceLine(1.0, Fact.DIGITS_COLLECTED, step="complain", detail="done, 4 digits", key="1234")
    assert mask_line(line) == TraceLine(
        1.0, Fact.DIGITS_COLLECTED, step="complain", detail="done, 4 digits", key="••••"
    )


def test_reading_writes_nothing_and_makes_no_file(url: str, tmp_path: Path) -> None:
    reader = JournalReader(url)
    with pytest.raises(SettingsError, match="attempt to write a readonly database"), reader._snapshot() as connection:
        connection.exec_driver_sql("DELETE FROM calls")
    with pytest.raises(SettingsError) as raised:
        JournalReader(f"sqlite:///{tmp_path}/none.sqlite")
    assert str(raised.value) == (
        f"there is no journal at {tmp_path}/none.sqlite yet; `ivrflow serve` makes it, or name another one in "
        "IVRFLOW_JOURNAL"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_gap_in_the_lines_is_counted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/j"
    journal = Journal(url)
    journal.open()
    silent_call(silent_flow(), journal.call_arrived("over", silent_flow(), 1.0))
    silent_call(silent_flow(), journal.call_arrived("cut off", silent_flow(), 2.0), until=8.0)
    journal.close()
    database = sqlite3.connect(f"{tmp_path}/j")
    database.execute("DELETE FROM happenings WHERE number IN (2, 3)")
    database.execute("DELETE FROM happenings WHERE call = 'over' AND number > 6")
    database.commit()
    lines = database.execute("SELECT lines FROM calls WHERE call = 'over'").fetchone()[0]
    database.close()
    reader = JournalReader(url)
    assert reader.call("cut off").missing == 2
    assert reader.call("over").missing == 2 + lines - 6


def test_many_calls_are_summed_up_in_several_statements(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/j"
    journal = Journal(url)
    journal.open()
    flow = silent_flow()
    for n in range(1100):
        journal.call_arrived(f"pbx-{n}", flow, float(n)).handled(0.5, m.CallAnswered(), [])
    journal.close()
    assert [call.arrived_at for call in JournalReader(url).calls(limit=1050)] == [float(n) for n in range(1099, 49, -1)]


def test_recordings_that_spell_out_a_value_are_masked() -> None:
    played = m.Play(ticket=1, phrase="s/p", prompt="", seconds=2.0, parts=("s/segment-1", "pieces/piece-1"))
    masked = mask_action(played)
    assert isinstance(masked, m.Play)
    assert masked.parts == (MASK, MASK)
    plain = m.Play(ticket=1, phrase="s/p", prompt="s/p", seconds=2.0)
    assert mask_action(plain) == plain
    assert mask_action(m.Answer()) == m.Answer()
