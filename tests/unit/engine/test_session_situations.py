"""Situations of the standard, started by name on top of whatever the flow was doing."""

from collections.abc import Callable

import pytest
from driven_call import DrivenCall, call
from small_flows import BOTH, close, collect, flow, hours, ladder, menu, say, silent_call_flow, transfer, window

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact
from ivrflow.flow.model import BargeIn

KEY: frozenset[BargeIn] = frozenset({"key"})
THANKED = ["not at all"]


def ignored(asked: DrivenCall) -> list[str]:
    return [line.detail for line in asked.trace if line.fact is Fact.IGNORED]


def test_a_situation_cuts_the_prompt_and_the_prompt_is_said_again() -> None:
    asked = call(silent_call_flow()).situation("thanks", 0.5)
    assert asked.last[0] == m.StopPlaying(ticket=1)
    assert asked.session.step == "situation thanks"
    asked.prompt_ends()
    assert asked.says == ["greeting", "not at all", "greeting"]
    assert asked.session.step == "welcome"
    assert asked.silence(60).verdict("gov/silent_call").judgement == "kept"


def test_a_situation_during_a_wait_lets_the_wait_begin_anew() -> None:
    asked = call(silent_call_flow()).prompt_ends().situation("thanks", 2.5).prompt_ends()
    assert (asked.says, asked.waits_for) == (["greeting", "not at all"], 3.0)


def test_a_situation_that_ends_the_call_ends_it() -> None:
    noisy = call(silent_call_flow()).situation("noise", 0.5).silence(60)
    assert noisy.says == ["greeting", "louder", "louder", "noisy"]
    assert noisy.last == [m.EndCall(outcome="hung_up")]
    assert noisy.verdict("gov/noise").judgement == "kept"


def test_a_situation_is_left_by_the_words_its_rungs_name() -> None:
    better = call(silent_call_flow()).situation("noise", 0.5).signal("understood", 0.5)
    assert better.playing is not None
    assert better.playing.phrase == "louder"
    better.signal("audible", 0.5)
    assert (better.session.step, better.says[-1]) == ("welcome", "greeting")


def test_leaving_may_lead_elsewhere_than_back() -> None:
    agrees = call(flow(menu(keys={}), close("wait", ask=False), leaves={"agreement": {"caller_agrees": "wait"}}))
    assert agrees.situation("agreement", 0.5).prompt_ends().signal("caller_agrees", 1.0).steps == ["menu", "wait"]


def test_speech_leaves_a_situation_only_where_the_standard_says_so() -> None:
    repeat = call(silent_call_flow()).situation("repeat", 0.5).prompt_ends().speech(1.0)
    assert repeat.session.step == "welcome"
    noisy = call(silent_call_flow()).situation("noise", 0.5).silence(4.5)
    assert (noisy.playing, noisy.session.step) != (None, "welcome")
    assert noisy.speech(0.1).session.step == "situation noise"


def test_a_situation_can_be_taken_back() -> None:
    back = call(silent_call_flow()).situation("noise", 0.5).happens(m.SituationCancelled(), after=0.5)
    assert (back.session.step, back.says) == ("welcome", ["greeting", "louder", "greeting"])
    assert call(silent_call_flow()).happens(m.SituationCancelled()).last == []


def test_an_unknown_situation_is_noted_and_changes_nothing() -> None:
    asked = call(silent_call_flow()).situation("earthquake", 0.5)
    assert (asked.last, ignored(asked)) == ([], ["situation earthquake: no such situation"])


def speaking() -> DrivenCall:
    return call(silent_call_flow())


def silent() -> DrivenCall:
    return call(silent_call_flow()).prompt_ends()


def keying() -> DrivenCall:
    return call(flow(collect(done="next"), say("next", "next"))).prompt_ends().key("1", 0.5)


def ringing() -> DrivenCall:
    return call(flow(transfer()))


def talking() -> DrivenCall:
    rung = ringing()
    return rung.happens(m.AgentAnswered(ticket=rung.ticket(m.Ring)))


def guarding() -> DrivenCall:
    return call(flow(close("close", ask=False)))


def in_a_situation() -> DrivenCall:
    return speaking().situation("noise", 0.5)


@pytest.mark.parametrize("stands", [speaking, silent, keying, ringing, talking, guarding, in_a_situation])
@pytest.mark.parametrize(
    "strange",
    [
        m.SituationStarted(name="earthquake"),
        m.SituationStarted(name=""),
        m.SignalGiven(word="earthquake"),
        m.SignalGiven(word=""),
        m.TaskDone(ticket=999),
        m.ValuesLearned(values={"earthquake": "1"}),
    ],
)
def test_what_the_flow_does_not_know_changes_nothing_wherever_the_call_stands(
    stands: Callable[[], DrivenCall], strange: m.CallEvent
) -> None:
    asked = stands()
    before = (asked.session.step, asked.session.deadline, asked.session.waiting_for)
    asked.happens(strange, after=0.1)
    assert asked.last == []
    assert (asked.session.step, asked.session.deadline, asked.session.waiting_for) == before


