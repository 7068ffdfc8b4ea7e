"""Closing: anything else? – pause – farewell – wait for the caller to hang up first."""

from dataclasses import replace

import pytest
from driven_call import DrivenCall, call
from small_flows import BOTH, close, flow, say, transfer

from ivrflow.engine import messages as m
from ivrflow.flow.model import BargeIn, Step

NOBODY: frozenset[BargeIn] = frozenset()


def closing(barge_in: frozenset[BargeIn] = NOBODY, reminder: str | None = "reminder") -> DrivenCall:
    return call(flow(close(barge_in=barge_in, request="help", reminder=reminder), say("help", "how can I help")))


def guarding() -> DrivenCall:
    return closing().prompt_ends().time_passes().prompt_ends()


def test_the_question_a_pause_the_farewell_then_the_caller_hangs_up_first() -> None:
    closed = closing()
    assert (closed.says, closed.session.phase) == (["anything else"], "closing")
    assert closed.prompt_ends().waits_for == 2.0
    assert closed.time_passes().says == ["anything else", "goodbye"]
    closed.prompt_ends()
    assert (closed.session.phase, closed.session.waiting_for) == ("awaiting hangup", "the caller to hang up first")
    assert closed.waits_for == 10.0
    closed.hangs_up(3.0)
    assert (closed.session.first_to_hang_up, closed.session.outcome) == ("caller", "caller_hung_up")
    assert closed.verdict("gov/anything_else").judgement == "kept"
    assert closed.verdict("gov/closing").judgement == "kept"


def test_a_caller_who_stays_is_reminded_once_and_then_hung_up_on() -> None:
    stays = guarding().time_passes()
    assert stays.says[-1] == "reminder"
    assert stays.prompt_ends().waits_for == 10.0
    stays.time_passes()
    assert stays.last == [m.EndCall(outcome="closed_by_ivrflow")]
    assert stays.session.first_to_hang_up == "ivrflow"


def test_without_a_reminder_the_guard_ends_the_call() -> None:
    stays = closing(reminder=None).prompt_ends().time_passes().prompt_ends().time_passes()
    assert stays.last == [m.EndCall(outcome="closed_by_ivrflow")]


def test_speech_or_any_key_after_the_question_is_a_request() -> None:
    for asks in (
        closing().prompt_ends().speech(1.0),
        *(closing().prompt_ends().key(key, 1.0) for key in "0123456789*#"),
    ):
        assert asks.steps == ["close", "help"]
        assert asks.session.phase == "conversing"


def test_during_the_question_it_cuts_where_it_may_and_waits_where_it_may_not() -> None:
    assert closing(BOTH).speech(0.5).steps == ["close", "help"]
    assert closing(BOTH).key("3", 0.5).steps == ["close", "help"]
    assert closing().remark(0.5).steps == ["close"]
    assert closing().remark(0.5).prompt_ends().steps == ["close", "help"]
    assert closing().key("3", 0.5).prompt_ends().steps == ["close", "help"]


def test_the_word_of_the_standard_is_a_request_too() -> None:
    assert closing().signal("caller_has_request", 0.5).steps == ["close", "help"]


def test_thanking_during_the_farewell_is_no_request() -> None:
    thanks = closing(BOTH).prompt_ends().time_passes()
    assert thanks.says[-1] == "goodbye"
    assert thanks.remark(0.3).key("5", 0.1).last == []
    assert thanks.prompt_ends().session.waiting_for == "the caller to hang up first"


def test_neither_speech_nor_keys_move_the_guard() -> None:
    waiting = guarding()
    deadline = waiting.session.deadline
    waiting.remark(1.0).key("1", 1.0)
    assert (waiting.session.deadline, waiting.session.phase) == (deadline, "awaiting hangup")


def test_a_close_without_words_waits_at_once() -> None:
    waits = call(flow(close(ask=False)))
    assert (waits.says, waits.session.phase, waits.waits_for) == ([], "awaiting hangup", 10.0)


