"""What depends on the hour and the kind of day, read from a flow: windows of hours, wordings chosen by the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ivrflow.flow.calendar import Coverage
from ivrflow.flow.compiling.ladders import opened_rule, without_alternative
from ivrflow.flow.compiling.names import Names
from ivrflow.flow.days import ALL_DAYS
from ivrflow.flow.model import WHEN, Ladder, Rung, Standard, Window, Wording, WordingLine
from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import Form, FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import NAME_PATTERN, PHRASE, PHRASES, STEP, Kind, check_name, one_or_more, wrong
from ivrflow.flow.reading.source import Entry, Items, Node, Table
from ivrflow.flow.reading.times import DAY_SET, time_of_day

# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_OPENING, _CLOSING = time_of_day("23:59"), time_of_day("24:00")

OPENS = Key("from", _OPENING, "first minute of the window", required=True)
CLOSES = Key(
    "to",
    _CLOSING,
    "first minute after it; earlier than `from` means past midnight",
    required=True,
    example='"22:00"',
)
DAYS = Key("days", DAY_SET, "days on which the window opens", required=True)
WINDOW_SAYS = Key(
    "say",
    PHRASES,
    "what is said first, for example a greeting for the time of day",
    example="[when/greeting, greeting_inbound.standard]",
)
WINDOW_THEN = Key("then", STEP, "step for this time", required=True, example="welcome")
WINDOW_SPEC = FormSpec("a window of hours", (DAYS, OPENS, CLOSES, WINDOW_SAYS, WINDOW_THEN))
_WINDOW = form_kind(WINDOW_SPEC, '{days: mon-fri, from: "08:00", to: "18:00", then: welcome}')

LINE_DAYS = Key("days", DAY_SET, "days on which the line holds; without it every day", example="[new_year, weekends]")
LINE_OPENS = Key("from", _OPENING, "first minute on which it holds", default='"00:00"', example='"08:30"')
LINE_CLOSES = Key(
    "to",
    _CLOSING,
    "first minute after it; earlier than `from` means past midnight",
    default='"24:00"',
    example='"12:00"',
)
LINE_SAYS = Key(
    "say",
    one_or_more(PHRASE, "phrases", may_be_empty=True),
    "what is then said; `[]` says nothing",
    required=True,
    example="greeting_inbound.daily",
)
LINE_SPEC = FormSpec("a line of a wording", (LINE_DAYS, LINE_OPENS, LINE_CLOSES, LINE_SAYS))
_LINE = form_kind(LINE_SPEC, '{from: "08:30", to: "12:00", say: greeting_time_of_day.morning}')


def _read_windows(node: Node, problems: ProblemList) -> tuple[Form, ...] | None:
    if not isinstance(node, Items) or not node.items:
        wrong(node, "a list of windows", f"- {_WINDOW.example}", problems)
        return None
    forms = [_WINDOW.read(item, problems) for item in node.items]
    return tuple(form for form in forms if form is not None)


WINDOWS: Kind[tuple[Form, ...]] = Kind(
    "a list of windows",
    f"[{_WINDOW.example}]",
    (),
    _read_windows,
    schema=js.list_of(_WINDOW.schema, may_be_empty=False),
)


def _read_wordings(node: Node, problems: ProblemList) -> Table | None:
    if isinstance(node, Table):
        return node
    wrong(node, "a table of wordings", f"{{greeting: [{_LINE.example}]}}", problems)
    return None


WORDING_TABLE: Kind[Table | None] = Kind(
    "a table of wordings",
    "{greeting: [{say: …}]}",
    None,
    _read_wordings,
    schema=js.table_of(js.list_of(_LINE.schema, may_be_empty=False), NAME_PATTERN),
)

# ── windows ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def compile_windows(forms: Sequence[Form], names: Names) -> tuple[Window, ...]:
    """The windows of an hours step; one that those above it cover is warned of."""
    windows: list[Window] = []
    covered = Coverage()
    for form in forms:
        window = Window(
            days=form[DAYS],
            opens=form[OPENS],
            closes=form[CLOSES],
            says=names.phrases(form[WINDOW_SAYS]),
            then=names.step(form[WINDOW_THEN]),
            where=form.where,
        )
        if window.opens == window.closes and {"from", "to"} <= set(form.values):
            hint = 'all day is from: "00:00", to: "24:00"'
            names.problems.error(form.place(CLOSES), "the window closes when it opens", hint)
        if not covered.take(window) and window.days:
            names.problems.warn(form.where, "this window never holds: those above cover it", "delete or move it")
        windows.append(window)
    return tuple(windows)


# ── wordings ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def compile_wordings(table: Table | None, names: Names) -> dict[str, Wording]:
    """The wordings of a flow, by name."""
    wordings: dict[str, Wording] = {}
    for entry in table.entries if table else ():
        name = entry.key
        if not check_name(name, "a wording's name", names.problems):
            continue
        wordings[name.text] = Wording(name.text, name.where, _lines(entry, names))
    return wordings


def _lines(entry: Entry, names: Names) -> tuple[WordingLine, ...]:
    node = entry.value
    if not isinstance(node, Items) or not node.items:
        wrong(node, "a list of lines", f"- {_LINE.example}", names.problems)
        return ()
    lines: list[WordingLine] = []
    covered = Coverage()
    forms = [form for item in node.items if (form := _LINE.read(item, names.problems)) is not None]
    for form in forms:
        line = _line(form, names)
        if line.opens == line.closes and (form.wrote(LINE_OPENS) or form.wrote(LINE_CLOSES)):
            hint = "leave 'from' and 'to' out for the whole day"
            names.problems.error(form.place(LINE_CLOSES), "the line ends when it begins", hint)
        elif not covered.take(line) and line.days:
            names.problems.warn(form.where, "this line never holds: those above cover it", "delete or move it")
        lines.append(line)
    if len(forms) == len(node.items) and not _is_always(forms[-1]):
        message = f"nothing says what '{entry.key.text}' is when no line holds"
        hint = "end with a line that has only say:, for example - {say: greeting_inbound.daily}"
        names.problems.error(forms[-1].where, message, hint)
    return tuple(lines)


def _is_always(form: Form) -> bool:
    return not any(form.wrote(key) for key in (LINE_DAYS, LINE_OPENS, LINE_CLOSES))


def _line(form: Form, names: Names) -> WordingLine:
    says: list[str] = []
    for phrase in form[LINE_SAYS]:
        if phrase.text.startswith(f"{WHEN}/"):
            hint = "name the phrases themselves"
            names.problems.error(phrase.where, "a wording cannot be made of another wording", hint)
        elif key := names.phrase(phrase):
            says.append(key)
    return WordingLine(
        where=form.where,
        says=tuple(says),
        rules=tuple(owning_rule(names.standard, key) for key in says),
        days=form[LINE_DAYS] if form.wrote(LINE_DAYS) else ALL_DAYS,
        opens=form[LINE_OPENS],
        closes=form[LINE_CLOSES],
    )


def owning_rule(standard: Standard | None, phrase: str) -> str | None:
    """Id of the rule a wording belongs to: the one that opens with it, or with another of the same family.

    A standard writes one of its wordings for a condition into the rule ("greeting_time_of_day.morning") and lists the
    others beside it; a phrase that stands in a rule itself belongs to no other.
    """
    if standard is None:
        return None
    stands_in = [rule for rule in standard.rules.values() if any(rung.say == phrase for rung in rule.rungs)]
    if stands_in:
        return opened_rule(standard, phrase)
    openings = {rule.id: rule.rungs[0].say for rule in standard.rules.values() if rule.rungs and rule.rungs[0].say}
    for family in (without_alternative, _condition_of):
        owners = [rule for rule, opening in openings.items() if family(opening) == family(phrase)]
        if owners:
            return owners[0] if len(owners) == 1 else None
    return None


def _condition_of(phrase: str) -> str:
    """The name without the last part, which says the condition: "morning"; the whole name when it has but one part."""
    name = without_alternative(phrase)
    return name.rpartition(".")[0] or name


# ── where a ladder begins with a greeting ─────────────────────────────────────────────────────────────────────────────


def with_greeting(ladder: Ladder, greeting: Sequence[Rung]) -> Ladder:
    """The ladder with something said, and waited for, before its own first rung."""
    if not greeting or not ladder.rungs:
        return ladder
    return replace(ladder, rungs=(*greeting, *ladder.rungs), greets=len(greeting))
