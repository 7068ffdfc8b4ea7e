"""What a speech recogniser makes of the sound that was kept of a run, beside what should have been said.

It is a second witness: that a phrase was recognised by its recording does not say that the recording says what it should.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import soundfile

from ivrflow.flow.problems import Location
from ivrflow.prompts.closeness import differs
from ivrflow.prompts.index import PromptIndex
from ivrflow.prompts.progress import Report
from ivrflow.scenario.observation import Finding, Heard, PhoneSide, Result
from ivrflow.scenario.script import Hear, HearStart, Scenario
from ivrflow.scenario.values_said import said_with_values
from ivrflow.softphone.codecs import RATE, Samples

WORTH_A_WORD = 0.3
"""Share of the syllables that must be others than they should be. Of 34 recordings none had more than 0.13."""

_WHOLE = 0.95
"""Share of a phrase that must have been heard to compare it."""

Transcribe: TypeAlias = Callable[[Samples], str]
"""From sound at 8 kHz to text."""


def wordings_of(index: PromptIndex) -> dict[str, tuple[str, ...]]:
    """What each phrase may say, by key: a phrase with places for values has several wordings."""
    texts: dict[str, tuple[str, ...]] = {}
    for entry in index.entries.values():
        texts[entry.key] = (*texts.get(entry.key, ()), entry.text)
    return texts


def transcribed(
    results: Sequence[Result],
    transcribe: Transcribe,
    wordings: Mapping[str, Sequence[str]],
    report: Report,
    *,
    strict: bool = False,
) -> tuple[Result, ...]:
    """The results with what was understood of each phrase and each unknown sound; those without sound as they are.

    Args:
        results: their sound files are read.
        transcribe: from sound to text. The same sound is transcribed once.
        wordings: what each phrase may say, by key.
        report: told how far it is.
        strict: whether a phrase that is understood otherwise fails its scenario.

    Raises:
        OSError: a sound file cannot be read.
    """
    known: dict[bytes, str] = {}

    def understood(samples: Samples) -> str:
        sound = samples.tobytes()
        if sound not in known:
            known[sound] = transcribe(samples)
        return known[sound]

    done: list[Result] = []
    for number, result in enumerate(results, 1):
        done.append(_with_transcript(result, understood, wordings, strict=strict))
        report(number, len(results), result.scenario.title)
    return tuple(done)


def _with_transcript(
    result: Result, understood: Transcribe, wordings: Mapping[str, Sequence[str]], *, strict: bool
) -> Result:
    observation = result.observation
    if observation is None:
        return result
    composed = list(said_with_values(result.scenario))

    def may_say(phrase: str) -> tuple[str, ...]:
        return (*wordings.get(phrase, ()), *(one.spoken for one in composed if one.phrase == phrase))

    phones = [observation.caller, *observation.agents.values()]
    sounds = {phone.name for phone in phones if phone.audio is not None and phone.audio.is_file()}
    caller, *agents = (_written_down(phone, understood) if phone.name in sounds else phone for phone in phones)
    findings = [
        finding
        for phone in (caller, *agents)
        if phone.name in sounds
        for heard in phone.heard
        if (finding := _compared(result.scenario, heard, may_say(heard.name), fails=strict))
    ]
    observation = replace(observation, caller=caller, agents=dict(zip(observation.agents, agents, strict=True)))
    return replace(result, observation=observation, findings=(*result.findings, *findings))


def _written_down(phone: PhoneSide, understood: Transcribe) -> PhoneSide:
    assert phone.audio is not None
    try:
        sides, _ = soundfile.read(phone.audio, dtype="int16", always_2d=True)
    except soundfile.LibsndfileError as problem:
        raise OSError(0, str(problem), str(phone.audio)) from problem

    def text(heard: Heard) -> str:
        if heard.kind not in {"phrase", "unknown"}:
            return ""
        first, last = (round((second - phone.audio_from) * RATE) for second in (heard.start, heard.end))
        return understood(sides[max(0, first) : max(0, last), 0])

    return replace(phone, heard=tuple(replace(heard, text=text(heard)) for heard in phone.heard))


def _compared(scenario: Scenario, heard: Heard, wordings: Sequence[str], *, fails: bool) -> Finding | None:
    if heard.kind != "phrase" or heard.completeness < _WHOLE or not wordings:
        return None
    nearest = min(wordings, key=lambda wording: differs(heard.text, wording))
    if differs(heard.text, nearest) <= WORTH_A_WORD:
        return None
    short = heard.name.removeprefix(f"{scenario.flow.standard.id}/")
    observed = (
        f"a speech recogniser understood “{heard.text}”" if heard.text else "a speech recogniser understood nothing"
    )
    return Finding(
        "transcript", _place(scenario, heard.name), f"{short} says “{nearest}”", observed, heard.start, fails
    )


def _place(scenario: Scenario, phrase: str) -> Location:
    """Where the script says that the phrase is heard; the whole scenario when it does not."""
    steps = (*scenario.caller, *(step for agent in scenario.agents for step in agent.steps))
    places = (step.where for step in steps if isinstance(step, Hear | HearStart) and step.phrase == phrase)
    return next(places, scenario.where)
