"""Whether all that a flow can say is recorded: by anybody, in today's wording, and in the voice it asks for."""

from __future__ import annotations

from collections.abc import Container, Mapping
from types import MappingProxyType

from ivrflow.flow.model import DEFAULT_VOICE, Phrase, PromptCatalogue
from ivrflow.flow.problems import Location, ProblemList, did_you_mean
from ivrflow.flow.reading.reader import Named
from ivrflow.flow.speaking.composing import Unspoken, WordingKey, composed, piece_key
from ivrflow.flow.speaking.spoken_values import SpokenAs

_TOLD = 3
"""Phrases named in one warning; the rest is counted."""

_SUCH_AS: Mapping[SpokenAs, str] = MappingProxyType(
    {
        "digits": "1024",
        "telephone": "13812345678",
        "number": "24",
        "time": "13:30",
        "date": "2026-10-01",
        "amount": "128.50",
        "name": "王",
        "words": "先生",
    }
)
"""A value that a voice which speaks such values can be expected to speak."""

_LISTED = piece_key(_SUCH_AS["words"])
"""Words are listed by the standard, and recorded whenever the words around them are."""


def check_recorded(
    said: Mapping[str, Location],
    phrases: Mapping[str, Phrase],
    catalogue: PromptCatalogue,
    voice: Named,
    problems: ProblemList,
) -> None:
    """Every phrase a call can say must exist as audio, in today's wording; one in another voice is a warning.

    Args:
        said: the phrases a call can say, and where it says so.
        phrases: by key.
        catalogue: the recordings in all voices.
        voice: the one the flow asks for.
        problems: notes what is wrong.
    """
    heard = catalogue.spoken_by(voice.text)
    for key, where in said.items():
        phrase = phrases.get(key)
        if phrase is None:
            continue
        prompt = heard.best(phrase, {})
        if prompt is None:
            problems.error(where, f"there is no recording of '{key}'", "run: ivrflow prompts build")
        elif prompt.text != (phrase.without if phrase.placeholders else phrase.text):
            message = f"the recording of '{key}' has another wording than {phrase.where.file}"
            problems.error(where, message, "run: ivrflow prompts build")
    _check_voice([phrases[key] for key in said if key in phrases], catalogue, voice, problems)


def _check_voice(said: list[Phrase], catalogue: PromptCatalogue, voice: Named, problems: ProblemList) -> None:
    if voice.text == DEFAULT_VOICE or not said:
        return
    recorded = catalogue.voices.get(voice.text, {})
    lacking = [phrase.key for phrase in said if (phrase.key, ()) not in recorded]
    lacking += [
        f"{phrase.key} with its values"
        for phrase in said
        if (phrase.key, ()) in recorded
        and phrase.is_composable
        and _speaks_values(phrase, catalogue.prompts)
        and not _speaks_values(phrase, recorded)
    ]
    if not lacking:
        return
    hint = "run: ivrflow prompts build"
    if not recorded:
        near = did_you_mean(voice.text, {DEFAULT_VOICE, *catalogue.voices})
        hint = f"{near}; or {hint}" if near.startswith("did you mean") else hint
        message = f"nothing is recorded in the voice '{voice.text}'"
    else:
        more = f" and {len(lacking) - _TOLD} more" if len(lacking) > _TOLD else ""
        phrases = "phrase is" if len(lacking) == 1 else "phrases are"
        named = ", ".join(lacking[:_TOLD])
        message = f"{len(lacking)} {phrases} not recorded in the voice '{voice.text}': {named}{more}"
    problems.warn(voice.where, f"{message}; callers hear '{DEFAULT_VOICE}' instead", hint)


def _speaks_values(phrase: Phrase, recorded: Container[WordingKey]) -> bool:
    """Whether the phrase can be put together from these recordings, its values being such as one can expect."""
    values = {name: _SUCH_AS[phrase.spoken_as[name]] for name in phrase.placeholders}
    book = phrase.key.partition("/")[0]

    def exists(key: WordingKey) -> bool:
        return key == _LISTED or key in recorded

    return not isinstance(composed(book, phrase.text, phrase.spoken_as, values, exists), Unspoken)
