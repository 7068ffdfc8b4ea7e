"""What a rule asks of wordings and flows before any call, as a standard declares it under `lint:`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ivrflow.flow.model import Calls, Lint, Phrase
from ivrflow.flow.problems import ProblemList, did_you_mean
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import Form, FormSpec, Key
from ivrflow.flow.reading.reader import PHRASE, TEXT, YES_NO, Kind, Named, from_text, one_or_more
from ivrflow.flow.reading.source import Text
from ivrflow.flow.reading.syntax import shortened

_CALLS: Mapping[str, Calls] = {"answered": "answered", "placed": "placed"}


def _read_calls(text: Text, problems: ProblemList) -> Calls | None:
    if text.text in _CALLS:
        return _CALLS[text.text]
    hint = did_you_mean(text.text, _CALLS)
    problems.error(text.where, f"'{shortened(text.text)}' is no kind of call", hint)
    return None


_ANSWERED: Calls = "answered"
_CALLS_KIND: Kind[tuple[Calls, ...]] = one_or_more(
    from_text("a kind of call", "placed", _ANSWERED, _read_calls, schema=js.one_of(_CALLS)), "kinds of calls"
)
_WORDINGS: Kind[tuple[Named, ...]] = one_or_more(PHRASE, "phrases")
_BELOW = "phrases, or how their names begin: greeting_inbound stands for greeting_inbound.standard too"

CALLS = Key("calls", _CALLS_KIND, "which calls it is asked of", default="answered", example="[answered, placed]")
LINT_OPENING = Key("opening", _WORDINGS, f"one of these is said first, before anything is waited for; {_BELOW}")
OPENING_AFTER = Key(
    "opening_after", _WORDINGS, "what may be said before the opening, for example a greeting by daytime"
)
ORDER = Key("order", _WORDINGS, "these are never said in another order than this one")
LINT_FAREWELL = Key(
    "farewell", _WORDINGS, "one of these is said before a close step waits for the other side to hang up"
)
ASK_FIRST = Key("ask_first", _WORDINGS, "one of these is asked before the farewell is said")
COURTESY = Key(
    "courtesy",
    one_or_more(TEXT, "patterns"),
    "every wording of the rule is like one of these; … stands for anything",
    example='"请…好吗"',
)
NEVER_FIRST = Key(
    "never_first",
    one_or_more(TEXT, "sentences"),
    "none of these is in what is said first; … stands for a few words",
    example='"您贵姓"',
)
TABOO_GROUPS = Key(
    "taboo", one_or_more(TEXT, "groups"), "groups of the standard's `taboo` that the rule names", example="shirk"
)
CALLER_FIRST = Key(
    "caller_hangs_up_first",
    YES_NO,
    "we never hang up first, save at the end of a rule whose `then` is hangup, and when a close step has waited in vain",
    default="no",
)
NEVER_MUTE = Key(
    "never_without_a_word", YES_NO, "no call we answered or placed ends before anything was said", default="no"
)
LINT_SPEC = FormSpec(
    "'lint'",
    (CALLS, LINT_OPENING, OPENING_AFTER, ORDER, LINT_FAREWELL, ASK_FIRST, COURTESY, NEVER_FIRST, TABOO_GROUPS,
     CALLER_FIRST, NEVER_MUTE),
)  # fmt: skip


def read_lint(standard: str, form: Form, phrases: Mapping[str, Phrase], problems: ProblemList) -> Lint:
    """What is declared; names no phrase has are noted."""

    def wordings(key: Key[tuple[Named, ...]]) -> tuple[str, ...]:
        return _resolved(standard, form[key], phrases, problems)

    if form.wrote(OPENING_AFTER) and not form.wrote(LINT_OPENING):
        problems.error(
            form.place(OPENING_AFTER), "there is no opening that could follow", "write opening: and a phrase"
        )
    if form.wrote(ASK_FIRST) and not form.wrote(LINT_FAREWELL):
        problems.error(form.place(ASK_FIRST), "there is no farewell to ask before", "write farewell: and a phrase")
    return Lint(
        where=form.where,
        calls=frozenset(form[CALLS]),
        opening=wordings(LINT_OPENING),
        opening_after=wordings(OPENING_AFTER),
        order=wordings(ORDER),
        farewell=wordings(LINT_FAREWELL),
        ask_first=wordings(ASK_FIRST),
        courtesy=form[COURTESY],
        never_first=form[NEVER_FIRST],
        taboo=form[TABOO_GROUPS],
        caller_hangs_up_first=form[CALLER_FIRST],
        never_without_a_word=form[NEVER_MUTE],
    )


def _resolved(
    standard: str, names: Sequence[Named], phrases: Mapping[str, Phrase], problems: ProblemList
) -> tuple[str, ...]:
    """Full keys of phrases, or of what several names begin with."""
    keys: list[str] = []
    for name in names:
        key = name.text if "/" in name.text else f"{standard}/{name.text}"
        own = key.startswith(f"{standard}/")
        if own and not any(begins_with(phrase, key) for phrase in phrases):
            known = [phrase.partition("/")[2] for phrase in phrases]
            problems.error(name.where, f"there is no phrase '{name.text}'", did_you_mean(name.text, known))
        keys.append(key)
    return tuple(keys)


def asks_nothing(lint: Lint) -> bool:
    """Whether nothing is checked because of it."""
    return replace(lint, calls=frozenset({"answered"})) == Lint(lint.where)


def begins_with(phrase: str, key: str) -> bool:
    """Whether a phrase's key is `key`, or lies below it: "yunda/closing.goodbye" below "yunda/closing"."""
    return phrase == key or phrase.startswith(f"{key}.")


def is_among(phrase: str, keys: Sequence[str]) -> bool:
    """Whether a phrase is one of `keys`, or lies below one."""
    return any(begins_with(phrase, key) for key in keys)
