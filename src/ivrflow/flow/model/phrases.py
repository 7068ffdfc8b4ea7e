"""What is said: phrases, their recordings, and which of them say a phrase best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ivrflow.flow.problems import Location
from ivrflow.flow.speaking.composing import Unspoken, WordingKey, composed, filled, is_chinese, is_part
from ivrflow.flow.speaking.spoken_values import SpokenAs

DEFAULT_VOICE = "zf_xiaobei"
"""The voice of a flow that names none, and of whatever another voice did not record."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """One standard phrase.

    Attributes:
        key: "gov12345/silent_call.greeting": the standard (or phrase file) and the phrase's name in it.
        text: what callers hear, with `{placeholders}`.
        placeholders: their names, in the order of the text.
        without: the wording when a value is not known; None only for a phrase without placeholders.
        note: the standard's remark on when to use it.
        spoken_as: how each placeholder is read whose value may be put together from pieces; the others are spoken only
            as they were recorded.
        allowed: why it stands although a taboo sentence is in it; empty for a phrase that needs no reason.
    """

    key: str
    text: str
    where: Location
    placeholders: tuple[str, ...] = ()
    without: str | None = None
    note: str = ""
    spoken_as: Mapping[str, SpokenAs] = field(default_factory=dict)
    allowed: str = ""

    @property
    def is_composable(self) -> bool:
        """Whether it can be put together from recordings when its values are known: said in Chinese, like the values."""
        is_spoken = bool(self.placeholders) and self.spoken_as.keys() >= set(self.placeholders)
        return is_spoken and is_chinese(self.text)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the PBX can play in one go: one audio file, or several one after the other.

    Attributes:
        file: path below the prompts folder, without extension; empty for one that has parts.
        text: exactly what is spoken.
        seconds: its length.
        loudest_frame: the greatest mean |sample| of a 20 ms frame (16-bit scale): its echo cannot be louder.
        parts: the files it is put together from, in order; empty for one that is a file itself.
    """

    file: str
    text: str
    seconds: float
    loudest_frame: int = 0
    parts: tuple[str, ...] = ()


Values: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PromptCatalogue:
    """Which wordings exist as audio.

    Attributes:
        prompts: by phrase key and the values spoken in it, sorted by name: `("gov12345/caller_greets.reply",
            (("honorific", "女士"),))`. The wording without values has an empty tuple.
        voices: the same for each further voice, and with it what people recorded; a flow's own catalogue has none.
    """

    prompts: Mapping[WordingKey, Prompt] = field(default_factory=dict)
    voices: Mapping[str, Mapping[WordingKey, Prompt]] = field(default_factory=dict)

    def spoken_by(self, voice: str) -> PromptCatalogue:
        """What a flow with this voice plays: its recordings, and the default voice's where it has none.

        A phrase is never put together from two voices: one that recorded any parts of phrases has no others.
        """
        if not self.voices:
            return self
        own = self.voices.get(voice, {})
        has_parts = any(is_part(wording) and self.prompts.get(wording) != prompt for wording, prompt in own.items())
        others = {wording: prompt for wording, prompt in self.prompts.items() if not (has_parts and is_part(wording))}
        return PromptCatalogue({**others, **own})

    def best(self, phrase: Phrase, values: Values) -> Prompt | None:
        """What says the phrase best: with all its values, as a recording or put together; else without them, else None."""
        return self.choose(phrase, values)[0]

    def choose(self, phrase: Phrase, values: Values) -> tuple[Prompt | None, Unspoken | None]:
        """The same, and why values that are known are not spoken; None when they are, or when one is not known."""
        named = tuple(sorted((name, values[name]) for name in set(phrase.placeholders) if name in values))
        without = self.prompts.get((phrase.key, ()))
        if (whole := self.prompts.get((phrase.key, named))) is not None:
            return whole, None
        if not phrase.placeholders or len(named) < len(set(phrase.placeholders)):
            return without, None
        if not phrase.is_composable:
            spoken_ahead = next(name for name in phrase.placeholders if name not in phrase.spoken_as)
            return without, Unspoken(spoken_ahead, "nobody recorded the phrase with these words")
        book = phrase.key.partition("/")[0]
        said = composed(book, phrase.text, phrase.spoken_as, values, self.prompts.__contains__)
        if isinstance(said, Unspoken):
            return without, said
        parts = [self.prompts[key] for key in said]
        joined = Prompt(
            file="",
            text=filled(phrase.text, values),
            seconds=round(sum(part.seconds for part in parts), 3),
            loudest_frame=max(part.loudest_frame for part in parts),
            parts=tuple(part.file for part in parts),
        )
        return joined, None


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A `{word}` that phrases may hold.

    Attributes:
        values: the only values it takes; empty for one that the call brings (a number, a name, a subject).
        about: what belongs there.
        spoken_as: how the value is read.
    """

    name: str
    where: Location
    values: tuple[str, ...] = ()
    about: str = ""
    spoken_as: SpokenAs = "words"
