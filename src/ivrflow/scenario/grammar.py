"""Every key and word a scenario may hold, declared once: reading goes by it and the reference in the docs is written from it.

Nothing here knows a call flow: which phrases, rules and extensions there are is looked up in `naming`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeAlias, TypeVar

from ivrflow.engine.trace import Judgement
from ivrflow.flow.forms import Form, FormSpec, Key
from ivrflow.flow.model import Band
from ivrflow.flow.problems import Location, ProblemList, did_you_mean, near_word
from ivrflow.flow.reader import (
    KEYS,
    NOBODY,
    NUMBER,
    PHRASE,
    TEXT,
    WORD,
    Kind,
    Named,
    name_of,
    one_or_more,
    scalar,
    wrong,
)
from ivrflow.flow.reader import from_text as kind_of
from ivrflow.flow.source import Entry, Items, Node, Table, Text, Unreadable
from ivrflow.flow.syntax import full_width_hint, shortened
from ivrflow.flow.times import DAY_S, duration, read_time, written
from ivrflow.scenario.script import HEARD_AT_LEAST, PATIENCE_S, RECOGNISED_AFTER_S, HungUpFirst, Stage
from ivrflow.softphone.audio_source import AudioSource, Breathing, ComfortNoise, Noise, NoRtp, Silence, Tone
from ivrflow.softphone.speaking import LONGEST_KEY_MS

T = TypeVar("T")

MOST_STEPS = 500
"""Steps one script may have."""

MOST_KEYS = 64
"""Keys one `press` may have."""

# ── single values ─────────────────────────────────────────────────────────────────────────────────────────────────────

LENGTH = duration(0.0)
"""How long something is done, or waited for."""


def _read_share(text: Text, problems: ProblemList) -> float | None:
    if (hit := re.fullmatch(r"(\d{1,3})%", text.text, flags=re.ASCII)) and 1 <= int(hit[1]) <= 100:
        return int(hit[1]) / 100
    plain = unicodedata.normalize("NFKC", text.text)
    hint = "write 1% to 100%"
    if (hit := re.fullmatch(r"(\d{1,3})\s*%?", plain, flags=re.ASCII)) and 1 <= int(hit[1]) <= 100:
        hint = f"write {int(hit[1])}%"
    elif (hit := re.fullmatch(r"0?\.(\d{1,2})", plain, flags=re.ASCII)) and int(hit[1]):
        hint = f"write {float(plain) * 100:.0f}%"
    problems.error(text.where, f"'{shortened(text.text)}' is no share of a phrase", hint)
    return None


SHARE = kind_of("a share", "90%", 0.0, _read_share, "1% to 100%")


def _read_band(text: Text, problems: ProblemList) -> Band | None:
    """Seconds, least and most: "2.5s-4s", or "3s" for both."""
    parts = text.text.split("-")
    if len(parts) > 2 or not text.text.isascii():
        plain = re.sub("[~–—−]", "-", unicodedata.normalize("NFKC", text.text))
        hint = f"write {plain}" if re.fullmatch(r"[\d.hms]+-[\d.hms]+", plain) else "write 3s, or 2.5s-4s"
        problems.error(text.where, f"'{shortened(text.text)}' is no length of time", hint)
        return None
    ends = [LENGTH.read(Text(part.strip(), text.where), problems) for part in parts]
    least, most = ends[0], ends[-1]
    if least is None or most is None:
        return None
    if least > most:
        better = f"{written(most)}-{written(least)}"
        problems.error(text.where, f"'{shortened(text.text)}' is in the wrong order", f"write {better}")
        return None
    return Band(least, most)


class AsTheRuleSays(Enum):
    """The length of a pause is looked up in the standard."""

    WORDS = "as the rule says"


PauseLength: TypeAlias = Band | AsTheRuleSays


def _read_pause(text: Text, problems: ProblemList) -> PauseLength | None:
    words = " ".join(text.text.lower().split())
    if words == AsTheRuleSays.WORDS.value:
        return AsTheRuleSays.WORDS
    if re.match(r"[a-z]", words):
        hint = f"write 3s, 2.5s-4s, or '{AsTheRuleSays.WORDS.value}'"
        problems.error(text.where, f"'{shortened(text.text)}' is no pause", hint)
        return None
    return _read_band(text, problems)


PAUSE_LENGTH: Kind[PauseLength] = kind_of(
    "a length of time, or `as the rule says`", "2.5s-4s", Band(0.0, 0.0), _read_pause
)


def _read_range(text: Text, problems: ProblemList) -> Band | None:
    band = _read_band(text, problems)
    if band is not None and band.least == band.most:
        around = f"{written(max(0.0, band.least - 1))}-{written(band.most + 1)}"
        problems.error(text.where, "no call lasts exactly that long", f"write the least and the most: {around}")
        return None
    return band


RANGE = kind_of("the least and the most", "15s-25s", Band(0.0, 0.0), _read_range)


def _read_keys(text: Text, problems: ProblemList) -> str | None:
    if len(text.text) > MOST_KEYS:
        problems.error(text.where, f"{len(text.text)} keys are too many", f"at most {MOST_KEYS} in one step")
    elif all(key in KEYS for key in text.text):
        return text.text
    else:
        plain = "".join(unicodedata.normalize("NFKC", text.text).upper().split())
        is_meant = plain and all(key in KEYS for key in plain)
        hint = f'write "{plain}"' if is_meant else f"a telephone has {' '.join(KEYS)}"
        # What was keyed may be a caller's own number: it is not repeated.
        problems.error(text.where, "these are no keys of a telephone", hint)
    return None


KEYS_PRESSED = kind_of("keys", '"1"', "", _read_keys)


def _read_when(text: Text, problems: ProblemList) -> datetime | None:
    try:
        when = read_time(text.text)
    except ValueError as problem:
        problems.error(text.where, *problem.args)
        return None
    if ":" in text.text:
        return when
    problems.error(text.where, f"'{shortened(text.text)}' names no hour", f"write {when:%Y-%m-%d}T10:00")
    return None


WHEN: Kind[datetime | None] = kind_of("a date and time of day, local to the flow", "2026-11-20T10:00", None, _read_when)


def _one_of(what: str, words: Mapping[str, T]) -> Kind[T | None]:
    def convert(text: Text, problems: ProblemList) -> T | None:
        if text.text in words:
            return words[text.text]
        hint = full_width_hint(text.text) or did_you_mean(text.text.lower().replace(" ", "_"), words)
        problems.error(text.where, f"'{shortened(text.text)}' is not {what}", hint)
        return None

    return kind_of(what, next(iter(words)), None, convert, " ".join(f"`{word}`" for word in words))


STAGE: Kind[Stage | None] = _one_of("a place to play a scenario", {"simulator": "simulator", "pbx": "pbx"})
JUDGEMENT: Kind[Judgement | None] = _one_of(
    "a verdict",
    {"kept": Judgement.KEPT, "broken": Judgement.BROKEN, "not_applicable": Judgement.NOT_APPLICABLE},
)
YES_OR_NO: Kind[bool | None] = _one_of("yes or no", {"no": False, "yes": True})
WHO: Kind[HungUpFirst | None] = _one_of(
    "anybody who hangs up",
    {"caller": "caller", "ivrflow": "ivrflow", "agent": "agent", "nobody": "nobody"},
)
OUTCOME_WORD = kind_of("an outcome", "hung_up", NOBODY, lambda text, problems: _word(text, "an outcome", problems))


def _word(text: Text, what: str, problems: ProblemList) -> Named | None:
    if re.fullmatch(r"[a-z0-9_]{1,64}", text.text):
        return Named(text.text, text.where)
    problems.error(text.where, f"'{shortened(text.text)}' cannot be {what}", "small letters, digits and '_'")
    return None


def _read_rule(text: Text, problems: ProblemList) -> Named | None:
    if re.fullmatch(r"(?:[a-z0-9_]+/)?[a-z0-9_]+", text.text) and len(text.text) <= 129:
        return Named(text.text, text.where)
    hint = "write its name as the standard has it: silent_call, or gov12345/silent_call"
    problems.error(text.where, f"'{shortened(text.text)}' is no rule", hint)
    return None


RULE_NAME = kind_of("a rule", "silent_call", NOBODY, _read_rule)
RULE_NAMES = one_or_more(RULE_NAME, "rules")
NEVER_HEARD = one_or_more(PHRASE, "phrases")


# ── what a microphone picks up ────────────────────────────────────────────────────────────────────────────────────────

_QUIETEST = -100.0
_HIGHEST_HZ = 3999
_LEVEL = re.compile(r"(-?\d{1,3}(?:\.\d{1,2})?)dB", flags=re.ASCII)
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
    if name not in _SOURCES:
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

SOURCE: Kind[AudioSource] = kind_of("what a microphone picks up", "noise -40dB", Silence(), _read_source)


# ── what a step says ──────────────────────────────────────────────────────────────────────────────────────────────────

HEARD = Key("phrase", PHRASE, "the phrase", required=True)
AT_LEAST = Key("at_least", SHARE, "how much of it must be heard", f"{HEARD_AT_LEAST:.0%}")
AT_MOST = Key("at_most", SHARE, "how much of it may be heard: it must be cut before", "100%", example="60%")
WITHIN = Key(
    "within",
    duration(0.1, 3600.0, "20s"),
    f"how long it is waited for; without it {written(PATIENCE_S)} longer than the pause before it",
)
HEAR_SPEC = FormSpec("'hear'", (HEARD, AT_LEAST, WITHIN))
HEAR_START_SPEC = FormSpec("'hear_start'", (HEARD, AT_MOST, WITHIN))

PRESSED = Key("keys", KEYS_PRESSED, "the keys", required=True, example='"86420#"')
HELD = Key("hold", duration(0.02, LONGEST_KEY_MS / 1000, "100ms"), "how long each key is held", "100ms")
GAP = Key("gap", duration(0.02, 60.0, "100ms"), "how long it is quiet between two keys", "100ms", example="300ms")
PRESS_SPEC = FormSpec("'press'", (PRESSED, HELD, GAP))


def _short_form(spec: FormSpec, main: Key[Any], name: str, example: str) -> Kind[Form]:
    """The value of `main` alone, or a table of keys."""

    def read(node: Node, problems: ProblemList) -> Form | None:
        if isinstance(node, Table):
            form = spec.read(node, node.where, problems)
            return form if main.name in form.values else None
        value = main.kind.read(node, problems)
        return None if value is None else Form(node.where, {main.name: value}, {main.name: node.where})

    return Kind(name, example, Form(Location("", 0, 0)), read)


SOUND_ENDINGS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".au")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is said: plain speech of so many seconds, or the recording of a phrase, or a sound file."""

    where: Location
    seconds: float | None = None
    phrase: Named = NOBODY
    file: str = ""


