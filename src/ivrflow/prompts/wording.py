"""Which prompts a standard needs: one for every wording a caller can hear.

A phrase without placeholders is one prompt. A phrase with placeholders is its `without` wording and, when every
placeholder is closed (lists its values), one prompt for each combination of values. A phrase whose open placeholders say
how they are spoken is recorded in segments besides, between which a call puts the values together from pieces
(`pieces.py`). Any other gets its values when somebody names some to render ahead.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ivrflow.flow.compiling.glances import check_standard
from ivrflow.flow.model import Phrase, Standard
from ivrflow.flow.problems import FlowError, Location, ProblemList
from ivrflow.flow.reading.encoding import decode
from ivrflow.flow.speaking.composing import VALUE_HERE, WordingKey, filled, segment_key, segments
from ivrflow.prompts.reading import is_english, spoken_form, unspeakable, words_in

Variant: TypeAlias = Literal["none", "without", "values", "part"]
ValuePairs: TypeAlias = tuple[tuple[str, str], ...]
"""Placeholder values, sorted by name."""

RENDERING = 1
"""Version of everything between text and master (trimming, level, codec). A new number renders every prompt again."""

JOINED_MS = 10
"""Silence, in milliseconds, that a part keeps where another one follows on at once."""

PAUSE_MS = 80
"""The same where the speaker pauses: where the part begins or ends with a comma, say."""

_SIGNS_FIRST = re.compile(r"^\W+")


@dataclass(frozen=True, slots=True)
class PlannedPrompt:
    """A prompt that should exist.

    Attributes:
        key: the phrase's key, "gov12345/caller_greets.reply".
        variant: "none" for a phrase without placeholders, "without" for the wording that does without the values,
            "values" for the text with values in it, "part" for what is only played between others: its key and values
            are those of `flow.composing`, and "…" in its text stands for what comes before and after it.
        values: the values spoken; the words of a part.
        text: exactly what is written.
        spoken: the text as it is read aloud, digits written out.
        words: words of it with the syllables to speak them by.
        where: the phrase in its file.
    """

    key: str
    variant: Variant
    values: ValuePairs
    text: str
    spoken: str
    words: Mapping[str, str]
    where: Location

    @property
    def standard(self) -> str:
        """The standard the phrase belongs to, and the folder of its files."""
        return self.key.partition("/")[0]

    @property
    def is_english(self) -> bool:
        """Whether an English voice has to speak it."""
        return is_english(self.spoken)

    @property
    def stem(self) -> str:
        """File name without extension: the phrase's name, with a mark for its variant (plain ASCII)."""
        name = self.key.partition("/")[2]
        if self.variant == "none":
            return name
        if self.variant == "without":
            return f"{name}-without"
        written = "\n".join(f"{placeholder}={value}" for placeholder, value in self.values)
        return f"{name}-{hashlib.sha256(written.encode()).hexdigest()[:8]}"

    @property
    def edges_ms(self) -> tuple[int | None, int | None]:
        """Silence before and after the speech, in milliseconds; None as any prompt has it at the ends of a phrase."""
        if self.variant != "part":
            return None, None
        words = self.text.removeprefix(VALUE_HERE).removesuffix(VALUE_HERE)
        before, after = (JOINED_MS if sign.isalnum() else PAUSE_MS for sign in (words[:1], words[-1:]))
        return (
            before if self.text.startswith(VALUE_HERE) else None,
            after if self.text.endswith(VALUE_HERE) else None,
        )

    def digest(self, voice: str) -> str:
        """Changes exactly when the prompt would sound different: other words, another voice, another way to render."""
        sounds = [str(RENDERING), voice, self.spoken, *(f"{word}={said}" for word, said in self.words.items())]
        if self.variant == "part":
            sounds.append(f"edges={self.edges_ms}")
        return hashlib.sha256("\n".join(sounds).encode()).hexdigest()[:16]


def planned_prompts(standard: Standard, words: Mapping[str, str]) -> list[PlannedPrompt]:
    """Every prompt the standard needs ahead of any call, in the order of the file.

    Raises `FlowError` with all wordings the voice could not speak.
    """
    problems = ProblemList()
    planned: list[PlannedPrompt] = []
    for phrase in standard.phrases.values():
        names = phrase.placeholders
        if not names:
            planned.append(_planned(phrase, "none", (), phrase.text, words, problems))
            continue
        if phrase.without is not None:
            planned.append(_planned(phrase, "without", (), phrase.without, words, problems))
        if all(standard.placeholders[name].values for name in names):
            planned += [
                _planned(phrase, "values", pairs, filled(phrase.text, dict(pairs)), words, problems)
                for pairs in _combinations({name: standard.placeholders[name].values for name in names})
            ]
    planned += _planned_parts(standard, words, problems)
    problems.raise_errors()
    return planned


