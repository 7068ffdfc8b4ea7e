"""Agents on the real PBX: sought, joined, parted, spoken to, on hold, with codes; and nobody is ever left behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from agents_here import AGENT_HZ, CALLER_HZ, COLLEAGUE_HZ, SOON, CallHere, Floor, floor_of, hears, hears_nobody, tone_of
from one_pbx import Phones, no_channels_left, own_settings
from peers import prompt, seconds_of_tone

from ivrflow.engine import messages as m
from ivrflow.softphone.audio_source import NoRtp, Tone
from ivrflow.softphone.call import Call
from ivrflow.softphone.listening import find, find_all
from ivrflow.softphone.sip_message import SipProtocolError
from ivrflow.softphone.softphone import BUSY, OnCall, SoftPhone
from tools.pbx import Pbx

SAID = "house/menu.invalid"


@pytest_asyncio.fixture(loop_scope="session")
async def floor(pbx: Pbx, phones: Phones) -> AsyncIterator[Floor]:
    """The call centre."""
    async with floor_of(pbx, phones) as open_floor:
        yield open_floor


def play(ticket: int, hearer: str = "both", leg: int = 3) -> m.Play:
    return m.Play(ticket=ticket, phrase=SAID, prompt=SAID, seconds=2.0, hearer=hearer, leg=leg)  # type: ignore[arg-type]  # one of the three


async def picks_up(phone: SoftPhone, hertz: int = AGENT_HZ) -> Call:
    call = await phone.next_call(SOON)
    call.source = Tone(hertz, -20.0)
    call.answer()
    return call


async def talk(floor: Floor, phone: SoftPhone, *, ticket: int = 3) -> tuple[CallHere, Call]:
    """A caller who came through the queue and talks with that agent, who is logged in."""
    here = await floor.call()
    here.do(m.JoinQueue(ticket=ticket, queue="agents"))
    at_agent = await picks_up(phone)
    await here.until(m.AgentAnswered)
    here.do(m.Bridge(ticket=ticket))
    await asyncio.gather(hears(here.phone, AGENT_HZ), hears(at_agent, CALLER_HZ))
    return here, at_agent


async def ends(*calls: Call) -> list[str]:
    async with asyncio.timeout(SOON):
        return [(await call.ended).by for call in calls]


def heard(call: Call, folder: Path) -> bool:
    """Whether that telephone heard the prompt. A busy machine makes gaps in it; half of it is proof enough."""
    found = find(call.recording, prompt(folder, SAID))
    return found is not None and found.completeness > 0.5


# ── sought ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_queue_finds_an_agent_whose_talk_counts_to_its_end(floor: Floor) -> None:
    phone = await floor.phones.open("1001")
    await floor.log_in("1001")
    here = await floor.call()
    sought_at = time.monotonic()
    here.do(m.StartMusic(), m.JoinQueue(ticket=3, queue="agents"))
    at_agent = await phone.next_call(SOON)
    assert at_agent.header("X-Ivrflow-Call") == here.line.unique_id
    assert "12345" not in at_agent.number, "nothing of the caller's is shown"
    moved = await here.until(m.QueueMoved)
    assert (moved.ticket, moved.position) == (3, 1)
    await asyncio.sleep(0.3)  # how long it rang is told
    at_agent.source = Tone(AGENT_HZ, -20.0)
    at_agent.answer()
    answered = await here.until(m.AgentAnswered)
    assert (answered.ticket, answered.agent) == (3, "1001")
    assert 0.0 < answered.rang < time.monotonic() - sought_at
    here.do(m.Bridge(ticket=3))
    await asyncio.gather(hears(here.phone, AGENT_HZ), hears(at_agent, CALLER_HZ))
    await asyncio.sleep(1.1)  # the queue counts whole seconds of the talk: one has to pass
    await at_agent.hang_up()
    assert await here.until(m.AgentLeft) == m.AgentLeft(ticket=3)
    assert not here.has_told(m.CallerHungUp)
    here.do(m.EndCall(outcome="done"))
    assert await ends(here.phone) == ["peer"]
    (complete,) = floor.events("AgentComplete")
    assert complete.get("Reason") == "agent"
    assert int(complete.get("TalkTime")) >= 1


@pytest.mark.parametrize("codec", ["alaw", "ulaw", "g722"])
async def test_talk_and_prompts_are_heard_in_turn_whatever_the_caller_speaks(
    codec: str, floor: Floor, pbx_prompts: Path
) -> None:
    """Translated on the agent's telephone, the one or the other would be lost; its hold offers what it speaks besides."""
    phone = await floor.phones.open("1001", codec=("ulaw", "g722", "alaw"))
    await floor.log_in("1001")
    here = await floor.call(codec)
    here.do(m.JoinQueue(ticket=3, queue="agents"))
    at_agent = await picks_up(phone)
    await here.until(m.AgentAnswered)
    here.do(m.Bridge(ticket=3))
    await asyncio.gather(hears(here.phone, AGENT_HZ), hears(at_agent, CALLER_HZ))
    await at_agent.hold()
    await here.until(m.HoldStarted)
    await at_agent.resume()
    await here.until(m.HoldEnded)
    for ticket in (4, 5):
        here.do(m.Part(ticket=3), play(ticket))
        await here.until(m.PromptEnded)
        here.do(m.Bridge(ticket=3))
        await asyncio.gather(hears(here.phone, AGENT_HZ), hears(at_agent, CALLER_HZ))
    await here.phone.hang_up()
    assert await ends(at_agent) == ["peer"]
    for call in (here.phone, at_agent):
        assert len(find_all(call.recording, prompt(pbx_prompts, SAID))) == 2


