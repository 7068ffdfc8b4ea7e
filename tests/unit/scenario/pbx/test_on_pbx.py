"""Scenarios played by real phones against something that only takes itself for a PBX."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
import pytest_asyncio
from little_pbx import SOUNDS, LittlePbx
from loopback_phones import eventually
from made_results import a_scenario

from ivrflow.bridge.orders.ordering_calls import Ordering
from ivrflow.bridge.orders.to_place_calls import CallWanted
from ivrflow.flow.model import Band
from ivrflow.flow.problems import Location
from ivrflow.scenario.observation import Observation
from ivrflow.scenario.pbx import on_pbx, scripted_call
from ivrflow.scenario.pbx.cast import Accounts, Cast
from ivrflow.scenario.pbx.on_pbx import play
from ivrflow.scenario.script import (
    AgentPart,
    Background,
    HangUp,
    Hear,
    HearMusic,
    HearStart,
    Hold,
    Order,
    Pause,
    Press,
    Resume,
    Say,
    Scenario,
    Step,
    Wait,
)
from ivrflow.softphone.audio_source import NoRtp
from ivrflow.softphone.call import Call, PhoneError, Unreachable
from ivrflow.softphone.softphone import Refuse, RingOn

HELLO, MENU, BYE = SOUNDS


def at(line: int = 1) -> Location:
    return Location("scenarios/a_call.yaml", line, 5)


def scripted(*steps: Step, agents: tuple[AgentPart, ...] = (), within: float = 15.0) -> Scenario:
    return replace(a_scenario(within=within), number="12345", caller=steps, agents=agents)


@dataclass
class LooksInto:
    """A tester's look into the little PBX: every call is known as pbx-1."""

    name: str | None = "pbx-1"
    left: list[str] = field(default_factory=list)
    orders: list[tuple[str, Order]] = field(default_factory=list)
    refusal: str = ""

    async def call_of(self, sip_call_id: str, within_s: float) -> str | None:
        assert within_s > 0
        assert "@" in sip_call_id
        return self.name

    async def order(self, call: str, order: Order) -> str:
        self.orders.append((call, order))
        return self.refusal

    async def left_of(self, call: str, within_s: float) -> list[str]:
        assert within_s > 0
        assert call == self.name
        return self.left

    def ordering(self, wanted: CallWanted) -> Ordering:
        raise AssertionError(f"nobody is rung here, by {wanted.flow} neither")

    async def only_in(self, extension: str, queues: Sequence[str]) -> None:
        raise AssertionError(f"nobody logs in here, {extension} not to {queues} either")


@pytest_asyncio.fixture
async def pbx() -> AsyncIterator[LittlePbx]:
    async with LittlePbx() as pbx:
        yield pbx


async def played(
    pbx: LittlePbx,
    scenario: Scenario,
    engine: Callable[[], Awaitable[None]],
    *,
    watch: LooksInto | None = None,
    **options: object,
) -> Observation:
    """Play it while `engine` does what PBX and engine would; afterwards nothing is left of either."""
    before = asyncio.all_tasks()
    async with Cast(pbx.accounts) as cast:
        at_work = asyncio.ensure_future(engine())
        observation = await play(scenario, cast, sounds=SOUNDS, watch=watch, **options)  # type: ignore[arg-type]  # passed on
        async with asyncio.timeout(5):
            await at_work
    assert cast.strays == []
    await eventually(lambda: pbx.live == 0)
    assert asyncio.all_tasks() <= before | {at_work}
    return observation


