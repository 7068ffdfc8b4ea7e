"""Queues, agents on the line, messages and look-ups around a tried call: what reaches the engine, and when."""

from dataclasses import replace
from typing import TypeVar

import pytest
from agent_flows import QUEUE_EXITS, ask, colleague, queue, record, with_agents
from simulated_calls import TEN_IN_THE_MORNING
from small_flows import WHERE, flow, menu, say

from ivrflow.engine import messages as m
from ivrflow.flow.model import Keep
from ivrflow.simulator.agents import read_agent
from ivrflow.simulator.call_file import place_call
from ivrflow.simulator.caller import Vocabulary, read_command
from ivrflow.simulator.look_ups import read_look_up
from ivrflow.simulator.queues import read_queue
from ivrflow.simulator.simulation import Simulation

TALKS = with_agents(
    flow(
        queue(levels={"agents": 0.0, "experts": 30.0}, keys={"1": "message"}),
        *QUEUE_EXITS,
        colleague(),
        record(),
        menu("recorded", keys={"1": "keep"}, no_input="keep"),
        Keep("keep", WHERE, "kept"),
        say("kept", "kept"),
        say("nothing", "nothing"),
        ask(),
        *[say(name, name) for name in ("open", "done", "late", "wrong", "failed")],
    ),
    "colleague",
    codes={"*80": ("cancel", "")},
)
KNOWN = Vocabulary.of(TALKS)
Event = TypeVar("Event", bound=m.CallEvent)


def tried(*said: str, start: str = "queue") -> Simulation:
    """A call with agents and queues as a call file's head says; `lookup:` and `agent:` stand before, the rest are queues."""
    agents = [read_agent(line.removeprefix("agent: ")) for line in said if line.startswith("agent: ")]
    look_ups = [read_look_up(line.removeprefix("lookup: ")) for line in said if line.startswith("lookup: ")]
    queues = [read_queue(line) for line in said if ":" not in line]
    flow_here = replace(TALKS, start=start)
    return place_call(flow_here, TEN_IN_THE_MORNING, agents, queues=queues, look_up=look_ups[-1] if look_ups else None)


def do(call: Simulation, *lines: str) -> list[str]:
    """Do commands; why each came to nothing, empty for those that did."""
    commands = [read_command(line, KNOWN) for line in lines]
    return [call.caller(command) for command in commands if command is not None]


def told(call: Simulation, kind: type[Event]) -> list[tuple[float, Event]]:
    return [(happening.at, happening.event) for happening in call.record if isinstance(happening.event, kind)]


# ── queues ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_queue_nobody_speaks_of_is_answered_as_agents_answer() -> None:
    ((at, answered),) = told(run_out(tried("agent: answers 7s")), m.AgentAnswered)
    assert (at, answered.agent, answered.rang) == (7.0, "", 4.0)


def test_the_first_agent_who_is_free_answers() -> None:
    call = run_out(tried("agents 1001 answers 12s rings 5s", "agents 1002 busy", "agents 1003 answers 9s rings 20s"))
    ((at, answered),) = told(call, m.AgentAnswered)
    assert (at, answered.agent, answered.rang) == (9.0, "1003", 9.0), "nobody rings longer than the caller waits"


@pytest.mark.parametrize("members", [["agents nobody"], ["agents 1001 paused", "agents 1002 logged_out"]])
def test_nobody_is_there(members: list[str]) -> None:
    ((at, gone),) = told(run_out(tried(*members)), m.AgentUnavailable)
    assert (at, gone.why) == (0.0, "nobody")


def test_a_queue_is_full() -> None:
    ((at, gone),) = told(run_out(tried("agents full")), m.AgentUnavailable)
    assert (at, gone.why) == (0.0, "full")


