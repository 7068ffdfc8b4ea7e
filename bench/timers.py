"""How late are rule timers with a thousand live calls waiting in ladders on one engine process?

One engine process (`ivrflow serve`) is rung by N silent callers of a stand-in for Asterisk, over real sockets. Every
caller that was hung up on is replaced at once, so N calls stay live. What is measured is what a caller would meet: from
the end of a prompt at the PBX to the next command there, less the 3 s the standard asks for; so the lateness of both
processes and the way between them are in it. Goal: p99.9 at most 20 ms.

    python -m bench.timers [--calls 1000] [--seconds 30] [--format json]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import statistics
import tempfile
import time
from pathlib import Path

import uvloop

from bench.bystander import Bystander
from bench.stand_in import SilentCall, StandInManager
from tools.engine import Engine
from tools.places import PROMPTS
from tools.run import prepare_prompts

WAIT_S = 3.0
"""gov12345/silent_call: about 3 seconds after each of its first two phrases."""
PROMPT_S = 1.0
NUMBER = "12345"


def resident_mib(pid: int) -> float:
    """Memory the process has resident, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int) -> float:
    """Processor time the process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _reload(pid: int, every: float) -> None:
    """Let the engine read its flows anew, again and again."""
    while True:
        await asyncio.sleep(every)
        os.kill(pid, signal.SIGHUP)


async def measure(calls: int, seconds: float, state: Path, *, reload_every: float = 0.0) -> dict[str, float]:
    """Run it and return the figures; with a reload every so many seconds, 0 for none."""
    loop = asyncio.get_running_loop()
    manager = await loop.create_server(StandInManager, "127.0.0.1", 0)
    probe = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    agi_port = probe.sockets[0].getsockname()[1]
    probe.close()
    await probe.wait_closed()
    engine = Engine(
        {
            "IVRFLOW_AMI_PORT": str(manager.sockets[0].getsockname()[1]),
            "IVRFLOW_AMI_SECRET": "bench",
            "IVRFLOW_AGI_PORT": str(agi_port),
            "IVRFLOW_PROMPTS_DIR": str(PROMPTS),
            "IVRFLOW_MAX_CALLS": str(2 * calls),
            "IVRFLOW_JOURNAL": f"sqlite:///{state}/journal.sqlite",
        }
    )
    engine.quiet = True
    live: set[SilentCall] = set()
    ringing: set[asyncio.Task[None]] = set()
    late: list[float] = []
    counting = ending = False
    served = dialled = 0

    def waited(seconds_waited: float) -> None:
        if counting:
            late.append(seconds_waited - WAIT_S)

    def over(call: SilentCall) -> None:
        nonlocal served
        live.discard(call)
        served += 1
        if not ending:
            task = loop.create_task(ring())
            ringing.add(task)
            task.add_done_callback(ringing.discard)

    async def ring() -> None:
        nonlocal dialled
        dialled += 1
        _, call = await loop.create_connection(
            lambda: SilentCall(NUMBER, f"bench-{dialled}", PROMPT_S, waited, over), "127.0.0.1", agi_port
        )
        live.add(call)

    try:
        await engine.start()
        before = resident_mib(engine.pid)
        for _ in range(calls):
            await ring()
            await asyncio.sleep(10 / calls)  # spread over the 10 s a call takes, as real callers are
        full = resident_mib(engine.pid)
        counting = True
        began, cpu = time.monotonic(), cpu_seconds(engine.pid)
        gc.disable()  # in this process: the stand-in's own pauses are not what is measured
        reloading = loop.create_task(_reload(engine.pid, reload_every)) if reload_every else None
        async with Bystander() as bystander:
            await asyncio.sleep(seconds)
        if reloading is not None:
            reloading.cancel()
        after = resident_mib(engine.pid)
        gc.enable()
        used = (cpu_seconds(engine.pid) - cpu) / (time.monotonic() - began)
        counting, ending = False, True
    finally:
        ending = True
        for call in list(live):
            call.hang_up()
        await engine.stop()
        manager.close()
    late.sort()
    cut = statistics.quantiles(late, n=1000, method="inclusive")
    return {
        "calls": calls,
        "timers": len(late),
        "p50_ms": cut[499] * 1000,
        "p99_ms": cut[989] * 1000,
        "p99_9_ms": cut[998] * 1000,
        "max_ms": late[-1] * 1000,
        "earliest_ms": late[0] * 1000,
        "kib_per_waiting_call": (full - before) * 1024 / calls,
        "engine_mib": full,
        "engine_mib_after": after,
        "engine_cpu_cores": used,
        "calls_served": served,
        "machine_p99_9_ms": bystander.late["p99_9"],
        "machine_max_ms": bystander.late["max"],
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    options = parser.parse_args()
    prepare_prompts()
    with tempfile.TemporaryDirectory() as state:
        figures = uvloop.run(measure(options.calls, options.seconds, Path(state)))
    if options.format == "json":
        print(json.dumps(figures))
        return
    print(f"rule timers, {options.calls} live calls on one engine process, {figures['timers']} timers of {WAIT_S:g} s")
    print(
        f"  late: p50 {figures['p50_ms']:.1f} ms, p99 {figures['p99_ms']:.1f} ms, p99.9 {figures['p99_9_ms']:.1f} ms, "
        f"max {figures['max_ms']:.1f} ms (goal: p99.9 at most 20 ms)"
    )
    print(
        f"  this machine itself meanwhile (a process that only sleeps): p99.9 {figures['machine_p99_9_ms']:.1f} ms, "
        f"max {figures['machine_max_ms']:.1f} ms late"
    )
    print(
        f"  memory per waiting call {figures['kib_per_waiting_call']:.0f} KiB, engine {figures['engine_mib']:.0f} MiB, "
        f"{figures['engine_cpu_cores'] * 100:.0f} % of one core, {figures['calls_served']} calls served"
    )


if __name__ == "__main__":
    main()
