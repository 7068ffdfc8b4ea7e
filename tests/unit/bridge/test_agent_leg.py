"""One agent's leg: which orders the actions become, and what comes of what Asterisk says."""

import asyncio
from typing import cast

import pytest
from pretended_line import DONE, PretendedLine, RecordedChannel

from ivrflow.bridge.agent_leg import WHO_LEFT_S
from ivrflow.bridge.agent_session import AgentSession, NobodysSession
from ivrflow.bridge.agi_events import PlaybackEnding, PlaybackFinished, read_environment
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.engine import messages as m
from ivrflow.flow.model import LONGEST_QUEUEING_S

LEG = "pbx-1.7-agent3a"
OTHER_HALF = "pbx-1.7-agent3b"
PHONE = "phone-3"
MUSIC_OFF = "SET MUSIC OFF"
JOIN = f'EXEC "Bridge" "{LEG}"'


@pytest.fixture
async def setup() -> PretendedLine:
    return PretendedLine()


def both(ticket: int, hearer: str = "both", leg: int = 3) -> m.Play:
    return m.Play(ticket=ticket, phrase="s/p", prompt="s/p", seconds=1.0, hearer=hearer, leg=leg)  # type: ignore[arg-type]  # one of the three


def answered(setup: PretendedLine) -> None:
    setup.ring()
    setup.picks_up()
    setup.events.clear()
    setup.channel.sent.clear()


def joined(setup: PretendedLine) -> int:
    """The agent talks with the caller; the number of the Bridge() command."""
    answered(setup)
    setup.line.perform(m.Bridge(ticket=3))
    setup.manager.say("BridgeEnter", Uniqueid=LEG, BridgeType="basic")
    return len(setup.channel.sent)


def comes(setup: PretendedLine) -> RecordedChannel:
    """Half 1 comes with a session of its own."""
    channel = RecordedChannel()
    handler = setup.manager.legs[LEG].session_opened(cast("AgiChannel", channel))
    channel.handler = handler  # type: ignore[attr-defined]  # so that a test can tell it what happened
    return channel


def session_of(channel: RecordedChannel) -> AgentSession:
    handler = channel.handler  # type: ignore[attr-defined]  # see `comes`
    assert isinstance(handler, AgentSession)
    return handler


def orders(setup: PretendedLine, action: str) -> list[dict[str, str]]:
    return [headers for name, headers in setup.manager.orders if name == action]


# ── sought ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_extension_is_rung_by_half_a_local_channel_of_the_agents_codec(setup: PretendedLine) -> None:
    setup.ring()
    ((action, headers),) = setup.manager.orders
    assert action == "Originate"
    assert headers["Channel"] == "Local/1001@ivrflow-ring/n"
    assert (headers["ChannelId"], headers["OtherChannelId"]) == (LEG, OTHER_HALF)
    assert headers["Codecs"] == "ulaw"
    assert headers["CallerID"] == "ivrflow"
    assert setup.manager.variables == [{"__IVRFLOW_CALL": "pbx-1.7", "IVRFLOW_SECONDS": "25"}]


@pytest.mark.parametrize("told", [None, "", "(ulaw)", "opus"])
async def test_a_dialplan_that_names_no_codec_of_ours_gets_the_one_the_pbx_comes_with(
    setup: PretendedLine, told: str | None
) -> None:
    variables = {"agi_uniqueid": "pbx-1.7", **({} if told is None else {"agi_arg_1": told})}
    setup.channel.environment = read_environment(variables)
    setup.ring()
    ((_, headers),) = setup.manager.orders
    assert headers["Codecs"] == "alaw"


async def test_no_name_of_a_half_begins_like_another(setup: PretendedLine) -> None:
    """Bridge() takes the first channel whose name begins as it was told."""
    for ticket in (1, 10, 11, 101):
        setup.line.perform(m.Ring(ticket=ticket, extension="1001", seconds=20.0))
    names = setup.manager.adopted
    assert len(set(names)) == 8
    assert not [(one, other) for one in names for other in names if one != other and other.startswith(one)]


