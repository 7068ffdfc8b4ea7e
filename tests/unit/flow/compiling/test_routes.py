from ivrflow.flow.compiling.routes import Exit, check_routes, exits
from ivrflow.flow.days import ALL_DAYS
from ivrflow.flow.model import (
    Ask,
    CallBack,
    Climb,
    HangUp,
    Hours,
    Keep,
    Ladder,
    Listening,
    PlayBack,
    Queue,
    QueueLevel,
    Record,
    Rung,
    Say,
    Score,
    Step,
    Window,
)
from ivrflow.flow.problems import Location, ProblemList

HERE = Location("x.yaml", 1, 1)


def says(name: str, then: str, keys: dict[str, str] | None = None) -> Say:
    ladder = Ladder(name, (Rung(HERE, say="x/a"),), "", HERE)
    return Say(name, HERE, ladder, Listening(keys=keys or {}), then)


def hours(name: str, then: str, otherwise: str, *, greeting: bool = False) -> Hours:
    window = Window(ALL_DAYS, 0, 720, ("x/a",) if greeting else (), then, HERE)
    return Hours(name, HERE, (window,), otherwise)


def told(*steps: Step, start: str = "a") -> list[str]:
    problems = ProblemList()
    named = {step.name: step for step in (*steps, HangUp("hang_up", HERE, "hung_up"))}
    check_routes(named, [start], {}, problems)
    return [f"{problem.severity}: {problem.message}" for problem in problems.problems]


def test_what_is_reached_over_others_is_fine() -> None:
    assert told(says("a", "b", {"1": "c"}), says("b", "hang_up"), says("c", "b")) == []


def test_what_nothing_leads_to_is_told_even_when_it_leads_to_itself() -> None:
    assert told(says("a", "hang_up"), says("b", "b")) == ["error: nothing leads to the step 'b'"]


def test_hours_that_lead_to_hours_for_ever_are_told() -> None:
    assert told(hours("a", "hang_up", "b"), hours("b", "hang_up", "a")) == [
        "error: the steps a, b lead in a circle without saying or waiting for anything"
    ]
    assert told(hours("a", "hang_up", "a")) == [
        "error: 'a' leads back to itself without saying or waiting for anything"
    ]


def test_a_greeting_makes_a_circle_harmless_only_on_its_own_way() -> None:
    assert told(hours("a", "b", "hang_up", greeting=True), hours("b", "a", "hang_up")) == []
    assert len(told(hours("a", "hang_up", "b", greeting=True), hours("b", "hang_up", "a"))) == 1


def test_two_circles_are_told_one_by_one() -> None:
    found = told(
        hours("a", "b", "c"), hours("b", "a", "hang_up"), hours("c", "d", "hang_up"), hours("d", "c", "hang_up")
    )

    assert found == [
        "error: the steps a, b lead in a circle without saying or waiting for anything",
        "error: the steps c, d lead in a circle without saying or waiting for anything",
    ]


def test_a_ladder_without_a_rung_takes_no_time() -> None:
    climb = Climb("a", HERE, Ladder("a", (), "", HERE), Listening(), {}, "a")

    assert told(climb)[0].startswith("error: 'a' leads back to itself")


def test_steps_no_call_ends_from_are_a_warning() -> None:
    assert told(says("a", "b"), says("b", "a")) == ["warning: from here no call comes to an end: a, b"]


def test_steps_with_problems_may_lead_where_they_mention() -> None:
    problems = ProblemList()

    steps: dict[str, Step] = {"b": says("b", "hang_up"), "hang_up": HangUp("hang_up", HERE, "hung_up")}
    check_routes(steps, ["a"], {"a": frozenset({"b"})}, problems)

    assert problems.problems == []


def test_keys_that_lead_the_same_way_are_one_exit() -> None:
    ways = exits(says("a", "b", {"1": "c", "2": "d", "3": "c"}))

    assert ways == (Exit("key", "c", keys="13"), Exit("key", "d", keys="2"), Exit("then", "b"))


def waits(name: str, *, announce: tuple[str, ...] = (), nobody: str = "", keys: dict[str, str] | None = None) -> Queue:
    return Queue(
        name,
        HERE,
        levels=(QueueLevel(HERE, "agents"),),
        priority=0,
        announce=announce,
        ladder=Ladder(name, (), "no_answer", HERE),
        listening=Listening(keys=keys or {}),
        most=60.0,
        thanks=(),
        thanks_over=0.0,
        talk_for=600.0,
        agent_left="hang_up",
        no_answer="hang_up",
        nobody=nobody,
        full="hang_up",
    )


def asks(name: str, *, failed: str, late: str = "hang_up") -> Ask:
    cases = {"open": "hang_up", "closed": "hang_up"}
    return Ask(
        name, HERE, "https://x.example/", (), {}, "status", cases, (), 0.0, 5.0, "hang_up", late, "hang_up", failed
    )


def test_the_ways_out_of_a_queue() -> None:
    ways = exits(waits("a", nobody="b", keys={"1": "c", "2": "c"}))

    assert [(way.word, way.target, way.keys) for way in ways] == [
        ("key", "c", "12"),
        ("agent_left", "hang_up", ""),
        ("no_answer", "hang_up", ""),
        ("nobody", "b", ""),
        ("full", "hang_up", ""),
    ]


def test_queues_without_agents_that_lead_to_each_other_are_told() -> None:
    assert told(waits("a", nobody="b"), waits("b", nobody="a")) == [
        "error: the steps a, b lead in a circle without saying or waiting for anything"
    ]
    assert told(waits("a", nobody="b", announce=("x/a",)), waits("b", nobody="a")) == []


def test_a_look_up_that_is_tried_again_at_once_is_told() -> None:
    assert told(asks("a", failed="a")) == ["error: 'a' leads back to itself without saying or waiting for anything"]
    assert told(asks("a", failed="hang_up", late="a")) == []


def test_every_case_of_a_look_up_is_a_way_of_its_own() -> None:
    words = [way.word for way in exits(asks("a", failed="hang_up"))]

    assert words == ["case", "case", "done", "late", "wrong", "failed"]


def test_the_ways_out_of_the_small_steps() -> None:
    record = Record("a", HERE, ("x/a",), 60.0, 4.0, 1.0, "#", "box", done="b", nothing="c")
    order = CallBack("a", HERE, "", "other", ("1*",), 24.0, 3, 900.0, then="b", undiallable="c")

    assert [way.target for way in exits(record)] == ["b", "c"]
    assert [(way.target, way.takes_time) for way in exits(order)] == [("b", False), ("c", False)]
    assert exits(PlayBack("a", HERE, "b")) == (Exit("then", "b"),)
    assert exits(Keep("a", HERE, "b")) == (Exit("then", "b", takes_time=False),)
    assert exits(Score("a", HERE, "survey", 1, 5, "b")) == (Exit("then", "b", takes_time=False),)
