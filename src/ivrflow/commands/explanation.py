"""What a caller would meet at a moment, and why: the engine's own first seconds, with the calendar's reasons beside them.

The call is simulated up to its first wait. From there it is simulated again for each thing a caller may do, up to where
that leads. Nothing here walks a flow by itself, so an explanation cannot differ from the call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from ivrflow.calendar_notices import calendar_notices
from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.flow.calendar import Times, holds, in_words, why
from ivrflow.flow.compiling.routes import Exit, exits
from ivrflow.flow.days import Day
from ivrflow.flow.model import WHEN, Ask, CallFlow, Hours, Queue, Record, Step
from ivrflow.flow.reading.times import written
from ivrflow.simulator.call_file import place_call
from ivrflow.simulator.simulation import Simulation
from ivrflow.simulator.transcript import Transcript

_STOPS = frozenset({Fact.WAIT_BEGUN, Fact.RINGING, Fact.QUEUED, Fact.ENQUIRED, Fact.TASK_ASKED, Fact.ENDED})
"""Where a caller, an agent, the other side of a look-up or nobody has the next move."""

_HAPPENINGS = {
    "invalid": "too many wrong keys",
    "done": "all digits keyed",
    "incomplete": "too few digits, too often",
    "agent_left": "the agent hanging up",
    "no_answer": "nobody answering",
    "busy": "the telephone being busy",
    "unreachable": "the telephone not being there",
    "nobody": "no agent being logged in, or all pausing",
    "full": "the queue taking nobody else",
    "late": "no answer in time",
    "wrong": "an answer that cannot be understood",
    "failed": "nobody there to ask, or an error",
    "survey": "the farewell, after a talk with an agent",
}
"""Ways out of a step that are told and not played, as words for people."""

_BY_SILENCE = frozenset({"then", "used_up", "no_input", "nothing"})


class Choice(msgspec.Struct, frozen=True):
    """One window, or one line of a wording, that was looked at: whether it held, and why."""

    holds: bool
    times: str
    why: str
    where: str


class Line(msgspec.Struct, frozen=True):
    """One thing that happens.

    Attributes:
        at: seconds since the call arrived.
        what: in words.
        rule: id of the documented rule, with its rung; empty without.
        where: "file:line"; empty for what callers, agents and clocks do.
        choices: what the calendar looked at before it, in order, up to the one that held.
    """

    at: float
    what: str
    rule: str = ""
    where: str = ""
    choices: tuple[Choice, ...] = ()


class Way(msgspec.Struct, frozen=True):
    """What one thing leads to that may happen at the first wait."""

    when: str
    lines: tuple[Line, ...]


class Explanation(msgspec.Struct, frozen=True):
    """Everything about one moment.

    Attributes:
        at: local time, ISO 8601.
        day: the kind of day, in words.
        day_from: who says so: "the published table", a place in a holiday file, or "the day of the week".
        warnings: what nobody knows, or what is wrong with the holiday file.
        meets: from the arrival to the first wait.
        ways: what may follow, one for each thing that can happen then.
    """

    flow: str
    title: str
    at: str
    weekday: str
    timezone: str
    day: str
    day_from: str
    warnings: tuple[str, ...]
    meets: tuple[Line, ...]
    ways: tuple[Way, ...]


def explain_moment(flow: CallFlow, local: datetime) -> Explanation:
    """What somebody meets who calls at `local` (or is called, by a flow that only places calls)."""
    day = flow.calendar.on(local.date())
    walk = _Walk(flow, local)
    walk.to_next_stop()
    meets = tuple(walk.news())
    warnings = tuple(
        f"{notice.where}: {notice.message}; {notice.hint}" for notice in calendar_notices([flow], local.date())
    )
    return Explanation(
        flow=flow.id,
        title=flow.title,
        at=local.isoformat(timespec="minutes"),
        weekday=f"{local:%A}",
        timezone=str(flow.timezone),
        day=str(day),
        day_from=_source(day),
        warnings=warnings,
        meets=meets,
        ways=tuple(_ways(flow, local, walk.simulation)),
    )


def _source(day: Day) -> str:
    match day.source:
        case "table":
            return "the published table of holidays"
        case "file":
            return f"{_line_of(str(day.where))} ({day.reason})"
        case "weekday":
            return "the day of the week alone: nobody knows the holidays of this year"


def _line_of(place: str) -> str:
    return place.rpartition(":")[0]


# ── walking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Walk:
    """A simulated call, and what of it was not told yet."""

    def __init__(self, flow: CallFlow, local: datetime) -> None:
        self._flow, self._local = flow, local
        self.simulation = place_call(flow, local)
        self._transcript = Transcript(self.simulation)
        self._seen = 0

    def to_next_stop(self, *, leaving: str = "") -> None:
        """On to the next stop; with `leaving` to the first one outside that step."""
        session = self.simulation.session
        while True:
            fresh, self._seen = session.trace[self._seen :], len(session.trace)
            if any(line.fact in _STOPS and line.step != leaving for line in fresh) or self.simulation.step() is None:
                return

    def skip(self) -> None:
        """Everything so far counts as told."""
        for _ in self._transcript.news():
            pass
        self._seen = len(self.simulation.session.trace)

    def news(self) -> Iterator[Line]:
        """What happened since the last time, with the calendar's reasons."""
        for told in self._transcript.news():
            what = told.what if told.who == "ivrflow" else f"{told.who}: {told.what}"
            yield Line(round(told.at, 2), what, told.rule, told.where, tuple(self._choices(told.line)))

    def _choices(self, line: TraceLine | None) -> Iterator[Choice]:
        """What the calendar looked at for this line."""
        if line is None:
            return
        local = self._local + timedelta(seconds=line.at)
        step = self._flow.steps.get(line.step)
        if line.fact is Fact.STEP_ENTERED and isinstance(step, Hours):
            yield from self._looked_at(step.windows, local)
            if not any(holds(window, local, self._flow.calendar) for window in step.windows):
                yield Choice(holds=True, times="otherwise", why="no window holds", where=_line_of(str(step.where)))
        elif line.fact is Fact.PHRASE_STARTED and line.detail.startswith(f"{WHEN}/"):
            name = line.detail.partition("/")[2].partition(":")[0]
            yield from self._looked_at(self._flow.wordings[name].lines, local)

    def _looked_at(self, every: Sequence[Times], local: datetime) -> Iterator[Choice]:
        for times in every:
            held = holds(times, local, self._flow.calendar)
            reason = why(times, local, self._flow.calendar)
            yield Choice(held, in_words(times), reason, _line_of(str(times.where)))
            if held:
                return


