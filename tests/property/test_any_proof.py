"""Whatever a small flow looks like and whatever happens on it: no call shows a longer silence, or takes longer to a
person, than was computed from the flow."""

from any_flow import Doing, Others, Small, by_caller, by_others, doings, flows, others
from heard_call import WatchedCall, longest_silence, play
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact
from ivrflow.flow.proof.silence import silences
from ivrflow.flow.proof.to_human import ways_to_human

TOLERANCE = 1e-6


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small=flows(), around=others, script=doings(st.one_of(by_caller, by_caller, by_others), 14))
def test_no_call_is_silent_for_longer_than_proven(small: Small, around: Others, script: list[Doing]) -> None:
    proven = silences(small.flow)

    call = play(small.flow, around, script)

    waited = longest_silence(call, tasks_sound=True)
    worked = longest_silence(call, tasks_sound=False)
    event(f"silence {'as proven' if abs(waited - proven.waiting.seconds) < 0.01 else 'less'}")
    assert waited <= proven.waiting.seconds + TOLERANCE
    assert worked <= proven.working.seconds + TOLERANCE
    assert proven.waiting.seconds <= proven.working.seconds


def comes_back_by_choice(call: WatchedCall) -> bool:
    """Whether a step is entered again, and not because nothing was done in between."""
    entered: dict[str, int] = {}
    chosen = 0
    for line in call.session.trace:
        if line.fact in {Fact.LADDER_LEFT, Fact.MESSAGE_RECORDED} or (
            line.fact is Fact.DIGITS_COLLECTED and not line.detail.startswith("no_input")
        ):
            chosen += 1
        if line.fact in {Fact.RINGING, Fact.QUEUED}:
            break
        if line.fact is Fact.STEP_ENTERED:
            if entered.get(line.step, chosen) != chosen:
                return True
            entered[line.step] = chosen
    return False


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(small=flows(), around=others, script=doings(by_caller, 14))
def test_nobody_takes_longer_to_a_person_than_proven(small: Small, around: Others, script: list[Doing]) -> None:
    ways = ways_to_human(small.flow)

    call = play(small.flow, around, script)

    seeks = (m.Ring, m.JoinQueue)
    rings = [happening.at for happening in call.record if any(isinstance(one, seeks) for one in happening.actions)]
    assume(rings and not comes_back_by_choice(call))
    proven = [way.seconds for way in ways if way.seconds is not None]
    depends = any("it depends on" in way.why_never for way in ways)
    if proven and not depends:
        event(f"to a person {'as proven' if abs(rings[0] - max(proven)) < 0.01 else 'less'}")
        assert rings[0] <= max(proven) + TOLERANCE
    else:
        assert depends, "a person was rung, and the proof says never"