def test_one_situation_at_a_time() -> None:
    asked = call(silent_call_flow()).situation("noise", 0.5).situation("thanks", 0.5)
    assert ignored(asked) == ["situation thanks: not during situation noise"]


def test_not_while_an_agent_is_rung() -> None:
    ringing = call(flow(transfer())).situation("thanks", 0.5)
    assert ignored(ringing) == ["situation thanks: not while an agent is sought"]


def test_not_before_the_line_is_open() -> None:
    asked = DrivenCall(silent_call_flow()).situation("thanks", 0.5)
    assert ignored(asked) == ["situation thanks: not while waiting for the line to open"]
    assert asked.answered().says == ["greeting"]


def test_a_situation_without_rungs_is_none() -> None:
    empty = flow(menu(keys={}))
    object.__setattr__(empty, "situations", {"empty": ladder()})
    assert ignored(call(empty).situation("empty", 0.5)) == ["situation empty: no such situation"]


def test_during_a_menus_correction_the_correction_is_said_again_then_the_offer() -> None:
    corrected = call(flow(menu(keys={"1": "hang_up"}))).prompt_ends().key("9", 1.0).situation("thanks", 0.5)
    corrected.prompt_ends().prompt_ends().prompt_ends()
    assert corrected.says == ["offer", "invalid", *THANKED, "invalid", "offer"]
    assert corrected.waits_for == 5.0


def test_during_an_announcement_between_steps_it_is_said_again_and_leads_on() -> None:
    dated = flow(hours("h", window(range(7), 0, 1440, "good day", "welcome", then="next")), say("next", "next"))
    assert call(dated).prompt_ends().situation("thanks", 0.5).silence(60).says == [
        "good day",
        "welcome",
        *THANKED,
        "welcome",
        "next",
    ]
    announced = call(flow(transfer("t", "connecting"))).situation("thanks", 0.5).prompt_ends().prompt_ends()
    assert announced.session.phase == "ringing"


def test_digits_keyed_before_a_situation_are_still_the_entry_after_it() -> None:
    keyed = call(flow(collect(done="next"), say("next", "next"))).prompt_ends().keys("12", 0.5).situation("thanks", 0.5)
    assert keyed.prompt_ends().waits_for == 4.0
    keyed.keys("3#", 0.5)
    assert [line.key for line in keyed.trace if line.fact is Fact.DIGITS_COLLECTED] == ["123"]


def test_digits_keyed_during_a_situation_belong_to_the_entry_it_interrupted() -> None:
    keyed = call(flow(collect(done="next"), say("next", "next"))).prompt_ends().keys("12", 0.5).situation("thanks", 0.5)
    keyed.keys("3#", 0.2).prompt_ends()
    assert [line.key for line in keyed.trace if line.fact is Fact.DIGITS_COLLECTED] == ["123"]


@pytest.mark.parametrize("barge_in", [frozenset[BargeIn](), KEY])
def test_keys_pressed_before_or_during_a_situation_are_kept_for_the_step_behind_it(
    barge_in: frozenset[BargeIn],
) -> None:
    keyed = call(flow(menu(keys={"1": "one"}, barge_in=barge_in), say("one", "one"))).situation("thanks", 0.5)
    keyed.key("1", 0.5).prompt_ends()
    assert keyed.says == (["offer", *THANKED, "one"] if barge_in else ["offer", *THANKED, "offer"])
    if not barge_in:
        assert keyed.prompt_ends().steps == ["menu", "one"]
    kept = call(flow(menu(keys={"1": "one"}), say("one", "one"))).key("1", 0.2).situation("thanks", 0.5)
    assert kept.prompt_ends().prompt_ends().steps == ["menu", "one"]


def test_a_key_pressed_in_a_wait_of_the_situation_is_kept_too() -> None:
    keyed = call(flow(menu(keys={"1": "one"}, barge_in=KEY), say("one", "one"))).situation("repeat").prompt_ends()
    keyed.key("1", 0.5).happens(m.SituationCancelled(), after=0.1)
    assert keyed.steps == ["menu", "one"]


def test_a_wrong_key_pressed_during_a_situation_is_no_wrong_choice() -> None:
    keyed = call(flow(menu(keys={"1": "hang_up"}))).situation("thanks", 0.5).key("9", 0.5).prompt_ends().prompt_ends()
    assert (keyed.says, keyed.waits_for) == (["offer", *THANKED, "offer"], 5.0)