def _read_spoken(text: Text, problems: ProblemList) -> Spoken | None:
    words = text.text
    if words.lower().endswith(SOUND_ENDINGS):
        return Spoken(text.where, file=words)
    if re.match(r"\d+(?:\.\d+)?(?:[a-z]{0,3}\d*)*$", unicodedata.normalize("NFKC", words)) or words[0].isdecimal():
        seconds = _SPEECH.read(text, problems)
        return None if seconds is None else Spoken(text.where, seconds=seconds)
    if not re.fullmatch(r"[a-z0-9_./]+", words):
        hint = "write 2s for plain speech, a phrase's key (house/menu.main), or a sound file (hello.wav)"
        problems.error(text.where, f"'{shortened(words)}' is nothing that can be said", hint)
        return None
    phrase = PHRASE.read(text, problems)
    return None if phrase is None else Spoken(text.where, phrase=phrase)


_SPEECH = duration(0.02, 600.0, "2s")

SPOKEN: Kind[Spoken | None] = kind_of("a length of time, a phrase, or a sound file", "2s", None, _read_spoken)

Values: TypeAlias = tuple[tuple[Named, Named], ...]
"""Placeholders and their values."""


def _read_values(node: Node, problems: ProblemList) -> Values | None:
    if not isinstance(node, Table) or not node.entries:
        wrong(node, "a placeholder and its value", "{honorific: 女士}", problems)
        return None
    return tuple(
        (Named(entry.key.text, entry.key.where), Named(value.text, value.where))
        for entry in node.entries
        if (value := scalar(entry.value, "a value", "女士", problems)) is not None
    )


