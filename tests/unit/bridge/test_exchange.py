"""Routing: every manager event reaches the line it belongs to, as the call it is about; everything else nobody."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from ivrflow.bridge.agi_events import Environment, read_environment
from ivrflow.bridge.ami_client import AmiActionTimeout, AmiClient, AmiConnectionLost
from ivrflow.bridge.ami_protocol import AmiError, AmiEvent
from ivrflow.bridge.asterisk_line import KEY_END_REPEATED_S, AsteriskLine, LineSettings
from ivrflow.bridge.exchange import Exchange, ExchangeAddress
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.bridge.orders.answered import Asked, Reply, ReplyReader
from ivrflow.bridge.orders.to_calls import OrderRefused, read_order
from ivrflow.engine import messages as m


class Channel:
    def __init__(self, unique_id: str) -> None:
        self.environment = read_environment({"agi_uniqueid": unique_id, "agi_extension": "12345"})
        self.closed = False
        self.peer = "192.0.2.1:40000"

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


async def test_a_key_that_came_as_sip_info_is_told_by_its_end_alone(setup: Setup) -> None:
    setup.call("a.1")
    setup.say("DTMFEnd", Uniqueid="a.1", Digit="5", Direction="Received", DurationMs="0")
    setup.say("DTMFEnd", Uniqueid="a.1", Digit="6", Direction="Sent")
    assert setup.events["a.1"] == [m.KeyPressed(key="5")]


async def test_the_end_of_a_short_key_comes_twice_and_is_one_key(setup: Setup) -> None:
    setup.call("a.1")
    for name in ("DTMFBegin", "DTMFEnd", "DTMFEnd"):
        setup.say(name, Uniqueid="a.1", Digit="5", Direction="Received", DurationMs="60")
    assert setup.events["a.1"] == [m.KeyPressed(key="5")]


async def test_ends_told_again_and_late_are_no_keys_of_a_phone_whose_keys_go_down(setup: Setup) -> None:
    """What Asterisk told of 2 and 0, typed with 40 ms down and 40 ms up: the end of 2 comes 125 ms late again."""
    setup.call("a.1")
    for name, key in (("Begin", "2"), ("End", "2")):
        setup.say(f"DTMF{name}", Uniqueid="a.1", Digit=key, Direction="Received", DurationMs="40")
    await asyncio.sleep(KEY_END_REPEATED_S * 2)  # the passing of time is what was mistaken for a new key
    for name, key in (("End", "2"), ("Begin", "0"), ("End", "0"), ("End", "2")):
        setup.say(f"DTMF{name}", Uniqueid="a.1", Digit=key, Direction="Received", DurationMs="40")
    assert setup.events["a.1"] == [m.KeyPressed(key="2"), m.KeyPressed(key="0")]


async def test_the_same_key_by_sip_info_again_later_is_another_one(setup: Setup) -> None:
    setup.call("a.1")
    for _ in range(2):
        setup.say("DTMFEnd", Uniqueid="a.1", Digit="5", Direction="Received", DurationMs="0")
        await asyncio.sleep(KEY_END_REPEATED_S * 1.2)  # the passing of time is what tells them apart
    assert setup.events["a.1"] == [m.KeyPressed(key="5"), m.KeyPressed(key="5")]


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


def seeks(line: AsteriskLine, setup: Setup) -> None:
    line.perform(m.Ring(ticket=4, extension="1001", seconds=5))
    assert set(setup.exchange._legs) == {"a.1-agent4a", "a.1-agent4b"}


async def test_an_agents_channels_are_routed_to_the_leg_they_belong_to(setup: Setup) -> None:
    line, _ = setup.call("a.1")
    seeks(line, setup)
    setup.say("DialBegin", Uniqueid="a.1-agent4b", DestUniqueid="p.9", DestChannel="PJSIP/1001-0000002a")
    setup.say("DialEnd", Uniqueid="a.1-agent4b", DestUniqueid="p.9", DialStatus="ANSWER")
    setup.say("OriginateResponse", Uniqueid="a.1-agent4a", Response="Success", Reason="4")
    setup.say("UserEvent", Uniqueid="p.9", UserEvent="IvrflowCode", Code="*80")
    setup.say("Hangup", Uniqueid="a.1-agent4a", Cause="16")
    answered, keyed, left = setup.events["a.1"]
    assert isinstance(answered, m.AgentAnswered)
    assert (answered.ticket, answered.agent) == (4, "1001")
    assert (keyed, left) == (m.AgentKeyed(ticket=4, code="*80"), m.AgentLeft(ticket=4))
    assert setup.exchange._legs == {}


async def test_what_the_dialplan_says_of_a_leg_is_why_nobody_answers(setup: Setup) -> None:
    line, _ = setup.call("a.1")
    seeks(line, setup)
    setup.say("UserEvent", Uniqueid="a.1-agent4b", UserEvent="IvrflowLeg", Status="BUSY", Cause="17")
    setup.say("OriginateResponse", Uniqueid="a.1-agent4a", Response="Failure", Reason="0")
    assert setup.events["a.1"] == [m.AgentUnavailable(ticket=4, why="busy")]
    assert setup.exchange._legs == {}


async def test_an_agents_session_is_no_call(setup: Setup) -> None:
    channel = Channel("nobody-agent4a")
    channel.environment = read_environment({"agi_uniqueid": "nobody-agent4a", "agi_network_script": "agent"})
    handler = setup.exchange._connected(cast("AgiChannel", channel))
    assert channel.closed
    handler.closed()
    assert setup.events == {}


async def test_one_call_more_than_allowed_goes_to_the_fallback(setup: Setup, caplog: pytest.LogCaptureFixture) -> None:
    channels = [setup.call(f"a.{number}")[1] for number in range(12)]
    assert [channel.closed for channel in channels] == [False] * 10 + [True] * 2
    setup.exchange._lines["a.3"].closed()
    setup.call("a.99")
    assert [record.getMessage() for record in caplog.records] == [
        "refusing calls: 10 are live, which is the limit",
        "accepting calls again; 2 were refused",
    ]


# ── orders ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("order", "event"),
    [
        ({"Order": "situation", "Word": "noise"}, m.SituationStarted(name="noise")),
        ({"Order": "cancel"}, m.SituationCancelled()),
        ({"Order": "signal", "Word": "understood"}, m.SignalGiven(word="understood")),
        ({"Order": "value", "Word": "honorific", "Value": "女士"}, m.ValuesLearned(values={"honorific": "女士"})),
    ],
)
async def test_an_order_reaches_its_call_and_no_other(setup: Setup, order: dict[str, str], event: m.CallEvent) -> None:
    setup.call("a.1")
    setup.call("b.2")
    setup.say("UserEvent", UserEvent="Ivrflow", Call="b.2", **order)
    assert setup.events == {"a.1": [], "b.2": [event]}


async def test_a_task_is_done_once_it_was_asked_for(setup: Setup, caplog: pytest.LogCaptureFixture) -> None:
    line, _ = setup.call("a.1")
    setup.say("UserEvent", UserEvent="Ivrflow", Call="a.1", Order="done")
    assert [record.getMessage() for record in caplog.records] == [
        "call a.1: an order is ignored: no task is asked for on this call now"
    ]
    line.read = lambda event: read_order(event, 9)
    setup.say("UserEvent", UserEvent="Ivrflow", Call="a.1", Order="done")
    assert setup.events["a.1"] == [m.TaskDone(ticket=9)]


async def test_an_order_that_means_nothing_to_its_call_is_ignored_and_says_why(
    setup: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    line, _ = setup.call("a.1")

    def refuse(event: AmiEvent) -> m.CallEvent:
        raise OrderRefused(f"there is no {event.get('Word')}")

    line.read = refuse
    setup.say("UserEvent", UserEvent="Ivrflow", Call="a.1", Order="situation", Word="earthquake")
    assert setup.events == {"a.1": []}
    assert [record.getMessage() for record in caplog.records] == [
        "call a.1: an order is ignored: there is no earthquake"
    ]


async def test_an_order_reaches_a_call_that_still_rings(setup: Setup) -> None:
    ringing = setup.exchange.outgoing("out-1.1", "PJSIP/1002", "12345")
    told: list[m.CallEvent] = []
    ringing.on_event = told.append
    setup.say("UserEvent", UserEvent="Ivrflow", Call="out-1.1", Order="value", Word="surname", Value="李")
    assert told == [m.ValuesLearned(values={"surname": "李"})]


async def test_an_order_for_nobody_is_ignored_and_names_no_number(
    setup: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    setup.call("a.1")
    setup.say("UserEvent", UserEvent="Ivrflow", Call="13800001111\x1b[31m", Order="cancel")
    assert setup.events == {"a.1": []}
    assert [record.getMessage() for record in caplog.records] == [
        r"an order is ignored: no live call has its Call '###########\x1b[##m'"
    ]


async def test_user_events_of_others_are_none_of_our_business(setup: Setup, caplog: pytest.LogCaptureFixture) -> None:
    setup.call("a.1")
    setup.say("UserEvent", UserEvent="Other", Call="a.1", Order="cancel", Uniqueid="a.1")
    setup.say("UserEvent", Call="a.1", Order="cancel")
    setup.say("NotAUserEvent", UserEvent="Ivrflow", Call="a.1", Order="cancel")
    assert setup.events == {"a.1": []}
    assert caplog.records == []


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


async def test_a_second_session_for_a_live_call_is_refused_and_takes_nothing_from_it(
    setup: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    _, live = setup.call("a.1")
    second, channel = setup.call("a.1")
    assert (live.closed, channel.closed) == (False, True)
    second.closed()
    setup.say("DTMFBegin", Uniqueid="a.1", Digit="7", Direction="Received")
    assert setup.events == {"a.1": [m.KeyPressed(key="7")]}
    assert [record.getMessage() for record in caplog.records] == [
        "closed the FastAGI connection from 192.0.2.1:40000: call a.1 is live and has its session already"
    ]


@pytest.mark.parametrize("unique_id", ["", "1\x1b[31m.2", "1.2\rforged", "9" * 150])
async def test_an_identity_that_asterisk_does_not_give_is_no_call(
    setup: Setup, unique_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    _, channel = setup.call(unique_id)
    assert channel.closed
    assert setup.events == {}
    assert len(caplog.records) == 1
    assert caplog.records[0].getMessage().isprintable()


async def test_a_call_whose_beginning_is_a_bug_leaves_no_line_behind(setup: Setup) -> None:
    def fail(_line: AsteriskLine, _environment: Environment) -> bool:
        raise ZeroDivisionError

    setup.exchange._on_call = fail
    with pytest.raises(ZeroDivisionError):
        setup.call("a.1")
    assert setup.exchange._lines == {}


class Manager:
    """Answers a list action when told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer: asyncio.Future[list[AmiEvent]] = asyncio.get_running_loop().create_future()

    async def list_action(self, name: str) -> list[AmiEvent]:
        assert name == "CoreShowChannels"
        self.asked.set()
        return await self.answer


