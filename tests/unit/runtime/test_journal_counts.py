"""What a report counts, and an earlier journal brought up to date."""

import sqlite3
from pathlib import Path

import pytest
from journalled_calls import silent_call, silent_flow
from promised_calls import HOUR, MADE_AT, note, promised

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact, Judgement, TraceLine, Verdict
from ivrflow.runtime.journal import Journal
from ivrflow.runtime.journal_callbacks import CallbackBook
from ivrflow.runtime.journal_counts import Counted, count, flows_called
from ivrflow.runtime.journal_figures import figures_of
from ivrflow.runtime.journal_promises import PromiseBook

RINGING = [
    TraceLine(0.0, Fact.ARRIVED),
    TraceLine(0.5, Fact.ANSWERED),
    TraceLine(3.0, Fact.RINGING),
    TraceLine(9.0, Fact.AGENT_UNAVAILABLE),
    TraceLine(10.0, Fact.RINGING),
    TraceLine(14.0, Fact.AGENT_ANSWERED),
    TraceLine(60.0, Fact.ENDED, detail="done"),
]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Four calls: an agent at the second try, no agent, a call we placed, one whose engine died."""
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    journal = Journal(url)
    journal.open()
    kept, broken = (
        (
            Verdict("gov12345/silent_call", judgement, "", ""),
            Verdict("gov12345/noise", Judgement.NOT_APPLICABLE, "", ""),
        )
        for judgement in (Judgement.KEPT, Judgement.BROKEN)
    )
    promised(journal, "a", [note()], trace=RINGING, verdicts=kept)
    promised(journal, "b", [], trace=[*RINGING[:4], RINGING[-1]], verdicts=broken, arrived_at=MADE_AT + 1)
    placed = [TraceLine(0.0, Fact.ORDERED), TraceLine(8.0, Fact.ANSWERED), TraceLine(20.0, Fact.ENDED, detail="done")]
    promised(journal, "c", [], trace=placed, arrived_at=MADE_AT + 2, flow=silent_flow(flow_id="china_mobile"))
    promised(journal, "d", [], is_over=False, arrived_at=MADE_AT + 3)
    journal.close()
    return url


def counted(url: str, **changes: object) -> Counted:
    which = {"since": MADE_AT, "until": MADE_AT + HOUR, **changes}
    return count(url, **which)  # type: ignore[arg-type]  # the function's own parameters


def test_calls_are_counted_by_direction_and_what_came_of_them(url: str) -> None:
    found = counted(url)
    assert [(call.direction, call.lasted, call.answered_after, call.agent_after) for call in found.calls] == [
        ("in", 60.0, 0.5, 11.0),
        ("in", 60.0, 0.5, None),
        ("out", 20.0, 8.0, None),
    ]
    assert (found.ended, found.unfinished) == ({"gov12345": 2, "china_mobile": 1}, 1)
    assert (found.answered, found.asked_for_agent, found.agent_answered, list(found.without_agent)) == (2, 2, 1, ["b"])
    assert found.outcomes == {("in", "done"): 2, ("out", "done"): 1}
    assert found.hung_up == {("in", "caller"): 2, ("out", "caller"): 1}
    assert found.judged == {("gov12345", "gov12345/silent_call", judgement): 1 for judgement in ("kept", "broken")}
    assert found.broken == {"gov12345/silent_call": ["b"]}
    assert flows_called(url) == ["china_mobile", "gov12345"]


def test_only_what_falls_into_the_time_and_the_flows_counts(url: str) -> None:
    assert len(counted(url, until=MADE_AT + 1).calls) == 1, "the end does not belong to it"
    assert len(counted(url, since=MADE_AT + 1).calls) == 2
    found = counted(url, flows=["china_mobile"])
    assert (len(found.calls), found.unfinished, found.promises) == (1, 0, [])
    assert counted(url, flows=[]) == Counted(without_agent=[], calls=[], promises=[], legs=[], scores=[])


def test_promises_belong_to_the_time_in_which_their_matter_began(url: str) -> None:
    book = PromiseBook(url)
    book.tag("a", ["repeat"])
    book.keep("a/1", at=MADE_AT + 2 * HOUR, by="li", satisfied=True)
    book.close()
    (promise,) = counted(url).promises
    assert (promise.id, promise.kept_at, promise.satisfied) == ("a/1", MADE_AT + 2 * HOUR, 1)
    assert counted(url).tags == {"a": frozenset({"repeat"})}
    assert counted(url, since=MADE_AT + 1).promises == []


def test_figures_of_a_call_that_never_was_anything() -> None:
    assert figures_of([])["lasted"] == 0.0
    assert figures_of([])["direction"] == "in"


def test_an_earlier_journal_is_brought_up_to_date_with_what_its_calls_count_for(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.sqlite"
    journal = Journal(url)
    journal.open()
    flow = silent_flow()
    for n in range(3):
        silent_call(flow, journal.call_arrived(f"call {n}", flow, MADE_AT + n), until=2.0 if n == 2 else 60.0)
    journal.close()
    before = counted(url)
    assert len(before.calls) == 2
    database = sqlite3.connect(tmp_path / "old.sqlite")
    for table in ("promises", "tags", "call_figures", "agent_legs"):
        database.execute(f"DROP TABLE {table}")
    database.execute("UPDATE journal_layout SET version = 1")
    database.commit()
    database.close()
    journal = Journal(url)
    journal.open()
    journal.close()
    after = counted(url)
    assert [call.lasted for call in after.calls] == pytest.approx([call.lasted for call in before.calls], abs=1e-6)
    assert [call.answered_after for call in after.calls] == pytest.approx([0.02, 0.02], abs=1e-6)
    assert after.outcomes == before.outcomes
    assert after.judged == before.judged
    assert after.unfinished == 1


def test_agents_scores_and_callbacks_are_counted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/agents.sqlite"
    journal = Journal(url)
    journal.open()
    flow = silent_flow()
    order = m.OrderCallback(1, "13912345678", "back", MADE_AT, MADE_AT + HOUR)
    for call, caller_waits in (("a", False), ("b", True)):
        record = journal.call_arrived(call, flow, MADE_AT)
        record.handled(0.0, m.CallArrived(number="12345", arrived_at=MADE_AT), [m.JoinQueue(ticket=1, queue="office")])
        if caller_waits:
            record.handled(9.0, m.CallerHungUp(), [m.StopRinging(ticket=1), order])
        else:
            record.handled(4.0, m.AgentAnswered(ticket=1, agent="1001", rang=3.0), [m.Bridge(ticket=1)])
            record.handled(64.0, m.AgentLeft(ticket=1), [m.NoteScore(survey="service", score=4, most=5)])
        lines = [TraceLine(0.0, Fact.ARRIVED), TraceLine(0.0, Fact.QUEUED), TraceLine(9.0, Fact.ENDED)]
        record.over("done", "caller", lines, ())
    journal.close()
    book = CallbackBook(url)
    (waiting,) = book.listed()
    book.claim(waiting, call="out-1", now=MADE_AT + 60, until=MADE_AT + 100)
    book.came_of(waiting.id, call="out-1", outcome="busy", now=MADE_AT + 70)
    book.close()
    found = counted(url)
    assert [(leg.call, leg.queue, leg.waited, leg.ending) for leg in found.legs] == [
        ("a", "office", 4.0, "answered"),
        ("b", "office", 9.0, "abandoned"),
    ]
    assert [(score.call, score.score) for score in found.scores] == [("a", 4)]
    assert found.callback_tries == {"busy": 1}
    assert counted(url, flows=["another"]).callback_tries == {}
    (promise,) = found.promises
    assert (promise.id, promise.rule, promise.failed_at) == ("b/callback-1", "callback", None)