def test_callers_come_forward_evenly_until_somebody_answers() -> None:
    moves = told(run_out(tried("agents position 3 expects 60s", "agents 1001 answers 12s")), m.QueueMoved)
    assert [(at, moved.position, moved.expected_s) for at, moved in moves] == [
        (0.0, 3, 60.0),
        (4.0, 2, 40.0),
        (8.0, 1, 20.0),
    ]


def test_where_nobody_answers_nobody_comes_forward() -> None:
    moves = told(run_out(tried("agents position 3", "agents 1001 away", "experts nobody")), m.QueueMoved)
    assert {moved.position for _, moved in moves} == {3}, "nor after nobody was found at the next level"


def test_the_next_level_is_another_queue() -> None:
    call = run_out(tried("agents 1001 away", "experts 1005 answers 3s"))
    ((at, answered),) = told(call, m.AgentAnswered)
    assert (at, answered.agent) == (33.0, "1005")


def test_what_changes_in_a_queue_changes_for_who_waits_in_it() -> None:
    call = tried("agents 1001 away")
    assert do(call, "/silence 5s", "/queue agents position 4 expects 2m", "/silence 5s") == ["", "", ""]
    do(call, "/queue agents 1001 answers")
    ((at, moved),) = told(call, m.QueueMoved)[1:]
    assert (at, moved.position, moved.expected_s) == (5.0, 4, 120.0)
    assert [at for at, _ in told(call, m.AgentAnswered)] == [10.0]


def test_an_agent_who_comes_to_answer_does_so_now() -> None:
    call = tried("agents 1001 away")
    do(call, "/silence 5s", "/agent answers")
    assert [at for at, _ in told(call, m.AgentAnswered)] == [5.0]


def test_the_last_agent_leaves_the_queue() -> None:
    call = tried("agents 1001 away")
    do(call, "/silence 5s", "/queue agents 1001 logged_out")
    assert [(at, gone.why) for at, gone in told(call, m.AgentUnavailable)] == [(5.0, "nobody")]


def test_a_full_queue_sends_nobody_away_who_waits_in_it() -> None:
    call = tried("agents 1001 answers 20s")
    do(call, "/silence 5s", "/queue agents full", "/silence 20s")
    assert not told(call, m.AgentUnavailable)


def test_whose_turn_it_is_while_waiting_in_a_queue() -> None:
    call = tried("agents 1001 answers 20s")
    assert call.is_listening
    do(call, "/silence 21s")
    assert not call.is_listening, "an agent talks"


# ── agents on the line ────────────────────────────────────────────────────────────────────────────────────────────────


def talking(*said: str) -> Simulation:
    call = tried("agents 1001 answers 2s talks 60s", *said)
    do(call, "/silence 5s")
    return call


def test_an_agent_holds_and_is_back() -> None:
    call = talking()
    assert do(call, "/agent is back", "/agent holds", "/agent holds") == [
        "the agent does not hold",
        "",
        "the agent holds already",
    ]
    do(call, "/silence 8s", "/agent is back")
    assert [at for at, _ in told(call, m.HoldStarted)] == [5.0]
    assert [at for at, _ in told(call, m.HoldEnded)] == [13.0]


def test_an_agent_who_holds_for_so_long_is_back_by_themselves_and_then_talks_on() -> None:
    call = talking()
    do(call, "/agent holds 20s")
    run_out(call)
    assert [at for at, _ in told(call, m.HoldEnded)] == [25.0]
    assert [at for at, _ in told(call, m.AgentLeft)] == [82.0], "sixty seconds of talk, and the twenty between"


def test_nobody_holds_keys_or_transfers_without_an_agent() -> None:
    call = tried("agents 1001 away")
    assert (
        do(call, "/agent holds", "/agent keys *80", "/agent transfers colleague", "/agent leaves")
        == ["no agent is talking"] * 4
    )


