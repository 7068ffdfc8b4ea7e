"""Orders to a running engine on the real PBX: reload, situations on live calls, agents in queues, and stopping."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from agents_here import AGENT_HZ, CALLER_HZ, hears
from conftest import Phones
from engine_here import EngineHere, heard_by, serving, sounds
from peers import has_heard_words

from ivrflow.engine.trace import Fact
from ivrflow.flow.model import CallFlow
from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex
from ivrflow.softphone.audio_source import Tone
from ivrflow.softphone.call import Call
from ivrflow.softphone.codecs import Samples, codec
from ivrflow.softphone.softphone import Answer
from tools.engine import Engine
from tools.pbx import Pbx
from tools.places import CHECKOUT, PROMPTS

APOLOGY = "house/fallback.apology"
LOUDER = "gov12345/noise.ask_louder"
SOON = 30.0


DESK = """\
flow: desk
title: 座席
standard: gov12345
numbers: ["2998"]
timezone: Asia/Shanghai
start: welcome
steps:
  welcome:
    ladder: silent_call
    opening: greeting_inbound.standard
    barge_in: [key]
    on: {speech: welcome, key: {0: queued, 1: colleague}}
    used_up: hang_up
  queued:
    queue: agents
    at_most: 3m
    talk_for: 25m
    on: {agent_left: farewell, no_answer: agent_away, nobody: agent_away}
  colleague:
    transfer: "1001"
    ring_for: 20s
    talk_for: 25m
    on: {agent_left: farewell, no_answer: agent_away}
  agent_away:
    say: house/transfer.no_answer
    then: farewell
  farewell:
    close: {ask: anything_else, farewell: closing, guard: 10s, reminder: house/closing.please_hang_up}
    on: {request: welcome}
outcomes:
  {continue: continue, unspecified: continue, hold: continue, survey: farewell, closing: farewell, callback: farewell,
   take_message: farewell, transfer: colleague, escalate: colleague, wait_caller_hangup: farewell, hangup: hang_up}
"""


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    """A folder with one small hotline: a silent call, 0 for the queue, 1 for the telephone 1001."""
    folder = tmp_path / "flows"
    (folder / "standards").mkdir(parents=True)
    for name in ("gov12345", "house"):
        text = (CHECKOUT / "callflows" / "standards" / f"{name}.yaml").read_text(encoding="utf-8")
        (folder / "standards" / f"{name}.yaml").write_text(text, encoding="utf-8")
    (folder / "desk.yaml").write_text(DESK, encoding="utf-8")
    return folder


def edit(flows: Path, old: str, new: str) -> None:
    """Change the hotline's file."""
    file = flows / "desk.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def hotline(flows: Path) -> CallFlow:
    return load_flows([flows], PromptIndex.load(CHECKOUT / "prompts").catalogue())["desk"]


@pytest.fixture
def audio(hotline: CallFlow, pbx_prompts: Path) -> dict[str, Samples]:
    """What callers may meet here."""
    assert pbx_prompts.exists()
    noise = hotline.prompts.prompts[LOUDER, ()]
    return {**sounds(hotline), LOUDER: codec("ulaw").decode((PROMPTS / f"{noise.file}.ulaw").read_bytes())}


@pytest_asyncio.fixture(loop_scope="session")
async def engine(pbx: Pbx, hotline: CallFlow, flows: Path, tmp_path: Path) -> AsyncIterator[EngineHere]:
    """A serving engine that reads its flows from that folder."""
    async with serving(
        pbx, hotline, tmp_path, IVRFLOW_FLOWS=str(flows), IVRFLOW_MASTERS=str(CHECKOUT / "prompts")
    ) as here:
        yield here


def environment(pbx: Pbx, tmp_path: Path) -> dict[str, str]:
    """Of an engine as a process of its own."""
    told = pbx.engine_environment()
    return {**told, "IVRFLOW_JOURNAL": f"sqlite:///{tmp_path}/journal.sqlite"}


