"""On the wire with the real Asterisk: how exact are the waits a caller hears, with a hundred calls at once?

A hundred silent callers of our softphone ring 12345 on a PBX and an engine of their own. In the packets each of them
received, the end of every phrase and the beginning of the next are recognised; the silence between them should be the
rule's 3 s. Goals: at least 99 % within 60 ms of it, and the engine uses at most a tenth of Asterisk's processor time.

    python -m bench.wire [--calls 100] [--format json]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import statistics
import tempfile
from pathlib import Path

import numpy as np

from bench.bystander import Bystander
from ivrflow.runtime.journal_reader import JournalReader
from ivrflow.softphone.call import Call
from ivrflow.softphone.codecs import RATE, Samples, codec
from ivrflow.softphone.listening import recognise
from ivrflow.softphone.recording import QUIET_DBFS
from ivrflow.softphone.softphone import SoftPhone
from tools.engine import Engine
from tools.pbx import Pbx, PbxSettings, build
from tools.places import PROMPTS
from tools.run import prepare_prompts

WAIT_S = 3.0
GOAL_S = 0.06
STEP = RATE // 100
PHRASES = ("gov12345/greeting_inbound.standard", "gov12345/silent_call.connected", "gov12345/silent_call.change_phone")


def cpu_seconds(pid: int) -> float:
    """Processor time the process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def silences(call: Call, sounds: dict[str, Samples]) -> list[float]:
    """Seconds of silence between the phrases one caller heard; fails when one is missing."""
    heard = recognise(call.recording, sounds)
    names = [prompt.name for prompt in heard]
    if names != list(PHRASES):
        raise SystemExit(f"a caller heard {names}")
    return [after.start - (before.end + quiet_tail(sounds[before.name])) for before, after in itertools.pairwise(heard)]


def quiet_tail(sound: Samples) -> float:
    """Seconds of a prompt after its last sound: recognition tells when that was heard, also of a prompt that stalled."""
    steps = sound[: len(sound) // STEP * STEP].reshape(-1, STEP).astype(float)
    last = int(np.flatnonzero(np.sqrt((steps**2).mean(axis=1)) > 32767 * 10 ** (QUIET_DBFS / 20))[-1])
    return (len(sound) - (last + 1) * STEP) / RATE


async def measure(calls: int, state: Path) -> dict[str, float]:
    """Run it and return the figures."""
    settings = PbxSettings.from_environment().on_free_ports(calls=calls + 10)
    journal = f"sqlite:///{state}/journal.sqlite"
    pbx = Pbx(state / "pbx", settings)
    engine = Engine({**settings.engine_environment(), "IVRFLOW_JOURNAL": journal, "IVRFLOW_MAX_CALLS": str(2 * calls)})
    engine.quiet = True
    try:
        await pbx.start()
        await engine.start()
        server = (settings.sip_bind, settings.sip_port)
        before = cpu_seconds(engine.pid), cpu_seconds(pbx.pid)
        async with SoftPhone("caller", settings.password("caller"), server) as phone:
            placed = [await phone.call("12345") for _ in range(calls)]
            async with asyncio.timeout(120), Bystander() as bystander:
                await asyncio.gather(*(call.ended for call in placed))
        after = cpu_seconds(engine.pid), cpu_seconds(pbx.pid)
    finally:
        await engine.stop()
        await pbx.stop()
    decoder = codec("ulaw")
    sounds = {name: decoder.decode((PROMPTS / f"{name}.ulaw").read_bytes()) for name in PHRASES}
    off = sorted(abs(silence - WAIT_S) for call in placed for silence in silences(call, sounds))
    reader = JournalReader(journal)
    kept = sum("gov12345/silent_call" in call.kept for call in reader.calls(limit=2 * calls))
    reader.close()
    engine_cpu, asterisk_cpu = after[0] - before[0], after[1] - before[1]
    return {
        "calls": calls,
        "waits": len(off),
        "median_off_ms": statistics.median(off) * 1000,
        "p99_off_ms": off[int(len(off) * 0.99)] * 1000,
        "max_off_ms": off[-1] * 1000,
        "within_60_ms": sum(value <= GOAL_S for value in off) / len(off),
        "silent_call_kept": kept,
        "engine_cpu_s": engine_cpu,
        "asterisk_cpu_s": asterisk_cpu,
        "engine_to_asterisk_cpu": engine_cpu / asterisk_cpu,
        "machine_p99_9_ms": bystander.late["p99_9"],
        "machine_max_ms": bystander.late["max"],
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    options = parser.parse_args()
    build()
    prepare_prompts()
    with tempfile.TemporaryDirectory() as state:
        figures = asyncio.run(measure(options.calls, Path(state)))
    if options.format == "json":
        print(json.dumps(figures))
        return
    print(f"on the wire, {options.calls} calls at once on the real PBX, {figures['waits']} waits of {WAIT_S:g} s")
    print(
        f"  off by: median {figures['median_off_ms']:.0f} ms, p99 {figures['p99_off_ms']:.0f} ms, "
        f"max {figures['max_off_ms']:.0f} ms; {figures['within_60_ms']:.1%} within 60 ms"
    )
    print(
        f"  this machine itself meanwhile (a process that only sleeps): p99.9 {figures['machine_p99_9_ms']:.1f} ms, "
        f"max {figures['machine_max_ms']:.1f} ms late"
    )
    print(
        f"  processor time: engine {figures['engine_cpu_s']:.1f} s, Asterisk {figures['asterisk_cpu_s']:.1f} s, "
        f"ratio {figures['engine_to_asterisk_cpu']:.3f} (goal: at most 0.1); "
        f"{figures['silent_call_kept']} of {options.calls} calls kept the rule"
    )


if __name__ == "__main__":
    main()
