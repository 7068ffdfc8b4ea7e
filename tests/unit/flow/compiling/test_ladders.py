import pytest

from ivrflow.flow.compiling.ladders import chosen_wait, opened_rule, rule_ladder, says, with_opening, with_waits
from ivrflow.flow.model import Band, Ladder, Limits, Rule, RuleRung, Standard
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.reader import Located

HERE = Location("x.yaml", 1, 1)
LIMITS = Limits(own_wait=4.0, task_wait=70.0, hold_wait=90.0)


def rule(name: str, *rungs: RuleRung) -> Rule:
    return Rule(f"x/{name}", "s", "t", rungs, "hangup", {}, "", HERE)


def say(phrase: str, wait: Band | None = None, leave_on: str | None = None) -> RuleRung:
    return RuleRung(HERE, say=phrase, wait=wait, leave_on=leave_on)


SILENT = rule("silent", say("x/a", Band(3, 5), "speech"), say("x/b", Band(2, 2), "speech"), say("x/c"))


@pytest.mark.parametrize(
    ("rung", "seconds"),
    [
        (RuleRung(HERE, say="x/a", wait=Band(3, 5)), 4.0),
        (RuleRung(HERE, say="x/a", wait=Band(2, 2)), 2.0),
        (RuleRung(HERE, task="look_up", wait=Band(10, 30)), 30.0),
        (RuleRung(HERE, say="x/a", leave_on="audible"), 4.0),
        (RuleRung(HERE, say="x/a", leave_on="caller_hangup"), 4.0),
        (RuleRung(HERE, task="fetch", leave_on="found"), 70.0),
        (RuleRung(HERE, task="look_up", leave_on="found"), 90.0),
        (RuleRung(HERE, task="look_up"), 90.0),
        (RuleRung(HERE, say="x/a"), 0.0),
        (RuleRung(HERE, task="fetch"), 0.0),
    ],
)
def test_the_wait_of_a_rung(rung: RuleRung, seconds: float) -> None:
    assert chosen_wait(rung, LIMITS) == seconds


def test_only_documented_seconds_are_a_band() -> None:
    ladder = rule_ladder(rule("noise", say("x/a", leave_on="audible"), say("x/b", Band(2, 2))), LIMITS, {})

    assert [(rung.wait, rung.band) for rung in ladder.rungs] == [(4.0, None), (2.0, Band(2, 2))]
    assert {rung.rule for rung in ladder.rungs} == {"x/noise"}
    assert ladder.then == "hangup"


def chosen(*waits: float) -> tuple[Ladder, list[str]]:
    problems = ProblemList()
    located = [Located(wait, Location("f.yaml", 2, index)) for index, wait in enumerate(waits, start=1)]
    return with_waits(rule_ladder(SILENT, LIMITS, {}), located, problems), [
        str(problem) for problem in problems.problems
    ]


def test_a_flow_may_choose_within_the_band() -> None:
    ladder, told = chosen(5.0, 2.0)

    assert told == []
    assert [rung.wait for rung in ladder.rungs] == [5.0, 2.0, 0.0]
    assert ladder.rungs[0].band == Band(3, 5)


def test_a_choice_outside_the_band_names_band_and_rule_at_its_own_place() -> None:
    _, told = chosen(6.0, 1.9)

    assert told == [
        "f.yaml:2:1: 6s is not what x/silent asks for after rung 1: 3s to 5s\n    hint: write 3s to 5s, or leave 'wait' out",
        "f.yaml:2:2: 1.9s is not what x/silent asks for after rung 2: 2s\n    hint: write 2s, or leave 'wait' out",
    ]


def test_one_wait_is_for_every_rung_that_waits() -> None:
    problems = ProblemList()
    two = rule_ladder(rule("two", say("x/a", Band(1, 3), "speech"), say("x/b", leave_on="speech")), LIMITS, {})

    ladder = with_waits(two, [Located(2.5, HERE)], problems)

    assert problems.problems == []
    assert [rung.wait for rung in ladder.rungs] == [2.5, 2.5]


def test_as_many_waits_as_rungs_that_wait() -> None:
    _, told = chosen(3.0, 2.0, 1.0)

    assert told[0].startswith("f.yaml:2:1: 3 waits are given; 'silent' has 2 rungs that wait")


STANDARD = Standard(
    "x",
    "X",
    "",
    HERE,
    {},
    {
        "silent": SILENT,
        "greeting": rule("greeting", say("x/hello"), say("x/b")),
        "praise": rule("praise", say("x/twice")),
        "thanks": rule("thanks", say("x/twice")),
    },
)


def test_an_opening_replaces_the_first_phrase_and_obeys_its_own_rule_too() -> None:
    place = Location("f.yaml", 7, 7)

    ladder = with_opening(rule_ladder(SILENT, LIMITS, {}), "x/hello", place, STANDARD)

    first = ladder.rungs[0]
    assert (first.say, first.rule, first.also_rule, first.where) == ("x/hello", "x/silent", "x/greeting", place)
    assert (first.wait, first.leave_on) == (4.0, "speech")
    assert all(rung.also_rule is None for rung in ladder.rungs[1:])


@pytest.mark.parametrize(
    ("phrase", "credited"),
    [("x/hello", "x/greeting"), ("x/b", None), ("x/twice", None), ("x/a", "x/silent"), ("", None)],
)
def test_a_phrase_obeys_the_one_rule_it_opens(phrase: str, credited: str | None) -> None:
    assert opened_rule(STANDARD, phrase) == credited


def test_the_rungs_own_rule_is_not_a_second_one() -> None:
    assert opened_rule(STANDARD, "x/a", besides="x/silent") is None


def test_alternative_wordings_are_the_same_phrase() -> None:
    lookup = rule("lookup", say("x/wait.alt1"))

    assert says(lookup, "x/wait.alt2")
    assert not says(lookup, "x/wait.long")
