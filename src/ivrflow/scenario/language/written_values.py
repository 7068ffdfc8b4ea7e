"""Single values of a scenario: shares, lengths of time, keys, moments, words of a short list."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Literal, TypeAlias, TypeVar

from ivrflow.engine.trace import Judgement
from ivrflow.flow.model import Band
from ivrflow.flow.problems import Location, ProblemList, did_you_mean
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.reader import (
    KEYS,
    NOBODY,
    PHRASE,
    Kind,
    Named,
    wrong,
)
from ivrflow.flow.reading.reader import from_text as kind_of
from ivrflow.flow.reading.source import Items, Node, Table, Text
from ivrflow.flow.reading.syntax import full_width_hint, shortened
from ivrflow.flow.reading.times import duration, read_time, written
from ivrflow.scenario.script import HungUpFirst, Stage

T = TypeVar("T")

MOST_KEYS = 64
"""Keys one `press` may have."""

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


SHARE = kind_of("a share", "90%", 0.0, _read_share, "1% to 100%", js.only_text_like("[0-9]{1,3}%"))


def _read_band(text: Text, problems: ProblemList) -> Band | None:
    """Seconds, least and most: "2.5s-4s", or "3s" for both."""
    parts = text.text.split("-")
    if len(parts) > 2 or _OTHER_DASHES.search(text.text) or _UNITS_LEFT_OUT.fullmatch(text.text):
        problems.error(text.where, f"'{shortened(text.text)}' is no length of time", _band_hint(text.text))
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


_OTHER_DASHES = re.compile("[~～–—−－至到]")
_UNITS_LEFT_OUT = re.compile(r"([\d.]+)\s*-\s*([\d.]+)(ms|s|m)?", flags=re.ASCII)


def _band_hint(text: str) -> str:
    plain = "".join(unicodedata.normalize("NFKC", _OTHER_DASHES.sub("-", text)).split())
    if hit := _UNITS_LEFT_OUT.fullmatch(plain):
        unit = hit[3] or "s"
        return f"write {hit[1]}{unit}-{hit[2]}{unit}"
    return f"write {plain}" if re.fullmatch(r"[\d.]+[hms]+-[\d.]+[hms]+", plain) else "write 3s, or 2.5s-4s"


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


_PAUSE_SCHEMA: js.Schema = {
    "anyOf": [js.one_of([AsTheRuleSays.WORDS.value]), js.only_text_like("[0-9].*|[Aa][Ss] .*")],
}
PAUSE_LENGTH: Kind[PauseLength] = kind_of(
    "a length of time, or `as the rule says`", "2.5s-4s", Band(0.0, 0.0), _read_pause, schema=_PAUSE_SCHEMA
)


def _read_range(text: Text, problems: ProblemList) -> Band | None:
    band = _read_band(text, problems)
    if band is not None and band.least == band.most:
        around = f"{written(max(0.0, band.least - 1))}-{written(band.most + 1)}"
        problems.error(text.where, "nothing lasts exactly that long", f"write the least and the most: {around}")
        return None
    return band


RANGE = kind_of(
    "the least and the most", "15s-25s", Band(0.0, 0.0), _read_range, schema=js.only_text_like("[0-9].*-.*")
)


def _read_keys(text: Text, problems: ProblemList) -> str | None:
    if len(text.text) > MOST_KEYS:
        problems.error(text.where, f"{len(text.text)} keys are too many", f"at most {MOST_KEYS} in one step")
    elif all(key in KEYS for key in text.text):
        return text.text
    else:
        plain = "".join(unicodedata.normalize("NFKC", text.text).upper().split())
        is_meant = plain and all(key in KEYS for key in plain)
        hint = full_width_hint(text.text) if not text.quoted else ""
        hint = hint or (f'write "{plain}"' if is_meant else f"a telephone has {' '.join(KEYS)}")
        # What was keyed may be a caller's own number: it is not repeated.
        problems.error(text.where, "these are no keys of a telephone", hint)
    return None


KEYS_PRESSED = kind_of("keys", '"1"', "", _read_keys, schema=js.digits("[" + KEYS + "]{1,64}"))


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


WHEN: Kind[datetime | None] = kind_of(
    "a date and time of day, local to the flow",
    "2026-11-20T10:00",
    None,
    _read_when,
    schema=js.only_text_like("[0-9]{4}.+"),
)


def _one_of(what: str, words: Mapping[str, T], meant: Mapping[str, str]) -> Kind[T | None]:
    """One of a few words; `meant` tells for words that people write instead what to write."""

    def convert(text: Text, problems: ProblemList) -> T | None:
        if text.text in words:
            return words[text.text]
        plain = text.text.lower().replace(" ", "_")
        hint = full_width_hint(text.text) or meant.get(plain) or did_you_mean(plain, words)
        problems.error(text.where, f"'{shortened(text.text)}' is not {what}", hint)
        return None

    schema = js.YES_OR_NO if words.keys() == {"yes", "no"} else js.one_of(words)
    return kind_of(what, next(iter(words)), None, convert, " ".join(f"`{word}`" for word in words), schema)


STAGE: Kind[Stage | None] = _one_of(
    "a place to play a scenario",
    {"simulator": "simulator", "pbx": "pbx"},
    {"both": "leave 'on' out: it is then played on both", "asterisk": "write pbx"},
)
JUDGEMENT: Kind[Judgement | None] = _one_of(
    "a verdict",
    {"kept": Judgement.KEPT, "broken": Judgement.BROKEN, "not_applicable": Judgement.NOT_APPLICABLE},
    dict.fromkeys(("ok", "pass", "passed", "yes", "obeyed"), "write kept")
    | dict.fromkeys(("fail", "failed", "no", "violated"), "write broken"),
)
YES_OR_NO: Kind[bool | None] = _one_of(
    "yes or no",
    {"no": False, "yes": True},
    {"true": "write yes", "on": "write yes", "false": "write no", "off": "write no"},
)
MEDIA_WORD: Kind[Literal["sendonly", "inactive"] | None] = _one_of(
    "what a telephone asks for that holds",
    {"sendonly": "sendonly", "inactive": "inactive"},
    {"recvonly": "write sendonly, or inactive", "sendrecv": "that is no hold: write sendonly, or inactive"},
)
WHO: Kind[HungUpFirst | None] = _one_of(
    "anybody who hangs up",
    {"caller": "caller", "ivrflow": "ivrflow", "agent": "agent", "nobody": "nobody"},
    dict.fromkeys(("engine", "ivr", "pbx", "asterisk", "hotline", "system", "we"), "write ivrflow")
    | dict.fromkeys(("customer", "citizen", "user", "client"), "write caller"),
)
OUTCOME_WORD = kind_of("an outcome", "hung_up", NOBODY, lambda text, problems: _word(text, "an outcome", problems))


def _word(text: Text, what: str, problems: ProblemList) -> Named | None:
    if re.fullmatch(r"[a-z0-9_]{1,64}", text.text):
        return Named(text.text, text.where)
    problems.error(text.where, f"'{shortened(text.text)}' cannot be {what}", "small letters, digits and '_'")
    return None


def read_reference(text: Text, problems: ProblemList) -> Named | None:  # noqa: ARG001 - whether it is known is found out later
    """The name of something, whatever it looks like."""
    return Named(text.text, text.where)


def _list_of(kind: Kind[T], plural: str) -> Kind[tuple[T, ...]]:
    """One value or a list of them; one that is wrong does not hide what is wrong with the others."""

    def read(node: Node, problems: ProblemList) -> tuple[T, ...] | None:
        if isinstance(node, Items) and not node.items:
            problems.error(node.where, "the list is empty", f"write {kind.name}, for example {kind.example}")
            return None
        values = [kind.read(item, problems) for item in (node.items if isinstance(node, Items) else (node,))]
        return tuple(value for value in values if value is not None)

    schema = js.one_or_list_of(kind.schema)
    return Kind(f"{kind.name}, or a list of {plural}", f"[{kind.example}]", (), read, schema=schema)


RULE_NAME = kind_of("a rule", "silent_call", NOBODY, read_reference)


def table_by_rule(
    value: Kind[T] | Kind[T | None], name: str, example: str, bounds: str
) -> Kind[tuple[tuple[Named, T, Location], ...]]:
    """A table with a value for each rule, and the place of the rule."""

    def read(node: Node, problems: ProblemList) -> tuple[tuple[Named, T, Location], ...] | None:
        if not isinstance(node, Table):
            wrong(node, name, example, problems)
            return None
        found: list[tuple[Named, T, Location]] = []
        for entry in node.entries:
            rule = read_reference(entry.key, problems)
            one = value.read(entry.value, problems)
            if rule is not None and one is not None:
                found.append((rule, one, entry.key.where))
        return tuple(found)

    return Kind(name, example, (), read, bounds, js.table_of(value.schema))


RULE_NAMES = _list_of(RULE_NAME, "rules")
NEVER_HEARD = _list_of(PHRASE, "phrases")