async def test_a_queue_is_joined_with_its_priority_and_the_place_the_caller_is_owed(setup: PretendedLine) -> None:
    setup.line.perform(m.JoinQueue(ticket=3, queue="agents"))
    setup.line.perform(m.JoinQueue(ticket=4, queue="seniors", priority=5, waited=42.0))
    assert [headers["Channel"] for headers in orders(setup, "Originate")] == [
        "Local/agents@ivrflow-queue/n",
        "Local/seniors@ivrflow-queue/n",
    ]
    assert setup.manager.lined_up == [(LEG, "agents", 0, 0.0), ("pbx-1.7-agent4a", "seniors", 5, 42.0)]
    first, second = setup.manager.variables
    assert "IVRFLOW_POSITION" not in first
    assert (second["QUEUE_PRIO"], second["IVRFLOW_POSITION"]) == ("5", "2")
    assert int(first["IVRFLOW_SECONDS"]) > LONGEST_QUEUEING_S, "how long anybody waits is the flow's to say"


@pytest.mark.parametrize(
    "action",
    [
        m.Ring(ticket=3, extension="1001&PJSIP/2000", seconds=1.0),
        m.Ring(ticket=3, extension="", seconds=1.0),
        m.JoinQueue(ticket=3, queue="agents@other/n"),
        m.JoinQueue(ticket=3, queue="general"),
        m.JoinQueue(ticket=3, queue="1001"),
    ],
)
async def test_what_is_no_name_never_gets_into_a_dial_string(
    setup: PretendedLine, action: m.Action, caplog: pytest.LogCaptureFixture
) -> None:
    setup.line.perform(action)
    assert await setup.next_event() == m.AgentUnavailable(ticket=3, why="unreachable")
    assert orders(setup, "Originate") == []
    assert len(caplog.records) == 1


async def test_who_answered_is_told_with_the_seconds_it_rang(setup: PretendedLine) -> None:
    setup.ring()
    setup.picks_up()
    (event,) = setup.events
    assert isinstance(event, m.AgentAnswered)
    assert (event.ticket, event.agent) == (3, "1001")
    assert 0 <= event.rang < 1


async def test_of_several_telephones_the_one_that_was_picked_up_counts(setup: PretendedLine) -> None:
    setup.line.perform(m.JoinQueue(ticket=3, queue="agents"))
    for number in ("1001", "1002"):
        channel = {"DestUniqueid": f"p-{number}", "DestChannel": f"PJSIP/{number}-0000002a"}
        setup.manager.say("DialBegin", Uniqueid=OTHER_HALF, **channel)
    setup.manager.say("OriginateResponse", Uniqueid=LEG, Response="Success")
    assert setup.events == [], "which of the two is not known yet"
    setup.manager.say("DialEnd", Uniqueid=OTHER_HALF, DestUniqueid="p-1002", DialStatus="ANSWER")
    (event,) = setup.events
    assert isinstance(event, m.AgentAnswered)
    assert event.agent == "1002"


@pytest.mark.parametrize(
    ("status", "cause", "why"),
    [
        ("BUSY", "17", "busy"),
        ("CONGESTION", "21", "busy"),
        ("NOANSWER", "19", "no_answer"),
        ("NOANSWER", "", "no_answer"),
        ("CHANUNAVAIL", "20", "unreachable"),
        ("JOINEMPTY", "", "nobody"),
        ("LEAVEEMPTY", "", "nobody"),
        ("FULL", "", "full"),
        ("TIMEOUT", "", "no_answer"),
        ("", "", "unreachable"),
    ],
)
async def test_why_nobody_answers_is_told_once(setup: PretendedLine, status: str, cause: str, why: str) -> None:
    setup.ring()
    setup.manager.say("UserEvent", Uniqueid=OTHER_HALF, UserEvent="IvrflowLeg", Status=status, Cause=cause)
    setup.manager.say("OriginateResponse", Uniqueid=LEG, Response="Failure", Reason="0")
    (event,) = setup.events
    assert isinstance(event, m.AgentUnavailable)
    assert event.why == why
    assert setup.manager.legs == {}


