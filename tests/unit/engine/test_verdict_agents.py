"""What agents do, and what it is held against: the verdicts on holds and queues."""

import pytest
from agent_flows import QUEUE_EXITS, queue, talking, with_agents
from driven_call import DrivenCall, call
from small_flows import flow, ladder, rule, rule_rung, rung, transfer

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Judgement
from ivrflow.flow.model import Band

HOLD = rule(
    "hold",
    rule_rung("please wait"),
    rule_rung(task="hold", wait=(15, 15), leave_on="lookup_done"),
    rule_rung("still looking"),
    loops_from=2,
)
SORRY = rule("sorry", rule_rung("sorry for the wait"), after="hold", limits={"apology_if_wait_over_s": 6.0})


def held() -> DrivenCall:
    small = with_agents(
        flow(transfer("agent", agent_left="agent_left"), *QUEUE_EXITS, rules=(HOLD, SORRY)), hold="hold"
    )
    call = talking(small)
    return call.happens(m.HoldStarted(ticket=call.ticket(m.Ring)), 1.0).prompt_ends()


def test_an_apology_is_owed_once_for_a_hold_with_reports_in_it() -> None:
    long = held().silence(20)
    long.happens(m.HoldEnded(ticket=long.ticket(m.Ring)))
    assert long.says[-1] == "sorry for the wait"
    long.prompt_ends()
    assert long.verdict("gov/sorry").judgement is Judgement.KEPT
    assert long.verdict("gov/sorry").observed.endswith("the caller waited 18.00 s")


def test_a_report_that_the_agents_return_cuts_is_followed_by_the_apology() -> None:
    back = held().silence(16)
    back.happens(m.HoldEnded(ticket=back.ticket(m.Ring))).prompt_ends()
    assert back.verdict("gov/sorry").judgement is Judgement.KEPT


def test_nobody_owes_an_apology_when_the_agent_who_held_is_gone() -> None:
    gone = held().silence(8)
    gone.happens(m.AgentLeft(ticket=gone.ticket(m.Ring)))
    assert gone.verdict("gov/sorry").judgement is not Judgement.BROKEN
    kept = gone.verdict("gov/hold")
    assert (kept.judgement, kept.observed) == (Judgement.KEPT, "until the agent was gone")


@pytest.mark.parametrize("leaves", ["agent", "caller", "line"])
def test_nobody_owes_an_apology_when_somebody_leaves_in_a_report(leaves: str) -> None:
    gone = held().silence(15.5)
    assert gone.says[-1] == "still looking"
    events: dict[str, m.CallEvent] = {
        "agent": m.AgentLeft(ticket=gone.ticket(m.Ring)),
        "caller": m.CallerHungUp(),
        "line": m.LineLost(),
    }
    gone.happens(events[leaves])
    if leaves == "agent":
        gone.prompt_ends()
        assert gone.says[-1] == "agent_left"
    assert gone.verdict("gov/sorry").judgement is not Judgement.BROKEN
    assert gone.verdict("gov/hold").judgement is Judgement.KEPT


def test_a_documented_wait_in_a_queue_is_not_broken_by_who_answers() -> None:
    patience = rule("patience", rule_rung("please wait", (30, 30)))
    waiting = ladder(rung("please wait", 30.0, rule="gov/patience", band=Band(30, 30)), name="patience")
    small = flow(queue(waiting=waiting), *QUEUE_EXITS, rules=(patience,))
    queued = call(small).prompt_ends()
    queued.happens(m.AgentAnswered(ticket=queued.ticket(m.JoinQueue)), 8.0)
    assert queued.verdict("gov/patience").judgement is Judgement.KEPT


@pytest.mark.parametrize(("seconds", "judged"), [(15, Judgement.KEPT), (35, Judgement.BROKEN)])
def test_a_telephone_that_holds_longer_than_its_situation_keeps_the_caller_waiting_all_that_time(
    seconds: float, judged: Judgement
) -> None:
    short = rule("short", rule_rung("one minute"), rule_rung(task="look_up"), limits={"max_hold_s": 20.0})
    small = with_agents(flow(transfer("agent", agent_left="agent_left"), *QUEUE_EXITS, rules=(short,)), hold="short")
    held = talking(small)
    held.happens(m.HoldStarted(ticket=held.ticket(m.Ring)), 1.0).prompt_ends().silence(seconds)
    held.happens(m.HoldEnded(ticket=held.ticket(m.Ring)))
    assert held.verdict("gov/short").judgement is judged
    assert f"kept waiting {seconds:.2f} s" in held.verdict("gov/short").observed