async def resynced(setup: Setup, answer: list[AmiEvent] | AmiError) -> None:
    """The manager comes back; while Asterisk makes its list of channels, call c.3 arrives."""
    manager = Manager()
    setup.exchange.manager = cast("AmiClient", manager)
    setup.exchange._manager_down("the link broke")
    setup.exchange._manager_up()
    await manager.asked.wait()
    setup.call("c.3")
    if isinstance(answer, AmiError):
        manager.answer.set_exception(answer)
    else:
        manager.answer.set_result(answer)
    await asyncio.gather(*setup.exchange._orders)


async def test_a_reconnect_tells_who_is_still_there_and_leaves_newcomers_alone(setup: Setup) -> None:
    setup.call("a.1")
    setup.call("b.2")
    await resynced(setup, [AmiEvent({"Event": "CoreShowChannel", "Uniqueid": "a.1"})])
    assert setup.events == {
        "a.1": [m.HearingLost(), m.HearingRestored()],
        "b.2": [m.HearingLost(), m.CallerHungUp(cause=0)],
        "c.3": [],
    }


async def test_a_pbx_that_will_not_list_its_channels_is_heard_all_the_same(setup: Setup) -> None:
    setup.call("a.1")
    await resynced(setup, AmiActionTimeout("no answer"))
    assert setup.events == {"a.1": [m.HearingLost(), m.HearingRestored()], "c.3": []}


