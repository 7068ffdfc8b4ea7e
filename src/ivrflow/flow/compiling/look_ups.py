"""The look_up step, its values and cases checked."""

from __future__ import annotations

from ivrflow.flow.compiling.drafts import Draft
from ivrflow.flow.keys import look_ups as g
from ivrflow.flow.model import Ask
from ivrflow.flow.problems import did_you_mean
from ivrflow.flow.reading.times import written

CALLER = "caller"
"""The value that stands for the number the caller rings from."""


def compile_look_up(draft: Draft) -> Ask:
    """A look_up step; problems are noted."""
    form, names = draft.form, draft.names
    on, filler = form[g.LOOK_UP_ON], form[g.FILLER]
    _check(draft)
    failed = names.step(on[g.FAILED])
    return Ask(
        draft.name,
        draft.where,
        url=form[g.LOOK_UP],
        sends=tuple(value.text for value in form[g.SEND]),
        learns={placeholder.text: field.text for placeholder, field in form[g.LEARN]},
        field=form[g.CHOOSE].text,
        cases={value: names.step(step) for value, step in form[g.CASES_KEY].items()},
        filler=names.phrases(filler[g.FILLER_SAY]),
        filler_after=filler[g.FILLER_AFTER],
        most=form[g.LOOK_UP_AT_MOST],
        done=names.step(on[g.LOOK_UP_DONE]),
        late=names.step(on[g.LATE]) or failed,
        wrong=names.step(on[g.WRONG_ANSWER]) or failed,
        failed=failed,
    )


def _check(draft: Draft) -> None:
    form, names = draft.form, draft.names
    spoken = {name for phrase in names.phrase_data().values() for name in phrase.placeholders}
    known = spoken | names.values | {CALLER}
    for value in form[g.SEND]:
        if value.text not in known:
            hint = did_you_mean(value.text, names.values | {CALLER})
            draft.error(value.where, f"nothing keeps a value '{value.text}'", hint)
    for placeholder, _ in form[g.LEARN]:
        if placeholder.text not in spoken:
            hint = did_you_mean(placeholder.text, spoken) or "put it into a phrase, or delete it"
            names.problems.warn(placeholder.where, f"no phrase says {{{placeholder.text}}}", hint)
    if form.wrote(g.CHOOSE) and not form.wrote(g.CASES_KEY):
        hint = "write cases: {open: say_open}, or delete 'choose'"
        draft.error(form.place(g.CHOOSE), "the field chooses, and nothing says what", hint)
    if form.wrote(g.CASES_KEY) and not form.wrote(g.CHOOSE):
        draft.error(form.place(g.CASES_KEY), "nothing says which field chooses", "write choose: and the field's name")
    filler, most = form[g.FILLER], form[g.LOOK_UP_AT_MOST]
    if form.wrote(g.FILLER) and g.LOOK_UP_AT_MOST.name in form.values and filler[g.FILLER_AFTER] >= most:
        message = f"the filler is never said: the answer may take {written(most)} at most"
        draft.error(form.place(g.FILLER), message, "let it come sooner, or raise at_most")
