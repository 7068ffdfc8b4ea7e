"""What the journal costs: the room a silent call takes, the time handing a line over takes, and how many lines a second it stores.

The call is the silent caller's on 12345, played once by the simulator; its real lines are then stored over and over.
`synchronous=NORMAL` is measured for comparison only: what a commit that reaches the disk costs.

    python -m bench.journal [--calls 2000] [--format json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import event

from ivrflow.flow.model import CallFlow
from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex
from ivrflow.runtime.journal import Journal
from ivrflow.runtime.journal_reader import JournalReader
from ivrflow.runtime.journal_store import CallKnown, Happened, JournalStore, Row, to_row
from ivrflow.simulator.simulation import Simulation
from tools.places import CHECKOUT

NOON = datetime(2027, 3, 10, 4, 0, tzinfo=UTC).timestamp()
"""Noon at the hotline, which is open then."""

LIVE_CALLS = 1000
"""For the load at which a serving engine is looked at."""


def silent_call() -> tuple[CallFlow, Simulation]:
    """The silent caller's call on 12345."""
    catalogue = PromptIndex.load(CHECKOUT / "prompts").catalogue()
    flow = load_flows([CHECKOUT / "callflows" / "gov12345.yaml"], catalogue)["gov12345"]
    call = Simulation(flow, arrived_at=NOON)
    call.run_out()
    return flow, call


def put_call(journal: Journal, number: int, flow: CallFlow, call: Simulation) -> None:
    """Hand the whole call over, as the call loop does."""
    record = journal.call_arrived(f"bench-1800000000.{number}", flow, NOON + number)
    for line in call.record:
        record.handled(line.at, line.event, line.actions)
    session = call.session
    record.over(session.outcome, session.first_to_hang_up, session.trace, session.verdicts)


def stored_per_second(folder: Path, flow: CallFlow, call: Simulation, calls: int, synchronous: str) -> dict[str, float]:
    """Store so many calls as fast as it goes; how many lines a second, and how many bytes a call took."""
    file = folder / f"{synchronous}.sqlite"
    journal = Journal(f"sqlite:///{file}", room=10**9)
    journal.open()
    engine = journal._store._engine  # noqa: SLF001 - the comparison needs a setting the product does not offer
    if engine is None:
        raise AssertionError("an open journal has an engine")
    event.listen(engine, "connect", lambda connection, _: connection.execute(f"PRAGMA synchronous={synchronous}"))
    put_call(journal, 0, flow, call)
    began = time.perf_counter()
    for number in range(1, calls + 1):
        put_call(journal, number, flow, call)
    handed_over = time.perf_counter() - began
    journal.close(timeout=600)
    took = time.perf_counter() - began
    if journal.lost:
        raise AssertionError(f"{journal.lost} lines were lost")
    lines = calls * (len(call.record) + 2)
    return {
        "lines_per_s": lines / took,
        "calls_per_s": calls / took,
        "hand_over_us": handed_over / lines * 1e6,
        "bytes_per_call": file.stat().st_size / (calls + 1),
    }


