"""The reference of the flow language, written from the declarations the reader reads by.

`python -m ivrflow.flow.pages.reference > docs/flow-reference.md` renews the page; a test fails when it is stale.
"""

from __future__ import annotations

import textwrap
from typing import Any

from ivrflow.flow.days import HOLIDAYS
from ivrflow.flow.keys import agents, holiday_file, look_ups, phrasebook, promises, rules, standard, when
from ivrflow.flow.keys import call_steps as c
from ivrflow.flow.keys import grammar as g
from ivrflow.flow.keys import queueing as q
from ivrflow.flow.keys import step_keys as k
from ivrflow.flow.keys import what_callers_leave as w
from ivrflow.flow.keys.outgoing import PLACING_SPEC
from ivrflow.flow.keys.step_keys import StepKind
from ivrflow.flow.reading.forms import FormSpec, Key
from ivrflow.flow.reading.reader import KEYS
from ivrflow.flow.reading.times import DAYS

_OPENING = """\
# Flow reference

<!-- Written by `python -m ivrflow.flow.pages.reference`; a test compares. -->

A call flow is one YAML file in `callflows/`; what is said and how long is waited stands in the service standard it
names, `callflows/standards/NAME.yaml`. After an edit run `ivrflow check`: it reports everything that is wrong at once,
as `file:line:column` with a hint. `ivrflow draw NAME` shows the flow as a diagram, `ivrflow try NAME` lets you be the
caller.

## How values are written

| value | how | remarks |
|---|---|---|
"""


def flow_reference() -> str:
    """The text of `docs/flow-reference.md`."""
    parts = [_OPENING + _value_table()]
    parts.append("## The flow\n\n" + key_table(g.FLOW_SPEC))
    parts.append(
        "### places_calls\n\nA flow that rings people itself, with `ivrflow call` ([outbound.md](outbound.md)).\n\n"
        + key_table(PLACING_SPEC)
    )
    parts.append("### limits\n\nBounds of every call. Each ends in a worded outcome.\n\n" + key_table(g.LIMITS_SPEC))
    parts.append(_AGENTS_OPENING + key_table(agents.AGENTS_SPEC))
    parts.append(_RECORDING_OPENING + key_table(agents.RECORDING_SPEC))
    parts.append(_WORDINGS_OPENING + key_table(when.LINE_SPEC))
    parts.append(_STEPS_OPENING)
    parts += [_step(kind) for kind in g.STEP_KINDS]
    parts.append(_STANDARD_OPENING + key_table(standard.STANDARD_SPEC))
    for heading, spec in (
        ("A phrase", phrasebook.PHRASE_SPEC),
        ("A placeholder", phrasebook.PLACEHOLDER_SPEC),
        ("A rule", rules.RULE_SPEC),
        ("A rung", rules.RUNG_SPEC),
        ("A promise", promises.PROMISE_SPEC),
        ("What is owed next", promises.THEN_SPEC),
        ("A key figure", standard.FIGURE_SPEC),
    ):
        parts.append(f"### {heading}\n\n" + key_table(spec))
    parts.append(_WAITS)
    parts.append(_HOLIDAYS_OPENING + key_table(holiday_file.HOLIDAY_SPEC))
    parts.append("### A day off\n\n" + key_table(holiday_file.DAY_OFF_SPEC))
    parts.append("### A working day\n\nAs a day off, without `name`.\n")
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _value_table() -> str:
    rows = (
        ("a duration", "`3s` `500ms` `1m` `1m30s` `2h`", "a number and its unit; a bare number is an error"),
        ("a time of day", '`"06:00"`', 'on a clock of 24 hours; a closing time may be `"24:00"`'),
        (
            "days",
            "`mon-fri` `mon,wed,fri` `[sat, sun]`",
            f"days of the week: {', '.join(DAYS)}; `fri-mon` runs over the weekend; between braces write a list",
        ),
        (
            "",
            "`workdays` `[weekends, holidays]`",
            "days that are really worked (moved ones too), days off that are no public holiday, public holidays",
        ),
        (
            "",
            "`spring_festival` `[元旦, 国庆]`",
            "single public holidays: " + ", ".join(f"{name} {chinese}" for name, chinese in HOLIDAYS.items()),
        ),
        ("a key", '`1` `"*"` `"#"`', f"one of {' '.join(KEYS)}; `*` and `#` need quotes"),
        ("a step", "`main_menu`", "the name of a step of this flow; `hang_up` is there without writing it"),
        (
            "a phrase",
            "`silent_call.greeting` `house/menu.main`",
            "a key, not the wording; with `FILE/` from another file; `when/NAME` is a wording of the calendar",
        ),
        ("a rule", "`silent_call`", "a rule of the flow's standard, without the standard's id"),
        (
            "a queue",
            "`agents`",
            "its name on the PBX: a small letter, then small letters, digits, `_` and `-`, two at least; not `general`",
        ),
        ("days to keep", "`90d`", "a number of days, at most ten years"),
        ("a name, a word", "`case_number`", "small letters, digits and `_`"),
    )
    return "".join(f"| {name} | {how} | {remark} |\n" for name, how, remark in rows) + (
        "\nValues are text until their key says otherwise: `011` keeps its zero and `no` is a word. Where a list may"
        " stand, one value may stand alone.\n"
    )


