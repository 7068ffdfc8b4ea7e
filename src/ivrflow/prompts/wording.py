"""Which prompts a standard needs: one for every wording a caller can hear.

A phrase without placeholders is one prompt. A phrase with placeholders is its `without` wording and, when every
placeholder is closed (lists its values), one prompt for each combination of values. Open placeholders get theirs when
somebody names values to render ahead.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import yaml

from ivrflow.flow.problems import FlowError, Location, Problem, ProblemList
from ivrflow.prompts.reading import spoken_form, unspeakable, words_in

Variant: TypeAlias = Literal["none", "without", "values"]
ValuePairs: TypeAlias = tuple[tuple[str, str], ...]
"""Placeholder values, sorted by name."""

RENDERING = 1
"""Version of everything between text and master (trimming, level, codec). A new number renders every prompt again."""

LONGEST_WORDING = 110
"""Characters one prompt may speak: the voice takes 510 sounds at a time."""

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class PhraseWording:
    """One phrase as written in the standard; `key` is "gov12345/silent_call.connected"."""

    key: str
    text: str
    without: str | None
    where: Location

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names of the placeholders, each once, in the order of the text."""
        return tuple(dict.fromkeys(_PLACEHOLDER.findall(self.text)))


@dataclass(frozen=True, slots=True)
class Wording:
    """What one standard has to say. `closed` maps a placeholder to the only values it takes."""

    standard: str
    phrases: tuple[PhraseWording, ...]
    closed: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class PlannedPrompt:
    """A prompt that should exist.

    Attributes:
        key: the phrase's key, "gov12345/caller_greets.reply".
        variant: "none" for a phrase without placeholders, "without" for the wording that does without the values,
            "values" for the text with values in it.
        values: the values spoken; empty unless the variant is "values".
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
    def stem(self) -> str:
        """File name without extension: the phrase's name, with a mark for its variant (plain ASCII)."""
        name = self.key.partition("/")[2]
        if self.variant == "none":
            return name
        if self.variant == "without":
            return f"{name}-without"
        written = "\n".join(f"{placeholder}={value}" for placeholder, value in self.values)
        return f"{name}-{hashlib.sha256(written.encode()).hexdigest()[:8]}"

    def digest(self, voice: str) -> str:
        """Changes exactly when the prompt would sound different: other words, another voice, another way to render."""
        sounds = [str(RENDERING), voice, self.spoken, *(f"{word}={said}" for word, said in self.words.items())]
        return hashlib.sha256("\n".join(sounds).encode()).hexdigest()[:16]


def planned_prompts(wording: Wording, words: Mapping[str, str]) -> list[PlannedPrompt]:
    """Every prompt the standard needs ahead of any call, in the order of the file.

    Raises `FlowError` with all wordings the voice could not speak.
    """
    problems = ProblemList()
    planned: list[PlannedPrompt] = []
    for phrase in wording.phrases:
        names = phrase.placeholders
        if not names:
            planned.append(_planned(phrase, "none", (), phrase.text, words, problems))
            continue
        if phrase.without is not None:
            planned.append(_planned(phrase, "without", (), phrase.without, words, problems))
        if all(name in wording.closed for name in names):
            planned += [
                _planned(phrase, "values", pairs, _filled(phrase.text, pairs), words, problems)
                for pairs in _combinations({name: wording.closed[name] for name in names})
            ]
    problems.raise_errors()
    return planned


def planned_ahead(
    wording: Wording, given: Mapping[str, Sequence[str]], words: Mapping[str, str]
) -> list[PlannedPrompt]:
    """The prompts of phrases with open placeholders for the values given.

    Every phrase all of whose open placeholders have a value, in every combination, its closed placeholders with each
    of their values unless they are given too.

    Raises `FlowError` when a text with these values cannot be spoken.
    """
    problems = ProblemList()
    planned: list[PlannedPrompt] = []
    for phrase in wording.phrases:
        names = phrase.placeholders
        choices = {name: tuple(given.get(name, ())) or wording.closed.get(name, ()) for name in names}
        if any(name not in wording.closed for name in names) and all(choices.values()):
            planned += [
                _planned(phrase, "values", pairs, _filled(phrase.text, pairs), words, problems)
                for pairs in _combinations(choices)
            ]
    problems.raise_errors()
    return planned


