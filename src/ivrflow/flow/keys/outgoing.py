"""Calls a flow places: whom it may ring, for how long, and when it must not disturb anybody."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from ivrflow.flow import notations
from ivrflow.flow.compiling.names import Names
from ivrflow.flow.model import Band, Ladder, PlacesCalls, Quiet, Rule, Rung
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import Form, FormSpec, Key
from ivrflow.flow.reading.reader import NOWHERE, RULE, STEP, Kind, from_text, one_or_more
from ivrflow.flow.reading.source import Text
from ivrflow.flow.reading.syntax import full_width_hint, shortened
from ivrflow.flow.reading.times import count, duration, time_of_day, written

RING_S = 5.0
"""Seconds from one ring to the next in China: a tone of one second, a pause of four."""

LONGEST_RINGING = 120.0
"""Seconds a telephone is rung at most; exchanges give up sooner."""

DIAL = "dial"
"""What a rule's rung does whose wait says how long a telephone rings."""

ANSWERED = "answered"
"""The word on which that rung is left."""

_LEAST_RINGS = "min_rings_before_giving_up"


# ── kinds ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_MINUTES = time_of_day("24:00")


def _read_quiet(text: Text, problems: ProblemList) -> Quiet | None:
    first, dash, last = text.text.partition("-")
    if not dash:
        hint = full_width_hint(text.text) or 'write from when to when, "21:00-07:30"; it may run past midnight'
        problems.error(text.where, f"'{shortened(text.text)}' says no from and to", hint)
        return None
    before = len(problems.errors)
    begins = _MINUTES.read(Text(first.strip(), text.where), problems)
    ends = _MINUTES.read(Text(last.strip(), text.where), problems)
    if begins is None or ends is None:
        if len(problems.errors) == before:
            problems.error(text.where, "a time is missing", 'write "21:00-07:30"')
        return None
    begins, ends = begins % 1440, ends % 1440
    if begins == ends:
        problems.error(text.where, "quiet all day: no call could ever be placed", "delete it, or name its end")
        return None
    return Quiet(begins, ends, text.where)


def _read_whom(text: Text, problems: ProblemList) -> str | None:
    if notations.EXTENSION.fullmatch(text.text.removesuffix("*")):
        return text.text
    if text.text == "*":
        problems.error(text.where, "'*' lets anybody be rung", 'write how their numbers begin: "1*"')
        return None
    # Nothing but digits goes to the PBX: '&', '@' or '/' in a dial string would ring whatever somebody likes.
    hint = full_width_hint(text.text) or 'write digits, for example "1001", or how numbers begin: "9*"'
    problems.error(text.where, f"'{shortened(text.text)}' is no number that can be rung", hint)
    return None


QUIET_TIME: Kind[Quiet] = from_text(
    "quiet hours",
    '"21:00-07:30"',
    Quiet(0, 0, NOWHERE),
    _read_quiet,
    schema=js.only_text_like("[0-9]{1,2}:[0-5][0-9] *- *[0-9]{1,2}:[0-5][0-9]"),
)
WHOM: Kind[str] = from_text(
    "a number, or how numbers begin", '"9*"', "", _read_whom, schema=js.digits(f"{notations.EXTENSION.pattern}[*]?")
)

# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

PLACING_RULE = Key("rule", RULE, "the rule of the standard that says how long it rings", example="outbound_no_answer")
RING_FOR = Key("ring_for", duration(1.0, LONGEST_RINGING, "30s"), "how long the telephone rings at most", "30s")
RINGS = Key(
    "rings",
    count(1, int(LONGEST_RINGING / RING_S), "7"),
    f"how often it rings at most; a ring is {written(RING_S)}, and the earlier bound counts",
    "7",
)
QUIET = Key(
    "quiet",
    one_or_more(QUIET_TIME, "quiet hours", may_be_empty=True),
    "when nobody is rung, by the flow's clock; it may run past midnight",
    default="[]",
    example='["21:00-07:30", "12:30-14:00"]',
)
TO = Key(
    "to",
    one_or_more(WHOM, "numbers"),
    "who may be rung: numbers, or how they begin; nothing else is ever dialled",
    required=True,
    example='["1001", "9*"]',
)
PLACING_START = Key("start", STEP, "the first step once somebody answers; without it the flow's own `start`")
PLACING_SPEC = FormSpec("'places_calls'", (PLACING_RULE, RING_FOR, RINGS, QUIET, TO, PLACING_START))


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def ringing_band(rule: Rule) -> Band | None:
    """The seconds a rule documents for ringing somebody who does not answer; None when it is about something else.

    The wait of the rung that dials, when it has one; otherwise the rings it counts, at `RING_S` each.
    """
    rung = next((rung for rung in rule.rungs if rung.task == DIAL), None)
    if rung is None:
        return None
    if rung.wait is not None:
        return rung.wait
    rings = rule.limits.get(_LEAST_RINGS)
    return Band(rings * RING_S if isinstance(rings, float) else 0.0, LONGEST_RINGING)


