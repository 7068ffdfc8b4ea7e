"""What a call flow is, once read and checked: plain frozen data that a live call walks.

A live call keeps the `CallFlow` it started with, so a reload is only a new reference. Every step, rung, rule and
phrase knows its `Location`, and so does every trace line that comes of it. All durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Literal, TypeAlias

from ivrflow.flow.composing import Unspoken, WordingKey, composed, filled, is_chinese
from ivrflow.flow.days import ALL_DAYS, Calendar, DaySet
from ivrflow.flow.problems import Location
from ivrflow.flow.script import Script
from ivrflow.flow.spoken_values import SpokenAs

BargeIn: TypeAlias = Literal["speech", "key"]

HANG_UP = "hang_up"
"""The step name every flow has without writing it: end the call now."""

RETURN = "continue"
"""The standard's word for a situation that is over: back to where the caller was."""

DEFAULT_VOICE = "zf_xiaobei"
"""The voice of a flow that names none, and of whatever another voice did not record."""


# ── wording ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Phrase:
    """One standard phrase.

    Attributes:
        key: "gov12345/silent_call.greeting": the standard (or phrase file) and the phrase's name in it.
        text: what callers hear, with `{placeholders}`.
        placeholders: their names, in the order of the text.
        without: the wording when a value is not known; None only for a phrase without placeholders.
        note: the standard's remark on when to use it.
        spoken_as: how each placeholder is read whose value may be put together from pieces; the others are spoken only
            as they were recorded.
        allowed: why it stands although a taboo sentence is in it; empty for a phrase that needs no reason.
    """

    key: str
    text: str
    where: Location
    placeholders: tuple[str, ...] = ()
    without: str | None = None
    note: str = ""
    spoken_as: Mapping[str, SpokenAs] = field(default_factory=dict)
    allowed: str = ""

    @property
    def is_composable(self) -> bool:
        """Whether it can be put together from recordings when its values are known: said in Chinese, like the values."""
        is_spoken = bool(self.placeholders) and self.spoken_as.keys() >= set(self.placeholders)
        return is_spoken and is_chinese(self.text)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the PBX can play in one go: one audio file, or several one after the other.

    Attributes:
        file: path below the prompts folder, without extension; empty for one that has parts.
        text: exactly what is spoken.
        seconds: its length.
        loudest_frame: the greatest mean |sample| of a 20 ms frame (16-bit scale): its echo cannot be louder.
        parts: the files it is put together from, in order; empty for one that is a file itself.
    """

    file: str
    text: str
    seconds: float
    loudest_frame: int = 0
    parts: tuple[str, ...] = ()


Values: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PromptCatalogue:
    """Which wordings exist as audio.

    Attributes:
        prompts: by phrase key and the values spoken in it, sorted by name: `("gov12345/caller_greets.reply",
            (("honorific", "女士"),))`. The wording without values has an empty tuple.
        voices: the same for each further voice, and with it what people recorded; a flow's own catalogue has none.
    """

    prompts: Mapping[WordingKey, Prompt] = field(default_factory=dict)
    voices: Mapping[str, Mapping[WordingKey, Prompt]] = field(default_factory=dict)

    def spoken_by(self, voice: str) -> PromptCatalogue:
        """What a flow with this voice plays: its recordings, and the default voice's where it has none."""
        return PromptCatalogue({**self.prompts, **self.voices.get(voice, {})}) if self.voices else self

    def best(self, phrase: Phrase, values: Values) -> Prompt | None:
        """What says the phrase best: with all its values, as a recording or put together; else without them, else None."""
        return self.choose(phrase, values)[0]

    def choose(self, phrase: Phrase, values: Values) -> tuple[Prompt | None, Unspoken | None]:
        """The same, and why values that are known are not spoken; None when they are, or when one is not known."""
        named = tuple(sorted((name, values[name]) for name in set(phrase.placeholders) if name in values))
        without = self.prompts.get((phrase.key, ()))
        if (whole := self.prompts.get((phrase.key, named))) is not None:
            return whole, None
        if not phrase.placeholders or len(named) < len(set(phrase.placeholders)):
            return without, None
        if not phrase.is_composable:
            spoken_ahead = next(name for name in phrase.placeholders if name not in phrase.spoken_as)
            return without, Unspoken(spoken_ahead, "nobody recorded the phrase with these words")
        book = phrase.key.partition("/")[0]
        said = composed(book, phrase.text, phrase.spoken_as, values, self.prompts.__contains__)
        if isinstance(said, Unspoken):
            return without, said
        parts = [self.prompts[key] for key in said]
        joined = Prompt(
            file="",
            text=filled(phrase.text, values),
            seconds=round(sum(part.seconds for part in parts), 3),
            loudest_frame=max(part.loudest_frame for part in parts),
            parts=tuple(part.file for part in parts),
        )
        return joined, None


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A `{word}` that phrases may hold.

    Attributes:
        values: the only values it takes; empty for one that the call brings (a number, a name, a subject).
        about: what belongs there.
        spoken_as: how the value is read.
    """

    name: str
    where: Location
    values: tuple[str, ...] = ()
    about: str = ""
    spoken_as: SpokenAs = "words"


# ── standards ─────────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── wordings chosen by the calendar ───────────────────────────────────────────────────────────────────────────────────

WHEN = "when"
"""A phrase key that begins so names a wording of the flow: "when/greeting"."""


@dataclass(frozen=True, slots=True)
class WordingLine:
    """What is said on these days, at these minutes of the day; may run past midnight like a `Window`.

    Attributes:
        says: phrase keys, one after the other; empty says nothing.
        rules: for each of them the id of the rule that owns it, or None.
    """

    where: Location
    says: tuple[str, ...]
    rules: tuple[str | None, ...]
    days: DaySet = ALL_DAYS
    opens: int = 0
    closes: int = 24 * 60


@dataclass(frozen=True, slots=True)
class Wording:
    """Which wording when: the first line that holds at the moment something is said. The last one always does."""

    name: str
    where: Location
    lines: tuple[WordingLine, ...]


# ── ladders ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung as a call climbs it.

    Attributes:
        say: phrase key to play, or None.
        task: something the agent must do, or None.
        wait: seconds to wait after the phrase ended; 0 goes on at once.
        band: the documented seconds, or None where the number is the flow's own choice.
        leave_on: the word that leaves the ladder here ("speech", "understood", …), or None.
        rule: id of the rule this rung obeys, or None for the flow's own wording.
        also_rule: id of a second rule the same phrase obeys (a greeting that opens the silent-call ladder).
        on_recurrence: whether the next rung waits until the situation happens again on the same call.
        is_waited_for: whether the ladder stands still until the task is done; a mute that a hold follows is only asked for.
        why: why this wording, once a call has chosen it by the calendar; empty otherwise.
    """

    where: Location
    say: str | None = None
    task: str | None = None
    wait: float = 0.0
    band: Band | None = None
    leave_on: str | None = None
    rule: str | None = None
    also_rule: str | None = None
    on_recurrence: bool = False
    is_waited_for: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs in order; `then` is the standard's word for what follows when they are used up.

    Attributes:
        greets: how many rungs at the beginning are the flow's greeting, before the rule's own first rung.
    """

    name: str
    rungs: tuple[Rung, ...]
    then: str
    where: Location
    loops_from: int = 0
    """Position (from 1) of the rung that follows the last one; 0: none does."""
    rounds: int = 0
    """How often that happens at most."""
    greets: int = 0


@dataclass(frozen=True, slots=True)
class Follow:
    """A situation that comes by itself when a caller who was kept waiting is back.

    Attributes:
        situation: its name.
        over: seconds; it comes when the caller waited longer.
    """

    situation: str
    over: float = 0.0


# ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Listening:
    """What the caller may do in a step and where it leads.

    Input that may not barge in is not lost: it is acted on when the prompt has ended.

    Attributes:
        barge_in: the inputs that cut a playing prompt.
        speech: step to go to when the caller speaks, or None when speech leads nowhere.
        keys: step per key.
    """

    barge_in: frozenset[BargeIn] = frozenset()
    speech: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Say:
    """Say phrases, then go on."""

    name: str
    where: Location
    ladder: Ladder
    listening: Listening
    then: str


@dataclass(frozen=True, slots=True)
class Climb:
    """Climb a ladder of the standard until the caller does something or it is used up.

    Attributes:
        left: step per leave word other than speech and keys ("understood": …).
        used_up: step when the ladder is used up.
    """

    name: str
    where: Location
    ladder: Ladder
    listening: Listening
    left: Mapping[str, str]
    used_up: str


@dataclass(frozen=True, slots=True)
class Menu:
    """Offer keys; say it again after silence; correct a wrong key.

    Attributes:
        ladder: the offer and its repetitions, each with its first-digit timeout as wait.
        invalid: phrase key for a key that is not offered.
        invalid_repeats: how many wrong keys are corrected before `invalid_then`.
    """

    name: str
    where: Location
    ladder: Ladder
    listening: Listening
    no_input: str
    invalid: str
    invalid_repeats: int
    invalid_then: str


@dataclass(frozen=True, slots=True)
class Collect:
    """Collect digits.

    Attributes:
        value: the name under which the digits are kept (always masked where people read).
        ask: phrase key of the question.
        least, most: how many digits are complete.
        end_key: key that ends the entry, or "" for none.
        first_digit: seconds from the end of the question (or a barge-in) to the first digit.
        inter_digit: seconds from one digit to the next; when they pass, what was keyed is the entry.
        incomplete_say: phrase key said before asking again when too few digits came.
        repeats: how often the question is asked again, for silence and incomplete entries together.
    """

    name: str
    where: Location
    value: str
    ask: str
    least: int
    most: int
    end_key: str
    first_digit: float
    inter_digit: float
    barge_in: frozenset[BargeIn]
    incomplete_say: str
    repeats: int
    done: str
    no_input: str
    incomplete: str


@dataclass(frozen=True, slots=True)
class Window:
    """Days and minutes of the day that lead somewhere; may run past midnight."""

    days: DaySet
    opens: int
    closes: int
    says: tuple[str, ...]
    then: str
    where: Location


@dataclass(frozen=True, slots=True)
class Hours:
    """Choose by local time: the first window that holds, otherwise `otherwise`."""

    name: str
    where: Location
    windows: tuple[Window, ...]
    otherwise: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """Ring an extension, bounded; come back when nobody answers or when the agent hangs up first.

    Attributes:
        extension: digits that the PBX's `agents` context knows.
        announce: phrase keys said before ringing.
        ring_for: seconds the extension may ring.
        talk_for: seconds the talk may last.
    """

    name: str
    where: Location
    extension: str
    announce: tuple[str, ...]
    ring_for: float
    talk_for: float
    agent_left: str
    no_answer: str
    busy: str
    unreachable: str


@dataclass(frozen=True, slots=True)
class Close:
    """Anything else? – pause – farewell – wait for the caller to hang up first, with a guard.

    Attributes:
        ladder: question (leave word: the caller has a request) and farewell, each rung with its rule.
        request: step when the caller has a request (speech or any key).
        guard: seconds to wait for the caller to hang up first.
        reminder: phrase key said when the guard has passed once; after a second guard ivrflow hangs up. None: at once.
    """

    name: str
    where: Location
    ladder: Ladder
    barge_in: frozenset[BargeIn]
    request: str
    guard: float
    reminder: str | None


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call; `outcome` is the word the journal keeps."""

    name: str
    where: Location
    outcome: str


