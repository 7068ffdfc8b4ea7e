"""How a call leaves each step, and how long it can have been there: the latest moment of every way out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from ivrflow.flow.model import (
    Ask,
    CallBack,
    CallFlow,
    Climb,
    Close,
    Collect,
    HangUp,
    Hours,
    Keep,
    Ladder,
    Menu,
    PlayBack,
    Queue,
    Record,
    Rung,
    Say,
    Score,
    Step,
    Transfer,
    Window,
)
from ivrflow.flow.problems import Location
from ivrflow.flow.proof.prompt_lengths import PromptLengths
from ivrflow.flow.reading.syntax import counted
from ivrflow.flow.reading.times import written, written_days, written_minute

Mover: TypeAlias = Literal["time", "caller", "agent", "calendar", "data"]
"""What makes a call leave: nothing but time, something the caller does or says, an agent (or that there is none), the day
and hour, or what is known: the answer of a look-up, whether a number may be rung."""

BY_ITSELF: frozenset[Mover] = frozenset({"time", "calendar", "data"})
"""What makes a call leave while neither caller nor agent does anything."""

TONE_S = 1.0
"""Seconds granted for the tone before a message."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One thing that takes time on the way.

    Attributes:
        what: in words: "says house/menu.main", "2 wrong keys, each …".
        seconds: how long it takes at most.
        is_estimated: whether the length of a wording that is not recorded is in it.
    """

    what: str
    seconds: float
    where: Location
    is_estimated: bool = False


@dataclass(frozen=True, slots=True)
class Departure:
    """One way out of a step, at the latest moment at which it can be taken.

    Attributes:
        word: what happens, as a flow writes it: "key 0", "speech", "no_input".
        legs: what was said and waited for by then.
    """

    word: str
    target: str
    by: Mover
    legs: tuple[Leg, ...]

    @property
    def seconds(self) -> float:
        """How long the call was in the step."""
        return sum(leg.seconds for leg in self.legs)


def departures(flow: CallFlow) -> dict[str, tuple[Departure, ...]]:
    """Every way out of every step; a step that ends the call has none."""
    reckoning = _Reckoning(flow)
    return {name: tuple(reckoning.departures(step)) for name, step in flow.steps.items()}


class _Reckoning:
    def __init__(self, flow: CallFlow) -> None:
        self._flow = flow
        self._lengths = PromptLengths(flow)

    def departures(self, step: Step) -> list[Departure]:  # noqa: C901 - the one list of the kinds of steps
        match step:
            case Say(ladder=ladder, then=then):
                legs = self._ladder(ladder)
                return [*_inputs(step, legs), Departure("then", then, "time", legs)]
            case Climb():
                return self._climb(step)
            case Menu():
                legs = self._menu(step)
                wrong = Departure("invalid", step.invalid_then, "caller", legs)
                return [*_inputs(step, legs), Departure("no_input", step.no_input, "time", legs), wrong]
            case Collect():
                return self._collect(step)
            case Hours():
                ways = [
                    Departure(window_word(window), window.then, "calendar", self._says(window.says, window.where))
                    for window in step.windows
                ]
                return [*ways, Departure("otherwise", step.otherwise, "calendar", ())]
            case Transfer():
                return self._transfer(step)
            case Queue():
                return self._queue(step)
            case Record():
                return self._record(step)
            case PlayBack(then=then):
                return [Departure("then", then, "time", self._play_back(step))]
            case Keep(then=then) | Score(then=then):
                return [Departure("then", then, "time", ())]
            case CallBack(then=then, undiallable=undiallable):
                return [Departure("then", then, "data", ()), Departure("undiallable", undiallable, "data", ())]
            case Ask():
                return self._ask(step)
            case Close():
                asked = max((number for number, rung in enumerate(step.ladder.rungs) if rung.leave_on), default=-1)
                legs = self._rungs(step.ladder.rungs[: asked + 1])
                asked_for = [Departure("request", step.request, "caller", legs)] if step.request else []
                said = self._rungs(step.ladder.rungs)
                return [*asked_for, *([Departure("survey", step.survey, "agent", said)] if step.survey else [])]
            case HangUp():
                return []
            case _:
                assert_never(step)

    def _climb(self, step: Climb) -> list[Departure]:
        legs = self._ladder(step.ladder)
        words = [
            Departure(word, target, "caller", self._by_word(step.ladder, word)) for word, target in step.left.items()
        ]
        return [*_inputs(step, legs), *words, Departure("used_up", step.used_up, "time", legs)]

    def _by_word(self, ladder: Ladder, word: str) -> tuple[Leg, ...]:
        """What a ladder says and waits for up to the last rung that a word leaves."""
        last = max((number for number, rung in enumerate(ladder.rungs) if rung.leave_on == word), default=-1)
        if ladder.loops_from and last >= ladder.loops_from - 1:
            return self._ladder(ladder)
        return self._rungs(ladder.rungs[: last + 1])

    def _menu(self, step: Menu) -> tuple[Leg, ...]:
        legs = self._rungs(step.ladder.rungs)
        if not step.invalid_repeats or not step.ladder.rungs:
            return legs
        invalid = self._lengths.longest(step.invalid)
        # A wrong key at the last moment of a wait costs that wait, the correction and the choices once more.
        again = max(sum(leg.seconds for leg in self._rungs([rung])) for rung in step.ladder.rungs)
        times = step.invalid_repeats
        is_estimated = invalid.is_estimated or any(leg.is_estimated for leg in legs)
        what = f"{counted(times, 'wrong key')}, each at the last moment, corrected, and the choices again"
        return (*legs, Leg(what, times * (again + invalid.seconds), step.where, is_estimated))

    def _collect(self, step: Collect) -> list[Departure]:
        ask = self._says((step.ask,), step.where)
        first = Leg(f"waits for the first digit, {written(step.first_digit)}", step.first_digit, step.where)
        short = [first, *self._digits(step, max(0, step.least - 1), "then waits for one more")]
        can_be_short = step.least > 1 or bool(step.end_key)
        # Another round, asked again: after silence, or after too few digits, which is said.
        rounds = [
            (*ask, first),
            *([(*ask, *short, *self._says((step.incomplete_say,), step.where))] if can_be_short else []),
        ]
        longest = max(rounds, key=_seconds)
        failed: tuple[Leg, ...] = ()
        if step.repeats:
            times = counted(step.repeats, "round")
            what = f"{times} without a complete entry, {written(round(_seconds(longest), 3))} each"
            failed = (Leg(what, step.repeats * _seconds(longest), step.where, _is_estimated(longest)),)
        whole = self._digits(step, step.most - 1, "the last one at the last moment")
        ways = [
            Departure("done", step.done, "caller", (*failed, *ask, first, *whole)),
            Departure("no_input", step.no_input, "time", (*failed, *ask, first)),
        ]
        return [*ways, Departure("incomplete", step.incomplete, "caller", (*failed, *ask, *short))]

    def _digits(self, step: Collect, gaps: int, how: str) -> list[Leg]:
        if gaps <= 0:
            return []
        what = f"{counted(gaps, 'gap')} of {written(step.inter_digit)} between digits, {how}"
        return [Leg(what, gaps * step.inter_digit, step.where)]

    def _transfer(self, step: Transfer) -> list[Departure]:
        announced = self.announced(step)
        rung = Leg(f"rings {step.extension}, {written(step.ring_for)}", step.ring_for, step.where)
        said = self._says((*step.warm.whispers, *step.warm.thanks), step.warm.where) if step.warm else ()
        talked = Leg(f"talk, at most {written(step.talk_for)}", step.talk_for, step.where)
        ways = (("no_answer", step.no_answer), ("busy", step.busy), ("unreachable", step.unreachable))
        return [
            Departure("agent_left", step.agent_left, "agent", (*announced, rung, *said, talked)),
            *(Departure(word, target, "agent", (*announced, rung)) for word, target in ways),
        ]

    def _queue(self, step: Queue) -> list[Departure]:
        waited = (*self.announced(step), Leg(f"waits in the queue, {written(step.most)}", step.most, step.where))
        thanked = self._says(step.thanks, step.where) if step.thanks_over < step.most else ()
        talked = Leg(f"talk, at most {written(step.talk_for)}", step.talk_for, step.where)
        ways = (("no_answer", step.no_answer), ("nobody", step.nobody), ("full", step.full))
        return [
            *_inputs(step, waited),
            Departure("agent_left", step.agent_left, "agent", (*waited, *thanked, talked)),
            *(Departure(word, target, "agent", waited) for word, target in ways),
        ]

    def announced(self, step: Transfer | Queue) -> tuple[Leg, ...]:
        """What is said before an agent is sought."""
        recording = self._flow.recording
        told = self._says(recording.announce, recording.where) if recording and not recording.whole_call else ()
        return (*told, *self._says(step.announce, step.where))

    def opened(self) -> tuple[Leg, ...]:
        """What is said before the first step: that the whole call is recorded."""
        recording = self._flow.recording
        return self._says(recording.announce, recording.where) if recording and recording.whole_call else ()

    def _record(self, step: Record) -> list[Departure]:
        asked = self._says(step.ask, step.where)
        spoken = Leg(f"tone and message, at most {written(step.most)}", TONE_S + step.most, step.where)
        nothing = min(step.most, step.least + step.silence)
        silent = Leg(f"tone, and no message within {written(nothing)}", TONE_S + nothing, step.where)
        return [
            Departure("done", step.done, "caller", (*asked, spoken)),
            Departure("nothing", step.nothing, "time", (*asked, silent)),
        ]

    def _play_back(self, step: PlayBack) -> tuple[Leg, ...]:
        longest = longest_message(self._flow)
        return (Leg(f"plays the message, at most {written(longest)}", longest, step.where),) if longest else ()

    def _ask(self, step: Ask) -> list[Departure]:
        legs: tuple[Leg, ...] = (Leg(f"waits for the answer, at most {written(step.most)}", step.most, step.where),)
        if is_filled(step):
            filler = self._says(step.filler, step.where)
            before = Leg(f"waits for the answer, {written(step.filler_after)}", step.filler_after, step.where)
            rest = step.most - step.filler_after - _seconds(filler)
            more = (Leg(f"waits on with music, {written(round(rest, 3))}", rest, step.where),) if rest > 0 else ()
            legs = (before, *filler, *more)  # an answer that comes meanwhile waits until the filler is said
        ways = [("late", step.late), ("wrong", step.wrong), ("failed", step.failed), ("done", step.done)]
        ways += [(f"case {value}", target) for value, target in step.cases.items()]
        return [Departure(word, target, "data", legs) for word, target in ways]

    def _rungs(self, rungs: Iterable[Rung]) -> tuple[Leg, ...]:
        legs: list[Leg] = []
        for rung in rungs:
            if rung.say is not None:
                legs += self._says((rung.say,), rung.where)
            elif rung.task is not None:
                if not rung.is_waited_for:
                    continue
                seconds = rung.wait or self._flow.limits.task_wait
                legs.append(Leg(f"task {rung.task}, at most {written(seconds)}", seconds, rung.where))
                continue
            if rung.wait > 0:
                legs.append(Leg(f"waits {written(rung.wait)}", rung.wait, rung.where))
        return tuple(legs)

    def _ladder(self, ladder: Ladder) -> tuple[Leg, ...]:
        """All that a ladder says and waits for, with as many rounds as it may begin again."""
        legs = self._rungs(ladder.rungs)
        if not ladder.loops_from or not ladder.rounds:
            return legs
        again = self._rungs(ladder.rungs[ladder.loops_from - 1 :])
        what = f"{counted(ladder.rounds, 'round')} more of {ladder.name}, {written(round(_seconds(again), 3))} each"
        return (*legs, Leg(what, ladder.rounds * _seconds(again), ladder.where, _is_estimated(again)))

    def _says(self, keys: Sequence[str], where: Location) -> tuple[Leg, ...]:
        lengths = [(key, self._lengths.longest(key)) for key in keys if key]
        return tuple(Leg(f"says {key}", length.seconds, where, length.is_estimated) for key, length in lengths)


def announcement(flow: CallFlow, step: Transfer | Queue) -> tuple[Leg, ...]:
    """What is said before the extension of a transfer rings, or a queue is joined."""
    return _Reckoning(flow).announced(step)


def opening(flow: CallFlow) -> tuple[Leg, ...]:
    """What is said at the very beginning, before the first step."""
    return _Reckoning(flow).opened()


def longest_message(flow: CallFlow) -> float:
    """Seconds that a message recorded on a call of the flow may last; 0 where none is recorded."""
    return max((step.most for step in flow.steps.values() if isinstance(step, Record)), default=0.0)


def is_filled(step: Ask) -> bool:
    """Whether the caller hears something before it is too late for the answer."""
    return bool(step.filler) and step.filler_after < step.most


def _inputs(step: Say | Climb | Menu | Queue, legs: tuple[Leg, ...]) -> list[Departure]:
    listening = step.listening
    ways = [Departure("speech", listening.speech, "caller", legs)] if listening.speech else []
    return [*ways, *(Departure(f"key {key}", target, "caller", legs) for key, target in listening.keys.items())]


def window_word(window: Window) -> str:
    """When a window of hours holds, as a flow writes it."""
    return f"{written_days(window.days)} {written_minute(window.opens)}-{written_minute(window.closes)}"


def _seconds(legs: Iterable[Leg]) -> float:
    return sum(leg.seconds for leg in legs)


def _is_estimated(legs: Iterable[Leg]) -> bool:
    return any(leg.is_estimated for leg in legs)
