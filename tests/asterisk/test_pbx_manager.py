"""What the PBX tells the engine, and lets it do: seen by a manager client that shares no code with the engine's.

How an agent is rung and joined with a caller is written down here as it was measured; the engine relies on it.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Literal

import numpy as np
import pytest
import pytest_asyncio
from asterisk.manager import Event, Manager, ManagerAuthException, ManagerSocketException
from one_pbx import Phones
from peers import AgiPeer, AgiSession, falls_silent, has_heard

from ivrflow.softphone.audio_source import Tone
from ivrflow.softphone.call import Call, CallGone
from ivrflow.softphone.softphone import BUSY, DECLINE, Answer, OnCall, RingOn
from tools.pbx import Pbx
from tools.places import RECIPE

LEG = "leg-of-this-test"


class Witness:
    """Logged in as the engine, by a blocking client with threads of its own."""

    def __init__(self, pbx: Pbx) -> None:
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self.seen: list[dict[str, str]] = []
        """Every event, in order."""
        self._not_asked_for: list[dict[str, str]] = []
        self._manager = Manager()
        self._manager.register_event("*", self._keep)
        self._manager.connect(pbx.settings.ami_bind, pbx.settings.ami_port)
        self._manager.login(pbx.settings.ami_user, pbx.settings.ami_secret)

    def _keep(self, event: Event, _manager: Manager) -> None:
        self._loop.call_soon_threadsafe(self._arrived.put_nowait, dict(event.headers))

    async def action(self, fields: Mapping[str, str | list[str]]) -> dict[str, str]:
        answer = await asyncio.to_thread(self._manager.send_action, dict(fields))
        return dict(answer.headers)

    async def event(self, name: str, **fields: str) -> dict[str, str]:
        """The first such event that was not asked for yet; waits for it."""
        wanted = {"Event": name, **fields}.items()
        async with asyncio.timeout(10):
            while True:
                for event in self._not_asked_for:
                    if wanted <= event.items():
                        self._not_asked_for.remove(event)
                        return event
                event = await self._arrived.get()
                self.seen.append(event)
                self._not_asked_for.append(event)

    async def ring(self, channel: str, *, timeout_ms: int = 5000) -> None:
        """Originate as the engine does."""
        answer = await self.action(
            {
                "Action": "Originate",
                "Channel": channel,
                "ChannelId": LEG,
                "Context": "agentleg",
                "Exten": "up",
                "Priority": "1",
                "Timeout": str(timeout_ms),
                "Async": "true",
                "CallerID": '"caller" <12345>',
                "Variable": ["__IVRFLOW_CALL=1"],
            }
        )
        assert answer["Response"] == "Success"

    def close(self) -> None:
        say_goodbye(self._manager)


def say_goodbye(manager: Manager) -> None:
    # Asterisk hangs up on the farewell; the client may see that before it has sent all of it or read the answer.
    with suppress(ValueError, ManagerSocketException):
        manager.close()
    manager.message_thread.join(10)  # until then it does not know that it is closed
    manager.close()


@pytest_asyncio.fixture(loop_scope="session")
async def witness(pbx: Pbx) -> AsyncIterator[Witness]:
    witness = Witness(pbx)
    yield witness
    await asyncio.to_thread(witness.close)


# ── the account ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_wrong_secret_is_refused(pbx: Pbx) -> None:
    manager = Manager()
    manager.connect(pbx.settings.ami_bind, pbx.settings.ami_port)
    with pytest.raises(ManagerAuthException):
        manager.login(pbx.settings.ami_user, "wrong")
    say_goodbye(manager)


@pytest.mark.parametrize(
    "action",
    [
        {"Action": "Ping"},
        {"Action": "CoreStatus"},
        {"Action": "Getvar", "Variable": "IFMODULE(res_agi.so)"},
        {"Action": "QueueSummary"},
    ],
    ids=lambda action: action["Action"],
)
async def test_the_account_may_do_what_the_engine_needs(action: dict[str, str], witness: Witness) -> None:
    assert (await witness.action(action))["Response"] == "Success"


PROGRAM = "/var/lib/ivrflow/recordings/program"
"""As the PBX sees it."""


@pytest.mark.parametrize(
    "action",
    [
        {"Action": "Command", "Command": "core stop now"},
        {"Action": "UpdateConfig", "SrcFilename": "pjsip.conf", "DstFilename": "pjsip.conf"},
        {"Action": "ModuleLoad", "Module": "app_system.so", "LoadType": "load"},
        {"Action": "ModuleCheck", "Module": "app_system"},
        {"Action": "MixMonitor", "Channel": LEG, "File": "/tmp/x.wav", "Command": PROGRAM},
        {"Action": "AGI", "Channel": LEG, "Command": f"EXEC MixMonitor /tmp/x.wav,,{PROGRAM}"},
        {"Action": "DialplanExtensionAdd", "Context": "own", "Extension": "1", "Priority": "1", "Application": "NoOp"},
    ],
    ids=lambda action: action["Action"],
)
async def test_the_account_may_not_do_more(action: dict[str, str], witness: Witness) -> None:
    answer = await witness.action(action)
    assert (answer["Response"], answer["Message"]) == ("Error", "Permission denied")


@pytest.mark.parametrize(
    ("application", "data"),
    [
        ("MixMonitor", f"/tmp/x.wav,,{PROGRAM}"),
        ("AGI", PROGRAM),
        ("Queue", f"agents,,,,5,{PROGRAM}"),
        ("System", PROGRAM),
        ("Exec", f"System({PROGRAM})"),
    ],
)
async def test_the_account_may_not_originate_what_runs_programs(application: str, data: str, witness: Witness) -> None:
    answer = await witness.action(
        {
            "Action": "Originate",
            "Channel": "Local/1001@ivrflow-ring/n",
            "Application": application,
            "Data": data,
            "Async": "true",
        }
    )
    assert answer["Response"] == "Error"
    assert "Forbidden" in answer["Message"]


async def test_no_variable_of_the_accounts_makes_a_queue_run_a_program(
    witness: Witness, pbx: Pbx, phones: Phones
) -> None:
    # Queue() has an argument that is a program; a comma in the one before it would lead there.
    program = pbx.recordings / "program"
    program.write_text("#!/bin/sh\ntouch /var/lib/ivrflow/recordings/it-ran\n", encoding="ascii")
    program.chmod(0o755)
    calls = await agent_phone(phones, Answer())
    member = {"Queue": "agents", "Interface": "PJSIP/1001"}
    assert (await witness.action({"Action": "QueueAdd", **member}))["Response"] == "Success"
    try:
        answer = await witness.action(
            {
                "Action": "Originate",
                "Channel": "Local/agents@ivrflow-queue/n",
                "ChannelId": LEG,
                "Context": "agentleg",
                "Exten": "up",
                "Priority": "1",
                "Async": "true",
                "Variable": [f"IVRFLOW_SECONDS=5\\,{PROGRAM}", f"IVRFLOW_POSITION=1\\,{PROGRAM}"],
            }
        )
        assert answer["Response"] == "Success"
        await witness.event("OriginateResponse", Response="Success", Uniqueid=LEG)
        await asyncio.sleep(1)  # a program that runs has begun by then
        await calls[0].hang_up()
        await witness.event("Hangup", Uniqueid=LEG)
    finally:
        await witness.action({"Action": "QueueRemove", **member})
        program.unlink()
    assert not (pbx.recordings / "it-ran").exists()


@pytest.mark.complains("Requested DTMF feature automixmon not available")
async def test_no_feature_of_a_talk_that_the_account_switches_on_runs_a_program(
    witness: Witness, pbx: Pbx, phones: Phones
) -> None:
    # Recording by key: its file's name goes to MixMonitor() as it stands, commas included, and one argument is a program.
    calls = await agent_phone(phones, Answer(after_s=1))
    answer = await witness.action(
        {
            "Action": "Originate",
            "Channel": "Local/1001@ivrflow-ring/n",
            "ChannelId": LEG,
            "Context": "agentleg",
            "Exten": "up",
            "Priority": "1",
            "Async": "true",
            "Variable": ["IVRFLOW_SECONDS=10"],
        }
    )
    assert answer["Response"] == "Success"
    for _ in ("half 1", "half 2", "the telephone"):
        channel = (await witness.event("Newchannel"))["Channel"]
        for name, value in {
            "BRIDGE_FEATURES": "xX",
            "FEATUREMAP(automixmon)": "*1",
            "TOUCH_MIXMONITOR": "x.wav,b,cd var;cd lib;cd ivrflow;cd recordings;touch it-ran;",
        }.items():
            set_it = {"Action": "Setvar", "Channel": channel, "Variable": name, "Value": value}
            assert (await witness.action(set_it))["Response"] == "Success"
    await witness.event("DialEnd", DialStatus="ANSWER")
    with suppress(CallGone):
        await calls[0].press("*1")
        await asyncio.sleep(1)  # a recording has begun by then
        await calls[0].hang_up()
    await witness.event("Hangup", Uniqueid=LEG)
    await asyncio.sleep(1)  # and a program that runs at its end
    assert not (pbx.recordings / "it-ran").exists()


async def test_no_variable_of_the_accounts_leads_a_call_to_another_engine(
    witness: Witness, pbx: Pbx, phones: Phones
) -> None:
    dialplan = (RECIPE / "etc/extensions.conf").read_text(encoding="utf-8")
    addresses = re.findall(r"AGI\(agi://(.*?)/", dialplan)
    assert set(addresses) == {"@IVRFLOW_AGI_HOST@:@IVRFLOW_AGI_PORT@"}, "written out when the PBX starts"
    for name in re.findall(r"^([A-Z_]+) = ", dialplan, re.MULTILINE):
        answer = await witness.action({"Action": "Getvar", "Variable": name})
        assert str(pbx.settings.agi_port) not in answer["Value"], name
    answer = await witness.action({"Action": "Setvar", "Variable": "ENGINE", "Value": "127.0.0.1:9"})
    assert answer["Response"] == "Success"
    came = asyncio.Event()

    async def serve(session: AgiSession) -> None:
        came.set()
        await session.command("ANSWER")
        await session.finish()

    async with AgiPeer(pbx, serve):
        call = await (await phones.open("caller")).call("12345")
        async with asyncio.timeout(5):
            await came.wait()
            await call.ended


async def test_only_the_listed_events_come(witness: Witness, pbx: Pbx, phones: Phones) -> None:
    listed = set(re.findall(r"name\((\w+)\)", (RECIPE / "etc/manager.conf").read_text(encoding="utf-8")))

    async def serve(session: AgiSession) -> None:
        await session.command("ANSWER")
        assert await session.line() == "HANGUP"

    async with AgiPeer(pbx, serve):
        caller = await phones.open("caller")
        call = await caller.call("12345")
        await call.press("7")
        await call.hang_up()
        await witness.event("Hangup")
    came = {event["Event"] for event in witness.seen}
    assert came <= listed
    assert came >= {"Newchannel", "DTMFBegin", "DTMFEnd", "HangupRequest", "Hangup"}
    assert all(re.fullmatch(r"\d{10}\.\d{6}", event["Timestamp"]) for event in witness.seen)


async def test_speech_is_reported_though_the_pbx_did_not_answer_itself(
    witness: Witness, pbx: Pbx, phones: Phones
) -> None:
    async def serve(session: AgiSession) -> None:
        await session.command("ANSWER")
        assert await session.line() == "HANGUP"

    noise = np.random.default_rng(1).normal(0, 3000, 4000).astype(np.int16)
    async with AgiPeer(pbx, serve):
        caller = await phones.open("caller")
        call = await caller.call("12345")
        await call.say(noise)
        begun = await witness.event("ChannelTalkingStart")
        over = await witness.event("ChannelTalkingStop")
        await call.hang_up()
    assert over["Uniqueid"] == begun["Uniqueid"]
    assert int(over["Duration"]) == pytest.approx(500, abs=100)


# ── ringing an agent and joining the two ──────────────────────────────────────────────────────────────────────────────


class Talk:
    """A caller whose engine rings agent 1001 and joins the two."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self.joined = asyncio.Event()
        self.replies: list[str] = []

    async def serve(self, session: AgiSession) -> None:
        await session.command("ANSWER")
        await self._witness.ring("PJSIP/1001")
        await self._witness.event("OriginateResponse", Response="Success", Uniqueid=LEG)
        session.send(f"EXEC Bridge {LEG}")
        await self._witness.event("BridgeEnter", Uniqueid=LEG, BridgeType="basic")
        self.joined.set()
        self.replies.append(await session.line())
        self.replies.append(await session.command("GET VARIABLE BRIDGERESULT"))
        self.replies.append(await session.command('STREAM FILE /var/lib/ivrflow/prompts/house/menu.invalid ""'))
        await session.finish()


