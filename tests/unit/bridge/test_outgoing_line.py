"""One telephone that is rung: dialled once, joined once, and told once why nobody picked up."""

import asyncio
from functools import partial
from typing import cast

import pytest
from pretended_line import RecordedChannel, RecordedManager

from ivrflow.bridge.asterisk_line import AsteriskLine, LineSettings
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.bridge.orders.to_calls import read_order
from ivrflow.bridge.outgoing_line import OutgoingLine
from ivrflow.engine import messages as m


class Setup:
    def __init__(self, calling_number: str = "") -> None:
        self.manager = RecordedManager()
        self.settled: list[OutgoingLine] = []
        self.events: list[m.CallEvent] = []
        self.line = OutgoingLine("out-1.a", "PJSIP/1002", calling_number, self.manager, self.settled.append)
        self.line.on_event = self.events.append

    def dialled(self) -> "Setup":
        self.line.perform(m.Dial(seconds=30.0))
        return self

    @property
    def asked(self) -> list[str]:
        return [action for action, _ in self.manager.orders]


@pytest.fixture
async def ringing() -> Setup:
    return Setup().dialled()


async def test_dialling_is_one_originate_with_a_bound_of_its_own(ringing: Setup) -> None:
    ((action, headers),) = ringing.manager.orders
    assert action == "Originate"
    assert (headers["Channel"], headers["ChannelId"]) == ("PJSIP/1002", "out-1.a")
    assert (headers["Context"], headers["Exten"]) == ("ivrflow-called", "answered")
    assert headers["Timeout"] == "32000"
    assert headers["CallerID"] == "ivrflow"
    assert ringing.manager.variables == [{"PJSIP_HEADER(add,X-Ivrflow-Call)": "out-1.a"}]
    assert ringing.manager.only_surely == [True]


async def test_the_house_may_show_its_number() -> None:
    setup = Setup("12345").dialled()
    assert setup.manager.orders[0][1]["CallerID"] == '"" <12345>'


@pytest.mark.parametrize(
    ("cause", "why"),
    [(17, "busy"), (21, "refused"), (19, "no_answer"), (18, "no_answer"), (16, "refused"), (20, "unreachable")],
)
async def test_the_cause_of_the_channels_end_says_why(ringing: Setup, cause: int, why: str) -> None:
    ringing.line.channel_gone(cause)
    ringing.line.originate_failed("0")
    assert [event.why for event in ringing.events if isinstance(event, m.CallNotAnswered)] == [why]
    assert ringing.settled == [ringing.line]


async def test_the_cause_may_come_after_the_failure(ringing: Setup) -> None:
    ringing.line.originate_failed("0")
    assert ringing.events == []
    ringing.line.channel_gone(17)
    assert ringing.events == [m.CallNotAnswered(why="busy")]


async def test_a_phone_that_is_not_there_has_no_cause(ringing: Setup) -> None:
    told = asyncio.Event()

    def take(event: m.CallEvent) -> None:
        ringing.events.append(event)
        told.set()

    ringing.line.on_event = take
    ringing.line.originate_failed("0")
    ringing.line.originate_failed("0")
    async with asyncio.timeout(5):
        await told.wait()
    assert ringing.events == [m.CallNotAnswered(why="unreachable")]


async def test_asterisks_own_bound_is_no_answer(ringing: Setup) -> None:
    ringing.line.originate_failed("3")
    assert ringing.events == [m.CallNotAnswered(why="no_answer")]


async def test_a_refused_originate_reaches_nobody(ringing: Setup) -> None:
    refused = ringing.manager.refusals[0]
    assert refused is not None
    refused("Asterisk refused Originate: no")
    assert ringing.events == [m.CallNotAnswered(why="unreachable")]


@pytest.mark.parametrize("action", [m.StopDialling(), m.EndCall(outcome="x"), m.FallBack(reason="x")])
async def test_the_engine_stops_it_and_hears_no_more(ringing: Setup, action: m.Action) -> None:
    ringing.line.perform(action)
    ringing.line.channel_gone(16)
    assert ringing.manager.orders[1] == ("Hangup", {"Channel": "out-1.a", "Cause": "16"})
    assert ringing.asked == ["Originate", "Hangup"]
    assert ringing.events == []
    assert ringing.settled == [ringing.line]


async def test_an_order_taken_back(ringing: Setup) -> None:
    ringing.line.cancel()
    ringing.line.cancel()
    assert ringing.asked == ["Originate", "Hangup"]
    assert ringing.events == [m.CallNotAnswered(why="cancelled")]


async def test_a_channel_that_was_lost_sight_of(ringing: Setup) -> None:
    ringing.line.lost_sight()
    assert ringing.events == [m.CallNotAnswered(why="unreachable")]


async def test_before_it_was_rung_nothing_has_to_be_stopped() -> None:
    setup = Setup()
    setup.line.never_mind()
    setup.line.cancel()
    assert setup.asked == []
    assert setup.events == []
    assert setup.settled == [setup.line]


async def test_who_picks_up_is_spoken_to_over_the_new_session(ringing: Setup) -> None:
    channel = RecordedChannel()
    joined = AsteriskLine(cast("AgiChannel", channel), ringing.manager, LineSettings("/prompts"), lambda _line: None)
    ringing.line.read = orders = partial(read_order, task=7)
    ringing.line.join(joined)
    assert ringing.events == [m.CallAnswered()]
    assert ringing.settled == [ringing.line]
    assert (joined.read, ringing.line.read) == (orders, read_order), "orders reach the call over the line it has now"
    ringing.line.perform(m.StartMusic())
    assert channel.sent == ['SET MUSIC ON "default"']
    joined.key_pressed("1")
    ringing.line.channel_gone(16)  # a late word about the channel is the joined line's to hear
    ringing.line.cancel()
    assert ringing.events == [m.CallAnswered(), m.KeyPressed(key="1")]
    assert ringing.asked == ["Originate"]


async def test_nothing_is_played_to_a_telephone_that_rings(ringing: Setup) -> None:
    with pytest.raises(AssertionError, match="StartMusic while nobody has picked up"):
        ringing.line.perform(m.StartMusic())
