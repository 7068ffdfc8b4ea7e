"""The longest silence of flows made by hand, to the second."""

from dataclasses import replace

import pytest
from agent_flows import QUEUE_EXITS, ask, call_back, colleague, queue, record
from small_flows import (
    BOTH,
    NONE,
    WHERE,
    climb,
    close,
    collect,
    flow,
    ladder,
    listening,
    menu,
    rule,
    rule_rung,
    rung,
    say,
    transfer,
)

from ivrflow.flow.model import (
    HANG_UP,
    BargeIn,
    CallFlow,
    Keep,
    Limits,
    PlayBack,
    Score,
    Step,
)
from ivrflow.flow.proof.silence import silences


def only(*steps: Step, limits: Limits | None = None) -> CallFlow:
    """A flow without situations."""
    return flow(*steps, rules=(), limits=limits)


def test_a_wait_after_a_prompt() -> None:
    assert silences(only(climb("welcome", rung("hello", 3.0)))).waiting.seconds == 3


def test_waits_are_joined_across_steps_that_begin_silently() -> None:
    first = climb("first", rung("hello", 3.0), used_up="second")
    second = climb("second", rung(None, 4.0), rung("still there", 1.0))

    proven = silences(only(first, second)).waiting

    assert proven.seconds == 7
    assert [(moment.place, moment.what) for moment in proven.moments] == [("first", "waits 3s"), ("second", "waits 4s")]


def test_a_prompt_between_two_waits_is_no_silence() -> None:
    assert silences(only(climb("welcome", rung("a", 3.0), rung("b", 2.0)))).waiting.seconds == 3


def test_a_key_at_the_last_moment_joins_what_it_leads_to() -> None:
    welcome = climb("welcome", rung("a", 3.0), listens=listening(barge_in=BOTH, keys={"1": "quiet"}))
    assert silences(only(welcome, climb("quiet", rung(None, 2.0)))).waiting.seconds == 5


def test_each_digit_begins_the_silence_anew() -> None:
    assert silences(only(collect(most=12))).waiting.seconds == 6


def test_the_guard_twice_is_torn_by_the_reminder() -> None:
    assert silences(only(close(guard=10.0))).waiting.seconds == 10
    assert silences(only(close(guard=10.0, reminder=None))).waiting.seconds == 10


def test_ringing_is_no_silence() -> None:
    assert silences(only(transfer(no_answer="wait"), climb("wait", rung(None, 2.0)))).waiting.seconds == 2


def test_a_circle_of_silent_steps_is_counted() -> None:
    """Each step may be entered 5 times: 5 x (2 + 1) seconds without a sound."""
    steps = (climb("a", rung(None, 2.0), used_up="b"), climb("b", rung(None, 1.0), used_up="a"))

    proven = silences(only(*steps, limits=Limits(visits_per_step=5))).waiting

    assert (proven.seconds, proven.rounds) == (15, 5)


def test_never_longer_than_a_call() -> None:
    steps = (climb("a", rung(None, 500.0), used_up="a"),)
    assert silences(only(*steps)).waiting.seconds == Limits().call_length


def test_a_task_counts_where_an_agent_works() -> None:
    small = only(climb("welcome", rung("a", 3.0), rung(None, task="look", wait=30.0), rung("b", 1.0)))

    assert (silences(small).waiting.seconds, silences(small).working.seconds) == (3, 33)


def test_a_task_without_a_number_takes_the_limit() -> None:
    small = only(climb("welcome", rung(None, task="look")), limits=Limits(task_wait=77.0))
    assert silences(small).working.seconds == 77


def test_music_on_hold_is_no_silence() -> None:
    music = rule("music", rule_rung("one moment"), rule_rung(task="play_waiting_tone", wait=(60, 60)))
    small = flow(say("welcome", "hello"), rules=[music])

    assert silences(small).working.seconds == 0
    assert [moment.seconds for moment in silences(small).waits] == [60]


def test_a_situation_may_come_after_a_wait_and_the_wait_begins_anew() -> None:
    """3 s wait, then a situation that only asks for a task of 4 s, then the wait again."""
    quiet = rule("quiet", rule_rung(task="think", wait=(4, 4)))
    small = flow(climb("welcome", rung("hello", 3.0)), rules=[quiet])

    assert silences(small).working.seconds == 3 + 4 + 3
    assert silences(small).waiting.seconds == 3


def test_a_situation_that_begins_with_un_muting_adds_no_silence() -> None:
    back = rule("back", rule_rung(task="unmute"), rule_rung("thanks"))
    small = flow(climb("welcome", rung("hello", 3.0)), rules=[back])

    assert silences(small).waiting.seconds == 3
    assert silences(small).working.seconds == 3


def test_a_situation_that_ends_with_a_wait_is_joined_with_where_it_leads() -> None:
    waits = rule("waits", rule_rung("say", (5, 5)), then="transfer")
    small = flow(say("welcome", "a"), climb("quiet", rung(None, 2.0)), rules=[waits], outcomes={"transfer": "quiet"})

    assert silences(small).waiting.seconds == 7