async def test_a_leg_that_never_came_to_be_is_unreachable(setup: PretendedLine) -> None:
    setup.ring()
    setup.manager.say("OriginateResponse", Uniqueid=LEG, Response="Failure", Reason="0")
    assert setup.events == [], "why may come a moment later"
    assert await setup.next_event() == m.AgentUnavailable(ticket=3, why="unreachable")
    assert setup.manager.legs == {}


async def test_a_refused_originate_is_an_unreachable_agent(setup: PretendedLine) -> None:
    setup.ring()
    refuse = setup.manager.refusals[0]
    assert refuse is not None
    refuse("Extension does not exist.")
    assert await setup.next_event() == m.AgentUnavailable(ticket=3, why="unreachable")


async def test_an_order_taken_back_is_followed_until_the_channel_is_gone(setup: PretendedLine) -> None:
    setup.ring()
    setup.line.perform(m.StopRinging(ticket=3))
    assert orders(setup, "Hangup") == [{"Channel": LEG, "Cause": "16"}]
    setup.manager.say("Newchannel", Uniqueid=LEG)
    assert len(orders(setup, "Hangup")) == 2, "the first came before there was a channel"
    setup.picks_up()
    assert len(orders(setup, "Hangup")) == 3
    setup.manager.say("Hangup", Uniqueid=LEG)
    assert setup.manager.legs == {}
    assert setup.events == []


# ── joined and parted ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_music_stops_before_the_two_are_joined(setup: PretendedLine) -> None:
    joined(setup)
    assert setup.channel.sent == [MUSIC_OFF, JOIN]


async def test_the_agent_left_is_known_at_once_when_the_manager_said_so_first(setup: PretendedLine) -> None:
    bridge = joined(setup)
    setup.manager.say("HangupRequest", Uniqueid=PHONE)
    assert setup.events == []
    setup.line.replied(bridge, DONE)
    assert setup.events == [m.AgentLeft(ticket=3)]


async def test_the_bridge_ending_alone_waits_a_moment_for_word_of_who_left(setup: PretendedLine) -> None:
    bridge = joined(setup)
    setup.line.replied(bridge, DONE)
    assert setup.events == []
    setup.manager.say("HangupRequest", Uniqueid=PHONE)
    assert setup.events == [m.AgentLeft(ticket=3)]


async def test_a_bridge_that_ended_for_no_known_reason_leaves_no_agent_behind(setup: PretendedLine) -> None:
    setup.line.replied(joined(setup), DONE)
    assert await setup.next_event() == m.AgentLeft(ticket=3)
    assert orders(setup, "Hangup") == [{"Channel": LEG, "Cause": "16"}]


async def test_a_caller_who_left_a_talk_is_not_taken_for_the_agent(setup: PretendedLine) -> None:
    setup.line.replied(joined(setup), DONE)
    setup.line.caller_left(16)
    await asyncio.sleep(WHO_LEFT_S * 2)  # until whoever had left would have been told
    assert setup.events == [m.CallerHungUp(cause=16)]


async def test_parting_is_a_redirect_and_both_are_spoken_to_once_both_are_free(setup: PretendedLine) -> None:
    bridge = joined(setup)
    setup.line.perform(m.Part(ticket=3))
    setup.line.perform(both(7))
    assert orders(setup, "Redirect") == [{"Channel": LEG, "Context": "agentleg", "Exten": "apart", "Priority": "1"}]
    agent = comes(setup)
    assert agent.sent == [], "the caller is not free yet"
    setup.line.replied(bridge, DONE)
    assert agent.sent == ['STREAM FILE "/prompts/s/p" ""']
    assert setup.channel.sent[-1] == agent.sent[-1]
    session_of(agent).playback_ended(PlaybackFinished(1, PlaybackEnding.FINISHED, 8000))
    assert setup.events == []
    setup.line.playback_ended(PlaybackFinished(len(setup.channel.sent), PlaybackEnding.FINISHED, 8000))
    assert setup.events == [m.PromptEnded(ticket=7)]


