"""While the caller cannot be heard, silence proves nothing."""

from driven_call import DrivenCall, call
from small_flows import SILENT_CALL, climb, collect, flow, listening, rung, rungs_of, say, silent_call_flow

from ivrflow.engine import messages as m


def lose(deaf: DrivenCall, after: float = 0.5) -> DrivenCall:
    return deaf.happens(m.HearingLost(), after=after)


def restore(deaf: DrivenCall, after: float = 0.5) -> DrivenCall:
    return deaf.happens(m.HearingRestored(), after=after)


def test_a_wait_that_passes_unheard_begins_again() -> None:
    deaf = lose(call(silent_call_flow()).prompt_ends()).time_passes()
    assert (deaf.last, deaf.waits_for) == ([], 3.0)


def test_hearing_again_begins_the_wait_anew() -> None:
    heard = restore(lose(call(silent_call_flow()).prompt_ends()), 1.0)
    assert heard.waits_for == 3.0
    assert heard.silence(60).verdict("gov/silent_call").judgement == "kept"


def test_a_caller_who_stays_unheard_gets_a_person() -> None:
    deaf = lose(call(silent_call_flow()).prompt_ends()).silence(3.0 * 12)
    assert deaf.last == [m.FallBack(reason="the caller cannot be heard")]


def test_hearing_that_comes_and_goes_cannot_keep_a_wait_alive_for_ever() -> None:
    flickering = call(silent_call_flow()).prompt_ends()
    for _ in range(11):
        assert not flickering.session.is_over
        restore(lose(flickering))
    assert flickering.last == [m.FallBack(reason="the caller cannot be heard")]


def test_hearing_restored_that_was_never_lost_moves_nothing() -> None:
    unmoved = call(silent_call_flow()).prompt_ends()
    deadline = unmoved.session.deadline
    assert restore(unmoved, 1.0).session.deadline == deadline


def test_hearing_lost_during_a_prompt_matters_when_the_wait_begins() -> None:
    deaf = lose(call(silent_call_flow())).prompt_ends().time_passes()
    assert (deaf.says, deaf.waits_for) == (["greeting"], 3.0)


def test_hearing_lost_and_found_during_a_prompt_does_not_matter() -> None:
    assert restore(lose(call(silent_call_flow()))).prompt_ends().time_passes().says == ["greeting", "connected"]


def test_speech_whose_end_would_be_missed_is_no_speech_that_goes_on() -> None:
    plain = flow(
        say("notice", "notice", then="welcome"),
        climb("welcome", *rungs_of(SILENT_CALL), listens=listening(speech="served")),
        say("served", "served"),
    )
    spoke = restore(lose(call(plain).speech(0.2), 0.2), 0.2).prompt_ends().prompt_ends()
    assert (spoke.steps[-1], spoke.waits_for) == ("welcome", 3.0)


def test_digits_keyed_before_are_kept() -> None:
    keying = call(flow(collect(done="next"), say("next", "next"))).prompt_ends().keys("12", 0.5)
    lose(keying).time_passes()
    assert (keying.session.waiting_for, keying.waits_for) == ("the inter-digit timeout", 4.0)
    assert restore(keying).key("#", 0.5).steps[-1] == "next"


def test_who_is_heard_after_all_is_served() -> None:
    assert lose(call(silent_call_flow()).prompt_ends()).speech(0.5).steps[-1] == "served"


def test_waits_begun_again_are_counted_per_step() -> None:
    steps = flow(
        climb("one", rung("hello", 3.0), listens=listening(keys={"1": "two"})),
        climb("two", rung("hello", 3.0)),
    )
    deaf = call(steps).prompt_ends()
    for _ in range(9):
        restore(lose(deaf, 0.1), 0.1)
    deaf.key("1", 0.1).prompt_ends()
    for _ in range(9):
        restore(lose(deaf, 0.1), 0.1)
    assert not deaf.session.is_over