async def test_a_telephone_without_the_agents_codec_refuses_and_is_told_as_unreachable(floor: Floor) -> None:
    phone = await floor.phones.open("1001", codec="ulaw")
    here = await floor.call()
    here.do(m.Ring(ticket=3, extension="1001", seconds=20))
    with pytest.raises(SipProtocolError, match="no codec in common"):
        (await phone.next_call(SOON)).answer()  # 488
    assert await here.until(m.AgentUnavailable) == m.AgentUnavailable(ticket=3, why="unreachable")
    await here.phone.hang_up()


@pytest.mark.parametrize("queue", ["agents", "seniors"])
async def test_a_queue_without_agents_says_so(queue: str, floor: Floor) -> None:
    here = await floor.call()
    here.do(m.JoinQueue(ticket=3, queue=queue))
    assert await here.until(m.AgentUnavailable) == m.AgentUnavailable(ticket=3, why="nobody")
    await here.phone.hang_up()


async def test_a_queue_whose_only_agent_pauses_is_left(floor: Floor) -> None:
    phone = await floor.phones.open("1001")
    await floor.log_in("1001")
    here = await floor.call()
    here.do(m.JoinQueue(ticket=3, queue="agents"))
    ringing = await phone.next_call(SOON)
    paused = {"Interface": "PJSIP/1001", "Paused": "true"}
    await floor.exchange.manager.action("QueuePause", paused)
    ringing.decline()
    assert await here.until(m.AgentUnavailable) == m.AgentUnavailable(ticket=3, why="nobody")
    await here.phone.hang_up()


@pytest.mark.complains("Queue 'nosuch' does not exist", "nosuch")
@pytest.mark.parametrize("queue", ["nosuch", "general", "Agents,1", ""])
async def test_a_queue_that_is_none_is_unreachable(queue: str, floor: Floor) -> None:
    here = await floor.call()
    here.do(m.JoinQueue(ticket=3, queue=queue))
    assert await here.until(m.AgentUnavailable) == m.AgentUnavailable(ticket=3, why="unreachable")
    await here.phone.hang_up()


