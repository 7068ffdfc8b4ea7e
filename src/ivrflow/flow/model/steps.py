"""The kinds of steps a flow is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ivrflow.flow.days import DaySet
from ivrflow.flow.model.ladders import Ladder
from ivrflow.flow.problems import Location

BargeIn: TypeAlias = Literal["speech", "key"]

LONGEST_QUEUEING_S = 7200.0
"""Seconds, the most a queue step may let a caller wait."""

HANG_UP = "hang_up"
"""The step name every flow has without writing it: end the call now."""


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
class Warm:
    """How an agent hands a caller over: the agent stays until the colleague is there.

    Attributes:
        whisper: phrase keys that only the colleague hears, before being joined: who is coming.
        why: by situation that led to handing over: phrase keys the colleague hears after that, why the caller is coming.
        thanks: phrase keys that thank the caller for waiting, before being joined.
        back: phrase keys the caller hears when the colleague does not answer, before being joined with the agent again.
    """

    where: Location
    whisper: tuple[str, ...] = ()
    thanks: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    why: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def whispers(self) -> tuple[str, ...]:
        """Everything a colleague may be told."""
        return (*self.whisper, *(key for keys in self.why.values() for key in keys))


@dataclass(frozen=True, slots=True)
class Transfer:
    """Ring an extension, bounded; come back when nobody answers or when the agent hangs up first.

    Attributes:
        extension: digits that the PBX's `agents` context knows.
        announce: phrase keys said before ringing.
        ring_for: seconds the extension may ring.
        talk_for: seconds the talk may last.
        warm: how an agent who talks with the caller hands them over here; None: the agent is let go at once.
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
    warm: Warm | None = None


@dataclass(frozen=True, slots=True)
class QueueLevel:
    """Agents who are asked from `after` seconds of waiting on; the ones before them are then asked no more.

    Attributes:
        queue: the queue's name on the PBX.
    """

    where: Location
    queue: str
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Queue:
    """Let the caller wait for an agent of a queue: music, announcements of our own, keys taken at every moment.

    The PBX's queue finds the agent (strategy, ring timeout, wrap-up, pause); when to say what, and when to ask the next
    level, is decided here.

    Attributes:
        levels: who is asked, the first from the beginning on, each later one after its seconds.
        priority: callers of a greater one are served first; 0 is the usual one.
        announce: phrase keys said before the caller begins to wait.
        ladder: announcements while waiting, each rung a wait (with music) and what is then said; goes round.
        listening: step per key.
        most: seconds the caller may wait.
        thanks: phrase keys both hear before they are joined, when the caller waited longer than `thanks_over` seconds.
        talk_for: seconds the talk may last.
        agent_left: step when the agent hangs up first.
        no_answer: step when `most` has passed.
        nobody: step when no agent is logged in, or all are paused.
        full: step when the queue takes nobody else.
    """

    name: str
    where: Location
    levels: tuple[QueueLevel, ...]
    priority: int
    announce: tuple[str, ...]
    ladder: Ladder
    listening: Listening
    most: float
    thanks: tuple[str, ...]
    thanks_over: float
    talk_for: float
    agent_left: str
    no_answer: str
    nobody: str
    full: str


@dataclass(frozen=True, slots=True)
class Record:
    """Record what the caller says after the tone. `keep` decides later whether the message is kept.

    Attributes:
        ask: phrase keys said before the tone.
        most: seconds a message may last.
        silence: seconds of silence that end it.
        least: seconds below which it is none.
        end_key: key that ends it, or "" for none.
        about: the name of the message box; a caller who hangs up has left the message there.
        done: step when there is a message.
        nothing: step when nothing was said, or less than `least` seconds.
    """

    name: str
    where: Location
    ask: tuple[str, ...]
    most: float
    silence: float
    least: float
    end_key: str
    about: str
    done: str
    nothing: str


@dataclass(frozen=True, slots=True)
class PlayBack:
    """Let the caller hear the message just recorded."""

    name: str
    where: Location
    then: str


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep the message just recorded."""

    name: str
    where: Location
    then: str


@dataclass(frozen=True, slots=True)
class Score:
    """Note the score a caller gave: what a key of a survey leads to.

    Attributes:
        survey: the survey's name.
        score: what the key stands for.
        most: the best score of this survey.
    """

    name: str
    where: Location
    survey: str
    score: int
    most: int
    then: str


@dataclass(frozen=True, slots=True)
class CallBack:
    """Order a call to the caller: placed by the engine within the allowed hours, tried again within bounds.

    Attributes:
        number: name of the value that holds the number ("callback_number"), or "" for the number the caller rings from.
        flow: the flow that places the call.
        to: which numbers may be rung: digits, or with a `*` behind them how numbers begin.
        within_h: hours within which it is promised.
        tries: how often it is tried.
        retry_after: seconds from one try to the next.
        then: step once it is noted.
        undiallable: step when the number may not or cannot be rung.
    """

    name: str
    where: Location
    number: str
    flow: str
    to: tuple[str, ...]
    within_h: float
    tries: int
    retry_after: float
    then: str
    undiallable: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Look something up over HTTP, bounded; the caller hears a filler phrase when it takes long.

    Attributes:
        url: where to ask; nothing a caller said or keyed is ever part of it.
        sends: names of the values that are sent, as fields of a JSON object.
        learns: placeholder per field of the answer.
        field: field of the answer that chooses the next step; "" for none.
        cases: step per value of that field.
        filler: phrase keys said when no answer came within `filler_after` seconds; then music.
        most: seconds until it is too late.
        done: step when an answer came (and no case fits, where there are cases).
        late: step when none came in time.
        wrong: step when the answer is none we understand.
        failed: step when nobody could be asked, or the other side reports an error.
    """

    name: str
    where: Location
    url: str
    sends: tuple[str, ...]
    learns: Mapping[str, str]
    field: str
    cases: Mapping[str, str]
    filler: tuple[str, ...]
    filler_after: float
    most: float
    done: str
    late: str
    wrong: str
    failed: str


@dataclass(frozen=True, slots=True)
class Close:
    """Anything else? – pause – farewell – wait for the caller to hang up first, with a guard.

    Attributes:
        ladder: question (leave word: the caller has a request) and farewell, each rung with its rule.
        request: step when the caller has a request (speech or any key).
        guard: seconds to wait for the caller to hang up first.
        reminder: phrase key said when the guard has passed once; after a second guard ivrflow hangs up. None: at once.
        survey: step after the farewell for a caller who talked with an agent, once a call; "" for none.
    """

    name: str
    where: Location
    ladder: Ladder
    barge_in: frozenset[BargeIn]
    request: str
    guard: float
    reminder: str | None
    survey: str = ""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call; `outcome` is the word the journal keeps."""

    name: str
    where: Location
    outcome: str


Step: TypeAlias = (
    Say
    | Climb
    | Menu
    | Collect
    | Hours
    | Transfer
    | Queue
    | Record
    | PlayBack
    | Keep
    | Score
    | CallBack
    | Ask
    | Close
    | HangUp
)
