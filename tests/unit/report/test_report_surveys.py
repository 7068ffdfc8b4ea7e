"""Scores, survey by survey, and the key figure they feed; callbacks, kept and broken."""

import csv
import io
import json
from dataclasses import replace

import pytest
from made_reports import DUE, MADE, NOW, promise, report, some_calls
from rich.console import Console

from ivrflow.report import wording
from ivrflow.report.callbacks import callbacks_of
from ivrflow.report.exports import as_csv, as_json
from ivrflow.report.key_figures import Result
from ivrflow.report.page import page
from ivrflow.report.summary import Report
from ivrflow.report.surveys import is_satisfied, surveys_of
from ivrflow.report.tables import tables
from ivrflow.runtime.journal_counts import CountedPromise, CountedScore

SCORES = [
    CountedScore("x", "service", 5, 5),
    CountedScore("y", "service", 3, 5),
    CountedScore("z", "service", 1, 5),
    CountedScore("b", "service", 5, 5),  # on whose call an answer was promised
    CountedScore("x", "agent", 2, 2),
]


def callback(name: str, **changes: object) -> CountedPromise:
    made = promise(name, rule="callback", about="callback", owed_by="ivrflow", id=f"{name}/callback-1", kept_at=None)
    return made._replace(**{"matter": f"{name}/callback-1", **changes})  # type: ignore[arg-type]  # the fields of a promise


CALLBACKS = [
    callback("p", kept_at=DUE - 60),
    callback("q", kept_at=DUE + 60),
    callback("r", due_at=NOW.timestamp() + 60, failed_at=MADE + 60),
    callback("s", due_at=NOW.timestamp() + 60),
    callback("t", dropped_at=MADE + 60),
    callback("u"),
]
TRIES = {"answered": 2, "no_answer": 5, "": 1}


def made() -> Report:
    counted = some_calls()
    return report(replace(counted, scores=SCORES, promises=[*counted.promises, *CALLBACKS], callback_tries=TRIES))


@pytest.mark.parametrize(
    ("score", "most", "expected"),
    [
        (4, 5, True),
        (3, 5, False),
        (3, 3, True),
        (2, 3, False),
        (2, 2, True),
        (3, 4, True),
        (2, 4, False),
        (1, 1, False),
    ],
)
def test_satisfied_is_above_the_middle(score: int, most: int, expected: bool) -> None:
    assert is_satisfied(CountedScore("x", "service", score, most)) is expected


def test_each_survey_is_counted() -> None:
    agent, service = surveys_of(SCORES)
    assert (agent.survey, agent.most, agent.given) == ("agent", 2, ((1, 0), (2, 1)))
    assert (service.count, service.average, service.satisfied, service.misses) == (4, 3.5, 2, ("z",))
    assert wording.survey_cells(service) == ["4", "3.50 of 5", "50.00 %", "1: 1, 2: 0, 3: 1, 4: 0, 5: 2"]
    (odd,) = surveys_of([CountedScore("x", "s", 70, 100), CountedScore("y", "s", 0, 100)])
    assert odd.given == ((0, 1), (70, 1))


def figure(found: Report, name: str) -> Result:
    return next(one for one in found.figures if one.id == name)


def test_scores_are_the_satisfaction_of_those_answered_at_once() -> None:
    found = figure(made(), "enquiry_satisfaction")
    assert found.part is not None
    assert found.whole is not None
    assert (found.part.count, found.whole.count) == (2, 4), "two of four: x twice, y, z; b was promised an answer"
    assert found.whole.what == (
        "enquiries where somebody asked: 0 promised an answer later, 4 scores given on a call on which nothing was promised"
    )
    assert found.misses == ("y", "z")
    assert found.reached == "missed"
    satisfied = replace(some_calls(), promises=[promise("a", satisfied=1)], scores=SCORES)
    both = figure(report(satisfied), "enquiry_satisfaction")
    assert both.part is not None
    assert both.whole is not None
    assert (both.part.count, both.whole.count) == (4, 6)


def test_without_scores_it_says_how_to_get_some() -> None:
    why = figure(report(), "enquiry_satisfaction").why
    assert why.startswith("nobody noted whether the person was satisfied")
    assert why.endswith("; callers give a score on the call where the flow has a survey step")


def test_callbacks_kept_and_broken() -> None:
    told = callbacks_of(CALLBACKS, TRIES, NOW.timestamp())
    assert (told.asked_for, told.kept, told.kept_late, told.broken, told.open, told.cancelled) == (6, 1, 1, 2, 1, 1)
    assert told.misses == ("q", "r", "u")
    assert wording.callbacks(told) == [
        "6 asked for: 1 called back in time, 1 late, 2 not at all, 1 still to be called, 1 taken back",
        "8 calls placed for them: 5 no answer, 2 answered, 1 under way",
    ]
    (row,) = [one for one in made().promises if one.rule == "callback"]
    assert (row.owed_by, row.kept, row.kept_late, row.broken, row.open, row.dropped) == ("ivrflow", 1, 1, 2, 1, 1)


def test_everybody_is_shown_them() -> None:
    found = made()
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(tables(found, misses=5, all_rules=False))
    shown = [" ".join(line.split()) for line in console.export_text().splitlines()]
    assert "service 4 3.50 of 5 50.00 % 1: 1, 2: 0, 3: 1, 4: 0, 5: 2 z" in shown
    assert "late or not at all: q, r, u" in shown
    assert "0.00 % answered within 20 s service_level" not in shown
    assert "50.00 % answered within 20 s service_level" in shown
    html = page(found)
    assert "Survey service: scores of 1 to 5" in html
    assert "6 asked for: 1 called back in time" in html
    told = json.loads(json.dumps(as_json(found)))
    assert told["surveys"][1]["given"] == {"1": 1, "2": 0, "3": 1, "4": 0, "5": 2}
    assert told["callbacks"]["calls_placed"] == {"no_answer": 5, "answered": 2, "under_way": 1}
    assert told["service"][0]["id"] == "service_level"
    lines = [tuple(line) for line in csv.reader(io.StringIO(as_csv(found)))]
    assert ("survey", "service (1 to 5)", "score 5", "2") in lines
    assert ("callbacks", "", "broken", "2") in lines
    assert ("callbacks", "no_answer", "calls", "5") in lines
    assert ("service", "service_level", "denominator", "2") in lines


def test_nothing_is_shown_of_what_there_was_not() -> None:
    found = report()
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(tables(found, misses=5, all_rules=False))
    shown = console.export_text()
    assert "surveys" not in shown
    assert "callbacks" not in shown
    assert "What callers said" not in page(found)
