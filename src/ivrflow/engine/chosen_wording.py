"""Which wording of the calendar is said now, and why. Pure: it only answers questions; the time is an argument."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ivrflow.engine.standing import Footing
from ivrflow.flow.calendar import in_words, line_at
from ivrflow.flow.model import WHEN, CallFlow, Rung, Wording, WordingLine


@dataclass(frozen=True, slots=True)
class Chosen:
    """Phrases to say one after the other; `why` is the reason for the first of them, empty for one written plainly."""

    phrases: tuple[str, ...]
    why: str = ""


def chosen_phrases(flow: CallFlow, phrases: tuple[str, ...], local: datetime) -> Chosen:
    """The phrases with the first of them chosen, as the ones after it are when their turn comes."""
    while phrases and (wording := _wording(flow, phrases[0])):
        line = line_at(wording, local, flow.calendar)
        phrases = (*line.says, *phrases[1:])
        if line.says:
            return Chosen(phrases, _why(wording, line))
    return Chosen(phrases)


def chosen_footing(flow: CallFlow, footing: Footing, local: datetime) -> Footing:
    """The footing on a ladder whose present rung says what holds now.

    A line with several phrases makes several rungs of it; the last of them has the rung's wait and its rule.
    """
    rung = footing.rung
    wording = _wording(flow, rung.say) if rung.say else None
    if wording is None:
        return footing
    line = line_at(wording, local, flow.calendar)
    rungs = _rungs(rung, line, _why(wording, line))
    ladder, index = footing.ladder, footing.index
    greets = ladder.greets + (len(rungs) - 1 if index < ladder.greets else 0)
    every = (*ladder.rungs[:index], *rungs, *ladder.rungs[index + 1 :])
    return replace(footing, ladder=replace(ladder, rungs=every, greets=greets))


def _wording(flow: CallFlow, key: str) -> Wording | None:
    owner, _, name = key.partition("/")
    return flow.wordings[name] if owner == WHEN else None


def _rungs(rung: Rung, line: WordingLine, why: str) -> tuple[Rung, ...]:
    if not line.says:
        return (replace(rung, say=None, where=line.where),)
    before = [
        Rung(line.where, say=key, rule=rule, why=why) for key, rule in zip(line.says[:-1], line.rules[:-1], strict=True)
    ]
    owner = line.rules[-1]
    also = owner if rung.rule and owner != rung.rule else rung.also_rule
    last = replace(rung, where=line.where, say=line.says[-1], rule=rung.rule or owner, also_rule=also, why=why)
    return (*before, last)


def _why(wording: Wording, line: WordingLine) -> str:
    """As in "when/greeting: new_year,spring_festival 08:30-12:00"."""
    if line is wording.lines[-1]:
        return f"{WHEN}/{wording.name}: no other line holds" if len(wording.lines) > 1 else f"{WHEN}/{wording.name}"
    return f"{WHEN}/{wording.name}: {in_words(line)}"
