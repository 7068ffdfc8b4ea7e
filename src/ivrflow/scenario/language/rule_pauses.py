"""`pause: as the rule says`: which wait of which rule lies between two phrases, or between a phrase and the end of the call.

Looked up in everything a call of the flow can climb: the ladders of its steps and of its situations, and the ways from
the end of a step's ladder to the first phrase of the step after it, or to the end of the call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, product
from typing import TypeVar

from ivrflow.flow.model import (
    RETURN,
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
    Rung,
    Say,
    Score,
    Step,
    Transfer,
)

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class RulePause:
    """The wait after a phrase: seconds, and the id of the rule that documents them; empty where the flow chose."""

    band: Band
    rule: str = ""


@dataclass(frozen=True, slots=True)
class RulePauses:
    """All such waits of a flow.

    Attributes:
        between: by the phrase before and the phrase after.
        after: waits that end a situation, by the phrase before: what comes next depends on what was interrupted.
        before_end: waits after which ivrflow ends the call, by the last phrase.
    """

    between: Mapping[tuple[str, str], frozenset[RulePause]]
    after: Mapping[str, frozenset[RulePause]]
    before_end: Mapping[str, frozenset[RulePause]]

    def find(self, before: str, following: str) -> frozenset[RulePause]:
        """What can be meant between these two; empty when no rule has them one after the other."""
        return self.between.get((before, following)) or self.after.get(before, frozenset())

    def find_end(self, before: str) -> frozenset[RulePause]:
        """What can be meant between this phrase and the end of the call; empty when no rule ends it there after a wait."""
        return self.before_end.get(before, frozenset())

    def followers(self, before: str) -> dict[str, frozenset[RulePause]]:
        """The phrases that come after `before` by the rules, each with its waits."""
        return {then: pauses for (first, then), pauses in self.between.items() if first == before}


def rule_pauses(flow: CallFlow) -> RulePauses:
    """All waits of `flow` between two phrases, and before the end of the call."""
    between: dict[tuple[str, str], set[RulePause]] = defaultdict(set)
    after: dict[str, set[RulePause]] = defaultdict(set)
    before_end: dict[str, set[RulePause]] = defaultdict(set)
    for before, pause in _end_waits(flow):
        before_end[before].add(pause)
    for before, then, pause in _step_waits(flow):
        between[before, then].add(pause)
    for name, ladder in flow.situations.items():
        for before, then, pause in _ladder_waits(ladder):
            between[before, then].add(pause)
        last = ladder.rungs[-1] if ladder.rungs else None
        if last is None or last.say is None or last.wait <= 0:
            continue
        target = flow.outcomes.get(flow.situations[name].then, RETURN)
        if target == RETURN:
            after[last.say].add(_pause(last))
        for then in () if target == RETURN else _first_phrases(flow, target):
            between[last.say, then].add(_pause(last))
    return RulePauses(
        _worded(between, lambda pair: product(_last_said(flow, pair[0]), _first_said(flow, pair[1]))),
        _worded(after, partial(_last_said, flow)),
        _worded(before_end, partial(_last_said, flow)),
    )


def _worded(found: Mapping[K, set[RulePause]], said: Callable[[K], Iterable[K]]) -> dict[K, frozenset[RulePause]]:
    """What was found, with every wording of the calendar by the phrases that may be said for it."""
    every: dict[K, set[RulePause]] = defaultdict(set)
    for key, pauses in found.items():
        for phrase in said(key):
            every[phrase] |= pauses
    return {phrase: frozenset(pauses) for phrase, pauses in every.items()}


def _first_said(flow: CallFlow, key: str) -> list[str]:
    return [line[0] for line in flow.lines_of(key) if line]


def _last_said(flow: CallFlow, key: str) -> list[str]:
    return [line[-1] for line in flow.lines_of(key) if line]


def _pause(rung: Rung) -> RulePause:
    """The documented seconds of a rung, else the flow's own."""
    if rung.band is not None:
        return RulePause(rung.band, rung.rule or "")
    return RulePause(Band(rung.wait, rung.wait))


def _ladder_waits(ladder: Ladder) -> Iterator[tuple[str, str, RulePause]]:
    for before, following in pairwise(ladder.rungs):
        if before.say is not None and before.wait > 0 and following.say is not None:
            yield before.say, following.say, _pause(before)


def _own(seconds: float) -> RulePause:
    return RulePause(Band(seconds, seconds))


def _step_waits(flow: CallFlow) -> Iterator[tuple[str, str, RulePause]]:
    """The waits of the steps, as a caller meets them who does nothing."""
    for step in flow.steps.values():
        match step:
            case Say() | Climb() | Menu():
                yield from _ladder_waits(step.ladder)
                last = step.ladder.rungs[-1] if step.ladder.rungs else None
                if last is not None and last.say is not None and last.wait > 0:
                    yield from ((last.say, then, _pause(last)) for then in _first_phrases(flow, _when_silent(step)))
            case Close():
                yield from _ladder_waits(step.ladder)
                yield from _guard_waits(step)
                last = step.ladder.rungs[-1] if step.ladder.rungs else None
                if step.survey and last is not None and last.say is not None and last.wait > 0:
                    yield from ((last.say, then, _pause(last)) for then in _first_phrases(flow, step.survey))
            case Collect():
                if step.repeats:
                    yield step.ask, step.ask, _own(step.first_digit)
                yield from ((step.ask, then, _own(step.first_digit)) for then in _first_phrases(flow, step.no_input))
            case Queue():
                yield from _queue_waits(step)
            case Hours() | Transfer() | Record() | PlayBack() | Keep() | Score() | CallBack() | Ask() | HangUp():
                pass  # how long these take is for agents, the caller's message and look-ups to say


