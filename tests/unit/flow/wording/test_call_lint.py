"""How a flow begins, parts and hangs up, held against the rules of its standard."""

import pytest
from tiny_hotline import FLOW, SOURCE, TINY

from ivrflow.flow.compiling.compiler import check_flow
from ivrflow.flow.model import Prompt, PromptCatalogue

FIRST_HOURS = '  first:\n    hours: [{days: mon-fri, from: "08:00", to: "18:00", then: welcome}]\n'
HELLO = "    ladder: [{say: hello}]\n    then: continue\n"


def told(
    lint: str,
    *changes: tuple[str, str],
    more: str = "",
    then: tuple[str, str] = ("", ""),
    catalogue: PromptCatalogue | None = None,
) -> list[str]:
    """What the small flow with changes is told when the rule tiny/hello asks for `lint`.

    Args:
        more: rules added to the standard.
        then: a word at the end of a rule, and the word there instead.
    """
    standard = SOURCE[TINY].replace(HELLO, HELLO + f"    met_by: lint\n    lint: {lint}\n") + more
    standard = standard.replace(f"then: {then[0]}\n", f"then: {then[1]}\n") if then[0] else standard
    flow = SOURCE[FLOW]
    for old, new in changes:
        assert flow.count(old) == 1, old
        flow = flow.replace(old, new)
    checked = check_flow({**SOURCE, TINY: standard, FLOW: flow}, FLOW, catalogue)
    return [f"{problem.where.line}: {problem.message}" for problem in checked.problems]


# ── how it begins ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_opening_is_said_first() -> None:
    assert told("{opening: hello}") == []
    assert told("{opening: silent}", ("    opening: hello\n", "")) == []


def test_something_else_said_first_is_noted_where_it_is_said() -> None:
    assert told("{opening: hello}", ("opening: hello", "opening: house/morning")) == [
        "11: the first thing said is house/morning, not the opening that tiny/hello asks for"
    ]


def test_a_rung_of_the_standard_is_noted_at_the_step_that_climbs_it() -> None:
    assert told("{opening: hello}", ("    opening: hello\n", "")) == [
        "9: the first thing said is tiny/silent.greeting, not the opening that tiny/hello asks for"
    ]


def test_a_greeting_by_daytime_may_come_before_it() -> None:
    before = ("  welcome:\n", "  first:\n    say: house/morning\n    then: welcome\n\n  welcome:\n")
    start = ("start: welcome", "start: first")

    assert told("{opening: hello, opening_after: house/morning}", before, start) == []
    assert told("{opening: hello}", before, start) == [
        "10: the first thing said is house/morning, not the opening that tiny/hello asks for"
    ]


def test_every_window_and_every_line_of_the_calendar_must_open() -> None:
    lines = (
        "\nwordings:\n  hi:\n    - {days: mon, say: hello}\n    - {days: tue, say: house/morning}\n    - {say: []}\n"
    )
    changes = (("opening: hello", "greeting: when/hi"), ("\noutcomes:", lines + "\noutcomes:"))

    assert sorted(told("{opening: hello}", *changes)) == [
        "11: the first thing said is house/morning, not the opening that tiny/hello asks for",
        "9: a call can come to 'welcome' without the opening that tiny/hello asks for",
    ]


def test_a_call_may_not_come_to_a_wait_without_it() -> None:
    hours = (
        "  welcome:\n",
        FIRST_HOURS + "    otherwise: night\n\n  night:\n    close: {guard: 5s}\n\n  welcome:\n",
    )

    assert told("{opening: hello}", hours, ("start: welcome", "start: first")) == [
        "13: a call can come to 'night' without the opening that tiny/hello asks for"
    ]


def test_what_is_asked_of_placed_calls_is_not_asked_of_answered_ones() -> None:
    assert told("{calls: placed, opening: silent.again}") == []


