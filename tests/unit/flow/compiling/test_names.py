import pytest
from tiny_hotline import HOUSE, SOURCE, TINY

from ivrflow.flow.compiling.glances import check_standard
from ivrflow.flow.compiling.names import Names
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.reader import NOBODY, Named

HERE = Location("a.yaml", 1, 1)


@pytest.fixture
def names() -> Names:
    tiny, _ = check_standard(SOURCE[TINY], TINY)
    house, _ = check_standard(SOURCE[HOUSE], HOUSE)
    assert tiny is not None
    assert house is not None
    return Names(
        ProblemList(), "tiny", tiny, {"tiny": tiny, "house": house}, frozenset({"gone"}), frozenset({"welcome"})
    )


def told(names: Names) -> list[str]:
    return [f"{problem.message} | {problem.hint}" for problem in names.problems.problems]


def test_phrases_belong_to_the_standard_unless_a_file_is_named(names: Names) -> None:
    assert names.phrase(Named("hello", HERE)) == "tiny/hello"
    assert names.phrase(Named("house/menu", HERE)) == "house/menu"
    assert names.phrase(Named("tiny/hello", HERE)) == "tiny/hello"
    assert names.phrase(NOBODY) == ""
    assert told(names) == []


def test_what_is_said_is_remembered_with_its_first_place(names: Names) -> None:
    names.phrase(Named("hello", HERE))
    names.phrase(Named("hello", Location("a.yaml", 9, 9)))

    assert names.said == {"tiny/hello": HERE}


def test_a_phrase_of_another_file_is_suggested(names: Names) -> None:
    names.phrase(Named("wrong_key", HERE))

    assert told(names) == ["there is no phrase 'wrong_key' | did you mean 'house/wrong_key'?"]


def test_nothing_is_missed_in_a_file_that_is_missing(names: Names) -> None:
    names.phrase(Named("gone/hello", HERE))

    assert told(names) == []


def test_an_unknown_step_stands_for_the_one_meant(names: Names) -> None:
    assert names.step(Named("wellcome", HERE)) == "welcome"
    assert names.step(Named("zzz", HERE)) == ""
    assert len(told(names)) == 2


def test_only_situations_go_back(names: Names) -> None:
    assert names.step_or_return(Named("continue", HERE)) == "continue"
    assert told(names) == []

    assert names.step(Named("continue", HERE)) == ""
    assert told(names) == ["'continue' is no step | only a situation can go back; name a step, for example hang_up"]


def test_rules_are_of_the_standard(names: Names) -> None:
    rule = names.rule(Named("silent", HERE))

    assert rule is not None
    assert rule.id == "tiny/silent"
    assert names.rule(Named("silence", HERE)) is None
    assert told(names) == ["tiny has no rule 'silence' | did you mean 'silent'?"]
