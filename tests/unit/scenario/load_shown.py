"""What a load could have told, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from made_results import a_scenario

from ivrflow.engine.trace import Fact, Judgement, TraceLine, Verdict, WaitSeen
from ivrflow.runtime.journal_reader import StoredEnding
from ivrflow.scenario.load.load_figures import LoadFigures, figures
from ivrflow.scenario.load.load_records import CallerSide, MachineSample, ProcessSample
from ivrflow.scenario.script import Scenario

SILENT = "gov12345/silent_call"
BEGAN_AT = 1_790_000_000.0


def a_side(**changed: Any) -> CallerSide:
    """Ten calls without a fault."""
    side = CallerSide(
        kind="own",
        planned=10,
        rate=5.0,
        most=4,
        placed=10,
        answered=10,
        well=10,
        failed=0,
        cut=0,
        faults={},
        statuses={},
        setups=[0.003] * 10,
        live=[(0.0, 1), (1.0, 4), (3.0, 0)],
        began_at=BEGAN_AT,
        placing=1.8,
        took=3.0,
    )
    return replace(side, **changed)


def an_ending(
    *observed: float,
    at: float = 0.0,
    call: str = "pbx-1.1",
    judgement: Judgement = Judgement.KEPT,
    outcome: str | None = "hung_up",
    band: tuple[float, float] = (3.0, 3.0),
) -> StoredEnding:
    """A call `at` seconds after the load began, with a wait of each of these lengths, each after ten seconds more."""
    lines: list[TraceLine] = []
    for rung, seconds in enumerate(observed, start=1):
        begins = 10.0 * rung
        lines.append(TraceLine(begins, Fact.WAIT_BEGUN, rule=SILENT, rung=rung))
        lines.append(TraceLine(begins + seconds, Fact.WAIT_USED_UP, rule=SILENT, rung=rung))
    waits = tuple(WaitSeen(*band, seconds, rung) for rung, seconds in enumerate(observed, start=1))
    verdict = Verdict(SILENT, judgement, "wait", "waited", waits, tuple(range(len(lines))))
    return StoredEnding(call, BEGAN_AT + at, outcome, "ivrflow", tuple(lines), (verdict,))


def a_sample(at: float, **changed: Any) -> MachineSample:
    """One second in which nothing much happened."""
    process = ProcessSample(10.0, 50 * 1024 * 1024)
    sample = MachineSample(at, 4, process, process, process, 0.002, others=1.0, stolen=0.0)
    return replace(sample, **changed)


def shown(
    side: CallerSide | None = None,
    endings: Sequence[StoredEnding] | None = (),
    samples: Sequence[MachineSample] = (),
    scenario: Scenario | None = None,
) -> LoadFigures:
    """The figures of these; by default of ten calls that kept their rule to the millisecond."""
    if endings == ():
        endings = [an_ending(3.0, at=float(number), call=f"pbx-1.{number}") for number in range(10)]
    return figures(
        scenario or a_scenario("a silent caller"),
        side or a_side(),
        endings,
        samples or [a_sample(1.0), a_sample(2.0)],
    )