def _queue_waits(step: Queue) -> Iterator[tuple[str, str, RulePause]]:
    """From one announcement to the next, with music: also from the last one back to where they go round."""
    rungs = list(step.ladder.rungs)
    round_ = rungs[step.ladder.loops_from - 1 :] if step.ladder.loops_from else []
    said = step.announce[-1] if step.announce else None
    waited: list[Rung] = []
    for rung in (*rungs, *round_):
        if rung.say is not None:
            if said is not None and waited:
                yield said, rung.say, _pause(waited[0]) if len(waited) == 1 else _own(sum(one.wait for one in waited))
            said, waited = rung.say, []
        waited += [rung] if rung.wait > 0 else []


def _guard_waits(step: Close) -> Iterator[tuple[str, str, RulePause]]:
    """From the farewell to the reminder: the time a caller has to hang up first."""
    if step.reminder is None:
        return
    last = step.ladder.rungs[-1] if step.ladder.rungs else None
    if last is not None and last.say is not None:
        yield last.say, step.reminder, _own(last.wait + step.guard)


def _end_waits(flow: CallFlow) -> Iterator[tuple[str, RulePause]]:
    """The waits before the end of the call, as a caller meets them who does nothing."""
    for step in flow.steps.values():
        match step:
            case Say() | Climb() | Menu():
                yield from _ladder_end(flow, step.ladder, _when_silent(step))
            case Close(reminder=reminder) if reminder is not None:
                yield reminder, _own(step.guard)
            case Close(ladder=ladder):
                if ladder.rungs and (say := ladder.rungs[-1].say) is not None:
                    yield say, _own(ladder.rungs[-1].wait + step.guard)
            case Collect():
                yield from ((step.ask, _own(step.first_digit + more)) for more in _seconds_to_end(flow, step.no_input))
            case (
                Hours()
                | Transfer()
                | Queue()
                | Record()
                | PlayBack()
                | Keep()
                | Score()
                | CallBack()
                | Ask()
                | HangUp()
            ):
                pass
    for ladder in flow.situations.values():
        target = flow.outcomes.get(ladder.then, RETURN)
        if target != RETURN:
            yield from _ladder_end(flow, ladder, target)


def _ladder_end(flow: CallFlow, ladder: Ladder, then: str) -> Iterator[tuple[str, RulePause]]:
    """From the last phrase of a ladder to the end of the call, where `then` ends it without another word."""
    last = ladder.rungs[-1] if ladder.rungs else None
    if last is None or last.say is None:
        return
    for more in _seconds_to_end(flow, then):
        if last.wait + more > 0:
            yield last.say, _own(last.wait + more) if more else _pause(last)


def _when_silent(step: Say | Climb | Menu) -> str:
    """The step that follows when the caller does nothing."""
    match step:
        case Say(then=then):
            return then
        case Climb(used_up=used_up):
            return used_up
        case Menu(no_input=no_input):
            return no_input


def _first_phrases(flow: CallFlow, name: str) -> set[str]:
    """The phrases with which a step can begin, at whatever time of day; through steps that say nothing to the next."""
    return {phrase for _, phrases in _openings(flow, name) for phrase in phrases}


def _seconds_to_end(flow: CallFlow, name: str) -> set[float]:
    """The seconds after which the call can end when a step is entered, where nothing more is said; empty where it is not."""
    found: set[float] = set()
    for step, _ in _openings(flow, name):
        match step:
            case HangUp():
                found.add(0.0)
            case Close(ladder=ladder, reminder=None, guard=guard) if not ladder.rungs:
                found.add(guard)
            case _:
                pass
    return found


def _openings(flow: CallFlow, name: str) -> Iterator[tuple[Step, set[str]]]:
    """The step `name` and those it may go on to at once, each with the phrases it can begin with."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        phrases, onward = _opening(flow, flow.steps[name])
        yield flow.steps[name], phrases
        waiting += onward


def _opening(flow: CallFlow, step: Step) -> tuple[set[str], list[str]]:
    """The first phrases of a step, and the steps it may go on to at once."""
    match step:
        case Say() | Climb() | Menu() | Close():
            first = step.ladder.rungs[0] if step.ladder.rungs else None
            return ({first.say} if first is not None and first.say else set()), []
        case Collect(ask=ask):
            return {ask}, []
        case Hours(windows=windows, otherwise=otherwise):
            said = {window.says[0] for window in windows if window.says}
            return said, [otherwise, *(window.then for window in windows if not window.says)]
        case Transfer(announce=announce) | Queue(announce=announce):
            recording = flow.recording
            # Once the call is recorded nobody says so again, and no step knows whether it is.
            told = recording.announce[:1] if recording and not recording.whole_call else ()
            return {*told, *announce[:1]}, []
        case Record(ask=ask):
            return set(ask[:1]), []
        case PlayBack(then=then) | Keep(then=then) | Score(then=then):
            return set(), [then]  # who does nothing has left no message
        case CallBack(then=then, undiallable=undiallable):
            return set(), [then, undiallable]
        case Ask() | HangUp():
            return set(), []