async def test_phrases_are_heard_and_answered_in_their_order(pbx: LittlePbx) -> None:
    keys: list[str] = []
    said: list[float] = []

    async def engine() -> None:
        call = await pbx.answered()
        await call.say(SOUNDS[HELLO])
        await eventually(lambda: call.recording.heard_keys())
        keys.extend(key.key for key in call.recording.heard_keys())
        await call.say(SOUNDS[MENU])
        await eventually(lambda: [span for span in call.recording.heard_spans() if span.end - span.start > 0.4])
        said.extend(span.end - span.start for span in call.recording.heard_spans())
        await call.say(SOUNDS[BYE])
        await call.hang_up()

    scenario = scripted(
        Hear(HELLO, at(2)),
        Wait(0.2, at(3)),
        Press("1", at(4)),
        HearStart(MENU, at(5)),
        Say(0.5, at(6)),
        Hear(BYE, at(7)),
    )
    observation = await played(pbx, scenario, engine)
    caller = observation.caller
    assert observation.stage == "pbx"
    assert (caller.trouble, caller.gave_up) == ("", None)
    assert [heard.name for heard in caller.heard] == [HELLO, MENU, BYE]
    assert keys == ["1"]
    assert len(said) == 1
    assert 0.4 < said[0] < 1.5
    assert [(act.what, act.where.line, act.keys) for act in caller.acts] == [
        ("press keys", 4, "1"),
        ("say 500ms", 6, ""),
    ]
    hello, press = caller.heard[0], caller.acts[0]
    assert 0 <= hello.start < 0.5
    assert hello.end + 0.15 < press.start < hello.end + 1.5
    assert (caller.answered_at, caller.ended_by) == (0.0, "peer")
    assert caller.ended_at is not None
    assert caller.ended_at > caller.heard[-1].end - 0.05  # the BYE leaves with the last frame
    assert [line.summary.split(" (")[0].split(" sip:")[0] for line in caller.sip] == [
        "INVITE", "100 Trying", "180 Ringing", "200 OK", "ACK", "BYE", "200 OK",
    ]  # fmt: skip
    assert caller.sip[0].at < 0 <= caller.sip[4].at
    assert observation.engine is None
    assert observation.leaks == ()


async def test_a_caller_hangs_up_in_the_middle_of_a_phrase(pbx: LittlePbx) -> None:
    async def engine() -> None:
        call = await pbx.answered()
        saying = asyncio.ensure_future(call.say(SOUNDS[MENU]))
        assert (await call.ended).by == "peer"
        with pytest.raises(PhoneError):
            await saying

    caller = (await played(pbx, scripted(HearStart(MENU, at(2)), HangUp(at(3))), engine)).caller
    assert (caller.ended_by, caller.trouble, caller.gave_up) == ("phone", "", None)
    (menu,) = caller.heard
    assert 0.1 < menu.completeness < 0.95


async def test_an_agent_answers_after_ringing_speaks_and_is_the_first_to_go(pbx: LittlePbx) -> None:
    heard_by_pbx: list[tuple[str, str]] = []

    async def engine() -> None:
        call = await pbx.answered()
        leg = await pbx.ring("1001", "pbx-1")
        await leg.wait_answered(5.0)
        await leg.say(SOUNDS[HELLO])
        heard_by_pbx.append(("agent left", (await leg.ended).by))
        await call.say(SOUNDS[BYE])
        await call.hang_up()

    agent = AgentPart(
        "1001", "answers", at(8), after=0.3, steps=(Hear(HELLO, at(9)), Background(NoRtp(), at(10)), HangUp(at(11)))
    )
    observation = await played(pbx, scripted(Hear(BYE, at(2)), agents=(agent,)), engine, watch=LooksInto())
    side = observation.agents["1001"]
    assert heard_by_pbx == [("agent left", "peer")]
    assert side.rang_at is not None
    assert side.answered_at is not None
    assert side.ended_at is not None
    assert 0.25 < side.answered_at - side.rang_at < 1.5
    assert (side.ended_by, side.trouble, side.gave_up) == ("phone", "", None)
    assert HELLO in [heard.name for heard in side.heard]
    assert side.heard[0].start > side.answered_at - 0.1
    assert [act.what for act in side.acts] == ["background no rtp", "hang up"]
    assert side.sip[0].summary.startswith("INVITE sip:1001@")
    assert observation.caller.trouble == ""
    assert observation.leaks == ()


@pytest.mark.parametrize(("manner", "status"), [("busy", 486), ("declines", 603)])
async def test_an_agent_refuses(pbx: LittlePbx, manner: str, status: int) -> None:
    refused: list[int | None] = []

    async def engine() -> None:
        call = await pbx.answered()
        leg = await pbx.ring("1001", "pbx-1")
        await eventually(lambda: leg.end)
        refused.append(leg.end.status if leg.end else None)
        await call.hang_up()

    agent = AgentPart("1001", manner, at(8), after=0.1)  # type: ignore[arg-type]  # two of its words
    observation = await played(pbx, scripted(agents=(agent,)), engine, watch=LooksInto())
    assert refused == [status]
    side = observation.agents["1001"]
    assert side.rang_at is not None
    assert (side.answered_at, side.ended_by, side.heard) == (None, "phone", ())


