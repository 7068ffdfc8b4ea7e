"""What a kind of step is, and the keys that several kinds share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import (
    END_KEY,
    INPUTS,
    KEY_TABLE,
    KEYS,
    PHRASE,
    PHRASES,
    STEP,
    Kind,
    check_key,
    from_text,
)
from ivrflow.flow.reading.source import Node, Table, Text
from ivrflow.flow.reading.times import DAY_S, count, duration


@dataclass(frozen=True, slots=True)
class StepKind:
    """One kind of step: the key that tells it, all its keys, what can happen in it."""

    title: str
    about: str
    main: Key[Any]
    keys: tuple[Key[Any], ...]
    example: str
    exits: FormSpec | None = None

    @property
    def spec(self) -> FormSpec:
        """All keys of the step."""
        return FormSpec(self.title, (self.main, *self.keys))


# ── kinds of values ───────────────────────────────────────────────────────────────────────────────────────────────────

LONGEST_ENTRY = 40
"""Digits somebody may key in at once."""

_DIGIT_COUNT = count(1, LONGEST_ENTRY, "4")
LENGTH_MIN = Key("min", _DIGIT_COUNT, "fewest digits that are complete", required=True)
LENGTH_MAX = Key("max", _DIGIT_COUNT, "most digits that are taken", required=True, example="12")
LENGTH_SPEC = FormSpec("a length", (LENGTH_MIN, LENGTH_MAX))


def _read_length(node: Node, problems: ProblemList) -> tuple[int, int] | None:
    if not isinstance(node, Table):
        exact = _DIGIT_COUNT.read(node, problems)
        return None if exact is None else (exact, exact)
    form = LENGTH_SPEC.read(node, node.where, problems)
    least, most = form[LENGTH_MIN], form[LENGTH_MAX]
    if not {"min", "max"} <= set(form.values):
        return None
    if least > most:
        problems.error(
            form.place(LENGTH_MAX), f"max {most} is less than min {least}", f"write {{min: {most}, max: {least}}}"
        )
        return None
    return least, most


LENGTH: Kind[tuple[int, int]] = Kind(
    "a length: one number, or min and max",
    "{min: 4, max: 12}",
    (1, 1),
    _read_length,
    schema={"anyOf": [_DIGIT_COUNT.schema, LENGTH_SPEC.schema]},
)


def _read_one_key(text: Text, problems: ProblemList) -> str | None:
    return text.text if check_key(text, problems) else None


ONE_KEY: Kind[str] = from_text("a key", "1", "", _read_one_key, schema=js.text_like(f"[{KEYS}]"))

# ── keys that several steps share ─────────────────────────────────────────────────────────────────────────────────────

BOUND = duration(0.1, 600.0, "5s")
TALK = duration(1.0, DAY_S, "25m")

SPEECH = Key("speech", STEP, "step when the caller speaks")
KEY = Key("key", KEY_TABLE, "step per key")
BARGE_IN = Key(
    "barge_in",
    INPUTS,
    "input that cuts the prompt; other input waits until the prompt has ended",
    default="[]",
    example="[speech, key]",
)
KEYS_BARGE_IN = Key(
    "barge_in",
    INPUTS,
    "whether a key cuts the questions: `[key]`, or `[]` for questions that are always heard to their end",
    default="[key]",
    example="[]",
)
ENDING = Key("end_key", END_KEY, "key that ends the entry; 'none' for none", default='"#"')
TALK_FOR = Key("talk_for", TALK, "how long the talk may last", required=True)
AGENT_LEFT = Key("agent_left", STEP, "step when the agent hangs up first", required=True, example="farewell")
QUESTION_WAIT = Key(
    "wait", BOUND, "first-digit timeout: seconds from the end of a question to the first key", default="5s"
)
QUESTION_REPEATS = Key("repeats", count(0, 10), "how often a question is asked again after silence", default="1")
WRONG_SAY = Key("say", PHRASE, "said after a key that is not offered", required=True, example="house/menu.invalid")
WRONG_REPEATS = Key("repeats", count(0, 10, "2"), "how many wrong keys are corrected", default="2")
WRONG_SPEC = FormSpec("'invalid'", (WRONG_SAY, WRONG_REPEATS))
WRONG = Key(
    "invalid",
    form_kind(WRONG_SPEC, "{say: house/menu.invalid, repeats: 2}"),
    "what follows a key that is not offered",
    default="{say: house/menu.invalid, repeats: 2}",
)
NOTED = Key("noted", PHRASES, "said once it is done", example="house/record.noted")
