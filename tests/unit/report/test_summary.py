import math

from made_reports import DUE, NOW, promise, report, some_calls

from ivrflow.report.matters import is_late, matters_of
from ivrflow.report.summary import RuleCount, Spread
from ivrflow.runtime.journal_counts import Counted


def test_every_rule_is_counted_and_those_nobody_knows_any_more_too() -> None:
    assert list(report().rules) == [
        RuleCount("jiangnan/closing", 2, 0, 1, ()),
        RuleCount("jiangnan/silent_call", 0, 1, 2, ("b",)),
        RuleCount("jiangnan/praise", 0, 0, 3, ()),
        RuleCount("old/closing", 1, 0, None, ()),
    ]


def test_promises_as_they_stand() -> None:
    (one,) = report().promises
    assert (one.rule, one.made, one.kept, one.kept_late, one.broken, one.open, one.dropped) == (
        "jiangnan/later", 3, 1, 1, 1, 0, 0,
    )  # fmt: skip
    assert one.misses == ("b", "c")


def test_calls_in_both_directions() -> None:
    found = report()
    assert (found.calls, found.incoming, found.placed, found.unfinished) == (4, 3, 1, 1)
    assert found.outcomes[0] == ("in", "caller_hung_up", 2)
    assert ("in", "nobody", 1) in found.hung_up
    assert (found.hours[9], found.hours[10], sum(found.hours)) == (3, 1, 4)
    assert dict(found.days)["2026-11-10"] == 2
    assert len(found.days) == 30
    assert {spread.name: len(spread.values) for spread in found.spreads if spread.values} == {
        "length of incoming calls": 3,
        "length of placed calls": 1,
        "until the line was open": 2,
        "until an agent answered": 1,
        "until somebody picked up": 1,
    }


def test_what_a_reader_has_to_know() -> None:
    unfinished, strangers = report().remarks
    assert unfinished.startswith("1 calls have no stored ending")
    assert strangers.startswith("no flow is called gone any more")


def test_an_empty_journal_gives_a_report_without_figures() -> None:
    found = report(Counted())
    assert (found.calls, found.missed, found.rules, found.promises, found.remarks) == (0, False, (), (), ())
    assert {figure.reached for figure in found.figures} == {"no data"}


def test_a_missed_target_is_seen() -> None:
    assert report().missed
    assert not report(Counted(asked_for_agent=10, agent_answered=10)).missed


def test_nearest_ranks() -> None:
    spread = Spread("x", (1.0, 2.0, 3.0, 4.0))
    assert [spread.at(share) for share in (0.0, 0.5, 0.95, 1.0)] == [1.0, 2.0, 4.0, 4.0]
    assert math.isnan(Spread("x", ()).at(0.5))


def test_matters_take_the_tags_of_their_call_and_promises() -> None:
    first, second = promise("c"), promise("c", id="c/1.2", kept_at=None, due_at=DUE + 9)
    tags = {"c": frozenset({"repeat"}), "c/1.2": frozenset({"key_account"}), "d": frozenset({"first"})}
    (matter,) = matters_of([first, second], tags, DUE)
    assert matter.tags == {"repeat", "key_account"}
    assert (matter.is_answered, matter.is_late, matter.is_pending) == (True, False, False)


def test_what_was_dropped_is_never_late() -> None:
    assert not is_late(promise("c", kept_at=None, dropped_at=DUE + 9), NOW.timestamp())
    assert some_calls().promises
