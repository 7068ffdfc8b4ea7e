"""Which tasks of the standards keep a caller waiting, and which rule comes next of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ivrflow.flow.model import Follow, Ladder, Rule, RuleRung, Standard

WITH_MUSIC = frozenset({"hold", "look_up", "mute", "mute_or_play_music", "play_waiting_tone"})
"""Tasks while which nobody speaks to the caller, who hears music: a muted line would be dead air."""

LINE_OPEN = frozenset({"lookup_with_line_open"})
"""Tasks while which the caller waits and the line stays open: no music."""

OF_THE_HOLD = frozenset({"unmute", "work_then_unmute"})
"""Tasks that keep nobody waiting by themselves, and end a wait that is under way only when they are done."""

KEEPS_WAITING = WITH_MUSIC | LINE_OPEN

UNMUTE = "unmute"

HOLD = "hold"
"""The standard's word for a ladder after which the caller is on hold."""

LONGEST_HOLD = "max_hold_s"
"""The limit of a rule that bounds a hold for which its ladder names no seconds."""

HOLD_OVER = "apology_if_wait_over_s"
"""The limit of a rule that says after how long a wait it is due."""


def goes_on_there(rule: Rule) -> bool:
    """Whether the rule goes on with the hold another one began, instead of coming when the caller is back."""
    return bool(rule.rungs) and rule.rungs[0].task in KEEPS_WAITING


def comes_back(rung: RuleRung, rule: Rule) -> bool:
    """Whether the rung is the un-muting a rule begins with: the wait it ends was over before, or the rule would not begin.

    The agent's telephone is back then, or a code, a command or the agent's screen has said so. The agent is asked to
    un-mute, and nobody waits for word of it: the next thing the caller hears is the rule's phrase.
    """
    return rung.task == UNMUTE and rung is rule.rungs[0]


def joined(first: Ladder, then: Ladder) -> Ladder:
    """Both ladders as one. The task that begins the hold is asked for; what is waited for is the hold that follows."""
    last = first.rungs[-1]
    if last.task in KEEPS_WAITING:
        last = replace(last, is_waited_for=False)
    loops_from = len(first.rungs) + then.loops_from if then.loops_from else 0
    return replace(
        first,
        rungs=(*first.rungs[:-1], last, *then.rungs),
        then=then.then,
        loops_from=loops_from,
        rounds=then.rounds,
    )


def follows(standard: Standard, situations: Mapping[str, Ladder]) -> dict[str, Follow]:
    """Per situation, what comes by itself when a caller who was kept waiting in it is back."""
    found: dict[str, Follow] = {}
    for rule in standard.rules.values():
        if not rule.after or rule.name not in situations or goes_on_there(rule):
            continue
        over = rule.limits.get(HOLD_OVER, 0.0)
        follow = Follow(rule.name, over if isinstance(over, float) else 0.0)
        for ladder in situations.values():
            if any(rung.rule == f"{standard.id}/{rule.after}" for rung in ladder.rungs):
                found.setdefault(ladder.name, follow)
    return found