async def test_a_link_that_breaks_during_the_check_leaves_the_calls_deaf(setup: Setup) -> None:
    setup.call("a.1")
    await resynced(setup, AmiConnectionLost("broke again"))
    assert setup.events == {"a.1": [m.HearingLost()], "c.3": []}


async def test_a_call_nobody_takes_is_given_back_to_the_dialplan() -> None:
    setup = Setup(takes_calls=False)
    _, channel = setup.call("a.1")
    assert channel.closed


class BreakableManager:
    """A manager connection that can be away; what was done over it."""

    def __init__(self, setup: Setup) -> None:
        self._exchange = setup.exchange
        self._exchange.manager = cast("AmiClient", self)
        self.is_away = False
        self.done: list[tuple[str, str]] = []
        self.present: list[AmiEvent] | AmiError = []

    async def action(self, name: str, headers: dict[str, str], **_more: object) -> None:
        if self.is_away:
            raise AmiConnectionLost(f"{name} was not sent: the manager connection is down")
        self.done.append((name, headers["Channel"]))

    async def list_action(self, name: str) -> list[AmiEvent]:
        assert name == "CoreShowChannels"
        if isinstance(self.present, AmiError):
            raise self.present
        return self.present

    def goes(self) -> None:
        self.is_away = True
        self._exchange._manager_down("the link broke")

    async def comes_back(self, *present: str, more: Sequence[AmiEvent] = ()) -> None:
        """It is back, and these channels are there."""
        self.is_away = False
        self.done.clear()
        if not isinstance(self.present, AmiError):
            self.present = [*(AmiEvent({"Event": "CoreShowChannel", "Uniqueid": name}) for name in present), *more]
        self._exchange._manager_up()
        await self.orders_done()

    async def orders_done(self) -> None:
        while self._exchange._orders:
            await asyncio.gather(*self._exchange._orders)


