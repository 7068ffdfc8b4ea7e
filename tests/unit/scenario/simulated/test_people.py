import pytest

from ivrflow.flow.problems import Location
from ivrflow.scenario.script import AgentPart, InQueues
from ivrflow.scenario.simulated.people import agent_as, comings_and_goings, manner_at

HERE = Location("talk.yaml", 1, 1)


def part(**times: float) -> AgentPart:
    return AgentPart("1001", "answers", HERE, 2.0, queues=InQueues(("agents",), HERE, **times))


def test_who_takes_no_calls_of_a_queue_neither_comes_nor_goes() -> None:
    nobodys = AgentPart("1001", "answers", HERE, 2.0)
    assert (manner_at(nobodys, 5.0), comings_and_goings(nobodys), agent_as(nobodys).manner) == (None, [], "answers")


@pytest.mark.parametrize(
    ("times", "states"),
    [
        ({}, {0.0: "answers", 50.0: "answers"}),
        ({"logs_in": 12.0}, {0.0: "logged_out", 11.9: "logged_out", 12.0: "answers"}),
        ({"logs_out": 30.0}, {0.0: "answers", 30.0: "logged_out"}),
        ({"pauses": 0.0}, {0.0: "paused", 50.0: "paused"}),
        ({"pauses": 0.0, "back": 20.0}, {0.0: "paused", 20.0: "answers"}),
        ({"pauses": 5.0, "back": 20.0}, {0.0: "answers", 5.0: "paused", 20.0: "answers"}),
    ],
)
def test_where_an_agent_stands(times: dict[str, float], states: dict[float, str]) -> None:
    agent = part(**times)
    assert {second: manner_at(agent, second) for second in states} == states
    assert agent_as(agent).manner == states[0.0]
    assert agent_as(agent).rings == 2.0
