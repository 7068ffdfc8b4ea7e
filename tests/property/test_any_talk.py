"""Any caller and any agents of a queue, whatever they do: the call is over in time, and what was heard can be judged."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ivrflow.flow.problems import Location
from ivrflow.flow_files import load_flows
from ivrflow.scenario import script as s
from ivrflow.scenario.judging.judgement import judge
from ivrflow.scenario.observation import PhoneSide
from ivrflow.scenario.simulated.on_simulator import play
from ivrflow.softphone.audio_source import NoRtp, Silence

TALKS = load_flows([Path(__file__).parents[1] / "talks" / "flows"])["talks"]
PHRASES = st.sampled_from(["house/hold.progress", "yunda/noise.change_phone.alt1", "yunda/hold_return.apology"])
SECONDS = st.sampled_from([0.0, 0.3, 1.0, 3.0, 8.0, 30.0])
MOMENTS = st.sampled_from([None, 0.5, 5.0, 12.0, 40.0])
LINES = st.integers(1, 99).map(lambda line: Location("any.yaml", line, 1))
ORDERS = st.one_of(
    st.builds(s.Order, st.just("situation"), LINES, st.sampled_from(["noise", "hold_request", "harassment"])),
    st.builds(s.Order, st.just("transfer"), LINES, st.sampled_from(["colleague", "specialist", "line"])),
    st.builds(s.Order, st.sampled_from(["cancel", "done"]), LINES),
)
STEPS = st.one_of(
    st.builds(s.HearStart, PHRASES, LINES, within=SECONDS),
    st.builds(s.Hear, PHRASES, LINES, within=SECONDS),
    st.builds(s.HearMusic, LINES, within=SECONDS),
    st.builds(s.HearNothing, SECONDS, LINES),
    st.builds(s.Wait, SECONDS, LINES),
    st.builds(s.Say, SECONDS, LINES, must_be_heard=st.booleans()),
    st.builds(
        s.Press, st.sampled_from(["1", "2", "3", "#", "*21", "*22", "*70", "*71", "*80", "*81", "*82", "*99"]), LINES
    ),
    st.builds(s.Hold, LINES, st.booleans()),
    st.builds(s.Resume, LINES),
    st.builds(s.HangUp, LINES),
    ORDERS,
)
SCRIPTS = st.lists(STEPS, max_size=8).map(tuple[s.Step, ...])
IN_QUEUES = st.builds(
    s.InQueues, st.just(("agents",)), LINES, MOMENTS, MOMENTS, st.sampled_from([None, 0.0, 6.0]), MOMENTS
)
MANNERS = st.sampled_from(["answers", "answers", "busy", "declines", "rings_on"])
FIRST = st.builds(s.AgentPart, st.just("1001"), MANNERS, LINES, SECONDS, SCRIPTS, IN_QUEUES)
COLLEAGUE = st.builds(s.AgentPart, st.just("1002"), MANNERS, LINES, SECONDS, SCRIPTS, st.one_of(st.none(), IN_QUEUES))
OTHER_SIDES = st.builds(
    s.OtherSide,
    st.sampled_from(["answers", "wrong", "fails", "never"]),
    LINES,
    SECONDS,
    st.sampled_from([{}, {"status": "closed"}, {"status": "open"}]),
)


@settings(max_examples=300)
@given(SCRIPTS, FIRST, COLLEAGUE, OTHER_SIDES, st.sampled_from([Silence(), NoRtp()]))
def test_it_is_over_in_time_and_can_be_judged(
    caller: tuple[s.Step, ...],
    first: s.AgentPart,
    colleague: s.AgentPart,
    other: s.OtherSide,
    background: Silence | NoRtp,
) -> None:
    where = Location("any.yaml", 1, 1)
    scenario = s.Scenario(
        title="any",
        file="any.yaml",
        text="",
        about=(),
        flow=TALKS,
        number="7000",
        at=None,
        proves=(),
        stages=("simulator",),
        why_not="",
        background=background,
        caller=(s.Press("1", where), *caller),
        agents=(first, colleague),
        expect=s.Expectations(messages={}, callbacks=(), places={"messages": where, "callbacks": where}),
        within=400.0,
        where=where,
        look_ups={"look": other},
    )
    observation = play(scenario)
    assert observation == play(scenario)
    assert observation.caller.ended_at is not None
    assert observation.caller.ended_at <= scenario.within
    assert observation.engine is not None
    assert observation.engine.outcome
    for side in (observation.caller, *observation.agents.values()):
        _makes_sense(side, observation.caller.ended_at)
    findings, _ = judge(scenario, observation)
    assert all(finding.expected and finding.observed for finding in findings)
    # However agents part and join, what both hear they hear together.
    assert [finding.observed for finding in findings if "ms apart" in finding.observed] == []


def _makes_sense(side: PhoneSide, call_ended_at: float) -> None:
    assert (side.ended_at is None) == (side.ended_by is None)
    assert all(0 <= one.start < one.end <= call_ended_at for one in side.heard)
    assert all(act.start <= act.end <= call_ended_at for act in side.acts)
    phrases = [one for one in side.heard if one.kind == "phrase"]
    assert all(one.end <= other.start for one, other in pairwise(phrases)), "ivrflow says one thing at a time"
    if side.name == "caller":
        spoken = [one for one in side.heard if one.kind in {"phrase", "music"}]
        assert all(one.end <= other.start for one, other in pairwise(spoken)), "each phrase is alone on the line"
