"""Rendering masters: wording to audio files and their index.

A master is 24 kHz mono Opus in an Ogg file, whoever spoke it. Unchanged wording is never rendered again, and the index is
written after every prompt: stopped half-way, the next build goes on where this one ended.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import soundfile
import soxr

from ivrflow.prompts.index import PromptEntry, read_index, write_index
from ivrflow.prompts.levels import even_out, loudest_frame
from ivrflow.prompts.progress import Report, unreported
from ivrflow.prompts.sound import TELEPHONE_RATE, Samples, telephone_band
from ivrflow.prompts.trimming import dead_air, trim
from ivrflow.prompts.voices import Voice
from ivrflow.prompts.wording import PlannedPrompt
from ivrflow.settings import SettingsError

MASTER_RATE = 24000
MASTER_SUFFIX = ".opus"

_COMPRESSION = 0.8
"""libsndfile's 0 to 1. 0.8 is about 60 kbit/s, where Opus still follows the waveform (24 dB); from 0.85 on it does not
(13 dB), and a prompt is coded once more on its way to a mobile phone."""


@dataclass(frozen=True, slots=True)
class RenderReport:
    """What a build of masters did: prompts rendered anew, taken over from the same words elsewhere, kept, removed."""

    rendered: int
    copied: int
    kept: int
    removed: int


def read_master(path: Path) -> Samples:
    """A master's samples at 24 kHz."""
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != MASTER_RATE or samples.ndim != 1:
        raise ValueError(f"{path} is not {MASTER_RATE} Hz mono")
    kept: Samples = samples
    return kept


Cast: TypeAlias = Callable[[PlannedPrompt, PromptEntry | None], Voice | None]
"""Who speaks a prompt, given what there is of it; None when that will do."""


def render_masters(
    planned: Sequence[PlannedPrompt], cast: Cast, root: Path, book: str, report: Report = unreported, speaker: str = ""
) -> RenderReport:
    """Make the masters of one standard in one voice exactly the planned ones.

    Renders what is missing or out of date, removes what is no longer planned, leaves the rest alone.

    Args:
        planned: what should be there.
        cast: who speaks what.
        root: the folder of all masters.
        book: the standard, or the pieces all standards share.
        report: told how far it is.
        speaker: the further voice whose masters these are; empty for the default voice.

    Raises:
        SettingsError: a voice cannot speak, or the folder cannot be written to.
    """
    folder = root / book / speaker
    try:
        return _rendered(planned, cast, folder, book, report, speaker)
    except PermissionError as error:
        raise SettingsError(f"{error.filename} cannot be written: run it as the owner of {root}") from error


def _rendered(
    planned: Sequence[PlannedPrompt], cast: Cast, folder: Path, book: str, report: Report, speaker: str
) -> RenderReport:
    wanted = {(prompt.key, prompt.values) for prompt in planned}
    # An outdated master stays, with its entry, until the new one is there: the old words are better than none.
    entries = {
        (entry.key, entry.pairs): entry
        for entry in read_index(folder)
        if (entry.key, entry.pairs) in wanted and (folder / entry.file).exists()
    }
    pending = [
        (prompt, voice)
        for prompt in planned
        if (voice := cast(prompt, known := entries.get((prompt.key, prompt.values)))) is not None
        and (known is None or known.digest != prompt.digest(voice.name))
    ]
    if planned or folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
    outdated = {(prompt.key, prompt.values) for prompt, _ in pending}
    same_sound = {entry.digest: entry for wording, entry in entries.items() if wording not in outdated}
    kept, copied = len(planned) - len(pending), 0
    for done, (prompt, voice) in enumerate(pending, start=1):
        path = folder / f"{prompt.stem}{MASTER_SUFFIX}"
        if twin := same_sound.get(prompt.digest(voice.name)):
            _copy(folder / twin.file, path)
            copied += 1
        else:
            _write(path, master(prompt, voice))
        entry = _entry(prompt, voice.name, path, speaker)
        same_sound.setdefault(entry.digest, entry)
        entries[prompt.key, prompt.values] = entry
        write_index(folder, book, entries.values())
        report(done, len(pending), prompt.stem)
    if not folder.exists():
        return RenderReport(0, 0, 0, 0)
    write_index(folder, book, entries.values())
    files = {entry.file for entry in entries.values()}
    dropped = [path for path in folder.glob(f"*{MASTER_SUFFIX}") if path.name not in files]
    for path in dropped:
        path.unlink()
    return RenderReport(len(pending) - copied, copied, kept, len(dropped))


def master(prompt: PlannedPrompt, voice: Voice) -> Samples:
    """The prompt spoken, without dead air, as loud as every other.

    Raises `SettingsError` when the voice cannot speak, or nothing is heard of it.
    """
    try:
        samples, rate = voice.render(prompt.spoken, prompt.words)
        if rate != MASTER_RATE:
            samples = soxr.resample(samples, rate, MASTER_RATE).astype("float32")
        return even_out(trim(samples, MASTER_RATE, prompt.edges_ms), MASTER_RATE)
    except ValueError as error:
        raise SettingsError(f"{prompt.where}: the voice {voice.name} cannot speak {prompt.key}: {error}") from error


def _write(path: Path, samples: Samples) -> None:
    new = path.with_name(f".{path.name}.new")
    try:
        soundfile.write(new, samples, MASTER_RATE, format="OGG", subtype="OPUS", compression_level=_COMPRESSION)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _copy(source: Path, path: Path) -> None:
    new = path.with_name(f".{path.name}.new")
    try:
        shutil.copyfile(source, new)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _entry(prompt: PlannedPrompt, voice: str, path: Path, speaker: str) -> PromptEntry:
    """Measured on the file as it will be decoded, in the telephone band: what counts is what is heard."""
    samples = read_master(path)
    leading, trailing = dead_air(telephone_band(samples, MASTER_RATE), TELEPHONE_RATE)
    return PromptEntry(
        key=prompt.key,
        variant=prompt.variant,
        values=dict(prompt.values),
        text=prompt.text,
        spoken=prompt.spoken,
        voice=voice,
        digest=prompt.digest(voice),
        file=path.name,
        duration_ms=len(samples) * 1000 // MASTER_RATE,
        leading_ms=leading,
        trailing_ms=trailing,
        loudest_frame=loudest_frame(samples, MASTER_RATE),
        speaker=speaker,
    )
