"""Menus: silence, wrong keys, and keys pressed before they are asked for."""

from dataclasses import replace

from driven_call import DrivenCall, call
from small_flows import climb, close, collect, flow, ladder, listening, menu, rung, say, transfer

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact
from ivrflow.flow.model import BargeIn

KEY: frozenset[BargeIn] = frozenset({"key"})


def choosing(barge_in: frozenset[BargeIn] = frozenset(), invalid_repeats: int = 2) -> DrivenCall:
    return call(
        flow(
            menu(
                keys={"1": "one", "2": "two"},
                barge_in=barge_in,
                no_input="silent",
                invalid_then="helpless",
                invalid_repeats=invalid_repeats,
            ),
            *(say(name, name) for name in ("one", "two", "silent", "helpless")),
        )
    )


def test_silence_repeats_the_offer_and_then_counts_as_no_input() -> None:
    silent = choosing().prompt_ends()
    assert silent.waits_for == 5.0
    assert silent.time_passes().says == ["offer", "offer"]
    assert silent.prompt_ends().time_passes().steps[-1] == "silent"


def test_an_offered_key_leads_where_it_says() -> None:
    assert choosing().prompt_ends().key("2", 4.9).steps == ["menu", "two"]
    assert choosing(KEY).key("2", 0.1).steps == ["menu", "two"]


def test_a_wrong_key_is_corrected_and_the_offer_repeated() -> None:
    wrong = choosing().prompt_ends().key("9", 1.0)
    assert wrong.says == ["offer", "invalid"]
    assert wrong.prompt_ends().says == ["offer", "invalid", "offer"]


def test_one_wrong_key_too_many_ends_in_a_word_of_its_own() -> None:
    wrong = choosing(invalid_repeats=1).prompt_ends().key("9", 1.0)
    assert wrong.prompt_ends().prompt_ends().key("9", 1.0).steps == ["menu", "helpless"]
    assert [line.detail for line in wrong.trace if line.fact is Fact.LADDER_LEFT] == ["invalid keys"]


def test_a_correction_does_not_use_up_a_repetition_of_the_offer() -> None:
    wrong = choosing().prompt_ends().key("9", 1.0).prompt_ends().prompt_ends()
    assert wrong.time_passes().says == ["offer", "invalid", "offer", "offer"]


def test_with_barge_in_a_wrong_key_cuts_the_offer_because_a_menu_answers_every_key() -> None:
    assert choosing(KEY).key("9", 0.5).says == ["offer", "invalid"]


def test_an_offered_key_may_cut_the_correction() -> None:
    assert choosing(KEY).keys("91", 0.5).steps == ["menu", "one"]


def test_without_barge_in_the_key_waits_for_the_offers_end() -> None:
    kept = choosing().key("1", 0.5)
    assert kept.steps == ["menu"]
    assert kept.prompt_ends().steps == ["menu", "one"]


def test_of_several_keys_kept_the_first_offered_one_counts() -> None:
    assert choosing().keys("921", 0.1).prompt_ends().steps == ["menu", "two"]


def test_several_wrong_keys_kept_are_one_wrong_choice() -> None:
    assert choosing(invalid_repeats=1).keys("999", 0.1).prompt_ends().says == ["offer", "invalid"]


# ── keys pressed before the step that takes them ─────────────────────────────────────────────────────────────────────


def announced(barge_in: frozenset[BargeIn]) -> DrivenCall:
    return call(
        flow(
            say("notice", "notice", then="menu"),
            menu(keys={"1": "one"}, barge_in=barge_in, no_input="silent"),
            say("one", "one"),
            say("silent", "silent"),
        )
    )


def test_a_key_pressed_during_an_announcement_waits_for_the_menu_behind_it() -> None:
    early = announced(frozenset()).key("1", 0.5)
    assert early.prompt_ends().says == ["notice", "offer"]
    assert early.prompt_ends().says == ["notice", "offer", "one"]


def test_it_spares_who_knows_the_way_an_offer_that_it_may_cut() -> None:
    assert announced(KEY).key("1", 0.5).prompt_ends().says == ["notice", "one"]