async def test_an_agent_who_lets_it_ring_and_a_caller_who_gives_up(pbx: LittlePbx) -> None:
    async def engine() -> None:
        call = await pbx.answered()
        leg = await pbx.ring("1001", "pbx-1")
        other = await pbx.ring("1002", "pbx-1")
        assert (await call.ended).by == "peer"
        leg.hang_up_now()
        other.hang_up_now()

    agents = (
        AgentPart("1001", "rings_on", at(8)),
        AgentPart("1002", "answers", at(9), after=60.0, steps=(Say(1.0, at(10)),)),
    )
    observation = await played(pbx, scripted(Wait(0.5, at(2)), HangUp(at(3)), agents=agents), engine, watch=LooksInto())
    rings_on, late = observation.agents["1001"], observation.agents["1002"]
    assert (rings_on.ended_by, rings_on.gave_up) == ("peer", None)
    assert late.gave_up is not None
    assert late.gave_up.waiting_for == "the call was over before 'say 1s' was begun: nobody answered"
    assert late.ended_at is not None
    assert late.gave_up.at == pytest.approx(late.ended_at, abs=1.0), "not after its 60 s"


async def test_an_agent_who_is_rung_twice_plays_twice(pbx: LittlePbx) -> None:
    async def engine() -> None:
        call = await pbx.answered()
        for _ in range(2):
            leg = await pbx.ring("1001", "pbx-1")
            await leg.wait_answered(5.0)
            await leg.ended
        await call.hang_up()

    agent = AgentPart("1001", "answers", at(8), steps=(Say(0.3, at(9)), HangUp(at(10))))
    observation = await played(pbx, scripted(agents=(agent,)), engine, watch=LooksInto())
    side = observation.agents["1001"]
    assert [act.what for act in side.acts] == ["say 300ms", "hang up"] * 2
    assert side.acts[2].start > side.acts[1].end
    assert sum(line.summary.startswith("INVITE") for line in side.sip) == 2


async def test_hold_and_resume(pbx: LittlePbx) -> None:
    directions: list[str] = []

    async def engine() -> None:
        call = await pbx.answered()
        await call.ended
        invites = [line.text for line in call.signalling if line.direction == "in" and line.text.startswith("INVITE")]
        directions.extend(word for text in invites for word in ("sendonly", "sendrecv") if f"a={word}" in text)

    observation = await played(pbx, scripted(Hold(at(2)), Wait(0.2, at(3)), Resume(at(4)), HangUp(at(5))), engine)
    assert directions[-2:] == ["sendonly", "sendrecv"]
    assert [act.what for act in observation.caller.acts] == ["hold", "resume", "hang up"]


async def test_orders_are_given_to_the_call_and_a_refused_one_is_trouble(pbx: LittlePbx) -> None:
    async def engine() -> None:
        await (await pbx.answered()).ended

    order = Order("situation", at(2), "noise")
    script = scripted(order, Wait(0.2, at(3)), HangUp(at(4)))
    watch = LooksInto()
    observation = await played(pbx, script, engine, watch=watch)
    assert watch.orders == [("pbx-1", order)]
    assert observation.caller.trouble == ""
    observation = await played(pbx, script, engine, watch=LooksInto(refusal="no such action"))
    assert observation.caller.trouble == (
        "ivrflow could not be told the situation of scenarios/a_call.yaml:2:5: no such action"
    )
    observation = await played(pbx, script, engine)
    assert "takes the PBX's manager connection; set IVRFLOW_AMI_HOST" in observation.caller.trouble


async def test_the_local_time_is_told_in_the_invite(pbx: LittlePbx) -> None:
    told: list[str] = []

    async def engine() -> None:
        call = await pbx.answered()
        told.append(call.header("X-Ivrflow-At"))
        await call.hang_up()

    scenario = replace(scripted(), at=datetime.fromisoformat("2026-11-20T22:00"))
    await played(pbx, scenario, engine)
    assert told == ["2026-11-20T22:00"]


# ── trouble ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def nothing() -> None:
    """A PBX that does nothing of itself."""


