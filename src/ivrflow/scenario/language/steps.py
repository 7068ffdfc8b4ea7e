"""From the written steps of a telephone to its script: names looked up, pauses given their seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

import soundfile

from ivrflow.flow import notations
from ivrflow.flow.model import Band
from ivrflow.flow.problems import Location
from ivrflow.flow.reading.forms import Form
from ivrflow.flow.reading.syntax import shortened
from ivrflow.flow.reading.times import written
from ivrflow.scenario.language import agent_words as a
from ivrflow.scenario.language import step_words as g
from ivrflow.scenario.language.naming import Naming
from ivrflow.scenario.language.rule_pauses import RulePauses
from ivrflow.scenario.script import (
    PATIENCE_S,
    AgentPart,
    Background,
    HangUp,
    Hear,
    HearMusic,
    HearNothing,
    HearStart,
    Hold,
    InQueues,
    Order,
    Pause,
    Press,
    Resume,
    Say,
    Step,
    Wait,
    WaitUntil,
)

LONGEST_SOUND_S = 600.0
"""Seconds a sound file may have that somebody says."""

Manner: TypeAlias = Literal["answers", "busy", "declines", "rings_on", "unreachable"]

_MANNERS: dict[str, Manner] = {
    a.RINGS.name: "answers",
    a.ANSWERS.name: "answers",
    a.BUSY.name: "busy",
    a.DECLINES.name: "declines",
    a.RINGS_ON.name: "rings_on",
    a.UNREACHABLE.name: "unreachable",
}


@dataclass(frozen=True, slots=True)
class _RulePauseWanted:
    """A pause whose seconds the rules give; they are looked up when the phrases around it are known."""

    where: Location


_Draft: TypeAlias = Step | _RulePauseWanted


@dataclass(frozen=True, slots=True)
class ScriptReader:
    """Turns written steps into a script.

    Attributes:
        folder: where sound files are looked for.
    """

    naming: Naming
    pauses: RulePauses
    folder: Path

    def caller(self, script: g.Script) -> tuple[Step, ...]:
        """The caller's script; what cannot be used is noted and left out."""
        return self._read(script, is_callers=True)

    def _read(self, script: g.Script, *, is_callers: bool) -> tuple[Step, ...]:
        drafts = [draft for item in script for draft in self._step(item, is_callers=is_callers)]
        steps = [self._looked_up(drafts, index, is_callers=is_callers) for index in range(len(drafts))]
        return tuple(_patient([step for step in steps if step is not None], script))

    def called(self, manner: g.WrittenStep, number: str, where: Location) -> AgentPart:
        """The caller's telephone, rung by the flow."""
        return AgentPart(number, _MANNERS[manner.word.name], where, manner.value or 0.0)

    def agent(self, agent: a.WrittenAgent) -> AgentPart:
        """An agent's part."""
        manner = agent.manner.word.name
        if _MANNERS[manner] != "answers" and agent.steps:
            message = f"an agent whose telephone says '{manner}' does nothing more"
            self.naming.problems.error(agent.steps[0].where, message, "delete the steps, or begin with ring: 2s")
        queues = self._queues(agent.queue) if agent.queue else None
        if agent.queue and manner == a.UNREACHABLE.name:
            message = "an agent whose telephone is not there cannot log in to a queue"
            self.naming.problems.error(agent.manner.where, message, "write rings_on for one who does not answer")
        return AgentPart(
            extension=agent.extension.text if agent.queue else self.naming.extension(agent.extension),
            manner=_MANNERS[manner],
            where=agent.where,
            after=agent.manner.value or 0.0,
            steps=self._read(agent.steps, is_callers=False),
            queues=queues,
        )

    def _queues(self, form: Form) -> InQueues | None:
        names = tuple(name for one in form[a.QUEUES] if (name := self.naming.queue(one)))
        times = {
            key: form[key] if key.name in form.values else None for key in (a.LOGS_IN, a.LOGS_OUT, a.PAUSES, a.BACK)
        }
        for first, then in ((a.LOGS_IN, a.LOGS_OUT), (a.PAUSES, a.BACK)):
            before, after = times[first], times[then]
            if after is not None and after <= (before or 0.0):
                message = f"'{then.name}' at {written(after)} is not after '{first.name}' at {written(before or 0.0)}"
                self.naming.problems.error(
                    form.place(then), message, f"write {then.name}: {written((before or 0.0) + 10)}"
                )
        if form.wrote(a.BACK) and not form.wrote(a.PAUSES):
            self.naming.problems.error(form.place(a.BACK), "'back' ends a pause, and there is none", "write pauses: 0s")
        return InQueues(names, form.where, times[a.LOGS_IN], times[a.LOGS_OUT], times[a.PAUSES], times[a.BACK])

    # ── one step ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _step(self, item: g.WrittenStep, *, is_callers: bool) -> Iterator[_Draft]:  # noqa: C901 - the one list of all steps; each branch is a line or two
        value, where = item.value, item.where
        match item.word:
            case g.HEAR:
                if phrase := self.naming.phrase(value[g.HEARD]):
                    yield Hear(phrase, where, value[g.AT_LEAST], value[g.WITHIN])
            case g.HEAR_START:
                if phrase := self.naming.phrase(value[g.HEARD]):
                    at_most, at_least = value[g.AT_MOST], value[g.NOT_CUT] or 0.0
                    if at_least > at_most:
                        message = f"at least {at_least:.0%} and at most {at_most:.0%} of a phrase cannot both be heard"
                        self.naming.problems.error(where, message, "leave one of them out")
                    yield HearStart(phrase, where, at_most, value[g.WITHIN], at_least)
            case g.HEAR_MUSIC:
                yield HearMusic(where)
            case g.HEAR_NOTHING:
                yield HearNothing(value, where)
            case g.PAUSE:
                tolerance = self.naming.flow.limits.tolerance
                yield Pause(value, where, tolerance) if isinstance(value, Band) else _RulePauseWanted(where)
            case g.WAIT:
                yield Wait(value, where)
            case g.WAIT_UNTIL:
                yield WaitUntil(value, where)
            case g.SAY:
                yield from self._say(value, where)
            case g.TALK:
                yield Say(value, where, must_be_heard=True)
            case g.PRESS:
                self._check_code(value[g.PRESSED], where, is_callers=is_callers)
                yield Press(value[g.PRESSED], where, round(value[g.HELD] * 1000), round(value[g.GAP] * 1000))
            case g.BACKGROUND:
                yield Background(value, where)
            case g.HOLD:
                yield Hold(where, is_inactive=value is not None and value[g.MEDIA] == "inactive")
                if value is not None and g.HELD_FOR.name in value.values:
                    yield from (Wait(value[g.HELD_FOR], where), Resume(where))
            case g.RESUME:
                yield Resume(where)
            case g.HANG_UP:
                yield HangUp(where)
            case _:
                yield from self._order(item)

    def _order(self, item: g.WrittenStep) -> Iterator[Order]:
        where = item.where
        match item.word:
            case g.SITUATION:
                if word := self.naming.situation(item.value):
                    yield Order("situation", where, word)
            case g.SIGNAL:
                if word := self.naming.signal(item.value):
                    yield Order("signal", where, word)
            case g.CANCEL:
                yield Order("cancel", where)
            case g.DONE:
                yield Order("done", where)
            case g.TRANSFER:
                if word := self.naming.transfer(item.value):
                    yield Order("transfer", where, word)
            case g.VALUE:
                for name, value in item.value:
                    if self.naming.value(name, value):
                        yield Order("value", where, name.text, value.text)
            case _:
                raise AssertionError(f"nobody reads the step {item.word.name}")

    def _check_code(self, keys: str, where: Location, *, is_callers: bool) -> None:
        """A star and two digits on an agent's telephone are a code; one that the flow does not have does nothing."""
        codes = self.naming.flow.agents.codes
        if is_callers or not notations.CODE.fullmatch(keys) or keys in codes:
            return
        hint = (
            f"it has {', '.join(sorted(codes))}" if codes else "no agent of it can key any: write 'agents' in the flow"
        )
        self.naming.problems.error(where, f"{self.naming.flow.id} has no code {keys}", hint)

    def _say(self, spoken: g.Spoken, where: Location) -> Iterator[Say]:
        if spoken.seconds is not None:
            yield Say(spoken.seconds, where)
        elif spoken.phrase:
            phrase = self.naming.phrase(spoken.phrase)
            if phrase and self._is_recorded(phrase, spoken.where):
                yield Say(self.naming.seconds(phrase), where, phrase=phrase)
        else:
            path = self.folder / spoken.file
            seconds = self._sound_length(path, spoken)
            if seconds is not None:
                yield Say(seconds, where, file=path)

    def _is_recorded(self, phrase: str, where: Location) -> bool:
        prompts = self.naming.flow.prompts
        if not prompts.prompts or prompts.best(self.naming.flow.phrases[phrase], {}):
            return True
        message = f"there is no recording of '{self.naming.short(phrase)}'"
        self.naming.problems.error(where, message, "run: ivrflow prompts build")
        return False

    def _sound_length(self, path: Path, spoken: g.Spoken) -> float | None:
        shown = shortened(spoken.file)
        note = self.naming.problems.error
        if not path.is_file():
            note(
                spoken.where,
                f"there is no sound file '{shown}'",
                f"it is looked for in {Path(spoken.where.file).parent}",
            )
            return None
        try:
            seconds: float = soundfile.info(path).duration
        except (soundfile.LibsndfileError, OSError, ValueError):
            note(spoken.where, f"'{shown}' is no sound file that can be read", "save it as WAV, FLAC or Ogg")
            return None
        if 0 < seconds <= LONGEST_SOUND_S:
            return seconds
        if seconds:
            hint = f"at most {written(LONGEST_SOUND_S)} can be said"
            note(spoken.where, f"'{shown}' is {written(round(seconds, 1))} long", hint)
        else:
            note(spoken.where, f"'{shown}' holds no sound", "record it again, or write 2s for plain speech")
        return None

    # ── pauses ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _looked_up(self, drafts: Sequence[_Draft], index: int, *, is_callers: bool) -> Step | None:
        draft = drafts[index]
        if not isinstance(draft, _RulePauseWanted):
            return draft
        tolerance = self.naming.flow.limits.tolerance
        nothing = Pause(Band(0.0, 0.0), draft.where, tolerance)
        before = next((step.phrase for step in reversed(drafts[:index]) if isinstance(step, Hear | HearStart)), "")
        following = next((step.phrase for step in drafts[index + 1 :] if isinstance(step, Hear | HearStart)), "")
        ends_call = is_callers and not any(isinstance(step, HearMusic | HangUp) for step in drafts[index + 1 :])
        if not before or not (following or ends_call):
            return nothing  # noted where impossible pauses are
        found = self.pauses.find(before, following) if following else self.pauses.find_end(before)
        bands = {pause.band for pause in found}
        if len(bands) == 1:
            pause = max(found, key=lambda pause: (bool(pause.rule), pause.rule))
            return Pause(pause.band, draft.where, tolerance, pause.rule)
        if found:
            listed = "; ".join(sorted(f"{pause.rule or 'the flow itself'}: {in_words(pause.band)}" for pause in found))
            message = f"the rules give different pauses here: {listed}"
            self.naming.problems.error(draft.where, message, "write the seconds that are meant")
        else:
            self._note_no_rule(draft.where, before, following)
        return nothing

    def _note_no_rule(self, where: Location, before: str, following: str) -> None:
        first = self.naming.short(before)
        then = f"'{self.naming.short(following)}'" if following else "the end of the call"
        message = f"no rule has a pause from '{first}' to {then}"
        followers = [(self.naming.short(phrase), found) for phrase, found in self.pauses.followers(before).items()]
        if ends := self.pauses.find_end(before):
            followers.append(("the end of the call", ends))
        after = [
            f"{phrase} ({', '.join(sorted(in_words(pause.band) for pause in found))})"
            for phrase, found in sorted(followers, key=lambda follower: follower[0])
        ]
        others = f"by the rules '{first}' is followed by {', '.join(after[:3])}" if after else ""
        self.naming.problems.error(where, message, "; ".join(["write the seconds", *([others] if others else [])]))


def in_words(band: Band) -> str:
    """Seconds as a scenario writes them: "3s", "2.5s-4s"."""
    return written(band.least) if band.least == band.most else f"{written(band.least)}-{written(band.most)}"


def _patient(steps: Sequence[Step], script: g.Script) -> Iterator[Step]:
    """The steps, each phrase that follows a pause waited for longer by that pause, where the script says nothing else."""
    chosen = {
        item.where for item in script if item.word in (g.HEAR, g.HEAR_START) and g.WITHIN.name in item.value.values
    }
    pause = 0.0
    for step in steps:
        match step:
            case Pause(band=band):
                pause = band.most
            case Hear() | HearStart():
                yield step if step.where in chosen else replace(step, within=PATIENCE_S + pause)
                pause = 0.0
                continue
            case HearMusic():
                yield replace(step, within=PATIENCE_S + pause)
                continue
            case _:
                pass
        yield step