@pytest.mark.parametrize("ask", [True, False])
@pytest.mark.parametrize("stage", ["question", "pause", "farewell", "guard", "reminder"])
def test_a_situation_while_closing_may_lead_to_closing_again(stage: str, *, ask: bool) -> None:
    again = call(
        flow(close(request="help"), close("again", ask=ask), say("help", "help"), outcomes={"continue": "again"})
    )
    reach(again, stage).situation("thanks", 0.5).prompt_ends()
    assert again.steps[-1] == "again"
    assert again.session.phase == ("closing" if ask else "awaiting hangup")
    assert again.silence(60).session.outcome == "closed_by_ivrflow"


@pytest.mark.parametrize("stage", ["question", "pause", "farewell", "guard", "reminder"])
@pytest.mark.parametrize("target", [transfer("there"), say("there", "there", then="close"), close("there", ask=False)])
def test_a_situation_while_closing_may_lead_to_any_step(stage: str, target: Step) -> None:
    led = call(flow(close(), target, outcomes={"continue": "there"}))
    reach(led, stage).situation("thanks", 0.5).prompt_ends()
    assert led.steps[-1] == "there"
    assert led.session.phase in {"ringing", "conversing", "awaiting hangup"}
    led.silence(200)
    assert led.session.is_over


@pytest.mark.parametrize("stage", ["question", "pause", "farewell", "guard", "reminder"])
def test_a_situation_while_closing_may_come_back(stage: str) -> None:
    back = reach(call(flow(close())), stage)
    phase, says, waiting_for = back.session.phase, back.says, back.session.waiting_for
    back.situation("thanks", 0.5).prompt_ends()
    assert (back.session.phase, back.session.waiting_for) == (phase, waiting_for)
    assert back.says == [*says, "not at all", *(says[-1:] if stage in {"question", "farewell", "reminder"} else [])]


def reach(closed: DrivenCall, stage: str) -> DrivenCall:
    """Bring a call that has just begun to close to `stage`."""
    match stage:
        case "question":
            return closed
        case "pause":
            return closed.prompt_ends()
        case "farewell":
            return closed.prompt_ends().time_passes()
        case "guard":
            return closed.prompt_ends().time_passes().prompt_ends()
        case _:
            return closed.prompt_ends().time_passes().prompt_ends().time_passes()


def test_waiting_for_the_caller_to_hang_up_is_no_rung_of_the_farewells_rule() -> None:
    lines = guarding().hangs_up(1.0).trace
    assert [(line.rule, line.rung) for line in lines[-3:]] == [("", 0)] * 3


def surveyed(*, answered: bool) -> DrivenCall:
    closes = replace(close("close", request="agent"), survey="survey")
    made = flow(
        transfer("agent", agent_left="close", no_answer="close"), closes, say("survey", "how was it", then="close")
    )
    ringing = call(made)
    ticket = ringing.ticket(m.Ring)
    if not answered:
        return ringing.happens(m.AgentUnavailable(ticket=ticket), 5.0)
    return ringing.happens(m.AgentAnswered(ticket=ticket), 3.0).happens(m.AgentLeft(ticket=ticket), 60.0)


def test_who_talked_with_an_agent_is_asked_how_it_was_after_the_farewell_once() -> None:
    closed = surveyed(answered=True).prompt_ends().time_passes().prompt_ends()
    assert closed.says == ["anything else", "goodbye", "how was it"]
    closed.prompt_ends().prompt_ends().time_passes().prompt_ends()
    assert closed.says == ["anything else", "goodbye", "how was it", "anything else", "goodbye"]
    assert closed.session.waiting_for == "the caller to hang up first"


def test_who_met_nobody_is_not_asked_how_it_was() -> None:
    closed = surveyed(answered=False).prompt_ends().time_passes().prompt_ends()
    assert closed.says == ["anything else", "goodbye"]
    assert closed.session.waiting_for == "the caller to hang up first"