async def test_a_call_that_is_refused_says_so_and_what_that_means() -> None:
    async with LittlePbx(Refuse(503, "Service Unavailable")) as pbx:
        observation = await played(pbx, scripted(Hear(HELLO, at(2))), nothing)
    caller = observation.caller
    assert caller.trouble.startswith(
        "the call was refused: 503 Service Unavailable: usually the PBX takes no more calls"
    )
    assert (caller.answered_at, caller.ended_by) == (None, "peer")
    assert caller.sip[0].summary.startswith("INVITE")
    assert caller.sip[0].at >= 0


async def test_a_call_that_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_pbx, "ANSWERED_WITHIN_S", 0.3)
    async with LittlePbx(RingOn()) as pbx:
        observation = await played(pbx, scripted(Hear(HELLO, at(2))), nothing)
    assert observation.caller.trouble == "the call came to nothing: not answered in 0.3 s"


async def test_a_pbx_that_is_not_there() -> None:
    accounts = Accounts(server=("127.0.0.1", 9), caller="caller", passwords={"caller": "c", "1001": "a"})
    began = time.monotonic()
    async with Cast(accounts) as cast:
        with pytest.raises(Unreachable, match="nothing answers SIP at the server's address"):
            await play(scripted(), cast, sounds=SOUNDS)
    assert time.monotonic() - began < 20


async def test_no_sound_comes_although_a_phrase_is_awaited(pbx: LittlePbx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripted_call, "NO_SOUND_S", 0.4)

    async def engine() -> None:
        call = await pbx.next_call()
        call.source = NoRtp()
        call.answer()
        await call.ended

    quiet = Pause(Band(0.5, 0.5), at(1), 0.1)
    observation = await played(pbx, scripted(quiet, Hear(HELLO, at(2))), engine)
    caller = observation.caller
    assert caller.ended_at is not None
    assert 0.9 <= caller.ended_at < 5
    assert caller.trouble.startswith("the call was answered, but no audio came in ")
    assert caller.trouble.endswith("can the PBX reach the address this phone calls from?")
    assert caller.ended_by == "phone"


async def test_the_bound_holds_whatever_the_pbx_does(pbx: LittlePbx) -> None:
    async def engine() -> None:
        call = await pbx.answered()
        leg = await pbx.ring("1001", "pbx-1")
        await leg.wait_answered()
        await asyncio.gather(call.ended, leg.ended)

    agent = AgentPart("1001", "answers", at(8))
    observation = await played(pbx, scripted(agents=(agent,), within=1.0), engine, watch=LooksInto())
    assert observation.caller.trouble == "the call was not over within 1s, and was ended"
    assert observation.caller.ended_by == "phone"
    assert observation.agents["1001"].ended_by == "phone"


async def test_an_agent_who_is_not_let_go_is_a_leak(pbx: LittlePbx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_pbx, "AGENTS_LEAVE_S", 0.2)

    async def engine() -> None:
        call = await pbx.answered()
        leg = await pbx.ring("1001", "pbx-1")
        await leg.wait_answered()
        await call.hang_up()
        await leg.ended

    agent = AgentPart("1001", "answers", at(8))
    watch = LooksInto(left=["PJSIP/1001-00000002"])
    observation = await played(pbx, scripted(agents=(agent,)), engine, watch=watch)
    assert observation.leaks == (
        "agent 1001's call, 0.2 s after the caller's was over",
        "the PBX's channel PJSIP/1001-00000002, 2 s after the end",
    )


async def test_a_manager_connection_that_does_not_see_the_call(pbx: LittlePbx) -> None:
    async def engine() -> None:
        await (await pbx.answered()).ended

    observation = await played(pbx, scripted(Wait(0.3, at(2)), HangUp(at(3))), engine, watch=LooksInto(name=None))
    assert observation.caller.trouble.startswith("the manager connection does not see this call")


