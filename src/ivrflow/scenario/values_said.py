"""Which phrases a scenario may hear with its own values in them, put together from recordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivrflow.engine.leg import waiting_values
from ivrflow.engine.messages import QueueMoved
from ivrflow.flow.model import CallFlow, Collect, Prompt, Queue
from ivrflow.flow.speaking.composing import VALUE_HERE
from ivrflow.scenario.script import Order, Press, Scenario, Step

_SOON_S = 60.0
"""What a PBX reckons at most whose callers are those of scenarios: a minute is the least that is said."""


@dataclass(frozen=True, slots=True)
class SaidWithValues:
    """A phrase as a caller hears it with values.

    Attributes:
        phrase: its key.
        prompt: what is played: its parts.
        spoken: its words, the values as they are said.
    """

    phrase: str
    prompt: Prompt
    spoken: str


def said_with_values(scenario: Scenario) -> Iterator[SaidWithValues]:
    """Every phrase of the flow that the values in the scenario's script, given or keyed in, may be spoken in.

    So are those of the caller's place in a queue, which is the first: scenarios with queues are played one after the other.
    """
    flow = scenario.flow
    composable = [phrase for phrase in flow.phrases.values() if phrase.is_composable]
    texts = {prompt.file: prompt.text.strip(VALUE_HERE) for prompt in flow.prompts.prompts.values()}
    values: dict[str, str] = {}
    known: set[tuple[str, tuple[str, ...]]] = set()
    steps = (*scenario.caller, *(step for agent in scenario.agents for step in agent.steps))
    for given in (_in_a_queue(flow), *(_given(step, flow) for step in steps)):
        if not given:
            continue
        values.update(given)
        for phrase in composable:
            prompt = flow.prompts.best(phrase, values)
            if prompt is not None and prompt.parts and (phrase.key, prompt.parts) not in known:
                known.add((phrase.key, prompt.parts))
                yield SaidWithValues(phrase.key, prompt, "".join(texts[part] for part in prompt.parts))


def _in_a_queue(flow: CallFlow) -> Mapping[str, str]:
    if not any(isinstance(step, Queue) for step in flow.steps.values()):
        return {}
    return waiting_values(QueueMoved(ticket=0, position=1, expected_s=_SOON_S))


def _given(step: Step, flow: CallFlow) -> Mapping[str, str]:
    """The values that become known with a step of a script: the one it gives, or digits that may be any of those collected."""
    if isinstance(step, Order) and step.what == "value":
        return {step.word: step.value}
    if not isinstance(step, Press):
        return {}
    collected = (one for one in flow.steps.values() if isinstance(one, Collect))
    entries = ((one, step.keys.removesuffix(one.end_key)) for one in collected)
    return {one.value: digits for one, digits in entries if one.least <= len(digits) <= one.most}
