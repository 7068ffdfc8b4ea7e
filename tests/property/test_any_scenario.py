"""Any scenario on the simulator: it is over in time, what it tells makes sense, and it can be judged."""

from itertools import pairwise

import small_flows as small
from hypothesis import given, settings
from hypothesis import strategies as st

from ivrflow.engine.trace import Judgement
from ivrflow.flow.model import Band
from ivrflow.flow.problems import Location
from ivrflow.scenario import script as s
from ivrflow.scenario.judging.judgement import judge
from ivrflow.scenario.observation import PhoneSide
from ivrflow.scenario.simulated.on_simulator import play
from ivrflow.softphone.audio_source import Breathing, ComfortNoise, Noise, NoRtp, Silence

HOTLINE = small.hotline()
PHRASES = st.sampled_from(sorted(HOTLINE.phrases))
SECONDS = st.sampled_from([0.0, 0.05, 0.15, 0.3, 1.0, 2.0, 3.0, 5.0, 20.0])
LINES = st.integers(1, 99).map(lambda line: Location("any.yaml", line, 1))
SOURCES = st.sampled_from([Silence(), NoRtp(), ComfortNoise(), Breathing(), Noise(-30.0), Noise(-10.0)])
BANDS = st.sampled_from([Band(3, 3), Band(0, 1), Band(2, 20)])
ORDERS = st.one_of(
    st.builds(s.Order, st.just("situation"), LINES, st.sampled_from([*sorted(HOTLINE.situations), "no such"])),
    st.builds(s.Order, st.just("signal"), LINES, st.sampled_from(["audible", "refusal", "caller_agrees"])),
    st.builds(s.Order, st.sampled_from(["cancel", "done"]), LINES),
    st.builds(s.Order, st.just("value"), LINES, st.just("honorific"), st.just("女士")),
)
STEPS = st.one_of(
    st.builds(s.Hear, PHRASES, LINES, st.sampled_from([0.1, 0.7, 1.0]), within=SECONDS),
    st.builds(s.HearStart, PHRASES, LINES, st.sampled_from([0.3, 1.0]), within=SECONDS),
    st.builds(s.HearMusic, LINES, within=SECONDS),
    st.builds(s.HearNothing, SECONDS, LINES),
    st.builds(s.Pause, BANDS, LINES, st.just(0.25)),
    st.builds(s.Wait, SECONDS, LINES),
    st.builds(s.WaitUntil, SECONDS, LINES),
    st.builds(s.Say, SECONDS, LINES, phrase=st.sampled_from(["", "not at all"])),
    st.builds(s.Say, SECONDS, LINES, must_be_heard=st.just(True)),
    st.builds(s.Press, st.sampled_from(["0", "1", "12#", "9", "*21", "*70", "*80"]), LINES),
    st.builds(s.Background, SOURCES, LINES),
    st.builds(s.Hold, LINES),
    st.builds(s.Resume, LINES),
    st.builds(s.HangUp, LINES),
    ORDERS,
)
MANNERS = st.sampled_from(["answers", "busy", "declines", "rings_on", "unreachable"])
AGENTS = st.builds(
    s.AgentPart, st.just("1001"), MANNERS, LINES, SECONDS, st.lists(STEPS, max_size=6).map(tuple[s.Step, ...])
)
EXPECTATIONS = st.builds(
    s.Expectations,
    st.sampled_from([None, "caller", "ivrflow", "agent", "nobody"]),
    st.sampled_from([None, "hung_up"]),
    st.dictionaries(
        st.sampled_from(["gov/silent_call", "gov/noise"]),
        st.builds(s.ExpectedVerdict, st.sampled_from(Judgement), LINES),
    ),
    st.dictionaries(PHRASES, LINES, max_size=2),
    st.booleans(),
    st.sampled_from([None, Band(1, 10)]),
)
SCENARIOS = st.builds(
    s.Scenario,
    title=st.just("any"),
    file=st.just("any.yaml"),
    text=st.just(""),
    about=st.just(()),
    flow=st.just(HOTLINE),
    number=st.just("12345"),
    at=st.none(),
    proves=st.sampled_from([(), ("gov/silent_call",)]),
    stages=st.just(s.STAGES),
    why_not=st.just(""),
    background=SOURCES,
    caller=st.lists(STEPS, max_size=10).map(tuple[s.Step, ...]),
    agents=st.lists(AGENTS, max_size=1).map(tuple[s.AgentPart, ...]),
    expect=EXPECTATIONS,
    within=st.sampled_from([5.0, 60.0, 600.0]),
    where=st.just(Location("any.yaml", 1, 1)),
)


@settings(max_examples=200)
@given(SCENARIOS)
def test_it_is_over_in_time_and_can_be_judged(scenario: s.Scenario) -> None:
    observation = play(scenario)
    assert observation == play(scenario)
    caller = observation.caller
    assert caller.ended_at is not None
    assert caller.ended_at <= scenario.within
    assert observation.engine is not None
    assert observation.engine.outcome
    for side in (caller, *observation.agents.values()):
        _makes_sense(side, caller.ended_at)
    findings, pairs = judge(scenario, observation)
    assert all(finding.expected and finding.observed for finding in findings)
    assert all(pair.wire is None for pair in pairs)


def _makes_sense(side: PhoneSide, call_ended_at: float) -> None:
    assert (side.ended_at is None) == (side.ended_by is None)
    assert all(0 <= one.start < one.end <= call_ended_at for one in side.heard)
    assert all(0 <= one.completeness <= 1 for one in side.heard)
    assert all(act.start <= act.end <= call_ended_at for act in side.acts)
    assert all(one.start <= other.start for one, other in pairwise(side.heard))
    assert all(one.end <= other.start for one, other in pairwise(side.acts))
    phrases = [one for one in side.heard if one.kind == "phrase" and one.name != "not at all"]
    assert all(one.end <= other.start for one, other in pairwise(phrases)), "ivrflow says one thing at a time"
    if side.gave_up is not None:
        assert side.gave_up.since <= side.gave_up.at <= call_ended_at
