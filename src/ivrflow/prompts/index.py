"""The prompt index: which wordings exist as audio, how long they are and how loud.

Each folder of masters has one `index.json` per standard, and one per further voice in a folder below the standard's
(`yunda/zm_yunxi/index.json`). They are sorted and have one field a line, so that a change of wording is a readable
difference. Loaded, an index is plain data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ivrflow.flow.model import DEFAULT_VOICE, Prompt, PromptCatalogue
from ivrflow.flow.speaking.composing import WordingKey
from ivrflow.prompts.human_recordings import is_recorded
from ivrflow.prompts.wording import PlannedPrompt, ValuePairs, Variant
from ivrflow.settings import SettingsError

INDEX_NAME = "index.json"


class PromptEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One prompt that has been rendered.

    Attributes:
        key: the phrase, "gov12345/silent_call.connected".
        variant: "none", "without" or "values" (see `PlannedPrompt`).
        values: the values spoken, by placeholder.
        text: exactly what is written.
        spoken: how it is read aloud; the text with its digits written out.
        voice: who speaks: engine and voice, or "recorded/" and the hash of what a person recorded.
        speaker: the further voice whose flows hear it; empty for the default voice.
        digest: of everything that decides how it sounds; differs from the planned one when the prompt is out of date.
        file: the master, beside the index.
        duration_ms: length in milliseconds, silence included.
        leading_ms, trailing_ms: silence before and after the speech, in milliseconds.
        loudest_frame: greatest mean |sample| of 20 ms at 8 kHz, 16-bit scale.
    """

    key: str
    variant: Variant
    values: dict[str, str]
    text: str
    spoken: str
    voice: str
    digest: str
    file: str
    duration_ms: int
    leading_ms: int
    trailing_ms: int
    loudest_frame: int
    speaker: str = ""

    @property
    def standard(self) -> str:
        """The standard the phrase belongs to."""
        return self.key.partition("/")[0]

    @property
    def pairs(self) -> ValuePairs:
        """The values, sorted by name."""
        return tuple(sorted(self.values.items()))

    @property
    def sound(self) -> str:
        """What the PBX is told to play: path below the prompts folder, without extension."""
        return f"{self.folder}/{self.stem}"

    @property
    def folder(self) -> str:
        """The folder of its index below that of the masters, and of its telephone formats below that of the PBX."""
        return f"{self.standard}/{self.speaker}" if self.speaker else self.standard

    @property
    def stem(self) -> str:
        """The file name without extension, which is also that of every telephone format."""
        return self.file.removesuffix(Path(self.file).suffix)

    @property
    def by_person(self) -> bool:
        """Whether a person recorded it."""
        return is_recorded(self.voice)


class _IndexFile(msgspec.Struct, frozen=True, kw_only=True):
    standard: str
    prompts: list[PromptEntry]


def read_index(folder: Path) -> list[PromptEntry]:
    """The entries of one standard's folder; none when it has no index yet. Raises `SettingsError` when it is damaged."""
    path = folder / INDEX_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=_IndexFile).prompts
    except FileNotFoundError:
        return []
    except msgspec.DecodeError as error:
        raise SettingsError(f"{path} is damaged ({error}); delete it and run: ivrflow prompts build") from error


def write_index(folder: Path, standard: str, entries: Iterable[PromptEntry]) -> None:
    """Replace the index of one standard's folder in one step: a reader sees the old one or the new one.

    An index that is right already is not touched: the folder may be one that only its installer may write to.
    """
    ordered = sorted(entries, key=lambda entry: (entry.key, entry.variant, entry.pairs))
    encoded = msgspec.json.format(msgspec.json.encode(_IndexFile(standard=standard, prompts=ordered)), indent=1)
    content = encoded + b"\n"
    path = folder / INDEX_NAME
    if path.exists() and path.read_bytes() == content:
        return
    new = folder / f".{INDEX_NAME}.new"
    try:
        new.write_bytes(content)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class PromptIndex:
    """Every prompt of one or more folders of masters.

    Attributes:
        entries: those in the default voice, by phrase and values.
        voices: the same for each further voice.
    """

    entries: Mapping[WordingKey, PromptEntry]
    voices: Mapping[str, Mapping[WordingKey, PromptEntry]] = field(default_factory=dict)

    @classmethod
    def load(cls, *masters: Path) -> PromptIndex:
        """Read every standard's index below these folders; of two entries for the same wording the later folder's.

        Raises `SettingsError` when an index is damaged.
        """
        by_speaker: dict[str, dict[WordingKey, PromptEntry]] = {"": {}}
        for root in masters:
            for folder in index_folders(root):
                for entry in read_index(folder):
                    by_speaker.setdefault(entry.speaker, {})[entry.key, entry.pairs] = entry
        return cls(by_speaker.pop(""), by_speaker)

    @property
    def everything(self) -> Iterator[PromptEntry]:
        """The entries of all voices."""
        yield from self.entries.values()
        for entries in self.voices.values():
            yield from entries.values()

    def spoken_by(self, voice: str) -> Mapping[WordingKey, PromptEntry]:
        """What is there in a voice (the default one too), and with it what people recorded: they win over any voice."""
        if voice == DEFAULT_VOICE:
            return self.entries
        by_people = {wording: entry for wording, entry in self.entries.items() if entry.by_person}
        return {**self.voices.get(voice, {}), **by_people}

    def lookup(
        self, key: str, values: Mapping[str, str] | None = None, voice: str = DEFAULT_VOICE
    ) -> PromptEntry | None:
        """The prompt with exactly these values; else the wording that does without them; None for an unknown key.

        Values the phrase has no placeholder for make no difference. What the voice did not record is looked for in the
        default one.
        """
        given = values or {}
        fitting = [
            entry
            for (known, pairs), entry in {**self.entries, **self.spoken_by(voice)}.items()
            if known == key and all(given.get(name) == value for name, value in pairs)
        ]
        return max(fitting, key=lambda entry: len(entry.values), default=None)

    def catalogue(self) -> PromptCatalogue:
        """The same as the flow sees it."""
        return PromptCatalogue(
            _prompts(self.entries), {voice: _prompts(self.spoken_by(voice)) for voice in self.voices}
        )

    def outdated(self, planned: Iterable[PlannedPrompt], voice: str = DEFAULT_VOICE) -> list[PlannedPrompt]:
        """Those planned prompts that have no recording, or one of another wording (whoever of that voice spoke it)."""
        there = self.spoken_by(voice)
        return [
            prompt
            for prompt in planned
            if (entry := there.get((prompt.key, prompt.values))) is None or entry.digest != prompt.digest(entry.voice)
        ]


def _prompts(entries: Mapping[WordingKey, PromptEntry]) -> dict[WordingKey, Prompt]:
    return {
        wording: Prompt(entry.sound, entry.text, entry.duration_ms / 1000, entry.loudest_frame)
        for wording, entry in entries.items()
    }


def index_folders(root: Path) -> list[Path]:
    """The folders of masters below this one that have an index: a standard's, and those of its further voices."""
    return sorted(path.parent for pattern in ("*/", "*/*/") for path in root.glob(f"{pattern}{INDEX_NAME}"))


def ahead_folder(prompts_dir: Path) -> Path:
    """Where prompts with values rendered ahead live: masters like the others, kept beside the PBX's files."""
    return prompts_dir / ".ahead"
