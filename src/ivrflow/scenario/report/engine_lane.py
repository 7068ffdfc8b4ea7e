"""The engine's lane: its trace as spans and marks, in seconds since the caller's call was answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.scenario.observation import EngineSide
from ivrflow.scenario.report.privacy import Privacy
from ivrflow.scenario.report.scene import Lane, Look, Row, Shown, in_order, rows
from ivrflow.timeline import Story

_WAIT_OVER = frozenset({
    Fact.WAIT_USED_UP, Fact.WAIT_BEGUN, Fact.LADDER_LEFT, Fact.LADDER_USED_UP, Fact.TASK_DONE, Fact.TASK_ASKED,
    Fact.PHRASE_STARTED, Fact.STEP_ENTERED, Fact.SITUATION_STARTED, Fact.SITUATION_OVER, Fact.RINGING,
    Fact.CALLER_HUNG_UP, Fact.LINE_LOST, Fact.ENDED, Fact.HANDED_OVER, Fact.LIMIT_REACHED,
    Fact.AGENT_ANSWERED, Fact.AGENT_UNAVAILABLE, Fact.MESSAGE_RECORDED,
})  # fmt: skip
_OVER = frozenset({Fact.ENDED, Fact.HANDED_OVER, Fact.CALLER_HUNG_UP, Fact.LINE_LOST})
_SPANS: dict[Fact, tuple[Look, frozenset[Fact]]] = {
    Fact.STEP_ENTERED: ("step", frozenset({Fact.STEP_ENTERED}) | _OVER),
    Fact.SITUATION_STARTED: ("situation", frozenset({Fact.SITUATION_OVER}) | _OVER),
    Fact.SITUATION_FOLLOWED: ("situation", frozenset({Fact.SITUATION_OVER}) | _OVER),
    Fact.PHRASE_STARTED: ("says", frozenset({Fact.PHRASE_ENDED, Fact.PHRASE_STARTED}) | _OVER),
    Fact.WAIT_BEGUN: ("waits", _WAIT_OVER),
    Fact.TASK_ASKED: ("task", _WAIT_OVER),
    Fact.RINGING: (
        "ringing",
        frozenset({Fact.AGENT_ANSWERED, Fact.AGENT_UNAVAILABLE, Fact.SITUATION_STARTED, Fact.STEP_ENTERED}) | _OVER,
    ),
    Fact.DIALLING: ("ringing", frozenset({Fact.ANSWERED, Fact.NOT_ANSWERED, Fact.WAIT_USED_UP}) | _OVER),
    Fact.QUEUED: (
        "queue",
        frozenset({Fact.AGENT_ANSWERED, Fact.AGENT_UNAVAILABLE, Fact.LADDER_LEFT, Fact.STEP_ENTERED}) | _OVER,
    ),
    Fact.AGENT_ANSWERED: ("talk", frozenset({Fact.PARTED, Fact.AGENT_LEFT, Fact.AGENT_ANSWERED}) | _OVER),
    Fact.JOINED: ("talk", frozenset({Fact.PARTED, Fact.AGENT_LEFT, Fact.AGENT_ANSWERED}) | _OVER),
    Fact.PARTED: ("parted", frozenset({Fact.JOINED, Fact.AGENT_LEFT, Fact.AGENT_ANSWERED}) | _OVER),
    Fact.AGENT_HOLDS: ("hold", frozenset({Fact.AGENT_BACK, Fact.AGENT_LEFT}) | _OVER),
    Fact.ENQUIRED: ("asks", frozenset({Fact.ENQUIRY_OVER}) | _OVER),
    Fact.SPEECH_STARTED: ("hears", frozenset({Fact.SPEECH_ENDED, Fact.SPEECH_STARTED}) | _OVER),
}
"""What begins a span, how it looks, and what may end it."""

_PASSED_THROUGH_S = 0.005
"""A step in which a call stays no longer only leads on (opening hours, hanging up); the trace's table has it."""

_ROWS: tuple[tuple[Look, ...], ...] = (
    ("step", "situation"),
    ("says",),
    ("waits", "task", "asks"),
    (
        "queue",
        "ringing",
        "talk",
        "parted",
        "hold",
    ),
)

