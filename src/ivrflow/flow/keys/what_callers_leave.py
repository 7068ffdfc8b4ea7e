"""Steps in which callers leave something: a message, a score, a number to be called back at."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ivrflow.flow.keys.outgoing import TO
from ivrflow.flow.keys.step_keys import (
    BOUND,
    ENDING,
    KEYS_BARGE_IN,
    LENGTH,
    NOTED,
    ONE_KEY,
    QUESTION_REPEATS,
    QUESTION_WAIT,
    WRONG,
    StepKind,
)
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import KEYS, NOWHERE, PHRASE, PHRASES, STEP, Kind, check_key, from_text, name_of, wrong
from ivrflow.flow.reading.source import Node, Table, Text
from ivrflow.flow.reading.syntax import shortened
from ivrflow.flow.reading.times import DAY_S, count, duration

# ── a message ─────────────────────────────────────────────────────────────────────────────────────────────────────────

RECORD = Key("record", name_of("a message box", "voicemail"), "the box the message is kept in", required=True)
RECORD_ASK = Key("ask", PHRASES, "said before the tone", required=True, example="house/record.ask")
RECORD_AT_MOST = Key("at_most", duration(1.0, 1800.0, "2m"), "how long a message may last", required=True)
RECORD_SILENCE = Key("silence", duration(1.0, 60.0, "4s"), "how much silence ends it", default="4s")
RECORD_LEAST = Key("least", duration(0.0, 60.0, "1s"), "what is shorter is no message", default="1s")


def _read_message_end(text: Text, problems: ProblemList) -> str | None:
    return "" if text.text == "none" else text.text if check_key(text, problems) else None


MESSAGE_END = Key(
    "end_key",
    from_text("a key", '"#"', "", _read_message_end, schema=js.text_like(f"none|[{KEYS}]")),
    "key that ends it; 'none' for none",
    default='"#"',
)
REVIEW_SAY = Key("say", PHRASE, "the choices, read out", required=True, example="house/record.review")
REVIEW_KEEP = Key("keep", ONE_KEY, "key that keeps the message; so does silence", default="1", example="1")
REVIEW_LISTEN = Key("listen", ONE_KEY, "key that plays it", default="2", example="2")
REVIEW_AGAIN = Key("again", ONE_KEY, "key that records another one instead", default="3", example="3")
REVIEW_SPEC = FormSpec(
    "'review'",
    (
        REVIEW_SAY,
        REVIEW_KEEP,
        REVIEW_LISTEN,
        REVIEW_AGAIN,
        KEYS_BARGE_IN,
        QUESTION_WAIT,
        QUESTION_REPEATS,
        WRONG,
    ),
)
REVIEW = Key(
    "review",
    form_kind(REVIEW_SPEC, "{say: house/record.review, invalid: {say: house/menu.invalid}}"),
    "lets the caller keep, hear or replace the message; without it every message is kept",
)
RECORD_DONE = Key("done", STEP, "step once the message is kept", required=True, example="farewell")
NOTHING = Key("nothing", STEP, "step when nothing was said, or too little", required=True, example="main_menu")
RECORD_EXITS = FormSpec("'on' of a record step", (RECORD_DONE, NOTHING))
RECORD_ON = Key("on", form_kind(RECORD_EXITS, "{done: farewell, nothing: main_menu}"), "where it leads", required=True)
RECORD_STEP = StepKind(
    "a record step",
    "Take a message after the tone. Somebody who hangs up after speaking has left it all the same.",
    RECORD,
    (RECORD_ASK, RECORD_AT_MOST, RECORD_SILENCE, RECORD_LEAST, MESSAGE_END, REVIEW, NOTED, RECORD_ON),
    'record: voicemail\nask: house/record.ask\nat_most: 2m\nsilence: 4s\nleast: 1s\nend_key: "#"\n'
    "review:\n  say: house/record.review\n  keep: 1\n  listen: 2\n  again: 3\n  wait: 5s\n"
    "  invalid: {say: house/menu.invalid}\nnoted: house/record.noted\non: {done: farewell, nothing: main_menu}",
    RECORD_EXITS,
)

# ── a score ───────────────────────────────────────────────────────────────────────────────────────────────────────────

BEST_SCORE = 10
"""The worst is 1, so that the best score of a survey tells where the middle of its scale is."""


@dataclass(frozen=True, slots=True)
class KeyScore:
    """A key and the score it stands for."""

    key: str
    where: Location
    score: int


Scores = tuple[KeyScore, ...]

_SCORE = count(1, BEST_SCORE, "3")
_RANGE = re.compile(r"([1-9])-([1-9])", flags=re.ASCII)
_SCORES_EXAMPLE = "{1: 3, 2: 2, 3: 1}"


def _read_scores(node: Node, problems: ProblemList) -> Scores | None:
    if isinstance(node, Text) and node.text:
        return _read_range(node, problems)
    if not isinstance(node, Table) or not node.entries:
        wrong(node, "keys and their scores", _SCORES_EXAMPLE, problems)
        return None
    scores = tuple(
        KeyScore(entry.key.text, entry.key.where, score)
        for entry in node.entries
        if (score := _SCORE.read(entry.value, problems)) is not None and check_key(entry.key, problems)
    )
    if len(scores) < len(node.entries):
        return None
    if len({one.score for one in scores}) < 2:
        problems.error(node.where, "every key gives the same score", f"give each its own: {_SCORES_EXAMPLE}")
        return None
    return scores


def _read_range(text: Text, problems: ProblemList) -> Scores | None:
    hit = _RANGE.fullmatch(text.text)
    if hit is None or int(hit[1]) >= int(hit[2]):
        hint = f"write 1-5 when each key is its own score, or {_SCORES_EXAMPLE}"
        problems.error(text.where, f"'{shortened(text.text)}' are no scores", hint)
        return None
    return tuple(KeyScore(str(score), text.where, score) for score in range(int(hit[1]), int(hit[2]) + 1))


SCORES: Kind[Scores] = Kind(
    "scores: keys and what each stands for",
    _SCORES_EXAMPLE,
    (KeyScore("1", NOWHERE, 1),),
    _read_scores,
    schema={"anyOf": [js.only_text_like(_RANGE.pattern), js.table_of(_SCORE.schema, f"[{KEYS}]", may_be_empty=False)]},
)

SURVEY = Key("survey", name_of("a survey", "satisfaction"), "the name its scores are kept under", required=True)
SURVEY_ASK = Key("ask", PHRASE, "the question, with its keys", required=True, example="house/survey.ask")
SURVEY_SCORES = Key("scores", SCORES, "score per key, 1 to 10; or `1-5` when each key is its own score", required=True)
SURVEY_THANKS = Key("thanks", PHRASES, "said once a score is noted", example="house/survey.thanks")
SURVEY_DONE = Key("done", STEP, "step once a score is noted", required=True, example="farewell")
SURVEY_NO_INPUT = Key("no_input", STEP, "step when no key came; without it as `done`", example="farewell")
SURVEY_INVALID = Key("invalid", STEP, "step after one wrong key more; without it as `done`", example="farewell")
SURVEY_EXITS = FormSpec("'on' of a survey step", (SURVEY_DONE, SURVEY_NO_INPUT, SURVEY_INVALID))
SURVEY_ON = Key("on", form_kind(SURVEY_EXITS, "{done: farewell}"), "where it leads", required=True)
SURVEY_STEP = StepKind(
    "a survey step",
    "Ask how satisfied the caller is; the key pressed is noted as a score, with the call.",
    SURVEY,
    (
        SURVEY_ASK,
        SURVEY_SCORES,
        KEYS_BARGE_IN,
        QUESTION_WAIT,
        QUESTION_REPEATS,
        WRONG,
        SURVEY_THANKS,
        SURVEY_ON,
    ),
    "survey: satisfaction\nask: house/survey.ask\nscores: {1: 3, 2: 2, 3: 1}\nwait: 5s\nrepeats: 1\n"
    "invalid: {say: house/survey.invalid, repeats: 1}\nthanks: house/survey.thanks\non: {done: farewell}",
    SURVEY_EXITS,
)

# ── a number to be called back at ─────────────────────────────────────────────────────────────────────────────────────

OWN_NUMBER_KEY, OTHER_NUMBER_KEY = "1", "2"
RIGHT_KEY, WRONG_NUMBER_KEY = "1", "2"

CALLBACK = Key(
    "callback",
    name_of("a flow's name", "gov12345_callback"),
    "the flow that places the call; it has `places_calls`",
    required=True,
)
OFFER = Key(
    "offer",
    PHRASE,
    f"offers {OWN_NUMBER_KEY} for the number the caller rings from and {OTHER_NUMBER_KEY} for another; without it another"
    " is asked for at once",
    example="house/callback.offer",
)
ASK_NUMBER = Key("ask_number", PHRASE, "asks for the number", required=True, example="house/callback.ask_number")
NUMBER_LENGTH = Key("length", LENGTH, "how many digits a number has", default="{min: 7, max: 12}")
NUMBER_FIRST_DIGIT = Key(
    "first_digit", BOUND, "seconds from the end of the question to the first digit", default="6s", example="6s"
)
NUMBER_INTER_DIGIT = Key(
    "inter_digit", BOUND, "seconds from one digit to the next; then the number is over", default="4s", example="4s"
)
NUMBER_INCOMPLETE = Key(
    "incomplete_say",
    PHRASE,
    "said before asking again after too few digits",
    default="house/collect.incomplete",
    example="house/collect.incomplete",
)
READ_BACK = Key(
    "read_back",
    PHRASE,
    f"reads `{{callback_number}}` back and offers {RIGHT_KEY} when it is right and {WRONG_NUMBER_KEY} to key it in again",
    required=True,
    example="house/callback.read_back",
)
CALLBACK_TO = Key(
    "to",
    TO.kind,
    "numbers that may be rung, or how they begin; nothing else is ever dialled",
    required=True,
    example='["1*", "0*"]',
)
WITHIN = Key("within", duration(60.0, 14 * DAY_S, "24h"), "how soon the call is promised", required=True)
TRIES = Key("tries", count(1, 10, "3"), "how often it is tried", default="3")
RETRY_AFTER = Key("retry_after", duration(60.0, DAY_S, "15m"), "time from one try to the next", default="15m")
CALLBACK_DONE = Key("done", STEP, "step once the call is noted", required=True, example="farewell")
UNDIALLABLE = Key("undiallable", STEP, "step when the number may not be rung", required=True, example="agent")
CALLBACK_NO_INPUT = Key(
    "no_input", STEP, "step when no key, too few digits or no yes came", required=True, example="agent"
)
CALLBACK_INVALID = Key("invalid", STEP, "step after one wrong key more; without it as `no_input`", example="agent")
CALLBACK_EXITS = FormSpec("'on' of a callback step", (CALLBACK_DONE, UNDIALLABLE, CALLBACK_NO_INPUT, CALLBACK_INVALID))
CALLBACK_ON = Key(
    "on",
    form_kind(CALLBACK_EXITS, "{done: farewell, undiallable: agent, no_input: agent}"),
    "where it leads",
    required=True,
)
CALLBACK_STEP = StepKind(
    "a callback step",
    "Promise to call the caller back: which number, read back and confirmed; ivrflow places the call itself, with another"
    " flow, in the hours that flow allows.",
    CALLBACK,
    (
        OFFER,
        ASK_NUMBER,
        NUMBER_LENGTH,
        ENDING,
        NUMBER_FIRST_DIGIT,
        NUMBER_INTER_DIGIT,
        NUMBER_INCOMPLETE,
        READ_BACK,
        KEYS_BARGE_IN,
        QUESTION_WAIT,
        QUESTION_REPEATS,
        WRONG,
        CALLBACK_TO,
        WITHIN,
        TRIES,
        RETRY_AFTER,
        NOTED,
        CALLBACK_ON,
    ),
    "callback: gov12345_callback\noffer: house/callback.offer\nask_number: house/callback.ask_number\n"
    "length: {min: 7, max: 12}\nincomplete_say: house/collect.incomplete\nread_back: house/callback.read_back\n"
    'invalid: {say: house/menu.invalid}\nto: ["1*", "0*"]\nwithin: 24h\ntries: 3\nretry_after: 15m\n'
    "noted: house/callback.noted\non: {done: farewell, undiallable: agent, no_input: agent}",
    CALLBACK_EXITS,
)