def test_what_was_said_in_a_situation_is_no_answer_to_the_step_behind_it() -> None:
    said = call(silent_call_flow()).prompt_ends().situation("thanks", 0.5).remark(0.3).prompt_ends()
    assert (said.session.step, said.waits_for) == ("welcome", 3.0)


def test_who_still_speaks_when_a_situation_is_over_is_heard() -> None:
    assert (
        call(silent_call_flow()).prompt_ends().situation("thanks", 0.5).speech(0.3).prompt_ends().steps[-1] == "served"
    )


def test_a_situation_may_ask_the_agent_for_a_task() -> None:
    lookup = call(silent_call_flow()).situation("short_lookup", 0.5).prompt_ends()
    assert lookup.last == [m.StartMusic(), m.Instruct(ticket=lookup.ticket(m.Instruct), task="look_up")]
    assert lookup.waits_for == 30.0
    lookup.happens(m.TaskDone(ticket=lookup.ticket(m.Instruct)), after=12.0)
    assert lookup.session.step == "welcome"
    assert lookup.verdict("gov/short_lookup").judgement == "kept"


def test_the_task_asked_for_can_be_asked_until_it_is_done() -> None:
    slow = call(silent_call_flow()).situation("slow_system", 0.5)
    assert slow.session.task == 0
    slow.prompt_ends()
    first = slow.session.task
    assert first == slow.ticket(m.Instruct)
    slow.happens(m.TaskDone(ticket=first), after=1.0)
    assert slow.session.task == slow.ticket(m.Instruct) > first
    slow.happens(m.TaskDone(ticket=slow.session.task), after=60.0)
    assert slow.session.task == 0


@pytest.mark.parametrize(("seconds", "judged", "thanked"), [(60.0, "kept", False), (150.0, "kept", True)])
def test_a_slow_system_thanks_only_who_waited_too_long(seconds: float, judged: str, *, thanked: bool) -> None:
    slow = call(silent_call_flow()).situation("slow_system", 0.5).prompt_ends()
    slow.happens(m.TaskDone(ticket=slow.ticket(m.Instruct)), after=1.0)
    slow.happens(m.TaskDone(ticket=slow.ticket(m.Instruct)), after=seconds)
    assert ("thank you for waiting" in slow.says) == thanked
    if thanked:
        slow.prompt_ends()
    assert slow.session.step == "welcome"
    assert slow.verdict("gov/slow_system").judgement == judged


def test_the_caller_hangs_up_during_a_situation() -> None:
    gone = call(silent_call_flow()).situation("noise", 0.5).hangs_up(0.5)
    assert gone.session.is_over
    assert gone.verdict("gov/noise").observed == "until the caller hung up"


def test_while_waiting_for_the_caller_to_hang_up_a_situation_may_come_back_to_that() -> None:
    closed = call(flow(close(barge_in=BOTH))).prompt_ends().time_passes().prompt_ends()
    closed.situation("thanks", 3.0).prompt_ends()
    assert (closed.session.waiting_for, closed.waits_for) == ("the caller to hang up first", 10.0)


def test_what_was_said_in_a_situation_that_is_taken_back_is_no_answer_either() -> None:
    said = call(silent_call_flow()).prompt_ends().situation("thanks", 0.5).remark(0.3)
    said.happens(m.SituationCancelled(), after=0.1)
    assert (said.session.step, said.waits_for) == ("welcome", 3.0)


def test_the_end_key_pressed_during_a_situation_ends_the_entry_it_interrupted() -> None:
    keyed = call(flow(collect(done="next"), say("next", "next"))).prompt_ends().keys("12", 0.5).situation("thanks", 0.5)
    keyed.key("#", 0.5).prompt_ends()
    assert keyed.steps == ["collect", "next"]


def test_a_key_pressed_during_a_task_of_the_situation_is_kept_too() -> None:
    keyed = call(flow(menu(keys={"1": "one"}, barge_in=KEY), say("one", "one"))).situation("short_lookup").prompt_ends()
    keyed.key("1", 0.5).happens(m.TaskDone(ticket=keyed.ticket(m.Instruct)), after=0.5)
    assert keyed.steps == ["menu", "one"]


def test_a_task_that_takes_its_whole_documented_time_is_seen_to() -> None:
    lookup = call(silent_call_flow()).situation("short_lookup", 0.5).prompt_ends().time_passes()
    assert lookup.session.step == "welcome"
    assert [wait.observed for wait in lookup.verdict("gov/short_lookup").waits] == [30.0]
    assert lookup.verdict("gov/short_lookup").judgement == "kept"