async def test_callers_move_up_and_who_waited_elsewhere_already_stands_before_later_ones(floor: Floor) -> None:
    phone = await floor.phones.open("1001")
    await floor.log_in("1001")
    talking, at_agent = await talk(floor, phone)
    first, second, raised = [await floor.call() for _ in range(3)]
    first.do(m.JoinQueue(ticket=3, queue="agents", waited=5.0))
    assert (await first.until(m.QueueMoved)).position == 1
    second.do(m.JoinQueue(ticket=3, queue="agents"))
    assert (await second.until(m.QueueMoved)).position == 2
    raised.do(m.JoinQueue(ticket=8, queue="agents", waited=4.0))
    assert (await raised.until(m.QueueMoved)).position == 2
    assert (await second.until(m.QueueMoved)).position == 3
    await first.phone.hang_up()
    assert (await raised.until(m.QueueMoved)).position == 1
    assert (await second.until(m.QueueMoved)).position == 2
    vip = await floor.call()
    vip.do(m.JoinQueue(ticket=3, queue="agents", priority=10))
    assert (await vip.until(m.QueueMoved)).position == 1
    assert (await second.until(m.QueueMoved)).position == 3
    for here in (second, raised, vip, talking):
        await here.phone.hang_up()
    assert await ends(at_agent) == ["peer"]


@pytest.mark.parametrize(("policy", "why"), [(BUSY, "busy"), ("unregistered", "unreachable")])
async def test_an_extension_that_cannot_be_had(policy: OnCall | str, why: str, floor: Floor) -> None:
    if not isinstance(policy, str):
        await floor.phones.open("1002", on_call=policy)
    here = await floor.call()
    here.do(m.Ring(ticket=3, extension="1002", seconds=20))
    unavailable = await here.until(m.AgentUnavailable)
    assert unavailable.why == why
    await here.phone.hang_up()


# ── parted, spoken to, joined again ───────────────────────────────────────────────────────────────────────────────────


async def test_both_hear_a_prompt_alone_and_then_each_other_again(floor: Floor, pbx_prompts: Path) -> None:
    phone = await floor.phones.open("1001")
    await floor.log_in("1001")
    here, at_agent = await talk(floor, phone)
    for ticket in (4, 5):
        here.do(m.Part(ticket=3), play(ticket))
        assert await here.until(m.PromptEnded) == m.PromptEnded(ticket=ticket)
        assert tone_of(here.phone) != AGENT_HZ, "while they are apart nobody hears the other"
        assert tone_of(at_agent) != CALLER_HZ
        here.do(m.Bridge(ticket=3))
        await asyncio.gather(hears(here.phone, AGENT_HZ), hears(at_agent, CALLER_HZ))
    assert heard(here.phone, pbx_prompts)
    assert heard(at_agent, pbx_prompts)
    assert not here.has_told(m.AgentLeft), "being parted is not leaving"
    await here.phone.hang_up()
    assert await ends(at_agent) == ["peer"]


async def test_a_prompt_for_both_is_cut_for_both(floor: Floor, pbx_prompts: Path) -> None:
    phone = await floor.phones.open("1001")
    here = await floor.call()
    here.do(m.Ring(ticket=3, extension="1001", seconds=20))
    at_agent = await picks_up(phone)
    await here.until(m.AgentAnswered)
    here.do(play(4))  # before they were ever joined: nothing has to be parted
    async with asyncio.timeout(SOON):
        while not at_agent.recording.heard_spans():  # noqa: ASYNC110 -- a recording tells nobody what is in it
            await asyncio.sleep(0.02)
    here.do(m.StopPlaying(ticket=4), m.Bridge(ticket=3))
    assert await here.until(m.PromptEnded) == m.PromptEnded(ticket=4, how="stopped")
    await asyncio.gather(hears(here.phone, AGENT_HZ), hears(at_agent, CALLER_HZ))
    found = find(at_agent.recording, prompt(pbx_prompts, SAID))
    assert found is None or found.completeness < 0.8
    await at_agent.hang_up()
    await here.until(m.AgentLeft)
    await here.phone.hang_up()


