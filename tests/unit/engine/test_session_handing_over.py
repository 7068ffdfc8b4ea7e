"""A caller who is handed over, and what can go wrong meanwhile."""

from dataclasses import replace

import pytest
from agent_flows import QUEUE_EXITS, colleague, talking, with_agents
from driven_call import DrivenCall
from small_flows import flow, rule, rule_rung, say, transfer

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact

OPEN_LINE = rule("open_line", rule_rung("one moment"), rule_rung(task="lookup_with_line_open", leave_on="lookup_done"))
BRIEF_HOLD = rule("brief_hold", rule_rung("one moment"))


def handing_over() -> DrivenCall:
    """An agent talks with the caller and sends them to a colleague, whose telephone rings."""
    small = with_agents(flow(transfer("agent", agent_left="agent_left"), colleague(), *QUEUE_EXITS), "colleague")
    return talking(small).happens(m.TransferOrdered(step="colleague"), 1.0).prompt_ends()


def test_a_colleague_who_hangs_up_before_being_joined_gives_the_caller_back() -> None:
    over = handing_over()
    over.happens(m.AgentAnswered(ticket=over.ticket(m.Ring)), 3.0)
    assert over.says[-1] == "who is coming"
    over.happens(m.AgentLeft(ticket=over.ticket(m.Ring)), 1.0)
    assert over.says[-1] == "nobody there"
    over.prompt_ends()
    first = next(action.ticket for action in over.actions if isinstance(action, m.Ring))
    assert over.last == [m.Bridge(ticket=first)]
    assert over.session.phase == "bridged"
    assert over.session.first_to_hang_up == ""
    assert [line.detail for line in over.trace if line.fact is Fact.AGENT_LEFT] == ["before being joined"]


def test_the_colleague_is_told_and_the_caller_thanked_even_when_the_agent_did_not_wait() -> None:
    over = handing_over()
    first = next(action.ticket for action in over.actions if isinstance(action, m.Ring))
    over.happens(m.AgentLeft(ticket=first), 1.0).happens(m.AgentAnswered(ticket=over.ticket(m.Ring)), 3.0)
    assert over.says[-1] == "who is coming"
    over.prompt_ends().prompt_ends()
    assert over.says[-1] == "thank you for waiting"
    assert over.last == [m.Bridge(ticket=over.ticket(m.Ring))]


def sent_on(*, through: str = "colleague") -> DrivenCall:
    """An agent talks with the caller and sends them on; what is said then plays."""
    made = flow(
        transfer("agent", agent_left="agent_left"),
        colleague(),
        *QUEUE_EXITS,
        say("first", "of course", then="colleague"),
    )
    made = replace(made, outcomes={**made.outcomes, "hangup": through})
    over = talking(with_agents(made, "colleague"))
    if through == "colleague":
        return over.happens(m.TransferOrdered(step="colleague"), 1.0)
    over.situation("noise", 1.0)
    while over.session.step != through:
        over.silence(0.5)
    return over


@pytest.mark.parametrize("through", ["colleague", "first"])
def test_an_agent_who_leaves_in_the_announcement_has_sent_the_caller_on_all_the_same(through: str) -> None:
    over = sent_on(through=through)
    said = len(over.says)
    over.happens(m.AgentLeft(ticket=over.ticket(m.Ring)), 0.5)
    assert over.last == [], "what is said is said to its end"
    while over.playing:
        over.prompt_ends()
    assert names(over.last) == ["StartMusic", "Ring"]
    assert over.says[said:] == (["transferring"] if through == "first" else [])
    assert (over.session.phase, over.session.first_to_hang_up) == ("ringing", "")
    over.happens(m.AgentAnswered(ticket=over.ticket(m.Ring)), 3.0)
    assert over.says[-1] == "who is coming"
    assert over.prompt_ends().says[-1] == "thank you for waiting"
    assert over.prompt_ends().last == [m.Bridge(ticket=over.ticket(m.Ring))]
    over.happens(m.AgentLeft(ticket=over.ticket(m.Ring)), 30.0)
    assert (over.steps[-1], over.session.first_to_hang_up) == ("agent_left", "agent")


def test_nobody_at_the_colleagues_and_the_agent_left_in_the_announcement() -> None:
    over = sent_on()
    over.happens(m.AgentLeft(ticket=over.ticket(m.Ring)), 0.5).prompt_ends()
    over.happens(m.AgentUnavailable(ticket=over.ticket(m.Ring)), 3.0)
    assert over.steps[-1] == "no_answer"


def test_an_agent_who_leaves_a_situation_in_the_announcement_has_sent_the_caller_on() -> None:
    over = sent_on().situation("repeat", 0.2)
    over.happens(m.AgentLeft(ticket=over.ticket(m.Ring)), 0.2)
    over.happens(m.SituationCancelled(), 0.2)
    assert over.says[-1] == "transferring", "begun again, it is said to its end"
    assert names(over.prompt_ends().last) == ["StartMusic", "Ring"]


def test_who_comes_to_a_colleague_after_the_talk_is_not_announced_by_the_agent_who_left() -> None:
    made = flow(
        transfer("agent", agent_left="again"), colleague(), *QUEUE_EXITS, say("again", "one more", then="colleague")
    )
    over = talking(with_agents(made)).situation("repeat", 1.0)
    over.happens(m.AgentLeft(ticket=over.ticket(m.Ring)), 0.2).happens(m.SituationCancelled(), 0.2)
    over.prompt_ends().prompt_ends()
    over.happens(m.AgentAnswered(ticket=over.ticket(m.Ring)), 3.0)
    assert over.last[-1] == m.Bridge(ticket=over.ticket(m.Ring)), "nobody hands them over: neither whisper nor thanks"


