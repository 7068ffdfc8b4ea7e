import pytest
from judged_scenarios import an_engine

from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.scenario.judging.engine_spans import OWN_MESSAGE, PLAYED_BACK, RINGS, TONE, WAITS, joined_up, spans_of


def test_a_span_is_from_its_beginning_to_its_end_counted_from_the_answer() -> None:
    trace = (
        TraceLine(4.0, Fact.RINGING),
        TraceLine(5.0, Fact.SPEECH_STARTED),
        TraceLine(9.0, Fact.AGENT_UNAVAILABLE),
        TraceLine(10.0, Fact.RINGING),
    )
    assert spans_of(an_engine(*trace, answered_at=1.0), RINGS) == [(3.0, 8.0), (9.0, None)]


def test_who_waits_has_music_until_somebody_is_there() -> None:
    trace = (
        TraceLine(1.0, Fact.QUEUED),
        TraceLine(6.0, Fact.AGENT_ANSWERED),
        TraceLine(8.0, Fact.AGENT_HOLDS),
        TraceLine(8.0, Fact.HOLD_BEGUN),
        TraceLine(12.0, Fact.AGENT_BACK),
        TraceLine(20.0, Fact.ENDED),
    )
    assert spans_of(an_engine(*trace), WAITS) == [(1.0, 6.0), (8.0, 12.0)]


def test_only_the_callers_own_message_is_a_message() -> None:
    trace = (
        TraceLine(1.0, Fact.WAIT_BEGUN, detail=OWN_MESSAGE),
        TraceLine(9.0, Fact.MESSAGE_RECORDED),
        TraceLine(9.0, Fact.PHRASE_STARTED, phrase="house/review"),
        TraceLine(11.0, Fact.PHRASE_ENDED),
        TraceLine(11.0, Fact.PHRASE_STARTED, detail=OWN_MESSAGE),
        TraceLine(19.0, Fact.PHRASE_ENDED),
    )
    assert spans_of(an_engine(*trace), PLAYED_BACK) == [(11.0, 19.0)]
    assert spans_of(an_engine(*trace), TONE) == [(1.0, 2.5)], "a tone is short, however long the message is"


@pytest.mark.parametrize(
    ("spans", "joined"),
    [
        ([], []),
        ([(1.0, 2.0), (2.1, 3.0)], [(1.0, 3.0)]),
        ([(2.1, 3.0), (1.0, 2.0)], [(1.0, 3.0)]),
        ([(1.0, 2.0), (2.5, 3.0)], [(1.0, 2.0), (2.5, 3.0)]),
        ([(1.0, None), (2.5, 3.0)], [(1.0, None)]),
        ([(1.0, 5.0), (2.0, 3.0)], [(1.0, 5.0)]),
        ([(1.0, 2.0), (2.0, None)], [(1.0, None)]),
    ],
)
def test_spans_that_go_on_are_one(
    spans: list[tuple[float, float | None]], joined: list[tuple[float, float | None]]
) -> None:
    assert joined_up(spans) == joined