async def test_the_caller_hears_it_all_the_same_when_the_agents_session_does_not_come(setup: PretendedLine) -> None:
    bridge = joined(setup)
    setup.line.perform(m.Part(ticket=3))
    setup.line.replied(bridge, DONE)
    setup.line.perform(both(7))
    setup.line.perform(both(8, "agent"))
    assert not any("STREAM" in line for line in setup.channel.sent)
    assert await setup.next_event() == m.PromptEnded(ticket=8, how="failed")
    assert setup.channel.sent[-1] == 'STREAM FILE "/prompts/s/p" ""'


async def test_a_whisper_is_heard_by_the_agent_alone(setup: PretendedLine) -> None:
    answered(setup)
    setup.line.perform(both(7, "agent"))
    agent = comes(setup)
    assert agent.sent == ['STREAM FILE "/prompts/s/p" ""']
    assert setup.channel.sent == []
    session_of(agent).playback_ended(PlaybackFinished(1, PlaybackEnding.FINISHED, 8000))
    assert setup.events == [m.PromptEnded(ticket=7)]


async def test_an_agent_who_leaves_during_a_whisper_ends_it(setup: PretendedLine) -> None:
    answered(setup)
    setup.line.perform(both(7, "agent"))
    session = session_of(comes(setup))
    session.closed()
    assert setup.events == [m.PromptEnded(ticket=7, how="stopped")]
    session.closed()
    assert len(setup.events) == 1


async def test_stopping_cuts_both_copies(setup: PretendedLine) -> None:
    answered(setup)
    setup.line.perform(both(7))
    agent = comes(setup)
    setup.line.perform(m.StopPlaying(ticket=7))
    assert (setup.channel.interrupted, agent.interrupted) == (1, 1)


async def test_a_prompt_that_has_not_begun_is_stopped_too(setup: PretendedLine) -> None:
    joined(setup)
    setup.line.perform(m.Part(ticket=3))
    setup.line.perform(both(7))
    setup.line.perform(m.StopPlaying(ticket=7))
    assert await setup.next_event() == m.PromptEnded(ticket=7, how="stopped")
    comes(setup)
    setup.line.replied(2, DONE)
    assert not any("STREAM" in line for line in setup.channel.sent)


async def test_joining_waits_until_parting_is_over(setup: PretendedLine) -> None:
    bridge = joined(setup)
    setup.line.perform(m.Part(ticket=3))
    setup.line.perform(m.Bridge(ticket=3))
    assert setup.channel.sent == [MUSIC_OFF, JOIN]
    setup.line.replied(bridge, DONE)
    agent = comes(setup)
    assert setup.channel.sent == [MUSIC_OFF, JOIN, MUSIC_OFF, JOIN]
    was_closed = agent.closed
    session_of(agent).hung_up()
    assert (was_closed, agent.closed) == (False, True), "it ends when Asterisk has taken the agent out of it"
    setup.line.replied(4, DONE)
    setup.manager.say("HangupRequest", Uniqueid=PHONE)
    assert setup.events == [m.AgentLeft(ticket=3)]


async def test_the_last_order_counts_of_those_given_while_they_are_being_parted(setup: PretendedLine) -> None:
    bridge = joined(setup)
    for _ in range(2):
        setup.line.perform(m.Part(ticket=3))
        setup.line.perform(m.Bridge(ticket=3))
    setup.line.perform(m.Part(ticket=3))
    setup.line.perform(both(7))
    setup.line.replied(bridge, DONE)
    agent = comes(setup)
    assert setup.channel.sent.count(JOIN) == 1
    assert setup.channel.sent[-1] == 'STREAM FILE "/prompts/s/p" ""'
    assert agent.sent == ['STREAM FILE "/prompts/s/p" ""']


async def test_who_is_parted_before_the_talk_has_begun_is_taken_out_of_it_once_it_has(setup: PretendedLine) -> None:
    answered(setup)
    setup.manager.say("BridgeEnter", Uniqueid=LEG, BridgeType="holding")
    setup.line.perform(m.Bridge(ticket=3))
    bridge = len(setup.channel.sent)
    setup.line.perform(m.Part(ticket=3))
    setup.line.perform(both(7))
    setup.manager.say("BridgeEnter", Uniqueid=LEG, BridgeType="holding")
    assert orders(setup, "Redirect") == [], "Bridge() would take the agent from where that leads"
    setup.manager.say("BridgeEnter", Uniqueid=LEG, BridgeType="basic")
    assert len(orders(setup, "Redirect")) == 1
    setup.line.replied(bridge, DONE)
    agent = comes(setup)
    assert agent.sent == ['STREAM FILE "/prompts/s/p" ""']
    assert len(orders(setup, "Redirect")) == 1


