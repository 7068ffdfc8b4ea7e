"""Every documented wait on both clocks: as the engine's trace has it, and as the caller's packets have it.

The trace says between which phrases a wait lay; the same two phrases are found among those heard, by their order, names
and times. Both sides then measure the same stretch: from the end of the recording to the first sample of what came next,
or to the end of the call. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.flow.model import Band, CallFlow
from ivrflow.scenario.judging.alignment import align, sound_alike
from ivrflow.scenario.observation import ClockPair, EngineSide, Heard, Observation

TRAILING_SILENCE_S = 0.2
"""Seconds by which a phrase's last sound may lie before the end of its recording."""

_FAR_APART_S = 5.0
"""Seconds by which a phrase heard and the same phrase in the trace may differ and still gain by being near."""

_ENDS_A_WAIT = frozenset(
    {Fact.WAIT_USED_UP, Fact.PHRASE_STARTED, Fact.TASK_ASKED, Fact.RINGING, Fact.STEP_ENTERED, Fact.ENDED}
)
"""What shows that a wait is over because we went on."""

_CUTS_A_WAIT = frozenset(
    {
        Fact.LADDER_LEFT,
        Fact.SITUATION_STARTED,
        Fact.HEARING_LOST,
        Fact.LIMIT_REACHED,
        Fact.HANDED_OVER,
        Fact.CALLER_HUNG_UP,
        Fact.LINE_LOST,
        Fact.WAIT_BEGUN,
    }
)
"""What ends a wait before its time without our doing: such a wait says nothing about clocks."""


def recording_end(heard: Heard) -> float:
    """When the recording was over, or when it was cut: a recording goes on a little after its last sound."""
    tail = heard.tail if heard.tail is not None else heard.start + heard.length - heard.end
    if heard.kind == "phrase" and heard.length > 0 and tail > 0:
        is_whole = heard.completeness >= 0.995 or tail <= TRAILING_SILENCE_S
        return heard.end + tail if is_whole else heard.end
    return heard.end


def in_words(band: Band) -> str:
    """Seconds as people read them: "3 s", "10-30 s"."""
    return f"{band.least:g} s" if band.least == band.most else f"{band.least:g}-{band.most:g} s"


def clock_pairs(flow: CallFlow, observation: Observation) -> tuple[ClockPair, ...]:
    """One pair per documented wait that was run to its end, in order. The simulator has no wire of its own."""
    engine = observation.engine
    if engine is None:
        return ()
    on_wire = _on_the_wire(flow, engine, observation) if observation.stage == "pbx" else {}
    pairs: list[ClockPair] = []
    for wait in _waits(flow, engine.trace):
        wire = _wire_seconds(wait, engine, observation, on_wire)
        heard = on_wire.get(wait.phrase) if wait.phrase is not None else None
        at = recording_end(heard) if heard is not None else wait.begins - engine.answered_at
        least, most = wait.band.least, wait.band.most
        pairs.append(ClockPair(wait.rule, wait.rung, in_words(wait.band), least, most, wait.seconds, wire, at))
    return tuple(pairs)


@dataclass(frozen=True, slots=True)
class _Wait:
    """A documented wait in the trace: `phrase` and `then` are the indexes of the phrases around it, in trace lines."""

    rule: str
    rung: int
    band: Band
    begins: float
    ends: float
    phrase: int | None
    then: int | None
    ends_call: bool

    @property
    def seconds(self) -> float:
        return round(self.ends - self.begins, 6)


def _waits(flow: CallFlow, trace: Sequence[TraceLine]) -> list[_Wait]:
    bands = {
        (rule.id, rung): documented.wait
        for rule in flow.standard.rules.values()
        for rung, documented in enumerate(rule.rungs, start=1)
        if documented.wait is not None
    }
    found: list[_Wait] = []
    for index, begun in enumerate(trace):
        band = bands.get((begun.rule, begun.rung))
        over = _over(trace, index)
        if begun.fact is not Fact.WAIT_BEGUN or band is None or over is None:
            continue
        phrase = _ended_with(trace, index)
        then = _at_once(trace, over, Fact.PHRASE_STARTED)
        ends_call = then is None and _at_once(trace, over, Fact.ENDED) is not None
        found.append(_Wait(begun.rule, begun.rung, band, begun.at, trace[over].at, phrase, then, ends_call))
    return found


def _over(trace: Sequence[TraceLine], index: int) -> int | None:
    """The line that ends the wait begun at `index`; None when something else cut it, or nothing came any more."""
    for place in range(index + 1, len(trace)):
        if trace[place].fact in _ENDS_A_WAIT:
            return place
        if trace[place].fact in _CUTS_A_WAIT:
            return None
    return None


def _ended_with(trace: Sequence[TraceLine], index: int) -> int | None:
    """The line that started the phrase with whose end the wait of line `index` began; None when it began otherwise."""
    before = trace[index - 1]
    if before.fact is not Fact.PHRASE_ENDED or before.at != trace[index].at:
        return None
    return next((place for place in range(index, -1, -1) if trace[place].fact is Fact.PHRASE_STARTED), None)


def _at_once(trace: Sequence[TraceLine], index: int, fact: Fact) -> int | None:
    """The next line of that kind from `index` on, when it belongs to the same decision."""
    place = next((place for place in range(index, len(trace)) if trace[place].fact is fact), None)
    return place if place is not None and trace[place].at == trace[index].at else None


def _on_the_wire(flow: CallFlow, engine: EngineSide, observation: Observation) -> dict[int, Heard]:
    """What was heard of each phrase of the trace, by the index of the line that started it."""
    started = [index for index, line in enumerate(engine.trace) if line.fact is Fact.PHRASE_STARTED]
    heard = [one for one in observation.caller.heard if one.kind == "phrase"]

    def worth(i: int, j: int) -> float:
        line = engine.trace[started[i]]
        if not sound_alike(flow, line.phrase, heard[j].name):
            return 0.0
        apart = abs(heard[j].start - (line.at - engine.answered_at))
        return 1.0 + 0.5 * max(0.0, 1 - apart / _FAR_APART_S)

    return {started[i]: heard[j] for i, j in align(len(started), len(heard), worth).items()}


def _wire_seconds(wait: _Wait, engine: EngineSide, observation: Observation, on_wire: dict[int, Heard]) -> float | None:
    before = on_wire.get(wait.phrase) if wait.phrase is not None else None
    if before is None or observation.stage != "pbx":
        return None
    if wait.then is not None and (following := on_wire.get(wait.then)) is not None:
        return round(following.start - recording_end(before), 6)
    ended_at = observation.caller.ended_at
    if wait.ends_call and ended_at is not None and engine.hung_up_first == "ivrflow":
        return round(ended_at - recording_end(before), 6)
    return None