def test_an_agent_keys_a_code_and_sends_the_caller_on() -> None:
    call = talking("agent: 1002 answers 3s")
    do(call, "/agent keys *80", "/agent transfers colleague", "/silence 6s")
    assert [event.code for _, event in told(call, m.AgentKeyed)] == ["*80"]
    assert [event.step for _, event in told(call, m.TransferOrdered)] == ["colleague"]
    assert [at for at, _ in told(call, m.AgentAnswered)] == [2.0, 10.0]


def test_who_is_meant_can_be_said() -> None:
    call = talking("agent: 1002 answers 3s")
    do(call, "/agent transfers colleague", "/silence 5500ms")  # the colleague is told who is coming
    first, colleague_ = (event.ticket for _, event in told(call, m.AgentAnswered))
    assert do(call, "/agent 1003 leaves") == ["no agent is talking"]
    do(call, "/agent 1001 leaves", "/agent leaves")
    assert [event.ticket for _, event in told(call, m.AgentLeft)] == [first, colleague_]


def test_only_what_is_talked_counts_as_talk() -> None:
    call = talking("agent: 1002 away")
    do(call, "/agent transfers colleague")  # 2 s of announcement, 20 s of ringing, 2 s of apology
    run_out(call)
    assert [at for at, _ in told(call, m.AgentLeft)] == [62.0 + 24.0]


# ── messages ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def recorded(*lines: str) -> list[tuple[float, str, float]]:
    """What became of a message: after "speak now" (2 s) the caller does this."""
    call = tried(start="message")
    do(call, "/listen", *lines, "/silence 3m")
    return [(at, event.how, event.seconds) for at, event in told(call, m.MessageRecorded)]


def test_silence_ends_a_message_and_is_left_out_of_it() -> None:
    assert recorded("/speech 6s") == [(12.0, "silence", 6.0)]
    assert recorded("/silence 1s", "/speech 6s", "/silence 3s", "/speech 2s") == [(18.0, "silence", 12.0)]


def test_who_says_nothing_leaves_nothing() -> None:
    assert recorded() == [(6.0, "silence", 0.0)]


def test_the_end_key_ends_a_message() -> None:
    assert recorded("/speech 6s", "/silence 1s", "#") == [(9.0, "key", 7.0)]


def test_a_message_is_full() -> None:
    assert recorded("/speech 3m") == [(122.0, "full", 120.0)]


# ── look-ups ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def answers(*said: str) -> list[tuple[float, str, dict[str, str]]]:
    call = run_out(tried(*said, start="ask"))
    return [(at, event.how, event.values) for at, event in told(call, m.AnswerReceived)]


def test_an_answer_has_the_fields_that_are_asked_for() -> None:
    assert answers("lookup: answers 1s state=open colour=red") == [(1.0, "answered", {"state": "open"})]


def test_a_look_up_fails_or_brings_what_is_none() -> None:
    assert answers("lookup: fails 500ms") == [(0.5, "failed", {})]
    assert answers("lookup: wrong") == [(1.0, "wrong", {})]
    assert answers("lookup: never") == []


def test_an_answer_that_comes_too_late_still_comes() -> None:
    call = tried("lookup: answers 9s", start="ask")
    do(call, "/silence 8500ms")
    assert call.session.step == "late"
    do(call, "/silence 1s")
    assert [at for at, _ in told(call, m.AnswerReceived)] == [9.0]


def test_nobody_waits_for_an_answer_that_is_too_late() -> None:
    call = tried("lookup: never", start="ask")
    assert not call.is_listening
    do(call, "/silence 8500ms", "/listen")
    assert call.session.is_over, "the phrase was heard, and nothing else was waited for"


def test_the_look_up_under_way_can_be_answered_now() -> None:
    call = tried("lookup: never", start="ask")
    do(call, "/silence 1s", "/lookup answers 500ms state=open", "/silence 1s")
    assert [(at, event.values) for at, event in told(call, m.AnswerReceived)] == [(1.5, {"state": "open"})]


def run_out(call: Simulation) -> Simulation:
    call.run_out()
    return call