def test_a_call_may_not_begin_with_certain_words() -> None:
    assert told("{never_first: [讲]}", ("    opening: hello\n", "")) == [
        "9: the call begins with tiny/silent.greeting, which says “讲”; tiny/hello forbids to begin so"
    ]
    assert told("{never_first: [讲]}") == []


def test_the_order_of_phrases_holds_on_every_way() -> None:
    assert told("{order: [hello, closing.thanks]}") == []
    assert told("{order: [silent.again, closing.thanks]}") == [
        "43: tiny/closing.thanks can be said before tiny/silent.again; tiny/hello asks for the other order"
    ]


def test_nobody_is_hung_up_on_without_a_word() -> None:
    hours = (
        "  welcome:\n",
        FIRST_HOURS + "    otherwise: hang_up\n\n  welcome:\n",
    )

    assert told("{never_without_a_word: yes}") == []
    assert told("{never_without_a_word: yes}", hours, ("start: welcome", "start: first")) == [
        "9: a call can end in 'hang_up' before a word was said, which tiny/hello forbids"
    ]


# ── how it ends ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_close_step_says_goodbye() -> None:
    assert told("{farewell: closing}") == []
    assert told("{farewell: closing}", (", farewell: closing, guard", ", guard")) == [
        "43: 'bye' waits for the other side to hang up without the farewell that tiny/hello asks for"
    ]


def test_goodbye_may_be_said_on_every_way_to_it() -> None:
    said = ("  bye:\n", "  thanks:\n    say: closing.thanks\n    then: bye\n\n  bye:\n")
    short = (", farewell: closing, guard", ", guard")
    to_thanks = ("on: {agent_left: bye, no_answer: bye}", "on: {agent_left: thanks, no_answer: thanks}")

    assert told("{farewell: closing}", said, short, to_thanks, ("closing: bye", "closing: thanks")) == []
    assert told("{farewell: closing}", said, short, to_thanks) == [
        "47: 'bye' waits for the other side to hang up without the farewell that tiny/hello asks for"
    ]


def test_a_situation_that_parts_has_said_goodbye_itself() -> None:
    waiting = (
        "  bye:\n    close: {ask",
        "  waiting:\n    close: {guard: 5s}\n\n  bye:\n    close: {ask",
    )
    noise = ("escalate: agent", "escalate: waiting")
    problem = "43: 'waiting' waits for the other side to hang up without the farewell that tiny/hello asks for"

    assert told("{farewell: closing}", waiting, noise) == [problem]

    parting = ("escalate: agent", "wait_caller_hangup: waiting")

    assert told("{farewell: closing}", waiting, parting, then=("escalate", "wait_caller_hangup")) == []


def test_something_is_asked_before_goodbye() -> None:
    assert told("{farewell: closing, ask_first: anything_else}") == []
    no_question = (
        ("close: {ask: anything_else, farewell", "close: {farewell"),
        ("    barge_in: [speech, key]\n    on: {request: main_menu}\n", ""),
    )
    assert told("{farewell: closing, ask_first: anything_else}", *no_question) == [
        "43: tiny/closing.thanks is said without the question that tiny/hello asks for before it"
    ]


def test_a_ladder_that_documents_it_may_hang_up() -> None:
    assert told("{caller_hangs_up_first: yes}") == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("no_input: agent\n\n  number", "no_input: hang_up\n\n  number"), "18: after 'main_menu' we hang up"),
        (("no_answer: bye}", "no_answer: hang_up}"), "36: after 'agent' we hang up"),
        (("      speech: main_menu", "      speech: hang_up"), "9: after 'welcome' we hang up"),
        (("  escalate: agent", "  escalate: hang_up"), "1: the outcome 'escalate' hangs up"),
        (
            ("  closing: bye\n", "  closing: bye\n\nleaves:\n  noise: {audible: hang_up}\n"),
            "1: leaving noise by 'audible' hangs up",
        ),
    ],
)
def test_nothing_else_hangs_up_first(change: tuple[str, str], problem: str) -> None:
    assert [line for line in told("{caller_hangs_up_first: yes}", change) if "hang" in line] == [
        f"{problem}; by tiny/hello the other side hangs up first"
    ]


