import sample_results as made

from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.scenario.observation import EngineSide
from ivrflow.scenario.report.engine_lane import engine_lane
from ivrflow.scenario.report.privacy import Privacy
from ivrflow.scenario.report.scene import Shown


def shown(*lines: TraceLine, answered_at: float = 0.0) -> list[Shown]:
    side = EngineSide("", answered_at, lines, (), None, None)
    return [one for row in engine_lane(side, Privacy()).rows for one in row.shown]


def test_a_silent_call() -> None:
    lane = engine_lane(made.engine_side(made.silent_call()), Privacy())
    steps, says, waits, marks = (row.shown for row in lane.rows)
    assert [one.label for one in steps] == ["welcome"]
    assert [one.label for one in says] == ["silent_call.greeting", "silent_call.connected", "silent_call.change_phone"]
    assert [one.label for one in waits] == ["waits 3.00 s", "waits 3.00 s"]
    assert [one.label for one in marks] == ["ladder used up, then hangup", "over: hung up"]
    assert [round(one.end - one.start, 2) for one in says] == [3.84, 2.92, 5.12]


def test_seconds_count_from_the_answer() -> None:
    [wait] = shown(TraceLine(5.0, Fact.WAIT_BEGUN, seconds=3.0), TraceLine(8.0, Fact.WAIT_USED_UP), answered_at=2.0)
    assert (wait.start, wait.end) == (3.0, 6.0)


def test_ringing_and_talk() -> None:
    found = shown(
        TraceLine(1.0, Fact.RINGING, seconds=20.0),
        TraceLine(3.0, Fact.AGENT_ANSWERED),
        TraceLine(9.0, Fact.AGENT_LEFT),
        TraceLine(9.5, Fact.ENDED, detail="hung_up"),
    )
    assert [(one.look, one.start, one.end) for one in found] == [
        ("ringing", 1.0, 3.0),
        ("talk", 3.0, 9.0),
        ("event", 9.5, 9.5),
    ]


def test_an_agent_who_cannot_be_had() -> None:
    found = shown(TraceLine(1.0, Fact.RINGING), TraceLine(21.0, Fact.AGENT_UNAVAILABLE, detail="no answer"))
    assert [(one.look, one.end) for one in found] == [("ringing", 21.0), ("event", 21.0)]
    assert "agent unavailable after 20.00 s: no answer" in found[0].details


def test_keys_are_covered_and_speech_is_a_span() -> None:
    found = shown(
        TraceLine(1.0, Fact.KEY_PRESSED, key="7"),
        TraceLine(2.0, Fact.SPEECH_STARTED),
        TraceLine(4.0, Fact.SPEECH_ENDED),
    )
    assert [(one.look, one.label, one.end) for one in found] == [("keys", "•", 1.0), ("hears", "hears speech", 4.0)]
    assert "7" not in "".join(found[0].details)


def test_what_never_ends_goes_on_to_the_last_line() -> None:
    found = shown(TraceLine(1.0, Fact.PHRASE_STARTED, phrase="gov/a"), TraceLine(6.0, Fact.SIGNAL_GIVEN, detail="x"))
    assert (found[0].start, found[0].end) == (1.0, 6.0)


def test_steps_a_call_only_passes_through_are_left_out() -> None:
    found = shown(
        TraceLine(1.0, Fact.STEP_ENTERED, step="opening_hours"),
        TraceLine(1.001, Fact.STEP_ENTERED, step="welcome"),
        TraceLine(5.0, Fact.CALLER_HUNG_UP),
    )
    assert [one.label for one in found if one.look == "step"] == ["welcome"]


def test_the_rule_and_the_place_are_told() -> None:
    line = TraceLine(1.0, Fact.WAIT_BEGUN, rule="gov/r", rung=10, where="s.yaml:3:1", seconds=3.0)
    [shown_wait] = shown(line)
    assert shown_wait.details[-2:] == ("rule gov/r, rung 10", "s.yaml:3:1")


def test_every_fact_of_a_long_call_is_placed() -> None:
    observation = made.with_agents().observation
    assert observation is not None
    assert observation.engine is not None
    looks = {one.look for row in engine_lane(observation.engine, Privacy()).rows for one in row.shown}
    assert {"step", "says", "waits", "ringing", "talk", "keys", "event"} <= looks
