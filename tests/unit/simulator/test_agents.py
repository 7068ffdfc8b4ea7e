import pytest

from ivrflow.simulator.agents import Agent, AgentChange, AgentDeed, read_agent, read_deed


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("answers", AgentChange(manner="answers")),
        ("answers 5s talks 1m works 20s", AgentChange("", "answers", 5.0, 60.0, 20.0)),
        ("1001 busy 2s", AgentChange("1001", "busy", 2.0)),
        ("away", AgentChange(manner="away")),
        ("unreachable", AgentChange(manner="unreachable")),
        ("leaves", AgentChange(manner="leaves")),
        ("works 90s", AgentChange(works=90.0)),
        ("1000 talks 2m", AgentChange("1000", talks=120.0)),
    ],
)
def test_what_can_be_said_about_an_agent(text: str, change: AgentChange) -> None:
    assert read_agent(text) == change
    assert read_agent(str(change)) == change


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "nothing is said", "write [EXTENSION]"),
        ("1001", "nothing is said", "write [EXTENSION]"),
        ("answer", "'answer' is nothing an agent does", "did you mean 'answers'?"),
        ("answers soon", "'soon' is nothing an agent does", "known here"),
        ("answers 5", "'5' has no unit", "5s"),
        ("away 5s", "'away' takes no time", "only 'answers' and 'busy'"),
        ("answers talks", "'talks' does not say how long", "talks 30s"),
    ],
)
def test_what_cannot(text: str, message: str, hint: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_agent(text)
    assert message in refused.value.args[0]
    assert hint in refused.value.args[1]


def test_what_is_not_said_stays_as_it_was() -> None:
    agent = Agent("busy", 1.0, 30.0, 10.0)
    assert AgentChange(talks=5.0).made_to(agent) == Agent("busy", 1.0, 5.0, 10.0)
    assert AgentChange(manner="answers").made_to(agent) == Agent("answers", 1.0, 30.0, 10.0)
    assert AgentChange(manner="leaves").made_to(agent) == agent


def test_a_busy_signal_comes_at_once_unless_told_otherwise() -> None:
    assert AgentChange(manner="busy").made_to(Agent()).after == 0.0
    assert AgentChange(manner="busy", after=2.0).made_to(Agent()).after == 2.0


@pytest.mark.parametrize(
    ("text", "deed"),
    [
        ("holds", AgentDeed("holds")),
        ("holds 20s", AgentDeed("holds", seconds=20.0)),
        ("1002 holds 1m", AgentDeed("holds", "1002", seconds=60.0)),
        ("is back", AgentDeed("back")),
        ("back", AgentDeed("back")),
        ("keys *80", AgentDeed("keys", word="*80")),
        ("1001 transfers to_supervisor", AgentDeed("transfers", "1001", "to_supervisor")),
    ],
)
def test_what_an_agent_can_do_now(text: str, deed: AgentDeed) -> None:
    assert read_deed(text) == deed
    assert read_deed(str(deed)) == deed


@pytest.mark.parametrize("text", ["answers 5s", "1001 busy", "", "1001", "leaves"])
def test_everything_else_is_how_an_agent_behaves(text: str) -> None:
    assert read_deed(text) is None


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("is", "'is ' is nothing an agent does", "write: is back"),
        ("is gone", "'is gone' is nothing an agent does", "write: is back"),
        ("is back soon", "'soon' is too much", "is back"),
        ("holds 20", "'20' has no unit", "20s"),
        ("holds 20s 30s", "'30s' is too much", "holds 20s"),
        ("keys", "'keys' does not say which code", "keys *80"),
        ("keys 80", "'80' is no code", "a star and two digits"),
        ("keys *8٣", "is no code", "a star and two digits"),
        ("transfers", "'transfers' does not say where to", "transfers to_supervisor"),
    ],
)
def test_what_nobody_does(text: str, message: str, hint: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_deed(text)
    assert message in refused.value.args[0]
    assert hint in refused.value.args[1]
