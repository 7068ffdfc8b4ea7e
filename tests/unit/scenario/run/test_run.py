"""A run: the longest first, never more than `jobs`, every scenario bounded, tried again for one reason only."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from made_results import a_finding, a_scenario, an_observation

from ivrflow.scenario.observation import ClockPair, Finding, Observation, Result
from ivrflow.scenario.run import run as run_module
from ivrflow.scenario.run.run import GIVEN_UP_AFTER, MOST_TRIES, CannotRun, Lane, Run
from ivrflow.scenario.script import Scenario, Stage
from ivrflow.settings import SettingsError
from ivrflow.softphone.call import NoAnswer, Unreachable

Judged = tuple[tuple[Finding, ...], tuple[ClockPair, ...]]


class Notes:
    """A listener that writes everything down."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def began(self, scenario: Scenario) -> None:
        self.told.append(("began", scenario.title))

    def again(self, scenario: Scenario, tries: int, stood_still: float) -> None:
        self.told.append((f"again after {tries}, {stood_still:g} s", scenario.title))

    def finished(self, result: Result) -> None:
        self.told.append((f"{result.word} on {result.stage}", result.scenario.title))


def fine(_scenario: Scenario, _observation: Observation) -> Judged:
    return (), ()


def wrong(scenario: Scenario, _observation: Observation) -> Judged:
    return (a_finding(scenario),), ()


def a_run(
    *scenarios: Scenario,
    stages: tuple[Stage, ...] = ("pbx",),
    lasting: Callable[[Scenario], float] = lambda _: 10.0,
    judge: run_module.Judge = fine,
    jobs: int = 40,
    repeat: int = 1,
    strict: bool = False,
) -> Run:
    return Run(
        scenarios=scenarios,
        stages=stages,
        simulate=lambda scenario: an_observation("simulator", lasted=lasting(scenario)),
        judge=judge,
        listener=Notes(),
        jobs=jobs,
        repeat=repeat,
        strict=strict,
        stagger=0.0,
    )


async def played(run: Run, play: run_module.Play) -> tuple[Result, ...]:
    await run.simulate_all()
    await run.play_all(Lane(play))
    return run.results


def told(run: Run) -> list[tuple[str, str]]:
    assert isinstance(run.listener, Notes)
    return run.listener.told


async def at_once(_scenario: Scenario) -> Observation:
    return an_observation()


# ── what is played where ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_every_scenario_has_a_result_on_every_stage_in_the_order_it_was_named() -> None:
    run = a_run(a_scenario("b"), a_scenario("a"), stages=("simulator", "pbx"))
    results = await played(run, at_once)
    assert [(result.stage, result.scenario.title, result.word) for result in results] == [
        ("simulator", "b", "passed"),
        ("simulator", "a", "passed"),
        ("pbx", "b", "passed"),
        ("pbx", "a", "passed"),
    ]
    assert run.planned == 4


async def test_what_cannot_be_played_on_a_stage_is_left_out_there_with_its_reason() -> None:
    only = a_scenario("an hour of talk", stages=("simulator",), why_not="it takes an hour")
    (here, there) = await played(a_run(only, stages=("simulator", "pbx")), at_once)
    assert (here.word, there.word) == ("passed", "not run")
    assert there.trouble == "only on the simulator: it takes an hour"


async def test_without_the_simulator_asked_for_its_results_are_not_told() -> None:
    assert [result.stage for result in await played(a_run(a_scenario()), at_once)] == ["pbx"]


async def test_each_is_played_as_often_as_asked() -> None:
    run = a_run(a_scenario("a"), a_scenario("b"), repeat=3, stages=("simulator", "pbx"))
    assert [result.scenario.title for result in await played(run, at_once)] == ["a", "a", "a", "b", "b", "b"] * 2


async def test_the_simulators_crash_is_its_result_and_keeps_nobody_from_the_pbx() -> None:
    def broken(_scenario: Scenario) -> Observation:
        raise ZeroDivisionError("of the engine")

    run = a_run(a_scenario(), stages=("simulator", "pbx"))
    run.simulate = broken
    on_simulator, on_pbx = await played(run, at_once)
    assert on_simulator.word == "failed"
    assert "fault in ivrflow" in on_simulator.trouble
    assert on_pbx.word == "passed"
    assert "of the engine" in run.faults[0]