_MARKS: dict[Fact, Look] = {
    Fact.KEY_PRESSED: "keys",
    Fact.DIGITS_COLLECTED: "event",
    Fact.LADDER_LEFT: "event",
    Fact.LADDER_USED_UP: "event",
    Fact.SIGNAL_GIVEN: "event",
    Fact.ORDER_GIVEN: "order",
    Fact.LEVEL_RAISED: "event",
    Fact.LEVEL_KEPT: "event",
    Fact.MESSAGE_RECORDED: "event",
    Fact.MESSAGE_KEPT: "event",
    Fact.SCORED: "event",
    Fact.CALLBACK_ORDERED: "event",
    Fact.NOT_PLACED: "trouble",
    Fact.NOT_ANSWERED: "event",
    Fact.AGENT_UNAVAILABLE: "event",
    Fact.HEARING_LOST: "trouble",
    Fact.HEARING_RESTORED: "event",
    Fact.LIMIT_REACHED: "trouble",
    Fact.IGNORED: "event",
    Fact.CALLER_HUNG_UP: "event",
    Fact.LINE_LOST: "trouble",
    Fact.HANDED_OVER: "trouble",
    Fact.ENDED: "event",
}


def engine_lane(side: EngineSide, privacy: Privacy) -> Lane:
    """The trace, arranged: steps, phrases, waits, agents (ringing, talking, apart, holding), and what came in."""
    story = Story(side.verdicts, lambda _: "")
    words = [story.words(privacy.line(line)) for line in side.trace]
    spans = list(_spans(side.trace, side.answered_at, words))
    marks = list(_marks(side.trace, side.answered_at, words, privacy))
    of_rows = [Row("bars", in_order([span for span in spans if span.look in looks])) for looks in _ROWS]
    came_in = [span for span in spans if span.look == "hears"]
    return Lane("engine", "engine trace", "", rows(*of_rows, Row("marks", in_order([*came_in, *marks]))))


def _spans(trace: Sequence[TraceLine], answered_at: float, words: Sequence[str]) -> Iterator[Shown]:
    for index, line in enumerate(trace):
        if line.fact not in _SPANS:
            continue
        look, enders = _SPANS[line.fact]
        ending = next((later for later in range(index + 1, len(trace)) if trace[later].fact in enders), None)
        end = trace[-1].at if ending is None else trace[ending].at
        how = "" if ending is None or look == "step" else words[ending]
        if look == "step" and end - line.at < _PASSED_THROUGH_S:
            continue
        start = line.at - answered_at
        details = [
            _title(line, words[index]),
            f"from {start:.2f} s to {end - answered_at:.2f} s, {end - line.at:.2f} s long",
        ]
        details += [how] if how else []
        details += _evidence(line)
        yield Shown(look, start, end - answered_at, _label(look, line, end - line.at), details=tuple(details))


def _label(look: Look, line: TraceLine, seconds: float) -> str:
    match look:
        case "step":
            return line.step
        case "situation":
            return f"situation {line.detail.replace('_', ' ')}"
        case "says":
            return line.phrase.rpartition("/")[2]
        case "waits":
            return f"waits {seconds:.2f} s"
        case "task":
            return f"agent: {line.detail.replace('_', ' ')}"
        case "ringing":
            return f"rings {seconds:.2f} s"
        case "talk":
            return "talk"
        case "queue":
            return f"queue {line.detail}, {seconds:.2f} s"
        case "parted":
            return "parted"
        case "hold":
            return f"held {seconds:.2f} s"
        case "asks":
            return f"looks up {seconds:.2f} s"
        case _:
            return "hears speech"


def _marks(trace: Sequence[TraceLine], answered_at: float, words: Sequence[str], privacy: Privacy) -> Iterator[Shown]:
    for line, told in zip(trace, words, strict=True):
        if line.fact in _MARKS:
            at = line.at - answered_at
            details = (told, f"at {at:.2f} s", *_evidence(line))
            label = told
            if line.fact is Fact.KEY_PRESSED:
                label = privacy.keys(line.key)
            elif line.fact is Fact.ENDED:
                label = f"over: {line.detail.replace('_', ' ')}"
            yield Shown(_MARKS[line.fact], at, at, label, details=details)


def _title(line: TraceLine, told: str) -> str:
    return f"says {line.phrase}" if line.fact is Fact.PHRASE_STARTED else told


def _evidence(line: TraceLine) -> list[str]:
    """On which rule and at which place."""
    rule = f"rule {line.rule}, rung {line.rung}" if line.rung else f"rule {line.rule}" if line.rule else ""
    return [part for part in (rule, line.where) if part]
