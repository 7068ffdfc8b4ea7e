import pytest
from tiny_hotline import TINY, compiled, source, told

from ivrflow.flow.compiling.compiler import compile_flow
from ivrflow.flow.days import ALL_DAYS, DaySet
from ivrflow.flow.keys.when import owning_rule
from ivrflow.flow.model import Climb, Close, Hours, PromptCatalogue, Say, Transfer

START = ("start: welcome\n", "start: welcome\n\nwordings:\n  greeting:\n{lines}\n")
OPENING = ("    opening: hello\n", "    opening: when/greeting\n")


def wordings(*lines: str) -> tuple[str, str]:
    return START[0], START[1].format(lines="\n".join(f"    - {line}" for line in lines))


def test_a_wording_is_read_line_by_line() -> None:
    flow = compiled(
        wordings("{days: [元旦, spring_festival], say: house/morning}", '{to: "12:00", say: [house/morning, hello]}', "{say: hello}"),
        OPENING,
    )  # fmt: skip

    lines = flow.wordings["greeting"].lines
    assert [(line.days, line.opens, line.closes, line.says) for line in lines] == [
        (DaySet(holidays=frozenset({"new_year", "spring_festival"})), 0, 1440, ("house/morning",)),
        (ALL_DAYS, 0, 720, ("house/morning", "tiny/hello")),
        (ALL_DAYS, 0, 1440, ("tiny/hello",)),
    ]
    assert [line.rules for line in lines] == [(None,), (None, "tiny/hello"), ("tiny/hello",)]
    assert flow.wordings_of("when/greeting") == ("house/morning", "tiny/hello")
    assert flow.wordings_of("tiny/hello") == ("tiny/hello",)


@pytest.mark.parametrize(
    ("lines", "messages"),
    [
        (('{to: "12:00", say: hello}',), ["10:7: nothing says what 'greeting' is when no line holds"]),
        (("{days: mon, say: when/greeting}", "{say: hello}"), ["10:24: a wording cannot be made of another wording"]),
        (("{days: mon, say: helo}", "{say: hello}"), ["10:24: there is no phrase 'helo'"]),
        (('{from: "08:00", to: "08:00", say: hello}', "{say: hello}"), ["10:23: the line ends when it begins"]),
        (("{days: mon, until: tue, say: hello}", "{say: hello}"), ["10:19: a line of a wording has no 'until'"]),
        (
            ("{say: hello}", '{to: "12:00", say: house/morning}', "{say: hello}"),
            [f"{line}:7: this line never holds: those above cover it" for line in (11, 12)],
        ),
    ],
)
def test_what_cannot_be_a_wording(lines: tuple[str, ...], messages: list[str]) -> None:
    assert told(wordings(*lines), OPENING) == messages


def test_a_wording_that_is_not_there_and_one_that_nobody_says() -> None:
    assert told(OPENING) == ["11:14: there is no wording 'greeting'"]
    assert told(wordings("{say: hello}")) == ["9:3: nothing says the wording 'greeting'"]


def test_a_wording_may_stand_wherever_a_phrase_may() -> None:
    flow = compiled(
        wordings("{days: weekends, say: []}", "{say: hello}"),
        ("menu: house/menu", "menu: when/greeting"),
        ("ask: house/ask_number", "ask: when/greeting"),
        ("announce: house/connecting", "announce: [when/greeting, house/connecting]"),
        ("farewell: closing", "farewell: [when/greeting, closing]"),
    )

    agent, bye = flow.steps["agent"], flow.steps["bye"]
    assert isinstance(agent, Transfer)
    assert agent.announce == ("when/greeting", "house/connecting")
    assert isinstance(bye, Close)
    assert [rung.say for rung in bye.ladder.rungs] == [
        "tiny/anything_else.ask",
        "when/greeting",
        "tiny/closing.thanks",
    ]


def test_every_wording_of_the_calendar_must_be_recorded() -> None:
    lines = wordings('{to: "12:00", say: house/morning}', "{say: hello}")
    found = told(lines, OPENING, catalogue=PromptCatalogue())
    assert "10:26: there is no recording of 'house/morning'" in found