@pytest.mark.parametrize("barge_in", [NONE, BOTH])
def test_a_menu_waits_once(barge_in: frozenset[BargeIn]) -> None:
    assert silences(only(menu(keys={"1": HANG_UP}, barge_in=barge_in))).waiting.seconds == 5


# ── agents, messages and look-ups ─────────────────────────────────────────────────────────────────────────────────────

QUIET = climb("quiet", rung(None, 3.0))


def test_a_queue_is_no_silence_and_what_follows_it_is_a_new_one() -> None:
    waiting = replace(queue(waiting=ladder(rung(None, 30.0), rung("still busy", 30.0))), no_answer="quiet")
    first = climb("first", rung("hello", 5.0), used_up="queue")
    small = only(first, waiting, QUIET, *(step for step in QUEUE_EXITS if step.name != "no_answer"))

    assert silences(small).waiting.seconds == 5
    assert 30 not in [moment.seconds for moment in silences(small).waits]


# No situation comes back into a look-up, so what is joined with its silence came to it by the way that is meant.
ANSWERS = tuple(say(name, name) for name in ("done", "late", "wrong", "failed"))
SILENT_LOOK_UP = replace(ask(filler=False), cases={})


@pytest.mark.parametrize(("keys", "seconds"), [({"1": "ask"}, 5 + 8), ({}, 8)])
def test_keys_ahead_of_a_queue_make_its_announcement_not_even_begin(keys: dict[str, str], seconds: float) -> None:
    """A situation that ends with a wait leads to the queue with a key already pressed, and on to a silent step."""
    waits = rule("waits", rule_rung("say", (5, 5)), then="transfer")
    waiting = replace(queue("queue", "joining"), listening=listening(barge_in=BOTH, keys=keys))
    steps: tuple[Step, ...] = (say("welcome", "a"), waiting, SILENT_LOOK_UP, *ANSWERS, *QUEUE_EXITS)

    assert silences(flow(*steps, rules=[waits], outcomes={"transfer": "queue"})).waiting.seconds == seconds


@pytest.mark.parametrize(
    "sought", [replace(queue("agent"), agent_left="ask"), replace(colleague("agent"), agent_left="ask")]
)
def test_an_agent_may_leave_while_a_situation_is_played(sought: Step) -> None:
    """The situation's last wait, then where the agent's leaving leads to."""
    waits = rule("waits", rule_rung("say", (5, 5)))
    steps: tuple[Step, ...] = (SILENT_LOOK_UP, *ANSWERS, *QUEUE_EXITS[1:])

    assert silences(flow(sought, *steps, rules=[waits])).waiting.seconds == 5 + 8


def test_after_a_message_the_caller_waits_as_long_as_silence_ends_it() -> None:
    small = only(replace(record(), done="quiet", nothing="quiet"), QUIET)

    proven = silences(small).waiting
    assert proven.seconds == 4 + 3
    assert proven.moments[0].what == "the message is over after a silence of 4s"


def test_the_message_itself_is_the_callers_turn() -> None:
    first = climb("first", rung("hello", 1.0), used_up="message")
    assert (
        silences(only(first, replace(record(), ask=()), say("recorded", "a"), say("nothing", "b"))).waiting.seconds == 4
    )


def test_steps_without_a_sound_join_what_is_around_them() -> None:
    steps = (
        climb("first", rung("hello", 1.0), used_up="keep"),
        Keep("keep", WHERE, "score"),
        Score("score", WHERE, "survey", 3, 5, "play"),
        PlayBack("play", WHERE, "callback"),
        replace(call_back(), then="noted", undiallable="quiet"),
        say("noted", "noted"),
        QUIET,
    )
    assert silences(only(*steps)).waiting.seconds == 4


def test_a_look_up_is_silent_up_to_its_filler_and_then_has_music() -> None:
    small = only(replace(ask(), cases={"open": "quiet"}), QUIET, *ANSWERS)

    assert silences(small).waiting.seconds == 2 + 3, "answered at the last moment before the filler"


def test_a_look_up_without_a_filler_is_silent_to_its_end() -> None:
    first = climb("first", rung("hello", 1.0), used_up="ask")
    small = only(first, replace(ask(filler=False), cases={}, late="quiet"), QUIET, *ANSWERS)

    assert silences(small).waiting.seconds == 1 + 8 + 3


def test_a_survey_may_follow_the_farewell() -> None:
    """The farewell's ladder is empty here: the survey, a silent step, joins the wait before it; the guard is shorter."""
    first = climb("first", rung("hello", 5.0), used_up="close")
    ends = close(ask=False, guard=2.0, reminder=None)

    assert silences(only(first, ends, QUIET)).waiting.seconds == 5 + 2
    assert silences(only(first, replace(ends, survey="quiet"), QUIET)).waiting.seconds == 5 + 3
