"""Ladders: the silent call as documented, and every way off a ladder."""

import pytest
from driven_call import BEGIN, call
from small_flows import BOTH, PROMPT_S, SILENT_CALL, climb, flow, listening, rung, rungs_of, say, silent_call_flow

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact


def test_the_silent_call_is_asked_after_3_s_told_after_3_s_and_hung_up_on() -> None:
    silent = call(silent_call_flow())
    assert silent.says == ["greeting"]
    silent.prompt_ends()
    assert (silent.session.waiting_for, silent.waits_for) == ("the rung's wait", 3.0)
    silent.time_passes()
    assert silent.says == ["greeting", "connected"]
    silent.prompt_ends()
    assert silent.waits_for == 3.0
    silent.time_passes().prompt_ends()
    assert silent.says == ["greeting", "connected", "change phone"]
    assert silent.last == [m.EndCall(outcome="hung_up")]
    assert silent.session.is_over
    assert (silent.session.outcome, silent.session.first_to_hang_up) == ("hung_up", "ivrflow")
    assert silent.now == BEGIN + 3 * PROMPT_S + 3.0 + 3.0


def test_the_silence_clock_starts_when_the_prompt_ended_however_long_it_took() -> None:
    silent = call(silent_call_flow())
    assert silent.playing is not None
    silent.happens(m.PromptEnded(ticket=silent.playing.ticket), after=PROMPT_S + 0.7)
    assert silent.waits_for == 3.0


@pytest.mark.parametrize("seconds", [0.0, 0.5, 2.0, 2.999])
def test_speech_during_the_wait_leaves_the_ladder(seconds: float) -> None:
    served = call(silent_call_flow()).prompt_ends().speech(seconds)
    assert served.says[-1] == "at your service"
    assert served.steps == ["welcome", "served"]


def test_a_key_that_leads_somewhere_leaves_the_ladder_and_one_that_does_not_moves_nothing() -> None:
    served = call(silent_call_flow()).prompt_ends()
    deadline = served.session.deadline
    served.keys("5*#9", each_after=0.4)
    assert served.session.deadline == deadline
    assert served.key("1", 0.4).steps == ["welcome", "served"]


def test_noise_on_a_ladder_that_speech_does_not_leave_never_moves_the_deadline() -> None:
    noisy = call(flow(climb("wait", rung("listen", 10.0))))
    noisy.prompt_ends()
    deadline = noisy.session.deadline
    for _ in range(9):
        noisy.speech(0.5).quiet(0.5)
        assert noisy.session.deadline == deadline
    noisy.time_passes()
    assert noisy.session.is_over


def test_somebody_already_speaking_when_the_wait_begins_is_not_silent() -> None:
    no_barge_in = flow(
        climb("welcome", *rungs_of(SILENT_CALL), listens=listening(speech="served")), say("served", "at your service")
    )
    talking = call(no_barge_in).speech(0.5)
    assert talking.says == ["greeting"], "speech may not cut this prompt"
    assert talking.prompt_ends().says == ["greeting", "at your service"]


def test_what_was_said_during_the_prompt_is_acted_on_when_it_ended() -> None:
    no_barge_in = flow(
        climb("welcome", *rungs_of(SILENT_CALL), listens=listening(speech="served")), say("served", "at your service")
    )
    assert call(no_barge_in).remark(0.5).prompt_ends().says == ["greeting", "at your service"]


def test_what_was_said_during_an_earlier_phrase_is_no_answer_to_this_one() -> None:
    two_steps = flow(
        say("notice", "a notice", then="welcome"),
        climb("welcome", *rungs_of(SILENT_CALL), listens=listening(speech="served")),
        say("served", "at your service"),
    )
    quiet_again = call(two_steps).remark(0.5).prompt_ends().prompt_ends()
    assert (quiet_again.steps, quiet_again.waits_for) == (["notice", "welcome"], 3.0)


def test_speech_that_began_steps_ago_and_goes_on_counts_when_a_wait_for_it_begins() -> None:
    two_steps = flow(
        say("notice", "a notice", then="welcome"),
        climb("welcome", *rungs_of(SILENT_CALL), listens=listening(speech="served")),
        say("served", "at your service"),
    )
    assert call(two_steps).speech(0.5).prompt_ends().prompt_ends().steps[-1] == "served"


def test_barge_in_cuts_the_prompt_and_its_late_ending_changes_nothing() -> None:
    served = call(silent_call_flow())
    greeting = served.ticket(m.Play)
    served.speech(0.5)
    assert served.last[0] == m.StopPlaying(ticket=greeting)
    assert [type(action) for action in served.last] == [m.StopPlaying, m.Play]
    before = (served.session.deadline, len(served.trace), served.session.step)
    served.happens(m.PromptEnded(ticket=greeting, how="stopped"), after=0.01)
    assert served.last == []
    assert (served.session.deadline, len(served.trace), served.session.step) == before


def test_a_barge_in_that_ends_the_call_stops_the_prompt_once() -> None:
    ends = call(flow(climb("welcome", rung("hello", 3), listens=listening(barge_in=BOTH, keys={"9": "hang_up"}))))
    ends.key("9", 0.5)
    assert ends.last == [m.StopPlaying(ticket=1), m.EndCall(outcome="hung_up")]
    assert ends.facts.count(Fact.PHRASE_ENDED) == 1


def test_a_key_that_leads_nowhere_never_cuts_a_prompt() -> None:
    unmoved = call(silent_call_flow()).key("7", 0.5)
    assert unmoved.last == []
    assert unmoved.prompt_ends().waits_for == 3.0


