"""How long a scenario takes at least, and how long it may take at most where its author does not say.

Both are worked out from the script and the flow alone, without playing anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ivrflow.flow.model import (
    Ask,
    Band,
    CallBack,
    CallFlow,
    Climb,
    Close,
    Collect,
    HangUp,
    Hours,
    Keep,
    Ladder,
    Menu,
    PlayBack,
    Queue,
    Record,
    Score,
    Transfer,
)
from ivrflow.flow.model import Say as SayStep
from ivrflow.flow.model import Step as FlowStep
from ivrflow.flow.proof.circles import connected_parts
from ivrflow.flow.proof.departures import TONE_S, longest_message
from ivrflow.scenario.language.naming import phrase_seconds
from ivrflow.scenario.script import (
    AgentPart,
    Hear,
    HearMusic,
    HearStart,
    Order,
    Pause,
    Press,
    Say,
    Step,
    Wait,
    WaitUntil,
    last_pause,
)

FACTOR = 1.5
"""A call that takes longer than this many times what was expected does not get there any more."""

MARGIN_S = 20.0
"""Seconds beyond that for dialling, ringing and hanging up on a busy machine."""

_GAP_S = 10.0
"""Seconds granted before a phrase that follows no pause: a menu's wait, or a telephone that rings for a while."""


def moments(steps: Sequence[Step], flow: CallFlow) -> Iterator[tuple[Step, float]]:
    """Each step with the second after the answer before which it cannot end."""
    at = heard_at = quiet_until = 0.0
    for step in steps:
        match step:
            case Hear(phrase=phrase, at_least=share):
                at = heard_at = max(at, quiet_until) + share * phrase_seconds(flow, phrase)
            case HearStart():
                at = heard_at = max(at, quiet_until)
            case HearMusic():
                heard_at = at
            case Pause():
                quiet_until = heard_at + _least_quiet(step)
            case WaitUntil(second=second):
                at = max(at, second)
            case _:
                at += _own_seconds(step)
        yield step, at


def least_seconds(steps: Sequence[Step], flow: CallFlow) -> float:
    """Seconds after the answer before which a script cannot be over, the pause before the end of the call included."""
    least = heard_at = 0.0
    for step, at in moments(steps, flow):
        least = max(least, at)
        heard_at = at if isinstance(step, Hear | HearStart | HearMusic) else heard_at
    pause = last_pause(steps)
    return max(least, heard_at + _least_quiet(pause)) if pause else least


def _least_quiet(pause: Pause) -> float:
    return max(0.0, pause.band.least - pause.tolerance)


def _own_seconds(step: Step) -> float:
    """Seconds a step takes that listens to nobody."""
    match step:
        case Wait(seconds=seconds) | Say(seconds=seconds):
            return seconds
        case Press(keys=keys, hold_ms=hold_ms, gap_ms=gap_ms):
            return (len(keys) * hold_ms + (len(keys) - 1) * gap_ms) / 1000
        case _:
            return 0.0


def longest_call(flow: CallFlow, caller: Sequence[Step], agents: Sequence[AgentPart], lasts: Band | None) -> float:
    """Seconds for everything where the author gives no bound.

    What the script is expected to take, what every agent's part takes, then the longest that the flow goes on with a
    caller who does nothing more; all that half as long again, and a margin.
    """
    scripts = [caller, *(agent.steps for agent in agents)]
    are_tasks_done = any(isinstance(step, Order) and step.what == "done" for steps in scripts for step in steps)
    expected = sum(agent.after for agent in agents)
    expected += sum(_expected(steps, flow, are_tasks_done=are_tasks_done) for steps in scripts)
    expected += flow.places_calls.ring_for if flow.places_calls else 0.0
    whole = max(expected + longest_silence(flow), lasts.most if lasts else 0.0)
    return round(whole * FACTOR + MARGIN_S, 1)


def _expected(steps: Sequence[Step], flow: CallFlow, *, are_tasks_done: bool) -> float:
    at = 0.0
    pause: float | None = None
    for step in steps:
        match step:
            case Hear(phrase=phrase) | HearStart(phrase=phrase):
                at += (_GAP_S if pause is None else pause) + phrase_seconds(flow, phrase)
                pause = None
            case Pause(band=band, tolerance=tolerance):
                pause = band.most + tolerance
            case WaitUntil(second=second):
                at = max(at, second)
            case Order(what="situation", word=word) if word in flow.situations:
                at += _ladder_seconds(flow.situations[word], flow, with_tasks=not are_tasks_done)
            case _:
                at += _own_seconds(step)
    return at + (pause or 0.0)


