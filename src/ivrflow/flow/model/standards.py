"""One organisation's service standard: its rules, what they promise, and what they ask of wordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ivrflow.flow.model.phrases import Phrase, Placeholder
from ivrflow.flow.problems import Location
from ivrflow.flow.wording.script import Script


@dataclass(frozen=True, slots=True)
class Band:
    """The seconds a standard documents for a wait: at least, at most. Equal when it names one number."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class RuleRung:
    """One rung as the standard writes it: say this or do that, wait so long, leave on that.

    Attributes:
        on_recurrence: whether the next rung waits until the situation happens again on the same call.
    """

    where: Location
    say: str | None = None
    task: str | None = None
    wait: Band | None = None
    leave_on: str | None = None
    on_recurrence: bool = False


Limit: TypeAlias = float | tuple[float, float] | str | tuple[str, ...]
"""A further number of a rule: plain, least and most, a time of day or a telephone number, or several names."""

Means: TypeAlias = Literal["clock", "flow", "on_demand", "lint", "promise", "report"]
"""How a rule is met.

clock: the engine's clock keeps its waits, repetitions and who hangs up. flow: it happens on every call without anybody
asking for it. on_demand: an agent starts it as a situation. lint: `ivrflow check` refuses a flow or wording against it.
promise: a due time is kept for it. report: it is counted, call by call.
"""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a rule promises a caller, and by when: `hours`, `working_days`, or one or both of the two placeholders.

    Attributes:
        about: what is promised an answer: the key figures count enquiries and complaints.
        hours: hours after the promise was made.
        working_days: working days after it; due at the end of the last one.
        value: the placeholder that holds the hours, which the agent names on the call; `or_hours` when nobody did.
        days_value: the placeholder that holds days of 24 hours, for a wording that names days; `value` wins over it.
        repeats: whether the same is owed again, `hours` after each time, until the matter is closed.
        owed_by: who keeps it.
        then_hours: once it is kept, the next one owes an answer within so many hours; None when nothing more is owed.
        then_owed_by: who that is.
    """

    about: Literal["enquiry", "complaint", "other"]
    where: Location
    hours: float | None = None
    working_days: int | None = None
    value: str = ""
    days_value: str = ""
    or_hours: float | None = None
    repeats: bool = False
    owed_by: str = "agent"
    then_hours: float | None = None
    then_owed_by: str = ""


Calls: TypeAlias = Literal["answered", "placed"]
"""Calls that come in and are answered, and calls we place ourselves."""


@dataclass(frozen=True, slots=True)
class Lint:
    """What a rule asks of wordings and flows before any call. Phrases are full keys, or what keys begin with.

    Attributes:
        calls: which calls it is asked of.
        opening: one of these is said first.
        opening_after: what may be said before the opening.
        order: these are never said in another order.
        farewell: one of these is said before a close step waits for the other side to hang up.
        ask_first: one of these is asked before the farewell.
        courtesy: every wording of the rule is like one of these patterns.
        never_first: sentences that are not in what is said first.
        taboo: groups of the standard's taboo that the rule names.
        caller_hangs_up_first: whether we hang up first only at the end of a rule that says so.
        never_without_a_word: whether no call ends before anything was said.
    """

    where: Location
    calls: frozenset[Calls] = frozenset({"answered"})
    opening: tuple[str, ...] = ()
    opening_after: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    farewell: tuple[str, ...] = ()
    ask_first: tuple[str, ...] = ()
    courtesy: tuple[str, ...] = ()
    never_first: tuple[str, ...] = ()
    taboo: tuple[str, ...] = ()
    caller_hangs_up_first: bool = False
    never_without_a_word: bool = False


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """A figure the standard wants to be measured by: formula and target in the words of the document."""

    id: str
    name: str
    formula: str
    target: str
    where: Location


@dataclass(frozen=True, slots=True)
class Rule:
    """One documented rule: what to do in a situation, in which order and with which pauses.

    Attributes:
        met_by: how ivrflow meets the rule; empty when nobody said so yet, or when it cannot apply to a phone line.
        not_on_phone: why the rule cannot apply to a phone line; empty for a rule that does.
        promise: what the rule promises the caller, and by when; None for a rule without a deadline.
        lint: what it asks of wordings and flows before any call; None for a rule that asks nothing.
        loops_from: position (from 1) of the rung that follows the last one, round after round; 0: the ladder ends.
        after: name of the rule this one follows by itself: it goes on where that one leaves the caller on hold, or comes
            when the caller was kept waiting there and is back; empty: somebody starts it.
    """

    id: str
    situation: str
    trigger: str
    rungs: tuple[RuleRung, ...]
    then: str
    limits: Mapping[str, Limit]
    notes: str
    where: Location
    met_by: tuple[Means, ...] = ()
    not_on_phone: str = ""
    promise: Promise | None = None
    lint: Lint | None = None
    loops_from: int = 0
    after: str = ""

    @property
    def name(self) -> str:
        """The id without its standard: "silent_call" of "gov12345/silent_call"."""
        return self.id.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Standard:
    """One organisation's service standard, as data.

    Attributes:
        taboo: sentences nobody may say, by group.
        taboo_anywhere: groups whose short sentences count anywhere, not as whole utterances only.
        conduct: what nobody may do, by group; no wording, so nothing is compared with it.
        script: the characters its wordings are written in.
    """

    id: str
    name: str
    source: str
    where: Location
    phrases: Mapping[str, Phrase]
    rules: Mapping[str, Rule]
    """By name within the standard: "silent_call"."""
    taboo: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    taboo_anywhere: tuple[str, ...] = ()
    conduct: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    script: Script = "simplified"
    key_figures: tuple[KeyFigure, ...] = ()
    direction: tuple[str, ...] = ()
    placeholders: Mapping[str, Placeholder] = field(default_factory=dict)