_HOLIDAYS_OPENING = """\
## The holiday file

`holidays.yaml` beside the flows: days off and moved working days of your own. It wins over the published table up to the day
`until` names. More in [calendar.md](calendar.md).

"""

_WORDINGS_OPENING = """\
### wordings

Which wording when: the first line that holds at the moment it is said. The last line has only `say`. A line without
`days` holds on every day. More in [calendar.md](calendar.md).

```yaml
wordings:
  greeting:
    - {days: [new_year, spring_festival], say: greeting_holiday.new_year}
    - {from: "08:30", to: "12:00", say: greeting_time_of_day.morning}
    - {say: greeting_inbound.daily}
```

"""

_AGENTS_OPENING = """\
### agents

What an agent can do while talking with a caller. A code is keyed on the agent's telephone; the caller does not hear it.

```yaml
agents:
  hold: hold_request
  transfers: [to_colleague, to_supervisor]
  codes: {"*21": noise, "*70": to_supervisor, "*80": cancel, "*81": done, "*82": leave}
```

"""

_RECORDING_OPENING = """\
### recording

Both sides of a talk, in one file. While a caller keys in digits that are kept (`collect`), nothing is recorded.

```yaml
recording: {announce: house/recording.notice, whole_call: no, keep: 90d}
```

"""

_STEPS_OPENING = """\
## The steps

A step is told by its first key; each step does one thing. `on:` says where each thing a caller (or an agent) does leads.
Input that may not barge in is not lost: it counts when the prompt has ended.
"""

_STANDARD_OPENING = """\
## A standard

`callflows/standards/NAME.yaml`: an organisation's service standard. A phrase file such as `house.yaml` has the same
shape without rules.

"""

_WAITS = """\
### Which wait is chosen

| the rung | waits |
|---|---|
| says, with `wait_s: [a, b]` | (a + b) / 2 seconds after the phrase ended, or the step's `wait`, which must lie in between |
| does, with `wait_s: [a, b]` | at most b seconds |
| says, with `leave_on` but no number | `limits.own_wait`: the flow's own choice, never counted as documented |
| does, without a number | at most `limits.task_wait` |
| keeps the caller waiting with music, without a number | at most `limits.hold_wait` |
| the same while the agent's telephone holds | goes on until it no longer does, or the step's `talk_for` is over |
| keeps the caller waiting, in a rule with `limits: {max_hold_s: c}` | at most c seconds |
| `{do: unmute}` as a rule's first, without a number | goes on at once: the agent is asked to, and the wait was over before |
| says, with neither | goes on at once |
"""


