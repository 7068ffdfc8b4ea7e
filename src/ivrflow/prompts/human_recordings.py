"""What a person recorded: a file put into `<masters>/recorded/<standard>/` wins over every synthetic voice.

The file is named after the phrase, in any common format: `silent_call.connected.wav`. A wording with values or without
them has these behind a hyphen: `caller_greets.reply-女士.wav`, `caller_greets.reply-without.flac`. It is trimmed,
levelled and encoded like every master; its hash stands in the index.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ivrflow.flow.problems import did_you_mean
from ivrflow.prompts.sound import Samples
from ivrflow.prompts.wording import PlannedPrompt
from ivrflow.settings import SettingsError

RECORDED = "recorded"
"""The folder in that of the masters, and the first half of the voice's name of such a prompt."""

_SUFFIXES = (".wav", ".flac", ".opus", ".ogg", ".mp3", ".aiff", ".aif")


@dataclass(frozen=True, slots=True)
class Recording:
    """A file that says one wording.

    Attributes:
        path: the file.
        name: "recorded/" and its hash: another file is another voice.
    """

    path: Path
    name: str

    def missing(self) -> str:
        """Nothing."""
        return ""

    def render(self, spoken: str, words: Mapping[str, str]) -> tuple[Samples, int]:  # noqa: ARG002 - as it was recorded
        """What was recorded, in mono.

        Raises `SettingsError` when the file is damaged or holds no sound.
        """
        try:
            samples, rate = soundfile.read(self.path, dtype="float32", always_2d=True)
        except (OSError, soundfile.LibsndfileError) as error:
            raise SettingsError(f"{self.path} cannot be read as sound ({error}); save it as WAV, 16 bit") from error
        mono: Samples = samples.mean(axis=1, dtype=np.float32)
        if not len(mono) or float(np.abs(mono).max()) < 1e-3:
            raise SettingsError(f"{self.path} is silent; record it again, or delete it")
        return mono, rate


def is_recorded(voice: str) -> bool:
    """Whether the voice of an index entry is a person's."""
    return voice.startswith(f"{RECORDED}/")


def recorded_names(prompt: PlannedPrompt) -> tuple[str, ...]:
    """What a file that says the prompt may be called, without its ending; the one for people first."""
    if prompt.variant != "values":
        return (prompt.stem,)
    phrase = prompt.key.partition("/")[2]
    return ("-".join((phrase, *(value for _, value in prompt.values))), prompt.stem)


def recordings(masters: Path, planned: Iterable[PlannedPrompt]) -> tuple[dict[PlannedKey, Recording], list[str]]:
    """The recordings by key and values of the prompt they say, and a worded warning for each file that says none.

    Raises `SettingsError` when two files say the same prompt.
    """
    named = {(prompt.standard, name): prompt for prompt in planned for name in recorded_names(prompt)}
    found: dict[PlannedKey, Recording] = {}
    warnings: list[str] = []
    for path in sorted((masters / RECORDED).glob("*/*")):
        if path.name.startswith("."):
            continue
        prompt = named.get((path.parent.name, path.stem)) if path.suffix.lower() in _SUFFIXES else None
        if prompt is None:
            warnings.append(_unused(path, named))
            continue
        key = (prompt.key, prompt.values)
        if key in found:
            raise SettingsError(f"{found[key].path} and {path} are the same prompt; delete one of them")
        found[key] = Recording(path, f"{RECORDED}/{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}")
    return found, warnings


PlannedKey = tuple[str, tuple[tuple[str, str], ...]]
"""Key and values of a planned prompt."""


def _unused(path: Path, named: Mapping[tuple[str, str], PlannedPrompt]) -> str:
    if path.suffix.lower() not in _SUFFIXES:
        return f"{path} is not used: recordings end in {', '.join(_SUFFIXES)}"
    names = {name for standard, name in named if standard == path.parent.name}
    if not names:
        return f"{path} is not used: there is no standard '{path.parent.name}'"
    hint = did_you_mean(path.stem, names)
    return f"{path} is not used: no prompt of {path.parent.name} is called '{path.stem}'; {hint}"
