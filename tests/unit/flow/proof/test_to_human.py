"""The worst way to a person: to the second, held against calls that take it."""

from dataclasses import replace
from pathlib import Path

import pytest
from agent_flows import QUEUE_EXITS, ask, call_back, queue, record
from small_flows import (
    PROMPT_S,
    WHERE,
    climb,
    close,
    collect,
    flow,
    hours,
    listening,
    menu,
    rule,
    rule_rung,
    rung,
    say,
    transfer,
    window,
)

from ivrflow.engine import messages as m
from ivrflow.flow.model import HANG_UP, BargeIn, CallFlow, CallRecording, Keep, Limits, PlayBack, Step
from ivrflow.flow.proof.to_human import WayToHuman, ways_to_human
from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex
from ivrflow.simulator.simulation import Simulation

ROOT = Path(__file__).parents[4]
AGENT = transfer("agent", "connecting")


def only_way(small: CallFlow) -> WayToHuman:
    (way,) = ways_to_human(small)
    return way


def seconds(*steps: Step, limits: Limits | None = None) -> float | None:
    return only_way(flow(*steps, AGENT, rules=(), limits=limits)).seconds


def test_what_is_said_before_it_rings_counts() -> None:
    assert seconds(say("hello", "hello", then="agent")) == 2 * PROMPT_S


def test_a_caller_who_must_do_something_does_it_at_the_last_moment() -> None:
    welcome = climb("welcome", rung("a", 3.0), rung("b", 4.0), listens=listening(keys={"0": "agent"}))
    assert seconds(welcome) == PROMPT_S + 3 + PROMPT_S + 4 + PROMPT_S


def test_wrong_keys_as_often_as_they_are_corrected() -> None:
    """2 offers of 2 + 5 s; twice the wait again (5), the correction (2) and the choices (2); then connecting (2)."""
    assert seconds(menu(keys={"1": "agent"}, invalid_repeats=2)) == 2 * 7 + 2 * 9 + 2


def test_entries_fail_as_often_as_is_asked_again() -> None:
    """Round: 2 + 6 + 1 gap of 4 + 2; then 2 + 6 + 3 gaps of 4; then connecting."""
    assert seconds(collect(least=2, most=4, repeats=1, done="agent")) == 14 + 20 + 2


def test_without_a_way_never() -> None:
    way = only_way(flow(say("hello", "hello"), AGENT, rules=()))
    assert (way.seconds, way.why_never) == (
        None,
        "no key, no word and no silence from hello on leads to a transfer step or a queue",
    )


def test_without_a_transfer_step_never() -> None:
    assert only_way(flow(say("hello", "hello"), rules=())).why_never == "the flow has no transfer step and no queue"


def test_longer_than_a_call_is_never() -> None:
    way = only_way(flow(say("hello", "hello", then="agent"), AGENT, rules=(), limits=Limits(call_length=3.0)))
    assert way.seconds is None
    assert "limits.call_length ends the call after 3s" in way.why_never


def test_each_window_of_hours_is_a_start_of_its_own() -> None:
    day = window(range(5), 480, 1080, "good day", then="agent")
    ways = ways_to_human(flow(hours("open", day, otherwise="closed"), say("closed", "closed"), AGENT, rules=()))

    assert [(way.start, way.seconds) for way in ways] == [("mon-fri 08:00-18:00", 2 * PROMPT_S), ("otherwise", None)]


def test_nobody_on_purpose() -> None:
    day = window(range(5), 480, 1080, then="agent")
    limits = Limits(nobody_at=("closed",))
    small = flow(hours("open", day, otherwise="closed"), say("closed", "closed"), AGENT, rules=(), limits=limits)

    assert [(way.seconds, way.on_purpose) for way in ways_to_human(small)] == [(PROMPT_S, False), (None, True)]


def test_hours_on_the_way_must_all_lead_there() -> None:
    later = hours("later", window(range(7), 0, 720, then="agent"), otherwise="closed")
    way = only_way(flow(say("hello", "hello", then="later"), later, say("closed", "closed"), AGENT, rules=()))

    assert way.seconds is None
    assert "depends on the hour" in way.why_never


