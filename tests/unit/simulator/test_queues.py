import pytest

from ivrflow.simulator.agents import AgentChange
from ivrflow.simulator.queues import QueueChange, SimulatedQueue, read_queue


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("agents nobody", QueueChange("agents", "nobody")),
        ("agents full", QueueChange("agents", "full")),
        ("agents open", QueueChange("agents", "open")),
        ("agents position 3", QueueChange("agents", position=3)),
        ("agents position 3 expects 1m30s", QueueChange("agents", position=3, expects=90.0)),
        (
            "agents 1001 answers 12s talks 1m",
            QueueChange("agents", agent=AgentChange("1001", "answers", 12.0, 60.0)),
        ),
        ("vip-2 1005 paused", QueueChange("vip-2", agent=AgentChange("1005", "paused"))),
    ],
)
def test_what_can_be_said_about_a_queue(text: str, change: QueueChange) -> None:
    assert read_queue(text) == change
    assert read_queue(str(change)) == change


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "nothing is said about the queue", "write QUEUE"),
        ("agents", "nothing is said about the queue", "write QUEUE"),
        ("agents noboby", "'noboby' is nothing a queue does", "did you mean 'nobody'?"),
        ("agents full now", "'full' stands alone", "leave out 'now'"),
        ("agents position", "which position?", "position 3"),
        ("agents position 0", "which position?", "1 is the next one"),
        ("agents position 3 90s", "'90s' is nothing to say about a position", "expects 90s"),
        ("agents position 3 expects 90", "'90' has no unit", "90s"),
        ("agents 1001", "nothing is said about the agent", "answers"),
        ("agents 1001 asleep", "'asleep' is nothing an agent does", "known here"),
    ],
)
def test_what_cannot(text: str, message: str, hint: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_queue(text)
    assert message in refused.value.args[0]
    assert hint in refused.value.args[1]


def test_what_is_said_adds_up() -> None:
    queue = SimulatedQueue()
    for text in ("agents 1001 answers", "agents 1002 busy", "agents 1001 paused", "agents position 2 expects 40s"):
        queue = read_queue(text).made_to(queue)
    assert queue == SimulatedQueue(("1001", "1002"), position=2, expects=40.0)


def test_nobody_until_it_is_open_again_or_somebody_comes() -> None:
    nobody = read_queue("agents nobody").made_to(SimulatedQueue(("1001",)))
    assert nobody.members == ()
    assert read_queue("agents open").made_to(nobody).members is None
    assert read_queue("agents 1001 answers").made_to(nobody).members == ("1001",)


def test_full_until_it_is_open_again() -> None:
    full = read_queue("agents full").made_to(SimulatedQueue())
    assert full.is_full
    assert not read_queue("agents open").made_to(full).is_full
