from collections.abc import Sequence
from pathlib import Path

import pytest

from ivrflow.flow.model import Band
from ivrflow.flow.problems import Location
from ivrflow.scenario.cues import (
    CallEnded,
    Connected,
    DeadlineReached,
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
from ivrflow.scenario.performer import (
    DOING_GUARD_S,
    EAR_LAG_S,
    LONGEST_PHRASE_S,
    SHORTEST_PHRASE_S,
    Performer,
    in_words,
    source_in_words,
)
from ivrflow.scenario.script import (
    RECOGNISED_AFTER_S,
    Background,
    HangUp,
    Hear,
    HearMusic,
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

ANSWERED = 1000.0
"""The clock's own second of the answer: far from zero, so that a mixed-up origin shows."""


def at(line: int) -> Location:
    return Location("silent.yaml", line, 3)


def answered(*steps: Step) -> Performer:
    """A phone that has been answered; what it does first is not looked at."""
    performer = Performer(steps)
    performer.handle(Connected(), ANSWERED)
    return performer


def due(performer: Performer) -> float:
    assert performer.deadline is not None
    return performer.deadline


# ── before and after the steps ────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_done_before_the_answer() -> None:
    performer = Performer([Say(2.0, at(1))])
    assert performer.handle(DeadlineReached(), 5.0) == []
    assert performer.handle(SoundBegan(4.0), 5.0) == []
    assert performer.handle(DirectionDone(), 5.0) == []
    assert (performer.deadline, performer.connected_at, performer.is_over) == (None, None, False)
    assert performer.waiting_for == "the call to be answered"


def test_without_steps_the_phone_stays_silent_until_the_call_is_over() -> None:
    performer = answered()
    assert (performer.deadline, performer.step, performer.waiting_for) == (None, None, "the call to end")
    assert performer.handle(CallEnded(), ANSWERED + 20) == []
    assert performer.is_over
    assert performer.gave_up is None
    assert performer.waiting_for == ""


def test_a_call_that_is_over_stays_over() -> None:
    performer = answered(Wait(1.0, at(1)))
    performer.handle(CallEnded(), ANSWERED + 0.5)
    gave_up = performer.gave_up
    for cue in (Connected(), DeadlineReached(), SoundBegan(1.0), SoundEnded(1.0, 1.0), DirectionDone(), CallEnded()):
        assert performer.handle(cue, ANSWERED + 9) == []
    assert performer.gave_up is gave_up
    assert performer.is_over


def test_a_call_is_answered_once() -> None:
    performer = answered(Wait(5.0, at(1)))
    assert performer.handle(Connected(), ANSWERED + 3) == []
    assert due(performer) == ANSWERED + 5


# ── hearing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_hear_ends_with_the_phrase_s_last_sound() -> None:
    performer = Performer([Hear("gov/hello", at(1)), Wait(2.0, at(2)), Press("1", at(3))])
    assert performer.handle(Connected(), ANSWERED) == [ListenFor("phrase", "gov/hello", ANSWERED)]
    assert performer.waiting_for == "gov/hello to begin"
    assert performer.handle(SoundBegan(ANSWERED + 1), ANSWERED + 1.7) == []
    assert performer.waiting_for == "gov/hello to end"
    # The cue comes 0.3 s after the last sound; the wait counts from the sound.
    assert performer.handle(SoundEnded(ANSWERED + 4, 1.0), ANSWERED + 4.3) == [StopListening()]
    assert due(performer) == ANSWERED + 6
    assert performer.waiting_for == "'wait 2s' to be done"
    assert performer.handle(DeadlineReached(), ANSWERED + 6.01) == [StartPressing(Press("1", at(3)))]


def test_a_phrase_that_is_not_heard_in_time_ends_the_call() -> None:
    performer = answered(Hear("gov12345/x", at(7), within=30.0))
    assert due(performer) == pytest.approx(ANSWERED + 30 + RECOGNISED_AFTER_S + EAR_LAG_S)
    assert performer.handle(DeadlineReached(), ANSWERED + 30) == [], "not yet: it may have begun just now"
    now = due(performer)
    assert performer.handle(DeadlineReached(), now) == [EndCall(), StopListening()]
    assert performer.gave_up == GaveUp("gov12345/x was not heard within 30s", ANSWERED, now, at(7))
    assert performer.deadline is None
    performer.handle(CallEnded(), now + 0.1)
    assert performer.gave_up.waiting_for == "gov12345/x was not heard within 30s", "told once"
    assert performer.is_over


def test_a_phrase_that_begins_at_the_last_moment_is_in_time() -> None:
    performer = answered(Hear("gov/hello", at(1), within=5.0))
    performer.handle(SoundBegan(ANSWERED + 5.05), ANSWERED + 5.7)
    assert performer.gave_up is None


def test_a_phrase_that_begins_too_late_is_late_although_the_ear_told_it() -> None:
    performer = answered(Hear("gov/hello", at(1), within=5.0))
    assert performer.handle(SoundBegan(ANSWERED + 5.4), ANSWERED + 6.1) == [EndCall(), StopListening()]
    assert performer.gave_up
    assert performer.gave_up.waiting_for == "gov/hello was heard only after 5.4s, not within 5s"


def test_a_phrase_without_end_is_given_up() -> None:
    performer = answered(Hear("gov/hello", at(1)))
    performer.handle(SoundBegan(ANSWERED + 1), ANSWERED + 1.6)
    assert due(performer) == ANSWERED + 1 + LONGEST_PHRASE_S
    assert EndCall() in performer.handle(DeadlineReached(), due(performer))
    assert performer.gave_up
    assert performer.gave_up.waiting_for == "gov/hello did not end within 2m"


def test_the_call_s_end_is_the_end_of_the_phrase_that_is_heard() -> None:
    """ "Please ring again, goodbye" and the BYE come together; how much was heard is for the judgement."""
    performer = answered(Hear("gov/goodbye", at(1)), Pause(Band(3, 3), at(2), 0.25))
    performer.handle(SoundBegan(ANSWERED + 1), ANSWERED + 1.6)
    performer.handle(CallEnded(), ANSWERED + 4)
    assert performer.gave_up is None
    assert performer.is_over


def test_a_step_after_the_phrase_that_the_call_ended_with_was_never_done() -> None:
    performer = answered(Hear("gov/goodbye", at(1)), Pause(Band(3, 3), at(2), 0.25), Hear("gov/hello", at(3)))
    performer.handle(SoundBegan(ANSWERED + 1), ANSWERED + 1.6)
    performer.handle(CallEnded(), ANSWERED + 4)
    assert performer.gave_up == GaveUp(
        "the call was over before 'hear gov/hello' was done", ANSWERED + 4, ANSWERED + 4, at(3)
    )


def test_hear_start_goes_on_when_the_phrase_has_begun() -> None:
    performer = answered(HearStart("gov/hello", at(1)), Wait(1.0, at(2)), Press("1", at(3)))
    performer.handle(SoundBegan(ANSWERED + 2), ANSWERED + 2.6)
    assert due(performer) == ANSWERED + 3, "counted from its first sound"
    assert performer.handle(SoundEnded(ANSWERED + 2.8, 0.2), ANSWERED + 2.9) == [], "nothing waits for its end"
    assert performer.handle(DeadlineReached(), ANSWERED + 3) == [StartPressing(Press("1", at(3)))]


def test_what_should_have_begun_in_the_past_begins_at_once() -> None:
    performer = answered(HearStart("gov/hello", at(1)), Wait(0.2, at(2)), Press("1", at(3)))
    directions = performer.handle(SoundBegan(ANSWERED + 2), ANSWERED + 2.6)
    assert directions == [StartPressing(Press("1", at(3))), StopListening()]


def test_hold_music_begins() -> None:
    performer = Performer([HearMusic(at(1)), Wait(1.0, at(2))])
    assert performer.handle(Connected(), ANSWERED) == [ListenFor("music", "", ANSWERED)]
    assert performer.handle(SoundBegan(ANSWERED + 2), ANSWERED + 2.6) == [StopListening()]
    assert due(performer) == ANSWERED + 3


def test_hold_music_that_never_comes() -> None:
    performer = answered(HearMusic(at(1), within=4.0))
    performer.handle(DeadlineReached(), due(performer))
    assert performer.gave_up
    assert performer.gave_up.waiting_for == "hold music was not heard within 4s"


def listened_since(steps: Sequence[Step], *heard: tuple[float, float | None]) -> float:
    """From where on the last step listens, in seconds since the answer, when the steps before heard that."""
    performer = Performer(steps)
    directions = performer.handle(Connected(), ANSWERED)
    for began, ended in heard:
        directions = performer.handle(SoundBegan(ANSWERED + began), ANSWERED + began + 0.6)
        if ended is not None:
            directions = performer.handle(SoundEnded(ANSWERED + ended, 1.0), ANSWERED + ended + 0.1)
    listen = directions[0]
    assert isinstance(listen, ListenFor)
    return round(listen.since - ANSWERED, 6)


def test_one_hearing_serves_one_step() -> None:
    twice: list[Step] = [Hear("gov/louder", at(1)), Hear("gov/louder", at(2))]
    assert listened_since(twice, (1.0, 3.0)) == 3.0, "after the end of the first"
    cut: list[Step] = [HearStart("gov/louder", at(1)), Hear("gov/louder", at(2))]
    assert listened_since(cut, (1.0, None)) == 1.0 + RECOGNISED_AFTER_S, "not the beginning that is known already"
    other: list[Step] = [HearStart("gov/louder", at(1)), Hear("gov/noisy", at(2))]
    shortest = 1.0 + SHORTEST_PHRASE_S
    assert listened_since(other, (1.0, None)) == shortest, "it may be over before it was recognised, not before that"
    music: list[Step] = [HearMusic(at(1)), HearMusic(at(2))]
    assert listened_since(music, (1.0, None)) == 1.0 + RECOGNISED_AFTER_S


def test_a_phrase_may_begin_while_something_else_is_done() -> None:
    """Speech barges in: the answer to it begins while the caller still speaks."""
    performer = answered(
        Hear("gov/hello", at(1)), Say(2.0, at(2)), Hear("gov/menu", at(3)), Wait(1.0, at(4)), HangUp(at(5))
    )
    performer.handle(SoundBegan(ANSWERED + 0.1), ANSWERED + 0.7)
    performer.handle(SoundEnded(ANSWERED + 3, 1.0), ANSWERED + 3.1)
    assert performer.handle(DirectionDone(), ANSWERED + 5.1) == [ListenFor("phrase", "gov/menu", ANSWERED + 3)]
    performer.handle(SoundBegan(ANSWERED + 3.4), ANSWERED + 5.2)
    performer.handle(SoundEnded(ANSWERED + 6, 1.0), ANSWERED + 6.1)
    assert due(performer) == ANSWERED + 7
    assert performer.gave_up is None


def test_a_late_step_gives_the_ear_time_to_look_back() -> None:
    performer = answered(Hear("gov/a", at(1)), Wait(60.0, at(2)), Hear("gov/b", at(3)), Hear("gov/c", at(4)))
    performer.handle(SoundBegan(ANSWERED), ANSWERED + 0.6)
    performer.handle(SoundEnded(ANSWERED + 2, 1.0), ANSWERED + 2)
    performer.handle(DeadlineReached(), ANSWERED + 62)
    performer.handle(SoundBegan(ANSWERED + 5), ANSWERED + 62)
    performer.handle(SoundEnded(ANSWERED + 7, 1.0), ANSWERED + 62)
    assert due(performer) == pytest.approx(ANSWERED + 62 + RECOGNISED_AFTER_S + EAR_LAG_S)


# ── waiting ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_waits_add_up_from_the_moment_and_not_from_the_cue() -> None:
    performer = answered(Wait(1.0, at(1)), Wait(2.0, at(2)), HangUp(at(3)))
    performer.handle(DeadlineReached(), ANSWERED + 1.4)
    assert due(performer) == ANSWERED + 3
    assert performer.handle(DeadlineReached(), ANSWERED + 3.2) == [EndCall()]


def test_a_deadline_before_its_time_is_none() -> None:
    performer = answered(Wait(1.0, at(1)), HangUp(at(2)))
    assert performer.handle(DeadlineReached(), ANSWERED + 0.9) == []
    assert due(performer) == ANSWERED + 1


def test_wait_until_counts_from_the_answer() -> None:
    performer = answered(Wait(3.0, at(1)), WaitUntil(12.0, at(2)), HangUp(at(3)))
    performer.handle(DeadlineReached(), ANSWERED + 3)
    assert due(performer) == ANSWERED + 12


def test_a_second_that_is_past_is_not_waited_for() -> None:
    performer = answered(Wait(3.0, at(1)), WaitUntil(2.0, at(2)), Wait(1.0, at(3)))
    performer.handle(DeadlineReached(), ANSWERED + 3)
    assert due(performer) == ANSWERED + 4, "the moment does not go back"


def test_a_pause_is_no_doing() -> None:
    performer = answered(Wait(1.0, at(1)), Pause(Band(3, 3), at(2), 0.25), Wait(1.0, at(3)))
    performer.handle(DeadlineReached(), ANSWERED + 1)
    assert due(performer) == ANSWERED + 2


def test_the_call_is_over_before_a_wait_is() -> None:
    performer = answered(Wait(5.0, at(4)), HangUp(at(5)))
    performer.handle(CallEnded(), ANSWERED + 2)
    assert performer.gave_up == GaveUp("the call was over before 'wait 5s' was done", ANSWERED, ANSWERED + 2, at(4))


# ── doing ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("step", "direction", "takes"),
    [
        (Say(2.0, at(1)), StartSaying(Say(2.0, at(1))), 2.0),
        (Press("12", at(1), 100, 300), StartPressing(Press("12", at(1), 100, 300)), 0.8),
        (Hold(at(1)), StartHold(), 0.0),
        (Resume(at(1)), StartResume(), 0.0),
    ],
)
def test_what_takes_time_ends_when_it_is_done(step: Step, direction: object, takes: float) -> None:
    performer = Performer([step, Wait(1.0, at(2))])
    assert performer.handle(Connected(), ANSWERED) == [direction]
    assert due(performer) == ANSWERED + takes + DOING_GUARD_S
    assert performer.handle(DirectionDone(), ANSWERED + 3) == []
    assert due(performer) == ANSWERED + 4
    keys = "12" if isinstance(step, Press) else ""
    assert performer.acts == [Act(in_words(step), ANSWERED, ANSWERED + 3, at(1), keys)]


def test_what_cannot_be_done_ends_the_call() -> None:
    performer = answered(Hold(at(1)), Wait(5.0, at(2)))
    assert performer.handle(DirectionDone("refused: 488 Not Acceptable Here"), ANSWERED + 1) == [EndCall()]
    assert performer.gave_up == GaveUp(
        "'hold' could not be done: refused: 488 Not Acceptable Here", ANSWERED, ANSWERED + 1, at(1)
    )


def test_what_does_not_end_is_given_up() -> None:
    performer = answered(Say(2.0, at(1)))
    now = due(performer)
    assert performer.handle(DeadlineReached(), now) == [EndCall()]
    assert performer.gave_up
    assert performer.gave_up.waiting_for == "'say 2s' was not done within 37s"
    assert performer.acts == [Act("say 2s", ANSWERED, now, at(1))]
    assert performer.handle(DirectionDone(), now + 1) == []


def test_the_call_is_over_while_something_is_said() -> None:
    performer = answered(Say(2.0, at(1)), Wait(1.0, at(2)))
    performer.handle(CallEnded(), ANSWERED + 1)
    assert performer.acts == [Act("say 2s", ANSWERED, ANSWERED + 1, at(1))]
    assert performer.gave_up
    assert performer.gave_up.waiting_for == "the call was over before 'say 2s' was done"


@pytest.mark.parametrize("last", [Say(2.0, at(1)), Press("5", at(1))], ids=["say", "press"])
def test_what_is_done_last_may_end_the_call(last: Say | Press) -> None:
    performer = answered(last, Pause(Band(2, 2), at(2), 0.25))
    performer.handle(CallEnded(), ANSWERED + 0.05)
    assert performer.gave_up is None
    assert [(act.start, act.end) for act in performer.acts] == [(ANSWERED, ANSWERED + 0.05)]
    assert performer.is_over


def test_what_is_done_last_must_have_been_begun() -> None:
    performer = answered(Hear("gov/hello", at(1)), Say(2.0, at(2)))
    performer.handle(SoundBegan(ANSWERED), ANSWERED + 0.6)
    performer.handle(CallEnded(), ANSWERED + 1)
    assert performer.gave_up
    assert performer.gave_up.waiting_for == "the call was over before 'say 2s' was done"


def test_a_pause_before_the_end_of_the_call_is_nothing_to_be_done() -> None:
    performer = answered(Hear("gov/hello", at(1)), Pause(Band(2, 2), at(2), 0.25))
    performer.handle(SoundBegan(ANSWERED), ANSWERED + 0.6)
    performer.handle(SoundEnded(ANSWERED + 2, 1.0), ANSWERED + 2)
    assert performer.deadline is None
    assert performer.waiting_for == "the call to end"
    performer.handle(CallEnded(), ANSWERED + 4)
    assert performer.gave_up is None


def test_what_takes_no_time_is_done_in_one_go() -> None:
    noise = Background(Noise(-30.0), at(1))
    order = Order("situation", at(2), "noise")
    performer = Performer([noise, order, HangUp(at(3))])
    directions = performer.handle(Connected(), ANSWERED)
    assert directions == [SetBackground(Noise(-30.0), noise), GiveOrder(order), EndCall()]
    assert [act.what for act in performer.acts] == ["background noise -30dB", "situation noise", "hang up"]
    assert performer.deadline is None
    performer.handle(CallEnded(), ANSWERED + 0.1)
    assert performer.gave_up is None


def test_waiting_after_an_order_counts_from_when_it_was_given() -> None:
    performer = answered(HearStart("gov/a", at(1)), Order("cancel", at(2)), Wait(1.0, at(3)))
    performer.handle(SoundBegan(ANSWERED + 2), ANSWERED + 2.6)
    assert due(performer) == ANSWERED + 3.6


def test_nobody_answered() -> None:
    performer = Performer([Say(2.0, at(1))])
    performer.handle(CallEnded(), 50.0)
    assert performer.gave_up == GaveUp(
        "the call was over before 'say 2s' was begun: nobody answered", 50.0, 50.0, at(1)
    )
    silent = Performer([])
    silent.handle(CallEnded(), 50.0)
    assert silent.gave_up is None


def test_times_can_be_told_since_the_answer() -> None:
    performer = answered(Say(2.0, at(1)), Wait(1.0, at(2)))
    performer.handle(DirectionDone(), ANSWERED + 2)
    performer.handle(CallEnded(), ANSWERED + 2.5)
    assert performer.acts_since(ANSWERED) == (Act("say 2s", 0.0, 2.0, at(1)),)
    gave_up = performer.gave_up_since(ANSWERED)
    assert gave_up
    assert (gave_up.since, gave_up.at) == (2.0, 2.5)
    assert answered().gave_up_since(ANSWERED) is None


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Hear("gov/a", at(1)), "hear gov/a"),
        (HearStart("gov/a", at(1)), "hear the start of gov/a"),
        (HearMusic(at(1)), "hear hold music"),
        (Pause(Band(3, 3), at(1), 0.25), "pause"),
        (WaitUntil(90.0, at(1)), "wait until 1m30s"),
        (Say(2.0, at(1), phrase="gov/a"), "say gov/a"),
        (Say(2.0, at(1), file=Path("/sounds/cough.wav")), "say cough.wav"),
        (Press("0790123", at(1)), "press keys"),
        (Background(Tone(1200), at(1)), "background tone 1200Hz -20dB"),
        (Order("value", at(1), "honorific", "女士"), "value honorific"),
        (Order("cancel", at(1)), "cancel"),
    ],
)
def test_steps_are_worded_as_the_script_writes_them_without_keys_and_values(step: Step, words: str) -> None:
    assert in_words(step) == words


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (Silence(), "silence"),
        (NoRtp(), "no rtp"),
        (ComfortNoise(), "comfort noise"),
        (Breathing(), "breathing"),
        (Noise(-40.0), "noise -40dB"),
        (Tone(440, -20.5), "tone 440Hz -20.5dB"),
    ],
)
def test_backgrounds_are_worded_as_the_script_writes_them(source: AudioSource, words: str) -> None:
    assert source_in_words(source) == words
