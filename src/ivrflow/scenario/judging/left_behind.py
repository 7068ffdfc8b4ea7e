"""Whether a call left behind what its scenario says: messages, scores, callbacks."""

from __future__ import annotations

from collections.abc import Iterator

from ivrflow.engine import messages as m
from ivrflow.scenario.judging.clock_pairs import in_words
from ivrflow.scenario.observation import EngineSide, Finding
from ivrflow.scenario.script import Expectations


def left_behind(expect: Expectations, engine: EngineSide) -> Iterator[Finding]:
    """What was noted otherwise than expected, or not at all."""
    yield from _messages(expect, [one for one in engine.noted if isinstance(one, m.KeepMessage)])
    yield from _scores(expect, [one for one in engine.noted if isinstance(one, m.NoteScore)])
    if expect.callbacks is not None:
        ordered = tuple(one.flow for one in engine.noted if isinstance(one, m.OrderCallback))
        if ordered != expect.callbacks:
            expected = f"callbacks by {', '.join(expect.callbacks)}" if expect.callbacks else "no callback is ordered"
            observed = f"callbacks by {', '.join(ordered)}" if ordered else "none was ordered"
            yield Finding("noted", expect.places["callbacks"], expected, observed)


def _messages(expect: Expectations, kept: list[m.KeepMessage]) -> Iterator[Finding]:
    if expect.messages is None:
        return
    for box, wanted in expect.messages.items():
        lengths = [message.seconds for message in kept if message.about == box]
        band = wanted.seconds
        fits = [band is None or band.least <= seconds <= band.most for seconds in lengths]
        if any(fits):
            continue
        long = "" if band is None else f" of {in_words(band)}"
        observed = (
            f"one of {', '.join(f'{seconds:.1f} s' for seconds in lengths)}" if lengths else "none was kept there"
        )
        yield Finding("noted", wanted.where, f"a message{long} is kept in {box}", observed)
    for message in kept:
        if message.about not in expect.messages:
            observed = f"one of {message.seconds:.1f} s was kept in {message.about}"
            yield Finding("noted", expect.places["messages"], "no other message is kept", observed)


def _scores(expect: Expectations, given: list[m.NoteScore]) -> Iterator[Finding]:
    for survey, wanted in expect.scores.items():
        scores = [note.score for note in given if note.survey == survey]
        if scores == ([] if wanted.score is None else [wanted.score]):
            continue
        expected = f"{survey} gets no score" if wanted.score is None else f"{survey} gets the score {wanted.score}"
        observed = f"it got {', '.join(map(str, scores))}" if scores else "it got none"
        yield Finding("noted", wanted.where, expected, observed)
