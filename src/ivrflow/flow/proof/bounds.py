"""The bounds a flow sets itself (`limits: {silence, task_silence, to_human}`), held against what is proven of it."""

from __future__ import annotations

from ivrflow.flow.keys import grammar as g
from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import ProblemList, did_you_mean
from ivrflow.flow.proof.proof_words import silence_path, way_path
from ivrflow.flow.proof.silence import Silence, silences
from ivrflow.flow.proof.to_human import WayToHuman, ways_to_human
from ivrflow.flow.reading.forms import Form, Key
from ivrflow.flow.reading.times import written


def check_bounds(flow: CallFlow, written_limits: Form, problems: ProblemList) -> None:
    """Note every bound of the flow that a call may exceed, with the way on which it does.

    What rests on the estimated length of a wording nobody recorded yet is a warning: the recording decides.

    Args:
        flow: the flow.
        written_limits: its `limits`, as they were read: where each bound stands.
        problems: where to note them.
    """
    limits = flow.limits
    if limits.silence is not None or limits.task_silence is not None:
        quiet = silences(flow)
        _check_silence(quiet.waiting, limits.silence, written_limits, g.SILENCE, problems)
        _check_silence(quiet.working, limits.task_silence, written_limits, g.TASK_SILENCE, problems)
    for step in written_limits[g.NOBODY_AT]:
        if step.text not in flow.steps:
            problems.error(step.where, f"there is no step '{step.text}'", did_you_mean(step.text, flow.steps))
    if limits.to_human is not None:
        for way in ways_to_human(flow):
            _check_way(way, limits.to_human, written_limits, problems)


def _check_silence(silence: Silence, bound: float | None, form: Form, key: Key[float], problems: ProblemList) -> None:
    if bound is None or silence.seconds <= bound:
        return
    message = f"a caller may meet {written(silence.seconds)} of silence, more than '{key.name}' allows"
    problems.error(form.place(key), message, f"this is how: {silence_path(silence)}")


def _check_way(way: WayToHuman, bound: float, form: Form, problems: ProblemList) -> None:
    where = form.place(g.TO_HUMAN)
    start = f" ({way.start})" if way.start else ""
    if way.seconds is None:
        if not way.on_purpose:
            hint = f"let one lead there; where nobody is meant to be had, name the step under {g.NOBODY_AT.name}"
            problems.error(where, f"a caller{start} never gets to a person: {way.why_never}", hint)
    elif way.seconds > bound:
        message = f"a caller{start} may be {written(way.seconds)} without a person, longer than '{g.TO_HUMAN.name}'"
        note = problems.error
        if way.is_estimated:
            message += "; wordings that are not recorded are estimated"
            note = problems.warn
        note(where, message, f"this is how: {way_path(way)}")
