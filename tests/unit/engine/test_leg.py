"""The agent of a call as a value: which level is asked when, who hears what, where it goes on without one."""

from dataclasses import replace

import pytest
from agent_flows import colleague, queue

from ivrflow.engine.leg import Leg, gone_to, hearer, waiting_values, without_place
from ivrflow.engine.messages import QueueMoved

QUEUE = queue(levels={"agents": 0.0, "seniors": 30.0})
QUEUED = Leg(1, QUEUE, 10.0)
ANSWERED = Leg(1, colleague(), 10.0, has_answered=True)


@pytest.mark.parametrize(
    ("leg", "is_on_hold", "whispers", "who"),
    [
        (None, False, False, "caller"),
        (QUEUED, False, False, "caller"),
        (ANSWERED, False, False, "both"),
        (ANSWERED, True, False, "caller"),
        (replace(ANSWERED, holds=True), False, False, "caller"),
        (ANSWERED, False, True, "agent"),
    ],
)
def test_who_hears_what_is_said(leg: Leg | None, is_on_hold: bool, whispers: bool, who: str) -> None:
    assert hearer(leg, is_on_hold=is_on_hold, whispers=whispers) == who


def test_a_queue_is_due_when_the_next_level_is_asked_and_at_last_when_the_caller_waited_long_enough() -> None:
    assert QUEUED.due() == 40.0
    assert replace(QUEUED, level=1).due() == 190.0
    assert replace(QUEUED, stays=True).due() == 190.0
    assert replace(QUEUED, has_answered=True).due() is None
    assert ANSWERED.due() is None


@pytest.mark.parametrize("why", ["no_answer", "busy", "unreachable", "nobody", "full"])
def test_where_it_goes_on_without_an_agent(why: str) -> None:
    assert gone_to(QUEUE, why) == (why if why in {"nobody", "full"} else "no_answer")
    ways_out = replace(colleague(), busy="busy", unreachable="unreachable")
    assert gone_to(ways_out, why) == (why if why in {"busy", "unreachable"} else "no_answer")


def test_minutes_to_wait_are_whole_and_one_at_least() -> None:
    assert waiting_values(QueueMoved(1, 3, 61.0)) == {"queue_position": "3", "queue_minutes": "2"}
    assert waiting_values(QueueMoved(1, 1, 5.0)) == {"queue_position": "1", "queue_minutes": "1"}
    assert waiting_values(QueueMoved(1, 1)) == {"queue_position": "1"}
    assert waiting_values(QueueMoved(1, 0)) == {}, "nobody has said where"


def test_a_place_is_forgotten_and_nothing_else() -> None:
    known = {"surname": "Li", "queue_minutes": "8", "queue_position": "4"}
    assert without_place(known) == {"surname": "Li"}


def test_a_talk_of_which_less_than_a_microsecond_is_left_is_long_enough() -> None:
    talks = replace(ANSWERED, ends=600.1)
    assert [talks.talk_left(now) for now in (0.1, 600.0999999, 600.1, 700.0)] == [600.0, 0.0, 0.0, 0.0]
