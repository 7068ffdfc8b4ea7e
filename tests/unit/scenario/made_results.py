"""Scenarios and results made by hand, for tests of what is done with many of them."""

from __future__ import annotations

from dataclasses import replace

import small_flows as small

from ivrflow.flow.problems import Location
from ivrflow.scenario.observation import Finding, Heard, Observation, PhoneSide, Result
from ivrflow.scenario.script import STAGES, Expectations, Scenario, Stage
from ivrflow.softphone.audio_source import Silence

FLOW = small.flow(small.say("hello", "hello"))


def a_scenario(
    title: str = "a call",
    *,
    file: str = "",
    within: float = 30.0,
    stages: tuple[Stage, ...] = STAGES,
    why_not: str = "",
    proves: tuple[str, ...] = (),
) -> Scenario:
    file = file or f"scenarios/{title.replace(' ', '_')}.yaml"
    return Scenario(
        title=title,
        file=file,
        text=f"scenario: {title}\n",
        about=(),
        flow=FLOW,
        number="1",
        at=None,
        proves=proves,
        stages=stages,
        why_not=why_not,
        background=Silence(),
        caller=(),
        agents=(),
        expect=Expectations(),
        within=within,
        where=Location(file, 1, 1),
    )


def an_observation(
    stage: Stage = "pbx",
    *,
    lasted: float = 10.0,
    heard: tuple[Heard, ...] = (),
    stalls: tuple[tuple[float, float], ...] = (),
) -> Observation:
    caller = PhoneSide("caller", answered_at=0.0, ended_at=lasted, ended_by="peer", heard=heard)
    return Observation(stage, caller, stalls=stalls)


def a_finding(scenario: Scenario, *, fails: bool = True, at: float | None = 6.2) -> Finding:
    where = replace(scenario.where, line=7, column=5)
    return Finding("pause", where, "a pause of 3 s", "4.10 s", at, fails)


def a_result(
    scenario: Scenario | None = None,
    *,
    stage: Stage = "pbx",
    findings: tuple[Finding, ...] = (),
    trouble: str = "",
    skipped: bool = False,
    took: float = 12.5,
    tries: int = 1,
    observation: Observation | None = None,
) -> Result:
    scenario = scenario or a_scenario()
    if observation is None and not trouble:
        observation = an_observation(stage)
    return Result(scenario, stage, observation, findings, trouble=trouble, took=took, tries=tries, skipped=skipped)