async def test_who_is_parted_is_not_kept_by_a_talk_nobody_tells_of(setup: PretendedLine) -> None:
    answered(setup)
    setup.line.perform(m.Bridge(ticket=3))
    setup.line.perform(m.Part(ticket=3))
    setup.line.perform(both(8, "agent"))
    assert await setup.next_event() == m.PromptEnded(ticket=8, how="failed"), "no session came either"
    assert len(orders(setup, "Redirect")) == 1


async def test_what_the_agent_heard_before_the_talk_is_no_place_to_speak_to_them(setup: PretendedLine) -> None:
    bridge = joined(setup)
    setup.line.perform(m.Part(ticket=3))
    setup.line.replied(bridge, DONE)
    before = session_of(comes(setup))
    setup.line.perform(m.Bridge(ticket=3))
    setup.manager.say("BridgeEnter", Uniqueid=LEG, BridgeType="basic")
    setup.line.perform(m.Part(ticket=3))
    setup.line.perform(both(7))
    setup.line.replied(len(setup.channel.sent), DONE)
    before.closed()  # told on a socket of its own, so perhaps as late as this
    assert not any("STREAM" in line for line in setup.channel.sent)
    assert comes(setup).sent == ['STREAM FILE "/prompts/s/p" ""']


async def test_a_redirect_that_is_refused_keeps_nobody_waiting(setup: PretendedLine) -> None:
    answered(setup)
    setup.line.perform(both(7))
    refuse = setup.manager.refusals[-1]
    assert refuse is not None
    refuse("Channel does not exist.")
    assert setup.channel.sent[-1] == 'STREAM FILE "/prompts/s/p" ""'


async def test_an_agent_who_leaves_while_apart_has_left_at_once(setup: PretendedLine) -> None:
    bridge = joined(setup)
    setup.line.perform(m.Part(ticket=3))
    setup.line.replied(bridge, DONE)
    comes(setup)
    setup.manager.say("HangupRequest", Uniqueid=PHONE)
    setup.manager.say("Hangup", Uniqueid=LEG)
    assert setup.events == [m.AgentLeft(ticket=3)]
    assert setup.manager.legs == {}
    setup.line.perform(m.Bridge(ticket=3))
    setup.line.perform(m.Part(ticket=3))
    assert setup.channel.sent == [MUSIC_OFF, JOIN]


@pytest.mark.parametrize("is_told_first", [True, False])
async def test_a_half_led_away_while_its_agent_hangs_up_is_let_go_although_asterisk_says_no_hangup(
    is_told_first: bool, setup: PretendedLine
) -> None:
    """What Asterisk told, in either order: half 2 is gone, and half 1 comes with a session all the same."""
    bridge = joined(setup)
    setup.line.perform(m.Part(ticket=3))
    setup.line.replied(bridge, DONE)
    if is_told_first:
        setup.manager.say("Hangup", Uniqueid=OTHER_HALF, Cause="16")
    agent = comes(setup)
    if not is_told_first:
        setup.manager.say("Hangup", Uniqueid=OTHER_HALF, Cause="16")
    assert agent.closed, "Asterisk waits for that"
    setup.manager.say("Hangup", Uniqueid=LEG, Cause="16")
    assert setup.events == [m.AgentLeft(ticket=3)]


async def test_who_is_gone_is_not_led_away(setup: PretendedLine) -> None:
    bridge = joined(setup)
    setup.manager.say("Hangup", Uniqueid=OTHER_HALF, Cause="16")
    setup.line.perform(m.Part(ticket=3))
    assert orders(setup, "Redirect") == []
    setup.manager.say("Hangup", Uniqueid=LEG, Cause="16")
    setup.line.replied(bridge, DONE)
    assert setup.events == [m.AgentLeft(ticket=3)]