# ── how many, and in which order ──────────────────────────────────────────────────────────────────────────────────────


async def test_never_more_than_jobs_at_once_and_all_of_them_at_last() -> None:
    here = most = 0

    async def play(_scenario: Scenario) -> Observation:
        nonlocal here, most
        here += 1
        most = max(most, here)
        for _ in range(20):  # turns of the loop: time for the others to begin
            await asyncio.sleep(0)
        here -= 1
        return an_observation()

    run = a_run(*(a_scenario(str(number)) for number in range(20)), jobs=3)
    assert len(await played(run, play)) == 20
    assert most == 3
    assert run.running == 0


async def test_the_longest_begin_first() -> None:
    lengths = {"short": 5.0, "long": 50.0, "middle": 20.0}
    run = a_run(*map(a_scenario, lengths), lasting=lambda scenario: lengths[scenario.title], jobs=1)
    await played(run, at_once)
    assert [title for what, title in told(run) if what == "began"] == ["long", "middle", "short"]


async def test_who_needs_a_thing_in_another_state_is_never_there_at_once_and_goes_first() -> None:
    there: list[str] = []
    together: set[frozenset[str]] = set()

    async def play(scenario: Scenario) -> Observation:
        there.append(scenario.title)
        for _ in range(20):  # turns of the loop: time for the others to begin
            await asyncio.sleep(0)
            together.add(frozenset(there))
        there.remove(scenario.title)
        return an_observation()

    titles = ("long there", "there", "gone", "also there", "without", "also gone")
    run = a_run(
        *map(a_scenario, titles),
        lasting=lambda scenario: 50.0 if scenario.title == "long there" else 10.0,
    )
    await run.simulate_all()
    await run.play_all(Lane(play, lambda one: {} if one.title == "without" else {"1001": "there" in one.title}))
    assert len(run.results) == len(titles)
    assert not [group for group in together if {"gone", "also gone"} & group and {"there", "long there"} & group]
    assert frozenset({"gone", "also gone", "without"}) in together, "the rest is not kept waiting"
    assert frozenset({"long there", "there", "also there"}) in {group - {"without"} for group in together}


async def test_what_must_be_alone_is_played_on_several_lanes_at_once() -> None:
    there: list[list[str]] = [[], []]
    most = [0, 0]
    played: list[str] = []

    def lane(number: int) -> Lane:
        async def play(scenario: Scenario) -> Observation:
            there[number].append(scenario.title)
            played.append(scenario.title)
            for _ in range(20):  # turns of the loop: time for the others to begin
                await asyncio.sleep(0)
                most[number] = max(most[number], sum("alone" in title for title in there[number]))
                both[0] = both[0] or all(there)
            there[number].remove(scenario.title)
            return an_observation()

        return Lane(play, lambda scenario: {"queues": object()} if "alone" in scenario.title else {})

    both = [False]
    titles = [f"alone {number}" for number in range(6)] + [f"with others {number}" for number in range(6)]
    run = a_run(*map(a_scenario, titles))
    await run.simulate_all()
    await run.play_all(lane(0), lane(1))
    assert sorted(played) == sorted(titles), "each once"
    assert most == [1, 1]
    assert both == [True]


async def test_who_can_share_a_thing_does_so_on_one_lane_from_the_beginning_and_leaves_the_others_free() -> None:
    lanes: dict[str, int] = {}

    def lane(number: int) -> Lane:
        async def play(scenario: Scenario) -> Observation:
            lanes[scenario.title] = number
            for _ in range(20):  # turns of the loop: time for the others to begin
                await asyncio.sleep(0)
            return an_observation()

        return Lane(play, lambda one: {"1001": object() if "alone" in one.title else "there"})

    shared = [f"shared {number}" for number in range(4)]
    run = a_run(*map(a_scenario, [*(f"alone {number}" for number in range(4)), *shared]))
    await run.simulate_all()
    await run.play_all(lane(0), lane(1), lane(2))
    began = [title for what, title in told(run) if what == "began"]
    assert set(began[:6]) == {"alone 0", "alone 1", *shared}
    assert {lanes[title] for title in shared} == {0}
    assert {lanes["alone 0"], lanes["alone 1"]} == {1, 2}


