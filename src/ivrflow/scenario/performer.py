"""A script being performed at one phone: cues and time in, directions and one deadline out.

Pure, as the engine's own session is: time is the argument `now`, nothing here reads a clock. Its rules:

1. A step begins at the *moment* the step before it ended, not when the cue of that came in. A moment may lie in the
   past; what should have begun there is then begun at once.
2. Until the call is over the performer stands under one absolute deadline, or waits for a cue that somebody else bounds:
   to be answered (who dials), the end of the call after `EndCall` (SIP), or after the last step (`Scenario.within`).
3. One hearing serves one step: what is listened for next must begin after what was heard last.
4. A step that does not come to its end is told once, in `gave_up`; then the phone hangs up. What is done last has come
   to its end, too, when the call ends while it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeAlias, assert_never

from ivrflow.flow.reading.times import written
from ivrflow.scenario.cues import (
    CallEnded,
    Connected,
    Cue,
    DeadlineReached,
    Direction,
    DirectionDone,
    EndCall,
    GiveOrder,
    ListenFor,
    SetBackground,
    SoundBegan,
    SoundEnded,
    StartHold,
    StartPressing,
    StartResume,
    StartSaying,
    StopListening,
)
from ivrflow.scenario.observation import Act, GaveUp
from ivrflow.scenario.script import (
    RECOGNISED_AFTER_S,
    Background,
    HangUp,
    Hear,
    HearMusic,
    HearNothing,
    HearStart,
    Hold,
    Order,
    Pause,
    Press,
    Resume,
    Say,
    Step,
    Wait,
    WaitUntil,
)
from ivrflow.softphone.audio_source import AudioSource, Breathing, ComfortNoise, Noise, NoRtp, Silence, Tone

EAR_LAG_S = 1.0
"""Seconds a live ear may take beyond `RECOGNISED_AFTER_S` to tell what it heard, on a busy machine."""

LATE_S = 0.1
"""Seconds by which a phrase may miss its `within` and still be in time."""

SHORTEST_PHRASE_S = 0.3
"""Seconds no phrase falls below, so that nothing else can begin sooner after one has begun."""

LONGEST_PHRASE_S = 120.0
"""Seconds after its first sound in which a phrase that is heard to its end must be over."""

DOING_GUARD_S = 35.0
"""Seconds beyond its own length after which saying, pressing, holding or resuming counts as stuck (SIP gives up at 32)."""

_Hearing: TypeAlias = Hear | HearStart | HearMusic
_Doing: TypeAlias = Say | Press | Hold | Resume
_Standing: TypeAlias = Literal["unanswered", "listening", "hearing", "doing", "waiting", "leaving", "silent", "over"]


class Performer:
    """Performs the steps of one phone.

    Attributes:
        deadline: when `DeadlineReached` is due; None when none is.
        acts: what was done so far, in order, in the clock's own seconds (`acts_since` counts from the answer).
        gave_up: the step that did not come to its end, in the clock's own seconds; None as long as all is well.
        connected_at: when the call was answered; None before.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self.deadline: float | None = None
        self.acts: list[Act] = []
        self.gave_up: GaveUp | None = None
        self.connected_at: float | None = None
        self._steps = tuple(steps)
        self._place = 0
        self._standing: _Standing = "unanswered"
        self._moment = 0.0
        self._begun_at = 0.0
        self._sounds_after = 0.0
        self._same_sound_after: dict[str, float] = {}
        self._is_ear_open = False
        self._directions: list[Direction] = []

    @property
    def is_over(self) -> bool:
        """Whether this phone's call has ended."""
        return self._standing == "over"

    @property
    def step(self) -> Step | None:
        """The step under way, or next once the call is answered; None when all are done."""
        return self._steps[self._place] if self._place < len(self._steps) else None

    @property
    def waiting_for(self) -> str:
        """What it waits for, in words; empty when the call is over."""
        match self._standing:
            case "unanswered":
                return "the call to be answered"
            case "listening":
                return f"{_sound(self.step)} to begin"
            case "hearing":
                return f"{_sound(self.step)} to end"
            case "doing" | "waiting":
                return f"'{in_words(self.step)}' to be done" if self.step else ""
            case "leaving" | "silent":
                return "the call to end"
            case "over":
                return ""
            case _:
                assert_never(self._standing)

    def acts_since(self, zero: float) -> tuple[Act, ...]:
        """What was done, in seconds since `zero`."""
        return tuple(replace(act, start=act.start - zero, end=act.end - zero) for act in self.acts)

    def gave_up_since(self, zero: float) -> GaveUp | None:
        """Where the script got stuck, in seconds since `zero`."""
        gave_up = self.gave_up
        return gave_up and replace(gave_up, since=gave_up.since - zero, at=gave_up.at - zero)

    # ── the door ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def handle(self, cue: Cue, now: float) -> list[Direction]:
        """Take a cue at `now` (seconds, never going back) and answer with what to do, in order."""
        self._directions = []
        match cue:
            case Connected():
                self._connected(now)
            case SoundBegan(at=at):
                self._sound_began(at, now)
            case SoundEnded(at=at):
                if self._standing == "hearing":
                    self._sounds_after = self._same_sound_after[_sound(self.step)] = at
                    self._step_ended(at, now)
            case DirectionDone(why_not=why_not):
                self._direction_done(why_not, now)
            case DeadlineReached():
                if self.deadline is not None and now >= self.deadline:
                    self._deadline_reached(self.deadline, now)
            case CallEnded():
                self._call_ended(now)
            case _:
                assert_never(cue)
        if self._is_ear_open and self._standing not in {"listening", "hearing"}:
            self._is_ear_open = False
            self._directions.append(StopListening())
        return self._directions

    def _connected(self, now: float) -> None:
        if self._standing == "unanswered":
            self.connected_at = self._moment = self._sounds_after = now
            self._begin_next(now)

    def _sound_began(self, at: float, now: float) -> None:
        step = self.step
        if self._standing != "listening" or not isinstance(step, Hear | HearStart | HearMusic):
            return
        # Two phrases may share a wording: what was heard here must not be taken for the beginning of the next.
        self._sounds_after = at + SHORTEST_PHRASE_S
        self._same_sound_after[_sound(step)] = at + RECOGNISED_AFTER_S
        if at > self._begun_at + step.within + LATE_S:
            took = f"after {written(round(at - self._begun_at, 1))}, not within {written(step.within)}"
            self._give_up(f"{_sound(step)} was heard only {took}", now)
        elif isinstance(step, Hear):
            self._stand("hearing", max(at + LONGEST_PHRASE_S, now))
        else:
            self._step_ended(at, now)

    def _direction_done(self, why_not: str, now: float) -> None:
        step = self.step
        if self._standing != "doing" or step is None:
            return
        self._note(step, self._begun_at, now)
        if why_not:
            self._give_up(f"'{in_words(step)}' could not be done: {why_not}", now)
        else:
            self._step_ended(now, now)

    def _deadline_reached(self, deadline: float, now: float) -> None:
        step = self.step
        if self._standing == "waiting":
            self._waited(deadline)
            self._step_ended(deadline, now)
        elif self._standing == "listening" and isinstance(step, Hear | HearStart | HearMusic):
            self._give_up(f"{_sound(step)} was not heard within {written(step.within)}", now)
        elif self._standing == "hearing":
            self._give_up(f"{_sound(step)} did not end within {written(LONGEST_PHRASE_S)}", now)
        elif step is not None:
            self._note(step, self._begun_at, now)
            self._give_up(f"'{in_words(step)}' was not done within {written(round(now - self._begun_at, 1))}", now)

    def _call_ended(self, now: float) -> None:
        standing, step = self._standing, self.step
        if standing == "over":
            return
        if standing == "hearing":
            self._place += 1  # how much of it was heard is for the judgement
        elif standing == "doing" and step is not None:
            self._note(step, self._begun_at, now)
            if all(isinstance(later, Pause) for later in self._steps[self._place + 1 :]):
                self._place += 1  # what was done last may be the very reason why the call is over
        left = next((step for step in self._steps[self._place :] if not isinstance(step, Pause)), None)
        self._stand("over", None)
        if left is not None and standing != "leaving":
            undone = "begun: nobody answered" if standing == "unanswered" else "done"
            since = now if standing in {"unanswered", "hearing"} else self._begun_at
            self.gave_up = GaveUp(f"the call was over before '{in_words(left)}' was {undone}", since, now, left.where)

    # ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _step_ended(self, moment: float, now: float) -> None:
        self._place += 1
        self._moment = moment
        self._begin_next(now)

    def _begin_next(self, now: float) -> None:
        """Begin steps until one takes time."""
        while True:
            step = self.step
            self._begun_at = self._moment
            match step:
                case None:
                    self._stand("silent", None)
                    return
                case Pause():
                    pass
                case Hear() | HearStart() | HearMusic():
                    self._listen(step, now)
                    return
                case Wait() | WaitUntil() | HearNothing():
                    ends = self._end_of(step)
                    if ends > now:
                        self._stand("waiting", ends)
                        return
                    self._waited(ends)
                    self._moment = ends
                case Say() | Press() | Hold() | Resume():
                    self._do(step, now)
                    return
                case Background(source=source):
                    self._directions.append(SetBackground(source, step))
                    self._note(step, now, now)
                    self._moment = now
                case Order():
                    self._directions.append(GiveOrder(step))
                    self._note(step, now, now)
                    self._moment = now
                case HangUp():
                    self._note(step, now, now)
                    self._leave()
                    return
                case _:
                    assert_never(step)
            self._place += 1

    def _listen(self, step: _Hearing, now: float) -> None:
        kind: Literal["phrase", "music"] = "music" if isinstance(step, HearMusic) else "phrase"
        phrase = "" if isinstance(step, HearMusic) else step.phrase
        self._directions.append(ListenFor(kind, phrase, self._since(step)))
        self._is_ear_open = True
        self._stand("listening", max(self._moment + step.within, now) + RECOGNISED_AFTER_S + EAR_LAG_S)

    def _since(self, step: _Hearing) -> float:
        """From where on it may begin: not before what was heard last, and the same sound only as a new one."""
        return max(self._sounds_after, self._same_sound_after.get(_sound(step), self._sounds_after))

    def _waited(self, end: float) -> None:
        """Whether anything was heard meanwhile is for the judgement: note from when to when nothing should have been."""
        if isinstance(self.step, HearNothing):
            self._note(self.step, self._begun_at, end)

    def _end_of(self, step: Wait | WaitUntil | HearNothing) -> float:
        if isinstance(step, Wait | HearNothing):
            return self._moment + step.seconds
        assert self.connected_at is not None, "no step begins before the answer"
        return max(self._moment, self.connected_at + step.second)

    def _do(self, step: _Doing, now: float) -> None:
        self._begun_at = now
        match step:
            case Say(seconds=seconds):
                self._directions.append(StartSaying(step))
            case Press(keys=keys, hold_ms=hold_ms, gap_ms=gap_ms):
                self._directions.append(StartPressing(step))
                seconds = len(keys) * (hold_ms + gap_ms) / 1000
            case Hold(is_inactive=is_inactive):
                self._directions.append(StartHold(is_inactive))
                seconds = 0.0
            case Resume():
                self._directions.append(StartResume())
                seconds = 0.0
            case _:
                assert_never(step)
        self._stand("doing", now + seconds + DOING_GUARD_S)

    # ── the places that write state for all ───────────────────────────────────────────────────────────────────────────

    def _stand(self, standing: _Standing, deadline: float | None) -> None:
        self._standing, self.deadline = standing, deadline

    def _leave(self) -> None:
        self._directions.append(EndCall())
        self._stand("leaving", None)

    def _give_up(self, why: str, now: float) -> None:
        step = self.step
        assert step is not None, "only a step can be given up"
        self.gave_up = GaveUp(why, self._begun_at, now, step.where)
        self._leave()

    def _note(self, step: Step, start: float, end: float) -> None:
        keys = step.keys if isinstance(step, Press) else ""
        self.acts.append(Act(in_words(step), start, end, step.where, keys))


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def in_words(step: Step) -> str:  # noqa: C901 - the one list of all steps; each branch is one line
    """A step as a reader knows it from the script, without keys and values: "hear gov12345/closing.survey"."""
    match step:
        case Hear(phrase=phrase):
            return f"hear {phrase}"
        case HearStart(phrase=phrase):
            return f"hear the start of {phrase}"
        case HearMusic():
            return "hear hold music"
        case Pause():
            return "pause"
        case HearNothing(seconds=seconds):
            return f"hear nothing {written(seconds)}"
        case Wait(seconds=seconds):
            return f"wait {written(seconds)}"
        case WaitUntil(second=second):
            return f"wait until {written(second)}"
        case Say(seconds=seconds, must_be_heard=True):
            return f"talk {written(seconds)}"
        case Say(phrase=phrase, file=file, seconds=seconds):
            return f"say {phrase or (file.name if file else written(seconds))}"
        case Press():
            return "press keys"
        case Background(source=source):
            return f"background {source_in_words(source)}"
        case Hold():
            return "hold"
        case Resume():
            return "resume"
        case HangUp():
            return "hang up"
        case Order(what=what, word=word):
            return f"{what} {word}".rstrip()
        case _:
            assert_never(step)


def source_in_words(source: AudioSource) -> str:
    """A background as a script writes it: "noise -40dB"."""
    match source:
        case Silence():
            return "silence"
        case NoRtp():
            return "no rtp"
        case ComfortNoise():
            return "comfort noise"
        case Noise(level_dbfs=level):
            return f"noise {level:g}dB"
        case Breathing():
            return "breathing"
        case Tone(hz=hz, level_dbfs=level):
            return f"tone {hz}Hz {level:g}dB"
        case _:
            assert_never(source)


def _sound(step: Step | None) -> str:
    match step:
        case Hear(phrase=phrase) | HearStart(phrase=phrase):
            return phrase
        case _:
            return "hold music"
