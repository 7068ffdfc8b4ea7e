"""A report, worked out: everything that is shown, whoever it is shown to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ivrflow.engine.trace import Judgement
from ivrflow.flow.model import CallFlow, Standard
from ivrflow.report.agents import ANSWER_WITHIN_S, QueueCount, Share, queues, shares
from ivrflow.report.callbacks import CallbackCount, callbacks_of
from ivrflow.report.key_figures import Evidence, Result, key_figures
from ivrflow.report.matters import is_late, matters_of
from ivrflow.report.period import Period
from ivrflow.report.surveys import SurveyCount, surveys_of
from ivrflow.runtime.journal_counts import Counted, CountedPromise

MOST_DAYS_SHOWN = 400
"""A longer time is not told day by day."""


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often a rule was kept, broken, or did not apply.

    Attributes:
        rule: its id.
        not_applicable: None when no flow of today follows its standard, so nobody can say on how many calls it was judged.
        misses: ids of the calls on which it was broken, by arrival.
    """

    rule: str
    kept: int
    broken: int
    not_applicable: int | None
    misses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PromiseCount:
    """What has become of the promises of one rule; `misses` are the calls behind those late and broken."""

    rule: str
    owed_by: str
    made: int
    kept: int
    kept_late: int
    broken: int
    open: int
    dropped: int
    misses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds, sorted; what is said of them."""

    name: str
    values: tuple[float, ...]

    def at(self, share: float) -> float:
        """The value that `share` of them do not exceed (nearest rank); not a number without values."""
        if not self.values:
            return math.nan
        return self.values[max(0, math.ceil(share * len(self.values)) - 1)]

    @property
    def average(self) -> float:
        """The average; not a number without values."""
        return math.fsum(self.values) / len(self.values) if self.values else math.nan


@dataclass(frozen=True, slots=True)
class Report:
    """Everything about a stretch of time.

    Attributes:
        period: by the flows' clock.
        scope: which flows, in words.
        made_at: the moment the promises are looked at.
        calls: incoming and placed calls that are over.
        incoming, placed: the same apart.
        unfinished: calls without a stored ending.
        flows: how many calls each flow took.
        figures: key figures, standard by standard.
        rules: in the standards' order; only rules of standards that a flow in scope follows, or that were judged.
        promises: per rule.
        outcomes: per direction ("in", "out") and outcome, the most frequent first.
        hung_up: per direction and who hung up first ("nobody" for none).
        spreads: lengths and waiting times.
        hours: calls per hour of the day, 24 numbers.
        days: calls per day; empty when the time is too long to be told day by day.
        service: how soon agents answered, and who gave up waiting; empty when nobody asked for an agent.
        queues: queue by queue.
        surveys: what callers gave.
        callbacks: callers who asked to be called back.
        remarks: what a reader has to know, a sentence each.
    """

    period: Period
    scope: str
    made_at: datetime
    calls: int
    incoming: int
    placed: int
    unfinished: int
    flows: Mapping[str, int]
    figures: tuple[Result, ...]
    rules: tuple[RuleCount, ...]
    promises: tuple[PromiseCount, ...]
    outcomes: tuple[tuple[str, str, int], ...]
    hung_up: tuple[tuple[str, str, int], ...]
    spreads: tuple[Spread, ...]
    hours: tuple[int, ...]
    days: tuple[tuple[str, int], ...]
    service: tuple[Share, ...]
    queues: tuple[QueueCount, ...]
    surveys: tuple[SurveyCount, ...]
    callbacks: CallbackCount
    remarks: tuple[str, ...] = ()

    @property
    def missed(self) -> bool:
        """Whether a target was missed."""
        return any(figure.reached == "missed" for figure in self.figures)


def work_out(
    counted: Counted,
    *,
    period: Period,
    scope: str,
    now: datetime,
    flows: Mapping[str, CallFlow],
    standards: Sequence[Standard],
    measures: Sequence[Standard],
    dialled: int | None = None,
    answer_within: float = ANSWER_WITHIN_S,
) -> Report:
    """Work a report out.

    Args:
        counted: by the database.
        period: what was counted.
        scope: which flows, in words.
        now: the moment at which promises are looked at.
        flows: those of today, by id.
        standards: whose rules are told.
        measures: whose key figures are computed, over all calls counted.
        dialled: how often the hotline was dialled, as the carrier says.
        answer_within: seconds within which an agent's answer counts as soon enough.
    """
    moment = now.timestamp()
    matters = matters_of(counted.promises, counted.tags, moment)
    evidence = Evidence(
        counted,
        [matter for matter in matters if not matter.is_dropped],
        Counter(matter.about for matter in matters if matter.is_dropped),
        dialled,
    )
    incoming = [call for call in counted.calls if call.direction == "in"]
    placed = [call for call in counted.calls if call.direction == "out"]
    local = [datetime.fromtimestamp(call.arrived_at, period.since.tzinfo) for call in counted.calls]
    hours = Counter(moment.hour for moment in local)
    legs = counted.legs
    return Report(
        period=period,
        scope=scope,
        made_at=now,
        calls=len(counted.calls),
        incoming=len(incoming),
        placed=len(placed),
        unfinished=counted.unfinished,
        flows=dict(sorted(counted.ended.items())),
        figures=tuple(result for standard in measures for result in key_figures(standard, evidence)),
        rules=tuple(_rules(counted, flows, standards)),
        promises=tuple(_promises(counted.promises, moment)),
        outcomes=_by_number(counted.outcomes),
        hung_up=_by_number({(way, who or "nobody"): number for (way, who), number in counted.hung_up.items()}),
        spreads=(
            _spread("length of incoming calls", (call.lasted for call in incoming)),
            _spread("length of placed calls", (call.lasted for call in placed)),
            _spread("until the line was open", (call.answered_after for call in incoming)),
            _spread("until an agent answered", (call.agent_after for call in incoming)),
            _spread("until a caller gave up waiting", (leg.waited for leg in legs if leg.ending == "abandoned")),
            _spread("ringing of an agent's telephone", (leg.rang for leg in legs)),
            _spread("talk with an agent", (leg.talked for leg in legs if leg.ending == "answered")),
            _spread("on hold during a talk", (leg.held for leg in legs if leg.held)),
            _spread("until somebody picked up", (call.answered_after for call in placed)),
        ),
        hours=tuple(hours[hour] for hour in range(24)),
        days=tuple(_days(period, local)),
        service=shares(counted, answer_within),
        queues=queues(legs, answer_within),
        surveys=surveys_of(counted.scores),
        callbacks=callbacks_of(counted.promises, counted.callback_tries, moment),
        remarks=tuple(_remarks(counted, flows)),
    )


def _rules(counted: Counted, flows: Mapping[str, CallFlow], standards: Sequence[Standard]) -> Iterable[RuleCount]:
    """Every rule of the standards that calls were judged by; then those whose standard no flow of today follows."""
    totals: Counter[tuple[str, str]] = Counter()
    for (_, name, judgement), number in counted.judged.items():
        totals[name, judgement] += number
    judged: Counter[str] = Counter()
    for flow, number in counted.ended.items():
        if flow in flows:
            judged[flows[flow].standard.id] += number
    named = {rule for rule, _ in totals}
    told: set[str] = set()
    for standard in standards:
        if not judged[standard.id] and not any(rule.id in named for rule in standard.rules.values()):
            continue
        for rule in standard.rules.values():
            told.add(rule.id)
            kept, broken = totals[rule.id, Judgement.KEPT.value], totals[rule.id, Judgement.BROKEN.value]
            rest = max(0, judged[standard.id] - kept - broken) if judged[standard.id] else None
            yield RuleCount(rule.id, kept, broken, rest, tuple(counted.broken.get(rule.id, ())))
    for name in sorted(named - told):
        kept, broken = totals[name, Judgement.KEPT.value], totals[name, Judgement.BROKEN.value]
        yield RuleCount(name, kept, broken, None, tuple(counted.broken.get(name, ())))


def _promises(found: Sequence[CountedPromise], now: float) -> Iterable[PromiseCount]:
    by_rule: dict[tuple[str, str], list[CountedPromise]] = {}
    for promise in found:
        by_rule.setdefault((promise.rule, promise.owed_by), []).append(promise)
    for (rule, owed_by), promises in sorted(by_rule.items()):
        kept = [one for one in promises if one.kept_at is not None]
        still_open = [one for one in promises if one.kept_at is None and one.dropped_at is None]
        late = [one for one in promises if is_late(one, now)]
        kept_late = sum(one.kept_at is not None for one in late)
        yield PromiseCount(
            rule,
            owed_by,
            made=len(promises),
            kept=len(kept) - kept_late,
            kept_late=kept_late,
            broken=len(late) - kept_late,
            open=len(still_open) - (len(late) - kept_late),
            dropped=sum(one.dropped_at is not None for one in promises),
            misses=tuple(dict.fromkeys(one.call for one in late)),
        )


def _by_number(counts: Mapping[tuple[str, str], int]) -> tuple[tuple[str, str, int], ...]:
    order = sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))
    return tuple((way, name, number) for (way, name), number in order)


def _spread(name: str, values: Iterable[float | None]) -> Spread:
    return Spread(name, tuple(sorted(value for value in values if value is not None)))


def _days(period: Period, local: Sequence[datetime]) -> Iterable[tuple[str, int]]:
    first, last = period.since.date(), (period.until - timedelta(microseconds=1)).date()
    count = (last - first).days + 1
    if count > MOST_DAYS_SHOWN:
        return
    numbers = Counter(moment.date() for moment in local)
    for offset in range(count):
        day = first + timedelta(days=offset)
        yield day.isoformat(), numbers[day]


def _remarks(counted: Counted, flows: Mapping[str, CallFlow]) -> Iterable[str]:
    if counted.unfinished:
        yield (
            f"{counted.unfinished} calls have no stored ending and are not counted: they are live, or the engine stopped "
            "under them"
        )
    strangers = sorted(set(counted.ended) - set(flows))
    if strangers:
        yield (
            f"no flow is called {', '.join(strangers)} any more: of its calls nobody can say which rules did not apply"
        )
