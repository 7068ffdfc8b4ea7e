import pytest
from tiny_hotline import compiled, told

from ivrflow.flow.model import Band, Climb, Close, Collect, HangUp, Hours, Menu, Say, Transfer

WELCOME = (
    "  welcome:\n    ladder: silent\n    opening: hello\n    barge_in: [speech, key]\n    on:\n"
    "      speech: main_menu\n      key: {0: agent}\n    used_up: hang_up\n"
)


def test_a_ladder_step_takes_wording_and_waits_from_the_standard() -> None:
    step = compiled().steps["welcome"]

    assert isinstance(step, Climb)
    assert [(rung.say, rung.wait, rung.band, rung.leave_on) for rung in step.ladder.rungs] == [
        ("tiny/hello", 4.0, Band(3, 5), "speech"),
        ("tiny/silent.again", 2.0, Band(2, 2), "speech"),
        ("tiny/silent.goodbye", 0.0, None, None),
    ]
    assert (step.ladder.name, step.ladder.then, step.used_up) == ("silent", "hangup", "hang_up")
    assert (step.ladder.rungs[0].rule, step.ladder.rungs[0].also_rule) == ("tiny/silent", "tiny/hello")
    assert (step.listening.barge_in, step.listening.speech) == (frozenset({"speech", "key"}), "main_menu")
    assert step.listening.keys == {"0": "agent"}
    assert (step.where.line, step.where.column) == (9, 3)
    assert step.ladder.rungs[1].where.file.endswith("tiny.yaml")


def test_a_ladder_is_left_by_its_own_words() -> None:
    step = compiled(
        ("ladder: silent", "ladder: noise"),
        ("      speech: main_menu\n", "      speech: main_menu\n      audible: main_menu\n"),
    ).steps["welcome"]

    assert isinstance(step, Climb)
    assert step.left == {"audible": "main_menu"}


def test_a_caller_who_hangs_up_needs_no_step() -> None:
    flow = compiled(
        ("leave_on: audible", "leave_on: caller_hangup"),
        file="callflows/standards/tiny.yaml",
    )

    assert flow.situations["noise"].rungs[0].wait == flow.limits.own_wait


def test_a_menu_is_a_ladder_of_offers() -> None:
    step = compiled(("    wait: 5s\n", "    wait: 5s\n    repeats: 2\n")).steps["main_menu"]

    assert isinstance(step, Menu)
    assert [(rung.say, rung.wait, rung.band, rung.rule) for rung in step.ladder.rungs] == [
        ("house/menu", 5.0, None, None)
    ] * 3
    assert step.listening.keys == {"1": "number", "0": "agent"}
    assert (step.invalid, step.invalid_repeats, step.invalid_then) == ("house/wrong_key", 2, "agent")
    assert step.no_input == "agent"


def test_a_collect_step() -> None:
    step = compiled(("    first_digit: 6s\n", "    first_digit: 6s\n    barge_in: key\n")).steps["number"]

    assert isinstance(step, Collect)
    assert (step.value, step.ask, step.least, step.most, step.end_key) == (
        "case_number",
        "house/ask_number",
        4,
        12,
        "#",
    )
    assert (step.first_digit, step.inter_digit, step.repeats) == (6.0, 4.0, 1)
    assert step.barge_in == frozenset({"key"})


@pytest.mark.parametrize(("length", "bounds"), [("4", (4, 4)), ("{min: 1, max: 40}", (1, 40))])
def test_lengths(length: str, bounds: tuple[int, int]) -> None:
    step = compiled(("{min: 4, max: 12}", length)).steps["number"]

    assert isinstance(step, Collect)
    assert (step.least, step.most) == bounds


def test_a_transfer_falls_back_to_no_answer() -> None:
    step = compiled(("no_answer: bye}", "no_answer: bye, busy: main_menu}")).steps["agent"]

    assert isinstance(step, Transfer)
    assert (step.extension, step.announce) == ("1001", ("house/connecting",))
    assert (step.ring_for, step.talk_for) == (20.0, 600.0)
    assert (step.agent_left, step.no_answer, step.busy, step.unreachable) == ("bye", "bye", "main_menu", "bye")


def test_a_close_joins_the_rungs_of_two_rules() -> None:
    step = compiled().steps["bye"]

    assert isinstance(step, Close)
    assert [(rung.say, rung.wait, rung.leave_on, rung.rule) for rung in step.ladder.rungs] == [
        ("tiny/anything_else.ask", 2.0, "caller_has_request", "tiny/anything_else"),
        ("tiny/closing.thanks", 0.0, None, "tiny/closing"),
    ]
    assert (step.request, step.guard, step.reminder) == ("main_menu", 10.0, None)


