"""The words of a script: everything a telephone can do or wait for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ivrflow.flow.problems import Location, ProblemList, did_you_mean, near_word
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import Form, FormSpec, Key
from ivrflow.flow.reading.reader import (
    NOBODY,
    PHRASE,
    RULE,
    WORD,
    Kind,
    Named,
    scalar,
    wrong,
)
from ivrflow.flow.reading.reader import from_text as kind_of
from ivrflow.flow.reading.source import Entry, Items, Node, Table, Text, Unreadable
from ivrflow.flow.reading.syntax import full_width_hint, shortened
from ivrflow.flow.reading.times import duration, written
from ivrflow.scenario.language.microphone_words import SOURCE
from ivrflow.scenario.language.written_values import KEYS_PRESSED, LENGTH, MEDIA_WORD, PAUSE_LENGTH, SHARE
from ivrflow.scenario.script import HEARD_AT_LEAST, PATIENCE_S, RECOGNISED_AFTER_S
from ivrflow.softphone.speaking import LONGEST_KEY_MS

MOST_STEPS = 500
"""Steps one script may have."""

# ── what a step says ──────────────────────────────────────────────────────────────────────────────────────────────────

HEARD = Key("phrase", PHRASE, "the phrase", required=True)
AT_LEAST = Key("at_least", SHARE, "how much of it must be heard", f"{HEARD_AT_LEAST:.0%}")
AT_MOST = Key("at_most", SHARE, "how much of it may be heard: it must be cut before", "100%", example="60%")
NOT_CUT = Key("at_least", SHARE, "how much of it must be heard: what follows must not cut it", example="90%")
WITHIN = Key(
    "within",
    duration(0.1, 3600.0, "20s"),
    f"how long it is waited for; without it {written(PATIENCE_S)} longer than the pause before it",
)
HEAR_SPEC = FormSpec("'hear'", (HEARD, AT_LEAST, WITHIN))
HEAR_START_SPEC = FormSpec("'hear_start'", (HEARD, AT_MOST, NOT_CUT, WITHIN))

PRESSED = Key("keys", KEYS_PRESSED, "the keys", required=True, example='"86420#"')
HELD = Key("hold", duration(0.02, LONGEST_KEY_MS / 1000, "100ms"), "how long each key is held", "100ms")
GAP = Key("gap", duration(0.02, 60.0, "100ms"), "how long it is quiet between two keys", "100ms", example="300ms")
PRESS_SPEC = FormSpec("'press'", (PRESSED, HELD, GAP))


def short_form(
    spec: FormSpec, main: Key[Any], name: str, example: str, elsewhere: Mapping[str, str] | None = None
) -> Kind[Form]:
    """The value of `main` alone, or a table of keys; `elsewhere` says what to do about keys that belong to other words."""
    strangers = elsewhere or {}

    def read(node: Node, problems: ProblemList) -> Form | None:
        if isinstance(node, Table):
            for entry in node.entries:
                if entry.key.text in strangers:
                    message = f"{spec.title} has no '{entry.key.text}'"
                    problems.error(entry.key.where, message, strangers[entry.key.text])
            own = tuple(entry for entry in node.entries if entry.key.text not in strangers)
            form = spec.read(Table(own, node.where), node.where, problems)
            return form if main.name in form.values or not main.required else None
        value = main.kind.read(node, problems)
        return None if value is None else Form(node.where, {main.name: value}, {main.name: node.where})

    schema = {"anyOf": [main.kind.schema, spec.schema]}
    return Kind(name, example, Form(Location("", 0, 0)), read, schema=schema)


HELD_FOR = Key("for", LENGTH, "how long it is held; without it until `resume`", example="5s")
MEDIA = Key("media", MEDIA_WORD, "what the telephone asks for", "sendonly", example="inactive")
HOLD_SPEC = FormSpec("'hold'", (HELD_FOR, MEDIA))

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


VALUES: Kind[Values] = Kind(
    "a placeholder and its value",
    "{honorific: 女士}",
    (),
    _read_values,
    schema=js.table_of(js.SCALAR, may_be_empty=False),
)


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
    short_form(
        HEAR_SPEC,
        HEARD,
        "a phrase",
        "greeting_inbound.standard",
        {AT_MOST.name: "a phrase that must be cut is heard with hear_start"},
    ),
    "the phrase is heard to its end; the step ends with its last sound",
    spec=HEAR_SPEC,
)
HEAR_START = StepWord(
    "hear_start",
    short_form(HEAR_START_SPEC, HEARD, "a phrase", "silent_call.connected"),
    f"the phrase begins: goes on {written(RECOGNISED_AFTER_S)} into it, which may then be cut; what follows counts from"
    " its first sound",
    spec=HEAR_START_SPEC,
)
HEAR_MUSIC = StepWord("hear_music", None, "hold music begins", alone=True)
PAUSE = StepWord(
    "pause",
    PAUSE_LENGTH,
    "how long it must be quiet between the phrase before and the phrase after, or the end of the call when the caller's"
    " script names no phrase after it; `as the rule says` takes the seconds from the standard, or from the flow where it"
    " waits of its own choice; a number alone may be off by the flow's tolerance",
    example="as the rule says",
)
HEAR_NOTHING = StepWord(
    "hear_nothing",
    _SPEECH,
    "for so long, from the moment of the step before, nothing is heard: no phrase, no music, nobody's voice",
    example="5s",
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
TALK = StepWord(
    "talk",
    _SPEECH,
    "speak for so long, and be heard: the caller by an agent, an agent by the caller",
    example="2s",
)
PRESS = StepWord(
    "press",
    short_form(PRESS_SPEC, PRESSED, "keys", '"1"'),
    "press keys, one after the other; an agent's star and two digits are a code of the flow's",
    spec=PRESS_SPEC,
)
BACKGROUND = StepWord("background", SOURCE, "what the microphone picks up from now on", example="noise -30dB")
HOLD = StepWord(
    "hold",
    short_form(HOLD_SPEC, HELD_FOR, "a length of time", "5s"),
    "put the other side on hold with the telephone's own key, and take it off again after so long",
    alone=True,
    spec=HOLD_SPEC,
)
RESUME = StepWord("resume", None, "take it off hold", alone=True)
SITUATION = StepWord(
    "situation", RULE, "tell ivrflow which documented situation this is, as an agent would", example="noise"
)
CANCEL = StepWord("cancel", None, "take the situation back", alone=True)
SIGNAL = StepWord("signal", WORD, "judge what the caller did: the word that leaves a ladder", example="understood")
DONE = StepWord("done", None, "the task that the ladder asked for is done", alone=True)
TRANSFER = StepWord(
    "transfer", WORD, "an agent sends the caller to this transfer step of the flow", example="to_specialist"
)
VALUE = StepWord("value", VALUES, "a placeholder's value becomes known")
HANG_UP = StepWord("hang_up", None, "hang up; nothing can follow", alone=True)

STEP_WORDS: tuple[StepWord, ...] = (
    HEAR,
    HEAR_START,
    PAUSE,
    HEAR_MUSIC,
    HEAR_NOTHING,
    WAIT,
    WAIT_UNTIL,
    SAY,
    TALK,
    PRESS,
    BACKGROUND,
    HOLD,
    RESUME,
    SITUATION,
    CANCEL,
    SIGNAL,
    DONE,
    TRANSFER,
    VALUE,
    HANG_UP,
)


@dataclass(frozen=True, slots=True)
class WrittenStep:
    """One item of a script: its word, what stands behind it (None when nothing does), where."""

    word: StepWord
    value: Any
    where: Location


Script: TypeAlias = tuple[WrittenStep, ...]


def read_item(node: Node, words: tuple[StepWord, ...], what: str, problems: ProblemList) -> WrittenStep | None:
    """One item of a list: one of `words`, which together are `what`; None after noting what is wrong with it."""
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
            hint = f"write - {word.name}" + (", or - ring: 2s" if word.name == "answers" else "")
            problems.error(name.where, f"'{word.name}' stands alone", hint)
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
            word = known.get(first.key.text)
            belongs = near_word(name, {key.name for key in word.spec.keys}) if word and word.spec else ""
            hint = f"write {first.key.text}: {{…, {belongs}: …}}" if belongs else did_you_mean(name, known)
        problems.error(other.key.where, f"'{shortened(name)}' stands in the step '{shortened(first.key.text)}'", hint)


_MEANT = {
    "listen": "hear",
    "receive": "hear",
    "heard": "hear",
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
    "quiet": "hear_nothing",
    "nothing": "hear_nothing",
    "code": "press",
    "refer": "transfer",
    "converse": "talk",
    "noise": "background",
    "answer": "answers",
    "rings": "ring",
}
"""What people write who come from other tools."""

_FIRST = {"queue": "it stands first below an agent's extension, before how the telephone rings"}
"""Words that belong elsewhere."""


def _unknown_step(name: Text, known: dict[str, StepWord], what: str, problems: ProblemList) -> None:
    near = near_word(name.text.lower().replace(" ", "_"), [*known, *(word for word in _MEANT if _MEANT[word] in known)])
    hint = f"did you mean '{_MEANT.get(near, near)}'?" if near else ""
    wide = full_width_hint(name.text) if not name.quoted else ""
    plain = unicodedata.normalize("NFKC", name.text)
    if not hint and not wide and (glued := re.match(r"([a-z_]+):(\S.*)", plain)) and glued[1] in known:
        hint = f"write '- {glued[1]}: {shortened(glued[2])}', with a blank after the colon"
    hint = _FIRST.get(name.text, "") or wide or hint or did_you_mean(name.text.lower().replace(" ", "_"), known)
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
    return read_steps(items, problems)


def read_steps(items: tuple[Node, ...], problems: ProblemList) -> Script:
    """The items that can be read; what is wrong with the others is noted."""
    if len(items) > MOST_STEPS:
        problems.error(items[MOST_STEPS].where, f"more than {MOST_STEPS} steps", "split the scenario")
    steps = [read_item(item, STEP_WORDS, "anything a phone does", problems) for item in items[:MOST_STEPS]]
    return tuple(step for step in steps if step is not None)


def item_schema(words: tuple[StepWord, ...]) -> js.Schema:
    """A step: a word that stands alone, or a word and what stands behind its colon."""
    alone = {"enum": [word.name for word in words if word.alone]}
    keys = {word.name: {"description": word.about, **word.kind.schema} for word in words if word.kind}
    table = {
        "type": "object",
        "properties": keys,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {"anyOf": [alone, table]}


STEP_SCHEMA = item_schema(STEP_WORDS)
_STEPS_ALONE: js.Schema = {"enum": [word.name for word in STEP_WORDS if word.alone]}

SCRIPT: Kind[Script] = Kind(
    "a list of steps",
    "[{hear: greeting_inbound.standard}]",
    (),
    _read_script,
    schema={"anyOf": [_STEPS_ALONE, js.list_of({"$ref": "#/$defs/step"})]},
)