class AgeingStore(JournalStore):
    """Notes how old every line is when its commit returns; the lines' session time is the clock."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.ages: list[float] = []

    def write(self, rows: Sequence[Row]) -> None:
        """Store `rows` and look at the clock."""
        super().write(rows)
        now = time.monotonic()
        self.ages += [now - values["at"] for row in rows for table, values in row.inserts if table.name == "happenings"]


async def under_load(folder: Path, flow: CallFlow, call: Simulation, seconds: float) -> dict[str, float]:
    """A thousand live silent calls' lines, at the pace they come, on an event loop that also keeps timers."""
    journal = Journal(f"sqlite:///{folder}/load.sqlite")
    store = AgeingStore(f"sqlite:///{folder}/load.sqlite")
    journal._store = store  # noqa: SLF001 - the bench looks where the product has nothing to show
    journal.open()
    length = call.record[-1].at
    gap = length / (LIVE_CALLS * len(call.record))
    record = journal.call_arrived("load", flow, NOON)
    late: list[float] = []
    cost: list[float] = []
    loop = asyncio.get_running_loop()
    due = began = loop.time()
    cpu = time.process_time()
    while due - began < seconds:
        due += max(gap, 0.001)
        await asyncio.sleep(due - loop.time())
        late.append(loop.time() - due)
        for line in (call.record * 2)[: max(1, round(0.001 / gap))]:
            before = time.perf_counter()
            record.handled(time.monotonic(), line.event, line.actions)
            cost.append(time.perf_counter() - before)
    used = time.process_time() - cpu
    journal.close()
    cost.sort()
    late.sort()
    ages = sorted(store.ages)
    return {
        "live_calls": LIVE_CALLS,
        "lines_per_s": len(cost) / seconds,
        "hand_over_p50_us": statistics.median(cost) * 1e6,
        "hand_over_p99_9_us": cost[int(len(cost) * 0.999)] * 1e6,
        "timer_late_p99_9_ms": late[int(len(late) * 0.999)] * 1e3,
        "commit_age_p50_ms": statistics.median(ages) * 1e3,
        "commit_age_max_ms": ages[-1] * 1e3,
        "cpu_cores": used / seconds,
        "lost": journal.lost,
    }


def reading(file: Path) -> dict[str, float]:
    """How long `ivrflow calls` and `ivrflow trace` wait for the database, in milliseconds."""
    reader = JournalReader(f"sqlite:///{file}")
    reader.calls()
    began = time.perf_counter()
    reader.calls()
    listed = time.perf_counter()
    reader.call("last")
    read = time.perf_counter()
    reader.calls(only_broken=True)
    searched = time.perf_counter()
    return {
        "list_ms": (listed - began) * 1e3,
        "one_call_ms": (read - listed) * 1e3,
        "list_broken_ms": (searched - read) * 1e3,
    }


def room_of(flow: CallFlow, call: Simulation) -> dict[str, float]:
    """What one call is made of, in bytes before SQLite's own share."""
    known = CallKnown("bench-1800000000.0", flow, NOON)
    lines = [
        to_row(Happened(known, number, line.at, line.event, line.actions)).inserts[0][1]
        for number, line in enumerate(call.record, 1)
    ]
    return {
        "events": len(call.record),
        "events_and_actions_bytes": sum(len(line["event"]) + len(line["actions"]) for line in lines),
        "trace_lines": len(call.session.trace),
        "verdicts": len(call.session.verdicts),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    options = parser.parse_args()
    flow, call = silent_call()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        room = room_of(flow, call)
        full = stored_per_second(folder, flow, call, options.calls, "FULL")
        normal = stored_per_second(folder, flow, call, options.calls, "NORMAL")
        read = reading(folder / "FULL.sqlite")
        load = asyncio.run(under_load(folder, flow, call, options.seconds))
    if options.format == "json":
        print(json.dumps({"room": room, "full": full, "normal": normal, "reading": read, "load": load}))
        return
    print(
        f"journal, silent call on 12345: {room['events']:.0f} events, {room['trace_lines']:.0f} trace lines, "
        f"{room['verdicts']:.0f} verdicts: {full['bytes_per_call']:.0f} bytes in the file"
    )
    print(
        f"  at full speed: {full['lines_per_s']:.0f} lines/s ({full['calls_per_s']:.0f} calls/s); "
        f"without waiting for the disk {normal['lines_per_s'] / full['lines_per_s']:.2f} times that"
    )
    print(
        f"  {load['live_calls']:.0f} live calls, {load['lines_per_s']:.0f} lines/s: handing one over p50 "
        f"{load['hand_over_p50_us']:.1f} us, p99.9 {load['hand_over_p99_9_us']:.0f} us; a line is safe after "
        f"{load['commit_age_p50_ms']:.0f} ms, at most {load['commit_age_max_ms']:.0f} ms; "
        f"{load['cpu_cores'] * 100:.0f} % of one core, {load['lost']:.0f} lost"
    )
    print(
        f"  reading among {options.calls} calls: list {read['list_ms']:.1f} ms, one call {read['one_call_ms']:.1f} ms, "
        f"the broken ones {read['list_broken_ms']:.1f} ms"
    )


if __name__ == "__main__":
    main()