async def test_the_time_left_counts_what_is_played_one_by_one() -> None:
    run = a_run(*(a_scenario(str(number)) for number in range(4)))
    await run.simulate_all()
    one, left = 10.0 + run_module.AROUND_A_CALL_S, []

    async def play(_scenario: Scenario) -> Observation:
        left.append(run.seconds_left())
        return an_observation()

    await run.play_all(Lane(play, lambda _: {"queues": object()}))
    assert left == pytest.approx([3 * one, 2 * one, one, one], abs=0.5), "the last is under way"


async def test_the_time_left_is_what_the_free_places_need() -> None:
    run = a_run(*(a_scenario(str(number)) for number in range(4)), jobs=2)
    await run.simulate_all()
    one = 10.0 + run_module.AROUND_A_CALL_S
    assert run.seconds_left() == pytest.approx(2 * one)
    await run.play_all(Lane(at_once))
    assert run.seconds_left() == 0


# ── bounds, trouble, faults ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_scenario_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "AFTERWARDS_S", 0.01)
    cancelled = asyncio.Event()

    async def play(_scenario: Scenario) -> Observation:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return an_observation()

    (result,) = await played(a_run(a_scenario(within=0.01)), play)
    assert cancelled.is_set()
    assert (result.word, result.observation) == ("failed", None)
    assert "was ended by force" in result.trouble


async def test_a_call_that_fails_is_that_scenarios_trouble_alone() -> None:
    async def play(scenario: Scenario) -> Observation:
        if scenario.title == "a":
            raise NoAnswer("not answered in 30 s")
        return an_observation()

    run = a_run(a_scenario("a"), a_scenario("b"))
    first, second = await played(run, play)
    assert (first.word, first.trouble) == ("failed", "not answered in 30 s")
    assert second.word == "passed"
    assert run.faults == []


async def test_a_bug_is_called_one_and_its_traceback_kept() -> None:
    async def play(scenario: Scenario) -> Observation:
        if scenario.title == "a":
            raise KeyError("something personal")
        return an_observation()

    run = a_run(a_scenario("a"), a_scenario("b"))
    first, second = await played(run, play)
    assert "this is a fault in ivrflow, not in the scenario: KeyError at test_run.py:" in first.trouble
    assert "personal" not in first.trouble
    assert "Traceback" in run.faults[0]
    assert second.word == "passed"


async def test_a_timeout_inside_is_not_taken_for_the_bound() -> None:
    async def play(_scenario: Scenario) -> Observation:
        raise TimeoutError

    (result,) = await played(a_run(a_scenario()), play)
    assert "fault in ivrflow" in result.trouble


async def test_wrong_settings_end_the_whole_run_in_one_sentence() -> None:
    async def play(_scenario: Scenario) -> Observation:
        raise SettingsError("the journal cannot be read")

    run = a_run(*(a_scenario(str(number)) for number in range(10)), jobs=2)
    with pytest.raises(CannotRun, match="the journal cannot be read"):
        await played(run, play)


async def test_a_pbx_that_went_away_is_not_asked_for_ever() -> None:
    asked = 0

    async def play(_scenario: Scenario) -> Observation:
        nonlocal asked
        asked += 1
        raise Unreachable("nothing answers SIP at the server's address")

    run = a_run(*(a_scenario(str(number)) for number in range(50)), jobs=1)
    with pytest.raises(CannotRun, match="the PBX has gone: nothing answers SIP"):
        await played(run, play)
    assert asked == GIVEN_UP_AFTER
    assert len(run.results) == GIVEN_UP_AFTER - 1


async def test_a_lost_call_now_and_then_is_not_the_end() -> None:
    async def play(scenario: Scenario) -> Observation:
        if int(scenario.title) % GIVEN_UP_AFTER:
            raise Unreachable("nothing answers SIP")
        return an_observation()

    run = a_run(*(a_scenario(str(number)) for number in range(12)), jobs=1)
    assert len(await played(run, play)) == 12