# ── a caller who does nothing ─────────────────────────────────────────────────────────────────────────────────────────


def longest_silence(flow: CallFlow) -> float:
    """Seconds for which the flow goes on at most with a caller who does nothing, from whatever step, each met once."""
    leads = {name: _when_silent(step) for name, step in flow.steps.items()}
    longest: dict[str, float] = {}
    for part in connected_parts(leads):
        here = sum(_silent_seconds(flow.steps[name], flow) for name in part)
        onward = {other for name in part for other in leads[name]} - set(part)
        ahead = max((longest[other] for other in onward), default=0.0)
        longest |= dict.fromkeys(part, here + ahead)
    return max(longest.values(), default=0.0) + _recording_announced(flow, whole_call=True)


def _when_silent(step: FlowStep) -> tuple[str, ...]:
    """The steps that may come next when the caller does nothing and nobody answers; none where the call ends, or time tells."""
    match step:
        case SayStep(then=then) | PlayBack(then=then) | Keep(then=then) | Score(then=then):
            return (then,)
        case Climb(used_up=used_up):
            return (used_up,)
        case Menu(no_input=no_input) | Collect(no_input=no_input):
            return (no_input,)
        case Transfer(no_answer=no_answer) | Queue(no_answer=no_answer):
            return (no_answer,)
        case Record(nothing=nothing):
            return (nothing,)
        case CallBack(then=then, undiallable=undiallable):
            return (then, undiallable)
        case Ask():
            return (step.done, *step.cases.values(), step.late, step.wrong, step.failed)
        case Close(survey=survey):
            return (survey,) if survey else ()
        case Hours() | HangUp():
            return ()


def _silent_seconds(step: FlowStep, flow: CallFlow) -> float:
    match step:
        case SayStep(ladder=ladder) | Climb(ladder=ladder) | Menu(ladder=ladder):
            return _ladder_seconds(ladder, flow)
        case Collect():
            asked = phrase_seconds(flow, step.ask) + step.first_digit
            again = asked + phrase_seconds(flow, step.incomplete_say)
            return asked + step.repeats * again
        case Transfer(announce=announce, ring_for=ring_for):
            return _recording_announced(flow) + _said_seconds(announce, flow) + ring_for
        case Queue(announce=announce, most=most):
            return _recording_announced(flow) + _said_seconds(announce, flow) + most
        case Record(ask=ask, silence=silence):
            return _said_seconds(ask, flow) + TONE_S + silence
        case PlayBack():
            return longest_message(flow)
        case Ask(filler=filler, most=most):
            return most + _said_seconds(filler, flow)
        case Close(ladder=ladder, guard=guard, reminder=reminder):
            reminded = phrase_seconds(flow, reminder) + guard if reminder else 0.0
            return _ladder_seconds(ladder, flow) + guard + reminded
        case Hours(windows=windows):
            return max((_said_seconds(window.says, flow) for window in windows), default=0.0)
        case Keep() | Score() | CallBack() | HangUp():
            return 0.0


def _said_seconds(phrases: Sequence[str], flow: CallFlow) -> float:
    return sum(phrase_seconds(flow, phrase) for phrase in phrases)


def _recording_announced(flow: CallFlow, *, whole_call: bool = False) -> float:
    """Seconds it takes to say that the call is recorded: at its very beginning, or before an agent is sought."""
    recording = flow.recording
    return _said_seconds(recording.announce, flow) if recording and recording.whole_call == whole_call else 0.0


def _ladder_seconds(ladder: Ladder, flow: CallFlow, *, with_tasks: bool = True) -> float:
    """Seconds a ladder takes whose tasks nobody does; without them when somebody says that they are done."""
    seconds = 0.0
    for rung in ladder.rungs:
        if rung.task:
            seconds += (rung.wait or flow.limits.task_wait) if with_tasks else 0.0
        else:
            seconds += rung.wait + (phrase_seconds(flow, rung.say) if rung.say else 0.0)
    return seconds
