"""Every key a flow may hold, declared once: the compiler reads by it and the reference in the docs is written from it."""

from __future__ import annotations

from typing import TypeAlias

from ivrflow.flow.compiling.tasks import TASK_TABLE
from ivrflow.flow.keys.agents import AGENTS_SPEC, RECORDING_SPEC
from ivrflow.flow.keys.call_steps import CALL_STEPS
from ivrflow.flow.keys.look_ups import LOOK_UP_STEP
from ivrflow.flow.keys.outgoing import PLACING_SPEC
from ivrflow.flow.keys.queueing import QUEUE_STEP
from ivrflow.flow.keys.step_keys import StepKind
from ivrflow.flow.keys.what_callers_leave import CALLBACK_STEP, RECORD_STEP, SURVEY_STEP
from ivrflow.flow.keys.when import WORDING_TABLE
from ivrflow.flow.model import DEFAULT_VOICE, Limits
from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import (
    NAME_PATTERN,
    NAME_SCHEMA,
    NAMES,
    NUMBERS,
    STEP,
    TEXT,
    TIMEZONE,
    Kind,
    Named,
    check_name,
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

STEP_KINDS: tuple[StepKind, ...] = (
    *CALL_STEPS[:-2],
    QUEUE_STEP,
    RECORD_STEP,
    SURVEY_STEP,
    CALLBACK_STEP,
    LOOK_UP_STEP,
    *CALL_STEPS[-2:],
)
"""Every kind of step; those that end a call come last."""

# ── the flow itself ───────────────────────────────────────────────────────────────────────────────────────────────────

CALL_LENGTH = Key("call_length", duration(10.0, DAY_S, "30m"), "how long a call may last", written(_LIMITS.call_length))
VISITS = Key("visits_per_step", count(1, 1000, "20"), "how often a call may enter a step", str(_LIMITS.visits_per_step))
STEPS_PER_EVENT = Key(
    "steps_per_event", count(5, 1000, "50"), "steps entered in answer to one event", str(_LIMITS.steps_per_event)
)
TASK_WAIT = Key(
    "task_wait", duration(1.0, 3600.0, "5m"), "an agent's time for a task without a number", written(_LIMITS.task_wait)
)
HOLD_WAIT = Key(
    "hold_wait",
    duration(1.0, 3600.0, "5m"),
    "how long a hold that a code or a situation begins may last, with music, without a number; an agent's telephone may hold"
    " as long as `talk_for`",
    written(_LIMITS.hold_wait),
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
    "how long the slowest caller who wants a person may take to an agent's ringing telephone or into a queue; longer is refused",
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
        HOLD_WAIT,
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
AGENTS = Key(
    "agents",
    form_kind(AGENTS_SPEC, '{hold: hold_request, transfers: [agent], codes: {"*80": cancel}}'),
    "what agents can do while they talk with a caller of this flow",
)
RECORDING = Key(
    "recording",
    form_kind(RECORDING_SPEC, "{announce: house/recording.notice, keep: 90d}"),
    "that talks are recorded, both sides; without it they are not",
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
        AGENTS,
        RECORDING,
    ),
)