def planned_again(wording: Wording, key: str, values: ValuePairs, words: Mapping[str, str]) -> PlannedPrompt | None:
    """A prompt rendered ahead earlier, with today's text; None when the phrase is gone or has other placeholders."""
    phrase = next((phrase for phrase in wording.phrases if phrase.key == key), None)
    if phrase is None or set(phrase.placeholders) != {name for name, _ in values}:
        return None
    problems = ProblemList()
    planned = _planned(phrase, "values", values, _filled(phrase.text, values), words, problems)
    problems.raise_errors()
    return planned


def _combinations(choices: Mapping[str, Sequence[str]]) -> Iterable[ValuePairs]:
    names = sorted(choices)
    for values in itertools.product(*(choices[name] for name in names)):
        yield tuple(zip(names, values, strict=True))


def _filled(text: str, pairs: ValuePairs) -> str:
    values = dict(pairs)
    return _PLACEHOLDER.sub(lambda hit: values[hit[1]], text)


def _planned(
    phrase: PhraseWording,
    variant: Variant,
    values: ValuePairs,
    text: str,
    words: Mapping[str, str],
    problems: ProblemList,
) -> PlannedPrompt:
    spoken = spoken_form(text)
    if strange := unspeakable(spoken):
        problems.error(
            phrase.where, f"the voice cannot speak '{strange}' in “{text}”", "write it in Chinese characters"
        )
    if len(spoken) > LONGEST_WORDING:
        problems.error(
            phrase.where,
            f"the wording speaks {len(spoken)} characters; one prompt takes at most {LONGEST_WORDING}",
            "say it in two phrases",
        )
    return PlannedPrompt(phrase.key, variant, values, text, spoken, words_in(spoken, words), phrase.where)


# ── reading the standard's file ───────────────────────────────────────────────────────────────────────────────────────


def read_wording(path: Path) -> Wording:
    """The `id`, `placeholders` and `phrases` of a standard's file; the rest is not prompts' business.

    Raises `FlowError` with everything that keeps a phrase from being spoken.
    """
    problems = ProblemList()
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = Location(str(path), mark.line + 1 if mark else 1, mark.column + 1 if mark else 1)
        raise FlowError([Problem(where, "this is not readable YAML", str(error).splitlines()[0])]) from error
    sections = _fields(root)
    top = Location(str(path), 1, 1)
    standard = _text(sections.get("id"))
    if standard is None:
        problems.error(top, "the standard has no id", "write 'id: ' and a short name at the top")
    closed = {
        name: tuple(str(value.value) for value in values.value)
        for name, node in _fields(sections.get("placeholders")).items()
        if isinstance(values := _fields(node).get("values"), yaml.SequenceNode)
    }
    known = set(_fields(sections.get("placeholders")))
    phrases = [
        phrase
        for name, node in _fields(sections.get("phrases")).items()
        if (phrase := _phrase(f"{standard}/{name}", node, path, known, problems)) is not None
    ]
    if not phrases:
        problems.error(top, "the standard has no phrases", "write them below 'phrases:'")
    problems.raise_errors()
    return Wording(standard or "", tuple(phrases), closed)


def _phrase(key: str, node: yaml.Node, path: Path, known: set[str], problems: ProblemList) -> PhraseWording | None:
    where = Location(str(path), node.start_mark.line + 1, node.start_mark.column + 1)
    name = key.partition("/")[2]
    if not re.fullmatch(r"[a-z0-9_.]+", name):
        problems.error(where, f"the phrase name '{name}' cannot be a file name", "use a-z, 0-9, '_' and '.'")
    text = _text(_fields(node).get("text"))
    if text is None:
        problems.error(where, f"the phrase '{name}' has no text", 'write {text: "..."}')
        return None
    phrase = PhraseWording(key, text, _text(_fields(node).get("without")), where)
    for placeholder in phrase.placeholders:
        if placeholder not in known:
            problems.error(where, f"nobody says what {{{placeholder}}} is", "add it below 'placeholders:'")
    if phrase.placeholders and phrase.without is None:
        problems.error(where, f"'{name}' cannot be spoken when a value is not known", "add a 'without' wording")
    return phrase


def _fields(node: yaml.Node | None) -> dict[str, yaml.Node]:
    return {str(key.value): value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}


def _text(node: yaml.Node | None) -> str | None:
    return str(node.value) if isinstance(node, yaml.ScalarNode) and node.value else None