Step: TypeAlias = Say | Climb | Menu | Collect | Hours | Transfer | Close | HangUp


# ── flows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that end in a worded outcome, never in an exception.

    Attributes:
        call_length: seconds from arrival to a forced end.
        visits_per_step: how often one call may enter the same step.
        steps_per_event: steps entered in answer to one event (a flow that runs in a circle without waiting).
        task_wait: seconds an agent has for a task no standard gives a number for.
        own_wait: seconds to wait where a standard lets one wait for the caller but gives no number.
        tolerance: seconds a wait may be off the documented band and still count as kept.
        rounds: how often a ladder that goes round ("report progress every 15 s") begins again.
        silence: proven bound of the longest silence a caller can meet while nobody works for them; None: not bounded.
        task_silence: the same with agents' tasks in it.
        to_human: proven bound of the seconds until an agent's telephone begins to ring; None: not bounded.
        nobody_at: steps from which nobody is to be had, on purpose; `to_human` does not hold there.
    """

    call_length: float = 1800.0
    visits_per_step: int = 20
    steps_per_event: int = 50
    task_wait: float = 300.0
    own_wait: float = 3.0
    tolerance: float = 0.25
    rounds: int = 20
    silence: float | None = None
    task_silence: float | None = None
    to_human: float | None = None
    nobody_at: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quiet:
    """Minutes of the day from `begins` up to, not including, `ends`, when nobody is rung; may run past midnight."""

    begins: int
    ends: int
    where: Location

    def holds(self, minute: int) -> bool:
        """Whether the minute of the day is a quiet one."""
        if self.begins < self.ends:
            return self.begins <= minute < self.ends
        return minute >= self.begins or minute < self.ends


@dataclass(frozen=True, slots=True)
class PlacesCalls:
    """What a flow that rings people itself is allowed.

    Attributes:
        ladder: one rung that dials; its wait is how many seconds the telephone rings, its rule the documented one.
        quiet: when nobody is rung, by the flow's clock.
        to: who may be rung: digits, or with a `*` behind them how numbers begin.
        start: name of the first step once somebody answers.
    """

    ladder: Ladder
    quiet: tuple[Quiet, ...]
    to: tuple[str, ...]
    start: str
    where: Location

    @property
    def ring_for(self) -> float:
        """Seconds the telephone rings at most."""
        return self.ladder.rungs[0].wait


@dataclass(frozen=True, slots=True)
class CallFlow:
    """One hotline's call flow, checked: every name in it resolves, every wait is bounded.

    Attributes:
        id: the flow's name, "gov12345".
        numbers: dialled numbers that lead here.
        start: name of the first step.
        steps: by name; always holds `HANG_UP`.
        outcomes: step per `then` word of the standard ("survey": "close_call"), for situations started by name.
            `RETURN` as target means: back to where the caller was.
        leaves: per situation, step per leave word, where leaving it early does not lead back to where the caller was
            ("colleague_request_personal": {"caller_agrees": "say_goodbye"}).
        situations: every rule of the standard that can happen on a phone line, as a ladder that can be started by name.
        follows: per situation, the one that comes by itself when a caller who was kept waiting in it is back.
        phrases: by key, from the standard and the phrase files the flow uses.
        prompts: which of them exist as audio.
        voice: who speaks; `prompts` holds that voice's already.
        places_calls: what it may do when it rings people itself; None for a flow that is only rung.
        source: the files it was compiled from, name to text: enough to compile it again for a replay.
        wordings: by name, those that the calendar chooses.
        calendar: which kind of day each date is.
    """

    id: str
    title: str
    numbers: tuple[str, ...]
    standard: Standard
    start: str
    steps: Mapping[str, Step]
    outcomes: Mapping[str, str]
    situations: Mapping[str, Ladder]
    phrases: Mapping[str, Phrase]
    prompts: PromptCatalogue
    limits: Limits
    timezone: tzinfo
    where: Location
    leaves: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    follows: Mapping[str, Follow] = field(default_factory=dict)
    places_calls: PlacesCalls | None = None
    source: Mapping[str, str] = field(default_factory=dict)
    voice: str = DEFAULT_VOICE
    wordings: Mapping[str, Wording] = field(default_factory=dict)
    calendar: Calendar = field(default_factory=Calendar)

    def lines_of(self, key: str) -> tuple[tuple[str, ...], ...]:
        """What may be said where `key` stands: the phrase itself, or each line of a wording the calendar chooses."""
        owner, _, name = key.partition("/")
        return tuple(line.says for line in self.wordings[name].lines) if owner == WHEN else ((key,),)

    def wordings_of(self, key: str) -> tuple[str, ...]:
        """Every phrase that may be said where `key` stands, each once."""
        return tuple(dict.fromkeys(said for line in self.lines_of(key) for said in line))