async def test_orders_faster_than_the_pbx_end_in_a_talk(floor: Floor) -> None:
    phone = await floor.phones.open("1001")
    await floor.log_in("1001")
    here, at_agent = await talk(floor, phone)
    for ticket in range(10, 20):
        here.do(m.Part(ticket=3), play(ticket), m.StopPlaying(ticket=ticket), m.Bridge(ticket=3))
    for ticket in range(10, 20):
        assert await here.until(m.PromptEnded) == m.PromptEnded(ticket=ticket, how="stopped")
    here.do(m.Part(ticket=3))
    await here.until_apart(3)  # so whatever was under way before is over
    here.do(m.Bridge(ticket=3))
    await asyncio.gather(hears(here.phone, AGENT_HZ), hears(at_agent, CALLER_HZ))
    assert not here.has_told(m.AgentLeft)
    await at_agent.hang_up()
    await here.until(m.AgentLeft)
    await here.phone.hang_up()


async def test_a_colleague_is_told_who_is_coming_and_takes_over(floor: Floor, pbx_prompts: Path) -> None:
    phone, other = await floor.phones.open("1001"), await floor.phones.open("1002")
    await floor.log_in("1001")
    here, at_agent = await talk(floor, phone)
    here.do(m.Part(ticket=3), m.StartMusic(), m.Ring(ticket=4, extension="1002", seconds=20))
    at_colleague = await picks_up(other, COLLEAGUE_HZ)
    assert (await here.until(m.AgentAnswered)).agent == "1002"
    here.do(m.Part(ticket=4), play(5, "agent", leg=4))
    assert await here.until(m.PromptEnded) == m.PromptEnded(ticket=5)
    assert heard(at_colleague, pbx_prompts)
    assert not heard(here.phone, pbx_prompts)
    here.do(m.StopMusic(), m.DropAgent(ticket=3), m.Bridge(ticket=4))
    assert await ends(at_agent) == ["peer"]
    await asyncio.gather(hears(here.phone, COLLEAGUE_HZ), hears(at_colleague, CALLER_HZ))
    assert not here.has_told(m.AgentLeft)
    await here.phone.hang_up()
    assert await ends(at_colleague) == ["peer"]


# ── what the agent's telephone does ───────────────────────────────────────────────────────────────────────────────────


async def test_codes_of_the_agent_are_told_and_reach_nobodys_ear(floor: Floor) -> None:
    phone = await floor.phones.open("1001")
    await floor.log_in("1001")
    here, at_agent = await talk(floor, phone)
    await at_agent.press("*80")
    assert await here.until(m.AgentKeyed) == m.AgentKeyed(ticket=3, code="*80")
    here.do(m.Part(ticket=3))
    await at_agent.press("*09")
    assert await here.until(m.AgentKeyed) == m.AgentKeyed(ticket=3, code="*09")
    await at_agent.hold()
    await here.until(m.HoldStarted)
    await at_agent.press("*99")
    assert await here.until(m.AgentKeyed) == m.AgentKeyed(ticket=3, code="*99")
    await at_agent.resume()
    await here.until(m.HoldEnded)
    here.do(m.Bridge(ticket=3))
    await asyncio.gather(hears(here.phone, AGENT_HZ), hears(at_agent, CALLER_HZ))
    assert here.phone.recording.heard_keys() == []
    await at_agent.press("5")
    await here.phone.press("*80")
    keys = [await here.until(m.KeyPressed) for _ in range(3)]
    assert [key.key for key in keys] == ["*", "8", "0"]
    await at_agent.press("*81")  # a code of the caller's would be told before it
    await here.until(m.AgentKeyed)
    codes = [event.code for event in here.told if isinstance(event, m.AgentKeyed)]
    assert codes == ["*80", "*09", "*99", "*81"]
    assert [key.key for key in here.phone.recording.heard_keys()] == ["5"], "other keys are the talk's"
    await here.phone.hang_up()
    assert await ends(at_agent) == ["peer"]


