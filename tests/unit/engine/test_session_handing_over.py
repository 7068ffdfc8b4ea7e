"""A caller who is handed over, and what can go wrong meanwhile."""

from agent_flows import QUEUE_EXITS, colleague, talking, with_agents
from driven_call import DrivenCall
from small_flows import flow, transfer

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact


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