VALUES: Kind[Values] = Kind("a placeholder and its value", "{honorific: 女士}", (), _read_values)


# ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class StepWord:
    """One thing a phone can do or wait for.

    Attributes:
        kind: what stands behind its colon; None when nothing can.
        about: what it means, in the words of the reference.
        alone: whether the word may stand without a value.
        spec: the keys of its long form, when it has one.
    """

    name: str
    kind: Kind[Any] | None
    about: str
    alone: bool = False
    example: str = ""
    spec: FormSpec | None = None

    @property
    def shown(self) -> str:
        """The step as it is written."""
        if self.kind is None:
            return f"- {self.name}"
        return f"- {self.name}: {self.example or self.kind.example}"


HEAR = StepWord(
    "hear",
    _short_form(HEAR_SPEC, HEARD, "a phrase", "greeting_inbound.standard"),
    "the phrase is heard to its end; the step ends with its last sound",
    spec=HEAR_SPEC,
)
HEAR_START = StepWord(
    "hear_start",
    _short_form(HEAR_START_SPEC, HEARD, "a phrase", "silent_call.connected"),
    f"the phrase begins: goes on {written(RECOGNISED_AFTER_S)} into it, which may then be cut; what follows counts from"
    " its first sound",
    spec=HEAR_START_SPEC,
)
HEAR_MUSIC = StepWord("hear_music", None, "hold music begins", alone=True)
PAUSE = StepWord(
    "pause",
    PAUSE_LENGTH,
    "how long it must be quiet between the phrase before and the phrase after; `as the rule says` takes the seconds from"
    " the standard, or from the flow where it waits of its own choice; a number alone may be off by the flow's tolerance",
    example="as the rule says",
)
WAIT = StepWord("wait", LENGTH, "do nothing for so long, counted from the moment of the step before", example="1s")
WAIT_UNTIL = StepWord(
    "wait_until", LENGTH, "do nothing until so long after this phone's call was answered", example="12s"
)
SAY = StepWord(
    "say",
    SPOKEN,
    "say something: so much plain speech, a phrase in its recorded voice, or a sound file (path beside the scenario)",
)
PRESS = StepWord(
    "press", _short_form(PRESS_SPEC, PRESSED, "keys", '"1"'), "press keys, one after the other", spec=PRESS_SPEC
)
BACKGROUND = StepWord("background", SOURCE, "what the microphone picks up from now on", example="noise -30dB")
HOLD = StepWord(
    "hold", LENGTH, "put the other side on hold, and take it off again after so long", alone=True, example="5s"
)
RESUME = StepWord("resume", None, "take it off hold", alone=True)
SITUATION = StepWord(
    "situation", WORD, "tell ivrflow which documented situation this is, as an agent would", example="noise"
)
CANCEL = StepWord("cancel", None, "take the situation back", alone=True)
SIGNAL = StepWord("signal", WORD, "judge what the caller did: the word that leaves a ladder", example="understood")
DONE = StepWord("done", None, "the task that the ladder asked for is done", alone=True)
VALUE = StepWord("value", VALUES, "a placeholder's value becomes known")
HANG_UP = StepWord("hang_up", None, "hang up; nothing can follow", alone=True)