async def test_an_agent_who_holds_is_told_and_comes_back(floor: Floor) -> None:
    phone = await floor.phones.open("1001")
    await floor.log_in("1001")
    here, at_agent = await talk(floor, phone)
    await at_agent.hold()
    assert await here.until(m.HoldStarted) == m.HoldStarted(ticket=3)
    here.do(m.Part(ticket=3), play(4, "caller", leg=0))
    assert await here.until(m.PromptEnded) == m.PromptEnded(ticket=4)
    await hears_nobody(here.phone, AGENT_HZ)
    await at_agent.resume()
    assert await here.until(m.HoldEnded) == m.HoldEnded(ticket=3)
    here.do(m.Bridge(ticket=3))
    await asyncio.gather(hears(here.phone, AGENT_HZ), hears(at_agent, CALLER_HZ))
    await at_agent.hang_up()
    await here.until(m.AgentLeft)
    await here.phone.hang_up()


async def dials(phone: SoftPhone, code: str) -> Literal["done", "not possible"]:
    """What an agent hears who dials that: one high tone, or three low ones; by their pitch, for late packets cut tones."""
    call = await phone.call(code)
    async with asyncio.timeout(SOON):
        await call.ended
    assert call.recording.span is not None
    samples = call.recording.samples(call.recording.span.start, call.recording.span.end)
    high, low = seconds_of_tone(samples, 950), seconds_of_tone(samples, 400)
    assert min(high, low) == 0 < max(high, low)
    return "done" if high else "not possible"


@pytest.mark.complains("Attempt to pause interface", "Already there", "already there")
async def test_agents_log_in_pause_and_rest_by_telephone(floor: Floor) -> None:
    phone, senior = await floor.phones.open("1001"), await floor.phones.open("1002")

    async def members(queue: str) -> dict[str, tuple[str, str]]:
        said = await floor.exchange.manager.list_action("QueueStatus", {"Queue": queue})
        named = [event for event in said if event.name == "QueueMember"]
        return {event.get("Name"): (event.get("Paused"), event.get("InCall")) for event in named}

    assert await dials(phone, "*13") == "not possible", "who is nowhere logged in cannot pause"
    assert await dials(phone, "*11") == "done"
    assert await dials(senior, "*11") == "done"
    assert set(await members("agents")) == {"PJSIP/1001", "PJSIP/1002"}
    assert set(await members("seniors")) == {"PJSIP/1002"}, "who may is written in the settings"
    assert await dials(phone, "*11") == "done", "once more changes nothing"
    assert await dials(phone, "*13") == "done"
    assert (await members("agents"))["PJSIP/1001"][0] == "1"
    assert await dials(phone, "*14") == "done"
    assert (await members("agents"))["PJSIP/1001"][0] == "0"
    assert await dials(senior, "*12") == "done"
    assert await members("seniors") == {}
    assert await dials(senior, "*12") == "not possible"
    # After a talk the agent rests for ten seconds, or until ready.
    here, at_agent = await talk(floor, phone)
    await here.phone.hang_up()
    await ends(at_agent)
    waiting = await floor.call()
    waiting.do(m.JoinQueue(ticket=3, queue="agents"))
    await waiting.until(m.QueueMoved)
    assert await dials(phone, "*14") == "done"
    rung = await phone.next_call(5.0)
    waiting.do(m.StopRinging(ticket=3))
    assert await ends(rung) == ["peer"]
    await waiting.phone.hang_up()
    assert await dials(phone, "*12") == "done"


