"""What the agents of a journaled call did, and what the other side of its look-ups did, as lines of a scenario."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias, TypeVar

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact
from ivrflow.flow.model import Ask, CallFlow, Queue, Record, Score
from ivrflow.flow.model import CallBack as CallBackStep
from ivrflow.flow.reading.times import written
from ivrflow.runtime.journal_reader import StoredCall
from ivrflow.scenario.language.recorded_inputs import KEY_HELD_S, AgentDid, Played, RecordedAgent
from ivrflow.scenario.observation import noted_among
from ivrflow.scenario.script import PATIENCE_S, RECOGNISED_AFTER_S

S = TypeVar("S")

_CODE_S = 4 * KEY_HELD_S
"""Seconds from the first key of a code, pressed as a scenario presses them, to the moment it is known."""

_AT_ONCE_S = 0.5
"""Seconds after a caller joined a queue within which its agent's telephone rings when somebody is free."""

_ROUND_S = 2.0
"""Seconds by which a message may be longer or shorter when the call is played again."""

Late: TypeAlias = Callable[[float], float]


def part_of(agent: RecordedAgent, queues: Sequence[str], short: Callable[[str], str], late: Late) -> Iterator[str]:
    """What an agent's telephone did, as the lines below its extension.

    Args:
        agent: who.
        queues: all whose calls the agent took.
        short: a phrase's key as people write it.
        late: seconds to the millisecond, rounded up.
    """
    after = written(late(agent.rang if agent.queue else agent.after))
    if queues:
        name = queues[0] if len(queues) == 1 else f"[{', '.join(queues)}]"
        comes_at = agent.since + agent.after - agent.rang
        login = f"{{name: {name}, logs_in: {written(late(comes_at))}}}" if came_late(agent) else name
        yield f"    - queue: {login}"
    if agent.queue:
        after = after if came_late(agent) else written(late(agent.after))
    if agent.answered:
        yield f"    - ring: {after}"
        yield from _doings(agent, short, late)
    elif agent.why == "busy":
        yield f"    - busy: {after}"
    elif agent.why == "unreachable":
        yield "    - unreachable"
    elif agent.why and not agent.queue:
        yield f"    - declines: {after}"
    else:
        yield "    - rings_on"


def came_late(agent: RecordedAgent) -> bool:
    """Whether nobody of the queue was free at first: so long the caller waited before this telephone rang."""
    return bool(agent.queue) and agent.answered and agent.after - agent.rang > _AT_ONCE_S


def _doings(agent: RecordedAgent, short: Callable[[str], str], late: Late) -> Iterator[str]:
    """What was heard and done, one after the other, each from the moment at which the one before was over."""
    moment = agent.since + agent.after
    events: list[tuple[float, AgentDid | Played]] = [(did.at, did) for did in agent.did]
    events += [(played.end if played.is_whole else played.start, played) for played in _heard(agent)]
    if agent.talked is not None:
        events.append((moment + agent.talked, AgentDid(moment + agent.talked, "hang_up")))
    for at, event in sorted(events, key=lambda one: one[0]):
        if isinstance(event, Played):
            interrupted = any(event.start < did.at < event.end for did in agent.did)
            is_known = event.end - event.start >= RECOGNISED_AFTER_S
            if not is_known or event.end <= moment:
                continue
            if (quiet := late(event.start - moment - PATIENCE_S / 2)) > 0:
                yield f"    - wait: {written(quiet)}"  # nothing is waited for as long as that
                moment += quiet
            starts = interrupted or not event.is_whole
            yield f"    - {'hear_start' if starts else 'hear'}: {short(event.phrase)}"
            moment = event.start if starts else event.end
            continue
        begins = at - _CODE_S if event.what == "press" else at
        if (gap := late(begins - moment)) > 0:
            yield f"    - wait: {written(gap)}"
        yield f"    - {event.what}" + (f": {_word(event)}" if event.word else "")
        moment = max(moment, at + KEY_HELD_S if event.what == "press" else at)


