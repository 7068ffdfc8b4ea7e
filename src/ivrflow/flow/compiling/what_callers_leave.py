"""A message, a score, a number to call back: one step in the file, several small ones in the call.

The small ones are named `NAME.part`. The first of each result is the step the file names.
"""

from __future__ import annotations

from collections.abc import Mapping

from ivrflow.flow.compiling.drafts import Draft, barge_in, phrase_or_usual
from ivrflow.flow.compiling.ladders import opened_rule
from ivrflow.flow.keys import step_keys as k
from ivrflow.flow.keys import what_callers_leave as g
from ivrflow.flow.model import (
    RETURN,
    BargeIn,
    CallBack,
    Collect,
    Keep,
    Ladder,
    Listening,
    Menu,
    PlayBack,
    Record,
    Rung,
    Say,
    Score,
    Step,
)
from ivrflow.flow.reading.forms import Form, Key
from ivrflow.flow.reading.reader import Named
from ivrflow.flow.reading.times import written

CALLBACK_NUMBER = "callback_number"
"""The value that holds the number a caller keyed in to be called back at; phrases read it back."""

_S_PER_H = 3600.0
_KEYS_ONLY = "only keys are an answer here; write barge_in: [key], or []"


def _question(
    draft: Draft, form: Form, name: str, phrase: Named, keys: Mapping[str, str], *, no_input: str, invalid_then: str
) -> Menu:
    """A small menu: the question, its keys, what silence and wrong keys lead to."""
    names, wrong = draft.names, form[k.WRONG]
    key = names.phrase(phrase)
    rung = Rung(phrase.where, say=key, wait=form[k.QUESTION_WAIT], rule=opened_rule(names.standard, key))
    return Menu(
        name,
        draft.where,
        Ladder(name, (rung,) * (1 + form[k.QUESTION_REPEATS]), "no_input", draft.where),
        Listening(_cuts(draft, form), keys=keys),
        no_input=no_input,
        invalid=phrase_or_usual(draft, form, k.WRONG, wrong[k.WRONG_SAY]),
        invalid_repeats=wrong[k.WRONG_REPEATS],
        invalid_then=invalid_then,
    )


def _cuts(draft: Draft, form: Form) -> frozenset[BargeIn]:
    return barge_in(draft, form[k.KEYS_BARGE_IN], frozenset({"key"}), _KEYS_ONLY)


def _say(draft: Draft, name: str, phrases: tuple[Named, ...], then: str) -> list[Step]:
    """A step that says the phrases; none when there are none."""
    names = draft.names
    rungs = tuple(
        Rung(phrase.where, say=key, rule=opened_rule(names.standard, key))
        for phrase in phrases
        if (key := names.phrase(phrase))
    )
    return [Say(name, draft.where, Ladder(name, rungs, RETURN, draft.where), Listening(), then)] if rungs else []


# ── a message ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def compile_record(draft: Draft) -> tuple[Step, ...]:
    """Record, review, listen, keep, and a word of thanks; problems are noted."""
    form, names = draft.form, draft.names
    on, most = form[g.RECORD_ON], form[g.RECORD_AT_MOST]
    for key, what in (
        (g.RECORD_SILENCE, "no silence can end it sooner"),
        (g.RECORD_LEAST, "every message is too short"),
    ):
        if form.wrote(key) and g.RECORD_AT_MOST.name in form.values and form[key] >= most:
            message = f"{what}: a message lasts {written(most)} at most"
            draft.error(form.place(key), message, f"write less than {written(most)}, or raise at_most")
    done = names.step(on[g.RECORD_DONE])
    noted = _say(draft, draft.part("noted"), form[k.NOTED], done)
    keep = draft.part("keep")
    review = _review(draft, keep) if g.REVIEW.name in form.values else []
    record = Record(
        draft.name,
        draft.where,
        ask=names.phrases(form[g.RECORD_ASK]),
        most=most,
        silence=form[g.RECORD_SILENCE],
        least=form[g.RECORD_LEAST],
        end_key=form[g.MESSAGE_END],
        about=form[g.RECORD].text,
        done=review[0].name if review else keep,
        nothing=names.step(on[g.NOTHING]),
    )
    return (record, *review, Keep(keep, draft.where, noted[0].name if noted else done), *noted)


def _review(draft: Draft, keep: str) -> list[Step]:
    """Silence keeps the message: who says nothing more has said what there was to say."""
    form = draft.form[g.REVIEW]
    name, listen = draft.part("review"), draft.part("listen")
    choices = ((g.REVIEW_KEEP, keep), (g.REVIEW_LISTEN, listen), (g.REVIEW_AGAIN, draft.name))
    keys: dict[str, str] = {}
    meant: dict[str, Key[str]] = {}
    for choice, target in choices:
        key = form[choice]
        if key in keys:
            _twice(draft, form, meant[key], choice)
        meant.setdefault(key, choice)
        keys.setdefault(key, target)
    menu = _question(draft, form, name, form[g.REVIEW_SAY], keys, no_input=keep, invalid_then=keep)
    return [menu, PlayBack(listen, draft.where, name)]


def _twice(draft: Draft, form: Form, first: Key[str], second: Key[str]) -> None:
    message = f"the key '{form[second]}' means both '{first.name}' and '{second.name}'"
    hint = "give each a key of its own; without a word keep is 1, listen 2 and again 3"
    draft.error(form.place(second if form.wrote(second) else first), message, hint)


