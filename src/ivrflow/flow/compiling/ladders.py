"""From the rules of a standard to the ladders a call climbs: which wait is chosen, and which rule each rung obeys."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ivrflow.flow.compiling.holds import KEEPS_WAITING, LONGEST_HOLD, WITH_MUSIC, comes_back, goes_on_there, joined
from ivrflow.flow.model import Ladder, Limits, Rule, RuleRung, Rung, Standard
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.reader import Located
from ivrflow.flow.reading.times import written


def chosen_wait(rung: RuleRung, limits: Limits) -> float:
    """Seconds to wait on a rung.

    The middle of the documented seconds after a phrase, their ceiling for a task. Where the standard waits for
    something but gives no number, or the caller hears music, the flow's own limit; where it waits for nothing, no time at all.
    """
    if rung.wait is not None:
        return rung.wait.most if rung.task else (rung.wait.least + rung.wait.most) / 2
    if rung.task in WITH_MUSIC:
        return limits.hold_wait
    if rung.leave_on is not None:
        return limits.task_wait if rung.task else limits.own_wait
    return 0.0


def rule_rungs(rule: Rule, limits: Limits, spoken: Mapping[str, str]) -> tuple[Rung, ...]:
    """The rungs of a rule, each with its wait and its rule; a task among `spoken` is the phrase the flow gives it."""
    return tuple(_climbed(rung, rule, limits, spoken) for rung in rule.rungs)


def _climbed(rung: RuleRung, rule: Rule, limits: Limits, spoken: Mapping[str, str]) -> Rung:
    returns = comes_back(rung, rule)
    if rung.task and rung.task in spoken:
        rung = replace(rung, say=spoken[rung.task], task=None)
    wait = chosen_wait(rung, limits)
    longest = rule.limits.get(LONGEST_HOLD)
    if rung.wait is None and rung.task in KEEPS_WAITING and isinstance(longest, float):
        wait = longest
    return Rung(
        where=rung.where,
        say=rung.say,
        task=rung.task,
        wait=wait,
        band=rung.wait,
        leave_on=rung.leave_on,
        rule=rule.id,
        on_recurrence=rung.on_recurrence,
        is_waited_for=wait > 0 or not returns,  # a standard that gives it a time is waited for
    )


def rule_ladder(rule: Rule, limits: Limits, spoken: Mapping[str, str]) -> Ladder:
    """The ladder of a rule as the standard writes it."""
    rungs = rule_rungs(rule, limits, spoken)
    rounds = limits.rounds if rule.loops_from else 0
    return Ladder(rule.name, rungs, rule.then, rule.where, loops_from=rule.loops_from, rounds=rounds)


def situation_ladders(standard: Standard, limits: Limits, spoken: Mapping[str, str]) -> dict[str, Ladder]:
    """Every rule that can happen on a phone line, joined with the one that goes on with the hold it begins."""
    rules = {name: rule for name, rule in standard.rules.items() if not rule.not_on_phone}
    ladders = {name: rule_ladder(rule, limits, spoken) for name, rule in rules.items()}
    for name, rule in rules.items():
        if rule.after in ladders and goes_on_there(rule):
            ladders[rule.after] = joined(ladders[rule.after], ladders[name])
    return ladders


def with_waits(ladder: Ladder, waits: Sequence[Located[float]], problems: ProblemList) -> Ladder:
    """The ladder with the flow's own choice of waits, which must lie in the documented seconds.

    One wait holds for every rung that says something and waits; several are given one by one.
    """
    waiting = [index for index, rung in enumerate(ladder.rungs) if rung.say and rung.wait > 0]
    if not waits or not ladder.rungs:
        return ladder
    chosen = list(waits) * len(waiting) if len(waits) == 1 else list(waits)
    if len(chosen) != len(waiting) or not waiting:
        message = f"{len(waits)} waits are given; '{ladder.name}' has {len(waiting)} rungs that wait"
        problems.error(waits[0].where, message, "write one wait for all of them, or one for each")
        return ladder
    rungs = list(ladder.rungs)
    for index, wait in zip(waiting, chosen, strict=True):
        band = rungs[index].band
        if band is not None and not band.least <= wait.value <= band.most:
            allowed = written(band.least) + (f" to {written(band.most)}" if band.most > band.least else "")
            message = (
                f"{written(wait.value)} is not what {rungs[index].rule} asks for after rung {index + 1}: {allowed}"
            )
            problems.error(wait.where, message, f"write {allowed}, or leave 'wait' out")
        rungs[index] = replace(rungs[index], wait=wait.value)
    return replace(ladder, rungs=tuple(rungs))


def with_opening(ladder: Ladder, phrase: str, where: Location, standard: Standard | None) -> Ladder:
    """The ladder with another first phrase, which may be the opening of a rule of its own and then obeys both."""
    first = next((index for index, rung in enumerate(ladder.rungs) if rung.say), None)
    if first is None or not phrase:
        return ladder
    rungs = list(ladder.rungs)
    own = rungs[first].rule
    rungs[first] = replace(rungs[first], say=phrase, where=where, also_rule=opened_rule(standard, phrase, besides=own))
    return replace(ladder, rungs=tuple(rungs))


def opened_rule(standard: Standard | None, phrase: str, *, besides: str | None = None) -> str | None:
    """Id of the one rule whose first words are `phrase`; None when there is none or more than one.

    A task before them (answer within three rings) does not count: it makes no sound.
    """
    if standard is None:
        return None
    ids = [rule.id for rule in standard.rules.values() if _opens_with(rule, phrase)]
    others = [rule_id for rule_id in ids if rule_id != besides]
    return others[0] if len(others) == 1 else None


def _opens_with(rule: Rule, phrase: str) -> bool:
    first = next((rung.say for rung in rule.rungs if rung.say), None)
    return first == phrase and not rule.not_on_phone


def says(rule: Rule, phrase: str) -> bool:
    """Whether the rule says the phrase or an interchangeable wording of it (`.alt1`, `.alt2`, …)."""
    return any(rung.say and without_alternative(rung.say) == without_alternative(phrase) for rung in rule.rungs)


def without_alternative(phrase: str) -> str:
    """A phrase's name without its number among interchangeable wordings (`.alt1`, `.alt2`, …)."""
    return re.sub(r"\.alt\d+$", "", phrase)