LEG, OTHER_HALF = "a.1-agent4a", "a.1-agent4b"


def parted(line: AsteriskLine, setup: Setup) -> Channel:
    """An agent who was sought, has answered, and is spoken to over a session of the agent's own."""
    seeks(line, setup)
    setup.say("DialBegin", Uniqueid=OTHER_HALF, DestUniqueid="p.9", DestChannel="PJSIP/1001-0000002a")
    setup.say("DialEnd", Uniqueid=OTHER_HALF, DestUniqueid="p.9", DialStatus="ANSWER")
    setup.say("OriginateResponse", Uniqueid=LEG, Response="Success", Reason="4")
    line.perform(m.Part(ticket=4))
    return agents_session(setup)


def agents_session(setup: Setup) -> Channel:
    channel = Channel(LEG)
    channel.environment = read_environment({"agi_uniqueid": LEG, "agi_network_script": "agent"})
    setup.exchange._connected(cast("AgiChannel", channel))
    return channel


@pytest.mark.parametrize("answers", [True, False], ids=["listed", "not listed"])
async def test_an_agent_let_go_while_the_manager_is_away_is_let_go_once_more_when_it_is_back(
    setup: Setup, answers: bool
) -> None:
    manager = BreakableManager(setup)
    line, _ = setup.call("a.1")
    agents = parted(line, setup)
    await manager.orders_done()
    manager.goes()
    was_closed = agents.closed
    line.perform(m.DropAgent(ticket=4))
    assert (was_closed, agents.closed) == (False, True), "the dialplan lets go who has no session any more"
    await manager.orders_done()
    if not answers:
        manager.present = AmiActionTimeout("no answer")
    await manager.comes_back("a.1", LEG)
    assert manager.done == [("Hangup", LEG)]
    setup.say("Hangup", Uniqueid=LEG, Cause="16")
    assert setup.exchange._legs == {}


