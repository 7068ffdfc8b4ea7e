"""Voices: what turns a spoken form into samples, by name. Nothing here runs during a call.

Rendered files are what callers hear. They come, in this order of preference, from a file that a person recorded
(`human_recordings.py`), from Kokoro, from gTTS for those who are online, and as the last resort from espeak-ng.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from ivrflow.prompts.espeak_voice import EspeakVoice
from ivrflow.prompts.gtts_voice import GttsVoice
from ivrflow.prompts.kokoro_voice import ENGLISH_OF, MANDARIN_VOICES, KokoroVoice
from ivrflow.prompts.sound import Samples


class Voice(Protocol):
    """Something that can speak."""

    @property
    def name(self) -> str:
        """Names the voice in the index and in every digest: another name means another sound."""

    def missing(self) -> str:
        """What must be installed before it can speak, and how; empty when nothing must."""

    def render(self, spoken: str, words: Mapping[str, str]) -> tuple[Samples, int]:
        """Speak a spoken form (no digits), the words by the syllables given: samples and samples per second.

        Raises `SettingsError` for what an operator can mend.
        """


Engine: TypeAlias = Literal["kokoro", "gtts", "espeak-ng"]

STOPGAPS: Mapping[str, str] = {"gtts": "gtts", "espeak-ng": "espeak_ng"}
"""Engines that only fill gaps, with the name of their voice."""

VOICE_NAMES = (*MANDARIN_VOICES, *STOPGAPS.values())
"""What a flow may ask for with `voice:`."""

Voices: TypeAlias = Callable[[str], Voice]
"""A voice by its name."""


def voices_in(folder: Path, threads: int) -> Voices:
    """The voices by name, each made once.

    Args:
        folder: where Kokoro's voice files are kept between builds.
        threads: processor cores to render with.
    """
    known: dict[str, Voice] = {}

    def named(name: str) -> Voice:
        if name not in known:
            known[name] = _made(name, folder, threads)
        return known[name]

    return named


def english_of(name: str) -> str:
    """The voice that speaks the English phrases beside this one: itself when it can."""
    return ENGLISH_OF.get(name, name)


def _made(name: str, folder: Path, threads: int) -> Voice:
    match name:
        case "gtts":
            return GttsVoice()
        case "espeak_ng":
            return EspeakVoice()
        case _:
            return KokoroVoice(folder, threads, name)
