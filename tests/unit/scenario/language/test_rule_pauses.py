from dataclasses import replace

from hotline_scenarios import GOV, HOTLINE, told
from little_centre import CENTRE, NOTICE, QUEUE

from ivrflow.flow.model import Band, CallFlow, Climb, Close, Collect, Ladder, Listening
from ivrflow.scenario.language.rule_pauses import RulePause, rule_pauses


def pause(seconds: float, rule: str = "") -> RulePause:
    return RulePause(Band(seconds, seconds), rule)


def test_rungs_of_a_ladder_with_the_steps_own_opening() -> None:
    waits = rule_pauses(GOV)

    silent = frozenset({pause(3, "gov12345/silent_call")})
    assert waits.find("gov12345/greeting_inbound.standard", "gov12345/silent_call.connected") == silent
    assert waits.find("gov12345/silent_call.greeting", "gov12345/silent_call.connected") == silent, "as a situation"
    assert waits.find("gov12345/silent_call.connected", "gov12345/silent_call.change_phone") == silent


def test_a_band_is_the_standards_not_what_the_flow_chose_in_it() -> None:
    assert rule_pauses(HOTLINE).find("tiny/hello", "tiny/silent.again") == {RulePause(Band(3, 5), "tiny/silent")}


def test_where_the_standard_gives_no_number_it_is_the_flows() -> None:
    waits = rule_pauses(GOV)

    assert waits.find("gov12345/low_volume.ask_louder", "gov12345/low_volume.ask_louder_again") == {pause(3)}
    assert waits.find("house/menu.main", "house/menu.main") == {pause(5)}
    assert waits.find("house/collect.ask_number", "house/collect.ask_number") == {pause(6)}


def test_from_the_end_of_a_step_to_the_next() -> None:
    waits = rule_pauses(GOV)

    assert waits.find("house/menu.main", "house/transfer.connecting") == {pause(5)}
    assert waits.find("gov12345/anything_else.ask", "gov12345/closing.survey") == {pause(2, "gov12345/anything_else")}
    assert waits.find("gov12345/closing.survey", "house/closing.please_hang_up") == {pause(10)}


def test_from_the_end_of_a_situation_to_whatever_was_interrupted() -> None:
    waits = rule_pauses(flow_with_a_situation_that_returns())

    assert waits.find("tiny/anything_else.ask", "house/menu") == {pause(2, "tiny/anything_else")}
    assert waits.find("tiny/anything_else.ask", "tiny/closing.thanks") == {pause(2, "tiny/anything_else")}


def flow_with_a_situation_that_returns() -> CallFlow:
    return replace(HOTLINE, outcomes={**HOTLINE.outcomes, "closing": "continue"})


def test_from_the_last_phrase_to_the_end_of_the_call() -> None:
    waits = rule_pauses(GOV)

    assert waits.find_end("gov12345/noise.change_phone") == {pause(2, "gov12345/noise")}
    assert waits.find_end("gov12345/line_breaking_up.mobile") == {pause(2, "gov12345/line_breaking_up_mobile")}
    assert waits.find_end("house/closing.please_hang_up") == {pause(10)}, "the guard after the reminder"
    assert waits.find_end("gov12345/closing.survey") == frozenset(), "the reminder comes in between"
    assert waits.find_end("gov12345/silent_call.change_phone") == frozenset(), "hung up on at once"
    assert waits.find_end("gov12345/noise.ask_louder") == frozenset()


def test_without_a_reminder_the_farewell_is_the_last_phrase() -> None:
    assert rule_pauses(HOTLINE).find_end("tiny/closing.thanks") == {pause(10)}


def test_a_guard_without_a_word_adds_to_the_wait_before_it() -> None:
    farewell, number = HOTLINE.steps["bye"], HOTLINE.steps["number"]
    assert isinstance(farewell, Close)
    assert isinstance(number, Collect)
    guard = replace(farewell, ladder=replace(farewell.ladder, rungs=()), guard=4.0)
    steps = {**HOTLINE.steps, "bye": guard, "number": replace(number, no_input="bye")}
    waits = rule_pauses(replace(HOTLINE, steps=steps))

    assert waits.find_end("tiny/anything_else.ask") == {pause(6)}, "2 s of the rule, 4 s of the guard"
    assert waits.find_end("house/ask_number") == {pause(10)}


