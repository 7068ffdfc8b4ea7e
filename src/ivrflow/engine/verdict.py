"""One verdict per rule, given on the trace alone: the engine's own intentions do not count, only what happened.

A rule is *not applicable* when its situation did not arise, *kept* when everything it asks for up to the moment the
caller (or the flow, by a word the rule names) left it happened in order and in time, otherwise *broken*, with the
reason in words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ivrflow.engine.trace import AGENT_GONE, Fact, Judgement, TraceLine, Verdict, WaitSeen
from ivrflow.engine.verdict_limits import Finding, judge_limits
from ivrflow.flow.keys.outgoing import DIAL, ringing_band
from ivrflow.flow.model import Band, Rule, Standard

_RUNG_TAKEN = frozenset({Fact.PHRASE_STARTED, Fact.TASK_ASKED, Fact.DIALLING})
"""What shows that a rung was climbed: its phrase, its task, its ringing."""

_NOT_ARISEN = "its situation did not arise"

_WE_GO_ON = frozenset(
    {Fact.PHRASE_STARTED, Fact.TASK_ASKED, Fact.RINGING, Fact.STEP_ENTERED, Fact.LADDER_USED_UP, Fact.ENDED}
)
"""What we do next of our own accord: none of it may come before a documented wait is over."""

_EXCUSES = frozenset(
    {
        Fact.LADDER_LEFT,
        Fact.NOT_ANSWERED,
        Fact.TASK_DONE,
        Fact.SITUATION_STARTED,
        Fact.AGENT_ANSWERED,
        Fact.AGENT_UNAVAILABLE,
        Fact.HEARING_LOST,
        Fact.LIMIT_REACHED,
        Fact.HANDED_OVER,
        Fact.CALLER_HUNG_UP,
        Fact.LINE_LOST,
    }
)
"""What ends a wait, or keeps it from beginning, without breaking it; a call cut off is held against its ending."""


_UNTIL = {Fact.CALLER_HUNG_UP: "until the caller hung up", Fact.LINE_LOST: "until the line was lost"}


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
    if rule.not_on_phone:
        return Verdict(rule.id, Judgement.NOT_APPLICABLE, expected, f"not on a phone line: {rule.not_on_phone}")
    findings = judge_limits(rule, trace, evidence, tolerance) if rule.limits else []
    if not evidence and not findings:
        return Verdict(rule.id, Judgement.NOT_APPLICABLE, expected, _NOT_ARISEN)
    if not any(trace[index].fact in _RUNG_TAKEN for index in evidence):
        return _without_a_rung(rule, expected, findings)
    waits, waiting_faults = _waits(rule, trace, evidence)
    ending, ending_faults = _endings(rule, trace, evidence)
    faults = [
        *_phrases_not_heard(trace, evidence),
        *_out_of_order(rule, trace, evidence),
        *(
            f"waited {wait.observed:.2f} s after rung {wait.rung}, not {_band(wait.least, wait.most)}"
            for wait in waits
            if not wait.least - tolerance <= wait.observed <= wait.most + tolerance
        ),
        *waiting_faults,
        *ending_faults,
        *(finding.fault for finding in findings if finding.fault),
    ]
    seen = [f"{wait.observed:.2f} s" for wait in waits]
    if ending:
        seen.append(ending)
    seen += dict.fromkeys(finding.observed for finding in findings if finding.observed)
    return Verdict(
        rule.id,
        Judgement.BROKEN if faults else Judgement.KEPT,
        expected,
        "; ".join(faults) if faults else ", ".join(seen) or "said",
        tuple(waits),
        tuple(evidence),
    )


def _without_a_rung(rule: Rule, expected: str, findings: Sequence[Finding]) -> Verdict:
    """A rule none of whose rungs was taken is broken by a number, or kept when numbers are all it asks of a call."""
    faults = [finding.fault for finding in findings if finding.fault]
    if faults:
        return Verdict(rule.id, Judgement.BROKEN, expected, "; ".join(faults))
    observed = [finding.observed for finding in findings if finding.observed]
    if observed and not any(rung.say or rung.task == DIAL for rung in rule.rungs):
        return Verdict(rule.id, Judgement.KEPT, expected, ", ".join(observed))
    why_not = [finding.why_not for finding in findings if finding.why_not]
    return Verdict(rule.id, Judgement.NOT_APPLICABLE, expected, why_not[0] if why_not else _NOT_ARISEN)


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
    happened_again = False
    for index in evidence:
        line = trace[index]
        if line.rule != rule.id:
            continue
        if line.fact is Fact.LADDER_BEGUN and line.detail == rule.name:
            happened_again = last > 0
        elif line.fact is Fact.LADDER_LEFT and line.detail == "cancelled":
            last -= 1  # taken back: the rung still stands out
        elif line.fact in _RUNG_TAKEN:
            fault = _wrong_rung(rule, last, line.rung, happened_again=happened_again)
            faults += [fault] if fault else []
            last, happened_again = line.rung, False
    return faults


def _wrong_rung(rule: Rule, last: int, place: int, *, happened_again: bool) -> str:
    """What is wrong with taking rung `place` after rung `last`; empty when nothing is."""
    waits_for_it = 1 <= last <= len(rule.rungs) and rule.rungs[last - 1].on_recurrence
    if waits_for_it and place != last and not happened_again:
        return f"rung {place} came after rung {last}, and it had not happened again"
    if waits_for_it and place != last + 1 and happened_again:
        return f"rung {place} came when it happened again, not rung {last + 1}"
    begins_again = rule.loops_from if last == len(rule.rungs) else 0
    return "" if place in {1, last, last + 1, begins_again} else f"rung {place} came after rung {last}"


def _waits(rule: Rule, trace: Sequence[TraceLine], evidence: list[int]) -> tuple[list[WaitSeen], list[str]]:
    """Every documented wait of the rule that ran to its end, and what was wrong with those that did not."""
    seen: list[WaitSeen] = []
    faults: list[str] = []
    for index in evidence:
        begun = trace[index]
        band = _documented(rule, begun.rung) if begun.rule == rule.id else None
        if band is None:
            continue
        if begun.fact is Fact.PHRASE_ENDED and begun.detail == "finished":
            if _done_next(trace, index + 1) is not None:
                faults.append(f"no wait after rung {begun.rung}, not {_band(band.least, band.most)}")
        elif begun.fact in {Fact.WAIT_BEGUN, Fact.TASK_ASKED, Fact.DIALLING}:
            following = _done_next(trace, index + 1)
            if following is None:
                continue
            seen.append(WaitSeen(band.least, band.most, round(following.at - begun.at, 6), begun.rung))
            if following.fact is not Fact.WAIT_USED_UP:
                faults.append(f"the wait after rung {begun.rung} was cut short: {following.fact}")
    return seen, faults


def _done_next(trace: Sequence[TraceLine], start: int) -> TraceLine | None:
    """The line from `start` on that shows a wait used up, or us going on; None when one begins or need not be."""
    for line in trace[start:]:
        if line.fact is Fact.WAIT_BEGUN or line.fact in _EXCUSES or _is_given_up(line):
            return None
        if line.fact is Fact.WAIT_USED_UP or line.fact in _WE_GO_ON:
            return line
    return None


def _is_given_up(line: TraceLine) -> bool:
    """Whether a situation is over because only an agent who is gone could have gone on with it."""
    return line.fact is Fact.SITUATION_OVER and line.detail == AGENT_GONE


def _documented(rule: Rule, place: int) -> Band | None:
    if not 1 <= place <= len(rule.rungs):
        return None
    rung = rule.rungs[place - 1]
    return ringing_band(rule) if rung.task == DIAL else rung.wait


def _endings(rule: Rule, trace: Sequence[TraceLine], evidence: list[int]) -> tuple[str, list[str]]:
    """How the rule's last run ended, in words, and what was wrong with any of its endings.

    Only a ladder begun under the rule's own name promises all its rungs and its ending; a step may also say no more than
    the rule's first phrase.
    """
    ending = ""
    faults: list[str] = []
    is_own_ladder = False
    for index in evidence:
        line = trace[index]
        if line.rule != rule.id:
            continue
        match line.fact:
            case Fact.LADDER_BEGUN:
                is_own_ladder = line.detail == rule.name
            case Fact.LADDER_PAUSED:
                ending = f"rung {line.rung} of {len(rule.rungs)}, until it happens again"
            case Fact.LADDER_LEFT:
                ending = f"left on {line.detail.replace('_', ' ')}"
            case Fact.CALLER_HUNG_UP | Fact.LINE_LOST:
                ending = _UNTIL[line.fact]
            case Fact.SITUATION_OVER if _is_given_up(line):
                ending = "until the agent was gone"
            case Fact.LADDER_USED_UP if is_own_ladder:
                ending = "then hung up" if rule.then == "hangup" else f"then {rule.then.replace('_', ' ')}"
                if line.rung < len(rule.rungs):
                    faults.append(f"given up after rung {line.rung} of {len(rule.rungs)}")
                if rule.then == "hangup" and not _hung_up_next(trace, index):
                    faults.append("the standard hangs up here; the call went on")
            case Fact.LIMIT_REACHED | Fact.HANDED_OVER:
                faults.append(f"cut off: {line.detail}")
            case Fact.NOT_ANSWERED:
                ending = f"not answered: {line.detail.replace('_', ' ')}"
            case Fact.PHRASE_STARTED | Fact.TASK_ASKED | Fact.DIALLING:
                ending = ""
            case _:
                pass
    return ending, faults


def _hung_up_next(trace: Sequence[TraceLine], index: int) -> bool:
    """The standard's `then: hangup` must be the very next thing; the other endings are the flow's to arrange."""
    for line in trace[index + 1 :]:
        if line.fact is Fact.ENDED:
            return True
        if line.fact in {Fact.PHRASE_STARTED, Fact.RINGING, Fact.WAIT_BEGUN, Fact.TASK_ASKED}:
            return False
    return False
