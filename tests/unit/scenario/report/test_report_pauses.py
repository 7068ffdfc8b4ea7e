from dataclasses import replace

import pytest
import sample_results as made

from ivrflow.flow.model import Band
from ivrflow.scenario.observation import ClockPair, Heard, Observation, PhoneSide, Result
from ivrflow.scenario.report.pauses import in_words, waits_shown
from ivrflow.scenario.script import Hear, Pause, Step


def result(*clocks: ClockPair, pause: Pause | None = None) -> Result:
    greeting = Heard("phrase", "gov/silent_call.greeting", 0.0, 3.8, length=3.84)
    connected = Heard("phrase", "gov/silent_call.connected", 7.0, 9.8, length=2.92)
    steps: list[Step] = [
        Hear("gov/silent_call.greeting", made.where(7)),
        *([pause] if pause else []),
        Hear("gov/silent_call.connected", made.where(9)),
    ]
    caller = PhoneSide("caller", answered_at=0.0, ended_at=12.0, heard=(greeting, connected))
    return Result(made.scenario(caller=steps), "pbx", Observation("pbx", caller), clocks=clocks)


def clock(engine: float | None, wire: float | None) -> ClockPair:
    return ClockPair("gov/silent_call", 1, "3 s", 3.0, 3.0, engine, wire, 3.84)


def test_the_wire_is_drawn_where_it_was_seen_else_the_engine() -> None:
    assert [round(one.end - one.start, 2) for one in waits_shown(result(clock(3.0, 3.04)))] == [3.04]
    assert [round(one.end - one.start, 2) for one in waits_shown(result(clock(3.0, None)))] == [3.0]
    assert waits_shown(result(clock(None, None))) == ()


@pytest.mark.parametrize(
    ("seconds", "fit"), [(2.7, "too short"), (2.75, "within"), (3.25, "within"), (3.3, "too long")]
)
def test_a_wait_outside_its_band_is_said_to_be(seconds: float, fit: str) -> None:
    [wait] = waits_shown(result(clock(3.0, seconds)))
    assert wait.fit == fit


def test_both_clocks_are_drawn_only_when_they_differ() -> None:
    assert waits_shown(result(clock(3.0, 3.05)))[0].other_end is None
    assert waits_shown(result(clock(3.0, 3.1)))[0].other_end == pytest.approx(6.84)


def test_a_pause_the_script_asks_for_is_drawn_too() -> None:
    [wait] = waits_shown(result(pause=Pause(Band(2.5, 4.0), made.where(8), 0.1)))
    assert (wait.start, wait.end, wait.least, wait.most, wait.tolerance) == (3.84, 7.0, 2.5, 4.0, 0.1)
    assert "line 8 of the scenario" in wait.details


def test_a_pause_that_is_a_rules_wait_is_drawn_once_and_with_the_scripts_tolerance() -> None:
    pause = Pause(Band(3.0, 3.0), made.where(8), 0.5, "gov/silent_call")
    [wait] = waits_shown(result(clock(3.0, 3.16), pause=pause))
    assert wait.tolerance == 0.5


def test_a_pause_long_after_a_rules_wait_is_one_of_its_own() -> None:
    pause = Pause(Band(3.0, 3.0), made.where(8), 0.5)
    early = ClockPair("gov/other", 1, "1 s", 1.0, 1.0, 1.0, 1.0, 0.5)
    assert [wait.start for wait in waits_shown(result(early, pause=pause))] == [0.5, 3.84]


def test_without_a_call_there_are_no_waits() -> None:
    assert waits_shown(made.not_played()) == ()
    assert waits_shown(replace(made.passed(), clocks=(), observation=None)) == ()


def test_in_words() -> None:
    assert in_words(3.02, 3, 3, 0.25) == "3.02 s ✓"
    assert in_words(5.21, 3, 3, 0.25) == "5.21 s ✗ 2.21 s too long"
    assert in_words(1.0, 3, 5, 0.25) == "1.00 s ✗ 2.00 s too short"
