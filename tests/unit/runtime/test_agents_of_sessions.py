"""The agents of calls as the engine itself conducts them."""

from dataclasses import replace
from typing import Self

from agent_flows import QUEUE_EXITS, colleague, queue, with_agents
from driven_call import DrivenCall
from small_flows import flow, ladder, rung, say

from ivrflow.engine import messages as m
from ivrflow.flow.model import CallFlow, Queue, Step
from ivrflow.runtime.journal_figures import figures_of
from ivrflow.runtime.journal_legs import AgentLeg, AgentsSeen, add_holds

BACK = say("elsewhere", "elsewhere")
CODE = "*85"


class WatchedCall(DrivenCall):
    """A call whose agents are watched as the journal does it."""

    def __init__(self, hotline: CallFlow) -> None:
        self.seen = AgentsSeen([CODE])
        super().__init__(hotline)
        self.answered()

    def happens(self, event: m.CallEvent, after: float = 0.0) -> Self:
        super().happens(event, after)
        self.seen.happened(self.now, event, self.last)
        return self

    def agent(self, after: float, **told: object) -> Self:
        """Whoever is sought answers."""
        seeks = [action.ticket for action in self.actions if isinstance(action, m.Ring | m.JoinQueue)]
        self.silence(after)
        return self.happens(m.AgentAnswered(ticket=seeks[-1], **told))  # type: ignore[arg-type]  # its fields

    def legs(self) -> list[AgentLeg]:
        """With the holds that the trace tells."""
        add_holds(self.seen.legs, self.seen.began or 0.0, self.trace)
        return self.seen.legs


def queued(step: Queue | None = None, *more: Step) -> WatchedCall:
    hold = ladder(rung(task="hold", wait=60.0), name="hold")
    hotline = replace(flow(step or queue(), *QUEUE_EXITS, BACK, *more), situations={"hold": hold})
    return WatchedCall(with_agents(hotline, "colleague", hold="hold", codes={CODE: ("transfer", "colleague")}))


def test_a_wait_a_talk_and_an_agent_who_hangs_up() -> None:
    call = queued().agent(12.0, agent="1001", rang=4.0).silence(30)
    call.happens(m.AgentLeft(ticket=call.ticket(m.JoinQueue)))
    (leg,) = call.legs()
    assert (leg.queue, leg.waited, leg.rang, leg.agent, leg.talked, leg.ended_by) == (
        "agents",
        12.0,
        4.0,
        "1001",
        30.0,
        "agent",
    )
    assert figures_of(call.trace)["agent_after"] == 12.0


def test_a_caller_who_gives_up_and_one_who_chooses_something_else() -> None:
    gave_up = queued().silence(40)
    (leg,) = gave_up.happens(m.CallerHungUp()).legs()
    assert (leg.ending, leg.waited) == ("abandoned", 40.0)
    (leg,) = queued(queue(keys={"1": "elsewhere"})).silence(40).key("1").legs()
    assert (leg.ending, leg.waited) == ("left", 40.0)


def test_the_bound_and_the_next_level() -> None:
    call = queued(queue(levels={"agents": 0.0, "seniors": 60.0})).silence(181)
    first, second = call.legs()
    assert (first.ending, first.waited) == ("next_level", 60.0)
    assert (second.queue, second.ending, second.waited) == ("seniors", "no_answer", 180.0)
    assert figures_of(call.trace)["agents_rung"] == 1


def test_a_hold_of_the_agents_telephone() -> None:
    call = queued().agent(5.0).silence(10)
    ticket = call.ticket(m.JoinQueue)
    call.happens(m.HoldStarted(ticket=ticket)).silence(20).happens(m.HoldEnded(ticket=ticket)).silence(10)
    (leg,) = call.happens(m.CallerHungUp()).legs()
    assert (leg.held, leg.talked, leg.ended_by) == (20.0, 20.0, "caller")


def test_a_warm_transfer() -> None:
    call = queued(None, colleague()).agent(5.0, agent="1001").silence(10)
    call.happens(m.AgentKeyed(ticket=call.ticket(m.JoinQueue), code=CODE))
    while call.playing:
        call.prompt_ends()
    call.agent(6.0, agent="1002", rang=6.0)
    while call.playing:
        call.prompt_ends()
    call.silence(20).happens(m.CallerHungUp())
    first, second = call.legs()
    assert (first.transfers, first.ended_by, first.agent) == (1, "agent", "1001")
    assert (second.extension, second.agent, second.rang, second.ended_by) == ("1002", "1002", 6.0, "caller")
    assert second.talked == 20.0


def test_a_blind_transfer() -> None:
    call = queued(None, colleague(warm=False)).agent(5.0).silence(10)
    call.happens(m.TransferOrdered(step="colleague")).silence(30)
    first, second = call.legs()
    assert (first.transfers, first.ended_by) == (1, "agent")
    assert (second.ending, second.transfers) == ("no_answer", 0)