def test_what_leads_back_is_not_gone_round_by_choice() -> None:
    """The sub-menu leads back by key: it is entered once, and left for the agent."""
    main = menu("main", keys={"1": "sub", "0": "agent"}, offers=1, invalid_repeats=0)
    sub = menu("sub", keys={"9": "main", "0": "agent"}, offers=1, invalid_repeats=0)
    assert seconds(main, sub) == 7 + 7 + 2


def test_what_comes_round_by_itself_is_gone_round_as_often_as_it_is_counted() -> None:
    """Silence leads from the menu to a phrase and back: 4 times 7 + 2 seconds, then the key, then connecting."""
    main = menu("main", keys={"0": "agent"}, offers=1, invalid_repeats=0, no_input="sorry")
    assert seconds(main, say("sorry", "sorry", then="main"), limits=Limits(visits_per_step=4)) == 4 * 9 + 2


def test_a_circle_left_at_one_step_may_be_come_back_to_at_another() -> None:
    """Menu and hours go round by themselves; a key leads aside, and from there to the hours, not entered before: then
    the agent rings after the menu (7), the side step (3 phrases of 2) and connecting, which the circle alone does not take.
    """
    main = menu("main", keys={"0": "agent", "1": "aside"}, offers=1, invalid_repeats=0, no_input="by_hour")
    by_hour = hours("by_hour", window(range(7), 0, 720, then="agent"), otherwise="main")
    aside = say("aside", "a", "b", "c", then="by_hour")
    assert seconds(main, by_hour, aside, limits=Limits(visits_per_step=1)) == 7 + 3 * PROMPT_S + PROMPT_S


def test_many_steps_in_one_circle_are_bounded_all_the_same() -> None:
    names = [f"m{number}" for number in range(24)]
    menus = [
        menu(name, keys={"0": "agent", "1": names[number - 1], "2": names[number - 5]}, offers=1, invalid_repeats=0)
        for number, name in enumerate(names)
    ]
    assert seconds(*menus) == 24 * 7 + 2


def test_a_close_step_leads_there_by_a_request() -> None:
    assert seconds(close(request="agent")) == PROMPT_S + 2 + PROMPT_S


def test_the_call_that_takes_the_worst_way_of_12345_takes_exactly_so_long() -> None:
    """Silence, speech at the last moment, two wrong keys, three digits and silence, twelve digits, each at the last."""
    catalogue = PromptIndex.load(ROOT / "prompts").catalogue()
    gov12345 = load_flows([ROOT / "callflows" / "gov12345.yaml"], catalogue)["gov12345"]
    call = Simulation(gov12345, arrived_at=1_795_140_000.0)  # a Friday at ten

    def nearly() -> None:
        """Until a microsecond before the wait is over."""
        while not call.is_listening:
            call.step()
        assert call.next_at is not None
        call.advance(call.next_at - call.now - 1e-6)

    for _ in range(2):  # both waits of the silent call pass; the caller speaks while the last phrase is said
        nearly()
        call.advance(2e-6)
    assert call.next_at is not None
    call.advance(call.next_at - call.now - 1e-6)
    call.feed(m.SpeechStarted())
    for key in "992":
        nearly()
        if key == "2":
            call.advance(2e-6)
            nearly()
        call.feed(m.KeyPressed(key=key))
    for number in (3, 12):
        for _ in range(number):
            nearly()
            call.feed(m.KeyPressed(key="1"))
        if number == 3:
            nearly()
            call.advance(2e-6)
    while not any(isinstance(action, m.Ring) for action in call.record[-1].actions):
        call.step()

    worst = next(way for way in ways_to_human(gov12345) if way.start == "mon-sun 06:00-22:00")
    assert call.now == pytest.approx(worst.seconds, abs=0.001)
    assert [stage.step for stage in worst.stages][1:] == [
        "welcome",
        "main_menu",
        "complain",
        "complain_received",
        "agent",
    ]