async def test_a_queue_goes_on_seeking_for_nobody_only_until_the_manager_is_back(setup: Setup) -> None:
    manager = BreakableManager(setup)
    line, _ = setup.call("a.1")
    line.perform(m.JoinQueue(ticket=4, queue="agents"))
    await manager.orders_done()
    manager.goes()
    line.caller_left(0)
    line.closed()
    await manager.orders_done()
    await manager.comes_back(LEG)
    assert manager.done == [("Hangup", LEG)]
    manager.goes()
    await manager.comes_back()
    assert setup.exchange._legs == {}


async def test_nobody_else_is_let_go_when_the_manager_is_back(setup: Setup) -> None:
    manager = BreakableManager(setup)
    line, _ = setup.call("a.1")
    agents = parted(line, setup)
    await manager.orders_done()
    manager.goes()
    await manager.comes_back("a.1", LEG)
    assert (manager.done, agents.closed) == ([], False)


async def test_who_could_not_be_parted_while_the_manager_was_away_is_parted_when_it_is_back(setup: Setup) -> None:
    manager = BreakableManager(setup)
    line, _ = setup.call("a.1")
    seeks(line, setup)
    setup.say("DialBegin", Uniqueid=OTHER_HALF, DestUniqueid="p.9", DestChannel="PJSIP/1001-0000002a")
    setup.say("DialEnd", Uniqueid=OTHER_HALF, DestUniqueid="p.9", DialStatus="ANSWER")
    setup.say("OriginateResponse", Uniqueid=LEG, Response="Success", Reason="4")
    line.perform(m.Bridge(ticket=4))
    setup.say("BridgeEnter", Uniqueid=LEG, BridgeType="basic")
    await manager.orders_done()
    manager.goes()
    line.perform(m.Part(ticket=4))
    await manager.orders_done()
    await manager.comes_back("a.1", LEG)
    assert manager.done == [("Redirect", LEG)], "they talk, and what is played waits for the end of the talk"