@pytest.mark.parametrize("holds", [False, True], ids=["talking", "holding"])
async def test_being_ready_during_a_talk_leaves_the_queue_knowing_of_it(holds: bool, floor: Floor) -> None:
    """On a second line; whoever logs in anew has no talk as far as the queue knows, and no rest after it."""
    phone = await floor.phones.open("1001")
    await floor.log_in("1001")
    here, at_agent = await talk(floor, phone)

    async def knows() -> tuple[str, str]:
        said = await floor.exchange.manager.list_action("QueueStatus", {"Queue": "agents"})
        (member,) = [event for event in said if event.name == "QueueMember"]
        return member.get("InCall"), member.get("Paused")

    if holds:
        await at_agent.hold()
        await here.until(m.HoldStarted)
    assert await dials(phone, "*13") == "done"
    assert await knows() == ("1", "1")
    assert await dials(phone, "*14") == "done", "it ends the pause"
    assert await knows() == ("1", "0")
    await here.phone.hang_up()
    assert await ends(at_agent) == ["peer"]


# ── nobody is left behind ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("moment", ["queued", "ringing", "answered", "joining", "talking", "parted", "prompt", "held"])
async def test_a_caller_who_hangs_up_frees_the_agent(moment: str, floor: Floor) -> None:
    phone = await floor.phones.open("1001")
    await floor.log_in("1001")
    at_agent = None
    if moment in {"talking", "parted", "prompt", "held"}:
        here, at_agent = await talk(floor, phone)
        if moment == "held":
            await at_agent.hold()
            await here.until(m.HoldStarted)
        if moment != "talking":
            here.do(m.Part(ticket=3))
        if moment == "prompt":
            here.do(play(4))
    else:
        here = await floor.call()
        here.do(m.StartMusic(), m.JoinQueue(ticket=3, queue="agents"))
        if moment != "queued":
            at_agent = await phone.next_call(SOON)
        if moment in {"answered", "joining"} and at_agent is not None:
            at_agent.answer()
            await here.until(m.AgentAnswered)
        if moment == "joining":
            here.do(m.Bridge(ticket=3))
    await here.phone.hang_up()
    if at_agent is not None:
        assert await ends(at_agent) == ["peer"]
    await here.until(m.CallerHungUp)
    assert not here.has_told(m.AgentLeft)
    assert not here.has_told(m.AgentUnavailable)


@pytest.mark.parametrize("moment", ["answered", "parted", "prompt", "held"])
async def test_an_agent_who_hangs_up_while_apart_has_left(moment: str, floor: Floor) -> None:
    phone = await floor.phones.open("1001")
    await floor.log_in("1001")
    if moment == "answered":
        here = await floor.call()
        here.do(m.JoinQueue(ticket=3, queue="agents"))
        at_agent = await picks_up(phone)
        await here.until(m.AgentAnswered)
    else:
        here, at_agent = await talk(floor, phone)
        here.do(m.Part(ticket=3))
    if moment == "prompt":
        here.do(play(4))
    elif moment == "held":
        await at_agent.hold()
    await at_agent.hang_up()
    assert await here.until(m.AgentLeft) == m.AgentLeft(ticket=3)
    if moment == "prompt":
        assert await here.until(m.PromptEnded) == m.PromptEnded(ticket=4), "the caller hears it to its end"
    here.do(m.Bridge(ticket=3))  # too late: nothing happens
    here.do(play(5, "caller", leg=0))
    assert await here.until(m.PromptEnded) == m.PromptEnded(ticket=5)
    await here.phone.hang_up()
    assert len([event for event in here.told if isinstance(event, m.AgentLeft)]) == 1


async def test_both_hang_up_in_the_same_instant(floor: Floor) -> None:
    phone = await floor.phones.open("1001")
    await floor.log_in("1001")
    for _ in range(3):
        here, at_agent = await talk(floor, phone)
        at_agent.hang_up_now()
        here.phone.hang_up_now()
        await ends(at_agent, here.phone)
        await here.until(m.CallerHungUp)
        assert len([event for event in here.told if isinstance(event, m.AgentLeft)]) <= 1
        await floor.log_out("1001")  # or the agent would rest
        await floor.log_in("1001")


