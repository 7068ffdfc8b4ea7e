"""The queue step: from levels and announcements to the ladder a waiting caller climbs."""

from __future__ import annotations

import math

from ivrflow.flow.compiling.drafts import Draft, check_fits_call, check_talk, key_steps
from ivrflow.flow.compiling.ladders import opened_rule
from ivrflow.flow.keys import queueing as g
from ivrflow.flow.keys import step_keys as k
from ivrflow.flow.model import Ladder, Listening, Queue, QueueLevel, Rung
from ivrflow.flow.reading.forms import Form, Key
from ivrflow.flow.reading.times import written


def compile_queue(draft: Draft) -> Queue:
    """A queue step; problems are noted."""
    form, names = draft.form, draft.names
    on, thanks = form[g.QUEUE_ON], form[g.THANKS]
    check_talk(draft)
    check_fits_call(draft, g.QUEUE_AT_MOST, "waiting")
    no_answer = names.step(on[g.QUEUE_NO_ANSWER])
    keys = key_steps(on[k.KEY], names)
    return Queue(
        draft.name,
        draft.where,
        levels=_levels(draft),
        priority=form[g.PRIORITY],
        announce=names.phrases(form[g.QUEUE_ANNOUNCE]),
        ladder=_announcements(draft),
        listening=Listening(frozenset({"key"} if keys else ()), keys=keys),
        most=form[g.QUEUE_AT_MOST],
        thanks=names.phrases(thanks[g.THANKS_SAY]),
        thanks_over=thanks[g.OVER],
        talk_for=form[k.TALK_FOR],
        agent_left=names.step(on[k.AGENT_LEFT]),
        no_answer=no_answer,
        nobody=names.step(on[g.QUEUE_NOBODY]) or no_answer,
        full=names.step(on[g.QUEUE_FULL]) or no_answer,
    )


def _levels(draft: Draft) -> tuple[QueueLevel, ...]:
    form = draft.form
    for level in form[g.QUEUE]:
        if g.QUEUE_AT_MOST.name in form.values and level.after >= form[g.QUEUE_AT_MOST]:
            message = f"'{level.queue.text}' is never asked: the caller waits {written(form[g.QUEUE_AT_MOST])} at most"
            draft.error(level.where, message, "ask it earlier, or raise at_most")
    return tuple(QueueLevel(level.where, level.queue.text, level.after) for level in form[g.QUEUE])


def _announcements(draft: Draft) -> Ladder:
    """Each announcement is preceded by its pause, so a rung says one and waits for the next."""
    forms = draft.form[g.ANNOUNCEMENTS]
    rungs: list[Rung] = []
    loops_from = 0
    if forms:
        rungs.append(Rung(forms[0].where, wait=_pause(forms[0])))
    for position, form in enumerate(forms):
        goes_round = form.wrote(g.EVERY)
        _check_order(draft, form, goes_round=goes_round, after_round=bool(loops_from))
        if goes_round and not loops_from:
            loops_from = len(rungs) + 1
            first_again = form
        said = [(draft.names.phrase(phrase), phrase.where) for phrase in form[g.ANNOUNCEMENT_SAY]]
        rungs += [Rung(where, say=key, rule=opened_rule(draft.names.standard, key)) for key, where in said if key]
        if position + 1 < len(forms):
            _wait_after_last(rungs, _pause(forms[position + 1]))
    if loops_from:
        _wait_after_last(rungs, _pause(first_again))
    _check_in_time(draft, forms)
    around = sum(rung.wait for rung in rungs[loops_from - 1 :]) if loops_from else 0.0
    rounds = math.ceil(draft.form[g.QUEUE_AT_MOST] / around) if around else 0
    loops_from = loops_from if rounds else 0
    return Ladder(draft.name, tuple(rungs), "no_answer", draft.where, loops_from=loops_from, rounds=rounds)


def _pause(announcement: Form) -> float:
    return announcement[_pause_key(announcement)]


def _pause_key(announcement: Form) -> Key[float]:
    return g.EVERY if announcement.wrote(g.EVERY) else g.AFTER


def _wait_after_last(rungs: list[Rung], seconds: float) -> None:
    last = rungs[-1]
    rungs[-1] = Rung(last.where, say=last.say, wait=seconds, rule=last.rule)


def _check_order(draft: Draft, announcement: Form, *, goes_round: bool, after_round: bool) -> None:
    if goes_round and announcement.wrote(g.AFTER):
        hint = "delete 'after'; the first time it comes after the same pause"
        draft.error(announcement.place(g.AFTER), "an announcement has 'after' or 'every', not both", hint)
    elif after_round and not goes_round:
        message = "this is never said once: the announcements before it go round and round"
        draft.error(announcement.where, message, "write it above those with 'every', or with 'every' too")


def _check_in_time(draft: Draft, announcements: tuple[Form, ...]) -> None:
    """What comes when nobody waits any more is never heard."""
    if g.QUEUE_AT_MOST.name not in draft.form.values:
        return
    waited, most = 0.0, draft.form[g.QUEUE_AT_MOST]
    for announcement in announcements:
        waited += _pause(announcement)
        if waited >= most:
            message = (
                f"this is never said: it comes after {written(waited)}, and the caller waits {written(most)} at most"
            )
            place = announcement.place(_pause_key(announcement))
            draft.names.problems.warn(place, message, "say it earlier, or raise at_most")
            return
