"""The waits of a caller on hold, as the trace shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ivrflow.engine.trace import Fact, TraceLine

_GOES_ON = frozenset(
    {Fact.PHRASE_STARTED, Fact.TASK_ASKED, Fact.RINGING, Fact.STEP_ENTERED, Fact.WAIT_BEGUN, Fact.JOINED}
)
_CUT_OFF = frozenset(
    {Fact.CALLER_HUNG_UP, Fact.AGENT_LEFT, Fact.LINE_LOST, Fact.LIMIT_REACHED, Fact.HANDED_OVER, Fact.ENDED}
)
"""Why nobody takes the caller back."""


@dataclass(frozen=True, slots=True)
class HoldSeen:
    """One wait: indexes of the lines where it began and was over, and how long it was."""

    begun: int
    over: int
    seconds: float


def holds_on(trace: Sequence[TraceLine]) -> list[HoldSeen]:
    """Every wait of the call that is over."""
    found: list[HoldSeen] = []
    begun = None
    for index, line in enumerate(trace):
        if line.fact is Fact.HOLD_BEGUN:
            begun = index
        elif line.fact is Fact.HOLD_OVER and begun is not None:
            found.append(HoldSeen(begun, index, round(line.at - trace[begun].at, 6)))
            begun = None
    return found


def holds_of(trace: Sequence[TraceLine], evidence: Sequence[int]) -> list[HoldSeen]:
    """The waits in which a rule, whose lines are `evidence`, had a part."""
    return [hold for hold in holds_on(trace) if any(hold.begun <= index <= hold.over for index in evidence)]


def unbroken_of(trace: Sequence[TraceLine], evidence: Sequence[int]) -> list[HoldSeen]:
    """The same waits as the caller has them: what goes on the moment one is over, without a word, is one wait.

    A telephone that holds longer than the rule's own ladder has music from then on; until it is back, the wait is not over.
    """
    found: list[HoldSeen] = []
    begun, since, before = -1, 0.0, 0.0
    for index, line in enumerate(trace):
        if line.fact is Fact.HOLD_BEGUN:
            goes_on = found.pop() if found and trace[found[-1].over].at == line.at else None
            begun, before = (goes_on.begun, goes_on.seconds) if goes_on else (index, 0.0)
            since = line.at
        elif line.fact is Fact.HOLD_OVER and begun >= 0:
            found.append(HoldSeen(begun, index, round(before + line.at - since, 6)))
            begun = -1
    return [hold for hold in found if any(hold.begun <= index <= hold.over for index in evidence)]


def returns_of(trace: Sequence[TraceLine], evidence: Sequence[int]) -> list[HoldSeen]:
    """The same waits, those of one situation together: reports between them bring nobody back, the end of it does."""
    found: list[HoldSeen] = []
    for hold in unbroken_of(trace, evidence):
        back = _back(trace, hold)
        if found and found[-1].over == back:
            found[-1] = HoldSeen(found[-1].begun, back, round(found[-1].seconds + hold.seconds, 6))
        else:
            found.append(HoldSeen(hold.begun, back, hold.seconds))
    return found


def _back(trace: Sequence[TraceLine], hold: HoldSeen) -> int:
    """Index of the line with which the caller is back: where the situation is over that kept them waiting.

    Where somebody leaves before that, nobody comes back: the index of that line.
    """
    if trace[hold.over - 1].fact in _CUT_OFF or not trace[hold.over].step.startswith("situation "):
        return hold.over
    for index in range(hold.over + 1, len(trace)):
        if trace[index].step != trace[hold.over].step:
            break
        if trace[index].fact in _CUT_OFF or trace[index].fact is Fact.SITUATION_OVER:
            return index
    return hold.over


def first_after(trace: Sequence[TraceLine], hold: HoldSeen) -> TraceLine | None:
    """What the call went on with when the caller was back; None when it did not go on."""
    if trace[hold.over].fact in _CUT_OFF or (hold.over and trace[hold.over - 1].fact in _CUT_OFF):
        return None
    for line in trace[hold.over + 1 :]:
        if line.fact in _CUT_OFF:
            return None
        if line.fact in _GOES_ON:
            return line
    return None