def test_hang_up_reaches_nobody() -> None:
    assert only_way(flow(say("hello", "hello", then=HANG_UP), rules=())).seconds is None


# ── queues, messages, look-ups ────────────────────────────────────────────────────────────────────────────────────────

FRONT = queue("front", "joining", levels={"agents": 0.0, "seniors": 30.0})


def test_who_stands_in_a_queue_has_got_to_a_person() -> None:
    way = only_way(flow(say("hello", "hello", then="front"), FRONT, *QUEUE_EXITS, rules=()))

    assert (way.seconds, way.queue, way.waits, way.extension) == (2 * PROMPT_S, "agents", 180, "")
    assert [stage.word for stage in way.stages] == ["then", "stands in the queue agents"]


def test_what_follows_when_a_queue_has_nobody_is_not_counted_on() -> None:
    waiting = replace(FRONT, no_answer="agent", nobody="agent", full="agent", agent_left="agent")
    assert seconds(waiting) == PROMPT_S


def test_a_key_that_cuts_the_announcement_of_a_queue_leads_away_before_it_is_joined() -> None:
    """The queue's announcement at its last moment, the number, then what is said before the agent rings."""
    number = collect("number", least=1, most=1, repeats=0, done="agent")
    keyed = replace(FRONT, listening=listening(keys={"1": "number"}))
    cut = replace(keyed, listening=replace(keyed.listening, barge_in=frozenset[BargeIn]({"key"})))

    assert seconds(keyed, number, *QUEUE_EXITS) == PROMPT_S
    assert seconds(cut, number, *QUEUE_EXITS) == PROMPT_S + (PROMPT_S + 6) + PROMPT_S


def test_a_key_may_lead_back_to_the_queue_it_cut() -> None:
    """Many queues in a circle: each is entered once, and the last one joined."""
    barge_in = frozenset[BargeIn]({"key"})
    names = [f"q{number}" for number in range(120)]
    queues = [
        replace(queue(name, "joining"), listening=listening(barge_in=barge_in, keys={"1": names[number - 1]}))
        for number, name in enumerate(names)
    ]
    way = only_way(flow(*queues, *QUEUE_EXITS, rules=()))

    assert way.seconds == 120 * PROMPT_S
    assert way.queue == "agents"


def test_that_the_call_is_recorded_is_said_first() -> None:
    notice = rule("notice", rule_rung("recorded from now on"))
    small = flow(say("hello", "hello", then="front"), FRONT, *QUEUE_EXITS, rules=[notice])
    for whole_call in (False, True):
        recording = CallRecording(WHERE, ("recorded from now on",), whole_call=whole_call)
        assert only_way(replace(small, recording=recording)).seconds == 3 * PROMPT_S


def test_a_message_and_its_review_on_the_way() -> None:
    """Asked (2), tone and message (121), heard again (120), kept, then connecting (2)."""
    play = PlayBack("recorded", WHERE, "keep")
    keep = Keep("keep", WHERE, "agent")
    assert seconds(record(), play, keep, say("nothing", "nothing")) == 2 + 121 + 120 + 2


def test_what_a_look_up_answers_is_not_the_callers_to_choose() -> None:
    answers = [say(name, name, then="agent") for name in ("done", "late", "wrong", "failed")]
    small = replace(ask(), cases={"open": "agent"})

    assert seconds(small, *answers) == 8 + 2 * PROMPT_S
    way = only_way(flow(small, *answers[1:], say("done", "done"), AGENT, rules=()))
    assert (way.seconds, way.why_never) == (
        None,
        "from ask on it depends on the answer of a look-up whether anything leads to a transfer step or a queue",
    )


def test_nor_is_whether_a_number_may_be_rung() -> None:
    way = only_way(flow(call_back(), say("noted", "noted"), say("undiallable", "a", then="agent"), AGENT, rules=()))

    assert "depends on the number" in way.why_never
