"""How soon agents answered, who gave up waiting: each figure counts exactly what it says."""

import math
from dataclasses import replace

import pytest
from made_reports import MADE, report, some_calls

from ivrflow.report import wording
from ivrflow.report.agents import Share, queues, shares
from ivrflow.runtime.journal_counts import Counted, CountedCall, CountedLeg


def leg(call: str, **changes: object) -> CountedLeg:
    made = CountedLeg(call, "office", "", waited=10.0, ending="answered", rang=5.0, talked=60.0, held=0.0, transfers=0)
    return made._replace(**changes)  # type: ignore[arg-type]  # the fields of a leg


LEGS = [
    leg("a"),
    leg("b", waited=20.0, ending="next_level", rang=None, talked=0.0),
    leg("b", queue="seniors", waited=25.0, rang=15.0, held=12.0),
    leg("c", waited=90.0, ending="abandoned", rang=None, talked=0.0),
    leg("d", waited=30.0, rang=15.001, transfers=1),
    leg("d", queue="", extension="1001", waited=7.0, rang=7.0),
    leg("e", waited=120.0, ending="nobody", rang=None, talked=0.0),
]


def counted() -> Counted:
    """Five callers who wanted an agent; a, b and d had one."""
    waits = {"a": 10.0, "b": 25.0, "c": None, "d": 30.0, "e": None}
    calls = [CountedCall(MADE, "in", 100.0, 0.02, wait) for wait in waits.values()]
    calls.append(CountedCall(MADE, "out", 100.0, 5.0, 1.0))  # a call we placed: nobody waited in a queue for us
    return replace(some_calls(), calls=calls, asked_for_agent=5, agent_answered=3, legs=LEGS)


def the(name: str, within: float = 20.0) -> Share:
    return next(one for one in shares(counted(), within) if one.id == name)


@pytest.mark.parametrize(("within", "soon"), [(9.999, 0), (10.0, 1), (25.0, 2), (30.0, 3)])
def test_the_service_level_counts_all_who_wanted_an_agent(within: float, soon: int) -> None:
    level = the("service_level", within)
    assert (level.part.count, level.whole.count) == (soon, 5)
    assert level.percent == pytest.approx(100 * soon / 5)


def test_who_gave_up_is_named() -> None:
    assert (the("abandoned").part.count, the("abandoned").calls) == (1, ("c",))


def test_three_rings_are_fifteen_seconds_of_an_agents_telephone() -> None:
    rings = the("three_rings")
    assert (rings.part.count, rings.whole.count, rings.calls) == (3, 4, ("d",))


def test_who_was_sent_on() -> None:
    assert (the("sent_on").part.count, the("sent_on").whole.count, the("sent_on").calls) == (1, 3, ("d",))


def test_queue_by_queue() -> None:
    office, seniors, extension = queues(LEGS, 20.0)
    assert (office.name, seniors.name, extension.name) == ("office", "seniors", "extension 1001")
    assert (office.sought, office.answered, office.in_time, office.abandoned) == (5, 2, 1, 1)
    assert (office.next_level, office.elsewhere, office.average, office.longest) == (1, 1, 20.0, 30.0)
    assert (seniors.answered, seniors.in_time) == (1, 0)
    (nobody,) = queues([leg("e", ending="nobody", rang=None)], 20.0)
    assert math.isnan(nobody.average)
    assert math.isnan(nobody.longest)
    assert wording.queue_cells(nobody)[-2:] == ["–", "–"]


def test_nobody_wanted_an_agent() -> None:
    assert shares(Counted(), 20.0) == ()
    assert the("three_rings").percent == 75.0
    none = replace(counted(), legs=[])
    assert wording.share(next(one for one in shares(none, 20.0) if one.id == "three_rings")) == "–"


def test_lengths_of_waits_talks_and_holds() -> None:
    spreads = {spread.name: spread.values for spread in report(counted()).spreads}
    assert spreads["until a caller gave up waiting"] == (90.0,)
    assert spreads["ringing of an agent's telephone"] == (5.0, 7.0, 15.0, 15.001)
    assert spreads["talk with an agent"] == (60.0,) * 4
    assert spreads["on hold during a talk"] == (12.0,)
    assert spreads["until an agent answered"] == (10.0, 25.0, 30.0)
