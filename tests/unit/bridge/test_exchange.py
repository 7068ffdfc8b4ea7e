"""Routing: every manager event reaches the line it belongs to, as the call it is about; everything else nobody."""

from typing import cast

import pytest

from ivrflow.bridge.agi_events import Environment, read_environment
from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.bridge.asterisk_line import AsteriskLine, LineSettings
from ivrflow.bridge.exchange import Exchange, ExchangeAddress
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.engine import messages as m


class Channel:
    def __init__(self, unique_id: str) -> None:
        self.environment = read_environment({"agi_uniqueid": unique_id, "agi_extension": "12345"})
        self.closed = False

    def send(self, _command: object) -> int:
        return 1

    def close(self) -> None:
        self.closed = True


class Setup:
    """An exchange that was never started: its door and its router are called as its two connections would."""

    def __init__(self, *, takes_calls: bool = True) -> None:
        self.takes_calls = takes_calls
        self.events: dict[str, list[m.CallEvent]] = {}
        self.exchange = Exchange(
            ExchangeAddress("127.0.0.1", 1, "u", "s", "127.0.0.1", 0),
            LineSettings("/prompts"),
            self.take,
            max_calls=10,
        )

    def take(self, line: AsteriskLine, environment: Environment) -> bool:
        assert environment.dialled_number == "12345"
        self.events[line.unique_id] = []
        line.on_event = self.events[line.unique_id].append
        return self.takes_calls

    def call(self, unique_id: str) -> tuple[AsteriskLine, Channel]:
        channel = Channel(unique_id)
        return self.exchange._call_arrived(cast("AgiChannel", channel)), channel

    def up(self) -> None:
        self.exchange._is_up = True

    def say(self, name: str, **headers: str) -> None:
        self.exchange._manager_said(AmiEvent({"Event": name, **headers}))


@pytest.fixture
async def setup() -> Setup:
    setup = Setup()
    setup.up()
    return setup


async def test_a_key_reaches_the_call_it_was_pressed_on_and_no_other(setup: Setup) -> None:
    setup.call("a.1")
    setup.call("b.2")
    setup.say("DTMFBegin", Uniqueid="b.2", Digit="5", Direction="Received")
    setup.say("DTMFBegin", Uniqueid="a.1", Digit="7", Direction="Sent")
    setup.say("DTMFEnd", Uniqueid="b.2", Digit="5", Direction="Received")
    assert setup.events == {"a.1": [], "b.2": [m.KeyPressed(key="5")]}


@pytest.mark.parametrize("name", ["HangupRequest", "SoftHangupRequest", "Hangup"])
async def test_a_caller_who_hung_up_is_gone_with_the_cause(setup: Setup, name: str) -> None:
    setup.call("a.1")
    setup.say(name, Uniqueid="a.1", Cause="16")
    assert setup.events["a.1"] == [m.CallerHungUp(cause=16)]


async def test_a_cause_that_is_no_number_costs_nothing(setup: Setup) -> None:
    setup.call("a.1")
    setup.say("Hangup", Uniqueid="a.1", Cause="?")
    assert setup.events["a.1"] == [m.CallerHungUp(cause=0)]


async def test_events_of_strangers_and_unknown_events_are_left_alone(setup: Setup) -> None:
    setup.call("a.1")
    setup.say("Hangup", Uniqueid="z.9")
    setup.say("Newchannel")
    setup.say("BridgeEnter", Uniqueid="a.1")
    assert setup.events["a.1"] == []


async def test_an_agents_channel_is_routed_to_the_line_that_ordered_it(setup: Setup) -> None:
    line, _ = setup.call("a.1")
    line.agent_channels["a.1-agent4"] = 4
    setup.exchange.adopt_agent("a.1-agent4", line)
    setup.say("OriginateResponse", Uniqueid="a.1-agent4", Response="Success", Reason="4")
    setup.say("Hangup", Uniqueid="a.1-agent4", Cause="16")
    assert setup.events["a.1"] == [m.AgentAnswered(ticket=4)]
    assert line.agent_channels == {}


async def test_a_failed_originate_says_why(setup: Setup) -> None:
    line, _ = setup.call("a.1")
    line.agent_channels["a.1-agent4"] = 4
    setup.exchange.adopt_agent("a.1-agent4", line)
    setup.say("HangupRequest", Uniqueid="a.1-agent4", Cause="17")
    setup.say("OriginateResponse", Uniqueid="a.1-agent4", Response="Failure", Reason="0")
    assert setup.events["a.1"] == [m.AgentUnavailable(ticket=4, why="busy")]


async def test_losing_the_manager_deafens_every_live_call_and_a_closed_line_is_forgotten(setup: Setup) -> None:
    _, _ = setup.call("a.1")
    gone, _ = setup.call("b.2")
    gone.closed()
    setup.exchange._manager_down("the link broke")
    assert setup.events["a.1"] == [m.HearingLost()]
    assert m.HearingLost() not in setup.events["b.2"]


async def test_a_call_that_arrives_while_the_manager_is_lost_is_deaf_from_the_start() -> None:
    setup = Setup()
    setup.call("a.1")
    assert setup.events["a.1"] == [m.HearingLost()]


async def test_a_call_nobody_takes_is_given_back_to_the_dialplan() -> None:
    setup = Setup(takes_calls=False)
    _, channel = setup.call("a.1")
    assert channel.closed
