"""One step of a flow, from located nodes to the frozen step a call walks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ivrflow.flow.compiling.drafts import LEADS_HINT, Draft, barge_in, check_talk, key_steps
from ivrflow.flow.compiling.ladders import opened_rule, rule_ladder, rule_rungs, says, with_opening, with_waits
from ivrflow.flow.compiling.look_ups import compile_look_up
from ivrflow.flow.compiling.names import Names
from ivrflow.flow.compiling.queueing import compile_queue
from ivrflow.flow.compiling.what_callers_leave import compile_callback, compile_record, compile_survey
from ivrflow.flow.keys import call_steps as g
from ivrflow.flow.keys import step_keys as k
from ivrflow.flow.keys.grammar import STEP_KINDS
from ivrflow.flow.keys.look_ups import LOOK_UP
from ivrflow.flow.keys.queueing import QUEUE
from ivrflow.flow.keys.what_callers_leave import CALLBACK, RECORD, SURVEY
from ivrflow.flow.keys.when import compile_windows, with_greeting
from ivrflow.flow.model import (
    RETURN,
    Band,
    BargeIn,
    Climb,
    Close,
    Collect,
    HangUp,
    Hours,
    Ladder,
    Limits,
    Listening,
    Menu,
    Rule,
    Rung,
    Say,
    Step,
    Transfer,
    Warm,
)
from ivrflow.flow.problems import did_you_mean
from ivrflow.flow.reading.forms import Form
from ivrflow.flow.reading.reader import STEP, Named, wrong
from ivrflow.flow.reading.source import Node, Table, Text
from ivrflow.flow.reading.times import written

HAS_REQUEST = "caller_has_request"
"""The leave word of a closing question asked in the house's own words."""

WAITS_FOR_HANGUP = "wait_caller_hangup"

_KINDS: Mapping[str, k.StepKind] = {kind.main.name: kind for kind in STEP_KINDS}


def compile_step(name: Text, node: Node, names: Names, limits: Limits) -> tuple[Step, ...]:
    """The step written under `name`, and those it is put together from; none when its kind cannot be told."""
    if not isinstance(node, Table):
        wrong(node, "a step", f"{name.text}: {{say: …, then: …}}", names.problems)
        return ()
    mains = [entry for entry in node.entries if entry.key.text in _KINDS]
    if not mains:
        _not_a_step(name, node, names)
        return ()
    if len(mains) > 1:
        first, second = mains[0].key, mains[1].key
        message = f"a step does one thing; here are '{first.text}' and '{second.text}'"
        names.problems.error(second.where, message, "make two steps of it")
        return ()
    main = mains[0].key
    form = _KINDS[main.text].spec.read(node, main.where, names.problems)
    draft = Draft(name.text, name.where, form, names, limits)
    if main.text in _COMPOUNDS:
        return _COMPOUNDS[main.text](draft)
    return (_COMPILERS[main.text](draft),)


def _not_a_step(name: Text, node: Table, names: Names) -> None:
    for entry in node.entries:
        hint = did_you_mean(entry.key.text, _KINDS)
        if hint.startswith("did you mean"):
            names.problems.error(entry.key.where, f"no step has '{entry.key.text}'", hint)
            return
    names.problems.error(name.where, f"the step '{name.text}' does nothing", f"give it one of {', '.join(_KINDS)}")


# ── what the caller may do ────────────────────────────────────────────────────────────────────────────────────────────


def _listening(draft: Draft, on: Form) -> Listening:
    speech, keys = on[k.SPEECH], on[k.KEY]
    leads: set[BargeIn] = set()
    if on.wrote(k.SPEECH):
        leads.add("speech")
    if on.wrote(k.KEY):
        leads.add("key")
    return Listening(
        barge_in=barge_in(draft, draft.form[k.BARGE_IN], frozenset(leads), LEADS_HINT),
        speech=draft.names.step(speech) or None,
        keys=key_steps(keys, draft.names),
    )


# ── one function per kind of step ─────────────────────────────────────────────────────────────────────────────────────


