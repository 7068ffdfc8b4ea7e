"""Steps that talk with the caller: say, ladder, menu, collect, hours, transfer, close, hang_up."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from ivrflow.flow.keys.step_keys import (
    AGENT_LEFT,
    BARGE_IN,
    BOUND,
    ENDING,
    KEY,
    LENGTH,
    SPEECH,
    TALK_FOR,
    StepKind,
)
from ivrflow.flow.keys.when import WINDOWS
from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import Form, FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import (
    EXTENSION,
    KEY_TABLE,
    PHRASE,
    PHRASES,
    RULE,
    STEP,
    WORD,
    Kind,
    Named,
    check_dotted_name,
    located,
    name_of,
    one_or_more,
    wrong,
)
from ivrflow.flow.reading.source import Node, Table, Text
from ivrflow.flow.reading.times import count, duration

SAY = Key("say", PHRASES, "what is said", required=True, example="hold_request.lookup")
SAY_RULE = Key("rule", RULE, "the rule this obeys, where the wording alone does not tell")
SAY_THEN = Key("then", STEP, "step after it", required=True, example="agent")
SAY_EXITS = FormSpec("'on' of a say step", (SPEECH, KEY))
SAY_ON = Key("on", form_kind(SAY_EXITS, "{key: {0: agent}}"), "where input leads")

LADDER = Key("ladder", RULE, "the rule of the standard whose ladder is climbed", required=True)
OPENING = Key("opening", PHRASE, "said instead of the ladder's first phrase", example="greeting_inbound.standard")
GREETING = Key(
    "greeting",
    PHRASES,
    "said before the ladder's first phrase, for a ladder that begins with a question",
    example="greeting_inbound.standard",
)
GREETING_WAIT = Key(
    "greeting_wait",
    BOUND,
    "seconds after the greeting before the ladder begins; without it what the greeting's rule says, or"
    " `limits.own_wait`",
    example="3s",
)
LADDER_WAIT = Key(
    "wait",
    one_or_more(located(BOUND), "durations, one for each rung that waits"),
    "seconds after each phrase, within the standard's own; without it the middle of what the standard allows",
    example="4s",
)
LADDER_EXITS = FormSpec("'on' of a ladder step", (SPEECH, KEY), rest="step per word that leaves the ladder")
LADDER_ON = Key("on", form_kind(LADDER_EXITS, "{speech: main_menu}"), "where input leads")
USED_UP = Key("used_up", STEP, "step when the last rung is over", required=True, example="hang_up")

MENU = Key("menu", PHRASE, "the choices, read out", required=True, example="house/menu.main")
MENU_WAIT = Key("wait", BOUND, "first-digit timeout: seconds from the end of the menu to the first key", required=True)
MENU_REPEATS = Key("repeats", count(0, 10), "how often the menu is said again after silence", default="1")
INVALID_SAY = Key("say", PHRASE, "said after a key that is not offered", required=True, example="house/menu.invalid")
INVALID_REPEATS = Key("repeats", count(0, 10, "2"), "how many wrong keys are corrected", default="2")
INVALID_THEN = Key("then", STEP, "step after one wrong key more", required=True, example="agent")
INVALID_SPEC = FormSpec("'invalid' of a menu step", (INVALID_SAY, INVALID_REPEATS, INVALID_THEN))
INVALID = Key(
    "invalid",
    form_kind(INVALID_SPEC, "{say: house/menu.invalid, repeats: 2, then: agent}"),
    "what follows a key that is not offered",
    required=True,
)
MENU_KEY = Key("key", KEY_TABLE, "step per key", required=True)
NO_INPUT = Key("no_input", STEP, "step after silence, when the repetitions are used up", required=True, example="agent")
MENU_EXITS = FormSpec("'on' of a menu step", (MENU_KEY, NO_INPUT, SPEECH))
MENU_ON = Key("on", form_kind(MENU_EXITS, "{key: {1: consult}, no_input: agent}"), "where input leads", required=True)

COLLECT = Key(
    "collect", name_of("a value's name", "case_number"), "name under which the digits are kept", required=True
)
ASK = Key("ask", PHRASE, "the question", required=True, example="house/collect.ask_number")
DIGITS = Key("length", LENGTH, "how many digits are complete", required=True)
FIRST_DIGIT = Key(
    "first_digit", BOUND, "seconds from the end of the question to the first digit", required=True, example="6s"
)
INTER_DIGIT = Key(
    "inter_digit", BOUND, "seconds from one digit to the next; then the entry is over", required=True, example="4s"
)
INCOMPLETE_SAY = Key(
    "incomplete_say",
    PHRASE,
    "said before asking again after too few digits",
    required=True,
    example="house/collect.incomplete",
)
COLLECT_REPEATS = Key(
    "repeats", count(0, 10), "how often it is asked again, after silence or too few digits", default="1"
)
DONE = Key("done", STEP, "step when the entry is complete", required=True, example="confirm")
COLLECT_NO_INPUT = Key(
    "no_input", STEP, "step after silence, when the repetitions are used up", required=True, example="agent"
)
INCOMPLETE = Key(
    "incomplete", STEP, "step after too few digits, when the repetitions are used up", required=True, example="agent"
)
COLLECT_EXITS = FormSpec("'on' of a collect step", (DONE, COLLECT_NO_INPUT, INCOMPLETE))
COLLECT_ON = Key(
    "on",
    form_kind(COLLECT_EXITS, "{done: confirm, no_input: agent, incomplete: agent}"),
    "where it leads",
    required=True,
)

HOURS = Key("hours", WINDOWS, "windows of the week; the first one that holds counts", required=True)
OTHERWISE = Key("otherwise", STEP, "step when no window holds", required=True, example="night_duty")

TRANSFER = Key("transfer", EXTENSION, "the extension to ring, digits only", required=True)
ANNOUNCE = Key("announce", PHRASES, "what is said before it rings", example="house/transfer.connecting")
RING_FOR = Key("ring_for", duration(1.0, 600.0, "20s"), "how long it may ring", required=True)
NO_ANSWER = Key("no_answer", STEP, "step when nobody answers in time", required=True, example="agent_away")
BUSY = Key("busy", STEP, "step when the extension is busy; without it as `no_answer`", example="agent_away")
UNREACHABLE = Key(
    "unreachable", STEP, "step when the extension cannot be rung; without it as `no_answer`", example="agent_away"
)
WHISPER = Key(
    "whisper",
    PHRASES,
    "said to the colleague alone before they are joined: who is coming",
    example="house/transfer.whisper",
)
WARM_THANKS = Key(
    "thanks",
    PHRASES,
    "said to the caller, and to the colleague too, before they are joined: thanks for waiting",
    example="house/transfer.thanks",
)
BACK = Key(
    "back",
    PHRASES,
    "said to the caller, and to the agent too, when the colleague does not answer, before they are joined again",
    example="house/transfer.back",
)

Reasons: TypeAlias = tuple[tuple[Named, tuple[Named, ...]], ...]
"""Situations, and what is said of each."""


def _read_reasons(node: Node, problems: ProblemList) -> Reasons | None:
    if not isinstance(node, Table) or not node.entries:
        wrong(node, "a table of situations and phrases", _REASONS_EXAMPLE, problems)
        return None
    return tuple(
        (Named(entry.key.text, entry.key.where), said)
        for entry in node.entries
        if check_dotted_name(entry.key, "a situation", problems)
        and (said := PHRASES.read(entry.value, problems)) is not None
    )


_REASONS_EXAMPLE = "{supervisor_request: house/transfer.why_supervisor}"
REASONS: Kind[Reasons] = Kind(
    "a table of situations and phrases",
    _REASONS_EXAMPLE,
    (),
    _read_reasons,
    schema=js.table_of(PHRASES.schema, may_be_empty=False),
)
WHY = Key(
    "why",
    REASONS,
    "said to the colleague after `whisper`, by the situation that led here: why the caller is coming",
)
WARM_SPEC = FormSpec("'warm'", (WHISPER, WHY, WARM_THANKS, BACK))
_WARM = form_kind(WARM_SPEC, "{whisper: house/transfer.whisper, back: house/transfer.back}")


def _read_warm(node: Node, problems: ProblemList) -> Form | None:
    if isinstance(node, Text) and node.text == "yes":
        return Form(node.where)
    if not isinstance(node, Table):
        wrong(node, "yes, or keys and values", _WARM.example, problems)
        return None
    return _WARM.read(node, problems)


WARM = Key(
    "warm",
    replace(_WARM, read=_read_warm, schema={"anyOf": [js.one_of(["yes"]), {"const": True}, _WARM.schema]}),
    "an agent who sends a caller here stays until the colleague has answered; `yes` when nothing is said meanwhile;"
    " without it the agent is let go at once",
)
TRANSFER_EXITS = FormSpec("'on' of a transfer step", (AGENT_LEFT, NO_ANSWER, BUSY, UNREACHABLE))
TRANSFER_ON = Key(
    "on", form_kind(TRANSFER_EXITS, "{agent_left: farewell, no_answer: agent_away}"), "where it leads", required=True
)

CLOSE_ASK = Key("ask", PHRASE, "rule (or phrase) that asks for anything else", example="anything_else")
CLOSE_FAREWELL = Key("farewell", PHRASES, "rule (or phrases) that says goodbye", example="closing")
GUARD = Key("guard", BOUND, "how long to wait for the caller to hang up first", required=True, example="10s")
REMINDER = Key(
    "reminder",
    PHRASE,
    "said when the guard has passed once; after a second guard we hang up",
    example="house/closing.please_hang_up",
)
CLOSE_SURVEY = Key(
    "survey",
    STEP,
    "step after the farewell for a caller who talked with an agent, once a call, instead of waiting for the hang-up",
    example="ask_satisfaction",
)
CLOSE_SPEC = FormSpec("'close'", (CLOSE_ASK, CLOSE_FAREWELL, GUARD, REMINDER, CLOSE_SURVEY))
CLOSE = Key("close", form_kind(CLOSE_SPEC, "{ask: anything_else, farewell: closing, guard: 10s}"), "how", required=True)
REQUEST = Key("request", STEP, "step when the caller has a request: speaks, or presses any key")
CLOSE_EXITS = FormSpec("'on' of a close step", (REQUEST,))
CLOSE_ON = Key("on", form_kind(CLOSE_EXITS, "{request: main_menu}"), "where a request leads; needed with `ask`")

HANG_UP_WITH = Key("hang_up", WORD, "the outcome the journal keeps", required=True, example="wrong_number")

CALL_STEPS: tuple[StepKind, ...] = (
    StepKind(
        "a say step",
        "Say one or more phrases, then go on.",
        SAY,
        (BARGE_IN, SAY_ON, SAY_RULE, SAY_THEN),
        "say: hold_request.lookup\nthen: agent",
        SAY_EXITS,
    ),
    StepKind(
        "a ladder step",
        "Climb a ladder of the standard: say, wait, say, wait, until the caller does something or the rungs are used up."
        " Wordings and waits come from the standard.",
        LADDER,
        (GREETING, GREETING_WAIT, OPENING, BARGE_IN, LADDER_WAIT, LADDER_ON, USED_UP),
        "ladder: silent_call\nopening: greeting_inbound.standard\nbarge_in: [speech, key]\n"
        "on:\n  speech: main_menu\n  key: {1: consult, 0: agent}\nused_up: hang_up",
        LADDER_EXITS,
    ),
    StepKind(
        "a menu step",
        "Offer keys, say the menu again after silence, correct a wrong key.",
        MENU,
        (BARGE_IN, MENU_WAIT, MENU_REPEATS, INVALID, MENU_ON),
        "menu: house/menu.main\nbarge_in: [key]\nwait: 5s\nrepeats: 1\n"
        "invalid: {say: house/menu.invalid, repeats: 2, then: agent}\n"
        'on:\n  key: {1: consult, 2: complain, "*": main_menu}\n  no_input: agent',
        MENU_EXITS,
    ),
    StepKind(
        "a collect step",
        "Collect digits: a case number, an account. What was keyed is masked wherever people read.",
        COLLECT,
        (BARGE_IN, ASK, DIGITS, ENDING, FIRST_DIGIT, INTER_DIGIT, INCOMPLETE_SAY, COLLECT_REPEATS, COLLECT_ON),
        "collect: case_number\nask: house/collect.ask_number\nlength: {min: 4, max: 12}\nfirst_digit: 6s\n"
        "inter_digit: 4s\nbarge_in: [key]\nincomplete_say: house/collect.incomplete\n"
        "on: {done: confirm, no_input: agent, incomplete: agent}",
        COLLECT_EXITS,
    ),
    StepKind(
        "an hours step",
        "Choose by the flow's local time and the kind of day.",
        HOURS,
        (OTHERWISE,),
        'hours:\n  - {days: workdays, from: "08:00", to: "18:00", then: welcome}\n'
        '  - {days: [weekends, new_year], from: "09:00", to: "12:00", then: welcome}\notherwise: night_duty',
    ),
    StepKind(
        "a transfer step",
        "Ring an extension, for so long and no longer; come back when nobody answers or when the agent hangs up first.",
        TRANSFER,
        (ANNOUNCE, RING_FOR, TALK_FOR, WARM, TRANSFER_ON),
        'transfer: "1001"\nannounce: house/transfer.connecting\nring_for: 20s\ntalk_for: 25m\n'
        "on:\n  agent_left: farewell\n  no_answer: agent_away",
        TRANSFER_EXITS,
    ),
    StepKind(
        "a close step",
        "Anything else? – the standard's pause – farewell – wait for the caller to hang up first, but not for ever.",
        CLOSE,
        (BARGE_IN, CLOSE_ON),
        "close:\n  ask: anything_else\n  farewell: closing\n  guard: 10s\n"
        "  reminder: house/closing.please_hang_up\nbarge_in: [speech, key]\non: {request: main_menu}",
        CLOSE_EXITS,
    ),
    StepKind(
        "a hang_up step",
        "End the call. The step `hang_up` is there without writing it; write one of your own for another outcome.",
        HANG_UP_WITH,
        (),
        "hang_up: wrong_number",
    ),
)
