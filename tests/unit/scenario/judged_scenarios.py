"""Scenarios and observations made by hand for the judgement: each test shows all it depends on.

The flow is the small hotline of the engine's tests, its standard "gov", each phrase's key its text. Line n of the
scenario file is `at(n)`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import small_flows as small

from ivrflow.engine.trace import Fact, Judgement, TraceLine, Verdict
from ivrflow.flow.model import Band, CallFlow
from ivrflow.flow.problems import Location
from ivrflow.scenario.judging.judgement import judge
from ivrflow.scenario.observation import (
    Act,
    ClockPair,
    EngineSide,
    Finding,
    GaveUp,
    Heard,
    Observation,
    PhoneSide,
    SoundKind,
)
from ivrflow.scenario.script import AgentPart, Expectations, Hear, HungUpFirst, Pause, Scenario, Stage, Step
from ivrflow.softphone.audio_source import Silence

FLOW = small.hotline()
FILE = "silent.yaml"
PLACES = {
    name: Location(FILE, line, 3)
    for line, name in enumerate(("hung_up_first", "outcome", "verdicts", "never_hear", "heard_else", "lasts"), start=50)
}
"""Where the expectations stand in every scenario here."""


def at(line: int) -> Location:
    return Location(FILE, line, 5)


def a_scenario(
    *caller: Step,
    agents: Sequence[AgentPart] = (),
    expect: Expectations | None = None,
    proves: Sequence[str] = (),
    flow: CallFlow = FLOW,
) -> Scenario:
    return Scenario(
        title="a silent caller",
        file=FILE,
        text="",
        about=(),
        flow=flow,
        number="12345",
        at=None,
        proves=tuple(proves),
        stages=("simulator", "pbx"),
        why_not="",
        background=Silence(),
        caller=caller,
        agents=tuple(agents),
        expect=replace(expect or Expectations(), places=PLACES),
        within=60.0,
        where=Location(FILE, 1, 1),
    )


def sound(
    name: str,
    start: float,
    seconds: float = 2.0,
    *,
    share: float = 1.0,
    kind: SoundKind = "phrase",
) -> Heard:
    """A phrase of so many seconds of which that share was heard, from its beginning; or another sound."""
    end = round(start + seconds * share, 6)
    return Heard(kind, name, start, end, share if kind == "phrase" else 1.0, length=seconds)


def a_caller(
    *heard: Heard,
    ended_at: float = 30.0,
    ended_by: str = "peer",
    acts: Sequence[Act] = (),
    gave_up: GaveUp | None = None,
    trouble: str = "",
) -> PhoneSide:
    return PhoneSide(
        "caller",
        answered_at=0.0,
        ended_at=ended_at,
        ended_by=ended_by,  # type: ignore[arg-type]  # a word the test chose
        heard=heard,
        acts=tuple(acts),
        gave_up=gave_up,
        trouble=trouble,
    )


def an_engine(
    *trace: TraceLine,
    verdicts: Sequence[Verdict] = (),
    outcome: str | None = "hung_up",
    hung_up_first: HungUpFirst | None = "ivrflow",
    answered_at: float = 0.0,
) -> EngineSide:
    return EngineSide("1700000000.1", answered_at, trace, tuple(verdicts), outcome, hung_up_first)


def observed(
    caller: PhoneSide,
    *,
    agents: Mapping[str, PhoneSide] | None = None,
    engine: EngineSide | None = None,
    leaks: Sequence[str] = (),
    stage: Stage = "pbx",
    without_engine: bool = False,
) -> Observation:
    if engine is None and not without_engine:
        engine = an_engine()
    return Observation(stage, caller, agents or {}, engine, tuple(leaks))


def findings(scenario: Scenario, observation: Observation) -> list[Finding]:
    return list(judge(scenario, observation)[0])


def pairs(scenario: Scenario, observation: Observation) -> list[ClockPair]:
    return list(judge(scenario, observation)[1])


def the_finding(scenario: Scenario, observation: Observation) -> Finding:
    found = findings(scenario, observation)
    assert len(found) == 1, found
    return found[0]


def words(finding: Finding) -> tuple[str, int, str, str]:
    """What people read of it: kind, line, expected, observed."""
    return finding.kind, finding.where.line, finding.expected, finding.observed


# ── the silent call of the small hotline ──────────────────────────────────────────────────────────────────────────────

GREETING, CONNECTED, CHANGE = "greeting", "connected", "change phone"
SILENT: tuple[Step, ...] = (
    Hear(GREETING, at(3)),
    Pause(Band(3, 3), at(4), 0.25, "gov/silent_call"),
    Hear(CONNECTED, at(5)),
    Pause(Band(3, 3), at(6), 0.25, "gov/silent_call"),
    Hear(CHANGE, at(7)),
)
AS_IT_SHOULD_BE = (sound(GREETING, 0.1), sound(CONNECTED, 5.1), sound(CHANGE, 10.1))


def a_verdict(rule: str, judgement: Judgement = Judgement.KEPT, observed: str = "3.00 s", *evidence: int) -> Verdict:
    return Verdict(f"gov/{rule}", judgement, "say, wait 3 s, say", observed, (), evidence)


def silent_trace(first_wait: float = 3.0, answered_at: float = 0.0) -> tuple[TraceLine, ...]:
    """The engine's trace of the silent call: two phrases of two seconds with a wait between them, then the end."""
    begin = 0.1 + answered_at

    def line(at: float, fact: Fact, phrase: str = "", rung: int = 1, detail: str = "") -> TraceLine:
        return TraceLine(
            round(begin + at, 6), fact, "welcome", "gov/silent_call", rung=rung, phrase=phrase, detail=detail
        )

    again = 2.0 + first_wait
    return (
        TraceLine(0.0, Fact.ARRIVED),
        TraceLine(answered_at, Fact.ANSWERED),
        line(0.0, Fact.PHRASE_STARTED, GREETING),
        line(2.0, Fact.PHRASE_ENDED, GREETING, detail="finished"),
        line(2.0, Fact.WAIT_BEGUN),
        line(again, Fact.WAIT_USED_UP),
        line(again, Fact.PHRASE_STARTED, CONNECTED, 2),
        line(again + 2, Fact.PHRASE_ENDED, CONNECTED, 2, "finished"),
        line(again + 2, Fact.WAIT_BEGUN, rung=2),
        line(again + 5, Fact.WAIT_USED_UP, rung=2),
        line(again + 5, Fact.PHRASE_STARTED, CHANGE, 3),
        line(again + 7, Fact.PHRASE_ENDED, CHANGE, 3, "finished"),
        line(again + 7, Fact.ENDED, rung=3, detail="hung_up"),
    )
