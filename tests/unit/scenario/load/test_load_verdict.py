from typing import Any

import pytest
from load_shown import SILENT, a_sample, a_side, an_ending, shown
from made_results import a_result

from ivrflow.engine.trace import Judgement
from ivrflow.scenario.load.load_figures import LoadFigures
from ivrflow.scenario.load.load_records import ProcessSample
from ivrflow.scenario.load.load_verdict import LoadLimits, remarks_on, shortcomings_of

LISTENED = [a_result()]


def of_waits(*observed: float) -> LoadFigures:
    return shown(a_side(answered=1), endings=[an_ending(*observed)])


def failing(failed: int) -> LoadFigures:
    return shown(a_side(well=10 - failed, failed=failed, faults={"no sound came": failed}))


def test_a_load_without_a_fault_has_passed() -> None:
    assert shortcomings_of(shown(), LoadLimits()) == ()


@pytest.mark.parametrize(
    ("failed", "allowed", "passes"), [(0, 0.0, True), (1, 0.0, False), (1, 0.1, True), (2, 0.1, False)]
)
def test_failed_calls_count_by_their_share(failed: int, allowed: float, passes: bool) -> None:
    told = shortcomings_of(failing(failed), LoadLimits(failed=allowed))
    assert told == (() if passes else (f"{failed} of 10 calls failed",))


@pytest.mark.parametrize(("allowed", "passes"), [(0, False), (1, True)])
def test_calls_that_break_a_rule_count_one_by_one(allowed: int, passes: bool) -> None:
    endings = [an_ending(3.0), an_ending(3.0, call="pbx-1.2", judgement=Judgement.BROKEN)]
    told = shortcomings_of(shown(a_side(answered=2), endings), LoadLimits(broken=allowed))
    assert told == (() if passes else (f"1 call broke a rule: {SILENT}",))


def test_the_flow_says_by_how_much_waits_may_be_off_unless_somebody_does() -> None:
    late = of_waits(3.0, 3.3)
    limits = LoadLimits(late=1.0)
    assert shortcomings_of(late, limits) == ("1 % of the waits were off by 300 ms or more; 250ms is allowed",)
    assert shortcomings_of(late, LoadLimits(late=1.0, wait_p99=0.4)) == ()
    early = of_waits(3.0, 2.7)
    assert shortcomings_of(early, limits) == ("1 % of the waits were off by 300 ms or more; 250ms is allowed",)


@pytest.mark.parametrize(("late", "passes"), [(1, True), (2, False)])
def test_waits_that_are_late_count_by_their_share(late: int, passes: bool) -> None:
    told = shortcomings_of(of_waits(*[3.03] * late, *[3.0] * (100 - late)), LoadLimits())
    assert told == (() if passes else ("2 of 100 waits (2.0%) were late by more than 20 ms; 1.0% is allowed",))


def test_calls_the_journal_does_not_know_or_never_saw_end_are_not_passed_over() -> None:
    endings = [an_ending(3.0), an_ending(outcome=None)]
    assert shortcomings_of(shown(a_side(answered=3), endings), LoadLimits()) == (
        "the journal has 2 of 3 calls that were answered",
        "1 call without an ending in the journal",
    )


# ── what should be known ──────────────────────────────────────────────────────────────────────────────────────────────


def test_there_is_nothing_to_remark_on_a_load_that_went_well() -> None:
    assert remarks_on(shown(a_side(listened=LISTENED))) == ()


@pytest.mark.parametrize(
    ("side", "told"),
    [
        ({"cut": 3, "placed": 7}, "stopped early: 3 calls hung up, 3 never placed"),
        ({"cut": 2, "answered": 8}, "stopped early: 2 calls hung up, 0 never placed"),
        ({"listened": []}, "no call was listened to: what callers heard is not known"),
        ({"answered": 8}, "2 calls of that time more than ours in the journal; what they tell is counted, too"),
        ({"placing": 9.0}, "calls were placed at 1.0 a second instead of 5: 4 were there at once"),
    ],
)
def test_what_the_callers_tell_is_remarked_on(side: dict[str, Any], told: str) -> None:
    assert remarks_on(shown(a_side(**{"listened": LISTENED, **side}))) == (told,)


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        ({"engine": None}, "the engine is not on this machine, or not ours to look at: no figures of it"),
        ({"pbx": None}, "the PBX is not on this machine, or not ours to look at: no figures of it"),
        (
            {"pacer_late": 0.06},
            "our own audio was late by up to 60 ms: this machine could not keep up with so many calls of our own, and what is told of the wire is partly the caller's doing",
        ),
        ({"caller": ProcessSample(93.0, 1)}, "the caller used up to 93 % of a core: more calls need another caller"),
        ({"stolen": 20.0}, "other machines on this computer took 20 % of ours, at worst 20 %"),
        ({"others": 60.0}, "other processes used 60 % of this machine, at worst 60 %"),
    ],
)
def test_what_the_machine_shows_is_remarked_on(sample: dict[str, Any], told: str) -> None:
    assert remarks_on(shown(a_side(listened=LISTENED), samples=[a_sample(1.0, **sample)])) == (told,)


def test_without_a_journal_that_is_said() -> None:
    told = shown(a_side(listened=LISTENED), endings=None)
    assert remarks_on(told) == ("no journal: rules and the engine's waits are not known",)
    assert shortcomings_of(told, LoadLimits()) == ()
