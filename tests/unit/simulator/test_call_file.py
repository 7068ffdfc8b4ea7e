from datetime import datetime

import pytest
from agent_flows import QUEUE_EXITS, ask, queue
from simulated_calls import HOTLINE, TEN_IN_THE_MORNING, VOCABULARY
from small_flows import flow, say

from ivrflow.engine.messages import CallArrived, Play
from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import FlowError
from ivrflow.flow.reading.times import read_time
from ivrflow.simulator.agents import AgentChange
from ivrflow.simulator.call_file import (
    USUAL_TIME,
    CallFile,
    place_call,
    play,
    read_call_file,
    write_call_file,
)
from ivrflow.simulator.caller import Vocabulary
from ivrflow.simulator.caller_commands import Bare, Command, Press, Stay
from ivrflow.simulator.look_ups import LookUp
from ivrflow.simulator.queues import read_queue
from ivrflow.simulator.transcript import whole_transcript

WHOLE = """\
# Somebody who knows the way.
# Presses 0 at once.
flow: small
at: 2026-11-20T23:30
agent: answers 4s talks 10s   # the first one
agent: 1001 busy

0
/silence
---
    0.00  caller   calls
"""


def test_head_commands_and_transcript() -> None:
    call = read_call_file(WHOLE, "x.call")
    assert call.about == ["Somebody who knows the way.", "Presses 0 at once."]
    assert (call.flow, call.at) == ("small", datetime(2026, 11, 20, 23, 30))  # noqa: DTZ001 - local to the flow
    assert call.agents == [AgentChange("", "answers", 4.0, 10.0), AgentChange("1001", "busy")]
    assert call.commands(VOCABULARY) == [Press("0"), Stay()]
    assert call.transcript == "    0.00  caller   calls\n"


def test_a_script_is_nothing_but_commands() -> None:
    call = read_call_file("0\n\n/hangup\n", "x")
    assert call.commands(VOCABULARY) == [Press("0"), Bare.NEXT, Bare.HANG_UP]
    assert (call.flow, call.at, call.agents, call.transcript) == ("", USUAL_TIME, [], "")


@pytest.mark.parametrize("text", ["\n0\n", "# a comment first\n\n\n0\n", "flow: small\n\n\n0\n"])
def test_an_empty_line_is_next_except_the_one_that_ends_the_head(text: str) -> None:
    assert read_call_file(text, "x").commands(VOCABULARY) == [Bare.NEXT, Press("0")]


def test_an_empty_file_is_a_silent_caller() -> None:
    assert read_call_file("", "x").commands(VOCABULARY) == []


def test_all_problems_at_once_each_in_its_place() -> None:
    text = "flows: small\nat: tomorrow\nagent: asleep\n\n/hangupp\n1\n  /silence 5\n"
    with pytest.raises(FlowError) as refused:
        read_call_file(text, "x.call").commands(VOCABULARY)
    assert [str(problem).splitlines() for problem in refused.value.problems] == [
        ["x.call:1:1: a call's head has no 'flows'", "    hint: did you mean 'flow'?"],
        ["x.call:2:1: 'tomorrow' is no date and time", "    hint: write for example 2026-11-20T10:00"],
        [
            "x.call:3:1: 'asleep' is nothing an agent does",
            "    hint: known here: answers, away, back, busy, holds, keys, leaves, logged_out, paused, rings, talks, transfers, …",
        ],
        ["x.call:5:1: '/hangupp' is no command", "    hint: did you mean '/hangup'?"],
        ["x.call:7:3: '5' has no unit", "    hint: write 5s for seconds, 5m for minutes, or 500ms"],
    ]


def test_lengths_by_wording_do_not_depend_on_recordings() -> None:
    call = read_call_file("flow: small\nlengths: wording\n\n/silence\n", "x.call").place(HOTLINE)
    call.run_out()
    plays = [action for happening in call.record for action in happening.actions if isinstance(action, Play)]
    assert [(play.prompt, play.seconds) for play in plays] == [
        ("small/good day", 1.76),
        ("small/greeting", 1.76),
        ("small/connected", 1.98),
        ("small/change phone", 2.64),
    ]
    with pytest.raises(FlowError, match="write wording or recordings"):
        read_call_file("lengths: long\n\n1\n", "x.call").commands(VOCABULARY)


def test_lengths_by_wording_are_written() -> None:
    head = CallFile("x.call", flow="small", lengths="wording")
    assert write_call_file(head, [], head.place(HOTLINE)).startswith(
        "flow: small\nat: 2026-11-20T10:00\nlengths: wording\n\n/quit\n---\n"
    )


def test_the_time_is_local_to_the_flow() -> None:
    arrived = place_call(HOTLINE, read_time("2026-11-20T10:00")).record[0].event
    assert isinstance(arrived, CallArrived)
    assert arrived.arrived_at == 1795168800.0  # the small hotline's clock is UTC


