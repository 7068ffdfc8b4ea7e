"""Agents who log in by telephone: the codes they dial, and the tone by which they know that it is done."""

import asyncio
from pathlib import Path

import pytest
from loopback_phones import at, eventually, phone

from ivrflow.flow.problems import Location
from ivrflow.flow_files import load_flows
from ivrflow.scenario.language.reading import read_scenario
from ivrflow.scenario.pbx import queue_duty
from ivrflow.scenario.pbx.queue_duty import CODES, before_the_call, during_the_call, on_duty, waits_in_a_queue
from ivrflow.scenario.script import InQueues
from ivrflow.softphone.audio_source import Silence, Tone
from ivrflow.softphone.call import Call, PhoneError
from ivrflow.softphone.softphone import BUSY, Answer, OnCall, SoftPhone

TALKS = load_flows([Path(__file__).parents[3] / "talks" / "flows"])
HERE = Location("talk.yaml", 1, 1)


def in_queues(**times: float) -> InQueues:
    return InQueues(("agents",), HERE, **times)


def test_what_is_done_before_the_call() -> None:
    assert before_the_call(in_queues()) == ["logs in"]
    assert before_the_call(in_queues(pauses=0.0)) == ["logs in", "pauses"]
    assert before_the_call(in_queues(logs_in=12.0)) == []
    assert before_the_call(in_queues(pauses=5.0)) == ["logs in"]


def test_what_is_done_during_the_call() -> None:
    assert during_the_call(in_queues()) == []
    assert during_the_call(in_queues(pauses=0.0, back=20.0)) == [(20.0, "is back")]
    assert during_the_call(in_queues(logs_in=12.0, pauses=15.0, back=20.0, logs_out=30.0)) == [
        (12.0, "logs in"),
        (15.0, "pauses"),
        (20.0, "is back"),
        (30.0, "logs out"),
    ]


@pytest.mark.parametrize(("key", "waits"), [("1", True), ("2", False)])
def test_only_callers_who_come_to_a_queue_wait_in_it(key: str, waits: bool) -> None:
    text = f"scenario: a call\nflow: talks\ncaller: [hear_start: greeting_inbound.standard, press: '{key}', wait: 1s, hang_up]\n"
    assert waits_in_a_queue(read_scenario(text, "talk.yaml", TALKS)) is waits


async def test_a_long_tone_says_that_it_is_done() -> None:
    async with phone(Answer(source=Tone(950))) as pbx, at(pbx) as agent:
        await on_duty(agent, "1001", "logs in")
        assert agent.calls == []
        (invited, *_) = [line.text for line in agent.signalling if line.text.startswith("INVITE")]
        assert f"sip:{CODES['logs in']}@" in invited


async def test_a_tone_that_comes_late_is_waited_for_and_a_pbx_that_hangs_up_is_not() -> None:
    async with phone(Answer(source=Silence())) as pbx, at(pbx) as agent:
        logging_in = asyncio.create_task(on_duty(agent, "1001", "logs in"))
        call = await the_call(pbx)
        await asyncio.sleep(1.0)  # longer than the tone and all takes on a PBX that does not stand still
        call.source = Tone(950)
        await logging_in
        await eventually(lambda: not pbx.calls)
        pausing = asyncio.create_task(on_duty(agent, "1001", "pauses"))
        (await the_call(pbx)).hang_up_now()
        async with asyncio.timeout(queue_duty.TOLD_WITHIN_S / 2):
            with pytest.raises(PhoneError, match="not possible"):
                await pausing


async def test_a_tone_that_late_packets_cut_is_told_by_its_pitch() -> None:
    async with phone(Answer(source=Silence())) as pbx, at(pbx) as agent:
        logging_in = asyncio.create_task(on_duty(agent, "1001", "logs in"))
        call = await the_call(pbx)
        while not logging_in.done():
            call.source = Tone(950)
            await asyncio.sleep(0.1)  # of tone
            call.source = Silence()
            await asyncio.sleep(0.1)  # of none
        await logging_in


async def the_call(pbx: SoftPhone) -> Call:
    """The answered call at that telephone."""
    await eventually(lambda: any(call.answered_at is not None for call in pbx.calls))
    return pbx.calls[0]


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (Answer(source=Silence()), "agent 1001 pauses: the PBX says that .13 is not possible"),
        (Answer(source=Tone(400)), "agent 1001 pauses: the PBX says that .13 is not possible"),
        (BUSY, "agent 1001 pauses: the PBX did not take .13: refused: 486"),
    ],
)
async def test_anything_else_says_that_it_is_not(policy: OnCall, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_duty, "TOLD_WITHIN_S", 0.3)
    async with phone(policy) as pbx, at(pbx) as agent:
        with pytest.raises(PhoneError, match=told):
            await on_duty(agent, "1001", "pauses")