def test_a_say_step_names_the_rule_of_a_wording() -> None:
    hail = "  welcome:\n    say: when/greeting\n    rule: {rule}\n    then: answer\n\n  answer:\n    ladder"
    lines = wordings('{to: "12:00", say: house/morning}', "{say: hello}")
    flow = compiled(lines, ("  welcome:\n    ladder", hail.format(rule="hello")))

    step = flow.steps["welcome"]
    assert isinstance(step, Say)
    assert [(rung.say, rung.rule) for rung in step.ladder.rungs] == [("when/greeting", "tiny/hello")]
    assert "16:11: tiny/lookup does not say this" in told(lines, ("  welcome:\n    ladder", hail.format(rule="lookup")))


def test_windows_take_kinds_of_day() -> None:
    window = '  hours:\n    hours:\n      - {{days: {days}, from: "08:00", to: "18:00", then: welcome}}\n'
    text = window.format(days="[workdays, 国庆]")
    flow = compile_flow(
        source(("start: welcome", "start: hours"), ("steps:\n", f"steps:\n{text}    otherwise: bye\n\n")),
        "callflows/hotline.yaml",
    )

    step = flow.steps["hours"]
    assert isinstance(step, Hours)
    assert step.windows[0].days == DaySet(kinds=frozenset({"workday"}), holidays=frozenset({"national_day"}))


def test_a_greeting_stands_before_the_ladder() -> None:
    step = compiled(("    opening: hello\n", "    greeting: [house/morning, hello]\n")).steps["welcome"]

    assert isinstance(step, Climb)
    assert [(rung.say, rung.wait, rung.rule, rung.leave_on) for rung in step.ladder.rungs] == [
        ("house/morning", 0.0, None, None),
        ("tiny/hello", 3.0, "tiny/hello", "speech"),
        ("tiny/silent.greeting", 4.0, "tiny/silent", "speech"),
        ("tiny/silent.again", 2.0, "tiny/silent", "speech"),
        ("tiny/silent.goodbye", 0.0, "tiny/silent", None),
    ]
    assert step.ladder.greets == 2


def test_the_wait_after_a_greeting() -> None:
    step = compiled(("    opening: hello\n", "    greeting: hello\n    greeting_wait: 5s\n")).steps["welcome"]
    assert isinstance(step, Climb)
    assert step.ladder.rungs[0].wait == 5.0
    assert told(("    opening: hello\n", "    greeting_wait: 5s\n")) == ["11:5: there is no greeting to wait after"]
    documented = told(("ladder: silent", "ladder: noise"), ("    opening: hello\n", "    greeting: silent.greeting\n    greeting_wait: 9s\n"),
                      ("      speech: main_menu\n", "      speech: main_menu\n      audible: main_menu\n"))  # fmt: skip
    assert "12:5: 9s is not what tiny/silent asks for: 3s to 5s" in documented


def test_who_owns_a_wording() -> None:
    standard = compiled(
        (
            '  hello: {text: "您好！"}',
            '  hello: {text: "您好！"}\n  hi.morning: {text: "早"}\n  hi.evening: {text: "晚"}',
        ),
        (
            "rules:\n",
            "rules:\n  - {id: tiny/hi, situation: greeting, trigger: t, ladder: [{say: hi.morning}], then: continue}\n",
        ),
        file=TINY,
    ).standard

    assert owning_rule(standard, "tiny/hi.morning") == "tiny/hi"
    assert owning_rule(standard, "tiny/hi.evening") == "tiny/hi"
    assert owning_rule(standard, "tiny/hello") == "tiny/hello"
    assert owning_rule(standard, "tiny/silent.again") is None  # it stands in a rule, and does not open it
    assert owning_rule(standard, "tiny/lookup.alt2") == "tiny/lookup"
    assert owning_rule(standard, "house/morning") is None
    assert owning_rule(None, "tiny/hello") is None