def _planned_parts(standard: Standard, words: Mapping[str, str], problems: ProblemList) -> list[PlannedPrompt]:
    """The segments of phrases that are put together, and the values their closed placeholders list; each once."""
    parts: dict[WordingKey, PlannedPrompt] = {}
    for phrase in standard.phrases.values():
        for said in parts_of(phrase, standard):
            key = segment_key(standard.id, said)
            if key not in parts:
                parts[key] = planned_part(key, said, phrase.where, words, problems)
    return list(parts.values())


def parts_of(phrase: Phrase, standard: Standard) -> list[str]:
    """The words of what is recorded of a phrase in parts, "…" where a value comes; none unless it is put together."""
    closed = [values for name in phrase.placeholders if (values := standard.placeholders[name].values)]
    if not phrase.is_composable or len(closed) == len(phrase.placeholders):
        return []
    return [*segments(phrase.text), *(f"{VALUE_HERE}{value}{VALUE_HERE}" for values in closed for value in values)]


def planned_part(
    key: WordingKey, text: str, where: Location, words: Mapping[str, str], problems: ProblemList
) -> PlannedPrompt:
    """What is only played between other parts; `text` shows by "…" on which sides.

    Notes a problem when the voice could not speak it.
    """
    said = _SIGNS_FIRST.sub("", text.removeprefix(VALUE_HERE).removesuffix(VALUE_HERE))
    if not said:
        problems.error(where, f"there is nothing to speak in “{text}”", "write words")
    return _worded(key, "part", text, said, where, words, problems)


def planned_ahead(
    standard: Standard, given: Mapping[str, Sequence[str]], words: Mapping[str, str]
) -> list[PlannedPrompt]:
    """The prompts of phrases with open placeholders for the values given.

    Every phrase all of whose open placeholders have a value, in every combination, its closed placeholders with each
    of their values unless they are given too.

    Raises `FlowError` when a text with these values cannot be spoken.
    """
    problems = ProblemList()
    planned: list[PlannedPrompt] = []
    for phrase in standard.phrases.values():
        names = phrase.placeholders
        closed = {name: standard.placeholders[name].values for name in names}
        choices = {name: tuple(given.get(name, ())) or closed[name] for name in names}
        if not all(closed.values()) and all(choices.values()):
            planned += [
                _planned(phrase, "values", pairs, filled(phrase.text, dict(pairs)), words, problems)
                for pairs in _combinations(choices)
            ]
    problems.raise_errors()
    return planned


def planned_again(standard: Standard, key: str, values: ValuePairs, words: Mapping[str, str]) -> PlannedPrompt | None:
    """A prompt rendered ahead earlier, with today's text; None when the phrase is gone or has other placeholders."""
    phrase = standard.phrases.get(key)
    if phrase is None or set(phrase.placeholders) != {name for name, _ in values}:
        return None
    problems = ProblemList()
    planned = _planned(phrase, "values", values, filled(phrase.text, dict(values)), words, problems)
    problems.raise_errors()
    return planned


def _combinations(choices: Mapping[str, Sequence[str]]) -> Iterable[ValuePairs]:
    names = sorted(choices)
    for values in itertools.product(*(choices[name] for name in names)):
        yield tuple(zip(names, values, strict=True))


def _planned(
    phrase: Phrase,
    variant: Variant,
    values: ValuePairs,
    text: str,
    words: Mapping[str, str],
    problems: ProblemList,
) -> PlannedPrompt:
    return _worded((phrase.key, values), variant, text, text, phrase.where, words, problems)


def _worded(
    key: WordingKey,
    variant: Variant,
    text: str,
    said: str,
    where: Location,
    words: Mapping[str, str],
    problems: ProblemList,
) -> PlannedPrompt:
    spoken = spoken_form(said)
    if strange := unspeakable(spoken):
        problems.error(
            where,
            f"the voice cannot speak '{strange}' in “{text}”",
            "write it in Chinese characters, or all of it in English",
        )
    return PlannedPrompt(key[0], variant, key[1], text, spoken, words_in(spoken, words), where)


def load_standard(path: Path) -> Standard:
    """The standard in a file. Raises `FlowError` with everything that is wrong with it."""
    file = str(path)
    problems = ProblemList()
    text = decode(path.read_bytes(), file, problems)
    standard, found = check_standard(text, file) if text is not None else (None, ())
    errors = [*problems.errors, *(problem for problem in found if problem.severity == "error")]
    if errors or standard is None:
        raise FlowError(errors)
    return standard