def _say(draft: Draft) -> Step:
    form, names = draft.form, draft.names
    rule = names.rule(form[g.SAY_RULE])
    keys = [(names.phrase(phrase), phrase.where) for phrase in form[g.SAY]]
    if rule is not None and keys and not any(_says(rule, key, names) for key, _ in keys):
        said = ", ".join(sorted({rung.say.partition("/")[2] for rung in rule.rungs if rung.say}))
        hint = f"it says {said}" if said else "it says nothing at all"
        draft.error(form[g.SAY_RULE].where, f"{rule.id} does not say this", hint)
    rungs = tuple(
        Rung(where, say=key, rule=rule.id if rule and _says(rule, key, names) else opened_rule(names.standard, key))
        for key, where in keys
    )
    ladder = Ladder(draft.name, rungs, RETURN, draft.where)
    return Say(draft.name, draft.where, ladder, _listening(draft, form[g.SAY_ON]), names.step(form[g.SAY_THEN]))


def _says(rule: Rule, key: str, names: Names) -> bool:
    return any(says(rule, phrase) for phrase in names.wordings_of(key))


def _climb(draft: Draft) -> Step:
    form, names = draft.form, draft.names
    rule = names.rule(form[g.LADDER])
    opening = form[g.OPENING]
    phrase = names.phrase(opening)
    on = form[g.LADDER_ON]
    if rule is not None and any(rung.on_recurrence for rung in rule.rungs):
        message = f"{rule.id} goes on each time it happens again; a step happens once"
        draft.error(form[g.LADDER].where, message, "an agent starts it as a situation; take the step out")
    if rule is None:
        ladder = Ladder(draft.name, (), "", draft.where)
        left = {entry.key.text: names.step(_as_step(entry.value)) for entry in on.rest}
    else:
        ladder = with_waits(rule_ladder(rule, draft.limits, names.tasks), form[g.LADDER_WAIT], names.problems)
        ladder = with_opening(ladder, phrase, opening.where, names.standard)
        left = _left(draft, ladder, on)
        ladder = with_greeting(ladder, _greeting(draft, rule))
    for rung in ladder.rungs:
        if rung.say in names.phrase_data():
            names.said.setdefault(rung.say, rung.where)
    return Climb(draft.name, draft.where, ladder, _listening(draft, on), {**left}, used_up=names.step(form[g.USED_UP]))


def _greeting(draft: Draft, climbed: Rule) -> tuple[Rung, ...]:
    """What is said before the ladder; after the last of it the caller may speak or key."""
    form, names = draft.form, draft.names
    rungs = [
        Rung(phrase.where, say=key, rule=opened_rule(names.standard, key, besides=climbed.id))
        for phrase in form[g.GREETING]
        if (key := names.phrase(phrase))
    ]
    if form.wrote(g.GREETING_WAIT) and not form.wrote(g.GREETING):
        draft.error(form.place(g.GREETING_WAIT), "there is no greeting to wait after", "write greeting: and a phrase")
    if rungs:
        wait, band = _greeting_wait(draft, rungs[-1])
        speech = "speech" if form[g.LADDER_ON].wrote(k.SPEECH) else None
        rungs[-1] = replace(rungs[-1], wait=wait, band=band, leave_on=speech)
    return tuple(rungs)


def _greeting_wait(draft: Draft, greeting: Rung) -> tuple[float, Band | None]:
    """The flow's own wait, within what the greeting's own rule documents, if anything."""
    standard = draft.names.standard
    rule = standard.rules[greeting.rule.partition("/")[2]] if standard and greeting.rule else None
    band = rule.rungs[0].wait if rule else None
    if not draft.form.wrote(g.GREETING_WAIT):
        return (draft.limits.own_wait if band is None else (band.least + band.most) / 2), band
    wait = draft.form[g.GREETING_WAIT]
    if band is not None and not band.least <= wait <= band.most:
        allowed = written(band.least) + (f" to {written(band.most)}" if band.most > band.least else "")
        message = f"{written(wait)} is not what {greeting.rule} asks for: {allowed}"
        hint = f"write {allowed}, or leave 'greeting_wait' out"
        draft.error(draft.form.place(g.GREETING_WAIT), message, hint)
    return wait, band


def _as_step(node: Node) -> Named:
    return Named(node.text, node.where) if isinstance(node, Text) else Named("", node.where)