def test_a_close_may_use_the_houses_words() -> None:
    step = compiled(
        (
            "ask: anything_else, farewell: closing, guard: 10s",
            "ask: house/morning, farewell: closing.thanks, guard: 10s",
        )
    ).steps["bye"]

    assert isinstance(step, Close)
    assert [(rung.say, rung.wait, rung.leave_on, rung.rule) for rung in step.ladder.rungs] == [
        ("house/morning", 3.0, "caller_has_request", None),
        ("tiny/closing.thanks", 0.0, None, "tiny/closing"),
    ]


def test_a_close_may_only_wait_for_the_caller() -> None:
    step = compiled(
        ("{ask: anything_else, farewell: closing, guard: 10s}", "{guard: 8s, reminder: house/morning}"),
        ("    barge_in: [speech, key]\n    on: {request: main_menu}\n", ""),
    ).steps["bye"]

    assert isinstance(step, Close)
    assert (step.ladder.rungs, step.request, step.guard, step.reminder) == ((), "", 8.0, "house/morning")


def test_a_say_step_obeys_the_rule_it_opens_or_names() -> None:
    flow = compiled((WELCOME, "  welcome:\n    say: [hello, lookup.alt2]\n    rule: lookup\n    then: main_menu\n"))
    step = flow.steps["welcome"]

    assert isinstance(step, Say)
    assert [(rung.say, rung.rule, rung.wait) for rung in step.ladder.rungs] == [
        ("tiny/hello", "tiny/hello", 0.0),
        ("tiny/lookup.alt2", "tiny/lookup", 0.0),
    ]
    assert step.then == "main_menu"


def test_hours_keep_their_order_and_may_run_past_midnight() -> None:
    step = compiled(
        (
            WELCOME,
            (
                "  welcome:\n    hours:\n"
                '      - {days: mon-fri, from: "22:00", to: "06:00", then: agent, say: house/morning}\n'
                '      - {days: mon-sun, from: "00:00", to: "24:00", then: main_menu}\n'
                "    otherwise: hang_up\n"
            ),
        )
    ).steps["welcome"]

    assert isinstance(step, Hours)
    assert [(window.opens, window.closes, window.says, window.then) for window in step.windows] == [
        (1320, 360, ("house/morning",), "agent"),
        (0, 1440, (), "main_menu"),
    ]


@pytest.mark.parametrize(
    ("first", "second", "covered"),
    [
        ("{days: mon-sun, from: '00:00', to: '24:00', ", "{days: sun, from: '23:00', to: '01:00', ", True),
        ("{days: sun, from: '22:00', to: '02:00', ", "{days: mon, from: '00:00', to: '02:00', ", True),
        ("{days: sun, from: '22:00', to: '02:00', ", "{days: mon, from: '00:00', to: '02:01', ", False),
        ("{days: mon, from: '08:00', to: '12:00', ", "{days: tue, from: '08:00', to: '12:00', ", False),
    ],
)
def test_a_window_that_never_holds_is_told(first: str, second: str, covered: bool) -> None:
    hours = f"  welcome:\n    hours:\n      - {first}then: main_menu}}\n      - {second}then: agent}}\n    otherwise: hang_up\n"

    assert told((WELCOME, hours)) == (["12:9: this window never holds: those above cover it"] if covered else [])


def test_a_hang_up_step_has_its_own_outcome() -> None:
    step = compiled(
        ("used_up: hang_up", "used_up: silent"),
        ("  bye:\n", "  silent:\n    hang_up: nobody_there\n\n  bye:\n"),
        ("hangup: hang_up", "hangup: silent"),
    ).steps

    assert step["silent"] == HangUp("silent", step["silent"].where, "nobody_there")
    assert isinstance(step["hang_up"], HangUp)
    assert step["hang_up"].outcome == "hung_up"


def test_limits_reach_the_waits_without_a_number() -> None:
    flow = compiled(("start: welcome\n", "start: welcome\nlimits: {own_wait: 7s, task_wait: 2m}\n"))

    assert [rung.wait for rung in flow.situations["noise"].rungs] == [7.0, 0.0]
    assert [rung.wait for rung in flow.situations["lookup"].rungs] == [0.0, 30.0]
