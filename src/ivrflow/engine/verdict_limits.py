"""The further numbers of a rule, its `limits`: judged on the trace, or a reason why no call can show them.

Every name a standard uses stands in `JUDGED` or in `NOT_JUDGED`; a test holds the two against all standards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.engine.verdict_holds import HoldSeen, first_after, holds_of, holds_on, returns_of, unbroken_of
from ivrflow.flow.compiling.ladders import says
from ivrflow.flow.keys.outgoing import RING_S
from ivrflow.flow.model import Limit, Rule

_RUNG_TAKEN = frozenset({Fact.PHRASE_STARTED, Fact.TASK_ASKED})


@dataclass(frozen=True, slots=True)
class Case:
    """What a limit is judged on.

    Attributes:
        limit: the number of the rule.
        evidence: indexes of the rule's own lines in `trace`.
        tolerance: seconds by which a wait may be off.
    """

    rule: Rule
    limit: Limit
    trace: Sequence[TraceLine]
    evidence: Sequence[int]
    tolerance: float

    @property
    def number(self) -> float:
        """The limit as a number: the larger one of two."""
        limit = self.limit
        if isinstance(limit, tuple):
            return max(number for number in limit if isinstance(number, float))
        assert isinstance(limit, float), f"{self.rule.id}: {limit} is no number"
        return limit

    @property
    def lines(self) -> list[TraceLine]:
        """The rule's own lines."""
        return [self.trace[index] for index in self.evidence]


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a limit.

    Attributes:
        observed: what happened, in words; empty when there is nothing to add.
        fault: what was wrong; empty when nothing was. A fault makes the rule apply even when none of its rungs was taken.
        why_not: why the rule was not due, in words.
    """

    observed: str = ""
    fault: str = ""
    why_not: str = ""


Judge: TypeAlias = Callable[[Case], Finding | None]
"""None: there was nothing to judge."""


def judge_limits(rule: Rule, trace: Sequence[TraceLine], evidence: Sequence[int], tolerance: float) -> list[Finding]:
    """What came of every limit of `rule` that a call can show."""
    judged = JUDGED if evidence else JUDGED_ALWAYS
    found = (
        judged[name](Case(rule, limit, trace, evidence, tolerance))
        for name, limit in rule.limits.items()
        if name in judged
    )
    return [finding for finding in found if finding is not None]


# ── the whole call ────────────────────────────────────────────────────────────────────────────────────────────────────


def _call_length(unit: float) -> Judge:
    """From the line's opening to its end, at most so many `unit`s of seconds."""

    def judge(case: Case) -> Finding | None:
        answered = next((line for line in case.trace if line.fact is Fact.ANSWERED), None)
        if answered is None:
            return None
        last = case.trace[-1]
        length, most = last.at - answered.at, case.number * unit
        lasted = f"the call lasted {length:.2f} s"
        if length > most + case.tolerance:
            return Finding(fault=f"{lasted}, not at most {most:g} s")
        return Finding(lasted) if last.fact is Fact.ENDED else None

    return judge


def _answered_in_time(case: Case) -> Finding | None:
    """Within so many rings: the line, and every agent's telephone that was picked up."""
    if not case.trace or case.trace[0].fact is not Fact.ARRIVED:
        return None
    answered = next((line.at for line in case.trace if line.fact is Fact.ANSWERED), None)
    if answered is None:
        return None
    allowed = f"not within {case.number:g} rings of {RING_S:g} s"
    if answered > case.number * RING_S + case.tolerance:
        return Finding(fault=f"answered after {answered:.2f} s, {allowed}")
    rang = [line.seconds for line in case.trace if line.fact is Fact.AGENT_ANSWERED and line.seconds]
    if rang and max(rang) > case.number * RING_S + case.tolerance:
        return Finding(fault=f"an agent's telephone rang for {max(rang):.2f} s, {allowed}")
    by_agent = f", an agent's telephone within {max(rang):.2f} s" if rang else ""
    return Finding(f"answered after {answered:.2f} s{by_agent}")


def _rang(*, unit: float, at_least: bool = False) -> Judge:
    """How long somebody was rung who did not answer, in `unit`s of seconds."""

    def judge(case: Case) -> Finding | None:
        begun = next((index for index in case.evidence if case.trace[index].fact is Fact.DIALLING), None)
        if begun is None:
            return None
        over = {Fact.WAIT_USED_UP, Fact.ANSWERED, Fact.NOT_ANSWERED}
        given_up = next((line for line in case.trace[begun:] if line.fact in over), None)
        if given_up is None or given_up.fact is not Fact.WAIT_USED_UP:
            return None
        rang, limit = given_up.at - case.trace[begun].at, case.number * unit
        is_wrong = rang < limit - case.tolerance if at_least else rang > limit + case.tolerance
        word = "at least" if at_least else "at most"
        return Finding(fault=f"rang for {rang:.2f} s, not {word} {limit:g} s") if is_wrong else Finding()

    return judge


