"""Whether a call promised what its scenario says."""

import pytest
from judged_scenarios import an_engine

from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.flow.problems import Location
from ivrflow.scenario.judging.promised import promised
from ivrflow.scenario.observation import EngineSide
from ivrflow.scenario.script import NEVER_PROMISED, Expectations, ExpectedPromise, PromisedTime

WHERE = Location("x.yaml", 7, 5)
DAY = PromisedTime(hours=24.0)
THREE_DAYS = PromisedTime(working_days=3)


def engine(*lines: TraceLine) -> EngineSide:
    made = an_engine()
    return EngineSide(made.call, made.answered_at, lines, made.verdicts, made.outcome, made.hung_up_first)


def line(seconds: float, detail: str, fact: Fact = Fact.PROMISE_MADE) -> TraceLine:
    return TraceLine(40.0, fact, rule="a/later", seconds=seconds, detail=detail)


def told(time: PromisedTime, *lines: TraceLine) -> list[tuple[str, str]]:
    expect = Expectations(promises={"a/later": ExpectedPromise(time, WHERE)})
    return [(finding.expected, finding.observed) for finding in promised(expect, engine(*lines))]


@pytest.mark.parametrize(
    ("time", "line_"),
    [
        (DAY, line(86_400.4, "an answer (24 h)")),
        (DAY, line(86_400.0, "an answer, one matter with a/other", Fact.PROMISE_JOINED)),
        (THREE_DAYS, line(300_000.0, "an answer, due Wed (3 working days)")),
    ],
)
def test_what_was_expected_is_no_finding(time: PromisedTime, line_: TraceLine) -> None:
    assert told(time, line_) == []


def test_nothing_promised_as_expected() -> None:
    assert told(NEVER_PROMISED) == []


@pytest.mark.parametrize(
    ("time", "lines", "finding"),
    [
        (DAY, (), ("a/later promises an answer in 24 h", "it promised nothing")),
        (DAY, (line(7200.0, "x (2 h)"),), ("a/later promises an answer in 24 h", "it promised x (2 h)")),
        (
            THREE_DAYS,
            (line(1.0, "x (24 h)"),),
            ("a/later promises an answer in 3 working days", "it promised x (24 h)"),
        ),
        (NEVER_PROMISED, (line(86_400.0, "x (24 h)"),), ("a/later promises nothing", "it promised x (24 h)")),
    ],
)
def test_anything_else_is(time: PromisedTime, lines: tuple[TraceLine, ...], finding: tuple[str, str]) -> None:
    assert told(time, *lines) == [finding]
