"""How long a phrase takes to say: its recording where there is one, otherwise an estimate from its wording."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ivrflow.flow.model import WHEN, CallFlow

SECONDS_PER_CHARACTER = 0.22
"""Speaking time per character for a wording nobody rendered yet (measured mean of the rendered ones)."""

LONGEST_VALUE = 20
"""Characters a value counts for in a phrase that is put together from pieces: a telephone number read out, an amount."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long something said may take.

    Attributes:
        seconds: the longest of its wordings and values.
        is_estimated: whether a wording without a recording is among them.
        may_be_silent: whether it can come to nothing being said (a wording of the calendar may be empty).
    """

    seconds: float
    is_estimated: bool = False
    may_be_silent: bool = False


class PromptLengths:
    """The lengths of a flow's phrases."""

    def __init__(self, flow: CallFlow) -> None:
        self._flow = flow
        self._recorded: dict[str, float] = {}
        for (key, _), prompt in flow.prompts.prompts.items():
            self._recorded[key] = max(prompt.seconds, self._recorded.get(key, 0.0))

    def longest(self, key: str) -> Length:
        """How long the phrase `key` takes at most; a wording of the calendar as long as its longest line."""
        owner, _, name = key.partition("/")
        if owner != WHEN:
            return self._phrase(key)
        lines = [[self._phrase(said) for said in line.says] for line in self._flow.wordings[name].lines]
        sums = [_joined(line) for line in lines]
        longest = max(sums, key=lambda length: length.seconds, default=Length(0.0))
        return Length(
            longest.seconds,
            any(length.is_estimated for length in sums),
            any(length.seconds <= 0 or length.may_be_silent for length in sums),
        )

    def together(self, keys: Iterable[str]) -> Length:
        """How long several phrases take one after the other."""
        return _joined([self.longest(key) for key in keys])

    def _phrase(self, key: str) -> Length:
        phrase = self._flow.phrases[key]
        recorded = self._recorded.get(key)
        characters = len(phrase.without or phrase.text)
        if phrase.is_composable:
            # Put together from pieces, as long as its values happen to be.
            characters = max(characters, len(phrase.text) + LONGEST_VALUE * len(phrase.placeholders))
        elif recorded is not None and (key, ()) in self._flow.prompts.prompts:
            return Length(recorded, may_be_silent=recorded <= 0)
        estimate = round(characters * SECONDS_PER_CHARACTER, 2)
        return Length(max(estimate, recorded or 0.0), is_estimated=True, may_be_silent=estimate <= 0)


def _joined(lengths: list[Length]) -> Length:
    return Length(
        sum(length.seconds for length in lengths),
        any(length.is_estimated for length in lengths),
        all(length.may_be_silent for length in lengths),
    )