STEP_WORDS: tuple[StepWord, ...] = (
    HEAR,
    HEAR_START,
    PAUSE,
    HEAR_MUSIC,
    WAIT,
    WAIT_UNTIL,
    SAY,
    PRESS,
    BACKGROUND,
    HOLD,
    RESUME,
    SITUATION,
    CANCEL,
    SIGNAL,
    DONE,
    VALUE,
    HANG_UP,
)

ANSWER_AFTER = duration(0.0, 600.0, "2s")
RINGS = StepWord("ring", ANSWER_AFTER, "it rings for so long, then the agent answers")
ANSWERS = StepWord("answers", None, "the agent answers at once", alone=True)
BUSY = StepWord("busy", ANSWER_AFTER, "the line is busy, at once or after so long", alone=True)
DECLINES = StepWord("declines", ANSWER_AFTER, "the agent refuses the call, at once or after so long", alone=True)
RINGS_ON = StepWord("rings_on", None, "nobody answers", alone=True)
UNREACHABLE = StepWord("unreachable", None, "the telephone is not there", alone=True)

MANNERS: tuple[StepWord, ...] = (RINGS, ANSWERS, BUSY, DECLINES, RINGS_ON, UNREACHABLE)


@dataclass(frozen=True, slots=True)
class WrittenStep:
    """One item of a script: its word, what stands behind it (None when nothing does), where."""

    word: StepWord
    value: Any
    where: Location