async def test_an_agent_who_logs_out_while_the_telephone_rings(floor: Floor) -> None:
    phone = await floor.phones.open("1001")
    await floor.log_in("1001")
    here = await floor.call()
    here.do(m.JoinQueue(ticket=3, queue="agents"))
    ringing = await phone.next_call(SOON)
    await floor.log_out("1001")
    ringing.decline()
    assert await here.until(m.AgentUnavailable, 20) == m.AgentUnavailable(ticket=3, why="nobody")
    await here.phone.hang_up()


async def test_taking_it_back_at_once_rings_nobody_for_long(floor: Floor) -> None:
    phone = await floor.phones.open("1001")
    await floor.log_in("1001")
    here = await floor.call()
    for ticket in range(3, 13):
        here.do(m.JoinQueue(ticket=ticket, queue="agents"), m.StopRinging(ticket=ticket))
    await no_channels_left_but(floor, 1)
    for call in phone.calls:
        assert await ends(call) == ["peer"]
    assert not here.has_told(m.AgentUnavailable)
    await here.phone.hang_up()


async def no_channels_left_but(floor: Floor, count: int) -> None:
    async with asyncio.timeout(SOON):
        while not (await floor.pbx.cli("core show channels count")).startswith(f"{count} active channel"):  # noqa: ASYNC110 -- Asterisk tells nobody
            await asyncio.sleep(0.05)


async def test_an_engine_that_dies_while_an_agent_is_parted_lets_the_agent_go(pbx: Pbx, phones: Phones) -> None:
    async with floor_of(pbx, phones) as floor:
        phone = await phones.open("1001")
        await floor.log_in("1001")
        here, at_agent = await talk(floor, phone)
        here.do(m.Part(ticket=3), play(4))
        await here.until_apart(3)
        for channel in list(floor.exchange.server._channels):
            channel._transport.abort()
        assert await ends(at_agent) == ["peer"]
        await here.phone.hang_up()


async def test_agents_sought_by_an_engine_that_is_no_more_are_let_go_by_the_next(pbx: Pbx, phones: Phones) -> None:
    phone = await phones.open("1001")
    async with floor_of(pbx, phones) as floor:
        await floor.log_in("1001")
        here = await floor.call()
        here.do(m.JoinQueue(ticket=3, queue="agents"))
        ringing = await phone.next_call(SOON)
        # What the PBX sees of a process that was killed.
        floor.exchange.manager._link._transport.abort()  # type: ignore[union-attr]  # it is connected
        floor.exchange.order = lambda *_ordered, **_more: None  # type: ignore[method-assign]  # and says nothing more
        for channel in list(floor.exchange.server._channels):
            channel._transport.abort()
        floor.exchange._legs.clear()
    assert ringing.end is None
    async with floor_of(pbx, phones):
        assert await ends(ringing) == ["peer"]
        await here.phone.hang_up()


async def test_an_agent_who_vanishes_is_missed(pbx_tree: Path, pbx_prompts: Path, tmp_path: Path) -> None:
    """By the audio that does not come any more; the PBX of this test waits shorter for it than the real one."""
    settings = own_settings(PBX_RTP_TIMEOUT="2")
    async with Pbx(tmp_path / "pbx", settings, prompts=pbx_prompts, tree=pbx_tree) as pbx:
        async with asyncio.timeout(60):
            await vanishing(pbx)
        await no_channels_left(pbx)


async def vanishing(pbx: Pbx) -> None:
    async with AsyncExitStack() as closing:
        phones = Phones(pbx, closing)
        floor = await closing.enter_async_context(floor_of(pbx, phones))
        phone = await phones.open("1001")
        await floor.log_in("1001")
        for parted in (False, True):
            here, at_agent = await talk(floor, phone)
            if parted:
                here.do(m.Part(ticket=3))
            at_agent.source = NoRtp()
            assert await here.until(m.AgentLeft) == m.AgentLeft(ticket=3)
            await here.phone.hang_up()
            await floor.log_out("1001")  # or the agent would rest
            await floor.log_in("1001")