async def agent_phone(phones: Phones, policy: OnCall) -> list[Call]:
    """The calls that come to a phone of agent 1001."""
    calls: list[Call] = []

    def keep(call: Call) -> OnCall:
        calls.append(call)
        return policy

    await phones.open("1001", on_call=keep)
    return calls


async def test_caller_and_agent_hear_each_other_and_the_flow_goes_on_after_the_agent_left(
    witness: Witness, pbx: Pbx, phones: Phones
) -> None:
    calls = await agent_phone(phones, Answer(after_s=0.2, source=Tone(700)))
    caller = await phones.open("caller")
    talk = Talk(witness)
    async with AgiPeer(pbx, talk.serve):
        call = await caller.call("12345", source=Tone(1200))
        async with asyncio.timeout(5):
            await talk.joined.wait()
        (agent,) = calls
        assert agent.answered_at is not None
        talks_from = agent.answered_at
        await asyncio.gather(has_heard(call, 700, 0.7, since=talks_from), has_heard(agent, 1200, 0.7, since=talks_from))
        await agent.hang_up()
        asked = await witness.event("HangupRequest")
        async with asyncio.timeout(10):
            assert (await call.ended).by == "peer"
    assert asked["Uniqueid"] == LEG, "the agent hung up first"
    bridged, result, played = talk.replies
    assert (bridged, result) == ("200 result=0", "200 result=1 (SUCCESS)")
    assert re.fullmatch(r"200 result=0 endpos=\d{4,}", played), "the same session plays the next prompt"


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
async def test_a_phone_that_holds_and_takes_the_caller_back(
    direction: Literal["sendonly", "inactive"], witness: Witness, pbx: Pbx, phones: Phones
) -> None:
    calls = await agent_phone(phones, Answer(source=Tone(700)))
    caller = await phones.open("caller")
    talk = Talk(witness)
    async with AgiPeer(pbx, talk.serve):
        call = await caller.call("12345", source=Tone(1200))
        async with asyncio.timeout(5):
            await talk.joined.wait()
        (agent,) = calls
        for _ in range(2):
            await agent.hold(direction)
            await witness.event("Hold", Uniqueid=LEG)
            await asyncio.gather(falls_silent(call, 700, 0.5), falls_silent(agent, 1200, 0.5))
            await agent.resume()
            await witness.event("Unhold", Uniqueid=LEG)
            resumed = time.monotonic()
            await asyncio.gather(has_heard(call, 700, 0.3, since=resumed), has_heard(agent, 1200, 0.3, since=resumed))
        await call.hang_up()
        for _ in range(2):  # both channels are gone: the next test's manager hears nothing of this one
            await witness.event("Hangup")


