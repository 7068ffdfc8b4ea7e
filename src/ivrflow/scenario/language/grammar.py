"""Every key a scenario may hold, declared once: reading goes by it and the reference in the docs is written from it.

Nothing here knows a call flow: which phrases, rules and extensions there are is looked up in `naming`. The words of a
script stand in `step_words`, single values in `written_values` and `microphone_words`.
"""

from __future__ import annotations

from typing import TypeAlias

from ivrflow.engine.trace import Judgement
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.forms import Form, FormSpec, Key
from ivrflow.flow.reading.reader import (
    NUMBER,
    TEXT,
    Kind,
    Named,
    name_of,
    wrong,
)
from ivrflow.flow.reading.source import Node, Table
from ivrflow.flow.reading.times import DAY_S, duration
from ivrflow.scenario.language.agent_words import AGENTS, CALLED
from ivrflow.scenario.language.microphone_words import SOURCE
from ivrflow.scenario.language.noted_words import CALLBACKS, LOOK_UPS, MESSAGES, SCORES
from ivrflow.scenario.language.promise_words import PROMISE_TABLE
from ivrflow.scenario.language.step_words import SCRIPT
from ivrflow.scenario.language.written_values import (
    JUDGEMENT,
    NEVER_HEARD,
    OUTCOME_WORD,
    RANGE,
    RULE_NAMES,
    STAGE,
    WHEN,
    WHO,
    YES_OR_NO,
    table_by_rule,
)

# ── expectations ──────────────────────────────────────────────────────────────────────────────────────────────────────

WrittenVerdicts: TypeAlias = tuple[tuple[Named, Judgement, Location], ...]

VERDICT_TABLE: Kind[WrittenVerdicts] = table_by_rule(
    JUDGEMENT, "a table of rules and verdicts", "{silent_call: kept}", JUDGEMENT.bounds
)

HUNG_UP_FIRST = Key("hung_up_first", WHO, "who hangs up first")
OUTCOME = Key("outcome", OUTCOME_WORD, "how the call ends, in a word of the flow")
VERDICTS = Key("verdicts", VERDICT_TABLE, "verdicts that rules must get; no rule that is not listed may be broken")
NEVER_HEAR = Key("never_hear", NEVER_HEARD, "phrases the caller must not hear", example="[house/menu.main]")
HEARD_ELSE = Key(
    "heard_else", YES_OR_NO, "whether caller and agents may hear phrases that their scripts do not name", "no"
)
LASTS = Key("lasts", RANGE, "seconds from the answer to the end")
PROMISES = Key(
    "promises", PROMISE_TABLE, "what rules must promise the caller, by when; rules not listed are not looked at"
)
MESSAGES_LEFT = Key("messages", MESSAGES, "messages that must be kept, by message box, each with its length or `any`")
SCORES_GIVEN = Key("scores", SCORES, "scores the caller must have given, by survey; `none` for a survey without one")
CALLBACKS_ORDERED = Key(
    "callbacks", CALLBACKS, "the flows by which the caller must be called back, in their order", example="callback"
)
EXPECT_SPEC = FormSpec(
    "'expect'",
    (
        HUNG_UP_FIRST,
        OUTCOME,
        VERDICTS,
        NEVER_HEAR,
        HEARD_ELSE,
        LASTS,
        PROMISES,
        MESSAGES_LEFT,
        SCORES_GIVEN,
        CALLBACKS_ORDERED,
    ),
)


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
CALL = Key(
    "call",
    NUMBER,
    "the number that is dialled, without it the flow's first; with `called` the number that the flow rings, which is also "
    "the name of the SIP account",
)
CALLED_KEY = Key(
    "called",
    CALLED,
    "the flow places the call: how the caller's telephone rings, in the words of an agent's first item",
)
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
    "expect", Kind("a table, see below", "{hung_up_first: ivrflow}", Form(Location("", 0, 0)), _read_expect,
                   schema=EXPECT_SPEC.schema),
    "what must have come of it",
)  # fmt: skip
LOOK_UPS_KEY = Key(
    "look_ups",
    LOOK_UPS,
    "what the other side of the flow's look-ups does, by the name of the step; without it nobody can be asked",
)
SCENARIO_SPEC = FormSpec(
    "a scenario",
    (
        TITLE,
        FLOW,
        CALL,
        CALLED_KEY,
        AT,
        PROVES,
        ON,
        WHY,
        BOUND,
        CALLER_BACKGROUND,
        CALLER,
        AGENTS_KEY,
        LOOK_UPS_KEY,
        EXPECT,
    ),
)