# ── a score ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def compile_survey(draft: Draft) -> tuple[Step, ...]:
    """The question, one step per score, and a word of thanks; problems are noted."""
    form, names = draft.form, draft.names
    on, scores = form[g.SURVEY_ON], form[g.SURVEY_SCORES]
    done = names.step(on[g.SURVEY_DONE])
    thanks = _say(draft, draft.part("thanks"), form[g.SURVEY_THANKS], done)
    most = max(one.score for one in scores)
    given = {one.score: draft.part(f"score{one.score}") for one in scores}
    menu = _question(
        draft,
        form,
        draft.name,
        form[g.SURVEY_ASK],
        {one.key: given[one.score] for one in scores},
        no_input=names.step(on[g.SURVEY_NO_INPUT]) or done,
        invalid_then=names.step(on[g.SURVEY_INVALID]) or done,
    )
    then = thanks[0].name if thanks else done
    survey = form[g.SURVEY].text
    return (
        menu,
        *(Score(name, draft.where, survey, score, most, then) for score, name in given.items()),
        *thanks,
    )


# ── a number to be called back at ─────────────────────────────────────────────────────────────────────────────────────


def compile_callback(draft: Draft) -> tuple[Step, ...]:
    """Which number, keyed in, read back and confirmed; then the order. Problems are noted."""
    form, names = draft.form, draft.names
    on = form[g.CALLBACK_ON]
    _check_callback(draft)
    done, undiallable = names.step(on[g.CALLBACK_DONE]), names.step(on[g.UNDIALLABLE])
    no_input = names.step(on[g.CALLBACK_NO_INPUT])
    invalid = names.step(on[g.CALLBACK_INVALID]) or no_input
    noted = _say(draft, draft.part("noted"), form[k.NOTED], done)
    then = noted[0].name if noted else done
    offers = form.wrote(g.OFFER)
    ask = draft.part("number") if offers else draft.name
    read_back, order = draft.part("read_back"), draft.part("order")
    steps: list[Step] = []
    if offers:
        own = draft.part("own")
        keys = {g.OWN_NUMBER_KEY: own, g.OTHER_NUMBER_KEY: ask}
        steps.append(_question(draft, form, draft.name, form[g.OFFER], keys, no_input=no_input, invalid_then=invalid))
        # Somebody whose number is withheld, or may not be rung, can still name another.
        steps.append(_order(draft, own, "", then, ask))
    steps.append(_number(draft, ask, read_back, no_input))
    keys = {g.RIGHT_KEY: order, g.WRONG_NUMBER_KEY: ask}
    steps.append(_question(draft, form, read_back, form[g.READ_BACK], keys, no_input=no_input, invalid_then=invalid))
    return (*steps, _order(draft, order, CALLBACK_NUMBER, then, undiallable), *noted)


def _number(draft: Draft, name: str, done: str, no_input: str) -> Collect:
    form, names = draft.form, draft.names
    least, most = form[g.NUMBER_LENGTH]
    return Collect(
        name,
        draft.where,
        value=CALLBACK_NUMBER,
        ask=names.phrase(form[g.ASK_NUMBER]),
        least=least,
        most=most,
        end_key=form[k.ENDING],
        first_digit=form[g.NUMBER_FIRST_DIGIT],
        inter_digit=form[g.NUMBER_INTER_DIGIT],
        barge_in=_cuts(draft, form),
        incomplete_say=phrase_or_usual(draft, form, g.NUMBER_INCOMPLETE, form[g.NUMBER_INCOMPLETE]),
        repeats=form[k.QUESTION_REPEATS],
        done=done,
        no_input=no_input,
        incomplete=no_input,
    )


def _order(draft: Draft, name: str, number: str, then: str, undiallable: str) -> CallBack:
    form = draft.form
    return CallBack(
        name,
        form[g.CALLBACK].where,
        number=number,
        flow=form[g.CALLBACK].text,
        to=form[g.CALLBACK_TO],
        within_h=form[g.WITHIN] / _S_PER_H,
        tries=form[g.TRIES],
        retry_after=form[g.RETRY_AFTER],
        then=then,
        undiallable=undiallable,
    )


def _check_callback(draft: Draft) -> None:
    form, names = draft.form, draft.names
    phrase = form[g.READ_BACK]
    data = names.phrase_data()
    keys = names.wordings_of(names.phrase(phrase)) if phrase else ()
    for key in keys:
        if key in data and CALLBACK_NUMBER not in data[key].placeholders:
            message = f"'{phrase.text}' does not read the number back"
            draft.error(phrase.where, message, f"put {{{CALLBACK_NUMBER}}} into its text")
    last = (form[g.TRIES] - 1) * form[g.RETRY_AFTER]
    if g.WITHIN.name in form.values and last > form[g.WITHIN]:
        message = f"the last try comes {written(last)} after the first; the call is promised within"
        hint = "try less often, or sooner again"
        names.problems.warn(form.place(g.WITHIN), f"{message} {written(form[g.WITHIN])}", hint)
    _check_length(draft)


def _check_length(draft: Draft) -> None:
    """What can be keyed in must be able to be one of `to`; the number a caller rings from may have any length."""
    if draft.form.wrote(g.OFFER):
        return
    least, most = draft.form[g.NUMBER_LENGTH]
    for number in draft.form[g.CALLBACK_TO]:
        digits = number.rstrip("*")
        if len(digits) > most or (not number.endswith("*") and len(digits) < least):
            message = f"nobody can key in '{number}': a number has {least} to {most} digits"
            draft.error(draft.form.place(g.CALLBACK_TO), message, "change 'length' or 'to'")
