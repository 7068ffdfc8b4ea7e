"""Who speaks which prompt: a person who recorded it, the English voice for English, else the voice of the flow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ivrflow.flow.speaking.composing import WordingKey
from ivrflow.prompts.human_recordings import Recording
from ivrflow.prompts.index import PromptEntry
from ivrflow.prompts.voices import STOPGAPS, Voice, Voices, english_of
from ivrflow.prompts.wording import PlannedPrompt

_SIGNS = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class Casting:
    """Casts the prompts of one voice.

    Attributes:
        voices: gives a voice by its name.
        name: the voice asked for.
        recordings: what people recorded, by the key and values of the prompt.
        stopgap: the voice of another engine that fills gaps, and only these; empty for none.
        stale: takes a warning for each recording that was made for other words than the prompt has now.
        filled: takes the prompts that a stopgap speaks.
    """

    voices: Voices
    name: str
    recordings: Mapping[WordingKey, Recording] = field(default_factory=dict)
    stopgap: str = ""
    stale: list[str] = field(default_factory=list)
    filled: list[PlannedPrompt] = field(default_factory=list)

    def __call__(self, prompt: PlannedPrompt, known: PromptEntry | None) -> Voice | None:
        """The voice that has to speak the prompt; None when what there is of it will do."""
        if recording := self.recordings.get((prompt.key, prompt.values)):
            return self._recorded(prompt, known, recording)
        voice = self.voices(english_of(self.name) if prompt.is_english else self.name)
        if known is not None and not known.by_person and known.digest == prompt.digest(known.voice):
            # The right words by another voice: kept while the one that should speak cannot.
            if self.stopgap or known.voice == voice.name or voice.missing():
                return None
        elif self.stopgap:
            self.filled.append(prompt)
            return self.voices(self.stopgap)
        return voice

    def _recorded(self, prompt: PlannedPrompt, known: PromptEntry | None, recording: Recording) -> Voice | None:
        if known is None or known.voice != recording.name or _words(known.text) == _words(prompt.text):
            return recording
        self.stale.append(
            f"{recording.path} says “{known.text}”, and {prompt.where} has “{prompt.text}” by now: "
            "record it again, or delete the file to hear a synthetic voice"
        )
        return None


def stopgap_of(engine: str) -> str:
    """The voice of an engine that only fills gaps; empty for Kokoro."""
    return STOPGAPS.get(engine, "")


def _words(text: str) -> str:
    return _SIGNS.sub("", text)