async def test_the_caller_leaves_the_talk_first(witness: Witness, pbx: Pbx, phones: Phones) -> None:
    calls = await agent_phone(phones, Answer())
    caller = await phones.open("caller")
    talk = Talk(witness)
    async with AgiPeer(pbx, talk.serve):
        call = await caller.call("12345")
        async with asyncio.timeout(5):
            await talk.joined.wait()
        await call.hang_up()
        asked = await witness.event("HangupRequest")
        async with asyncio.timeout(5):
            assert (await calls[0].ended).by == "peer"
    assert asked["Uniqueid"] != LEG
    assert talk.replies[0] == "200 result=0", "the reply alone does not tell who left"


@pytest.mark.parametrize(
    ("policy", "reason", "dial_status", "cause"),
    [
        pytest.param(RingOn(), "3", None, "19", id="no answer"),
        pytest.param(BUSY, "0", "BUSY", "17", id="busy"),
        pytest.param(DECLINE, "0", "NOANSWER", "21", id="declined"),
    ],
)
async def test_an_agent_who_does_not_take_the_call(
    policy: OnCall, reason: str, dial_status: str | None, cause: str, witness: Witness, phones: Phones
) -> None:
    await agent_phone(phones, policy)
    await witness.ring("PJSIP/1001", timeout_ms=1000)
    response = await witness.event("OriginateResponse", Uniqueid=LEG)
    hangup = await witness.event("Hangup", Uniqueid=LEG)
    assert (response["Response"], response["Reason"]) == ("Failure", reason)
    assert hangup["Cause"] == cause
    said = [event["DialStatus"] for event in witness.seen if event["Event"] == "DialEnd"]
    assert said == ([dial_status] if dial_status else [])