def test_nobody_is_thanked_for_waiting_once_the_agent_left_in_a_situation_that_interrupted_it() -> None:
    over = handing_over()
    first = next(action.ticket for action in over.actions if isinstance(action, m.Ring))
    over.happens(m.AgentUnavailable(ticket=over.ticket(m.Ring)), 3.0)
    assert over.says[-1] == "nobody there"
    over.situation("repeat", 0.2).happens(m.AgentLeft(ticket=first), 0.2)
    over.happens(m.SituationCancelled(), 0.2)
    assert (over.says[-1], over.steps[-1]) == ("agent_left", "agent_left")


def test_a_managers_order_stands_in_the_trace_and_a_name_the_flow_does_not_have_does_not() -> None:
    over = handing_over()
    assert [line.detail for line in over.trace if line.fact is Fact.ORDER_GIVEN] == ["transfer colleague"]
    refused = talking(with_agents(flow(transfer("agent")))).happens(m.TransferOrdered(step="13800001111"), 1.0)
    assert refused.trace[-1].fact is Fact.IGNORED
    assert all("13800001111" not in line.detail for line in refused.trace)


def test_no_situation_is_started_while_the_colleague_is_told_who_is_coming() -> None:
    over = handing_over()
    over.happens(m.AgentAnswered(ticket=over.ticket(m.Ring)), 3.0).situation("repeat", 0.5)
    assert over.last == []
    assert over.trace[-1].detail == "situation repeat: not while the caller is handed over"


def test_an_agent_whose_telephone_holds_while_handing_over_is_not_joined_before_being_back() -> None:
    over = handing_over()
    first = next(action.ticket for action in over.actions if isinstance(action, m.Ring))
    over.happens(m.HoldStarted(ticket=first), 1.0)
    over.happens(m.AgentUnavailable(ticket=over.ticket(m.Ring)), 3.0)
    assert over.playing is not None
    assert over.playing.hearer == "caller"
    over.prompt_ends()
    assert names(over.last) == ["StartMusic", "Instruct"]
    over.happens(m.HoldEnded(ticket=first), 5.0)
    assert names(over.last) == ["StopMusic", "Bridge"]


def test_a_hold_that_outlasts_its_situation_has_music() -> None:
    held = talking(with_agents(flow(transfer("agent"), rules=(BRIEF_HOLD,)), hold="brief_hold"))
    held.happens(m.HoldStarted(ticket=held.ticket(m.Ring)), 1.0)
    assert held.says == ["one moment"]
    held.prompt_ends()
    assert names(held.last) == ["StartMusic", "Instruct"]
    held.happens(m.HoldEnded(ticket=held.ticket(m.Ring)), 5.0)
    assert names(held.last) == ["StopMusic", "Bridge"]


def test_on_an_open_line_caller_and_agent_hear_each_other_unless_the_telephone_holds() -> None:
    small = with_agents(flow(transfer("agent"), rules=(OPEN_LINE,)), hold="open_line")
    open_line = talking(small).situation("open_line", 1.0).prompt_ends()
    assert names(open_line.last) == ["Bridge", "Instruct"]
    held = talking(small)
    held.happens(m.HoldStarted(ticket=held.ticket(m.Ring)), 1.0).prompt_ends()
    assert names(held.last) == ["StartMusic", "Instruct"]


def test_an_agent_who_is_back_from_hold_does_not_cut_another_situation() -> None:
    noisy = talking(with_agents(flow(transfer("agent"))))
    ticket = noisy.ticket(m.Ring)
    noisy.situation("noise", 1.0).happens(m.HoldStarted(ticket=ticket), 0.5).happens(m.HoldEnded(ticket=ticket), 0.5)
    assert noisy.last == []
    assert noisy.session.step == "situation noise"


def test_an_agent_who_is_back_in_the_wait_of_another_situation_is_joined_for_the_rest_of_it() -> None:
    repeated = talking(with_agents(flow(transfer("agent"))))
    ticket = repeated.ticket(m.Ring)
    repeated.situation("repeat", 1.0).happens(m.HoldStarted(ticket=ticket), 0.5).prompt_ends()
    assert repeated.last == []
    assert repeated.happens(m.HoldEnded(ticket=ticket), 1.0).last == [m.Bridge(ticket=ticket)]


def names(actions: list[m.Action]) -> list[str]:
    return [type(action).__name__ for action in actions]


def test_a_situation_whose_last_task_is_done_parts_the_two_before_a_colleague_is_rung_without_a_word() -> None:
    silently = replace(colleague(), announce=())
    small = flow(
        transfer("agent", agent_left="agent_left"),
        silently,
        *QUEUE_EXITS,
        rules=(rule("report", rule_rung("one moment"), rule_rung(task="report_it"), then="escalate"),),
        outcomes={"escalate": "colleague"},
    )
    over = talking(small).situation("report", 1.0).prompt_ends()
    assert names(over.last) == ["Bridge", "Instruct"], "the task is done while the two talk"
    first = over.ticket(m.Ring)
    over.happens(m.TaskDone(ticket=over.ticket(m.Instruct)), 4.0)
    assert over.steps[-1] == "colleague"
    assert over.last[0] == m.Part(ticket=first)
    over.happens(m.AgentAnswered(ticket=over.ticket(m.Ring)), 3.0).prompt_ends()
    assert over.says[-1] == "thank you for waiting"