async def test_seeking_an_agent_while_the_manager_is_away_finds_nobody_at_once(
    setup: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    manager = BreakableManager(setup)
    line, _ = setup.call("a.1")
    manager.goes()
    seeks(line, setup)
    await manager.orders_done()
    await asyncio.sleep(0)  # told in the loop's next round
    assert setup.events["a.1"] == [m.HearingLost(), m.AgentUnavailable(ticket=4, why="unreachable")]
    assert "call a.1: no agent could be sought: Originate was not sent: the manager connection is down" in caplog.text
    await manager.comes_back("a.1", LEG)
    assert manager.done == [("Hangup", LEG)], "if Asterisk carried it out all the same"


@pytest.mark.parametrize(
    ("state", "joined_with", "answered"),
    [
        ("Up", {"p.9": ("PJSIP/1001-0000002a", "bridge-1"), "p.8": ("PJSIP/1002-0000002b", "bridge-2")}, ["1001"]),
        ("Ring", {"p.9": ("PJSIP/1001-0000002a", "bridge-1")}, []),
        ("Up", {"p.9": ("PJSIP/1001-0000002a", "")}, []),
    ],
    ids=["talking", "about to talk", "about to leave"],
)
async def test_who_picked_up_while_the_manager_was_away_is_found_when_it_is_back(
    setup: Setup, state: str, joined_with: dict[str, tuple[str, str]], answered: list[str]
) -> None:
    manager = BreakableManager(setup)
    line, _ = setup.call("a.1")
    seeks(line, setup)
    await manager.orders_done()
    manager.goes()
    channels = {
        LEG: ("Local/1@x-1;1", ""),
        OTHER_HALF: ("Local/1@x-1;2", "bridge-1"),
        **joined_with,
    }
    await manager.comes_back(
        "a.1",
        more=[
            AmiEvent({"Uniqueid": name, "Channel": channel, "BridgeId": bridge, "ChannelStateDesc": state})
            for name, (channel, bridge) in channels.items()
        ],
    )
    found = [event for event in setup.events["a.1"] if isinstance(event, m.AgentAnswered)]
    assert [event.agent for event in found] == answered
    setup.say("UserEvent", Uniqueid="p.9", UserEvent="IvrflowCode", Code="*80")
    assert (m.AgentKeyed(ticket=4, code="*80") in setup.events["a.1"]) is bool(answered)


async def test_a_place_in_a_queue_is_not_known_any_more_once_the_manager_was_away(setup: Setup) -> None:
    manager = BreakableManager(setup)
    line, _ = setup.call("a.1")
    line.perform(m.JoinQueue(ticket=4, queue="agents"))
    setup.exchange._places._ask = lambda queue: setup.exchange._places.hold_time(queue, 60.0)
    setup.say("QueueCallerJoin", Uniqueid=OTHER_HALF, Queue="agents", Position="3")
    manager.goes()
    await manager.comes_back("a.1", LEG)
    setup.say("QueueCallerLeave", Uniqueid="z.9", Queue="agents", Position="1")
    moves = [event for event in setup.events["a.1"] if isinstance(event, m.QueueMoved)]
    assert [move.position for move in moves] == [3, 0]
    assert moves[-1] == m.QueueMoved(ticket=4, position=0)


# ── calls we place ────────────────────────────────────────────────────────────────────────────────────────────────────


def dialled(setup: Setup, unique_id: str = "out-1.a") -> list[m.CallEvent]:
    """A telephone that rings; what is told of it."""
    line = setup.exchange.outgoing(unique_id, "PJSIP/1002", "")
    told: list[m.CallEvent] = []
    line.on_event = told.append
    return told


async def test_who_picks_up_joins_the_line_that_waits_for_them(setup: Setup) -> None:
    told = dialled(setup)
    _, channel = setup.call("out-1.a")
    setup.say("DTMFBegin", Uniqueid="out-1.a", Digit="2", Direction="Received")
    assert told == [m.CallAnswered(), m.KeyPressed(key="2")]
    assert not channel.closed
    assert setup.events == {}, "it is nobody's arriving call"


async def test_who_picks_up_while_the_manager_is_away_is_not_heard(setup: Setup) -> None:
    told = dialled(setup)
    setup.exchange._is_up = False
    setup.call("out-1.a")
    assert told == [m.CallAnswered(), m.HearingLost()]


async def test_who_picks_up_too_late_goes_to_the_dialplan(setup: Setup) -> None:
    _, channel = setup.call("out-1.a")
    assert channel.closed
    assert setup.events == {}


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([("Hangup", {"Cause": "17"})], "busy"),
        ([("OriginateResponse", {"Response": "Failure", "Reason": "0"}), ("Hangup", {"Cause": "21"})], "refused"),
        ([("OriginateResponse", {"Response": "Failure", "Reason": "3"})], "no_answer"),
    ],
    ids=["busy", "declined", "rang in vain"],
)
async def test_why_nobody_picks_up(setup: Setup, events: list[tuple[str, dict[str, str]]], why: str) -> None:
    told = dialled(setup)
    for name, headers in [*events, ("Hangup", {"Cause": "16"})]:
        setup.say(name, Uniqueid="out-1.a", **headers)
    assert [event.why for event in told if isinstance(event, m.CallNotAnswered)] == [why]