Script: TypeAlias = tuple[WrittenStep, ...]


def _read_item(node: Node, words: tuple[StepWord, ...], what: str, problems: ProblemList) -> WrittenStep | None:
    known = {word.name: word for word in words}
    if isinstance(node, Unreadable):
        return None
    if isinstance(node, Table) and node.entries:
        entry, *others = node.entries
        if others:
            _several_keys(entry, others, known, problems)
            return None
        name, value = entry.key, entry.value
    elif isinstance(node, Text) and node.text:
        name, value = node, None
    else:
        wrong(node, what, known[next(iter(known))].shown, problems)
        return None
    word = known.get(name.text)
    if word is None:
        _unknown_step(name, known, what, problems)
        return None
    if value is None:
        if word.alone:
            return WrittenStep(word, None, name.where)
        problems.error(name.where, f"'{word.name}' says nothing", f"write {word.shown}")
        return None
    if word.kind is None:
        if not isinstance(value, Unreadable):
            problems.error(name.where, f"'{word.name}' stands alone", f"write - {word.name}")
        return None
    read = word.kind.read(value, problems)
    return None if read is None else WrittenStep(word, read, name.where)


def _several_keys(first: Entry, others: list[Entry], known: dict[str, StepWord], problems: ProblemList) -> None:
    """Two keys in one item: either each is a step of its own, or the second belongs below the first."""
    for other in others[:5]:
        name = other.key.text
        if name in known:
            hint = f"begin a line of its own with '- {name}'"
        else:
            keys = {key.name for word in known.values() if word.spec for key in word.spec.keys}
            belongs = first.key.text in known and near_word(name, keys)
            hint = f"write {first.key.text}: {{…, {belongs}: …}}" if belongs else did_you_mean(name, known)
        problems.error(other.key.where, f"'{shortened(name)}' stands in the step '{shortened(first.key.text)}'", hint)


_MEANT = {
    "listen": "hear",
    "expect": "hear",
    "play": "say",
    "speak": "say",
    "speech": "say",
    "sleep": "wait",
    "delay": "wait",
    "silence": "wait",
    "dtmf": "press",
    "key": "press",
    "keys": "press",
    "digits": "press",
    "hangup": "hang_up",
    "bye": "hang_up",
    "unhold": "resume",
    "music": "hear_music",
    "noise": "background",
    "answer": "answers",
    "rings": "ring",
}
"""What people write who come from other tools."""


