"""On the wire with the real Asterisk: how soon do caller and agent hear each other, and how well in step what both hear?

One caller after the other comes through a queue of a PBX of their own to the same agent; caller and agent hum. Counted
from the moment in which the agent's telephone answers, and from every later order, to the first packet in which the other
is heard. Then the two are parted, hear a prompt together, and are joined again. Goals: each hears the other within 50 ms;
both hear the prompt within 20 ms of each other, which is one packet.

    python -m bench.joining [--talks 20] [--format json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.bystander import Bystander
from ivrflow.bridge.agi_events import Environment
from ivrflow.bridge.asterisk_line import AsteriskLine, LineSettings
from ivrflow.bridge.exchange import Exchange, ExchangeAddress
from ivrflow.engine import messages as m
from ivrflow.softphone.audio_source import Tone
from ivrflow.softphone.call import Call
from ivrflow.softphone.codecs import FRAME, FRAME_S, RATE, codec
from ivrflow.softphone.placing import ReceivedPacket
from ivrflow.softphone.softphone import SoftPhone
from tools.pbx import Pbx, PbxSettings, build
from tools.places import PROMPTS
from tools.run import prepare_prompts

CALLER_HZ, AGENT_HZ = 1200, 700
PROMPT = "house/closing.farewell"
PROMPTS_INSIDE = "/var/lib/ivrflow/prompts"
LANDMARK = 40
"""The frame of the prompt that is looked for, 0.8 s after its beginning: no two of its frames are the same."""
QUEUE, AGENT = "agents", "1001"
LEG = 3
SOON_S = 10.0
GOAL_HEARD_MS = 50.0
GOAL_SKEW_MS = 20.0


class Told:
    """A line, and what it tells."""

    def __init__(self, line: AsteriskLine) -> None:
        self.line = line
        self._events: asyncio.Queue[m.CallEvent] = asyncio.Queue()
        line.on_event = self._events.put_nowait

    async def until(self, kind: type[m.CallEvent]) -> None:
        """Wait for such an event."""
        async with asyncio.timeout(SOON_S):
            while not isinstance(await self._events.get(), kind):
                pass


async def first(call: Call, since: float, wanted: Callable[[ReceivedPacket], bool]) -> float:
    """Arrival of the first such packet after `since`, in monotonic seconds."""
    seen = len(call.recording)
    async with asyncio.timeout(SOON_S):
        while True:
            for packet in call.recording.packets(max(0, seen - 100)):
                if packet.arrival > since and wanted(packet):
                    return packet.arrival
            seen = len(call.recording)
            await asyncio.sleep(0.01)


def hums(hertz: int) -> Callable[[ReceivedPacket], bool]:
    """Whether somebody hums at that pitch in a packet."""
    wave = np.exp(-2j * np.pi * hertz * np.arange(FRAME) / RATE)
    decoder = codec("alaw")

    def does(packet: ReceivedPacket) -> bool:
        if len(packet.payload) != FRAME:
            return False
        sound = decoder.decode(packet.payload).astype(float)
        energy = float(sound @ sound)
        return energy > FRAME * 300.0**2 and 2 * abs(sound @ wave) ** 2 / (energy * FRAME) > 0.5

    return does


async def talk(calling: Callable[[], asyncio.Future[tuple[Told, Call]]], phone: SoftPhone) -> dict[str, float]:
    """One talk from the queue to its end; what was measured, in milliseconds."""
    told, caller = await calling()
    perform = told.line.perform
    perform(m.StartMusic())
    perform(m.JoinQueue(ticket=LEG, queue=QUEUE))
    agent = await phone.next_call(SOON_S)
    agent.source = Tone(AGENT_HZ, -20.0)
    answered_at = time.monotonic()
    agent.answer()
    await told.until(m.AgentAnswered)
    perform(m.Bridge(ticket=LEG))
    heard = await asyncio.gather(first(caller, answered_at, hums(AGENT_HZ)), first(agent, answered_at, hums(CALLER_HZ)))
    await asyncio.sleep(0.5)  # of conversation
    frames = (PROMPTS / f"{PROMPT}.alaw").read_bytes()
    landmark = frames[LANDMARK * FRAME : (LANDMARK + 1) * FRAME]
    parted_at = time.monotonic()
    perform(m.Part(ticket=LEG))
    perform(m.Play(ticket=4, phrase=PROMPT, prompt=PROMPT, seconds=2.0, hearer="both", leg=LEG))
    in_step = await asyncio.gather(
        *(first(call, parted_at, lambda packet: packet.payload == landmark) for call in (caller, agent))
    )
    await told.until(m.PromptEnded)
    joined_at = time.monotonic()
    perform(m.Bridge(ticket=LEG))
    again = await asyncio.gather(first(caller, joined_at, hums(AGENT_HZ)), first(agent, joined_at, hums(CALLER_HZ)))
    left_at = time.monotonic()
    agent.hang_up_now()
    await told.until(m.AgentLeft)
    gone_at = time.monotonic()
    perform(m.EndCall(outcome="done"))
    await caller.ended
    return {
        "caller_hears_ms": 1000 * (heard[0] - answered_at),
        "agent_hears_ms": 1000 * (heard[1] - answered_at),
        "prompt_begins_ms": 1000 * (min(in_step) - LANDMARK * FRAME_S - parted_at),
        "skew_ms": 1000 * abs(in_step[0] - in_step[1]),
        "caller_hears_again_ms": 1000 * (again[0] - joined_at),
        "agent_hears_again_ms": 1000 * (again[1] - joined_at),
        "leaving_known_ms": 1000 * (gone_at - left_at),
    }


async def measure(talks: int, state: Path) -> dict[str, float]:
    """Run it and return the figures."""
    settings = PbxSettings.from_environment().on_free_ports()
    lines: asyncio.Queue[AsteriskLine] = asyncio.Queue()

    def take(line: AsteriskLine, _environment: Environment) -> bool:
        lines.put_nowait(line)
        return True

    address = ExchangeAddress(
        *(settings.ami_bind, settings.ami_port, settings.ami_user, settings.ami_secret),
        *(settings.agi_host, settings.agi_port),
    )
    server = (settings.sip_bind, settings.sip_port)
    measured: list[dict[str, float]] = []
    async with Pbx(state / "pbx", settings):
        exchange = Exchange(address, LineSettings(PROMPTS_INSIDE), take, max_calls=10)
        await exchange.start()
        async with (
            SoftPhone("caller", settings.password("caller"), server, codecs=("alaw",)) as callers,
            SoftPhone(AGENT, settings.password(AGENT), server, codecs=("alaw",)) as phone,
            Bystander() as bystander,
        ):
            await phone.register()

            async def call() -> tuple[Told, Call]:
                placed = asyncio.ensure_future(callers.call("12345", source=Tone(CALLER_HZ, -20.0)))
                told = Told(await lines.get())
                told.line.perform(m.Answer())
                return told, await placed

            member = {"Queue": QUEUE, "Interface": f"PJSIP/{AGENT}"}
            for _ in range(talks):
                await exchange.manager.action("QueueAdd", member)
                measured.append(await talk(lambda: asyncio.ensure_future(call()), phone))
                await exchange.manager.action("QueueRemove", member)  # or the agent would rest
        await exchange.close()
    figures = {"talks": float(talks), "machine_max_ms": bystander.late["max"]}
    for name in measured[0]:
        values = [one[name] for one in measured]
        figures |= {
            name.replace("_ms", "_median_ms"): statistics.median(values),
            name.replace("_ms", "_max_ms"): max(values),
        }
    return figures


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--talks", type=int, default=20)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    options = parser.parse_args()
    build()
    prepare_prompts()
    with tempfile.TemporaryDirectory() as state:
        figures = asyncio.run(measure(options.talks, Path(state)))
    if options.format == "json":
        print(json.dumps(figures))
        return
    print(f"joining caller and agent on the real PBX, {options.talks} talks through a queue; median and longest")

    def line(what: str, name: str, goal: str = "") -> None:
        print(f"  {what}: {figures[f'{name}_median_ms']:.1f} ms, {figures[f'{name}_max_ms']:.1f} ms{goal}")

    within = f" (goal: {GOAL_HEARD_MS:.0f} ms)"
    line("from the agent's answer until the caller hears the agent", "caller_hears", within)
    line("                          until the agent hears the caller", "agent_hears", within)
    line("from parting them to the first packet of a prompt", "prompt_begins")
    line("one hears it later than the other by", "skew", f" (goal: {GOAL_SKEW_MS:.0f} ms)")
    line("from joining them again until the caller hears the agent", "caller_hears_again", within)
    line("                        until the agent hears the caller", "agent_hears_again", within)
    line("from the agent's hanging up until the engine knows", "leaving_known")
    print(
        f"  this machine itself meanwhile (a process that only sleeps): at most {figures['machine_max_ms']:.1f} ms late"
    )


if __name__ == "__main__":
    main()
