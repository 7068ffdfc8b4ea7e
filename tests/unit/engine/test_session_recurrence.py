"""Ladders that go on when their situation happens again on the same call."""

import pytest
from driven_call import DrivenCall, call
from small_flows import HOLD_RULES, RULES, flow, menu

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact, Judgement


def hotline() -> DrivenCall:
    return call(flow(menu(keys={"1": "hang_up"}), rules=(*RULES, *HOLD_RULES)))


def civil(asked: DrivenCall) -> DrivenCall:
    return asked.situation("abuse", 0.5).signal("caller_civil", 1.0)


def warnings(asked: DrivenCall) -> list[str]:
    return [phrase for phrase in asked.says if phrase in {"be civil", "last warning"}]


def test_each_rung_is_said_on_a_new_occurrence_and_then_the_call_ends() -> None:
    asked = hotline()
    for _ in range(3):
        civil(asked)
        assert asked.session.step == "menu"
    assert warnings(asked) == ["be civil", "be civil", "last warning"]
    asked.situation("abuse", 0.5)
    assert asked.last[-1] == m.EndCall(outcome="hung_up")
    verdict = asked.verdict("gov/abuse")
    assert (verdict.judgement, verdict.observed) == (Judgement.KEPT, "then hung up")


def test_silence_after_a_reminder_is_no_new_occurrence() -> None:
    asked = hotline().situation("abuse", 0.5).prompt_ends()
    assert asked.session.step == "menu", "the reminder is said, the call goes on"
    assert [line.detail for line in asked.trace if line.fact is Fact.LADDER_PAUSED] == ["until it happens again"]
    assert asked.verdict("gov/abuse").observed == "rung 1 of 3, until it happens again"
    asked.situation("abuse", 5.0).prompt_ends()
    assert warnings(asked) == ["be civil", "be civil"]
    assert asked.verdict("gov/abuse").judgement is Judgement.KEPT


def test_a_situation_taken_back_did_not_happen() -> None:
    asked = hotline().situation("abuse", 0.5).happens(m.SituationCancelled(), 1.0)
    civil(civil(asked))
    assert warnings(asked) == ["be civil"] * 3
    assert asked.verdict("gov/abuse").judgement is Judgement.KEPT


def test_other_situations_begin_anew_each_time() -> None:
    asked = civil(hotline()).situation("noise", 0.5).signal("audible", 0.5).situation("noise", 0.5)
    assert asked.says[-1] == "louder"
    assert [line.rung for line in asked.trace if line.fact is Fact.LADDER_BEGUN] == [1, 1, 1, 1], (
        "the menu, and each from its first rung"
    )


@pytest.mark.parametrize("again", [1, 2])
def test_where_it_goes_on_stands_in_the_trace(again: int) -> None:
    asked = hotline()
    for _ in range(again + 1):
        civil(asked)
    begun = [line for line in asked.trace if line.fact is Fact.SITUATION_STARTED]
    assert [line.rung for line in begun] == list(range(1, again + 2))
