"""Collecting digits: two timeouts, partial entries, keys that come early and late."""

import pytest
from driven_call import DrivenCall, call
from small_flows import collect, flow, menu, say

from ivrflow.engine.trace import Fact
from ivrflow.flow.model import BargeIn

KEY: frozenset[BargeIn] = frozenset({"key"})


def collecting(barge_in: frozenset[BargeIn] = frozenset(), repeats: int = 1) -> DrivenCall:
    return call(
        flow(
            collect(barge_in=barge_in, repeats=repeats, done="done", no_input="silent", incomplete="partial"),
            say("done", "thanks", then="choose"),
            say("silent", "nothing came"),
            say("partial", "too few"),
            menu("choose", keys={"1": "partial", "#": "silent"}),
        )
    )


def digits(collected: DrivenCall) -> list[str]:
    return [line.key for line in collected.trace if line.fact is Fact.DIGITS_COLLECTED]


def test_nothing_keyed_is_asked_again_and_then_given_up() -> None:
    silent = collecting().prompt_ends()
    assert (silent.session.waiting_for, silent.waits_for) == ("the first-digit timeout", 6.0)
    silent.time_passes()
    assert silent.says == ["ask", "ask"]
    assert silent.prompt_ends().time_passes().says[-1] == "nothing came"


def test_each_digit_begins_the_inter_digit_timeout_anew() -> None:
    keying = collecting().prompt_ends().key("1", 5.9)
    assert (keying.session.waiting_for, keying.waits_for) == ("the inter-digit timeout", 4.0)
    assert keying.key("2", 3.9).waits_for == 4.0


def test_a_partial_entry_times_out_and_is_asked_again_with_its_own_words() -> None:
    partial = collecting().prompt_ends().key("1", 1.0).time_passes()
    assert partial.says == ["ask", "incomplete"]
    assert partial.prompt_ends().says == ["ask", "incomplete", "ask"]
    assert partial.prompt_ends().key("1", 1.0).time_passes().says[-1] == "too few"


def test_enough_digits_are_an_entry_when_the_timeout_passes() -> None:
    done = collecting().prompt_ends().keys("12", 1.0).time_passes()
    assert (digits(done), done.says[-1]) == (["12"], "thanks")


def test_the_end_key_ends_the_entry_at_once() -> None:
    done = collecting().prompt_ends().keys("123#", 1.0)
    assert (digits(done), done.says[-1]) == (["123"], "thanks")


def test_the_last_possible_digit_ends_the_entry_at_once() -> None:
    assert digits(collecting().prompt_ends().keys("1234", 1.0)) == ["1234"]


@pytest.mark.parametrize("key", ["*", "A", "D"])
def test_a_key_that_is_no_digit_moves_no_timeout(key: str) -> None:
    keying = collecting().prompt_ends().key("1", 1.0)
    deadline = keying.session.deadline
    assert keying.key(key, 1.0).session.deadline == deadline


def test_speech_moves_no_timeout_and_cuts_no_question() -> None:
    keying = collecting(frozenset({"key", "speech"})).remark(0.2)
    assert keying.last == []
    keying.prompt_ends()
    deadline = keying.session.deadline
    assert keying.remark(1.0).session.deadline == deadline


def test_the_first_digit_may_cut_the_question_and_counts() -> None:
    keying = collecting(KEY).key("1", 0.5)
    assert keying.playing is None
    assert (keying.session.waiting_for, keying.waits_for) == ("the inter-digit timeout", 4.0)
    assert digits(keying.keys("234", 0.5)) == ["1234"]


def test_a_key_that_is_no_digit_cuts_no_question() -> None:
    assert collecting(KEY).key("*", 0.5).last == []


def test_without_barge_in_keys_are_kept_until_the_question_ended() -> None:
    kept = collecting().keys("12", 0.2)
    assert kept.says == ["ask"]
    kept.prompt_ends()
    assert (kept.session.waiting_for, kept.waits_for) == ("the inter-digit timeout", 4.0)
    assert digits(kept.key("#")) == ["12"]


def test_a_whole_entry_keyed_during_the_question_is_done_when_it_ended() -> None:
    assert digits(collecting().keys("123#", 0.2).prompt_ends()) == ["123"]


def test_a_digit_may_cut_the_words_about_an_incomplete_entry() -> None:
    again = collecting(KEY).prompt_ends().key("1", 1.0).time_passes()
    assert again.says == ["ask", "incomplete"]
    assert digits(again.keys("567#", 0.3)) == ["1", "567"]
    assert again.says == ["ask", "incomplete", "thanks"]


@pytest.mark.parametrize("first", ["1234", "12"], ids=["after the last possible digit", "after the timeout"])
def test_a_late_end_key_belongs_to_the_entry_before_it(first: str) -> None:
    done = collecting().prompt_ends().keys(first, 0.5)
    if first == "12":
        done.time_passes()
    done.key("#", 0.3)
    done.prompt_ends().prompt_ends()
    assert (done.session.step, done.session.waiting_for) == ("choose", "the rung's wait")


def test_the_end_key_is_a_key_like_any_other_once_the_next_wait_has_begun() -> None:
    assert collecting().prompt_ends().keys("1234", 0.5).prompt_ends().prompt_ends().key("#", 0.3).steps[-1] == "silent"


def test_a_late_end_key_keyed_ahead_belongs_to_the_entry_before_it() -> None:
    done = collecting().keys("1234#1", 0.1).prompt_ends()
    assert digits(done) == ["1234"]
    done.prompt_ends().prompt_ends()
    assert done.steps[-1] == "partial", "the 1 keyed ahead chose in the menu"


def test_an_end_key_after_another_key_is_no_late_end_key() -> None:
    done = collecting().prompt_ends().keys("1234", 0.5).keys("9#", 0.1).prompt_ends().prompt_ends()
    assert done.steps[-1] == "silent"


def test_repeats_of_zero_ask_once() -> None:
    assert collecting(repeats=0).prompt_ends().time_passes().says == ["ask", "nothing came"]


def test_an_end_key_alone_is_an_incomplete_entry() -> None:
    assert collecting().prompt_ends().key("#", 1.0).says == ["ask", "incomplete"]


def test_questions_are_counted_per_visit() -> None:
    again = call(flow(collect(no_input="menu", repeats=1), menu("menu", keys={"1": "collect"})))
    for _ in range(2):
        again.prompt_ends().time_passes().prompt_ends().time_passes()
        again.prompt_ends().key("1", 1.0)
    assert again.says == ["ask", "ask", "offer"] * 2 + ["ask"]
