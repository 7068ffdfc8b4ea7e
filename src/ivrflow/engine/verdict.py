"""One verdict per rule, given on the trace alone: the engine's own intentions do not count, only what happened.

A rule is *not applicable* when its situation did not arise, *kept* when everything it asks for up to the moment the
caller (or the flow, by a word the rule names) left it happened in order and in time, otherwise *broken*, with the
reason in words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ivrflow.engine.trace import Fact, Judgement, TraceLine, Verdict, WaitSeen
from ivrflow.flow.model import Band, Rule, Standard

_DISTURBED = frozenset({Fact.HEARING_LOST, Fact.SITUATION_STARTED})
_ENDS_A_WAIT = frozenset({Fact.WAIT_USED_UP, Fact.LADDER_LEFT, Fact.CALLER_HUNG_UP, Fact.ENDED, Fact.TASK_DONE})


def judge(standard: Standard, trace: Sequence[TraceLine], *, tolerance: float) -> tuple[Verdict, ...]:
    """Give a verdict for every rule of `standard`.

    Args:
        standard: whose rules.
        trace: what happened.
        tolerance: seconds a wait may be off the documented band and still count as kept.
    """
    lines: dict[str, list[int]] = defaultdict(list)
    for index, line in enumerate(trace):
        if line.rule:
            lines[line.rule].append(index)
        if line.also_rule and line.fact in {Fact.PHRASE_STARTED, Fact.PHRASE_ENDED}:
            lines[line.also_rule].append(index)
    return tuple(_judge_rule(rule, trace, lines.get(rule.id, []), tolerance) for rule in standard.rules.values())


def _judge_rule(rule: Rule, trace: Sequence[TraceLine], evidence: list[int], tolerance: float) -> Verdict:
    expected = describe(rule)
    if not any(trace[index].fact in {Fact.PHRASE_STARTED, Fact.TASK_ASKED} for index in evidence):
        return Verdict(rule.id, Judgement.NOT_APPLICABLE, expected, "its situation did not arise")
    faults = [*_phrases_not_heard(trace, evidence), *_out_of_order(rule, trace, evidence)]
    waits = _waits(rule, trace, evidence)
    faults += [
        f"waited {wait.observed:.2f} s after rung {wait.rung}, not {_band(wait.least, wait.most)}"
        for wait in waits
        if not wait.least - tolerance <= wait.observed <= wait.most + tolerance
    ]
    ending, fault = _ending(rule, trace, evidence)
    if fault:
        faults.append(fault)
    seen = [f"{wait.observed:.2f} s" for wait in waits]
    if ending:
        seen.append(ending)
    return Verdict(
        rule.id,
        Judgement.BROKEN if faults else Judgement.KEPT,
        expected,
        "; ".join(faults) if faults else ", ".join(seen) or "said",
        tuple(waits),
        tuple(evidence),
    )


def describe(rule: Rule) -> str:
    """What the rule asks for, in words: "say, wait 3 s, say, wait 3 s, say, then hang up"."""
    parts: list[str] = []
    for rung in rule.rungs:
        parts.append("say" if rung.say else (rung.task or "").replace("_", " "))
        if rung.wait:
            parts.append(f"{'wait' if rung.say else 'at most'} {_band(rung.wait.least, rung.wait.most)}")
    return ", ".join(parts) + f", then {rule.then.replace('_', ' ')}"


def _band(least: float, most: float) -> str:
    return f"{least:g} s" if least == most else f"{least:g}-{most:g} s"


def _phrases_not_heard(trace: Sequence[TraceLine], evidence: list[int]) -> list[str]:
    """A phrase must be heard to its end unless the caller, or whoever started or stopped the situation, cut it."""
    return [
        f"{line.phrase}: {line.detail}"
        for line in (trace[index] for index in evidence)
        if line.fact is Fact.PHRASE_ENDED and line.detail != "finished" and not line.detail.startswith("stopped: ")
    ]


def _out_of_order(rule: Rule, trace: Sequence[TraceLine], evidence: list[int]) -> list[str]:
    """Rungs are climbed one by one from the first; only the rule's own ladder counts, not a phrase it shares."""
    faults: list[str] = []
    last = 0
    for index in evidence:
        line = trace[index]
        if line.rule != rule.id or line.fact not in {Fact.PHRASE_STARTED, Fact.TASK_ASKED}:
            continue
        place = line.rung
        if place not in {1, last, last + 1}:
            faults.append(f"rung {place} came after rung {last}")
        last = place
    return faults


def _waits(rule: Rule, trace: Sequence[TraceLine], evidence: list[int]) -> list[WaitSeen]:
    """Every documented wait of the rule that ran: from the end of the phrase to the end of the wait."""
    seen: list[WaitSeen] = []
    for index in evidence:
        begun = trace[index]
        if begun.fact not in {Fact.WAIT_BEGUN, Fact.TASK_ASKED} or begun.rule != rule.id:
            continue
        band = _documented(rule, begun.rung)
        if band is None:
            continue
        for line in trace[index + 1 :]:
            if line.fact in _DISTURBED or line.fact is Fact.WAIT_BEGUN:
                break  # the wait was begun again later, or was nobody's silence
            if line.fact in _ENDS_A_WAIT:
                if line.fact is Fact.WAIT_USED_UP:
                    seen.append(WaitSeen(band.least, band.most, round(line.at - begun.at, 6), begun.rung))
                break
    return seen


def _documented(rule: Rule, place: int) -> Band | None:
    return rule.rungs[place - 1].wait if 1 <= place <= len(rule.rungs) else None


def _ending(rule: Rule, trace: Sequence[TraceLine], evidence: list[int]) -> tuple[str, str]:
    """How the rule's last run ended, and what was wrong with that, if anything."""
    for index in reversed(evidence):
        line = trace[index]
        if line.rule != rule.id:
            continue
        match line.fact:
            case Fact.LADDER_LEFT:
                return f"left on {line.detail.replace('_', ' ')}", ""
            case Fact.CALLER_HUNG_UP:
                return "until the caller hung up", ""
            case Fact.LADDER_USED_UP:
                return _used_up(rule, trace, index)
            case _:
                pass
    return "", ""


def _used_up(rule: Rule, trace: Sequence[TraceLine], index: int) -> tuple[str, str]:
    """The standard's `then: hangup` must be the very next thing; the other endings are the flow's to arrange."""
    if rule.then != "hangup":
        return f"then {rule.then.replace('_', ' ')}", ""
    for line in trace[index + 1 :]:
        if line.fact is Fact.ENDED:
            return "then hung up", ""
        if line.fact in {Fact.PHRASE_STARTED, Fact.RINGING, Fact.WAIT_BEGUN}:
            return "", "the standard hangs up here; the call went on"
    return "", "the standard hangs up here; the call did not end"
