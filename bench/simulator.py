"""How many times faster than real time does the simulator play the silent-caller call?

The call is the documented one of the 12345 hotline, to its end: session, greeting, both waits, last phrase, trace, and a
verdict for each of the standard's rules. Rounds take turns with a bare engine that is handed the same events ready-made,
so that what the simulation itself costs shows; the parts are timed on their own afterwards. Goal: 10,000 times.

    python -m bench.simulator [--rounds 20] [--calls 100] [--profile] [--format json]
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import pstats
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ivrflow.engine.lifecycle import CallLifecycle, CallPhase
from ivrflow.engine.messages import CallEvent
from ivrflow.engine.session import CallSession
from ivrflow.flow.model import CallFlow
from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex
from ivrflow.simulator.call_file import USUAL_TIME, place_call
from ivrflow.simulator.transcript import whole_transcript

ROOT = Path(__file__).parent.parent
GOAL = 10_000


def hotline() -> CallFlow:
    """The flow that is shipped, with the prompts that are shipped."""
    flow = load_flows([ROOT / "callflows" / "gov12345.yaml"])["gov12345"]
    return replace(flow, prompts=PromptIndex.load(ROOT / "prompts").catalogue())


def silent_call(flow: CallFlow) -> float:
    """One call from its first event to its verdicts; the seconds it lasted."""
    call = place_call(flow, USUAL_TIME)
    call.run_out()
    assert len(call.session.verdicts) == len(flow.standard.rules)
    return call.now


def bare_engine(flow: CallFlow, events: list[tuple[float, CallEvent]]) -> None:
    """The same call without a simulation around it."""
    session = CallSession(flow)
    for at, event in events:
        session.handle(event, at)
    assert len(session.verdicts) == len(flow.standard.rules)


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds for one piece of work, by the clock and of the processor.

    Nothing here waits, so the clock says more only when others want the processor too.
    """

    best: float
    median: float
    processor: float


def timed(work: dict[str, Callable[[], object]], rounds: int, calls: int) -> dict[str, Timing]:
    """Time each piece `rounds` times, taking turns, `calls` pieces at a time."""
    clock: dict[str, list[float]] = {name: [] for name in work}
    processor: dict[str, list[float]] = {name: [] for name in work}
    gc.disable()
    try:
        for _ in range(rounds):
            for name, do in work.items():
                begin, worked = time.perf_counter(), time.process_time()
                for _ in range(calls):
                    do()
                clock[name].append((time.perf_counter() - begin) / calls * 1000)
                processor[name].append((time.process_time() - worked) / calls * 1000)
                gc.collect()
    finally:
        gc.enable()
    return {
        name: Timing(min(times), statistics.median(times), statistics.median(processor[name]))
        for name, times in clock.items()
    }


def measure(rounds: int, calls: int) -> dict[str, object]:
    """Every figure."""
    flow = hotline()
    call = place_call(flow, USUAL_TIME)
    call.run_out()
    events = [(happening.at, happening.event) for happening in call.record]
    session = call.session

    def phases() -> None:
        phase = CallPhase()
        phase.take("answer")
        phase.take("end")

    def machine() -> None:
        lifecycle = CallLifecycle()
        lifecycle.answer()
        lifecycle.end()

    timings = timed(
        {
            "call": lambda: silent_call(flow),
            "bare engine": lambda: bare_engine(flow, events),
            "phases": phases,
            "machine": machine,
            "verdicts": lambda: session.verdicts,
            "transcript": lambda: whole_transcript(call),
        },
        rounds,
        calls,
    )
    seconds = call.now
    return {
        "call_seconds": seconds,
        "events": len(events),
        "trace_lines": len(session.trace),
        "rules": len(session.verdicts),
        "milliseconds": {
            name: {"median": round(t.median, 4), "best": round(t.best, 4), "processor": round(t.processor, 4)}
            for name, t in timings.items()
        },
        "times_real_time": {
            "best": round(seconds * 1000 / timings["call"].best),
            "median": round(seconds * 1000 / timings["call"].median),
            "processor": round(seconds * 1000 / timings["call"].processor),
        },
        "goal": GOAL,
    }


def show(figures: dict[str, object]) -> None:
    """Print the figures for people."""
    times, parts = figures["times_real_time"], figures["milliseconds"]
    assert isinstance(times, dict)
    assert isinstance(parts, dict)
    print(
        f"silent-caller call: {figures['call_seconds']:.2f} s, {figures['events']} events, "
        f"{figures['trace_lines']} trace lines, {figures['rules']} verdicts"
    )
    print(
        f"{times['median']:,} times real time (best round {times['best']:,}, by processor time {times['processor']:,}; "
        f"goal {GOAL:,})"
    )
    print("milliseconds          median    best  processor")
    about = {
        "call": "simulated call, verdicts included",
        "bare engine": "of it the engine alone, same events",
        "phases": "of it the phases (create, answer, end)",
        "machine": "the same walked by a python-statemachine object per call (not done)",
        "verdicts": "of it the verdicts",
        "transcript": "the transcript, not part of it",
    }
    for name, part in parts.items():
        print(f"  {name:18} {part['median']:7.3f} {part['best']:7.3f}    {part['processor']:7.3f}   {about[name]}")


def profile(calls: int) -> None:
    """Where the time goes, function by function."""
    flow = hotline()
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(calls):
        silent_call(flow)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--calls", type=int, default=100, help="calls per round")
    parser.add_argument("--profile", action="store_true", help="where the time goes, instead of how much it is")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    options = parser.parse_args()
    if options.profile:
        profile(options.calls)
        return
    figures = measure(options.rounds, options.calls)
    if options.format == "json":
        print(json.dumps(figures))
    else:
        show(figures)


if __name__ == "__main__":
    main()
