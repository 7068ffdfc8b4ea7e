"""Which phrases a call of a flow can be played, and who hears them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
    Say,
    Score,
    Step,
    Transfer,
)


def ladders_climbed(flow: CallFlow) -> Iterator[Ladder]:
    """Every ladder a call can climb: of situations and of steps."""
    yield from flow.situations.values()
    for step in flow.steps.values():
        if isinstance(step, Say | Climb | Menu | Close | Queue):
            yield step.ladder


def said_by(flow: CallFlow) -> set[str]:
    """Keys of all phrases that a caller of the flow can hear."""
    return _worded(flow, _on(ladders_climbed(flow))) | said_besides_ladders(flow)


def said_besides_ladders(flow: CallFlow) -> set[str]:
    """Keys of all phrases that a caller can hear and that stand on no rung."""
    said = set(flow.recording.announce) if flow.recording else set()
    for step in flow.steps.values():
        said |= _besides_ladder(step)
    return _worded(flow, said)


def heard_by_agents(flow: CallFlow) -> set[str]:
    """Keys of all phrases that an agent of the flow can hear: what is played while caller and agent are parted."""
    steps = flow.steps.values()
    said = _on([*flow.situations.values(), *(step.ladder for step in steps if isinstance(step, Say))])
    for step in steps:
        if isinstance(step, Queue):
            said |= set(step.thanks)
        elif isinstance(step, Transfer) and step.warm:
            warm = step.warm
            said |= {*step.announce, *warm.whispers, *warm.thanks, *warm.back}
            said |= set(flow.recording.announce) if flow.recording else set()
    return _worded(flow, said)


def _besides_ladder(step: Step) -> set[str]:
    match step:
        case Menu(invalid=invalid):
            return {invalid} if invalid else set()
        case Collect():
            return {step.ask, step.incomplete_say} - {""}
        case Hours():
            return {phrase for window in step.windows for phrase in window.says}
        case Transfer(announce=announce, warm=warm):
            return {*announce, *((*warm.thanks, *warm.back) if warm else ())}
        case Queue():
            return {*step.announce, *step.thanks}
        case Record(ask=ask):
            return set(ask)
        case Ask(filler=filler):
            return set(filler)
        case Close(reminder=reminder):
            return {reminder} if reminder else set()
        case Say() | Climb() | PlayBack() | Keep() | Score() | CallBack() | HangUp():
            return set()


def _on(ladders: Iterable[Ladder]) -> set[str]:
    return {rung.say for ladder in ladders for rung in ladder.rungs if rung.say}


def _worded(flow: CallFlow, keys: Iterable[str]) -> set[str]:
    """The phrases themselves: where the calendar chooses a wording, every one of them."""
    return {phrase for key in keys for phrase in flow.wordings_of(key)}