def _left(draft: Draft, ladder: Ladder, on: Form) -> dict[str, str]:
    """Steps per word that leaves the ladder; every word of the ladder must lead somewhere."""
    words = {rung.leave_on for rung in ladder.rungs if rung.leave_on} - {"caller_hangup"}
    left: dict[str, str] = {}
    for entry in on.rest:
        if entry.key.text not in words:
            known = sorted((words | {"speech", "key"}) - set(on.places))
            message = f"nothing called '{entry.key.text}' leaves the ladder {ladder.name}"
            draft.error(entry.key.where, message, did_you_mean(entry.key.text, known))
        target = STEP.read(entry.value, draft.names.problems)
        left[entry.key.text] = draft.names.step(target) if target else ""
    written_words = {*left, *on.places}
    for word in sorted(words - written_words):
        message = f"the ladder {ladder.name} can be left by '{word}', and nothing says where to"
        draft.error(draft.form.place(g.LADDER), message, f"write on: {{{word}: STEP}}")
    return left


def _menu(draft: Draft) -> Step:
    form, names = draft.form, draft.names
    on, invalid = form[g.MENU_ON], form[g.INVALID]
    menu = form[g.MENU]
    phrase = names.phrase(menu)
    rule = opened_rule(names.standard, phrase)
    rung = Rung(menu.where, say=phrase, wait=form[g.MENU_WAIT], rule=rule)
    speech = names.step(on[k.SPEECH]) or None
    leads: frozenset[BargeIn] = frozenset({"key", "speech"} if on.wrote(k.SPEECH) else {"key"})
    return Menu(
        draft.name,
        draft.where,
        Ladder(draft.name, (rung,) * (1 + form[g.MENU_REPEATS]), "no_input", draft.where),
        Listening(barge_in(draft, form[k.BARGE_IN], leads, LEADS_HINT), speech, key_steps(on[g.MENU_KEY], names)),
        no_input=names.step(on[g.NO_INPUT]),
        invalid=names.phrase(invalid[g.INVALID_SAY]),
        invalid_repeats=invalid[g.INVALID_REPEATS],
        invalid_then=names.step(invalid[g.INVALID_THEN]),
    )


def _collect(draft: Draft) -> Step:
    form, names = draft.form, draft.names
    on = form[g.COLLECT_ON]
    least, most = form[g.DIGITS]
    return Collect(
        draft.name,
        draft.where,
        value=form[g.COLLECT].text,
        ask=names.phrase(form[g.ASK]),
        least=least,
        most=most,
        end_key=form[k.ENDING],
        first_digit=form[g.FIRST_DIGIT],
        inter_digit=form[g.INTER_DIGIT],
        barge_in=barge_in(
            draft, form[k.BARGE_IN], frozenset({"key"}), "only keys are collected; write barge_in: [key]"
        ),
        incomplete_say=names.phrase(form[g.INCOMPLETE_SAY]),
        repeats=form[g.COLLECT_REPEATS],
        done=names.step(on[g.DONE]),
        no_input=names.step(on[g.COLLECT_NO_INPUT]),
        incomplete=names.step(on[g.INCOMPLETE]),
    )


def _hours(draft: Draft) -> Step:
    windows = compile_windows(draft.form[g.HOURS], draft.names)
    return Hours(draft.name, draft.where, windows, draft.names.step(draft.form[g.OTHERWISE]))


def _transfer(draft: Draft) -> Step:
    form, names = draft.form, draft.names
    on = form[g.TRANSFER_ON]
    no_answer = names.step(on[g.NO_ANSWER])
    check_talk(draft)
    return Transfer(
        draft.name,
        draft.where,
        extension=form[g.TRANSFER],
        announce=names.phrases(form[g.ANNOUNCE]),
        ring_for=form[g.RING_FOR],
        talk_for=form[k.TALK_FOR],
        agent_left=names.step(on[k.AGENT_LEFT]),
        no_answer=no_answer,
        busy=names.step(on[g.BUSY]) or no_answer,
        unreachable=names.step(on[g.UNREACHABLE]) or no_answer,
        warm=_warm(draft),
    )


