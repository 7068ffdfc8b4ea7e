from dataclasses import replace

from judged_scenarios import (
    AS_IT_SHOULD_BE,
    CHANGE,
    CONNECTED,
    FLOW,
    GREETING,
    SILENT,
    a_caller,
    at,
    sound,
)

from ivrflow.flow.model import Band
from ivrflow.scenario.judging.listened import Listened, listened
from ivrflow.scenario.observation import GaveUp, PhoneSide
from ivrflow.scenario.script import HangUp, Hear, HearMusic, HearStart, Hold, Pause, Press, Resume, Step, Wait


def lay(side: PhoneSide, *steps: Step) -> Listened:
    return listened(FLOW, steps or SILENT, side)


def test_each_hearing_serves_its_step() -> None:
    heard = lay(a_caller(*AS_IT_SHOULD_BE))
    assert [wanted.heard for wanted in heard.wanted] == list(AS_IT_SHOULD_BE)
    assert [wanted.place for wanted in heard.wanted] == [0, 2, 4]
    assert all(wanted.was_reached for wanted in heard.wanted)
    assert heard.others == ()
    assert heard.stuck_at is None
    assert [(pause.after, pause.begins, pause.ends, pause.seconds) for pause in heard.pauses] == [
        (GREETING, 2.1, 5.1, 3.0),
        (CONNECTED, 7.1, 10.1, 3.0),
    ]


def test_what_is_left_over_keeps_its_place() -> None:
    extra = sound("noisy", 3.0, 1.0)
    heard = lay(a_caller(AS_IT_SHOULD_BE[0], extra, *AS_IT_SHOULD_BE[1:]))
    assert heard.others == ((1, extra),)
    assert heard.around(1) == (GREETING, at(5))
    assert heard.around(0) == ("", at(3))
    assert heard.around(4) == (CHANGE, None)


def test_a_script_without_hearing_has_nothing_to_lay_beside() -> None:
    heard = lay(a_caller(sound(GREETING, 0.1)), Wait(1.0, at(3)))
    assert (heard.wanted, heard.pauses) == ((), ())
    assert heard.around(0) == ("", None)


def test_only_music_serves_hear_music() -> None:
    music = sound("", 5.0, 3.0, kind="music")
    heard = lay(a_caller(sound(GREETING, 0.1), music), HearMusic(at(3)))
    assert [(wanted.name, wanted.heard) for wanted in heard.wanted] == [("", music)]
    unheard = lay(a_caller(sound("", 5.0, 3.0, kind="unknown")), HearMusic(at(3)), Hear("", at(4)))
    assert [wanted.heard for wanted in unheard.wanted] == [None, None]


def test_how_much_must_and_may_be_heard() -> None:
    heard = lay(a_caller(), Hear(GREETING, at(3), 0.9), HearStart(GREETING, at(4), 0.6), HearMusic(at(5)))
    assert [(wanted.at_least, wanted.at_most) for wanted in heard.wanted] == [(0.9, 1.0), (0.0, 0.6), (0.0, 1.0)]


def test_of_equals_the_one_is_taken_that_is_as_it_should_be() -> None:
    whole, cut = sound(GREETING, 0.1), sound(GREETING, 5.0, share=0.3)
    start = lay(a_caller(whole, cut), HearStart(GREETING, at(3), 0.6))
    assert start.wanted[0].heard is cut
    full = lay(a_caller(cut, whole), Hear(GREETING, at(3)))
    assert full.wanted[0].heard is whole


def test_where_a_script_got_stuck() -> None:
    steps = (Hear(GREETING, at(3)), Hold(at(4)), Wait(5.0, at(4)), Resume(at(4)), Hear(CONNECTED, at(5)))
    gave_up = GaveUp("the call was over before 'wait 5s' was done", 3.0, 4.0, at(4))
    heard = lay(a_caller(sound(GREETING, 0.1), gave_up=gave_up), *steps)
    assert heard.stuck_at is steps[1]
    assert [wanted.was_reached for wanted in heard.wanted] == [True, False]
    assert not heard.is_told_as_not_heard


def test_a_phrase_waited_for_in_vain_is_told_as_not_heard() -> None:
    gave_up = GaveUp("connected was not heard within 33s", 3.0, 36.0, at(5))
    heard = lay(a_caller(sound(GREETING, 0.1), gave_up=gave_up))
    assert heard.is_told_as_not_heard
    missing = heard.wanted[1]
    assert heard.why_not_heard(missing) == "connected was not heard within 33s"
    assert heard.not_heard_at(missing) == 36.0
    found_later = lay(a_caller(sound(GREETING, 0.1), sound(CONNECTED, 5.0), gave_up=gave_up))
    assert not found_later.is_told_as_not_heard, "it was heard; that the phone gave up is to be told by itself"


def test_a_pause_lies_between_its_neighbours_and_no_further() -> None:
    steps = (
        Hear(GREETING, at(3)),
        Pause(Band(1, 1), at(4), 0.1),
        HearMusic(at(5)),
        Pause(Band(2, 2), at(6), 0.1),
        Hear(CONNECTED, at(7)),
        Pause(Band(3, 3), at(8), 0.1),
    )
    music = sound("", 3.1, 4.0, kind="music")
    heard = lay(a_caller(sound(GREETING, 0.1), music, sound(CONNECTED, 9.1), ended_at=14.1), *steps)
    assert [(pause.step.where.line, pause.seconds) for pause in heard.pauses] == [(4, 1.0), (6, 2.0), (8, 3.0)]
    assert [pause.ends_call for pause in heard.pauses] == [False, False, True]
    without = lay(a_caller(sound(GREETING, 0.1), sound(CHANGE, 9.1)), *steps)
    assert without.pauses == (), "what was not heard ends no pause, and nothing else stands in for it"


LAST = (Hear(GREETING, at(3)), Press("5", at(4)), Pause(Band(2, 2), at(5), 0.25), Wait(1.0, at(6)))


def test_a_pause_after_the_last_phrase_ends_with_the_call() -> None:
    (pause,) = lay(a_caller(sound(GREETING, 0.1), ended_at=4.2), *LAST).pauses
    assert (pause.after, pause.begins, pause.ends, pause.seconds, pause.ends_call) == (GREETING, 2.1, 4.2, 2.1, True)


def test_only_somebody_else_who_hangs_up_ends_a_pause() -> None:
    assert lay(a_caller(sound(GREETING, 0.1), ended_by="phone"), *LAST).pauses == ()
    assert lay(a_caller(sound(GREETING, 0.1), ended_by="nobody"), *LAST).pauses == ()
    assert lay(a_caller(sound(GREETING, 0.1)), *LAST[:-1], HangUp(at(7))).pauses == ()


def test_a_call_that_ends_in_the_silence_at_the_end_of_a_recording_has_no_negative_pause() -> None:
    fading = replace(sound(GREETING, 0.1), end=1.95, completeness=0.97)
    (pause,) = lay(a_caller(fading, ended_at=1.96), *LAST).pauses
    assert pause.seconds == 0.0


def test_what_must_never_be_heard_is_known_by_its_words() -> None:
    heard = lay(a_caller())
    assert heard.never(sound("noisy", 1.0), ["louder", "noisy"]) == "noisy"
    assert heard.never(sound("greeting", 1.0), ["louder", "noisy"]) is None
