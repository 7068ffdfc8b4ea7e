"""The kinds of steps a flow is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ivrflow.flow.days import DaySet
from ivrflow.flow.model.ladders import Ladder
from ivrflow.flow.problems import Location

BargeIn: TypeAlias = Literal["speech", "key"]

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