# ── how long it takes ─────────────────────────────────────────────────────────────────────────────────────────────────

LOOP = """\
  - id: tiny/reports
    situation: hold_reminder
    trigger: the caller is kept waiting
    ladder:
      - {do: hold, wait_s: [5, 5], leave_on: looked_up}
      - {do: report}
    loops_from: 1
    then: continue
    limits: {max_hold_s: 4}
"""
TASKS = ("\noutcomes:", "\ntasks:\n  report: house/too_few\n\noutcomes:")


def recorded(seconds: float) -> PromptCatalogue:
    """Every phrase of the small flow, each so long."""
    flow = check_flow(SOURCE, FLOW).flow
    assert flow is not None
    return PromptCatalogue(
        {(key, ()): Prompt(key, phrase.without or phrase.text, seconds) for key, phrase in flow.phrases.items()}
    )


def test_a_report_is_shorter_than_its_interval_and_than_the_wait_it_sits_in() -> None:
    long = told("{opening: hello}", TASKS, more=LOOP, catalogue=recorded(4.5))
    longer = told("{opening: hello}", TASKS, more=LOOP, catalogue=recorded(5.5))

    assert told("{opening: hello}", TASKS, more=LOOP, catalogue=recorded(3.0)) == []
    assert long == ["1: house/too_few takes 4.5s and is said in a wait of 4s at most: tiny/reports"]
    assert longer == [
        "1: house/too_few takes 5.5s and is said again every 5s: tiny/reports",
        "1: house/too_few takes 5.5s and is said in a wait of 4s at most: tiny/reports",
    ]


def test_the_length_of_what_nobody_recorded_is_reckoned_from_its_wording() -> None:
    loop = LOOP.replace("[5, 5]", "[1, 1]").replace("max_hold_s: 4", "max_hold_s: 60")

    assert told("{opening: hello}", TASKS, more=loop) == [
        "1: house/too_few takes about 1.3s and is said again every 1s: tiny/reports"
    ]


# ── agents, messages and look-ups ─────────────────────────────────────────────────────────────────────────────────────

QUEUE = (
    '    transfer: "1001"\n    announce: house/connecting\n    ring_for: 20s\n',
    "    queue: agents\n    announce: house/connecting\n    at_most: 3m\n",
)
RECORDING = ("\noutcomes:", "\nrecording: {announce: house/morning, whole_call: WHOLE}\n\noutcomes:")


def test_the_notice_of_a_recording_is_the_first_thing_said() -> None:
    recorded = (RECORDING[0], RECORDING[1].replace("WHOLE", "yes"))

    assert told("{opening: hello}", recorded) == [
        "48: the first thing said is house/morning, not the opening that tiny/hello asks for"
    ]
    assert told("{opening: hello, opening_after: house/morning}", recorded) == []
    assert told("{opening: hello}", (RECORDING[0], RECORDING[1].replace("WHOLE", "no"))) == []


def test_the_notice_of_a_recording_may_not_come_before_what_must_precede_it() -> None:
    recorded = (RECORDING[0], RECORDING[1].replace("WHOLE", "yes"))

    assert told("{order: [house/morning, hello]}", recorded) == []
    assert told("{order: [house/morning, hello]}", (RECORDING[0], RECORDING[1].replace("WHOLE", "no"))) == [
        "11: tiny/hello can be said before house/morning; tiny/hello asks for the other order"
    ]


def test_a_queue_that_ends_by_hanging_up_hangs_up_first() -> None:
    left = ("on: {agent_left: bye, no_answer: bye}", "on: {agent_left: bye, no_answer: hang_up}")

    assert told("{caller_hangs_up_first: yes}", QUEUE) == told("{caller_hangs_up_first: yes}")
    problems = told("{caller_hangs_up_first: yes}", QUEUE, left)
    assert "36: after 'agent' we hang up; by tiny/hello the other side hangs up first" in problems