def _heard(agent: RecordedAgent) -> Iterator[Played]:
    """What was played to the agent, up to the moment the agent left: the caller may have heard the rest alone."""
    left = math.inf if agent.talked is None else agent.since + agent.after + agent.talked
    for played in agent.heard:
        if played.end <= left:
            yield played
        elif played.start < left:
            yield replace(played, end=left, is_whole=False)


def _word(did: AgentDid) -> str:
    return f'"{did.word}"' if did.what == "press" else did.word


def is_all_named(agent: RecordedAgent) -> bool:
    """Whether everything the agent heard stands in the script: of some too little was heard to recognise it."""
    return all(played.end - played.start >= RECOGNISED_AFTER_S for played in _heard(agent))


def queues_of(flow: CallFlow) -> frozenset[str]:
    """The queues in which callers of a flow wait."""
    return frozenset(level.queue for step in flow.steps.values() if isinstance(step, Queue) for level in step.levels)


# ── look-ups ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def look_ups_of(stored: StoredCall, flow: CallFlow, value: Callable[[str], str]) -> Iterator[str]:
    """The lines below `look_ups`: how each step's last one ended.

    Args:
        stored: the call.
        flow: today's flow.
        value: a value as it may be written; one that chooses a step stays as it is.
    """
    steps = [line.step for line in stored.trace if line.fact is Fact.ENQUIRED]
    asked = [
        (action.ticket, one.at) for one in stored.happenings for action in one.actions if isinstance(action, m.Enquire)
    ]
    answers = {one.event.ticket: one for one in stored.happenings if isinstance(one.event, m.AnswerReceived)}
    for name, (ticket, at) in dict(zip(steps, asked, strict=False)).items():
        step = flow.steps.get(name)
        if not isinstance(step, Ask):
            continue
        answer = answers.get(ticket)
        if answer is None or not isinstance(answer.event, m.AnswerReceived):
            yield f"  {name}: never"
            continue
        after = f"after: {written(round(answer.at - at, 3))}"
        event = answer.event
        if event.how != "answered":
            yield f"  {name}: {{ends: {_ENDS[event.how]}, {after}}}"
            continue
        known = {*step.learns.values(), *([step.field] if step.field else [])}
        fields = {
            field: text if field == step.field and text in step.cases else value(text)
            for field, text in event.values.items()
            if field in known and text
        }
        said = ", ".join(f"{field}: {_quoted(text)}" for field, text in fields.items())
        if said:
            yield f"  {name}: {{answers: {{{said}}}, {after}}}"


_ENDS: Mapping[Literal["wrong", "failed"], str] = {"wrong": "wrong", "failed": "fails"}


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# ── what it left behind ───────────────────────────────────────────────────────────────────────────────────────────────


def left_behind(stored: StoredCall, flow: CallFlow) -> Iterator[str]:
    """The lines of `expect` about messages, scores and callbacks, as far as today's flow knows them."""
    noted = noted_among(action for one in stored.happenings for action in one.actions)
    boxes = {step.about for step in _steps(flow, Record)}
    surveys = {step.survey: step.most for step in _steps(flow, Score)}
    flows = {step.flow for step in _steps(flow, CallBackStep)}
    messages = {note.about: note.seconds for note in noted if isinstance(note, m.KeepMessage) and note.about in boxes}
    if messages:
        said = (f"{box}: {_around(seconds)}" for box, seconds in messages.items())
        yield f"  messages: {{{', '.join(said)}}}"
    given = [note for note in noted if isinstance(note, m.NoteScore)]
    scores = {note.survey: note.score for note in given if note.score <= surveys.get(note.survey, -1)}
    if scores and len(scores) == len(given):
        yield f"  scores: {{{', '.join(f'{survey}: {score}' for survey, score in scores.items())}}}"
    callbacks = [note.flow for note in noted if isinstance(note, m.OrderCallback)]
    if callbacks and flows.issuperset(callbacks):
        yield f"  callbacks: [{', '.join(callbacks)}]"


def _steps(flow: CallFlow, kind: type[S]) -> Sequence[S]:
    return [step for step in flow.steps.values() if isinstance(step, kind)]


def _around(seconds: float) -> str:
    return f"{written(round(max(0.0, seconds - _ROUND_S), 1))}-{written(round(seconds + _ROUND_S, 1))}"