def test_when_only_speech_may_cut_the_key_pressed_before_it_is_not_lost() -> None:
    both = flow(
        climb(
            "welcome",
            rung("hello", 3),
            listens=listening(barge_in=frozenset({"speech"}), speech="spoke", keys={"1": "keyed"}),
        ),
        say("spoke", "you spoke"),
        say("keyed", "you keyed"),
    )
    assert call(both).key("1", 0.3).says == ["hello"]
    assert call(both).key("1", 0.3).speech(0.3).says == ["hello", "you keyed"]


def test_only_one_input_leads_away_from_a_ladder() -> None:
    """A key that leads to a step that waits for speech: what was said before is no answer there."""
    both = flow(
        climb("welcome", rung("hello", 3), listens=listening(speech="spoke", keys={"1": "wait"})),
        climb("wait", rung(wait=4.0), listens=listening(speech="spoke")),
        say("spoke", "you spoke"),
    )
    waiting = call(both).remark(0.2).key("1", 0.3).prompt_ends()
    assert (waiting.steps, waiting.waits_for) == (["welcome", "wait"], 4.0)


def test_a_rung_without_a_wait_goes_on_at_once() -> None:
    assert call(flow(climb("c", rung("one"), rung("two")))).prompt_ends().says == ["one", "two"]


def test_a_word_the_rung_names_leaves_the_ladder_and_another_does_not() -> None:
    asked = flow(climb("c", rung("clear?", 3, leave_on="understood"), left={"understood": "next"}), say("next", "fine"))
    cut = call(asked).signal("refusal", 0.1)
    assert cut.last == []
    cut.signal("understood", 0.1)
    assert cut.last[0] == m.StopPlaying(ticket=1)
    assert cut.steps == ["c", "next"]
    assert call(asked).prompt_ends().signal("understood", 1.0).steps == ["c", "next"]


@pytest.mark.parametrize("how", ["missing", "failed", "stopped"])
def test_a_prompt_that_could_not_be_played_does_not_hold_up_the_call(how: str) -> None:
    unheard = call(silent_call_flow()).prompt_ends(how)
    assert unheard.waits_for == 3.0
    assert unheard.verdict("gov/silent_call").judgement == "broken"


def test_a_prompt_whose_end_is_never_reported_is_stopped_and_the_call_goes_on() -> None:
    lost = call(silent_call_flow())
    assert (lost.session.waiting_for, lost.waits_for) == ("the prompt to end", PROMPT_S + 3.0)
    lost.time_passes()
    assert lost.last == [m.StopPlaying(ticket=1)]
    assert (lost.session.waiting_for, lost.waits_for) == ("the rung's wait", 3.0)


def test_a_deadline_reported_too_early_changes_nothing() -> None:
    early = call(silent_call_flow()).prompt_ends().happens(m.DeadlineReached(), after=2.9)
    assert (early.last, early.waits_for) == ([], 0.1)


def test_the_caller_can_hang_up_anywhere_on_a_ladder() -> None:
    for reach in (call(silent_call_flow()), call(silent_call_flow()).prompt_ends()):
        reach.hangs_up(0.2)
        assert (reach.last, reach.session.is_over) == ([], True)
        assert (reach.session.outcome, reach.session.first_to_hang_up) == ("caller_hung_up", "caller")
        assert reach.session.deadline is None
        assert reach.happens(m.DeadlineReached(), after=9.0).last == []


def test_a_task_is_asked_of_the_agent_and_ends_by_its_own_word() -> None:
    tasks = flow(climb("c", rung(task="mute"), rung("thanks")))
    asked = call(tasks)
    assert asked.last == [m.StartMusic(), m.Instruct(ticket=1, task="mute")]
    assert asked.waits_for == 300.0
    assert asked.happens(m.TaskDone(ticket=99), after=1.0).last == []
    assert asked.happens(m.TaskDone(ticket=1), after=1.0).says == ["thanks"]
    assert call(tasks).time_passes().says == ["thanks"], "a task nobody finishes is bounded"


@pytest.mark.parametrize(("seconds", "says"), [(119.0, ["in time"]), (120.0, ["in time"]), (121.0, ["thank you"])])
def test_a_task_done_within_its_bound_leaves_the_ladder(seconds: float, says: list[str]) -> None:
    bounded = flow(
        climb(
            "c",
            rung(task="work", leave_on="waited_no_more_than_120_s"),
            rung("thank you"),
            left={"waited_no_more_than_120_s": "next"},
        ),
        say("next", "in time"),
    )
    assert call(bounded).happens(m.TaskDone(ticket=1), after=seconds).says == says


def test_wording_that_was_never_rendered_gets_a_length_by_its_text() -> None:
    unrendered = flow(say("hello", "twenty characters !!"))
    unrendered = type(unrendered)(
        **{name: getattr(unrendered, name) for name in unrendered.__dataclass_fields__ if name != "prompts"}
        | {"prompts": type(unrendered.prompts)()}
    )
    (play,) = call(unrendered).last
    assert isinstance(play, m.Play)
    assert (play.prompt, play.seconds) == ("", 4.4)


def test_a_phrase_that_the_caller_did_not_stay_for_ends_with_the_call() -> None:
    gone = call(silent_call_flow()).hangs_up(0.5)
    assert [(line.fact, line.detail) for line in gone.trace[-3:]] == [
        (Fact.PHRASE_ENDED, "stopped: caller hung up"),
        (Fact.CALLER_HUNG_UP, ""),
        (Fact.ENDED, "caller_hung_up"),
    ]
    assert gone.verdict("gov/silent_call").judgement == "kept"
