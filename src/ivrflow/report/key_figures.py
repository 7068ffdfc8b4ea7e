"""The key figures of a standard, computed from what the journal counts; what it cannot know has no figure.

A figure without data says why. It is never 0 % or 100 % for want of calls.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias

from ivrflow.flow.model import KeyFigure, Standard
from ivrflow.report.matters import Matter
from ivrflow.report.surveys import is_satisfied
from ivrflow.runtime.journal_counts import Counted
from ivrflow.runtime.journal_store import CALLBACK

Reached: TypeAlias = Literal["met", "missed", "no data", "no target"]


@dataclass(frozen=True, slots=True)
class Part:
    """One of the two numbers of a figure: how many, and exactly what is counted."""

    count: int
    what: str


@dataclass(frozen=True, slots=True)
class Result:
    """A key figure.

    Attributes:
        id, name, formula, target: in the words of the document.
        standard: id of the standard that asks for it.
        part: what is counted; None when the journal cannot count it.
        whole: what it is a share of (for repeated complaints: what it is set against); None as above.
        reached: whether the target is met.
        why: why there is no figure; empty when there is one.
        notes: what is left out, and why.
        misses: ids of the calls behind what is missing to the whole.
    """

    id: str
    name: str
    formula: str
    target: str
    standard: str
    part: Part | None = None
    whole: Part | None = None
    reached: Reached = "no data"
    why: str = ""
    notes: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()

    @property
    def percent(self) -> float | None:
        """The figure; None without data."""
        if self.reached == "no data" or self.part is None or self.whole is None or not self.whole.count:
            return None
        return 100 * self.part.count / self.whole.count


@dataclass(frozen=True, slots=True)
class Evidence:
    """What figures are computed from.

    Attributes:
        counted: by the database.
        matters: promised an answer in the time reported, dropped ones left out.
        dropped: how many of each kind were dropped.
        dialled: how often the hotline was dialled, which only the carrier knows; None when nobody said so.
    """

    counted: Counted
    matters: Sequence[Matter]
    dropped: Mapping[str, int]
    dialled: int | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    part: Part | None = None
    whole: Part | None = None
    why: str = ""
    notes: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()


def key_figures(standard: Standard, evidence: Evidence) -> list[Result]:
    """Every key figure the standard names, in its order."""
    return [_result(figure, standard.id, evidence) for figure in standard.key_figures]


def _result(figure: KeyFigure, standard: str, evidence: Evidence) -> Result:
    blank = Result(figure.id, figure.name, figure.formula, figure.target, standard)
    compute = _FIGURES.get(figure.id)
    if compute is None:
        return replace(blank, why=f"ivrflow does not compute a figure called {figure.id}")
    found = compute(evidence)
    made = replace(blank, part=found.part, whole=found.whole, why=found.why, notes=found.notes, misses=found.misses)
    if found.why or made.part is None or made.whole is None:
        return made
    if not made.whole.count:
        return replace(made, why=f"there were none: {made.whole.what}", misses=())
    return replace(made, reached=reached(figure.target, made.part.count, made.whole.count))


# ── targets ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_TARGET = re.compile(r"\s*(>=|<=|=|≥|≤)?\s*(\d{1,3}(?:\.\d+)?)\s*%\s*")
_SIGNS: Mapping[str, Callable[[Fraction, Fraction], bool]] = {
    ">=": operator.ge,
    "≥": operator.ge,
    "<=": operator.le,
    "≤": operator.le,
    "=": operator.eq,
    "": operator.eq,
}


def reached(target: str, part: int, whole: int) -> Reached:
    """Whether the share `part` of `whole` meets a target such as ">= 85%", "<= 1%" or "100%"; compared exactly."""
    hit = _TARGET.fullmatch(target)
    if hit is None:
        return "no target"
    return "met" if _SIGNS[hit[1] or ""](Fraction(100 * part, whole), Fraction(hit[2])) else "missed"


# ── calls ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _system_connect_rate(evidence: Evidence) -> _Found:
    answered = Part(evidence.counted.answered, "incoming calls that were connected")
    if evidence.dialled is None:
        return _Found(
            answered,
            why="calls that found all lines busy, or the system down, never reached ivrflow: take the number of calls "
            "dialled from your carrier's statistics and add --dialled NUMBER",
        )
    if evidence.dialled < answered.count:
        return _Found(answered, why=f"--dialled {evidence.dialled} is less than the {answered.count} calls connected")
    whole = Part(evidence.dialled, "calls dialled, as the carrier counted them (--dialled)")
    return _Found(answered, whole)


def _agent_answer_rate(evidence: Evidence) -> _Found:
    counted = evidence.counted
    return _Found(
        Part(counted.agent_answered, "of them were answered by an agent"),
        Part(counted.asked_for_agent, "incoming calls on which an agent was sought"),
        notes=("a call on which several agents were rung counts once",),
        misses=tuple(counted.without_agent),
    )


# ── enquiries and complaints ──────────────────────────────────────────────────────────────────────────────────────────

_AT_ONCE = "those answered at once are in neither number: nobody tells ivrflow what a call was about"


def _plural(about: str) -> str:
    return "enquiries" if about == "enquiry" else "complaints"


def _due(evidence: Evidence, about: str) -> tuple[list[Matter], tuple[str, ...]]:
    """The matters on which judgement is possible, and what is left out."""
    all_of_it = [matter for matter in evidence.matters if matter.about == about]
    pending = sum(matter.is_pending for matter in all_of_it)
    dropped = evidence.dropped.get(about, 0)
    notes: tuple[str, ...] = (_AT_ONCE,)
    notes += (f"{pending} not yet due and open are not counted",) if pending else ()
    notes += (f"{dropped} dropped are not counted; `ivrflow promises --all` tells why",) if dropped else ()
    return [matter for matter in all_of_it if not matter.is_pending], notes


def _replies(about: str, *, in_time: bool) -> Callable[[Evidence], _Found]:
    """Of the enquiries or complaints that were promised an answer, how many got it, or got it in time."""

    def compute(evidence: Evidence) -> _Found:
        matters, notes = _due(evidence, about)
        good = [matter for matter in matters if matter.is_answered and not (in_time and matter.is_late)]
        misses = [matter.call for matter in matters if not matter.is_answered or (in_time and matter.is_late)]
        how = "of them were answered in the time promised, with all that was promised after it"
        return _Found(
            Part(len(good), how if in_time else "of them were answered, in time or late"),
            Part(len(matters), f"{_plural(about)} that were promised an answer later"),
            notes=notes,
            misses=tuple(dict.fromkeys(misses)),
        )

    return compute


def _repeat_complaint_rate(evidence: Evidence) -> _Found:
    complaints = [matter for matter in evidence.matters if matter.about == "complaint"]
    looked_at = [matter for matter in complaints if matter.tags & {"repeat", "first"}]
    repeated = [matter for matter in complaints if "repeat" in matter.tags]
    if not complaints:
        return _Found(whole=Part(0, "complaints"), why="there were no complaints that were promised an answer")
    if not looked_at:
        return _Found(
            whole=Part(len(complaints), "complaints that were promised an answer"),
            why="nobody said which complaints came for the second time: "
            "ivrflow promises tag ID repeat, or tag ID first",
        )
    first = len(complaints) - len(repeated)
    if not first:
        return _Found(
            Part(len(repeated), "repeated complaints"),
            Part(0, "first complaints"),
            why="all complaints are repeated ones",
        )
    unseen = len(complaints) - len(looked_at)
    return _Found(
        Part(len(repeated), "complaints tagged repeat"),
        Part(first, "other complaints that were promised an answer"),
        notes=(f"{unseen} complaints without a tag are counted as first ones",) if unseen else (),
        misses=tuple(dict.fromkeys(matter.call for matter in repeated)),
    )


def _enquiry_satisfaction(evidence: Evidence) -> _Found:
    """Those who were called back and asked, and those who gave a score on the call itself."""
    later = _satisfaction("enquiry")(evidence)
    promised = {promise.call for promise in evidence.counted.promises if promise.rule != CALLBACK}
    scored = [score for score in evidence.counted.scores if score.call not in promised]
    if not scored:
        hint = "; callers give a score on the call where the flow has a survey step"
        return replace(later, why=later.why + hint) if later.why else later
    asked, satisfied = (0, 0) if later.part is None or later.whole is None else (later.whole.count, later.part.count)
    good = sum(map(is_satisfied, scored))
    misses = (*later.misses, *(score.call for score in scored if not is_satisfied(score)))
    return _Found(
        Part(satisfied + good, "of them were satisfied with the answer"),
        Part(
            asked + len(scored),
            f"enquiries where somebody asked: {asked} promised an answer later, {len(scored)} scores given on a call on "
            "which nothing was promised",
        ),
        notes=(*later.notes, "a score above the middle of its scale counts as satisfied"),
        misses=tuple(dict.fromkeys(misses)),
    )


def _satisfaction(about: str, tag: str = "") -> Callable[[Evidence], _Found]:
    """Of those asked, how many were satisfied."""

    def compute(evidence: Evidence) -> _Found:
        what = f"{_plural(about)} tagged {tag}" if tag else f"{_plural(about)} that were promised an answer"
        matters = [matter for matter in evidence.matters if matter.about == about and (not tag or tag in matter.tags)]
        if not matters and tag:
            return _Found(
                whole=Part(0, what),
                why=f"no complaint is tagged {tag}; a line cannot hear that: ivrflow promises tag ID {tag}",
            )
        asked = [matter for matter in matters if matter.satisfied is not None]
        if matters and not asked:
            return _Found(
                whole=Part(len(matters), what),
                why="nobody noted whether the person was satisfied: ivrflow promises keep ID --satisfied yes (or no)",
            )
        silent = len(matters) - len(asked)
        return _Found(
            Part(sum(matter.satisfied is True for matter in asked), "of them were satisfied with the answer"),
            Part(len(asked), f"{what} where somebody asked"),
            notes=(f"of {silent} more nobody knows, and they are not counted",) if silent else (),
            misses=tuple(dict.fromkeys(matter.call for matter in asked if not matter.satisfied)),
        )

    return compute


_FIGURES: Mapping[str, Callable[[Evidence], _Found]] = {
    "system_connect_rate": _system_connect_rate,
    "agent_answer_rate": _agent_answer_rate,
    "enquiry_reply_rate": _replies("enquiry", in_time=False),
    "enquiry_reply_on_time_rate": _replies("enquiry", in_time=True),
    "complaint_reply_on_time_rate": _replies("complaint", in_time=True),
    "repeat_complaint_rate": _repeat_complaint_rate,
    "enquiry_satisfaction": _enquiry_satisfaction,
    "cross_province_complaint_satisfaction": _satisfaction("complaint", "cross_province"),
    "key_account_complaint_satisfaction": _satisfaction("complaint", "key_account"),
}