# ── what may follow ───────────────────────────────────────────────────────────────────────────────────────────────────


def _ways(flow: CallFlow, local: datetime, met: Simulation) -> Iterator[Way]:
    """What each thing that can happen at the first wait leads to, up to the next one in another step."""
    if met.is_over or not met.session.step:
        return
    step = flow.steps.get(met.session.step)
    if step is None:  # the person called has not picked up
        return
    yield _way(flow, local, _when_nothing_is_done(step, met))
    for way in exits(step):
        if way.word == "speech":
            yield _way(flow, local, "speech", m.SpeechStarted(), m.SpeechEnded())
        elif way.word == "key":
            for key in way.keys:
                yield _way(flow, local, f"key {key}", m.KeyPressed(key=key))
        elif way.word == "request":
            yield _way(flow, local, "speech or any key", m.SpeechStarted(), m.SpeechEnded())
        elif way.word not in _BY_SILENCE and not (isinstance(step, Ask) and way.word == "done"):
            target = flow.steps[way.target]
            line = Line(round(met.now, 2), f"goes to step {way.target}", where=_line_of(str(target.where)))
            yield Way(_happening(step, way), (line,))


def _when_nothing_is_done(step: Step, met: Simulation) -> str:
    """What is played first: the caller does nothing; agents answer, and so does whoever is asked."""
    match step:
        case Queue():
            return "an agent answering"
        case Ask():
            return "an answer"
        case _:
            return "silence" if met.is_listening else "time passes"


def _happening(step: Step, way: Exit) -> str:
    """What makes a call leave a step, where it is told and not played."""
    match step:
        case Record() if way.word == "done":
            return "a message"
        case Ask(cases=cases, field=field) if way.word == "case":
            values = [value for value, target in cases.items() if target == way.target]
            return f"an answer that says {field} {' or '.join(values)}"
        case Queue(most=most) if way.word == "no_answer":
            return f"nobody answering within {written(most)}"
        case _:
            return _HAPPENINGS.get(way.word, way.word.replace("_", " "))


def _way(flow: CallFlow, local: datetime, when: str, *events: m.CallEvent) -> Way:
    walk = _Walk(flow, local)
    walk.to_next_stop()
    walk.skip()
    step = walk.simulation.session.step
    for event in events:
        walk.simulation.feed(event)
    walk.to_next_stop(leaving="" if events else step)
    return Way(when, tuple(walk.news()))