async def command(pbx: Pbx, *arguments: str) -> tuple[int, str, str]:
    """A command as a person gives it: its exit code, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ivrflow", *arguments),
        cwd=CHECKOUT,
        env={**pbx.engine_environment(), "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(SOON):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def names(call: Call, audio: dict[str, Samples]) -> list[str]:
    return [prompt.name for prompt in await heard_by(call, audio)]


# ── reload ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_reload_changes_calls_to_come_and_none_that_runs(
    pbx: Pbx, phones: Phones, engine: EngineHere, flows: Path, audio: dict[str, Samples], hotline: CallFlow
) -> None:
    phone = await phones.open("caller")
    running = await phone.call("2998")
    session = await engine.until_fact(Fact.WAIT_BEGUN)
    edit(flows, 'numbers: ["2998"]', 'numbers: ["2998", "2999"]')
    code, out, err = await command(pbx, "reload")
    assert (code, err) == (0, "reading the flows …\n"), out
    assert out == "reloaded: changed: desk\ncalls that run keep the flow they began with: 1\n"
    assert session.flow is hotline
    assert not session.is_over
    second = await phone.call("2999")
    newest = await engine.until(lambda _trace: len(engine.sessions) == 2)
    assert newest.flow is not hotline
    assert newest.flow.numbers == ("2998", "2999")
    await asyncio.gather(running.hang_up(), second.hang_up())
    assert (await names(running, audio))[:1] == ["gov12345/greeting_inbound.standard"]


async def test_a_broken_file_is_refused_with_its_problems_and_calls_go_on(
    pbx: Pbx, phones: Phones, engine: EngineHere, flows: Path, hotline: CallFlow
) -> None:
    phone = await phones.open("caller")
    running = await phone.call("2998")
    await engine.until_fact(Fact.WAIT_BEGUN)
    edit(flows, "used_up: hang_up", "used_upp: hang_up")
    edit(flows, "start: welcome", "start: welcom")
    code, out, _ = await command(pbx, "reload", "--format", "json")
    assert code == 1
    told: dict[str, Any] = json.loads(out)
    assert told["done"] is False
    messages = [problem["message"] for problem in told["problems"]]
    assert messages.count("a ladder step has no 'used_upp'") == 1
    assert "there is no step 'welcom'" in messages
    second = await phone.call("2998")
    newest = await engine.until(lambda _trace: len(engine.sessions) == 2)
    assert newest.flow is hotline, "the old one stays"
    await asyncio.gather(running.hang_up(), second.hang_up())


async def test_a_flow_that_is_gone_serves_the_calls_that_run_to_their_end(
    pbx: Pbx, phones: Phones, engine: EngineHere, flows: Path, audio: dict[str, Samples]
) -> None:
    phone = await phones.open("caller")
    running = await phone.call("2998")
    await engine.until_fact(Fact.WAIT_BEGUN)
    edit(flows, "flow: desk", "flow: another")
    edit(flows, 'numbers: ["2998"]', 'numbers: ["2999"]')
    code, out, _ = await command(pbx, "reload")
    assert code == 0
    assert out.splitlines() == [
        "reloaded: new: another; gone: desk",
        "callers of 2998 get the fallback: no flow serves that any more",
        "calls that run keep the flow they began with: 1",
    ]
    late = await phone.call("2998")
    async with asyncio.timeout(60):
        await running.ended
    assert engine.sessions[0].outcome == "hung_up"
    await late.hang_up()
    assert (await names(late, audio))[0] == APOLOGY
    assert len(engine.sessions) == 1


# ── orders to a call ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_situation_is_started_and_taken_back_by_command(
    pbx: Pbx, phones: Phones, engine: EngineHere, audio: dict[str, Samples]
) -> None:
    phone = await phones.open("caller")
    call = await phone.call("2998")
    await engine.until_fact(Fact.WAIT_BEGUN)
    code, out, _ = await command(pbx, "live", "--format", "json")
    assert code == 0
    (seen,) = json.loads(out)
    assert (seen["flow"], seen["step"], seen["agent"]) == ("desk", "welcome", "")
    assert phone.account not in out
    name = seen["call"]
    code, out, _ = await command(pbx, "play", name, "nois")
    assert (code, out) == (1, "not started: the flow desk has no situation named nois; did you mean 'noise'?\n")
    code, out, _ = await command(pbx, "play", "pbx-0", "noise")
    assert (code, out) == (1, "not started: no running call is called pbx-0; see: ivrflow live\n")
    code, out, _ = await command(pbx, "play", name[:-1], "noise")
    assert code == 0
    assert out.startswith("started: the call is at situation noise, waiting for ")
    await engine.until_fact(Fact.PHRASE_ENDED, phrase=LOUDER)
    code, out, _ = await command(pbx, "cancel", name)
    assert code == 0
    assert out.startswith("taken back: the call is at welcome, ")
    code, out, _ = await command(pbx, "cancel", name)
    assert (code, out) == (1, "not taken back: not now: no situation to cancel\n")
    await call.hang_up()
    assert LOUDER in await names(call, audio)


async def test_caller_and_agent_hear_what_is_started_in_a_talk(
    pbx: Pbx, phones: Phones, engine: EngineHere, audio: dict[str, Samples]
) -> None:
    answered: asyncio.Queue[Call] = asyncio.Queue()

    def picks_up(call: Call) -> Answer:
        answered.put_nowait(call)
        return Answer()

    await phones.open("1001", on_call=picks_up)
    phone = await phones.open("caller")
    call = await phone.call("2998")
    await engine.until_fact(Fact.WAIT_BEGUN)
    await call.press("1")
    session = await engine.until_fact(Fact.AGENT_ANSWERED, within_s=SOON)
    agent = await answered.get()
    await engine.until(lambda _trace: session.phase == "bridged")
    name = agent.header("X-Ivrflow-Call")
    assert (await command(pbx, "play", name, "noise"))[0] == 0
    await engine.until_fact(Fact.PHRASE_ENDED, phrase=LOUDER)
    code, out, _ = await command(pbx, "live")
    assert code == 0
    assert "1001" in out
    assert (await command(pbx, "cancel", name))[0] == 0
    await engine.until(lambda trace: trace[-1].fact is Fact.JOINED or session.phase == "bridged")
    await call.hang_up()
    async with asyncio.timeout(SOON):
        await agent.ended
    assert LOUDER in await names(call, audio)
    assert LOUDER in await names(agent, audio)


# ── agents ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_agents_by_command(pbx: Pbx, phones: Phones) -> None:
    await phones.open("1001", on_call=Answer())

    async def members() -> list[dict[str, Any]]:
        code, out, _ = await command(pbx, "agents", "--format", "json")
        assert code == 0
        return [member for queue in json.loads(out) for member in queue["members"]]

    assert await members() == []
    try:
        assert await command(pbx, "agents", "login", "1001", "--queue", "agents") == (
            0,
            "1001 logged in to agents\n",
            "",
        )
        (member,) = await members()
        assert (member["agent"], member["queue"], member["state"], member["paused"]) == (
            "1001",
            "agents",
            "free",
            False,
        )
        assert member["since"] > 0
        assert await command(pbx, "agents", "login", "1001", "--queue", "agents") == (
            0,
            "1001 was logged in already\n",
            "",
        )
        assert await command(pbx, "agents", "pause", "1001", "--reason", "lunch") == (0, "1001 pauses in agents\n", "")
        (member,) = await members()
        assert (member["paused"], member["reason"]) == (True, "lunch")
        assert await command(pbx, "agents", "ready", "1001") == (0, "1001 ready in agents\n", "")
        (member,) = await members()
        assert member["paused"] is False
    finally:
        code, out, err = await command(pbx, "agents", "logout", "1001")
    assert (code, out, err) == (0, "1001 logged out of agents\n", "")
    assert await members() == []


# ── stop ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_while_it_stops_callers_go_on_and_new_ones_get_the_fallback_and_a_second_signal_ends_it(
    pbx: Pbx, phones: Phones, flows: Path, tmp_path: Path, audio: dict[str, Samples]
) -> None:
    phone = await phones.open("caller")
    engine = Engine({**environment(pbx, tmp_path), "IVRFLOW_FLOWS": str(flows)}, drain_s=600)
    await engine.start()
    try:
        running = await phone.call("2998")
        os.kill(engine.pid, signal.SIGTERM)
        await stopping(engine)
        late = await phone.call("2998")
        await has_heard_words(late, audio[APOLOGY])
        await late.hang_up()
        assert await names(late, audio) == [APOLOGY]
        assert not running.ended.done(), "it goes on"
        os.kill(engine.pid, signal.SIGTERM)
        async with asyncio.timeout(SOON):
            await engine.exited()
        await has_heard_words(running, audio[APOLOGY])
        await running.hang_up()
        assert (await names(running, audio))[-1] == APOLOGY
    finally:
        await engine.stop()


async def stopping(engine: Engine) -> None:
    """Wait until it says that it takes no more calls."""
    async with asyncio.timeout(SOON):
        while not any("stopping: " in line for line in engine._lines):  # noqa: ASYNC110 -- its log tells nobody
            await asyncio.sleep(0.02)


@pytest_asyncio.fixture(loop_scope="session")
async def queueing(pbx: Pbx, flows: Path, tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine whose callers press 0 and stand in a queue, with 1001 logged in; it drains for three seconds."""
    engine = Engine({**environment(pbx, tmp_path), "IVRFLOW_FLOWS": str(flows)}, drain_s=3)
    assert (await command(pbx, "agents", "login", "1001", "--queue", "agents"))[0] == 0
    await engine.start()
    yield engine
    await engine.stop()
    assert (await command(pbx, "agents", "logout", "1001"))[0] == 0