async def test_what_has_no_recording_is_said_before_anybody_is_called(pbx: LittlePbx) -> None:
    async with Cast(pbx.accounts) as cast:
        with pytest.raises(PhoneError, match=r"a_call\.yaml:2:5: 'house/gone' has no recording here by which"):
            await play(scripted(Hear("house/gone", at(2))), cast, sounds=SOUNDS)
        with pytest.raises(PhoneError, match=r"a_call\.yaml:3:5: 'house/gone' has no recording here; run"):
            await play(scripted(Say(1.0, at(3), phrase="house/gone")), cast, sounds=SOUNDS)
        with pytest.raises(PhoneError, match=r"a_call\.yaml:4:5: nobody knows the hold music of this PBX to"):
            await play(scripted(HearMusic(at(4))), cast, sounds=SOUNDS)
    assert pbx.live == 0


async def test_cancelling_hangs_up_everything_and_leaves_nothing(pbx: LittlePbx) -> None:
    before = asyncio.all_tasks()
    calls: list[Call] = []
    agent = AgentPart("1001", "answers", at(8), steps=(Say(5.0, at(9)),))
    script = scripted(Say(5.0, at(2)), Order("situation", at(3), "noise"), agents=(agent,))
    async with Cast(pbx.accounts) as cast:
        playing = asyncio.create_task(play(script, cast, sounds=SOUNDS, watch=LooksInto()))
        calls.append(await pbx.answered())
        calls.append(await pbx.ring("1001", "pbx-1"))
        await calls[1].wait_answered()
        await eventually(lambda: all(len(call.recording) > 10 for call in calls))
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        assert cast.caller.calls == []
        for call in calls:
            async with asyncio.timeout(5):
                assert (await call.ended).by == "peer"
        assert cast.pacer._timer is None or pbx.live
        async with cast.agents(script, lambda *_: None):
            pass  # its turn was given back
    await eventually(lambda: pbx.live == 0)
    assert asyncio.all_tasks() == before


async def test_an_agent_who_is_rung_when_all_is_over_declines(pbx: LittlePbx, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[int | None] = []
    really_ended = scripted_call.ended_tasks

    ends = 0

    async def rung_meanwhile(*tasks: asyncio.Task[object]) -> None:
        nonlocal ends
        ends += 1
        if ends == 1:  # the naming of the caller's own call: the scenario is not over yet
            await really_ended(*tasks)
            return
        leg = await pbx.ring("1001", "pbx-1")
        await eventually(lambda: leg.end)
        refused.append(leg.end.status if leg.end else None)
        await really_ended(*tasks)

    monkeypatch.setattr(on_pbx, "ended_tasks", rung_meanwhile)

    async def engine() -> None:
        await (await pbx.answered()).ended

    agent = AgentPart("1001", "answers", at(8))
    script = scripted(Wait(0.1, at(2)), HangUp(at(3)), agents=(agent,))
    observation = await played(pbx, script, engine, watch=LooksInto())
    assert refused == [603]
    assert observation.agents["1001"].answered_at is None


async def test_two_scenarios_at_once_on_one_extension_get_their_own_calls(pbx: LittlePbx) -> None:
    names: dict[str, str] = {}

    class Names(LooksInto):
        async def call_of(self, sip_call_id: str, within_s: float) -> str | None:
            async with asyncio.timeout(within_s):
                await eventually(lambda: sip_call_id in names)
            self.name = names[sip_call_id]
            return self.name

    async def engine(uniqueid: str) -> None:
        call = await pbx.answered()
        leg = await pbx.ring("1001", uniqueid)
        names[call.call_id] = uniqueid
        await leg.wait_answered()
        await leg.ended
        heard = sum(span.end - span.start for span in leg.recording.heard_spans())
        await call.press("1" if heard < 0.75 else "2")
        await asyncio.sleep(0.2)  # on the way; nothing here sees when the other end has the key
        await call.hang_up()

    def scenario(seconds: float) -> Scenario:
        return scripted(agents=(AgentPart("1001", "answers", at(8), steps=(Say(seconds, at(9)), HangUp(at(10)))),))

    async with Cast(pbx.accounts) as cast:
        engines = asyncio.gather(engine("pbx-1"), engine("pbx-2"))
        one, two = await asyncio.gather(
            *(play(scenario(seconds), cast, sounds=SOUNDS, watch=Names()) for seconds in (0.5, 1.0))
        )
        await engines
    for observation, said in ((one, "say 500ms"), (two, "say 1s")):
        side = observation.agents["1001"]
        assert [act.what for act in side.acts] == [said, "hang up"]
        assert sum(line.summary.startswith("INVITE") for line in side.sip) == 1