def _unknown_step(name: Text, known: dict[str, StepWord], what: str, problems: ProblemList) -> None:
    meant = _MEANT.get(name.text.lower(), "")
    hint = f"did you mean '{meant}'?" if meant in known else ""
    wide = full_width_hint(name.text) if not name.quoted else ""
    plain = unicodedata.normalize("NFKC", name.text)
    if not hint and not wide and (glued := re.match(r"([a-z_]+):(\S.*)", plain)) and glued[1] in known:
        hint = f"write '- {glued[1]}: {shortened(glued[2])}', with a blank after the colon"
    hint = wide or hint or did_you_mean(name.text.lower().replace(" ", "_"), known)
    problems.error(name.where, f"'{shortened(name.text)}' is not {what}", hint)


def _read_script(node: Node, problems: ProblemList) -> Script | None:
    what, example = "a list of steps", "- hear: greeting_inbound.standard"
    if isinstance(node, Items):
        items = node.items
    elif isinstance(node, Text) and node.text in {word.name for word in STEP_WORDS}:
        items = (node,)
    else:
        wrong(node, what, example, problems)
        return None
    return _read_steps(items, problems)


def _read_steps(items: tuple[Node, ...], problems: ProblemList) -> Script:
    if len(items) > MOST_STEPS:
        problems.error(items[MOST_STEPS].where, f"more than {MOST_STEPS} steps", "split the scenario")
    steps = [_read_item(item, STEP_WORDS, "anything a phone does", problems) for item in items[:MOST_STEPS]]
    return tuple(step for step in steps if step is not None)


SCRIPT: Kind[Script] = Kind("a list of steps", "[{hear: greeting_inbound.standard}]", (), _read_script)


@dataclass(frozen=True, slots=True)
class WrittenAgent:
    """What stands below an extension: how it rings, then what the agent does."""

    extension: Named
    manner: WrittenStep
    steps: Script


def _read_agents(node: Node, problems: ProblemList) -> tuple[WrittenAgent, ...] | None:
    if not isinstance(node, Table) or not node.entries:
        wrong(node, "a table of extensions", '{"1001": [ring: 2s, hang_up]}', problems)
        return None
    agents: list[WrittenAgent] = []
    for entry in node.entries:
        if not re.fullmatch(r"[0-9]{1,20}", entry.key.text, flags=re.ASCII):
            hint = full_width_hint(entry.key.text) or 'write its digits in quotes, for example "1001"'
            problems.error(entry.key.where, f"'{shortened(entry.key.text)}' is no extension", hint)
        items = entry.value.items if isinstance(entry.value, Items) else (entry.value,)
        if not items or (isinstance(entry.value, Text) and not entry.value.text):
            problems.error(entry.key.where, "what this agent does is missing", f"begin with {RINGS.shown}")
            continue
        manner = _read_manner(items[0], problems)
        steps = _read_steps(items[1:], problems)
        if manner is not None:
            agents.append(WrittenAgent(Named(entry.key.text, entry.key.where), manner, steps))
    return tuple(agents)


def _read_manner(node: Node, problems: ProblemList) -> WrittenStep | None:
    first = node.entries[0].key if isinstance(node, Table) and node.entries else node
    if isinstance(first, Text) and first.text in {word.name for word in STEP_WORDS}:
        hint = f"begin with {RINGS.shown}, or with {', '.join(word.name for word in MANNERS[1:])}"
        problems.error(first.where, "how this telephone rings is missing", hint)
        return None
    return _read_item(node, MANNERS, "how a telephone rings", problems)


AGENTS: Kind[tuple[WrittenAgent, ...]] = Kind(
    "a table of extensions", '{"1001": [ring: 2s, hang_up]}', (), _read_agents
)

