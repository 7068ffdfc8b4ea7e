from dataclasses import replace

import pytest
from judged_scenarios import an_engine, at

from ivrflow.engine import messages as m
from ivrflow.flow.model import Band
from ivrflow.scenario.judging.left_behind import left_behind
from ivrflow.scenario.observation import Noted, noted_among
from ivrflow.scenario.script import Expectations, ExpectedMessage, ExpectedScore

MESSAGE = m.KeepMessage(ticket=3, about="voicemail", seconds=7.5)
SCORE = m.NoteScore(survey="taste", score=2, most=3)
CALLBACK = m.OrderCallback(number=1, caller="", flow="again", made_at=0.0, due_at=3600.0)


def told(expect: Expectations, *noted: Noted) -> list[tuple[str, str]]:
    places = {"messages": at(60), "callbacks": at(61)}
    engine = replace(an_engine(), noted=noted)
    return [(one.expected, one.observed) for one in left_behind(replace(expect, places=places), engine)]


def test_nothing_is_expected_of_who_does_not_look() -> None:
    assert told(Expectations(), MESSAGE, SCORE, CALLBACK) == []


@pytest.mark.parametrize(
    ("band", "noted", "expected", "observed"),
    [
        (None, (MESSAGE,), "", ""),
        (Band(6.0, 8.0), (MESSAGE,), "", ""),
        (Band(8.0, 9.0), (MESSAGE,), "a message of 8-9 s is kept in voicemail", "one of 7.5 s"),
        (None, (), "a message is kept in voicemail", "none was kept there"),
    ],
)
def test_messages(band: Band | None, noted: tuple[Noted, ...], expected: str, observed: str) -> None:
    expect = Expectations(messages={"voicemail": ExpectedMessage(band, at(60))})
    assert told(expect, *noted) == ([(expected, observed)] if expected else [])


def test_no_message() -> None:
    assert told(Expectations(messages={})) == []
    assert told(Expectations(messages={}), MESSAGE) == [
        ("no other message is kept", "one of 7.5 s was kept in voicemail")
    ]


@pytest.mark.parametrize(
    ("score", "noted", "expected", "observed"),
    [
        (2, (SCORE,), "", ""),
        (3, (SCORE,), "taste gets the score 3", "it got 2"),
        (2, (), "taste gets the score 2", "it got none"),
        (2, (SCORE, SCORE), "taste gets the score 2", "it got 2, 2"),
        (None, (), "", ""),
        (None, (SCORE,), "taste gets no score", "it got 2"),
    ],
)
def test_scores(score: int | None, noted: tuple[Noted, ...], expected: str, observed: str) -> None:
    expect = Expectations(scores={"taste": ExpectedScore(score, at(60))})
    assert told(expect, *noted) == ([(expected, observed)] if expected else [])


def test_callbacks() -> None:
    assert told(Expectations(callbacks=("again",)), CALLBACK) == []
    assert told(Expectations(callbacks=())) == []
    assert told(Expectations(callbacks=("again",))) == [("callbacks by again", "none was ordered")]
    assert told(Expectations(callbacks=()), CALLBACK) == [("no callback is ordered", "callbacks by again")]


def test_what_is_noted_names_nobody() -> None:
    noted = noted_among([m.StartMusic(), MESSAGE, replace_caller("13800001111"), SCORE])
    assert noted == (MESSAGE, CALLBACK, SCORE)


def replace_caller(number: str) -> m.OrderCallback:
    return m.OrderCallback(
        number=1, caller=number, flow="again", made_at=0.0, due_at=3600.0, values={"surname": "somebody"}
    )