async def in_queue(phones: Phones) -> tuple[Call, Call]:
    """A caller who waits in the queue, and the call that rings at the agent."""
    agent = await phones.open("1001")
    caller = await phones.open("caller")
    call = await caller.call("2998", source=Tone(CALLER_HZ, -20.0))
    ringing = asyncio.ensure_future(agent.next_call(SOON))
    while not ringing.done():
        await call.press("0")
        await asyncio.wait((ringing,), timeout=2.0)
    return call, await ringing


@pytest.mark.complains("PJSIP")
async def test_who_waits_in_a_queue_when_the_bound_comes_gets_the_fallback_and_no_phone_rings_on(
    phones: Phones, queueing: Engine, audio: dict[str, Samples]
) -> None:
    call, at_agent = await in_queue(phones)
    os.kill(queueing.pid, signal.SIGTERM)
    await stopping(queueing)
    await asyncio.sleep(1.0)  # of the three seconds it drains: whether time is given is what is seen
    assert not at_agent.ended.done(), "the caller still waits, and the agent could still answer"
    async with asyncio.timeout(SOON):
        await at_agent.ended
        await queueing.exited()
    await has_heard_words(call, audio[APOLOGY])
    await call.hang_up()
    assert (await names(call, audio))[-1] == APOLOGY


async def test_a_talk_outlives_the_engine_and_nobody_is_left_alone_after_it(
    phones: Phones, queueing: Engine, audio: dict[str, Samples]
) -> None:
    call, at_agent = await in_queue(phones)
    at_agent.source = Tone(AGENT_HZ, -20.0)
    at_agent.answer()
    await asyncio.gather(hears(call, AGENT_HZ), hears(at_agent, CALLER_HZ))
    os.kill(queueing.pid, signal.SIGTERM)
    async with asyncio.timeout(SOON):
        await queueing.exited()
    await asyncio.gather(hears(call, AGENT_HZ), hears(at_agent, CALLER_HZ))
    await at_agent.hang_up()
    await has_heard_words(call, audio[APOLOGY])
    await call.hang_up()
    assert (await names(call, audio))[-1] == APOLOGY
