"""Where the steps of a flow lead: what cannot be reached, what runs in a circle, what never ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from ivrflow.flow.model import (
    HANG_UP,
    RETURN,
    Ask,
    CallBack,
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
    Say,
    Score,
    Step,
    Transfer,
)
from ivrflow.flow.problems import ProblemList


@dataclass(frozen=True, slots=True)
class Exit:
    """One way out of a step: what happens, and the step it leads to.

    Attributes:
        keys: the keys that were pressed, when that is what happens.
        takes_time: whether anything is said or waited for before it is taken.
    """

    word: str
    target: str
    keys: str = ""
    takes_time: bool = True


def exits(step: Step) -> tuple[Exit, ...]:
    """Every way out of a step, in the order in which a flow writes them."""
    match step:
        case Say():
            ways = [*_inputs(step.listening.speech, step.listening.keys), Exit("then", step.then)]
        case Climb():
            takes_time = _takes_time(step.ladder)
            ways = [
                *_inputs(step.listening.speech, step.listening.keys),
                *(Exit(word, target) for word, target in step.left.items()),
                Exit("used_up", step.used_up, takes_time=takes_time),
            ]
        case Menu():
            ways = [
                *_inputs(step.listening.speech, step.listening.keys),
                Exit("no_input", step.no_input),
                Exit("invalid", step.invalid_then),
            ]
        case Collect():
            ways = [Exit("done", step.done), Exit("no_input", step.no_input), Exit("incomplete", step.incomplete)]
        case Hours():
            ways = [Exit("window", window.then, takes_time=bool(window.says)) for window in step.windows]
            ways.append(Exit("otherwise", step.otherwise, takes_time=False))
        case Transfer():
            ways = [
                Exit("agent_left", step.agent_left),
                Exit("no_answer", step.no_answer),
                Exit("busy", step.busy),
                Exit("unreachable", step.unreachable),
            ]
        case Queue() | Record() | PlayBack() | Keep() | Score() | CallBack() | Ask():
            ways = _ways_of_services(step)
        case Close():
            ways = [Exit("request", step.request), Exit("survey", step.survey)]
        case HangUp():
            ways = []
        case _:
            assert_never(step)
    return tuple(way for way in ways if way.target)


def _ways_of_services(step: Queue | Record | PlayBack | Keep | Score | CallBack | Ask) -> list[Exit]:
    """The ways out of steps in which somebody or something else than the caller works."""
    match step:
        case Queue():
            takes_time = bool(step.announce)
            return [
                *_inputs(None, step.listening.keys),
                Exit("agent_left", step.agent_left),
                Exit("no_answer", step.no_answer),
                Exit("nobody", step.nobody, takes_time=takes_time),
                Exit("full", step.full, takes_time=takes_time),
            ]
        case Record():
            return [Exit("done", step.done), Exit("nothing", step.nothing)]
        case PlayBack():
            return [Exit("then", step.then)]
        case Keep() | Score():
            return [Exit("then", step.then, takes_time=False)]
        case CallBack():
            return [
                Exit("then", step.then, takes_time=False),
                Exit("undiallable", step.undiallable, takes_time=False),
            ]
        case Ask():
            return [
                *(Exit("case", target, takes_time=False) for target in step.cases.values()),
                Exit("done", step.done, takes_time=False),
                Exit("late", step.late),
                Exit("wrong", step.wrong, takes_time=False),
                Exit("failed", step.failed, takes_time=False),
            ]
        case _:
            assert_never(step)


def _inputs(speech: str | None, keys: Mapping[str, str]) -> list[Exit]:
    ways = [Exit("speech", speech)] if speech else []
    targets: dict[str, str] = {}
    for key, target in keys.items():
        targets[target] = targets.get(target, "") + key
    return [*ways, *(Exit("key", target, keys=pressed) for target, pressed in targets.items())]


def _takes_time(ladder: Ladder) -> bool:
    return any(rung.say or rung.task or rung.wait > 0 for rung in ladder.rungs)


def check_routes(
    steps: Mapping[str, Step],
    begins: Iterable[str],
    also_leads: Mapping[str, frozenset[str]],
    problems: ProblemList,
) -> None:
    """Note unreachable steps, circles in which no time passes, and steps from which no call ends.

    Args:
        steps: all steps by name.
        begins: the start, and the steps situations lead to.
        also_leads: steps that are mentioned in a step with problems: where it leads is not known for sure.
        problems: where to note them.
    """
    leads = {
        name: {way.target for way in exits(step)} | also_leads.get(name, frozenset()) for name, step in steps.items()
    }
    for name, mentioned in also_leads.items():
        leads.setdefault(name, set(mentioned))
    reached = reached_from(begins, leads)
    for name, step in steps.items():
        if name not in reached and name != HANG_UP and "." not in name:
            problems.error(step.where, f"nothing leads to the step '{name}'", "let a step lead to it, or delete it")
    _check_circles(steps, problems)
    if not problems.errors:  # a lost exit would be blamed twice
        _check_endings(steps, leads, problems)


def reached_from(begins: Iterable[str], leads: Mapping[str, Iterable[str]]) -> set[str]:
    """The names in `begins` and all that they lead to, on whatever ways."""
    reached: set[str] = set()
    ahead = [name for name in begins if name != RETURN]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += leads.get(name, ())
    return reached


def _check_circles(steps: Mapping[str, Step], problems: ProblemList) -> None:
    """A circle of steps that neither say nor wait would end every call that enters it at the limit of steps."""
    hasty = {name: [way.target for way in exits(step) if not way.takes_time] for name, step in steps.items()}
    noted: set[str] = set()
    for name, step in steps.items():
        if name in noted or name not in reached_from(hasty[name], hasty):
            continue
        circle = reached_from([name], hasty) & reached_from([name], _turned(hasty))
        noted |= circle
        names = [other for other in steps if other in circle]
        who = f"'{name}' leads back to itself" if len(names) == 1 else f"the steps {', '.join(names)} lead in a circle"
        message = f"{who} without saying or waiting for anything"
        problems.error(step.where, message, "let one of them say something, or lead elsewhere")


def _turned(leads: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Who leads to each step."""
    back: dict[str, list[str]] = {}
    for name, targets in leads.items():
        for target in targets:
            back.setdefault(target, []).append(name)
    return back


def _check_endings(steps: Mapping[str, Step], leads: Mapping[str, Iterable[str]], problems: ProblemList) -> None:
    ends = [name for name, step in steps.items() if isinstance(step, Close | HangUp)]
    ending = reached_from(ends, _turned(leads))
    endless = [name for name in steps if name not in ending]
    if endless:
        message = f"from here no call comes to an end: {', '.join(endless[:8])}" + (", …" if len(endless) > 8 else "")
        problems.warn(steps[endless[0]].where, message, f"let one of them lead to a close step or to {HANG_UP}")