def compile_placing(form: Form, where: Location, names: Names, start: str) -> PlacesCalls:
    """What `places_calls` says, resolved; problems are noted.

    Args:
        form: the table as read.
        where: where `places_calls` is written.
        names: what the flow may refer to.
        start: the flow's own first step.
    """
    seconds = min(form[RING_FOR], form[RINGS] * RING_S)
    rule = names.rule(form[PLACING_RULE])
    rung = Rung(where=where, task=DIAL, wait=seconds, leave_on=ANSWERED)
    name, then = "places_calls", "hangup"
    if rule is not None:
        place, name, then = form.place(PLACING_RULE), rule.name, rule.then
        band = ringing_band(rule)
        if band is None:
            rules = names.standard.rules.values() if names.standard else ()
            fitting = [other.name for other in rules if ringing_band(other) is not None]
            hint = f"write rule: {fitting[0]}" if fitting else "delete 'rule'"
            names.problems.error(place, f"{rule.id} does not say how long to ring", hint)
        elif not band.least <= seconds <= band.most:
            allowed = _allowed(band)
            message = f"{written(seconds)} of ringing is not what {rule.id} asks for: {allowed}"
            key = RINGS if form.wrote(RINGS) and form[RINGS] * RING_S < form[RING_FOR] else RING_FOR
            rings = f"write ring_for: {written(band.least)}, and at least {-int(-band.least // RING_S)} rings"
            names.problems.error(form.place(key), message, rings)
        else:
            task = next(one for one in rule.rungs if one.task == DIAL)
            rung = Rung(where=task.where, task=DIAL, wait=seconds, band=band, leave_on=ANSWERED, rule=rule.id)
    return PlacesCalls(
        ladder=Ladder(name, (rung,), then, where),
        quiet=form[QUIET],
        to=form[TO],
        start=names.step(form[PLACING_START]) or start,
        where=where,
    )


def _allowed(band: Band) -> str:
    if band.most >= LONGEST_RINGING:
        return f"at least {written(band.least)}"
    return written(band.least) if band.least == band.most else f"{written(band.least)} to {written(band.most)}"


# ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def may_ring(placing: PlacesCalls, number: str) -> bool:
    """Whether the flow may ring `number`: digits, and listed in `to`."""
    return may_be_rung(placing.to, number)


def may_be_rung(to: tuple[str, ...], number: str) -> bool:
    """Whether `number` is digits, and one of `to`: numbers, or with a `*` behind them how numbers begin."""
    if not notations.EXTENSION.fullmatch(number):
        return False
    return any(number.startswith(one[:-1]) if one.endswith("*") else number == one for one in to)


def may_ring_all(to: tuple[str, ...], numbers: str) -> bool:
    """Whether everybody meant by `numbers` (a number, or with a `*` how numbers begin) is one of `to`."""
    if not numbers.endswith("*"):
        return may_be_rung(to, numbers)
    return any(one.endswith("*") and numbers.startswith(one[:-1]) for one in to)


def quiet_until(placing: PlacesCalls, local: datetime) -> datetime | None:
    """When the quiet hours that hold at `local` are over, across all that follow one another; None outside them.

    They begin with their first minute and end before their last one: at 07:30 sharp one may ring again.
    """
    now = local
    for _ in range(len(placing.quiet) * 2 + 1):
        minute = now.hour * 60 + now.minute
        quiet = next((one for one in placing.quiet if one.holds(minute)), None)
        if quiet is None:
            return None if now == local else now
        day = now.date() + timedelta(days=1) if minute >= quiet.ends else now.date()
        now = datetime.combine(day, time(quiet.ends // 60, quiet.ends % 60), local.tzinfo)
    return now  # quiet hours that cover the whole day: the compiler refuses those


def is_always_quiet(placing: PlacesCalls) -> bool:
    """Whether no minute of the day is left to ring anybody."""
    return all(any(one.holds(minute) for one in placing.quiet) for minute in range(1440))
