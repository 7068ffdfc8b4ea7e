"""Counts and reports by hand."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from small_flows import flow, say

from ivrflow.flow.model import KeyFigure, Rule, RuleRung, Standard
from ivrflow.flow.problems import Location
from ivrflow.report.period import Period
from ivrflow.report.summary import Report, work_out
from ivrflow.runtime.journal_counts import Counted, CountedCall, CountedPromise

ZONE = ZoneInfo("Asia/Shanghai")
WHERE = Location("callflows/standards/jiangnan.yaml", 1, 1)
NOVEMBER = Period(datetime(2026, 11, 1, tzinfo=ZONE), datetime(2026, 12, 1, tzinfo=ZONE))
NOW = datetime(2026, 12, 3, 9, 0, tzinfo=ZONE)
MADE = datetime(2026, 11, 10, 9, 0, tzinfo=ZONE).timestamp()
DUE = MADE + 86_400

FIGURES = {
    "system_connect_rate": ">= 85%",
    "agent_answer_rate": ">= 85%",
    "enquiry_reply_rate": "100%",
    "enquiry_reply_on_time_rate": "100%",
    "complaint_reply_on_time_rate": "100%",
    "repeat_complaint_rate": "<= 1%",
    "enquiry_satisfaction": ">= 90%",
    "cross_province_complaint_satisfaction": ">= 85%",
    "key_account_complaint_satisfaction": ">= 95%",
}


def rule(name: str) -> Rule:
    return Rule(f"jiangnan/{name}", name, "", (RuleRung(WHERE, say="x"),), "continue", {}, "", WHERE)


JIANGNAN = Standard(
    "jiangnan",
    "江南",
    "",
    WHERE,
    {},
    {name: rule(name) for name in ("closing", "silent_call", "praise")},
    key_figures=tuple(
        KeyFigure(name, f"{name} 率", "(a / b) * 100%", target, WHERE) for name, target in FIGURES.items()
    ),
)


def promise(name: str, **changes: object) -> CountedPromise:
    made = CountedPromise(
        id=f"{name}/1",
        matter=f"{name}/1",
        call=name,
        flow="jiangnan",
        rule="jiangnan/later",
        about="enquiry",
        owed_by="agent",
        due_at=DUE,
        kept_at=DUE - 60,
        satisfied=None,
        dropped_at=None,
    )
    return made._replace(**changes)  # type: ignore[arg-type]  # the fields of a promise


def some_calls() -> Counted:
    """Three incoming calls, one placed."""
    calls = [
        CountedCall(MADE, "in", 60.0, 0.02, 4.0),
        CountedCall(MADE + 3600, "in", 90.0, 0.03, None),
        CountedCall(MADE + 86_400, "in", 5.0, None, None),
        CountedCall(MADE + 86_400, "out", 30.0, 8.0, None),
    ]
    return Counted(
        calls=calls,
        ended={"jiangnan": 3, "gone": 1},
        unfinished=1,
        outcomes={("in", "caller_hung_up"): 2, ("in", "nobody_spoke"): 1, ("out", "done"): 1},
        hung_up={("in", "caller"): 2, ("in", ""): 1, ("out", "ivrflow"): 1},
        answered=2,
        asked_for_agent=2,
        agent_answered=1,
        without_agent=["b"],
        judged={
            ("jiangnan", "jiangnan/closing", "kept"): 2,
            ("jiangnan", "jiangnan/silent_call", "broken"): 1,
            ("gone", "old/closing", "kept"): 1,
        },
        broken={"jiangnan/silent_call": ["b"]},
        promises=[
            promise("a"),
            promise("b", kept_at=None),
            promise("c", kept_at=DUE + 60, about="complaint", satisfied=1),
        ],
        tags={"c": frozenset({"key_account"})},
    )


def report(counted: Counted | None = None, *, dialled: int | None = None) -> Report:
    hotline = replace(flow(say("hello", "hello")), id="jiangnan", standard=JIANGNAN)
    return work_out(
        some_calls() if counted is None else counted,
        period=NOVEMBER,
        scope="all flows",
        now=NOW,
        flows={"jiangnan": hotline},
        standards=[JIANGNAN],
        measures=[JIANGNAN],
        dialled=dialled,
    )
