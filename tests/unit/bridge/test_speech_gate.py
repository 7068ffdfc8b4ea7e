"""What counts as speech: sequences of talk detection as measured on Asterisk, with their times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivrflow.bridge.speech_gate import CONFIRM_S, LONGEST_S, PAUSE_S, SHORTEST_S, SpeechGate
from ivrflow.engine.messages import SpeechEnded, SpeechStarted


@pytest.mark.parametrize(("lasted_ms", "stop_after"), [(0, 0.1), (19, 0.12), (100, 0.2)])
def test_a_click_is_not_speech(lasted_ms: float, stop_after: float) -> None:
    gate = SpeechGate()
    gate.talking_started(10.0)
    assert gate.talking_stopped(10.0 + stop_after, lasted_ms) == []
    assert gate.deadline is None
    assert not gate.is_speaking


def test_speech_counts_once_it_has_lasted_and_not_before() -> None:
    gate = SpeechGate()
    gate.talking_started(10.0)
    assert gate.deadline == pytest.approx(10.0 + CONFIRM_S)
    assert gate.reached(10.0 + CONFIRM_S - 0.01) == []
    assert gate.reached(10.0 + CONFIRM_S) == [SpeechStarted()]
    assert gate.is_speaking


def test_a_short_word_counts_when_its_stop_says_it_was_long_enough() -> None:
    gate = SpeechGate()
    gate.talking_started(10.0)
    assert gate.talking_stopped(10.2, SHORTEST_S * 1000) == [SpeechStarted()]
    assert gate.reached(10.2 + PAUSE_S) == [SpeechEnded()]


def test_a_pause_between_words_does_not_end_speech() -> None:
    gate = SpeechGate()
    gate.talking_started(10.0)
    gate.reached(10.0 + CONFIRM_S)
    assert gate.talking_stopped(11.0, 1000) == []
    gate.talking_started(11.0 + PAUSE_S - 0.05)
    assert gate.reached(11.0 + PAUSE_S) == []
    assert gate.is_speaking
    assert gate.talking_stopped(13.0, 1500) == []
    assert gate.reached(13.0 + PAUSE_S) == [SpeechEnded()]


def test_a_phone_that_stops_sending_does_not_speak_for_ever() -> None:
    gate = SpeechGate()
    gate.talking_started(10.0)
    gate.reached(10.0 + CONFIRM_S)
    deadline = gate.deadline
    assert deadline == pytest.approx(10.0 + CONFIRM_S + LONGEST_S)
    assert deadline is not None
    assert gate.reached(deadline) == [SpeechEnded()]
    assert gate.deadline is None


def test_noise_that_was_given_up_as_speech_is_none_when_it_ends() -> None:
    """A road outside for twenty seconds: its Stop, which says how long it lasted, begins nothing."""
    gate = SpeechGate()
    gate.talking_started(10.0)
    gate.reached(10.0 + CONFIRM_S)
    gate.reached(10.0 + CONFIRM_S + LONGEST_S)
    assert gate.talking_stopped(30.0, 20_000) == []
    assert (gate.is_speaking, gate.deadline) == (False, None)
    gate.talking_started(31.0)
    assert gate.reached(31.0 + CONFIRM_S) == [SpeechStarted()]


def test_losing_the_connection_ends_speech_that_was_going_on() -> None:
    gate = SpeechGate()
    assert gate.lost() == []
    gate.talking_started(10.0)
    gate.reached(10.0 + CONFIRM_S)
    assert gate.lost() == [SpeechEnded()]
    assert gate.lost() == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["start", "stop", "time"]),
            st.floats(0, 3, allow_nan=False),
            st.floats(-1, 5000, allow_nan=False),
        )
    )
)
def test_starts_and_ends_alternate_whatever_is_heard(steps: list[tuple[str, float, float]]) -> None:
    gate = SpeechGate()
    now = 0.0
    heard: list[SpeechStarted | SpeechEnded] = []
    for kind, later, lasted in steps:
        now += later
        if gate.deadline is not None and gate.deadline <= now:
            heard += gate.reached(now)
        if kind == "start":
            gate.talking_started(now)
        elif kind == "stop":
            heard += gate.talking_stopped(now, lasted)
    heard += gate.lost()
    assert heard == [SpeechStarted(), SpeechEnded()] * (len(heard) // 2)
