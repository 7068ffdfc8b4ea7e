"""Tasks that ivrflow does itself by saying a phrase, and rules that no flow may name."""

from tiny_hotline import FLOW, SOURCE, TINY, checked, compiled, source, told

from ivrflow.flow.compiling.compiler import check_flow
from ivrflow.flow.model import RETURN

OUTCOMES = "outcomes:\n"
SPOKEN = (OUTCOMES, "tasks: {report_to_supervisor: lookup.alt2}\n" + OUTCOMES)


def test_a_spoken_task_is_said_in_situations_and_needs_a_recording() -> None:
    assert compiled(SPOKEN).situations["noise"].rungs[1].say == "tiny/lookup.alt2"
    assert compiled().situations["noise"].rungs[1].task == "report_to_supervisor"


def test_what_is_wrong_with_a_table_of_tasks() -> None:
    assert told(SPOKEN) == []
    assert [line.partition(": ")[2] for line in told((OUTCOMES, "tasks: none\n" + OUTCOMES))] == [
        "expected a table of tasks and phrases, found 'none'"
    ]
    unknown = told((OUTCOMES, "tasks: {report: lookup.alt1}\n" + OUTCOMES))
    assert [line.partition(": ")[2] for line in unknown] == ["no rule of tiny asks for 'report'"]


CHAT = (
    "    ladder:\n      - {say: silent.greeting,",
    "    not_on_phone: a chat window\n    ladder:\n      - {say: silent.greeting,",
)


def test_no_step_climbs_what_cannot_be_on_a_phone_line() -> None:
    result = checked(CHAT, file=TINY)
    assert result.flow is None
    assert [(problem.where.line, problem.message) for problem in result.problems] == [
        (10, "tiny/silent cannot apply to a phone line: a chat window")
    ]


def test_nor_does_an_outcome_have_to_be_mapped_for_it() -> None:
    files = source(("situation: noise\n", "situation: noise\n    not_on_phone: a chat window\n"), file=TINY)
    flow = SOURCE[FLOW].replace("  escalate: agent\n", "")
    result = check_flow({**files, FLOW: flow}, FLOW)
    assert result.flow is not None, result.problems
    assert "noise" not in result.flow.situations
    assert "escalate" not in result.flow.outcomes
    assert check_flow(files, FLOW).flow is not None, "and it may be"


def test_no_step_climbs_what_goes_on_when_it_happens_again() -> None:
    recurring = ("wait_s: [2, 2], leave_on: speech}", "wait_s: [2, 2], leave_on: speech, next: on_recurrence}")
    result = checked(recurring, file=TINY)
    assert [(problem.where.line, problem.message) for problem in result.problems] == [
        (10, "tiny/silent goes on each time it happens again; a step happens once")
    ]


def test_situations_that_recur_or_go_round_keep_that() -> None:
    recurring = compiled(
        ("leave_on: audible}", "leave_on: audible, next: on_recurrence}"),
        ("    then: escalate", "    loops_from: 1\n    then: escalate"),
        file=TINY,
    )
    noise = recurring.situations["noise"]
    assert [rung.on_recurrence for rung in noise.rungs] == [True, False]
    assert (noise.loops_from, noise.rounds) == (1, 20)
    assert recurring.follows == {}
    assert recurring.outcomes[RETURN] == RETURN
