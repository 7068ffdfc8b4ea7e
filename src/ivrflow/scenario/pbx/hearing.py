"""All that a phone heard in a call, named: phrases, hold music, tones, and sounds that are none of these.

What is likely is looked for first; only what that leaves unexplained is compared with every phrase the PBX has. A sound
that lasts for less than `LEAST_UNKNOWN_S` and is nothing known is left out, and so is a phrase that is cut before about
300 ms: nobody could say which one it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile
import soxr

from ivrflow.prompts.formats import telephone_samples
from ivrflow.prompts.index import PromptEntry, PromptIndex, ahead_folder
from ivrflow.scenario.observation import Heard
from ivrflow.scenario.script import Scenario
from ivrflow.scenario.values_said import said_with_values
from ivrflow.settings import Settings, SettingsError
from ivrflow.softphone.codecs import RATE, Samples, codec
from ivrflow.softphone.likeness import STEP
from ivrflow.softphone.listening import Listening, Stretch
from ivrflow.softphone.music import MusicIndex
from ivrflow.softphone.recording import JOIN_S, Recording
from ivrflow.softphone.repertoire import LEAST_TELLING, Repertoire, phrase_of
from ivrflow.softphone.tones import steady_tones
from ivrflow.softphone.tracing import Trace

LEAST_UNKNOWN_S = 0.3
"""Seconds from its first to its last moment that a sound must last to be told of when nobody knows it."""

_LEAST_SOUNDING_S = 0.15  # of them it must sound for as long
_WHOLE = 0.9  # completeness from which nobody doubts which phrase it was
_GOES_ON = RATE // 10  # samples after a phrase within which more sound throws doubt on it
_MUSIC_QUERY = RATE // 2  # samples of an unknown sound that are looked up in the music at a time
_LEAST_MUSIC = RATE * 4 // 10  # samples by which music can be told
_RAW_RATES = {".sln": 8000, ".sln16": 16000}


def hear_all(
    recording: Recording, repertoire: Repertoire, *, likely: Collection[str], answered_at: float
) -> tuple[Heard, ...]:
    """Everything a phone heard, in order; times in seconds since `answered_at` (monotonic seconds).

    Of two phrases that sound the same, the likely one is told; of two likely ones, the first in the repertoire.

    Args:
        recording: What the phone received.
        repertoire: Every phrase that may be heard, and the hold music.
        likely: Keys of the phrases the scenario expects.
        answered_at: When the phone's call was answered.
    """
    listening = Listening(recording)
    expected = [wording for wording in repertoire.everything if phrase_of(wording.name) in likely]
    others = [wording for wording in repertoire.everything if phrase_of(wording.name) not in likely]
    found = listening.recognise(expected)
    music, tones = _joined(_music(listening, repertoire.music)), _joined(_tones(listening))
    # Another phrase may begin like the expected one: where more sound follows on, it is decided among all of them.
    doubtful = [trace for trace in found if trace.completeness < _WHOLE and _goes_on(listening, trace)]
    for trace in doubtful:
        listening.give_back(trace)
    found = [trace for trace in found if trace not in doubtful]
    found += listening.recognise([*expected, *others]) if doubtful else listening.recognise(others, LEAST_TELLING)
    heard = [*map(_phrase, found), *music, *tones, *_unknown(listening)]
    return tuple(
        Heard(
            one.kind,
            one.name,
            one.start - answered_at,
            one.end - answered_at,
            one.completeness,
            one.correlation,
            one.length or one.end - one.start,
            tail=one.tail,
        )
        for one in sorted(heard, key=lambda one: one.start)
    )


def _phrase(found: Trace) -> Heard:
    return Heard(
        "phrase",
        phrase_of(found.wording.name),
        found.start,
        found.end,
        found.completeness,
        found.correlation,
        len(found.wording.samples) / RATE,
        tail=(len(found.wording.samples) - found.runs[-1].end) / RATE,
    )


def _goes_on(listening: Listening, trace: Trace) -> bool:
    """Whether something unknown is heard right before or after a phrase."""
    nearby = range(trace.last_place, trace.last_place + _GOES_ON)
    before = range(trace.first_place - _GOES_ON, trace.first_place)
    return any(
        place in nearby or place in before
        for stretch in listening.unknown
        if stretch.stream is trace.stream
        for place in stretch.sounding
    )


# ── what is no phrase ─────────────────────────────────────────────────────────────────────────────────────────────────


def _music(listening: Listening, music: MusicIndex) -> Iterator[Heard]:
    """Stretches of hold music, not yet joined; they are known from then on."""
    if not music.files:
        return
    for stretch in list(listening.unknown):
        stream, tried, known = stretch.stream, stretch.start, stretch.start
        for sound in map(int, stretch.sounding):
            if sound < tried:
                continue
            tried = sound + _MUSIC_QUERY
            if found := _music_from(music, stretch, sound, known):
                start, known = found
                tried = known
                listening.take(stream, start, known)
                yield Heard("music", "", stream.time(start), stream.time(known - STEP) + STEP / RATE)


def _music_from(music: MusicIndex, stretch: Stretch, sound: int, floor: int) -> tuple[int, int] | None:
    """From where to where there is music around the place `sound`, and not before `floor`."""
    end = min(sound + _MUSIC_QUERY, stretch.end)
    found = music.around(stretch.stream, sound, end, floor) if end - sound >= _LEAST_MUSIC else None
    if found is None:
        return None
    start, last = found.start, min(found.end, stretch.end)
    # Music repeats itself: what came before may be found at another of the places that sound the same.
    while start - floor >= _LEAST_MUSIC:
        before = music.around(stretch.stream, max(floor, start - _LEAST_MUSIC), start, floor)
        if before is None:
            break
        start = before.start
    return start, last


def _tones(listening: Listening) -> Iterator[Heard]:
    """Steady tones, not yet joined; they are known from then on."""
    for stretch in _unbroken(listening.unknown):
        stream = stretch.stream
        for tone in steady_tones(stream.samples[stretch.start : stretch.end]):
            start, end = stretch.start + tone.start, stretch.start + tone.end
            listening.take(stream, start, end)
            yield Heard("tone", tone.name, stream.time(start), stream.time(end - STEP) + STEP / RATE)


def _unbroken(stretches: Collection[Stretch]) -> list[Stretch]:
    """The stretches cut where the sender paused for so long that what follows is another sound."""
    unbroken: list[Stretch] = []
    for stretch in stretches:
        pauses = stretch.stream.pauses(stretch.start, stretch.end, JOIN_S)
        for start, end in pairwise([stretch.start, *pauses, stretch.end]):
            unbroken.append(Stretch(stretch.stream, start, end))
    return unbroken


def _unknown(listening: Listening) -> list[Heard]:
    """What is left and long enough to be told of."""
    moments = np.sort([stretch.stream.time(place) for stretch in listening.unknown for place in stretch.sounding])
    if not len(moments):
        return []
    groups = np.split(moments, np.flatnonzero(np.diff(moments) > JOIN_S) + 1)
    return [
        Heard("unknown", "", float(group[0]), float(group[-1]) + STEP / RATE)
        for group in groups
        if group[-1] - group[0] + STEP / RATE >= LEAST_UNKNOWN_S and len(group) * STEP / RATE >= _LEAST_SOUNDING_S
    ]


def _joined(pieces: Iterator[Heard]) -> list[Heard]:
    """Pieces of the same sound put together over pauses shorter than `JOIN_S`."""
    joined: list[Heard] = []
    for piece in sorted(pieces, key=lambda piece: piece.start):
        before = joined[-1] if joined else None
        if before and before.name == piece.name and piece.start - before.end < JOIN_S:
            joined[-1] = Heard(before.kind, before.name, before.start, max(before.end, piece.end))
        else:
            joined.append(piece)
    return joined


# ── what may be heard ─────────────────────────────────────────────────────────────────────────────────────────────────


def load_sounds(settings: Settings) -> tuple[dict[str, Samples], tuple[Samples, ...]]:
    """Every phrase the PBX may play, at 8 kHz, and its hold music; the music is empty when there is no such folder.

    A phrase is there by its key; its further wordings (with values in them, in another voice) by the key and a mark:
    `phrase_of` takes it off.

    Raises:
        SettingsError: a recording is missing or damaged.
    """
    sounds = {name: _prompt(entry, settings) for name, entry in named_prompts(settings).items()}
    return sounds, load_music(settings.music)


def composed_sounds(settings: Settings, scenarios: Iterable[Scenario]) -> dict[str, Samples]:
    """The phrases that are put together from recordings with the values these scenarios give, by key and a mark.

    Raises:
        SettingsError: a recording is missing or damaged.
    """
    said = {(one.phrase, one.prompt.parts) for scenario in scenarios for one in said_with_values(scenario)}
    if not said:
        return {}
    entries = {entry.sound: entry for entry in PromptIndex.load(*_folders(settings)).everything}
    sounds: dict[str, Samples] = {}
    for number, (phrase, parts) in enumerate(sorted(said), start=1):
        if all(part in entries for part in parts):
            sounds[f"{phrase}#with-values-{number}"] = np.concatenate(
                [_prompt(entries[part], settings) for part in parts]
            )
    return sounds


def named_prompts(settings: Settings) -> dict[str, PromptEntry]:
    """Every prompt that is heard as a whole, by the name its wording has in `load_sounds`.

    Raises:
        SettingsError: an index is damaged.
    """
    named: dict[str, PromptEntry] = {}
    counted: dict[str, int] = {}
    index = PromptIndex.load(*_folders(settings))
    for entry in sorted(index.everything, key=lambda entry: (entry.key, entry.speaker, len(entry.values), entry.pairs)):
        if entry.variant == "part":
            continue
        counted[entry.key] = count = counted.get(entry.key, 0) + 1
        named[entry.key if count == 1 else f"{entry.key}#{count}"] = entry
    return named


def _folders(settings: Settings) -> tuple[Path, Path]:
    return settings.masters, ahead_folder(settings.prompts_dir)


def _prompt(entry: PromptEntry, settings: Settings) -> Samples:
    played = settings.prompts_dir / f"{entry.sound}.ulaw"
    if played.exists():
        return codec("ulaw").decode(played.read_bytes())
    masters = [folder / entry.folder / entry.file for folder in _folders(settings)]
    return telephone_samples(next((master for master in reversed(masters) if master.exists()), masters[0]))


def load_music(folder: Path) -> tuple[Samples, ...]:
    """The sound files of a folder of hold music, at 8 kHz, in the order of their names; one for each name.

    Raises:
        SettingsError: one of them is damaged.
    """
    files: dict[str, Path] = {}
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.suffix in {".wav", ".ulaw", ".alaw", ".flac", ".ogg", ".mp3", *_RAW_RATES}:
                files.setdefault(path.stem, path)
    return tuple(_music_file(path) for path in files.values())


def _music_file(path: Path) -> Samples:
    if path.suffix in {".ulaw", ".alaw"}:
        return codec(path.suffix[1:]).decode(path.read_bytes())
    if path.suffix in _RAW_RATES:
        raw = path.read_bytes()
        return _at_8_khz(np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.int16), _RAW_RATES[path.suffix])
    try:
        samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise SettingsError(f"the hold music {path} cannot be read ({error}); remove it or replace it") from error
    mono: Samples = samples.mean(axis=1).astype(np.int16) if samples.shape[1] > 1 else samples[:, 0]
    return _at_8_khz(mono, rate)


def _at_8_khz(samples: Samples, rate: int) -> Samples:
    resampled: Samples = samples if rate == RATE else soxr.resample(samples, rate, RATE)
    return resampled
