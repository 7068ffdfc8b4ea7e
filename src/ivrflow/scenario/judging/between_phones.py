"""What the phones heard of each other: silence where nothing may be heard, voices that must be, prompts in step. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import TypeVar

from ivrflow.flow.model import CallFlow
from ivrflow.flow.reading.times import written
from ivrflow.scenario.judging.alignment import sound_alike
from ivrflow.scenario.observation import Act, Finding, Heard, PhoneSide
from ivrflow.scenario.performer import in_words
from ivrflow.scenario.script import HearNothing, Say, Scenario, Step

S = TypeVar("S", HearNothing, Say)

IN_STEP_S = 0.1
"""Seconds by which a prompt may begin earlier at one of two phones that hear it together."""

EDGES_S = 0.3
"""Seconds at either end of a silence, or of a voice, that signalling and a busy machine may take."""

VOICE_HEARD = 0.6
"""Share of what somebody says that the other side must hear: made-up speech has pauses, too."""

_LONG_ENOUGH = 0.7  # completeness of a phrase from which its beginning is sure to have been heard


def between_phones(scenario: Scenario, caller: PhoneSide, agents: Mapping[str, PhoneSide]) -> Iterator[Finding]:
    """What was not as the scripts say.

    Args:
        scenario: what was played.
        caller: the caller's side.
        agents: the agents' sides, by extension.
    """
    phones = [(scenario.caller, caller)]
    phones += [(part.steps, agents[part.extension]) for part in scenario.agents if part.extension in agents]
    for steps, side in phones:
        yield from _not_silent(steps, side)
        listeners = list(agents.values()) if side is caller else [caller]
        yield from _not_heard(steps, side, listeners)
    for agent in agents.values():
        yield from _out_of_step(scenario, caller, agent)


def _not_silent(steps: tuple[Step, ...], side: PhoneSide) -> Iterator[Finding]:
    for step, act in _acts_of(steps, side, HearNothing):
        begins, ends = act.start + EDGES_S, act.end - EDGES_S
        heard = next((one for one in side.heard if min(one.end, ends) - max(one.start, begins) > 0), None)
        if heard is not None:
            expected = f"{_who(side)} hears nothing for {written(step.seconds)}"
            observed = f"{in_a_word(heard)} was heard: {heard.start:.2f}-{heard.end:.2f} s"
            yield Finding("unexpected", step.where, expected, observed, max(heard.start, act.start))


def _not_heard(steps: tuple[Step, ...], side: PhoneSide, listeners: list[PhoneSide]) -> Iterator[Finding]:
    for step, act in _acts_of(steps, side, Say):
        if not step.must_be_heard:
            continue
        share = max((_heard_of(act, listener) for listener in listeners), default=0.0)
        if share < VOICE_HEARD:
            by = "an agent" if side.name == "caller" else "the caller"
            expected = f"{_who(side)} talks for {written(step.seconds)} and {by} hears it"
            observed = f"{share * 100:.0f} % of it was heard" if share else "nobody heard it"
            yield Finding("not heard", step.where, expected, observed, act.start)


def _acts_of(steps: tuple[Step, ...], side: PhoneSide, kind: type[S]) -> Iterator[tuple[S, Act]]:
    for step in steps:
        if isinstance(step, kind):
            yield from ((step, act) for act in side.acts if act.where == step.where and act.what == in_words(step))


def _heard_of(act: Act, listener: PhoneSide) -> float:
    """The share of somebody's words that a phone heard as a voice."""
    length = act.end - act.start
    if length <= 0:
        return 0.0
    voices = [one for one in listener.heard if one.kind in {"unknown", "tone"}]
    return sum(max(0.0, min(one.end, act.end + EDGES_S) - max(one.start, act.start)) for one in voices) / length


def _out_of_step(scenario: Scenario, caller: PhoneSide, agent: PhoneSide) -> Iterator[Finding]:
    """Prompts that caller and agent heard at the same time, but not together."""
    for one, other in product(_phrases(caller), _phrases(agent)):
        if not _is_same(scenario.flow, one, other) or one.end < other.start or other.end < one.start:
            continue
        apart = abs(one.start - other.start)
        if apart > IN_STEP_S:
            expected = f"{one.name} begins for the caller and agent {agent.name} within {IN_STEP_S * 1000:.0f} ms"
            observed = f"it began at {one.start:.2f} s and at {other.start:.2f} s, {apart * 1000:.0f} ms apart"
            yield Finding("unexpected", scenario.where, expected, observed, one.start)


def _phrases(side: PhoneSide) -> list[Heard]:
    return [one for one in side.heard if one.kind == "phrase" and one.completeness >= _LONG_ENOUGH]


def _is_same(flow: CallFlow, one: Heard, other: Heard) -> bool:
    return sound_alike(flow, one.name, other.name)


def _who(side: PhoneSide) -> str:
    return "the caller" if side.name == "caller" else f"agent {side.name}"


def in_a_word(heard: Heard) -> str:
    """What was heard, in words."""
    match heard.kind:
        case "phrase":
            return heard.name
        case "music":
            return "hold music"
        case "tone":
            return f"a tone of {heard.name}"
        case "unknown":
            return "an unknown sound"
