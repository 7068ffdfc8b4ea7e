"""How long a report takes: a journal with many calls is made, then counted as `ivrflow report` does it.

The calls are made up, but stored as the engine stores them: one real call's trace and verdicts, several judgements each, a
promise on every tenth. Told is the time to count them, to work the report out, and to write its page, at two sizes: the
ratio says whether it grows faster than the calls do.

    python -m bench.report [--calls 100000] [--keep FOLDER] [--format json]
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from bench.journal import silent_call
from ivrflow.flow.model import CallFlow
from ivrflow.report.page import page
from ivrflow.report.period import Period
from ivrflow.report.summary import Report, work_out
from ivrflow.runtime.journal_counts import count
from ivrflow.runtime.journal_layout import prepare
from ivrflow.runtime.journal_store import CallKnown, Over, Row, to_row
from ivrflow.runtime.journal_tables import (
    agent_legs,
    call_figures,
    callback_tries,
    callbacks,
    calls,
    database_url,
    flow_versions,
    judgements,
    promises,
    prompt_catalogues,
    scores,
    tags,
    writing_engine,
)
from ivrflow.simulator.simulation import Simulation

ZONE = ZoneInfo("Asia/Shanghai")
NOVEMBER = Period(datetime(2026, 11, 1, tzinfo=ZONE), datetime(2026, 12, 1, tzinfo=ZONE))
RULES = ("gov12345/greeting_inbound", "gov12345/silent_call", "gov12345/anything_else", "gov12345/closing")
AT_ONCE = 5_000


def made_up(
    flow: CallFlow, call: Simulation, how_many: int, chance: random.Random
) -> Iterator[dict[Any, list[dict[str, Any]]]]:
    """Rows per table, `AT_ONCE` calls at a time."""
    session = call.session
    known = CallKnown("template", flow, 0.0)
    over: Row = to_row(Over(known, len(call.record), "", "", session.trace, session.verdicts))
    seconds = (NOVEMBER.until - NOVEMBER.since).total_seconds()
    busy = [max(0.2, 1.6 - abs(hour - 10.5) / 6) for hour in range(24)]
    for start in range(0, how_many, AT_ONCE):
        rows: dict[Any, list[dict[str, Any]]] = {
            table: []
            for table in (
                calls,
                call_figures,
                agent_legs,
                scores,
                judgements,
                promises,
                callbacks,
                callback_tries,
                tags,
            )
        }
        for number in range(start, min(start + AT_ONCE, how_many)):
            day = int(chance.random() * seconds // 86_400)
            hour = chance.choices(range(24), busy)[0]
            at = NOVEMBER.since.timestamp() + day * 86_400 + hour * 3600 + chance.random() * 3600
            _add(rows, f"bench-{number}.0", at, over.ending, chance)
        yield rows


def _add(
    rows: dict[Any, list[dict[str, Any]]], name: str, at: float, ending: dict[str, Any], chance: random.Random
) -> None:
    wants_agent = chance.random() < 0.6
    is_answered = wants_agent and chance.random() < 0.9
    ended_by = chance.choices(("caller", "agent", "ivrflow"), (70, 5, 25))[0]
    outcome = {"caller": "caller_hung_up", "agent": "closed_by_ivrflow", "ivrflow": "nobody_spoke"}[ended_by]
    figures = {
        "call": name,
        "flow": "gov12345",
        "arrived_at": at,
        "direction": "in",
        "outcome": outcome,
        "ended_by": ended_by,
        "lasted": chance.lognormvariate(4.2, 0.7),
        "answered_after": 0.01 + chance.random() * 0.03,
        "agents_rung": int(wants_agent),
        "agents_answered": int(is_answered),
        "agent_after": chance.lognormvariate(1.6, 0.5) if is_answered else None,
    }
    rows[call_figures].append(figures)
    if wants_agent:
        _add_agent(rows, figures, chance)
    call = {"call": name, "flow": "gov12345", "arrived_at": at, "flow_version": "bench", "prompt_catalogue": "bench"}
    rows[calls].append({**call, **ending, "outcome": outcome, "ended_by": ended_by})
    for rule in RULES[: chance.randint(1, len(RULES))]:
        judgement = "broken" if chance.random() < 0.002 else "kept"
        rows[judgements].append({"call": name, "rule": rule, "judgement": judgement})
    if chance.random() < 0.1:
        rows[promises].append(_promise(name, at, chance))
        if rows[promises][-1]["about"] == "complaint" and chance.random() < 0.5:
            tag = chance.choices(("first", "repeat", "key_account", "cross_province"), (90, 1, 20, 20))[0]
            rows[tags].append({"subject": f"{name}/1", "tag": tag, "call": name})


def _add_agent(rows: dict[Any, list[dict[str, Any]]], figures: dict[str, Any], chance: random.Random) -> None:
    """The wait, the talk, and a score at its end; or a wish to be called back."""
    name, waited = figures["call"], figures["agent_after"]
    leg = {
        "call": name,
        "number": 1,
        "queue": chance.choices(("office", "seniors", "night"), (80, 15, 5))[0],
        "extension": "",
        "agent": "" if waited is None else str(chance.randint(1001, 1040)),
        "sought_after": 8.0,
        "waited": chance.lognormvariate(3.5, 0.6) if waited is None else waited,
        "ending": "answered" if waited is not None else chance.choice(("abandoned", "no_answer")),
        "rang": None if waited is None else min(waited, chance.lognormvariate(1.6, 0.5)),
        "talked": 0.0 if waited is None else chance.lognormvariate(4.8, 0.7),
        "held": chance.lognormvariate(3.0, 0.8) if waited is not None and chance.random() < 0.2 else 0.0,
        "transfers": int(waited is not None and chance.random() < 0.06),
        "ended_by": "" if waited is None else "caller",
    }
    rows[agent_legs].append(leg)
    if waited is not None and chance.random() < 0.3:
        score = chance.choices(range(1, 6), (2, 2, 6, 25, 65))[0]
        rows[scores].append({"call": name, "survey": "service", "score": score, "most": 5, "noted_at": 0.0})
    if leg["ending"] == "no_answer":
        _add_callback(rows, figures, chance)


def _add_callback(rows: dict[Any, list[dict[str, Any]]], figures: dict[str, Any], chance: random.Random) -> None:
    name, at = f"{figures['call']}/callback-1", figures["arrived_at"]
    outcomes = ["no_answer"] * chance.choices(range(4), (70, 20, 6, 4))[0]
    outcomes = outcomes if len(outcomes) == 3 else [*outcomes, "answered"]
    is_kept, ended = outcomes[-1] == "answered", at + 900 * len(outcomes)
    same = {"id": name, "call": figures["call"], "made_at": at, "due_at": at + 7200}
    rows[callbacks].append(
        {
            **same,
            "flow": "gov12345_callback",
            "caller": "1",
            "called_values": "{}",
            "tries": 3,
            "retry_after": 900.0,
            "state": "kept" if is_kept else "given_up",
            "settled_at": ended,
            "why": "",
        }
    )
    rows[callback_tries] += [
        {
            "callback": name,
            "number": number,
            "call": f"out-{name}-{number}",
            "placed_at": at + 900 * number,
            "rings_until": at + 900 * number + 45,
            "outcome": one,
        }
        for number, one in enumerate(outcomes, 1)
    ]
    blank = {"counted": "2 h", "repeats_h": 0.0, "then_h": 0.0, "then_owed_by": "", "satisfied": None}
    settled = {"kept_at": ended if is_kept else None, "kept_by": "ivrflow" if is_kept else None}
    told = {"matter": name, "flow": "gov12345", "rule": "callback", "about": "callback", "owed_by": "ivrflow"}
    rows[promises].append({**same, **told, **blank, **settled, "failed_at": None if is_kept else ended})


def _promise(name: str, at: float, chance: random.Random) -> dict[str, Any]:
    about = chance.choices(("enquiry", "complaint"), (8, 2))[0]
    took = chance.expovariate(1 / (7 * 3600))
    is_kept = chance.random() < 0.98
    return {
        "id": f"{name}/1",
        "matter": f"{name}/1",
        "call": name,
        "flow": "gov12345",
        "rule": "gov12345/cannot_answer_now" if about == "enquiry" else "gov12345/supervisor_request",
        "about": about,
        "owed_by": "agent" if about == "enquiry" else "manager",
        "made_at": at,
        "due_at": at + 24 * 3600,
        "counted": "24 h",
        "repeats_h": 0.0,
        "then_h": 0.0,
        "then_owed_by": "",
        "kept_at": at + took if is_kept else None,
        "kept_by": "bench" if is_kept else None,
        "satisfied": int(chance.random() < 0.93) if is_kept and chance.random() < 0.4 else None,
        "failed_at": None,
    }


def store(file: Path, flow: CallFlow, call: Simulation, how_many: int) -> None:
    """A journal with so many calls."""
    url = database_url(f"sqlite:///{file}")
    engine = writing_engine(url)
    prepare(engine, url)
    with engine.begin() as connection:
        connection.execute(insert(flow_versions).values(digest="bench", source="{}", phrases="{}"))
        connection.execute(insert(prompt_catalogues).values(digest="bench", prompts="[]"))
        for rows in made_up(flow, call, how_many, random.Random(7)):
            for table, values in rows.items():
                if values:
                    connection.execute(insert(table), values)
    engine.dispose()


def report(file: Path, flow: CallFlow) -> tuple[Report, dict[str, float]]:
    """Count it, and how many seconds each part took."""
    began = _clocks()
    counted = count(f"sqlite:///{file}", since=NOVEMBER.since.timestamp(), until=NOVEMBER.until.timestamp(), flows=None)
    at_counted = _clocks()
    made = work_out(
        counted,
        period=NOVEMBER,
        scope="all flows",
        now=datetime.now(UTC).astimezone(ZONE) + timedelta(days=30),
        flows={flow.id: flow},
        standards=[flow.standard],
        measures=[],
    )
    at_made = _clocks()
    page(made)
    at_written = _clocks()
    spans = {"count": (began, at_counted), "work_out": (at_counted, at_made), "page": (at_made, at_written)}
    spans["whole"] = (began, at_written)
    took: dict[str, float] = {}
    for name, ((wall, processor), (wall_after, processor_after)) in spans.items():
        took[f"{name}_s"] = wall_after - wall
        took[f"{name}_cpu_s"] = processor_after - processor
    return made, took


def _clocks() -> tuple[float, float]:
    """Seconds on the wall, and of processor time, which a busy machine does not falsify."""
    return time.perf_counter(), time.process_time()


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="leave the larger journal in this folder, to look at")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    chosen = parser.parse_args()
    flow, call = silent_call()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for how_many in (chosen.calls // 4, chosen.calls):
            file = (folder if how_many == chosen.calls else Path(temporary)) / f"report-{how_many}.sqlite"
            file.unlink(missing_ok=True)
            store(file, flow, call, how_many)
            made, took = report(file, flow)
            figures[str(how_many)] = {**took, "megabytes": file.stat().st_size / 1e6, "calls": made.calls}
    small, large = (figures[str(how_many)]["whole_cpu_s"] for how_many in (chosen.calls // 4, chosen.calls))
    figures["ratio"] = large / small
    if chosen.format == "json":
        print(json.dumps(figures, indent=2))
        return
    for how_many, took in figures.items():
        if isinstance(took, dict):
            parts = ", ".join(
                f"{name} {took[f'{name}_s']:.2f} s ({took[f'{name}_cpu_s']:.2f} s of processor)"
                for name in ("count", "work_out", "page", "whole")
            )
            print(f"{how_many} calls, {took['megabytes']:.0f} MB: {parts}")
    print(f"four times the calls take {figures['ratio']:.1f} times the processor")


if __name__ == "__main__":
    main()