def _step(kind: StepKind) -> str:
    heading = kind.main.name
    example = textwrap.indent(kind.example, "  ")
    parts = [f"### {heading}\n\n{kind.about}\n\n```yaml\nexample:\n{example}\n```\n\n", key_table(kind.spec)]
    parts += [_nested(key) for key in (kind.main, *kind.keys)]
    return "".join(parts)


def _nested(key: Key[Any]) -> str:
    """The tables of the keys below `key`, when it holds a table; those below these follow."""
    spec = _NESTED.get(id(key))
    if spec is None:
        return ""
    below = f"each item of `{key.name}`" if id(key) in _LISTED else f"`{key.name}`"
    return f"\nBelow {below}:\n\n{key_table(spec)}" + "".join(_nested(inner) for inner in spec.keys)


_LISTED = frozenset({id(c.HOURS), id(q.QUEUE), id(q.ANNOUNCEMENTS)})
_NESTED = {
    id(key): spec
    for key, spec in (
        (g.LIMITS, g.LIMITS_SPEC),
        (g.PLACES_CALLS, PLACING_SPEC),
        (g.AGENTS, agents.AGENTS_SPEC),
        (g.RECORDING, agents.RECORDING_SPEC),
        (c.SAY_ON, c.SAY_EXITS),
        (c.LADDER_ON, c.LADDER_EXITS),
        (c.INVALID, c.INVALID_SPEC),
        (c.MENU_ON, c.MENU_EXITS),
        (c.DIGITS, k.LENGTH_SPEC),
        (c.COLLECT_ON, c.COLLECT_EXITS),
        (c.HOURS, when.WINDOW_SPEC),
        (c.WARM, c.WARM_SPEC),
        (c.TRANSFER_ON, c.TRANSFER_EXITS),
        (c.CLOSE, c.CLOSE_SPEC),
        (c.CLOSE_ON, c.CLOSE_EXITS),
        (k.WRONG, k.WRONG_SPEC),
        (q.QUEUE, q.LEVEL_SPEC),
        (q.ANNOUNCEMENTS, q.ANNOUNCEMENT_SPEC),
        (q.THANKS, q.THANKS_SPEC),
        (q.QUEUE_ON, q.QUEUE_EXITS),
        (w.REVIEW, w.REVIEW_SPEC),
        (w.RECORD_ON, w.RECORD_EXITS),
        (w.SURVEY_ON, w.SURVEY_EXITS),
        (w.NUMBER_LENGTH, k.LENGTH_SPEC),
        (w.CALLBACK_ON, w.CALLBACK_EXITS),
        (look_ups.FILLER, look_ups.FILLER_SPEC),
        (look_ups.LOOK_UP_ON, look_ups.LOOK_UP_EXITS),
    )
}
_OWN_WORDS = frozenset({id(c.DIGITS), id(w.NUMBER_LENGTH), id(q.QUEUE)})
"""Keys whose value may be a table and need not: the page says what else may stand there."""


def key_table(spec: FormSpec) -> str:
    """The keys of a table as a table: value, default, meaning."""
    rows = ["| key | value | default | meaning |\n|---|---|---|---|\n"]
    rows += [_row(key) for key in spec.keys]
    if spec.rest:
        rows.append(f"| any leave word | a step | | {spec.rest} |\n")
    return "".join(rows)


def _row(key: Key[Any]) -> str:
    kind = key.kind
    name = "a table, see below" if id(key) in _NESTED and id(key) not in _OWN_WORDS else kind.name
    bounds = f", {kind.bounds}" if kind.bounds else ""
    needed = f"**required** without `{key.unless}`" if key.unless else "**required**"
    default = needed if key.required else f"`{key.default}`" if key.default is not None else ""
    return f"| {cells(f'`{key.name}`', f'{name}{bounds}: `{key.shown}`', default, key.about)} |\n"


def cells(*texts: str) -> str:
    """The cells of one row of a table."""
    return " | ".join(_in_cell(text) for text in texts)


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(flow_reference(), end="")
