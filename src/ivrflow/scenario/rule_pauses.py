"""`pause: as the rule says`: which wait of which rule lies between two phrases.

Looked up in everything a call of the flow can climb: the ladders of its steps and of its situations, and the ways from
the end of a step's ladder to the first phrase of the step after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from ivrflow.flow.model import (
    RETURN,
    Band,
    CallFlow,
    Climb,
    Close,
    Collect,
    HangUp,
    Hours,
    Ladder,
    Menu,
    Rung,
    Say,
    Step,
    Transfer,
)


@dataclass(frozen=True, slots=True)
class RulePause:
    """The wait between two phrases: seconds, and the id of the rule that documents them; empty where the flow chose."""

    band: Band
    rule: str = ""


@dataclass(frozen=True, slots=True)
class RulePauses:
    """All such waits of a flow.

    Attributes:
        between: by the phrase before and the phrase after.
        after: waits that end a situation, by the phrase before: what comes next depends on what was interrupted.
    """

    between: Mapping[tuple[str, str], frozenset[RulePause]]
    after: Mapping[str, frozenset[RulePause]]

    def find(self, before: str, following: str) -> frozenset[RulePause]:
        """What can be meant between these two; empty when no rule has them one after the other."""
        return self.between.get((before, following)) or self.after.get(before, frozenset())

    def followers(self, before: str) -> dict[str, frozenset[RulePause]]:
        """The phrases that come after `before` by the rules, each with its waits."""
        return {then: pauses for (first, then), pauses in self.between.items() if first == before}


def rule_pauses(flow: CallFlow) -> RulePauses:
    """All waits between two phrases of `flow`."""
    between: dict[tuple[str, str], set[RulePause]] = defaultdict(set)
    after: dict[str, set[RulePause]] = defaultdict(set)
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
        {pair: frozenset(pauses) for pair, pauses in between.items()},
        {before: frozenset(pauses) for before, pauses in after.items()},
    )


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
            case Collect():
                if step.repeats:
                    yield step.ask, step.ask, _own(step.first_digit)
                yield from ((step.ask, then, _own(step.first_digit)) for then in _first_phrases(flow, step.no_input))
            case Hours() | Transfer() | HangUp():
                pass


def _guard_waits(step: Close) -> Iterator[tuple[str, str, RulePause]]:
    """From the farewell to the reminder: the time a caller has to hang up first."""
    if step.reminder is None:
        return
    last = step.ladder.rungs[-1] if step.ladder.rungs else None
    if last is not None and last.say is not None:
        yield last.say, step.reminder, _own(last.wait + step.guard)


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
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        phrases, onward = _opening(flow.steps[name])
        found |= phrases
        waiting += onward
    return found


def _opening(step: Step) -> tuple[set[str], list[str]]:
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
        case Transfer(announce=announce):
            return set(announce[:1]), []
        case HangUp():
            return set(), []