async def test_orders_to_place_a_call_go_to_who_takes_them(setup: Setup, caplog: pytest.LogCaptureFixture) -> None:
    taken: list[object] = []
    setup.exchange._on_order = taken.append
    order = {"UserEvent": "Ivrflow", "Order": "call", "Ask": "ask-00000001", "Flow": "f", "Number": "1002"}
    setup.say("UserEvent", **order)
    setup.say("UserEvent", **{**order, "Number": "1002&1003"})
    assert [type(one).__name__ for one in taken] == ["CallWanted"]
    assert "its Number is not 1 to 20 digits" in caplog.text
    assert "1003" not in caplog.text


async def test_a_telephone_that_stopped_ringing_unseen_is_found_out_after_a_reconnect(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, ringing = dialled(setup, "out-1.a"), dialled(setup, "out-2.b")

    async def listed(name: str) -> list[AmiEvent]:
        assert name == "CoreShowChannels"
        return [AmiEvent({"Event": "CoreShowChannel", "Uniqueid": "out-2.b"})]

    monkeypatch.setattr(setup.exchange.manager, "list_action", listed)
    await setup.exchange._resync()
    assert gone == [m.CallNotAnswered(why="unreachable")]
    assert ringing == []


async def test_a_stopping_engine_stops_every_telephone(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(setup.exchange, "order", lambda action, *_arguments, **_more: asked.append(action))
    one, other = dialled(setup, "out-1.a"), dialled(setup, "out-2.b")
    setup.exchange.stop_dialling()
    assert one == other == [m.CallNotAnswered(why="cancelled")]
    assert asked == ["Hangup", "Hangup"]


# ── orders that are answered ──────────────────────────────────────────────────────────────────────────────────────────

ASK = "ask-00000001"


class Desk:
    """Takes them, and collects what is told over the manager."""

    def __init__(self, setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken: list[object] = []
        self.told: list[dict[str, str]] = []
        setup.exchange._on_order = self.taken.append
        monkeypatch.setattr(setup.exchange, "order", self._told)

    def _told(self, action: str, headers: dict[str, str]) -> None:
        assert action == "UserEvent"
        self.told.append(headers)

    @property
    def reply(self) -> Reply:
        reader = ReplyReader(ASK)
        read = [reader.read(AmiEvent({"Event": "UserEvent", **page})) for page in self.told]
        assert isinstance(read[-1], Reply)
        return read[-1]


async def test_an_order_that_is_answered_goes_to_those_who_answer(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(setup, monkeypatch)
    setup.call("a.1")
    setup.say("UserEvent", UserEvent="Ivrflow", Order="cancel", Call="a", Ask=ASK)
    (order,) = desk.taken
    assert isinstance(order, Asked)
    assert (order.what, order.call) == ("cancel", "a")
    assert setup.events["a.1"] == [], "they tell the call"
    setup.exchange.heard(ASK)
    setup.exchange.reply(ASK, Reply(done=True, words=("done",) * 400))
    assert len(desk.told) > 2
    assert desk.reply == Reply(done=True, words=("done",) * 400)


async def test_one_that_cannot_be_understood_is_answered_too(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(setup, monkeypatch)
    setup.say("UserEvent", UserEvent="Ivrflow", Order="restart", Ask=ASK)
    assert desk.taken == []
    assert desk.reply.words[0].startswith("its Order is 'restart'; write situation, ")
    assert "an order is ignored: its Order is 'restart'" in caplog.text
    desk.told.clear()
    setup.say("UserEvent", UserEvent="Ivrflow", Order="reload", Ask="no name")
    setup.say("UserEvent", UserEvent="Ivrflow", Order="reload")
    assert (desk.taken, desk.told) == ([], []), "nobody can be answered"
