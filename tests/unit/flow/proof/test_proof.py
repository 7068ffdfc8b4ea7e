from dataclasses import replace
from pathlib import Path

from small_flows import climb, close, flow, hotline, menu, rung, say, transfer

from ivrflow.flow.proof.proof import prove
from ivrflow.flow_files import load_flows

ROOT = Path(__file__).parents[4]


def test_a_flow_in_order_holds() -> None:
    proof = prove(hotline())

    assert proof.holds
    assert (proof.dead_ends, proof.unreachable) == ((), ())


def test_a_way_that_leads_nowhere_is_a_dead_end() -> None:
    small = flow(say("hello", "hello", then="nowhere"), rules=())
    assert ["'then' leads to 'nowhere', which is no step" in end.why for end in prove(small).dead_ends] == [True, False]


def test_steps_from_which_no_call_ends() -> None:
    small = flow(say("a", "a", then="b"), say("b", "b", then="a"), rules=())
    assert {end.place for end in prove(small).dead_ends} == {"a", "b"}


def test_an_outcome_that_leads_nowhere_is_a_dead_end() -> None:
    small = replace(hotline(), outcomes={"continue": "continue", "hangup": "gone"})
    assert [end.place for end in prove(small).dead_ends] == ["outcome hangup"]


def test_steps_no_call_enters_are_named() -> None:
    assert prove(flow(say("hello", "hello"), say("lost", "lost"), rules=())).unreachable == ("lost",)


def test_a_circle_that_runs_by_itself() -> None:
    main = menu("main", keys={"0": "bye"}, no_input="sorry", offers=1, invalid_repeats=0)
    (loop,) = prove(flow(main, say("sorry", "sorry", then="main"), close("bye", ask=False), rules=())).loops

    assert (loop.runs_by_itself, loop.needs, loop.seconds, loop.most_rounds) == (True, "", 9, 20)
    assert [(name, way.word) for name, way in loop.ways] == [("main", "no_input"), ("sorry", "then")]


def test_a_circle_that_needs_the_caller() -> None:
    main = menu("main", keys={"1": "main", "0": "bye"}, no_input="bye")
    (loop,) = prove(flow(main, close("bye", ask=False), rules=())).loops

    assert (loop.runs_by_itself, loop.needs) == (False, "caller")


def test_a_circle_that_needs_an_agent() -> None:
    steps = (transfer("agent", no_answer="sorry"), say("sorry", "sorry", then="agent"))
    assert [loop.needs for loop in prove(flow(*steps, rules=())).loops] == ["agent"]


def test_what_steps_repeat_and_what_counts_it() -> None:
    main = menu("main", keys={"0": "hang_up"}, offers=3, invalid_repeats=2)
    ladder = climb("round", rung("a", 1.0))
    ladder = replace(ladder, ladder=replace(ladder.ladder, loops_from=1, rounds=7))

    again = prove(flow(main, ladder, rules=())).repetitions

    assert [(one.step, one.times, one.counted_by) for one in again] == [
        ("main", 2, "repeats"),
        ("main", 2, "invalid: repeats"),
        ("round", 7, "limits.rounds"),
    ]


def test_12345_is_proven() -> None:
    proof = prove(load_flows([ROOT / "callflows" / "gov12345.yaml"])["gov12345"])

    assert proof.holds
    assert {loop.needs for loop in proof.loops} == {"caller and agent"}
    assert proof.silence.seconds == 13
    assert max(moment.seconds for moment in proof.waits) == 25 * 60
