"""A run's results on stdout: in words for people, as one JSON object for programs.

Keys that were pressed stand in neither, unless they are asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from ivrflow.scenario.observation import Act, ClockPair, Finding, Heard, PhoneSide, Result
from ivrflow.scenario.report.run_summary import RunSummary
from ivrflow.scenario.report.words import tell
from ivrflow.scenario.script import Stage

STAGE_NAMES: dict[Stage, str] = {"pbx": "the PBX", "simulator": "the simulator"}


# ── for people ────────────────────────────────────────────────────────────────────────────────────────────────────────


def in_words(results: Sequence[Result], summary: RunSummary, *, stopped: bool = False) -> Iterator[str]:
    """What failed, what was left out, what is only worth a word, and at the end the counts.

    What could not be looked at was said when that was known.

    Args:
        results: of the whole run.
        summary: of the same.
        stopped: whether it was stopped before its end.
    """
    for result in results:
        told = [] if result.skipped else tell(result)
        if told:
            again = f", played {result.tries} times: this machine stood still" if result.tries > 1 else ""
            head = f"{result.word.upper() if result.word == 'failed' else result.word}"
            yield f"{head}  {result.scenario.title} (on {STAGE_NAMES[result.stage]}{again})"
            yield from (f"    {line}" for line in told)
            yield ""
    for reason, count in Counter(result.trouble for result in results if result.skipped).items():
        yield f"not run: {count} × {reason}"
    yield from (f"FAILED  left behind: {leak}" for leak in summary.left_behind)
    yield counted(results, summary) + ("; stopped before the end" if stopped else "")


def counted(results: Sequence[Result], summary: RunSummary) -> str:
    """How it went in a line: "80 passed on the simulator; 78 passed, 2 failed on the PBX; 93.2 s"."""
    parts = []
    for stage in dict.fromkeys(result.stage for result in results):
        counts = Counter(result.word for result in results if result.stage == stage)
        told = [f"{counts[word]} {word}" for word in ("passed", "failed", "not run") if counts[word]]
        parts.append(f"{', '.join(told)} on {STAGE_NAMES[stage]}")
    return "; ".join([*(parts or ["nothing was played"]), f"{summary.took:.1f} s"])


# ── for programs ──────────────────────────────────────────────────────────────────────────────────────────────────────


def as_json(
    results: Sequence[Result], summary: RunSummary, *, stopped: bool = False, show_personal: bool = False
) -> bytes:
    """Everything about a run as one JSON object; times are seconds since the caller's call was answered."""
    counts = Counter(result.word for result in results)
    data = {
        "began": summary.began.isoformat(timespec="seconds"),
        "took": round(summary.took, 3),
        "stopped": stopped,
        "stages": summary.stages,
        "called": summary.called,
        "version": summary.version,
        "passed": counts["passed"],
        "failed": counts["failed"],
        "not_run": counts["not run"],
        "left_behind": summary.left_behind,
        "remarks": summary.remarks,
        "results": [_result(result, show_personal=show_personal) for result in results],
    }
    return msgspec.json.format(msgspec.json.encode(data), indent=2)


def _result(result: Result, *, show_personal: bool) -> dict[str, object]:
    scenario, observation = result.scenario, result.observation
    engine = observation.engine if observation else None
    return {
        "file": scenario.file,
        "line": scenario.where.line,
        "title": scenario.title,
        "proves": scenario.proves,
        "stage": result.stage,
        "result": result.word,
        "took": round(result.took, 3),
        "tries": result.tries,
        "trouble": result.trouble,
        "findings": [_finding(finding) for finding in result.findings],
        "waits": [_wait(pair) for pair in result.clocks],
        "caller": observation and _phone(observation.caller, show_personal=show_personal),
        "agents": observation
        and {name: _phone(phone, show_personal=show_personal) for name, phone in observation.agents.items()},
        "engine": engine
        and {
            "call": engine.call,
            "outcome": engine.outcome,
            "hung_up_first": engine.hung_up_first,
            "verdicts": {verdict.rule: verdict.judgement for verdict in engine.verdicts},
        },
        "stood_still": [[round(at, 3), round(seconds, 3)] for at, seconds in observation.stalls] if observation else [],
    }


def _finding(finding: Finding) -> dict[str, object]:
    where = finding.where
    return {
        "kind": finding.kind,
        "file": where.file,
        "line": where.line,
        "column": where.column,
        "expected": finding.expected,
        "observed": finding.observed,
        "at": _second(finding.at),
        "fails": finding.fails,
    }


def _wait(pair: ClockPair) -> dict[str, object]:
    return {
        "rule": pair.rule,
        "rung": pair.rung,
        "allowed": [pair.least, pair.most],
        "wire": _second(pair.wire),
        "engine": _second(pair.engine),
        "apart": _second(pair.apart),
    }


def _phone(phone: PhoneSide, *, show_personal: bool) -> dict[str, object]:
    return {
        "rang_at": _second(phone.rang_at),
        "answered_at": _second(phone.answered_at),
        "ended_at": _second(phone.ended_at),
        "ended_by": phone.ended_by,
        "heard": [_heard(heard) for heard in phone.heard],
        "did": [_act(act, show_personal=show_personal) for act in phone.acts],
        "trouble": phone.trouble,
        "audio": str(phone.audio) if phone.audio else None,
    }


def _heard(heard: Heard) -> dict[str, object]:
    return {
        "kind": heard.kind,
        "name": heard.name,
        "start": _second(heard.start),
        "end": _second(heard.end),
        "completeness": round(heard.completeness, 4),
        "text": heard.text,
    }


def _act(act: Act, *, show_personal: bool) -> dict[str, object]:
    data: dict[str, object] = {"what": act.what, "start": _second(act.start), "end": _second(act.end)}
    return {**data, "keys": act.keys} if show_personal and act.keys else data


def _second(at: float | None) -> float | None:
    return None if at is None else round(at, 3)
