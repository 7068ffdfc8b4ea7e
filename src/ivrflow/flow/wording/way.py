"""What is said on the way through a flow: first, in which order, and on every way to a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import TypeAlias, assert_never

from ivrflow.flow.compiling.routes import exits
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
    Menu,
    PlayBack,
    Queue,
    Record,
    Rung,
    Say,
    Score,
    Step,
    Transfer,
)
from ivrflow.flow.problems import Location

MOST_LINES = 64
"""Combinations of calendar wordings looked at in one step."""

MOST_BEGINNINGS = 2000
"""Ways to begin a call that are looked at; a flow has a handful."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A phrase (or a wording the calendar chooses) at its place in a flow."""

    key: str
    where: Location


Asks: TypeAlias = Callable[[Sequence[str]], bool]
"""Whether phrases said one after the other hold what is looked for."""


def spoken(flow: CallFlow, step: Step) -> tuple[Spoken, ...]:
    """Everything a step says while it goes well, in its order."""
    match step:
        case Say() | Climb() | Menu() | Close():
            return tuple(_of_rungs(step.ladder.rungs))
        case Queue():
            thanks = tuple(Spoken(key, step.where) for key in step.thanks)
            return (*spoken_at_once(flow, step), *_of_rungs(step.ladder.rungs), *thanks)
        case Transfer(warm=warm) if warm is not None:
            # What only the colleague hears is nothing that is said to the caller.
            return (*spoken_at_once(flow, step), *(Spoken(key, warm.where) for key in warm.thanks))
        case Ask():
            return tuple(Spoken(key, step.where) for key in step.filler)
        case Collect() | Transfer() | Record() | PlayBack() | Keep() | Score() | CallBack() | Hours() | HangUp():
            return spoken_at_once(flow, step)
        case _:
            assert_never(step)


def spoken_at_once(flow: CallFlow, step: Step) -> tuple[Spoken, ...]:
    """What a step says before it waits for anything."""
    match step:
        case Climb() | Menu() | Close():
            return tuple(_of_rungs(_up_to_wait(step.ladder.rungs)))
        case Say():
            return tuple(_of_rungs(step.ladder.rungs))
        case Collect():
            return (Spoken(step.ask, step.where),)
        case Transfer() | Queue():
            return (*_recorded(flow, whole_call=False), *(Spoken(key, step.where) for key in step.announce))
        case Record():
            return tuple(Spoken(key, step.where) for key in step.ask)
        case Hours() | PlayBack() | Keep() | Score() | CallBack() | Ask() | HangUp():
            return ()
        case _:
            assert_never(step)


def spoken_first(flow: CallFlow) -> tuple[Spoken, ...]:
    """What is said before the first step: that the whole call is recorded."""
    return _recorded(flow, whole_call=True)


def _recorded(flow: CallFlow, *, whole_call: bool) -> tuple[Spoken, ...]:
    """What says that the call is recorded, from its beginning or from the first agent on."""
    recording = flow.recording
    if recording is None or recording.whole_call != whole_call:
        return ()
    return tuple(Spoken(key, recording.where) for key in recording.announce)


def waits(step: Step) -> bool:
    """Whether the caller is waited for, or handed to somebody, before the step is left."""
    match step:
        case Say() | Climb():
            return any(rung.wait > 0 for rung in step.ladder.rungs)
        case Menu() | Collect() | Transfer() | Queue() | Record() | Close():
            return True
        case Hours() | PlayBack() | Keep() | Score() | CallBack() | Ask() | HangUp():
            return False  # whom a look-up asks is nobody on the call
        case _:
            assert_never(step)


def _of_rungs(rungs: Iterable[Rung]) -> Iterator[Spoken]:
    return (Spoken(rung.say, rung.where) for rung in rungs if rung.say is not None)


def _up_to_wait(rungs: Sequence[Rung]) -> Sequence[Rung]:
    first = next((number for number, rung in enumerate(rungs) if rung.wait > 0), len(rungs) - 1)
    return rungs[: first + 1]