def test_a_key_that_the_menu_does_not_offer_is_no_wrong_choice_before_the_offer_was_heard() -> None:
    for barge_in in (frozenset[BargeIn](), KEY):
        early = announced(barge_in).key("7", 0.5).prompt_ends().prompt_ends()
        assert (early.says, early.session.waiting_for) == (["notice", "offer"], "the rung's wait")


def test_a_whole_path_can_be_keyed_ahead() -> None:
    path = flow(
        say("notice", "notice", then="menu"),
        menu(keys={"2": "number"}, barge_in=KEY),
        collect("number", barge_in=KEY, done="received"),
        say("received", "received"),
    )
    assert call(path).keys("2123#", 0.1).prompt_ends().says == ["notice", "received"]


def test_a_key_leads_on_from_a_ladder_too() -> None:
    path = flow(
        say("notice", "notice", then="welcome"),
        climb("welcome", rung("hello", 3.0), listens=listening(keys={"1": "one"})),
        say("one", "one"),
    )
    assert call(path).key("1", 0.1).prompt_ends().prompt_ends().says == ["notice", "hello", "one"]


def test_keys_pressed_before_the_closing_question_are_no_request() -> None:
    asked = call(flow(say("notice", "notice", then="close"), close(barge_in=KEY, request="notice")))
    assert asked.key("1", 0.5).prompt_ends().says == ["notice", "anything else"]
    assert asked.prompt_ends().session.waiting_for == "the rung's wait"


def test_keys_pressed_before_ringing_are_forgotten() -> None:
    back = call(flow(transfer("t", "connecting", busy="menu"), menu(keys={"1": "hang_up"}))).key("1", 0.5)
    back.prompt_ends().happens(m.AgentUnavailable(ticket=back.ticket(m.Ring), why="busy"), after=1.0)
    assert back.prompt_ends().session.waiting_for == "the rung's wait"


def test_speech_may_cut_the_correction_as_it_may_cut_the_offer() -> None:
    spoken = flow(
        menu(keys={"1": "one"}, barge_in=frozenset({"speech"}), speech="one"),
        say("one", "one"),
    )
    assert call(spoken).key("9", 0.1).prompt_ends().speech(0.2).says == ["offer", "invalid", "one"]


def test_a_key_that_led_nowhere_is_forgotten_when_another_cuts_the_prompt() -> None:
    path = flow(
        climb("welcome", rung("hello", 3.0), listens=listening(barge_in=KEY, keys={"1": "notice"})),
        say("notice", "notice", then="menu"),
        menu(keys={"9": "hang_up"}),
    )
    asked = call(path).keys("91", 0.2).prompt_ends().prompt_ends()
    assert (asked.steps, asked.session.waiting_for) == (["welcome", "notice", "menu"], "the rung's wait")


def test_keys_behind_the_one_that_led_on_are_for_the_next_step() -> None:
    path = flow(
        climb("welcome", rung("hello", 3.0), listens=listening(keys={"1": "menu"})),
        menu(keys={"2": "two"}),
        say("two", "two"),
    )
    assert call(path).keys("12", 0.2).prompt_ends().prompt_ends().steps == ["welcome", "menu", "two"]


def test_wrong_keys_are_counted_per_visit() -> None:
    again = call(
        flow(menu(keys={"1": "menu"}, invalid_repeats=1, invalid_then="helpless"), say("helpless", "helpless"))
    )
    for _ in range(3):
        again.prompt_ends().key("9", 1.0).prompt_ends().prompt_ends().key("1", 1.0)
    assert again.steps == ["menu"] * 4


def test_a_correction_is_no_rung_of_the_ladder_nor_of_its_rule() -> None:
    made = menu(keys={"1": "hang_up"})
    documented = replace(made, ladder=ladder(rung("offer", 5.0, rule="gov/thanks")))
    lines = call(flow(documented)).prompt_ends().key("9", 1.0).prompt_ends().trace
    rules = {line.phrase: (line.rule, line.rung) for line in lines if line.phrase}
    assert rules == {"offer": ("gov/thanks", 1), "invalid": ("", 0)}