async def test_who_was_gone_before_being_led_away_has_left(setup: PretendedLine) -> None:
    bridge = joined(setup)
    setup.manager.say("Hangup", Uniqueid=LEG, Cause="16")
    assert setup.events == [], "the reply of Bridge() is awaited"
    setup.line.perform(m.Part(ticket=3))
    setup.line.perform(both(7))
    setup.line.replied(bridge, DONE)
    assert await setup.next_event() == m.AgentLeft(ticket=3)


async def test_a_session_that_comes_too_late_is_closed(setup: PretendedLine) -> None:
    answered(setup)
    channel = comes(setup)
    assert isinstance(channel.handler, NobodysSession)  # type: ignore[attr-defined]  # see `comes`
    assert channel.closed


async def test_who_is_let_go_has_not_left(setup: PretendedLine) -> None:
    bridge = joined(setup)
    setup.line.perform(m.DropAgent(ticket=3))
    setup.manager.say("Hangup", Uniqueid=LEG)
    setup.line.replied(bridge, DONE)
    await asyncio.sleep(WHO_LEFT_S * 2)  # until whoever had left would have been told
    assert setup.events == []
    assert orders(setup, "Hangup") == [{"Channel": LEG, "Cause": "16"}]


async def test_a_caller_who_leaves_lets_every_agent_go(setup: PretendedLine) -> None:
    answered(setup)
    setup.line.perform(m.Ring(ticket=4, extension="1002", seconds=20))
    setup.line.perform(both(7))
    setup.line.caller_left(16)
    assert {headers["Channel"] for headers in orders(setup, "Hangup")} == {LEG, "pbx-1.7-agent4a"}
    assert setup.events == [m.CallerHungUp(cause=16)]
    assert setup.channel.sent == [], "nothing is played to nobody"


async def test_a_line_that_breaks_off_ends_no_talk(setup: PretendedLine) -> None:
    joined(setup)
    setup.line.perform(m.Ring(ticket=4, extension="1002", seconds=20))
    setup.line.closed()
    assert {headers["Channel"] for headers in orders(setup, "Hangup")} == {"pbx-1.7-agent4a"}
    setup.manager.say("Hangup", Uniqueid=LEG)
    assert setup.events == [m.LineLost()]


async def test_a_prompt_for_an_agent_nobody_knows_reaches_the_caller(setup: PretendedLine) -> None:
    setup.line.perform(both(7, leg=9))
    assert setup.channel.sent[-1] == 'STREAM FILE "/prompts/s/p" ""'
    setup.line.perform(both(8, "agent", leg=9))
    assert await setup.next_event() == m.PromptEnded(ticket=8, how="failed")


# ── the agent's telephone ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_hold_and_codes_of_the_agents_own_telephone_are_told(setup: PretendedLine) -> None:
    answered(setup)
    setup.manager.say("Hold", Uniqueid=PHONE)
    setup.manager.say("Unhold", Uniqueid=PHONE)
    setup.manager.say("UserEvent", Uniqueid=PHONE, UserEvent="IvrflowCode", Code="*80")
    setup.manager.say("UserEvent", Uniqueid=PHONE, UserEvent="IvrflowCode", Code="80")
    setup.manager.say("UserEvent", Uniqueid=PHONE, UserEvent="Other", Code="*80")
    setup.manager.say("Hold", Uniqueid=OTHER_HALF)
    assert setup.events == [
        m.HoldStarted(ticket=3),
        m.HoldEnded(ticket=3),
        m.AgentKeyed(ticket=3, code="*80"),
    ]


async def test_the_place_in_the_queue_is_told_until_somebody_answers(setup: PretendedLine) -> None:
    setup.line.perform(m.JoinQueue(ticket=3, queue="agents"))
    leg = setup.manager.legs[LEG]
    leg.moved(2, 30.0)
    setup.picks_up()
    leg.moved(1, 10.0)
    assert setup.events[0] == m.QueueMoved(ticket=3, position=2, expected_s=30.0)
    assert len(setup.events) == 2