def test_what_is_said_about_everybody_counts_for_whom_was_named_before() -> None:
    call = place_call(HOTLINE, TEN_IN_THE_MORNING, [AgentChange("1001", talks=5.0), AgentChange("", "busy")])
    play(call, [Bare.LISTEN, Press("0")])
    assert "busy" in [line.detail for line in call.session.trace]


def test_at_the_end_of_a_script_the_caller_stays_silent() -> None:
    call = place_call(HOTLINE, TEN_IN_THE_MORNING)
    assert play(call, []) == []
    assert call.is_over


def test_quit_leaves_the_call_as_it_is() -> None:
    call = place_call(HOTLINE, TEN_IN_THE_MORNING)
    play(call, [Stay(1.0), Bare.QUIT, Bare.HANG_UP])
    assert not call.is_over
    assert call.now == 1.0


def test_commands_that_came_to_nothing_are_named() -> None:
    call = place_call(HOTLINE, TEN_IN_THE_MORNING)
    assert play(call, [Bare.DONE, Bare.HANG_UP, Press("1")]) == [
        (Bare.DONE, "no task is asked for"),
        (Press("1"), "the call is over"),
    ]


@pytest.mark.parametrize("ending", [Bare.HANG_UP, Stay(1.0)])
def test_what_is_written_plays_again_the_same_way(ending: Bare | Stay) -> None:
    agents = [AgentChange("", "answers", 1.0, 5.0)]
    commands: list[Command] = [Bare.LISTEN, Press("0"), Bare.WHERE, Stay(2.5), ending]
    call = place_call(HOTLINE, TEN_IN_THE_MORNING, agents)
    for command in commands:
        call.caller(command)
    head = CallFile("x.call", ["Why"], HOTLINE.id, TEN_IN_THE_MORNING, "recordings", agents)
    text = write_call_file(head, commands, call)
    assert text.startswith(
        "# Why\nflow: small\nat: 2026-11-20T10:00\nagent: answers 1s talks 5s\n\n/listen\n0\n/silence 2.5s"
    )
    assert "/where" not in text
    again = read_call_file(text, "x.call")
    other = again.place(HOTLINE)
    play(other, again.commands(VOCABULARY))
    assert other.record == call.record
    assert whole_transcript(other) == again.transcript


TALKED = """\
flow: talks
at: 2026-11-20T10:00
agent: answers 4s talks 10s
queue: agents 1001 answers 12s rings 5s
queue: agents position 2 expects 30s
lookup: answers 1.5s state='in progress'
from: 13800001111

/silence 14s
/agent holds 3s
/silence
---
"""


def talks() -> CallFlow:
    return flow(
        queue(), *QUEUE_EXITS, ask(), *[say(name, name) for name in ("open", "done", "late", "wrong", "failed")]
    )


def test_a_head_speaks_of_queues_look_ups_and_the_callers_number() -> None:
    call = read_call_file(TALKED, "x.call")
    known = Vocabulary.of(talks())
    commands = call.commands(known)
    assert call.queues == [
        read_queue("agents 1001 answers 12s rings 5s"),
        read_queue("agents position 2 expects 30s"),
    ]
    assert call.look_up == LookUp("answers", 1.5, (("state", "in progress"),))
    simulation = call.place(talks())
    play(simulation, commands)
    (arrived,) = [happening.event for happening in simulation.record if isinstance(happening.event, CallArrived)]
    assert arrived.caller == "13800001111"
    assert "12.00  agent    1001 answers, rung for 5s" in whole_transcript(simulation)
    assert write_call_file(call, commands, simulation).startswith(TALKED)


def test_names_in_a_head_that_the_flow_does_not_have() -> None:
    text = "queue: agnets nobody\nqueue: agents asleep\nlookup: answers staet=open\nfrom: a friend\n\n/queue vip full\n"
    with pytest.raises(FlowError) as refused:
        read_call_file(text, "x.call").commands(Vocabulary.of(talks()))
    assert [str(problem).splitlines() for problem in refused.value.problems] == [
        ["x.call:1:1: the flow knows no queue 'agnets'", "    hint: did you mean 'agents'?"],
        [
            "x.call:2:1: 'asleep' is nothing a queue does, nor an extension",
            "    hint: known here: full, nobody, open, position",
        ],
        ["x.call:3:1: the flow knows no field 'staet'", "    hint: did you mean 'state'?"],
        [
            "x.call:4:1: 'a friend' is no telephone number",
            "    hint: write digits, with a + before them where there is one",
        ],
        ["x.call:6:1: the flow knows no queue 'vip'", "    hint: known here: agents"],
    ]


def test_a_flow_without_queues_and_look_ups() -> None:
    text = "queue: agents nobody\nlookup: answers state=open\n\n/agent transfers nowhere\n"
    with pytest.raises(FlowError) as refused:
        read_call_file(text, "x.call").commands(VOCABULARY)
    assert [problem.message for problem in refused.value.problems] == [
        "nobody waits in a queue in this flow",
        "the flow asks for no field of an answer",
        "the flow knows no step 'nowhere'",
    ]