@pytest.mark.complains("Endpoint '1002': Could not create dialog", "endpoint '1002'")
async def test_an_agent_whose_phone_is_not_registered(witness: Witness) -> None:
    await witness.ring("PJSIP/1002")
    response = await witness.event("OriginateResponse", Uniqueid=LEG)
    assert (response["Response"], response["Reason"]) == ("Failure", "0")


async def test_ringing_is_called_off_by_the_chosen_id(witness: Witness, phones: Phones) -> None:
    calls = await agent_phone(phones, RingOn())
    await witness.ring("PJSIP/1001", timeout_ms=10_000)
    await witness.event("Newchannel", Uniqueid=LEG)
    async with asyncio.timeout(2):
        while not calls:  # noqa: ASYNC110 -- the phone has no event for its own ringing
            await asyncio.sleep(0.01)
    answer = await witness.action({"Action": "Hangup", "Channel": LEG})
    assert answer["Response"] == "Success"
    async with asyncio.timeout(2):
        assert (await calls[0].ended).by == "peer"
    assert (await witness.event("OriginateResponse", Uniqueid=LEG))["Response"] == "Failure"


async def test_an_agent_who_hung_up_before_the_caller_came_is_noticed(
    witness: Witness, pbx: Pbx, phones: Phones
) -> None:
    calls = await agent_phone(phones, Answer())
    replies = []

    async def serve(session: AgiSession) -> None:
        await session.command("ANSWER")
        await witness.ring("PJSIP/1001")
        await witness.event("OriginateResponse", Response="Success", Uniqueid=LEG)
        await calls[0].hang_up()
        await witness.event("Hangup", Uniqueid=LEG)
        replies.append(await session.command(f"EXEC Bridge {LEG}"))
        replies.append(await session.command("GET VARIABLE BRIDGERESULT"))
        await session.finish()

    async with AgiPeer(pbx, serve):
        caller = await phones.open("caller")
        call = await caller.call("12345")
        async with asyncio.timeout(5):
            assert (await call.ended).by == "peer"
    assert replies == ["200 result=0", "200 result=1 (NONEXISTENT)"]
