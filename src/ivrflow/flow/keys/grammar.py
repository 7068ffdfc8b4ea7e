"""Every key a flow may hold, declared once: the compiler reads by it and the reference in the docs is written from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from ivrflow.flow.compiling.tasks import TASK_TABLE
from ivrflow.flow.keys.outgoing import PLACING_SPEC
from ivrflow.flow.keys.when import WINDOWS, WORDING_TABLE
from ivrflow.flow.model import DEFAULT_VOICE, Limits
from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import (
    END_KEY,
    EXTENSION,
    INPUTS,
    KEY_TABLE,
    NAME_PATTERN,
    NAME_SCHEMA,
    NAMES,
    NUMBERS,
    PHRASE,
    PHRASES,
    RULE,
    STEP,
    TEXT,
    TIMEZONE,
    WORD,
    Kind,
    Named,
    check_name,
    located,
    name_of,
    one_or_more,
    wrong,
)
from ivrflow.flow.reading.source import Node, Table
from ivrflow.flow.reading.times import DAY_S, count, duration, written

_LIMITS = Limits()

# ── kinds made of several values ──────────────────────────────────────────────────────────────────────────────────────

StepTable: TypeAlias = tuple[tuple[Named, Named], ...]
"""Words and the steps they lead to."""


def _read_step_table(node: Node, problems: ProblemList) -> StepTable | None:
    if not isinstance(node, Table):
        wrong(node, "a table of words and steps", "{hangup: hang_up}", problems)
        return None
    return tuple(
        (Named(entry.key.text, entry.key.where), step)
        for entry in node.entries
        if (step := STEP.read(entry.value, problems)) is not None and check_name(entry.key, "a word", problems)
    )


STEP_TABLE: Kind[StepTable] = Kind(
    "a table of words and steps",
    "{hangup: hang_up}",
    (),
    _read_step_table,
    schema=js.table_of(NAME_SCHEMA, NAME_PATTERN),
)

Leaves: TypeAlias = tuple[tuple[Named, StepTable], ...]


def _read_leaves(node: Node, problems: ProblemList) -> Leaves | None:
    if not isinstance(node, Table):
        wrong(node, "a table of situations", "{supervisor_request: {refusal: duty}}", problems)
        return None
    return tuple(
        (Named(entry.key.text, entry.key.where), table)
        for entry in node.entries
        if (table := _read_step_table(entry.value, problems)) is not None
    )


LEAVES: Kind[Leaves] = Kind(
    "a table of situations",
    "{supervisor_request: {refusal: duty}}",
    (),
    _read_leaves,
    schema=js.table_of(STEP_TABLE.schema),
)

_LONGEST_ENTRY = 40
_DIGIT_COUNT = count(1, _LONGEST_ENTRY, "4")
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

# ── keys that several steps share ─────────────────────────────────────────────────────────────────────────────────────

SPEECH = Key("speech", STEP, "step when the caller speaks")
KEY = Key("key", KEY_TABLE, "step per key")
BARGE_IN = Key(
    "barge_in",
    INPUTS,
    "input that cuts the prompt; other input waits until the prompt has ended",
    default="[]",
    example="[speech, key]",
)
BOUND = duration(0.1, 600.0, "5s")
TALK = duration(1.0, DAY_S, "25m")

# ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


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
ENDING = Key("end_key", END_KEY, "key that ends the entry; 'none' for none", default='"#"')
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
TALK_FOR = Key("talk_for", TALK, "how long the talk may last", required=True)
AGENT_LEFT = Key("agent_left", STEP, "step when the agent hangs up first", required=True, example="farewell")
NO_ANSWER = Key("no_answer", STEP, "step when nobody answers in time", required=True, example="agent_away")
BUSY = Key("busy", STEP, "step when the extension is busy; without it as `no_answer`", example="agent_away")
UNREACHABLE = Key(
    "unreachable", STEP, "step when the extension cannot be rung; without it as `no_answer`", example="agent_away"
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
CLOSE_SPEC = FormSpec("'close'", (CLOSE_ASK, CLOSE_FAREWELL, GUARD, REMINDER))
CLOSE = Key("close", form_kind(CLOSE_SPEC, "{ask: anything_else, farewell: closing, guard: 10s}"), "how", required=True)
REQUEST = Key("request", STEP, "step when the caller has a request: speaks, or presses any key")
CLOSE_EXITS = FormSpec("'on' of a close step", (REQUEST,))
CLOSE_ON = Key("on", form_kind(CLOSE_EXITS, "{request: main_menu}"), "where a request leads; needed with `ask`")

HANG_UP_WITH = Key("hang_up", WORD, "the outcome the journal keeps", required=True, example="wrong_number")

STEP_KINDS: tuple[StepKind, ...] = (
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
        (ANNOUNCE, RING_FOR, TALK_FOR, TRANSFER_ON),
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

# ── the flow itself ───────────────────────────────────────────────────────────────────────────────────────────────────

CALL_LENGTH = Key("call_length", duration(10.0, DAY_S, "30m"), "how long a call may last", written(_LIMITS.call_length))
VISITS = Key("visits_per_step", count(1, 1000, "20"), "how often a call may enter a step", str(_LIMITS.visits_per_step))
STEPS_PER_EVENT = Key(
    "steps_per_event", count(5, 1000, "50"), "steps entered in answer to one event", str(_LIMITS.steps_per_event)
)
TASK_WAIT = Key(
    "task_wait", duration(1.0, 3600.0, "5m"), "an agent's time for a task without a number", written(_LIMITS.task_wait)
)
OWN_WAIT = Key(
    "own_wait", duration(0.5, 60.0), "wait where the standard waits but gives no number", written(_LIMITS.own_wait)
)
TOLERANCE = Key(
    "tolerance", duration(0.0, 2.0, "250ms"), "how far off a wait may be and still be kept", written(_LIMITS.tolerance)
)
ROUNDS = Key(
    "rounds",
    count(1, 1000, "20"),
    "how often a ladder that goes round begins again: report progress every 15 s",
    str(_LIMITS.rounds),
)
SILENCE = Key(
    "silence",
    duration(0.5, DAY_S, "10s"),
    "the longest silence a caller may meet while nobody works for them; `ivrflow check` refuses a longer one",
)
TASK_SILENCE = Key(
    "task_silence", duration(1.0, DAY_S, "10m"), "the same, an agent's tasks without music included", example="10m"
)
TO_HUMAN = Key(
    "to_human",
    duration(1.0, DAY_S, "90s"),
    "how long the slowest caller who wants a person may take until an agent's telephone rings; longer is refused",
)
NOBODY_AT = Key(
    "nobody_at",
    one_or_more(STEP, "steps"),
    "steps from which nobody is to be had, on purpose; `to_human` does not hold there",
    example="[closed]",
)
LIMITS_SPEC = FormSpec(
    "'limits'",
    (
        CALL_LENGTH,
        VISITS,
        STEPS_PER_EVENT,
        TASK_WAIT,
        OWN_WAIT,
        TOLERANCE,
        ROUNDS,
        SILENCE,
        TASK_SILENCE,
        TO_HUMAN,
        NOBODY_AT,
    ),
)

MOST_STEPS = 1000


def _read_steps(node: Node, problems: ProblemList) -> Table | None:
    if not isinstance(node, Table) or not node.entries:
        wrong(node, "a table of steps", "{welcome: {say: …, then: …}}", problems)
        return None
    if len(node.entries) > MOST_STEPS:
        where = node.entries[MOST_STEPS].key.where
        problems.error(
            where, f"the flow has {len(node.entries)} steps; at most {MOST_STEPS} are read", "split the flow"
        )
    return Table(node.entries[:MOST_STEPS], node.where)


_STEPS_KIND: Kind[Table | None] = Kind(
    "a table of steps",
    "{welcome: …}",
    None,
    _read_steps,
    schema=js.table_of({"$ref": "#/$defs/step"}, NAME_PATTERN, may_be_empty=False),
)

FLOW = Key("flow", name_of("a flow's name", "gov12345"), "the flow's name", required=True)
TITLE = Key("title", TEXT, "what people call it", required=True)
STANDARD = Key("standard", name_of("a standard's name", "gov12345"), "the service standard it obeys", required=True)
PHRASE_FILES = Key(
    "phrase_files", NAMES, "further files with phrases, used as `NAME/phrase`", default="[house]", example="[house]"
)
VOICE = Key(
    "voice",
    name_of("a voice", "zm_yunxi"),
    "who speaks: the name of a voice, `docs/voice.md` lists them; what it did not record is heard in the default voice",
    default=DEFAULT_VOICE,
    example="zm_yunxi",
)
DIALLED = Key(
    "numbers",
    NUMBERS,
    "dialled numbers that lead here; a flow that only rings people says `places_calls` instead",
    required=True,
    unless="places_calls",
)
PLACES_CALLS = Key(
    "places_calls",
    form_kind(PLACING_SPEC, '{ring_for: 30s, rings: 7, quiet: ["21:00-07:30"], to: ["9*"]}'),
    "the flow rings people itself: whom, for how long, and when not; without it `ivrflow call` refuses the flow",
)
ZONE = Key("timezone", TIMEZONE, "whose clock the hours follow", required=True)
START = Key("start", STEP, "the first step", required=True, example="welcome")
LIMITS = Key("limits", form_kind(LIMITS_SPEC, "{call_length: 30m}"), "bounds; each ends in a worded outcome")
WORDINGS = Key(
    "wordings",
    WORDING_TABLE,
    "wordings the hour and the kind of day choose: a list of lines each, the first one that holds counts, the last one"
    " has only `say`; used as `when/NAME` wherever a phrase may stand",
    example="{greeting: [{days: holidays, say: greeting_holiday.festival}, {say: greeting_inbound.daily}]}",
)
STEPS = Key("steps", _STEPS_KIND, "the steps, by name", required=True)
OUTCOMES = Key(
    "outcomes",
    STEP_TABLE,
    "where a situation of the standard leads when its ladder is used up: a step per `then` word, or `continue`: back"
    " to where the caller was",
)
LEAVING = Key(
    "leaves",
    LEAVES,
    "where leaving a situation early leads, per situation and word, when that is not back to where the caller was",
)
TASKS = Key(
    "tasks",
    TASK_TABLE,
    "tasks of the standard that ivrflow does by saying a phrase, instead of asking the agent",
)
FLOW_SPEC = FormSpec(
    "a flow",
    (
        FLOW,
        TITLE,
        STANDARD,
        PHRASE_FILES,
        VOICE,
        DIALLED,
        PLACES_CALLS,
        ZONE,
        START,
        LIMITS,
        WORDINGS,
        STEPS,
        OUTCOMES,
        LEAVING,
        TASKS,
    ),
)
