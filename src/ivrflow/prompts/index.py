"""The prompt index: which wordings exist as audio, how long they are and how loud.

Each folder of masters has one `index.json` per standard, sorted and one field a line, so that a change of wording is a
readable difference. Loaded, an index is plain data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ivrflow.flow.model import Prompt, PromptCatalogue
from ivrflow.prompts.wording import PlannedPrompt, ValuePairs, Variant
from ivrflow.settings import SettingsError

INDEX_NAME = "index.json"


class PromptEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt that has been rendered.

    Attributes:
        key: the phrase, "gov12345/silent_call.connected".
        variant: "none", "without" or "values" (see `PlannedPrompt`).
        values: the values spoken, by placeholder.
        text: exactly what is written.
        spoken: how it is read aloud; the text with its digits written out.
        voice: who speaks.
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
        return f"{self.standard}/{Path(self.file).stem}"

    @property
    def stem(self) -> str:
        """The file name without extension, which is also that of every telephone format."""
        return Path(self.file).stem


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
    """Every prompt of one or more folders of masters, by phrase and values."""

    entries: Mapping[tuple[str, ValuePairs], PromptEntry]

    @classmethod
    def load(cls, *masters: Path) -> PromptIndex:
        """Read every standard's index below these folders; of two entries for the same wording the later folder's.

        Raises `SettingsError` when an index is damaged.
        """
        return cls(
            {
                (entry.key, entry.pairs): entry
                for root in masters
                for path in sorted(root.glob(f"*/{INDEX_NAME}"))
                for entry in read_index(path.parent)
            }
        )

    def lookup(self, key: str, values: Mapping[str, str] | None = None) -> PromptEntry | None:
        """The prompt with exactly these values; else the wording that does without them; None for an unknown key.

        Values the phrase has no placeholder for make no difference.
        """
        given = values or {}
        fitting = [
            entry
            for (known, pairs), entry in self.entries.items()
            if known == key and all(given.get(name) == value for name, value in pairs)
        ]
        return max(fitting, key=lambda entry: len(entry.values), default=None)

    def catalogue(self) -> PromptCatalogue:
        """The same as the flow sees it."""
        return PromptCatalogue(
            {
                wording: Prompt(entry.sound, entry.text, entry.duration_ms / 1000, entry.loudest_frame)
                for wording, entry in self.entries.items()
            }
        )

    def outdated(self, planned: Iterable[PlannedPrompt]) -> list[PlannedPrompt]:
        """Those planned prompts that have no recording, or one of another wording (whoever spoke it)."""
        return [
            prompt
            for prompt in planned
            if (entry := self.entries.get((prompt.key, prompt.values))) is None
            or entry.digest != prompt.digest(entry.voice)
        ]


def ahead_folder(prompts_dir: Path) -> Path:
    """Where prompts with values rendered ahead live: masters like the others, kept beside the PBX's files."""
    return prompts_dir / ".ahead"