def _warm(draft: Draft) -> Warm | None:
    form, names = draft.form, draft.names
    if not form.wrote(g.WARM):
        return None
    warm = form[g.WARM]
    reasons: g.Reasons = warm[g.WHY]
    return Warm(
        form.place(g.WARM),
        whisper=names.phrases(warm[g.WHISPER]),
        thanks=names.phrases(warm[g.WARM_THANKS]),
        back=names.phrases(warm[g.BACK]),
        why={rule.name: names.phrases(said) for name, said in reasons if (rule := names.rule(name)) is not None},
    )


def _close(draft: Draft) -> Step:
    form, names = draft.form, draft.names
    close, on = form[g.CLOSE], form[g.CLOSE_ON]
    asking = _closing_rungs(draft, close[g.CLOSE_ASK], asks=True)
    leaving = [rung for name in close[g.CLOSE_FAREWELL] for rung in _closing_rungs(draft, name, asks=False)]
    asks = close.wrote(g.CLOSE_ASK)
    if asks and asking and not any(rung.leave_on and rung.wait for rung in asking):
        draft.error(close[g.CLOSE_ASK].where, "this rule does not wait for an answer", "name a rule with leave_on")
    if asks and not on.wrote(g.REQUEST):
        hint = "write on: {request: STEP} beside 'close:'"
        draft.error(close.place(g.CLOSE_ASK), "the caller is asked, and nothing says where a request leads", hint)
    if on.wrote(g.REQUEST) and not asks and form.wrote(g.CLOSE):
        draft.error(on.place(g.REQUEST), "no request can come: 'close' asks nothing", "write ask: and a rule")
    leads: frozenset[BargeIn] = frozenset({"speech", "key"} if asks else ())
    if close[g.CLOSE_SURVEY].text == draft.name:
        message = "the step leads to itself: the caller would be told goodbye twice"
        draft.error(close[g.CLOSE_SURVEY].where, message, "name the survey step, as in survey: ask_satisfaction")
    return Close(
        draft.name,
        draft.where,
        ladder=Ladder(draft.name, (*asking, *leaving), WAITS_FOR_HANGUP, draft.where),
        barge_in=barge_in(draft, form[k.BARGE_IN], leads, "without 'ask' there is nothing to answer; take '{}' out"),
        request=names.step(on[g.REQUEST]),
        guard=close[g.GUARD],
        reminder=names.phrase(close[g.REMINDER]) or None,
        survey=names.step(close[g.CLOSE_SURVEY]),
    )


def _closing_rungs(draft: Draft, name: Named, *, asks: bool) -> tuple[Rung, ...]:
    """The rungs of a rule, or one rung for a phrase of the house."""
    names = draft.names
    if not name:
        return ()
    if "." in name.text or "/" in name.text:
        key = names.phrase(name)
        wait, word = (draft.limits.own_wait, HAS_REQUEST) if asks else (0.0, None)
        return (Rung(name.where, say=key, wait=wait, leave_on=word, rule=opened_rule(names.standard, key)),)
    rule = names.rule(name)
    rungs = rule_rungs(rule, draft.limits, names.tasks) if rule else ()
    for rung in rungs:
        if rung.say:
            names.said.setdefault(rung.say, rung.where)
    return rungs


def _hang_up(draft: Draft) -> Step:
    return HangUp(draft.name, draft.where, draft.form[g.HANG_UP_WITH].text)


_COMPILERS: Mapping[str, Callable[[Draft], Step]] = {
    g.SAY.name: _say,
    g.LADDER.name: _climb,
    g.MENU.name: _menu,
    g.COLLECT.name: _collect,
    g.HOURS.name: _hours,
    g.TRANSFER.name: _transfer,
    g.CLOSE.name: _close,
    g.HANG_UP_WITH.name: _hang_up,
    QUEUE.name: compile_queue,
    LOOK_UP.name: compile_look_up,
}

_COMPOUNDS: Mapping[str, Callable[[Draft], tuple[Step, ...]]] = {
    RECORD.name: compile_record,
    SURVEY.name: compile_survey,
    CALLBACK.name: compile_callback,
}
"""The kinds that are written as one step and walked as several."""
