from dataclasses import replace
from pathlib import Path
from typing import cast

from agent_flows import QUEUE_EXITS, ask, colleague, queue, record, with_agents
from small_flows import WHERE, climb, close, flow, hotline, ladder, menu, rung, say, transfer

from ivrflow.flow.model import HANG_UP, Keep, PlayBack
from ivrflow.flow.proof.proof import prove
from ivrflow.flow.proof.proof_words import as_data, reasoning, summary
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
    assert all(loop.needs for loop in proof.loops), "none runs by itself"
    assert proof.silence.seconds == 13
    assert max(moment.seconds for moment in proof.waits) == 25 * 60


# ── agents, messages and look-ups ─────────────────────────────────────────────────────────────────────────────────────


def test_a_queue_is_a_person_at_the_end_of_a_way() -> None:
    back = replace(queue(), agent_left="queue", no_answer="queue", nobody="queue", full="queue")
    proof = prove(flow(back, rules=()))

    assert proof.dead_ends == ()
    assert [loop.needs for loop in proof.loops] == ["agent"]


def test_steps_that_only_agents_send_callers_to_are_entered_all_the_same() -> None:
    small = flow(queue(), *QUEUE_EXITS, colleague(), rules=())

    assert prove(small).unreachable == ("colleague",)
    assert prove(with_agents(small, "colleague")).unreachable == ()


def test_a_look_up_that_is_asked_again_and_again_runs_by_itself() -> None:
    steps = (replace(ask(), cases={}, failed="again"), say("again", "again", then="ask"))
    answers = [say(name, name) for name in ("done", "late", "wrong")]
    (loop,) = prove(flow(*steps, *answers, rules=())).loops

    assert (loop.runs_by_itself, loop.needs, loop.seconds) == (True, "", 8 + 2)


def test_a_review_goes_round_as_long_as_the_caller_likes() -> None:
    review = menu("recorded", keys={"1": "message", "2": "play", "3": "keep"}, no_input="keep")
    steps = (record(), review, PlayBack("play", WHERE, "recorded"), Keep("keep", WHERE, HANG_UP), say("nothing", "b"))
    loops = prove(flow(*steps, rules=())).loops

    assert {loop.needs for loop in loops} == {"caller"}
    assert len(loops) == 2


def test_every_wait_of_agents_messages_and_look_ups_has_its_bound() -> None:
    answers = [say(name, name, then="queue") for name in ("done", "late", "wrong", "failed")]
    message = replace(record(), done="ask", nothing="ask")
    proof = prove(flow(message, replace(ask(), cases={}), *answers, queue(), *QUEUE_EXITS, rules=()))

    assert {(moment.place, moment.what): moment.seconds for moment in proof.waits} == {
        ("message", "the message is over after a silence of 4s"): 4,
        ("message", "records a message"): 120,
        ("ask", "waits for the answer of a look-up, 2s"): 2,
        ("ask", "waits on for the answer, with music"): 6,
        ("queue", "waits in the queue, with music"): 180,
        ("queue", "talk with an agent of the queue"): 600,
    }


def test_announcements_of_a_queue_go_round() -> None:
    rungs = replace(ladder(rung(None, 10.0), rung("still busy", 30.0)), loops_from=2, rounds=6)
    (again,) = prove(flow(queue(waiting=rungs), *QUEUE_EXITS, rules=())).repetitions

    assert (again.step, again.what, again.times, again.counted_by) == (
        "queue",
        "announces again from rung 2 on",
        6,
        "at_most",
    )


def test_what_is_proven_of_a_queue_in_words_and_as_data() -> None:
    proof = prove(flow(say("hello", "hello", then="queue"), queue(), *QUEUE_EXITS, rules=()))

    assert summary(proof)[-1] == "  to a person   at most 2s, then in the queue agents, for 3m at most"
    assert any(line.endswith("queue: stands in the queue agents") for line in reasoning(proof))
    (way,) = cast("list[dict[str, object]]", as_data(proof)["to_human"])
    assert (way["queue"], way["waits_s"], way["extension"]) == ("agents", 180, "")