# ── holds ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _held_at_most(case: Case) -> Finding | None:
    """No wait of this rule's is longer, whoever makes it so."""
    return _longest(unbroken_of(case.trace, case.evidence), case, "")


def _reported(case: Case) -> Finding | None:
    """No wait between two reports is longer; once they are used up none is owed."""
    return _longest(holds_of(case.trace, case.evidence), case, "")


def _reminded(case: Case) -> Finding | None:
    """No wait of the whole call is longer without a word; who was reminded is owed nothing further.

    The document reminds once: a later rung of its ladder on which the caller goes on waiting has no bound.
    """
    timed = next((place for place, rung in enumerate(case.rule.rungs, 1) if rung.wait is not None), 0)
    lines = ((hold, case.trace[hold.begun]) for hold in holds_on(case.trace))
    owed = [hold for hold, line in lines if line.rule != case.rule.id or line.rung <= timed]
    return _longest(owed, case, " without a reminder")


def _longest(holds: list[HoldSeen], case: Case, how: str) -> Finding | None:
    if not holds:
        return None
    longest = max(hold.seconds for hold in holds)
    if longest > case.number + case.tolerance:
        return Finding(fault=f"kept waiting {longest:.2f} s{how}, not at most {case.number:g} s")
    return Finding(f"kept waiting {longest:.2f} s" if how == "" else "")


def _asked_before_a_hold(case: Case) -> Finding | None:
    """The phrase may be left out when the caller waits less.

    It is owed for the rule's own waits: what an agent said to the caller before another one is not heard here.
    """
    begin = 0
    why_not = ""
    for hold in holds_of(case.trace, case.evidence):
        before = case.trace[begin : hold.begun]
        begin = hold.over
        if any(line.fact is Fact.PHRASE_STARTED and says(case.rule, line.phrase) for line in before):
            continue
        if hold.seconds >= case.number:
            return Finding(fault=f"kept waiting {hold.seconds:.2f} s without being asked to wait")
        why_not = f"kept waiting {hold.seconds:.2f} s: below {case.number:g} s the phrase may be left out"
    return Finding(why_not=why_not) if why_not else None


def _apology(case: Case) -> Finding | None:
    """Due when the caller waited longer, in the rule this one follows; or in its own ladder, whose last phrase it is."""
    after = case.rule.after
    own = case.evidence
    if after:
        owner = f"{case.rule.id.partition('/')[0]}/{after}"
        own = [index for index, line in enumerate(case.trace) if line.rule == owner]
    last = len(case.rule.rungs)
    observed = why_not = ""
    for hold in returns_of(case.trace, own) if after else holds_of(case.trace, own):
        waited = f"the caller waited {hold.seconds:.2f} s"
        if hold.seconds <= case.number:
            why_not = f"{waited}, no longer than {case.number:g} s"
            continue
        following = first_after(case.trace, hold)
        is_said = following is None or (following.rule == case.rule.id and following.rung == (1 if after else last))
        if not is_said:
            return Finding(fault=f"{waited}, longer than {case.number:g} s, and nothing was said about it")
        observed = waited
    return Finding(observed, why_not=why_not) if observed or why_not else None


# ── how often ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Rungs: TypeAlias = Callable[[Rule], frozenset[int]]
"""The rungs of a rule that a limit counts, by position from 1."""


def _saying(phrase_of: Callable[[Sequence[str]], str]) -> Rungs:
    """The rungs that say a phrase, in this wording or a longer-named one (`ask_louder`, `ask_louder_again`)."""

    def rungs(rule: Rule) -> frozenset[int]:
        said = [rung.say for rung in rule.rungs if rung.say]
        phrase = phrase_of(said) if said else None
        found = (place for place, rung in enumerate(rule.rungs, 1) if phrase and (rung.say or "").startswith(phrase))
        return frozenset(found)

    return rungs


def _left_on(word: str) -> Rungs:
    return lambda rule: frozenset(place for place, rung in enumerate(rule.rungs, 1) if rung.leave_on == word)


def _every_phrase(rule: Rule) -> frozenset[int]:
    return frozenset(place for place, rung in enumerate(rule.rungs, 1) if rung.say)


def _phrases_before_a_task(rule: Rule) -> frozenset[int]:
    task = next((place for place, rung in enumerate(rule.rungs, 1) if rung.task), len(rule.rungs) + 1)
    return frozenset(place for place in _every_phrase(rule) if place < task)


def _first(said: Sequence[str]) -> str:
    return said[0]


def _last(said: Sequence[str]) -> str:
    return said[-1]


def _named(name: str) -> Callable[[Sequence[str]], str]:
    return lambda said: next((phrase for phrase in said if phrase.endswith(name)), said[0])


