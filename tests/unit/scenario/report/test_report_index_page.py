from dataclasses import replace

import sample_results as made

from ivrflow.scenario.observation import ClockPair, Result
from ivrflow.scenario.report.index_page import MOST_CLOCKS, Coverage, index_page


def of(*results: Result, left_behind: tuple[str, ...] = ()):  # type: ignore[no-untyped-def]  # an IndexPage
    return index_page(results, [f"{number}.html" for number in range(len(results))], left_behind)


def test_the_verdict_in_big_words() -> None:
    assert of(made.passed(), made.failed(), made.not_run()).headline == "1 of 3 failed"
    assert of(made.passed()).headline == "All passed"
    assert of(made.passed(), made.not_run()).headline == "All that were run passed"
    assert of(made.not_run()).headline == "None was run"
    assert of().headline == "No scenario was played"
    assert of(made.passed(), left_behind=("a channel",)).headline == "Something was left behind"


def test_what_failed_stands_first_and_the_rest_in_order() -> None:
    page = of(made.passed(), made.not_run(), made.failed(), made.passed("simulator"))
    assert [(row.word, row.page) for row in page.rows] == [
        ("failed", "2.html"),
        ("not run", "1.html"),
        ("passed", "0.html"),
        ("passed", "3.html"),
    ]
    assert page.counts == {"passed": 2, "failed": 1, "not run": 1}


def test_a_row_says_what_was_wrong_first_and_how_much_more() -> None:
    [row] = of(made.failed()).rows
    assert row.first.startswith("a pause out of bounds: 5.21 s; expected 3 s")
    assert (row.findings, row.remarks) == (4, 1)
    assert row.place == "scenarios/gov/silent_call.yaml:3"


def coverage(*results: Result) -> dict[str, Coverage]:
    return {one.rule: one for one in of(*results).coverage}


def test_a_rule_is_proven_when_a_scenario_passed_and_none_failed() -> None:
    assert coverage(made.passed(), made.not_run())["gov/silent_call"].proof == "proven"
    assert coverage(made.passed(), made.failed())["gov/silent_call"].proof == "failed"
    assert coverage(made.not_run())["gov/silent_call"].proof == "not run"
    assert len(coverage(made.passed(), made.failed())["gov/silent_call"].by) == 2


def test_rules_that_no_scenario_proves_are_shown_before_those_that_are_proven() -> None:
    page = of(made.passed())
    proofs = [one.proof for one in page.coverage]
    assert proofs == ["no scenario"] * (len(proofs) - 1) + ["proven"]
    assert {one.rule for one in page.coverage} == {rule.id for rule in made.flow().standard.rules.values()}


def test_a_rule_the_standard_does_not_have_is_shown_all_the_same() -> None:
    result = made.passed()
    other = replace(result, scenario=replace(result.scenario, proves=("other/rule",)))
    assert coverage(other)["other/rule"].proof == "proven"


def test_the_waits_on_which_the_clocks_differ_most_come_first() -> None:
    pairs = tuple(
        ClockPair("gov/r", n, "3 s", 3, 3, 3.0, 3.0 + (n / 100 + 0.001) * (-1) ** n, 0.0) for n in range(1, 15)
    )
    unseen = ClockPair("gov/r", 99, "3 s", 3, 3, 3.0, None, 0.0)
    page = of(replace(made.passed(), clocks=(unseen, *pairs)))
    assert [one.clock.rung for one in page.clocks] == list(range(14, 14 - MOST_CLOCKS, -1))
    assert (page.compared, page.too_far) == (14, 9)
    assert [one.is_too_far for one in page.clocks].count(True) == 9