# ── expectations ──────────────────────────────────────────────────────────────────────────────────────────────────────

WrittenVerdicts: TypeAlias = tuple[tuple[Named, Judgement, Location], ...]


def _read_verdicts(node: Node, problems: ProblemList) -> WrittenVerdicts | None:
    if not isinstance(node, Table):
        wrong(node, "a table of rules and verdicts", "{silent_call: kept}", problems)
        return None
    verdicts: list[tuple[Named, Judgement, Location]] = []
    for entry in node.entries:
        rule = _read_rule(entry.key, problems)
        judgement = JUDGEMENT.read(entry.value, problems)
        if rule is not None and judgement is not None:
            verdicts.append((rule, judgement, entry.key.where))
    return tuple(verdicts)


VERDICT_TABLE: Kind[WrittenVerdicts] = Kind(
    "a table of rules and verdicts", "{silent_call: kept}", (), _read_verdicts, JUDGEMENT.bounds
)

HUNG_UP_FIRST = Key("hung_up_first", WHO, "who hangs up first")
OUTCOME = Key("outcome", OUTCOME_WORD, "how the call ends, in a word of the flow")
VERDICTS = Key("verdicts", VERDICT_TABLE, "verdicts that rules must get; no rule that is not listed may be broken")
NEVER_HEAR = Key("never_hear", NEVER_HEARD, "phrases the caller must not hear", example="[house/menu.main]")
HEARD_ELSE = Key("heard_else", YES_OR_NO, "whether the caller may hear phrases that the script does not name", "no")
LASTS = Key("lasts", RANGE, "seconds from the answer to the end")
EXPECT_SPEC = FormSpec("'expect'", (HUNG_UP_FIRST, OUTCOME, VERDICTS, NEVER_HEAR, HEARD_ELSE, LASTS))


def _read_expect(node: Node, problems: ProblemList) -> Form | None:
    if not isinstance(node, Table):
        wrong(node, "keys and values", "{hung_up_first: ivrflow}", problems)
        return None
    return EXPECT_SPEC.read(node, node.where, problems)


# ── the scenario itself ───────────────────────────────────────────────────────────────────────────────────────────────

TITLE = Key(
    "scenario", TEXT, "one line that says what happens", required=True, example="a silent caller is asked twice"
)
FLOW = Key("flow", name_of("a flow's name", "gov12345"), "the flow that answers", required=True)
CALL = Key("call", NUMBER, "the number that is dialled; without it the flow's first")
AT = Key("at", WHEN, "local time of the call; without it whatever time it is (on the simulator a Friday at ten)")
PROVES = Key("proves", RULE_NAMES, "rules that this scenario is the proof of", example="[silent_call]")
ON = Key("on", STAGE, "the only place where it can be played; without it both; needs `why`", example="simulator")
WHY = Key("why", TEXT, "why it cannot be played elsewhere", example='"no telephone can be deaf on purpose"')
BOUND = Key(
    "within",
    duration(1.0, DAY_S, "60s"),
    "how long everything may take, from dialling; without it what the script and the flow can take, and then some",
)
CALLER_BACKGROUND = Key("background", SOURCE, "what the caller's microphone picks up", "silence")
CALLER = Key(
    "caller",
    SCRIPT,
    "what the caller does from the answer on, one step after the other; then the caller is silent until the call is over",
)
AGENTS_KEY = Key("agents", AGENTS, "further telephones, by extension, which is also the name of the SIP account")
EXPECT = Key(
    "expect", Kind("a table, see below", "{hung_up_first: ivrflow}", Form(Location("", 0, 0)), _read_expect),
    "what must have come of it",
)  # fmt: skip
SCENARIO_SPEC = FormSpec(
    "a scenario",
    (TITLE, FLOW, CALL, AT, PROVES, ON, WHY, BOUND, CALLER_BACKGROUND, CALLER, AGENTS_KEY, EXPECT),
)