COUNTED: Mapping[str, tuple[Rungs, int]] = {
    "ask_details_statements": (_saying(_named("ask_details")), 0),
    "ask_repeat": (_saying(_first), 0),
    "final_warnings": (_saying(_last), 0),
    "intercept_attempts": (_left_on("caller_explains"), 0),
    "plays_total": (_saying(_first), 0),
    "prompts": (_every_phrase, 0),
    "reminders": (_saying(_first), 0),
    "repeats": (_saying(_first), 1),
    "repeats_after_first": (_saying(_first), 1),
    "retention_attempts": (_left_on("caller_explains"), 0),
    "warnings": (_phrases_before_a_task, 0),
}
"""Which rungs a limit counts, and how many there are besides the number: the first time is no repetition."""


def _often(name: str) -> Judge:
    """Before a ladder is used up, all that the number asks for was done: no more, no less."""
    rungs_of, besides = COUNTED[name]

    def judge(case: Case) -> Finding | None:
        counted = rungs_of(case.rule)
        due = int(case.number) + besides
        is_one_run = any(rung.on_recurrence for rung in case.rule.rungs)
        taken: set[int] = set()
        is_own_ladder = False
        for line in case.lines:
            if line.rule != case.rule.id:
                continue
            if line.fact is Fact.LADDER_BEGUN:
                is_own_ladder = line.detail == case.rule.name
                taken = taken if is_one_run else set()
            elif line.fact in _RUNG_TAKEN and line.rung in counted:
                taken.add(line.rung)
            elif line.fact is Fact.LADDER_USED_UP and is_own_ladder and len(taken) != due:
                what = name.replace("_", " ")
                return Finding(fault=f"{what}: {len(taken) - besides} before it was given up, not {due - besides}")
        return Finding()

    return judge


# ── the clock on the wall ─────────────────────────────────────────────────────────────────────────────────────────────


def _said_at(case: Case) -> list[datetime]:
    """Local times at which the rule's phrases began; empty when the trace does not know what time it was."""
    local = case.trace[0].local if case.trace else ""
    if not local:
        return []
    began = datetime.fromisoformat(local)
    return [began + timedelta(seconds=line.at) for line in case.lines if line.fact is Fact.PHRASE_STARTED]


def _clock(*, opens: bool) -> Judge:
    def judge(case: Case) -> Finding | None:
        for said in _said_at(case):
            time = f"{said:%H:%M}"
            if time < str(case.limit) if opens else time >= str(case.limit):
                return Finding(fault=f"said at {time}, not {'from' if opens else 'until'} {case.limit}")
        return None

    return judge


def _on_holidays(case: Case) -> Finding | None:
    if not _said_at(case) or not isinstance(case.limit, tuple):
        return None
    day = case.trace[0].day
    if day in case.limit:
        return Finding(f"said on {day}")
    names = ", ".join(str(name) for name in case.limit)
    return Finding(fault=f"said on {day or 'a day that is no holiday of these'}, not on {names}")


# ── all of them ───────────────────────────────────────────────────────────────────────────────────────────────────────

JUDGED_ALWAYS: Mapping[str, Judge] = {
    "answer_within_rings": _answered_in_time,
    "apology_if_wait_over_s": _apology,
    "max_call_min": _call_length(60.0),
    "max_call_s": _call_length(1.0),
    "max_rings_before_answer": _answered_in_time,
    "remind_after_s": _reminded,
}
"""Limits a call can break without a word of the rule."""

JUDGED: Mapping[str, Judge] = {
    **JUDGED_ALWAYS,
    "apologise_if_waited_over_s": _apology,
    "from_clock": _clock(opens=True),
    "give_up_within_s": _rang(unit=1.0),
    "hold_phrase_optional_below_s": _asked_before_a_hold,
    "holidays": _on_holidays,
    "max_hold_s": _held_at_most,
    "max_open_line_wait_s": _held_at_most,
    "min_rings_before_giving_up": _rang(unit=RING_S, at_least=True),
    "progress_report_every_s": _reported,
    "promised_hold_s": _held_at_most,
    "rings_before_giving_up": _rang(unit=RING_S),
    "to_clock": _clock(opens=False),
    **{name: _often(name) for name in COUNTED},
}
"""How each limit is judged."""

_LATER = "due after the call: it is kept as a promise"
_WORDED = "it stands in the wording, which is said as it is"

NOT_JUDGED: Mapping[str, str] = {
    "agent_callback_h": _LATER,
    "close_after_s": "it is about a chat window",
    "deadline_h": _LATER,
    "feedback_every_days": _LATER,
    "manager_reply_h": _LATER,
    "mic_distance_cm": "how an agent holds the receiver is not heard on the line",
    "refer_number": _WORDED,
    "reply_working_days": _LATER,
    "retry_after_clock": _WORDED,
    "silent_count": "an agent counts it silently",
    "trainee_months": "how long somebody has worked is known to the flow's author, who chooses the greeting",
}
"""Why a limit is not judged on a call."""