def lines(flow: CallFlow, said: Sequence[Spoken]) -> Iterator[tuple[Spoken, ...]]:
    """What may really be said: each choice of the calendar's lines, each phrase at the place where the flow names it."""
    choices = [[tuple(Spoken(key, one.where) for key in line) for line in flow.lines_of(one.key)] for one in said]
    for chosen in islice(product(*choices), MOST_LINES):
        yield tuple(one for line in chosen for one in line)


@dataclass(frozen=True, slots=True)
class Way:
    """One exit of a step: where it leads, and what was surely said in the step by then."""

    word: str
    target: str
    said: tuple[Spoken, ...]


def ways(flow: CallFlow, step: Step) -> Iterator[Way]:
    """The exits of a step."""
    match step:
        case Hours():
            for window in step.windows:
                yield Way("window", window.then, tuple(Spoken(key, window.where) for key in window.says))
            yield Way("otherwise", step.otherwise, ())
        case Climb() | Menu() | Say():
            for way in exits(step):
                is_through = way.word in {"used_up", "then", "no_input"}
                yield Way(way.word, way.target, spoken(flow, step) if is_through else spoken_at_once(flow, step))
        case Ask():
            for way in exits(step):
                yield Way(way.word, way.target, ())
                if step.filler:  # said only to a caller for whom it takes long
                    yield Way(way.word, way.target, spoken(flow, step))
        case Transfer() | Queue():
            targets = [(way.word, way.target) for way in exits(step)]
            targets += [("transfer", name) for name in flow.agents.transfers]  # whoever talks there may send on
            for word, target in targets:
                yield Way(word, target, spoken_at_once(flow, step))
        case Close():
            for way in exits(step):
                is_whole = way.target == step.survey and way.word == "survey"  # asked after the farewell
                yield Way(way.word, way.target, spoken(flow, step) if is_whole else spoken_at_once(flow, step))
        case Collect() | Record() | PlayBack() | Keep() | Score() | CallBack() | HangUp():
            for way in exits(step):
                yield Way(way.word, way.target, spoken_at_once(flow, step))
        case _:
            assert_never(step)


def first_said(flow: CallFlow, start: str) -> tuple[tuple[tuple[Spoken, ...], str], ...]:
    """Every way a call can begin: what is said until something is waited for, and the step in which that is."""
    found: list[tuple[tuple[Spoken, ...], str]] = []
    ahead = [(start, said[:MOST_LINES]) for said in lines(flow, spoken_first(flow))]
    seen: set[tuple[str, tuple[Spoken, ...]]] = set()
    while ahead and len(seen) < MOST_BEGINNINGS:
        name, before = ahead.pop()
        if (name, before) in seen or name not in flow.steps:
            continue
        seen.add((name, before))
        step = flow.steps[name]
        if waits(step) or isinstance(step, HangUp):
            found += [((*before, *said), name) for said in lines(flow, spoken_at_once(flow, step))]
            continue
        for way in ways(flow, step):
            ahead += [(way.target, (*before, *said)[:MOST_LINES]) for said in lines(flow, way.said)]
    return tuple(found)


def begun(flow: CallFlow, start: str, holds: Asks) -> dict[str, bool]:
    """Where a call begins, and whether what is looked for is said before the first step, for `surely`."""
    return {start: all_hold(flow, spoken_first(flow), holds)}


def surely(
    flow: CallFlow, begins: Mapping[str, bool], holds: Asks, skips: Callable[[Step, Way], bool]
) -> dict[str, bool]:
    """For every step a call can come to, whether what is looked for was said on every way there.

    Args:
        flow: the flow.
        begins: where a call may begin, and whether it was said by then.
        holds: whether phrases said one after the other hold it.
        skips: exits that are not followed.
    """
    known: dict[str, bool] = {}
    ahead = [(name, was) for name, was in begins.items() if name in flow.steps]
    while ahead:
        name, was = ahead.pop()
        if name in known and (was or not known[name]):
            continue
        known[name] = was
        step = flow.steps[name]
        followed = [way for way in ways(flow, step) if way.target in flow.steps and not skips(step, way)]
        ahead += [(way.target, was or all_hold(flow, way.said, holds)) for way in followed]
    return known


def all_hold(flow: CallFlow, said: Sequence[Spoken], holds: Asks) -> bool:
    """Whether it is said whatever line the calendar chooses."""
    return all(holds([one.key for one in line]) for line in lines(flow, said))