async def test_being_cancelled_ends_every_call_and_keeps_what_is_finished() -> None:
    ended: list[str] = []
    everybody = asyncio.Event()

    async def play(scenario: Scenario) -> Observation:
        if scenario.title == "quick":
            return an_observation()
        if scenario.title == "2":
            everybody.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(scenario.title)
        return an_observation()

    run = a_run(a_scenario("quick"), *(a_scenario(str(number)) for number in range(3)))
    playing = asyncio.create_task(played(run, play))
    await everybody.wait()
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    assert sorted(ended) == ["0", "1", "2"]
    assert [result.scenario.title for result in run.results] == ["quick"]
    assert run.running == 0


# ── again, or not ─────────────────────────────────────────────────────────────────────────────────────────────────────


def standing_still(*, times: int) -> run_module.Play:
    plays = 0

    async def play(_scenario: Scenario) -> Observation:
        nonlocal plays
        plays += 1
        return an_observation(stalls=((3.0, 0.15), (4.0, 0.4)) if plays <= times else ())

    return play


def wrong_when_it_stood_still(scenario: Scenario, observation: Observation) -> Judged:
    return ((a_finding(scenario),) if observation.stalls else ()), ()


async def test_what_failed_while_the_machine_stood_still_is_played_again() -> None:
    run = a_run(a_scenario("a"), judge=wrong_when_it_stood_still)
    (result,) = await played(run, standing_still(times=1))
    assert (result.word, result.tries) == ("passed", 2)
    assert ("again after 1, 0.4 s", "a") in told(run)


async def test_but_behind_all_others_and_when_there_is_less_to_do() -> None:
    played_before: set[str] = set()
    here = 0
    most_again = 0

    async def play(scenario: Scenario) -> Observation:
        nonlocal here, most_again
        here += 1
        again = scenario.title in played_before
        played_before.add(scenario.title)
        for _ in range(20):  # turns of the loop: time for the others to begin
            await asyncio.sleep(0)
            most_again = max(most_again, here if again else 0)
        here -= 1
        return an_observation(stalls=() if again else ((1.0, 0.3),))

    run = a_run(*(a_scenario(str(number)) for number in range(16)), judge=wrong_when_it_stood_still, jobs=8)
    assert {result.tries for result in await played(run, play)} == {2}
    began = [title for what, title in told(run) if what == "began"]
    assert sorted(began[:16]) == sorted(began[16:]), "every first try comes before every second one"
    assert most_again == 2


async def test_but_not_for_ever() -> None:
    (result,) = await played(a_run(a_scenario(), judge=wrong_when_it_stood_still), standing_still(times=MOST_TRIES + 5))
    assert (result.word, result.tries) == ("failed", MOST_TRIES)


async def test_what_failed_on_a_quiet_machine_stays_failed() -> None:
    (result,) = await played(a_run(a_scenario(), judge=wrong), at_once)
    assert (result.word, result.tries) == ("failed", 1)


async def test_what_has_nothing_to_do_with_time_is_not_tried_again() -> None:
    def no_journal(scenario: Scenario, _observation: Observation) -> Judged:
        return (replace(a_finding(scenario), kind="trouble"),), ()

    (result,) = await played(a_run(a_scenario(), judge=no_journal), standing_still(times=5))
    assert (result.word, result.tries) == ("failed", 1)


async def test_what_passed_on_a_machine_that_stood_still_has_passed() -> None:
    (result,) = await played(a_run(a_scenario()), standing_still(times=5))
    assert (result.word, result.tries) == ("passed", 1)


async def test_strict_makes_a_failure_of_what_is_only_worth_a_word() -> None:
    def remarks(scenario: Scenario, _observation: Observation) -> Judged:
        return (a_finding(scenario, fails=False),), ()

    (lenient,) = await played(a_run(a_scenario(), judge=remarks), at_once)
    (strict,) = await played(a_run(a_scenario(), judge=remarks, strict=True), at_once)
    assert (lenient.word, strict.word) == ("passed", "failed")


async def test_what_it_took_is_wall_time_with_every_try() -> None:
    async def play(_scenario: Scenario) -> Observation:
        await asyncio.sleep(0.01)  # the time it takes is what is told
        return an_observation(stalls=((1.0, 0.2),))

    began = time.monotonic()
    (result,) = await played(a_run(a_scenario(), judge=wrong), play)
    assert MOST_TRIES * 0.01 <= result.took <= time.monotonic() - began
