"""Where callers stand: counted from who comes and who goes."""

from typing import cast

import pytest

from ivrflow.bridge.agent_leg import AgentLeg
from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.bridge.queue_places import QueuePlaces


class Leg:
    def __init__(self, name: str) -> None:
        self.name = name
        self.told: list[tuple[int, float]] = []

    def moved(self, position: int, expected_s: float) -> None:
        self.told.append((position, expected_s))


class Setup:
    def __init__(self) -> None:
        self.now = 100.0
        self.asked: list[str] = []
        self.places = QueuePlaces(lambda: self.now, self.asked.append)

    def line_up(self, name: str, *, queue: str = "agents", priority: int = 0, waited: float = 0.0) -> tuple[Leg, int]:
        leg = Leg(name)
        return leg, self.places.line_up(cast("AgentLeg", leg), queue, priority, waited)

    def join(self, name: str, position: int, **more: float) -> Leg:
        leg, _ = self.line_up(name, **more)  # type: ignore[arg-type]  # waited
        self.says("joined", position, leg)
        return leg

    def says(self, what: str, position: int, leg: Leg | None, queue: str = "agents") -> None:
        event = AmiEvent({"Event": "x", "Queue": queue, "Position": str(position)})
        getattr(self.places, what)(event, cast("AgentLeg | None", leg))
        self.answer()

    def answer(self, seconds: float = 0.0) -> None:
        """Asterisk tells the hold time of every queue it was asked for."""
        for queue in self.asked:
            self.places.hold_time(queue, seconds)
        self.asked.clear()


@pytest.fixture
def setup() -> Setup:
    return Setup()


def test_who_comes_last_stands_last_and_moves_up_when_others_leave(setup: Setup) -> None:
    first, second = setup.join("a", 1), setup.join("b", 2)
    setup.says("left", 1, first)
    assert (first.told, second.told) == ([(1, 0.0)], [(2, 0.0), (1, 0.0)])


def test_others_in_the_same_queue_count_and_those_of_another_do_not(setup: Setup) -> None:
    ours = setup.join("a", 2)
    setup.says("joined", 1, None)
    setup.says("left", 1, None, queue="seniors")
    setup.says("left", 1, None)
    assert [position for position, _ in ours.told] == [2, 3, 2]


def test_who_leaves_behind_us_changes_nothing(setup: Setup) -> None:
    ours = setup.join("a", 1)
    setup.says("joined", 2, None)
    setup.says("left", 2, None)
    assert ours.told == [(1, 0.0)]


def test_the_expected_wait_is_the_queues_less_what_was_waited_already(setup: Setup) -> None:
    leg, _ = setup.line_up("a", waited=20.0)
    event = AmiEvent({"Event": "x", "Queue": "agents", "Position": "1"})
    setup.places.joined(event, cast("AgentLeg", leg))
    setup.now += 5
    setup.answer(60.0)
    assert leg.told == [(1, 35.0)]
    setup.now += 500
    setup.places.joined(AmiEvent({"Event": "x", "Queue": "agents", "Position": "1"}), None)
    setup.answer(60.0)
    assert leg.told[-1] == (2, 0.0), "longer than usual: nobody knows"


def test_many_moves_are_one_question(setup: Setup) -> None:
    legs = [setup.join(str(number), number) for number in range(1, 6)]
    for _ in range(2):
        setup.places.left(AmiEvent({"Event": "x", "Queue": "agents", "Position": "1"}), None)
    assert setup.asked == ["agents"]
    setup.answer()
    assert legs[-1].told == [(5, 0.0), (3, 0.0)]


def test_who_waited_elsewhere_is_owed_the_place_before_later_ones_of_no_greater_priority(setup: Setup) -> None:
    setup.join("old", 1, waited=100.0)
    setup.join("vip", 2, priority=9)
    setup.join("new", 3)
    assert setup.line_up("raised", waited=50.0)[1] == 3
    assert setup.line_up("just come")[1] == 0
    assert setup.line_up("elsewhere", queue="seniors", waited=50.0)[1] == 0
    assert setup.line_up("waited too short", waited=0.0)[1] == 0


def test_who_is_forgotten_is_told_nothing_more(setup: Setup) -> None:
    ours = setup.join("a", 2)
    setup.places.left(AmiEvent({"Event": "x", "Queue": "agents", "Position": "1"}), None)
    setup.places.forget(cast("AgentLeg", ours))
    setup.answer()
    assert ours.told == [(2, 0.0)]


def test_a_position_that_is_no_number_moves_nobody_up(setup: Setup) -> None:
    ours = setup.join("a", 1)
    setup.places.joined(AmiEvent({"Event": "x", "Queue": "agents", "Position": "1.5"}), None)
    setup.answer()
    assert ours.told[-1][0] == 2


def test_after_a_lost_connection_nobody_knows_their_place_until_they_join_again(setup: Setup) -> None:
    ours, raised = setup.join("a", 3), setup.line_up("b")[0]
    setup.places.left(AmiEvent({"Event": "x", "Queue": "agents", "Position": "1"}), None)
    setup.places.lost()
    setup.answer(60.0)
    assert (ours.told, raised.told) == ([(3, 0.0), (0, 0.0)], [])
    setup.says("left", 1, None)
    setup.says("joined", 1, None)
    assert ours.told == [(3, 0.0), (0, 0.0)], "how many left or came meanwhile is not known"
    assert setup.line_up("c", waited=50.0)[1] == 0
    setup.says("joined", 2, raised)
    setup.says("left", 1, None)
    assert raised.told == [(2, 0.0), (1, 0.0)]
