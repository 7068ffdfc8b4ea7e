"""What people see while a run goes."""

import io

import pytest
from made_results import a_finding, a_result, a_scenario, an_observation
from rich.console import Console

from ivrflow.scenario.observation import Observation
from ivrflow.scenario.run.run import Lane, Run
from ivrflow.scenario.run.run_progress import RunProgress
from ivrflow.scenario.script import Scenario

SCENARIO = a_scenario("a call", file="scenarios/a.yaml")


def a_console(*, terminal: bool = False) -> tuple[Console, io.StringIO]:
    written = io.StringIO()
    return Console(file=written, force_terminal=terminal, color_system=None, width=200), written


def a_run(progress: RunProgress, *scenarios: Scenario) -> Run:
    return Run(
        scenarios=scenarios,
        stages=("pbx",),
        simulate=lambda _: an_observation("simulator", lasted=60.0),
        judge=lambda _scenario, _observation: ((), ()),
        listener=progress,
        jobs=1,
        stagger=0.0,
    )


def test_elsewhere_than_on_a_terminal_every_call_gets_its_line() -> None:
    console, written = a_console()
    progress = RunProgress(console)
    progress.began(SCENARIO)
    progress.finished(a_result(SCENARIO, took=17.92))
    progress.finished(a_result(SCENARIO, findings=(a_finding(SCENARIO),)))
    progress.finished(a_result(SCENARIO, trouble="only on the simulator", skipped=True))
    assert written.getvalue().splitlines() == [
        "passed  pbx   17.9 s  scenarios/a.yaml: a call",
        "failed  pbx   12.5 s  scenarios/a.yaml: a call",
        "not run pbx  scenarios/a.yaml: a call",
    ]


def test_the_simulator_has_one_line_and_one_for_each_that_failed() -> None:
    console, written = a_console()
    progress = RunProgress(console)
    for _ in range(30):
        progress.finished(a_result(SCENARIO, stage="simulator"))
    progress.finished(a_result(SCENARIO, stage="simulator", findings=(a_finding(SCENARIO),), took=0.0))
    progress.simulated()
    assert written.getvalue().splitlines() == [
        "failed  simulator    0.0 s  scenarios/a.yaml: a call",
        "simulator: 30 passed, 1 failed",
    ]


def test_a_further_try_says_why() -> None:
    console, written = a_console()
    RunProgress(console).again(SCENARIO, 1, 0.34)
    assert written.getvalue() == "again   scenarios/a.yaml: failed while this machine stood still for 340 ms (try 2)\n"


async def test_the_live_line_counts_and_looks_ahead() -> None:
    console, _ = a_console(terminal=True)
    progress = RunProgress(console)
    run = a_run(progress, a_scenario("a"), a_scenario("b"))
    await run.simulate_all()
    assert progress.line(run).plain == "0 running · 2 to come · about 2:04 left"
    seen: list[str] = []

    async def play(_scenario: Scenario) -> Observation:
        seen.append(progress.line(run).plain)
        return an_observation()

    await run.play_all(Lane(play))
    assert seen == [
        "1 running · 1 to come · about 2:04 left",
        "1 running · 1 passed · 0 to come · about 1:02 left",
    ]
    assert progress.line(run).plain == "0 running · 2 passed · 0 to come"


@pytest.mark.parametrize("terminal", [True, False])
async def test_there_is_a_live_line_on_a_terminal_only(terminal: bool) -> None:
    console, written = a_console(terminal=terminal)
    progress = RunProgress(console)
    run = a_run(progress, a_scenario("a"))
    with progress.shown(run):
        await run.simulate_all()
    assert ("0 running" in written.getvalue()) is terminal


async def test_elsewhere_the_lines_are_counted() -> None:
    console, written = a_console()
    progress = RunProgress(console)
    run = a_run(progress, *(a_scenario(str(number), file="scenarios/a.yaml") for number in range(12)))

    async def play(_scenario: Scenario) -> Observation:
        return an_observation()

    with progress.shown(run):
        await run.simulate_all()
        await run.play_all(Lane(play))
    lines = written.getvalue().splitlines()
    assert [line.partition("/12")[0] for line in lines] == [f"{number:2}" for number in range(1, 13)]


def test_on_a_terminal_what_passed_is_only_counted() -> None:
    console, written = a_console(terminal=True)
    progress = RunProgress(console)
    progress.finished(a_result(SCENARIO))
    assert written.getvalue() == ""
    progress.finished(a_result(SCENARIO, trouble="refused"))
    assert "failed  pbx" in written.getvalue()
