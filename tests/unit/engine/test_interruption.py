"""When a situation may interrupt a call, and the words when it may not."""

from dataclasses import replace

import pytest
from agent_flows import colleague
from small_flows import WHERE, flow, ladder, menu, rule, rule_rung, rung

from ivrflow.engine.interruption import interruption
from ivrflow.engine.leg import Leg
from ivrflow.engine.place import Interrupted, Place
from ivrflow.engine.standing import Footing, Interruptible, Pausing, Ringing, Saying, Standing, Talking, ThenEnter
from ivrflow.flow.model import Ladder

MENU = menu(keys={"1": "there"})
FLOW = flow(
    MENU,
    rules=(rule("noise", rule_rung("louder please", (2, 3))), rule("window", not_on_phone="it is of a chat window")),
)
HERE = Place(MENU)
PAUSING = Pausing(Footing(MENU.ladder))
SOUGHT = Leg(1, colleague(), 0.0)
ON_THE_LINE = replace(SOUGHT, has_answered=True)


def asked(
    situation: str = "noise", *, place: Place = HERE, standing: Standing = PAUSING, leg: Leg | None = None
) -> Interrupted | str:
    return interruption(FLOW, situation, place, standing, leg, "the agent to answer")


@pytest.mark.parametrize("standing", [PAUSING, Saying(1, "hello", (), ThenEnter("menu")), Talking(1)])
@pytest.mark.parametrize("leg", [None, ON_THE_LINE])
def test_what_it_interrupts_is_where_the_call_was(standing: Interruptible, leg: Leg | None) -> None:
    assert asked(standing=standing, leg=leg) == Interrupted(HERE, standing, has_agent=leg is not None)


@pytest.mark.parametrize(
    ("situation", "why"),
    [("nonsense", "no such situation"), ("window", "not on a phone line: it is of a chat window")],
)
def test_nothing_of_that_name(situation: str, why: str) -> None:
    assert asked(situation) == why


def test_a_situation_of_which_nothing_is_written_down() -> None:
    silent = replace(FLOW, situations={"noise": Ladder("noise", (), "continue", WHERE)})

    assert interruption(silent, "noise", HERE, PAUSING, None, "") == "no such situation"


def test_not_during_another() -> None:
    playing = Place(MENU, Footing(ladder(rung("please", 2), name="noise")), Interrupted(HERE, PAUSING))

    assert asked(place=playing) == "not during situation noise"


def test_not_before_the_agent_is_there() -> None:
    assert asked(leg=SOUGHT) == "not while an agent is sought"


def test_not_while_two_agents_see_to_the_caller() -> None:
    assert asked(leg=replace(ON_THE_LINE, giver=ON_THE_LINE)) == "not while the caller is handed over"


def test_not_where_it_could_not_come_back_to() -> None:
    assert asked(standing=Ringing(1)) == "not while waiting for the agent to answer"