def test_no_wait_no_pause() -> None:
    waits = rule_pauses(GOV)

    assert not waits.find("gov12345/emotional_caller.calm", "gov12345/silent_call.connected")
    assert not waits.find("gov12345/colleague_request.all_trained", "gov12345/anything_else.ask"), "a task is between"
    assert not waits.find("house/menu.invalid", "house/menu.main")


def test_what_follows_a_phrase() -> None:
    followers = rule_pauses(HOTLINE).followers("tiny/silent.again")

    assert followers == {"tiny/silent.goodbye": {pause(2, "tiny/silent")}}


def with_another_ladder(flow: CallFlow) -> CallFlow:
    """The same two phrases once more, by another rule and with another wait."""
    welcome = flow.steps["welcome"]
    assert isinstance(welcome, Climb)
    rungs = tuple(replace(rung, band=Band(7, 7), wait=7.0, rule="tiny/noise") for rung in welcome.ladder.rungs)
    other = Ladder("other", rungs, "hangup", welcome.where)
    return replace(flow, situations={**flow.situations, "other": other})


def test_two_rules_with_different_waits_must_be_told_apart() -> None:
    flow = with_another_ladder(HOTLINE)
    text = "caller:\n  - hear: hello\n  - pause: as the rule says\n  - hear: silent.again\n"

    assert told(text, flow) == ["5:5: the rules give different pauses here: tiny/noise: 7s; tiny/silent: 3s-5s"]


# ── agents, messages and look-ups ─────────────────────────────────────────────────────────────────────────────────────


def test_announcements_of_a_queue_have_pauses_between_them_round_and_round() -> None:
    waits = rule_pauses(CENTRE)

    assert waits.find("house/connecting", "house/wrong_key") == {pause(10)}
    assert waits.find("house/wrong_key", "house/too_few") == {RulePause(Band(25, 30), "tiny/silent")}
    assert waits.find("house/too_few", "house/wrong_key") == {pause(20)}, "they go round"


def test_several_waits_before_an_announcement_are_one_pause() -> None:
    ladder = replace(QUEUE.ladder, rungs=(QUEUE.ladder.rungs[0], *QUEUE.ladder.rungs), loops_from=0)
    steps = {**CENTRE.steps, "queue": replace(QUEUE, ladder=ladder)}

    waits = rule_pauses(replace(CENTRE, steps=steps))

    assert waits.find("house/connecting", "house/wrong_key") == {pause(20)}
    assert not waits.find("house/too_few", "house/wrong_key"), "they do not go round"


def after_hello(name: str, *, recorded: bool = False) -> dict[str, frozenset[RulePause]]:
    """What is said, and after which pause, when a wait of two seconds leads to the step."""
    bye = CENTRE.steps["bye"]
    assert isinstance(bye, Close)
    hello = Climb("hello", bye.where, replace(bye.ladder, rungs=bye.ladder.rungs[:1]), Listening(), {}, name)
    flow = replace(CENTRE, steps={**CENTRE.steps, "hello": hello}, recording=NOTICE if recorded else None)
    said = hello.ladder.rungs[0].say
    assert said is not None
    return {then: found for then, found in rule_pauses(flow).followers(said).items() if then != "tiny/closing.thanks"}


def test_a_wait_ends_with_the_first_words_of_the_next_step() -> None:
    wait = frozenset({pause(2, "tiny/anything_else")})

    assert after_hello("queue") == {"house/connecting": wait}
    assert after_hello("queue", recorded=True) == {"house/connecting": wait, "house/morning": wait}
    assert after_hello("message") == {"house/ask_number": wait}
    assert after_hello("keep") == {"tiny/anything_else.ask": wait}, (
        "keeping, scoring and noting a callback take no time"
    )
    assert after_hello("ask") == {}, "how long that takes the other side knows"


def test_a_wait_after_the_farewell_may_end_with_the_survey() -> None:
    bye = CENTRE.steps["bye"]
    assert isinstance(bye, Close)
    asked = replace(bye, ladder=replace(bye.ladder, rungs=bye.ladder.rungs[:1]), survey="message")

    waits = rule_pauses(replace(CENTRE, steps={**CENTRE.steps, "bye": asked}))

    assert waits.find("tiny/anything_else.ask", "house/ask_number") == {pause(2, "tiny/anything_else")}
