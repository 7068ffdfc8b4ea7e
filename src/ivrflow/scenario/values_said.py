"""Which phrases a scenario may hear with its own values in them, put together from recordings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ivrflow.flow.model import Prompt
from ivrflow.flow.speaking.composing import VALUE_HERE
from ivrflow.scenario.script import Order, Scenario


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
    """Every phrase of the flow that the values given in the scenario's script, or some of them, may be spoken in."""
    flow = scenario.flow
    composable = [phrase for phrase in flow.phrases.values() if phrase.is_composable]
    texts = {prompt.file: prompt.text.strip(VALUE_HERE) for prompt in flow.prompts.prompts.values()}
    values: dict[str, str] = {}
    known: set[tuple[str, tuple[str, ...]]] = set()
    for step in (*scenario.caller, *(step for agent in scenario.agents for step in agent.steps)):
        if not isinstance(step, Order) or step.what != "value":
            continue
        values[step.word] = step.value
        for phrase in composable:
            prompt = flow.prompts.best(phrase, values)
            if prompt is not None and prompt.parts and (phrase.key, prompt.parts) not in known:
                known.add((phrase.key, prompt.parts))
                yield SaidWithValues(phrase.key, prompt, "".join(texts[part] for part in prompt.parts))
