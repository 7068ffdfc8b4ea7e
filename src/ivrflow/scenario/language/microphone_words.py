"""How a scenario says what a microphone picks up: `silence`, `noise -40dB`, `tone 1200Hz -20dB`."""

from __future__ import annotations

import re
import unicodedata

from ivrflow.flow.problems import Location, ProblemList, did_you_mean
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.reader import (
    Kind,
)
from ivrflow.flow.reading.reader import from_text as kind_of
from ivrflow.flow.reading.source import Text
from ivrflow.flow.reading.syntax import full_width_hint, shortened
from ivrflow.softphone.audio_source import AudioSource, Breathing, ComfortNoise, Noise, NoRtp, Silence, Tone

_QUIETEST = -100.0
_HIGHEST_HZ = 3999
_LEVEL = re.compile(r"(-?\d{1,3}(?:\.\d{1,2})?)dB", flags=re.ASCII)
_BLANK_BEFORE_UNIT = re.compile(r"(?<=\d)\s+(?=(?:dB|Hz)\b)", flags=re.IGNORECASE)
_PITCH = re.compile(r"(\d{1,5})Hz", flags=re.ASCII)


def _level(word: str, kind: str, where: Location, problems: ProblemList) -> float | None:
    hit = _LEVEL.fullmatch(word)
    if hit is None:
        number = re.fullmatch(r"-?(\d{1,3}(?:\.\d{1,2})?)(?:db|dbfs)?", unicodedata.normalize("NFKC", word).lower())
        hint = f"write {kind} -{number[1]}dB" if number else f"write {kind} -40dB"
        message = f"'{shortened(word)}' has no unit" if number and number[0][-1].isdecimal() else ""
        problems.error(where, message or f"'{shortened(word)}' is no level", hint)
        return None
    level = float(hit[1])
    if level > 0:
        hint = f"levels are negative: {kind} -{hit[1]}dB; a telephone voice has about -20dB"
        problems.error(where, f"{hit[1]} dB is louder than full scale, which is 0 dB", hint)
    elif level < _QUIETEST:
        problems.error(where, f"{hit[1]} dB cannot be told from silence", "write silence, or a level like -60dB")
    else:
        return level
    return None


def _pitch(word: str, where: Location, problems: ProblemList) -> int | None:
    hit = _PITCH.fullmatch(word)
    if hit and 1 <= int(hit[1]) <= _HIGHEST_HZ:
        return int(hit[1])
    if hit:
        problems.error(where, f"a telephone cannot carry {hit[1]} Hz", f"write 1Hz to {_HIGHEST_HZ}Hz")
    else:
        number = re.fullmatch(r"(\d{1,4})(?:hz)?", unicodedata.normalize("NFKC", word).lower(), flags=re.ASCII)
        problems.error(where, f"'{shortened(word)}' is no pitch", f"write tone {number[1] if number else 1200}Hz -20dB")
    return None


_BARE_SOURCES: dict[str, AudioSource] = {"silence": Silence(), "no_rtp": NoRtp(), "comfort_noise": ComfortNoise()}
_SOURCES = (*_BARE_SOURCES, "breathing", "noise", "tone")


def _read_source(text: Text, problems: ProblemList) -> AudioSource | None:
    name, *rest = text.text.split()
    most = {"noise": 1, "breathing": 1, "tone": 2}.get(name, 0)
    where = text.where
    if _BLANK_BEFORE_UNIT.search(text.text):
        better = _BLANK_BEFORE_UNIT.sub("", text.text)
        problems.error(where, "a blank stands before the unit", f"write {better}")
    elif name not in _SOURCES:
        hint = full_width_hint(text.text) or did_you_mean(name.lower().replace("-", "_"), _SOURCES)
        problems.error(where, f"'{shortened(name)}' is nothing a microphone picks up", hint)
    elif len(rest) > most:
        too_much = shortened(" ".join(rest[most:]))
        problems.error(where, f"'{name}' takes no '{too_much}'", f"write {_SOURCE_EXAMPLES.get(name, name)}")
    elif name in _BARE_SOURCES:
        return _BARE_SOURCES[name]
    elif name == "tone":
        return _tone(rest, where, problems)
    elif not rest:
        return Noise() if name == "noise" else Breathing()
    else:
        level = _level(rest[0], name, where, problems)
        if level is not None:
            return Noise(level) if name == "noise" else Breathing(level)
    return None


def _tone(words: list[str], where: Location, problems: ProblemList) -> Tone | None:
    if not words:
        problems.error(where, "'tone' does not say how high", "write tone 1200Hz -20dB")
        return None
    pitch = _pitch(words[0], where, problems)
    level = _level(words[1], f"tone {words[0]}", where, problems) if len(words) > 1 else Tone(1).level_dbfs
    return None if pitch is None or level is None else Tone(pitch, level)


_SOURCE_EXAMPLES = {"noise": "noise -40dB", "breathing": "breathing -45dB", "tone": "tone 1200Hz -20dB"}

_SOURCE_SCHEMA: js.Schema = {
    "type": "string",
    "anyOf": [js.one_of([*_SOURCES[:4], *_SOURCE_EXAMPLES.values()]), {"pattern": f"^ *({'|'.join(_SOURCES)})( |$)"}],
}
SOURCE: Kind[AudioSource] = kind_of(
    "what a microphone picks up", "noise -40dB", Silence(), _read_source, schema=_SOURCE_SCHEMA
)
