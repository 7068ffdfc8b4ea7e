import pytest

from ivrflow.flow.problems import FlowError, Location, Problem, ProblemList, did_you_mean, near_word

HERE = Location("a.yaml", 3, 7)


def test_a_problem_reads_like_a_compilers() -> None:
    assert str(Problem(HERE, "no such step")) == "a.yaml:3:7: no such step"
    assert str(Problem(HERE, "odd", "write x", "warning")) == "a.yaml:3:7: warning: odd\n    hint: write x"


def test_an_error_lists_its_problems_by_place() -> None:
    later, sooner = Problem(Location("a.yaml", 9, 1), "b"), Problem(HERE, "a")

    error = FlowError([later, sooner])

    assert error.problems == (sooner, later)
    assert str(error) == "a.yaml:3:7: a\na.yaml:9:1: b"


def test_warnings_alone_raise_nothing() -> None:
    problems = ProblemList()
    problems.warn(HERE, "odd")
    problems.raise_errors()
    problems.error(HERE, "wrong")

    with pytest.raises(FlowError) as caught:
        problems.raise_errors()

    assert [problem.severity for problem in caught.value.problems] == ["warning", "error"] or len(
        caught.value.problems
    ) == 2


def test_a_bounded_list_ends_with_what_it_has() -> None:
    problems = ProblemList(most=3)
    problems.error(HERE, "one")
    problems.warn(HERE, "two")

    with pytest.raises(FlowError, match="that makes 3 problems"):
        problems.error(HERE, "three")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("wellcome", "did you mean 'welcome'?"),
        ("zzz", "known here: agent, welcome"),
    ],
)
def test_the_nearest_word_or_all_of_them(word: str, hint: str) -> None:
    assert did_you_mean(word, ["welcome", "agent"]) == hint


def test_long_lists_are_cut_and_empty_ones_say_nothing() -> None:
    assert did_you_mean("x", [f"step_{number:02}" for number in range(20)]).endswith("step_11, …")
    assert did_you_mean("x", []) == ""
    assert near_word("x", []) == ""
