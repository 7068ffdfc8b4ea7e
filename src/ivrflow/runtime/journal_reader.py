"""The journal, read side: which calls there were, and everything about one of them.

Reading never disturbs writing: an SQLite journal is read in a snapshot while the engine goes on. Personal data (the
caller's number, keys, values) is masked unless asked for; a replay needs it unmasked.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, exists, func, inspect, select
from sqlalchemy.exc import DBAPIError

from ivrflow.engine.messages import (
    Action,
    AnswerReceived,
    CallArrived,
    CallBegun,
    CallEvent,
    CallOrdered,
    Enquire,
    KeyPressed,
    OrderCallback,
    Play,
    ValuesLearned,
)
from ivrflow.engine.trace import Judgement, TraceLine, Verdict
from ivrflow.flow.model import Prompt, PromptCatalogue
from ivrflow.runtime.journal_tables import (
    callback_tries,
    calls,
    check_layout,
    database_url,
    flow_versions,
    happenings,
    judgements,
    prompt_catalogues,
    reading_engine,
    unusable,
)
from ivrflow.settings import SettingsError

MASK = "•"
"""What stands for personal data, one for each character of a key entry; a number is always `MASK` three times."""


class NoSuchCallError(LookupError):
    """No call, or more than one, is meant; the text says which."""


@dataclass(frozen=True, slots=True)
class CallSummary:
    """One line about a call.

    Attributes:
        call: its id.
        flow: id of the flow it walked.
        arrived_at: Unix time in seconds.
        lasted: seconds from the first thing that happened to the last that is known.
        caller: the number of the person at the other end; masked unless asked for.
        outcome: how it ended, in a word of the flow; None when no ending was stored (it is live, or the engine died).
        ended_by: who hung up first: "caller", "agent", "ivrflow"; "" for nobody; None without an ending.
        kept: ids of the rules kept.
        broken: ids of the rules broken.
        direction: "inbound" when somebody rang us, "outbound" when we rang them; "" when the beginning was lost.
    """

    call: str
    flow: str
    arrived_at: float
    lasted: float
    caller: str
    outcome: str | None
    ended_by: str | None
    kept: tuple[str, ...]
    broken: tuple[str, ...]
    direction: Literal["inbound", "outbound", ""] = ""

    @property
    def is_over(self) -> bool:
        """Whether the call's ending was stored."""
        return self.outcome is not None


@dataclass(frozen=True, slots=True)
class Happening:
    """One event as the session was given it, and its answer. `at` is session time in seconds, to the last bit."""

    number: int
    at: float
    event: CallEvent
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class StoredCall:
    """Everything about one call: enough to read it, and to replay it.

    Attributes:
        source: the flow's files, name to text, as they were when the call arrived.
        prompts: the wordings that existed as audio then.
        phrases: phrase key to text, with `{placeholders}`.
        happenings: in order.
        missing: how many happenings are known to be lost; a replay is exact only when 0.
        trace: empty when the call has no stored ending.
        verdicts: the same.
        calls_back: id of the callback for which the call was placed; empty for any other call.
    """

    summary: CallSummary
    source: Mapping[str, str]
    prompts: PromptCatalogue
    phrases: Mapping[str, str]
    happenings: tuple[Happening, ...]
    missing: int
    trace: tuple[TraceLine, ...]
    verdicts: tuple[Verdict, ...]
    calls_back: str = ""


@dataclass(frozen=True, slots=True)
class StoredEnding:
    """What was stored of a call when it was over: all that a summary of many calls needs.

    Attributes:
        call: its id.
        arrived_at: Unix time in seconds.
        outcome: how it ended, in a word of the flow; None when no ending was stored.
        ended_by: who hung up first; None without an ending.
        trace: empty without an ending; masked unless personal data is shown.
        verdicts: the same.
    """

    call: str
    arrived_at: float
    outcome: str | None
    ended_by: str | None
    trace: tuple[TraceLine, ...]
    verdicts: tuple[Verdict, ...]


class JournalReader:
    """Reads a journal; every method sees one moment of it."""

    def __init__(self, url: str, *, show_personal: bool = False) -> None:
        """Say which journal, and whether personal data is shown.

        Raises:
            SettingsError: `url` is no database URL, or there is no journal there.
        """
        self._url = database_url(url)
        self._engine = reading_engine(self._url)
        self._show_personal = show_personal

    def calls(
        self,
        *,
        since: float | None = None,
        until: float | None = None,
        flow: str | None = None,
        only_broken: bool = False,
        limit: int = 20,
    ) -> list[CallSummary]:
        """The latest calls, newest first.

        Args:
            since: only calls that arrived at this Unix time or later.
            until: only calls that arrived before it.
            flow: only calls of this flow.
            only_broken: only calls with a broken rule.
            limit: at most so many.

        Raises:
            SettingsError: the journal cannot be read.
        """
        wanted = select(calls.c.call).order_by(calls.c.arrived_at.desc(), calls.c.call.desc()).limit(limit)
        if since is not None:
            wanted = wanted.where(calls.c.arrived_at >= since)
        if until is not None:
            wanted = wanted.where(calls.c.arrived_at < until)
        if flow is not None:
            wanted = wanted.where(calls.c.flow == flow)
        if only_broken:
            broken = (judgements.c.call == calls.c.call, judgements.c.judgement == Judgement.BROKEN.value)
            wanted = wanted.where(exists().where(*broken))
        with self._snapshot() as connection:
            return self._summaries(connection, list(connection.scalars(wanted)))

    def call(self, wanted: str) -> StoredCall:
        """One call by its id, by the beginning of its id when only one call has it, or "last" for the latest.

        Raises:
            NoSuchCallError: there is no such call, or more than one.
            SettingsError: the journal cannot be read.
        """
        with self._snapshot() as connection:
            call = self._find(connection, wanted)
            summary = self._summaries(connection, [call])[0]
            row = connection.execute(
                select(
                    calls.c.lines,
                    calls.c.trace,
                    calls.c.verdicts,
                    flow_versions.c.source,
                    flow_versions.c.phrases,
                    prompt_catalogues.c.prompts,
                )
                .join(flow_versions)
                .join(prompt_catalogues)
                .where(calls.c.call == call)
            ).one()
            happened = tuple(
                self._happening(line)
                for line in connection.execute(
                    select(happenings).where(happenings.c.call == call).order_by(happenings.c.number)
                )
            )
            calls_back = _callback_of(connection, call)
        lines = row.lines if row.lines is not None else max((line.number for line in happened), default=0)
        return StoredCall(
            summary=summary,
            source=msgspec.json.decode(row.source, type=dict[str, str]),
            prompts=PromptCatalogue(dict(msgspec.json.decode(row.prompts, type=list[_CatalogueEntry]))),
            phrases=msgspec.json.decode(row.phrases, type=dict[str, str]),
            happenings=happened,
            missing=lines - len(happened),
            trace=self._trace(row.trace),
            verdicts=msgspec.json.decode(_unpacked(row.verdicts), type=tuple[Verdict, ...]),
            calls_back=calls_back,
        )

    def endings(self, *, since: float, until: float, flow: str) -> list[StoredEnding]:
        """How all calls of a flow ended that arrived in a stretch of time, oldest first.

        Args:
            since: only calls that arrived at this Unix time or later.
            until: only calls that arrived before it.
            flow: its id.

        Raises:
            SettingsError: the journal cannot be read.
        """
        columns = (calls.c.call, calls.c.arrived_at, calls.c.outcome, calls.c.ended_by, calls.c.trace, calls.c.verdicts)
        wanted = select(*columns).where(calls.c.flow == flow, calls.c.arrived_at >= since, calls.c.arrived_at < until)
        with self._snapshot() as connection:
            rows = connection.execute(wanted.order_by(calls.c.arrived_at, calls.c.call)).all()
        return [
            StoredEnding(
                call=row.call,
                arrived_at=row.arrived_at,
                outcome=row.outcome,
                ended_by=row.ended_by,
                trace=self._trace(row.trace),
                verdicts=msgspec.json.decode(_unpacked(row.verdicts), type=tuple[Verdict, ...]),
            )
            for row in rows
        ]

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                check_layout(connection, self._url, oldest=1)
                yield connection
        except DBAPIError as problem:
            raise SettingsError(unusable(self._url, problem)) from problem

    @staticmethod
    def _find(connection: Connection, wanted: str) -> str:
        newest = select(calls.c.call).order_by(calls.c.arrived_at.desc(), calls.c.call.desc())
        if wanted == "last":
            last: str | None = connection.scalar(newest.limit(1))
            if last is None:
                raise NoSuchCallError("the journal holds no call yet")
            return last
        exact: str | None = connection.scalar(newest.where(calls.c.call == wanted))
        if exact is not None:
            return exact
        if not wanted:
            raise NoSuchCallError("no call is named; `ivrflow calls` lists them")
        # LIKE takes capitals for small letters on some databases; startswith() does not.
        likely = connection.scalars(newest.where(calls.c.call.startswith(wanted, autoescape=True)).limit(100))
        found: list[str] = [call for call in likely if call.startswith(wanted)]
        if not found:
            raise NoSuchCallError(f"no call is called '{wanted}'; `ivrflow calls` lists them")
        if len(found) > 1:
            named = ", ".join(found[:4]) + (", …" if len(found) > 4 else "")
            raise NoSuchCallError(f"'{wanted}' is the beginning of several calls: {named}; write one more character")
        return found[0]

    def _summaries(self, connection: Connection, ids: Sequence[str]) -> list[CallSummary]:
        found: dict[str, CallSummary] = {}
        for start in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[start : start + _IDS_AT_ONCE]
            lengths = _lengths(connection, some)
            rules = _rules(connection, some)
            arrivals = select(happenings.c.call, happenings.c.event)
            arrivals = arrivals.where(happenings.c.call.in_(some), happenings.c.number == 1)
            beginnings = {row.call: self._beginning(row.event) for row in connection.execute(arrivals)}
            columns = select(calls.c.call, calls.c.flow, calls.c.arrived_at, calls.c.outcome, calls.c.ended_by)
            for row in connection.execute(columns.where(calls.c.call.in_(some))):
                direction, caller = beginnings.get(row.call, ("", ""))
                found[row.call] = CallSummary(
                    call=row.call,
                    flow=row.flow,
                    arrived_at=row.arrived_at,
                    lasted=lengths.get(row.call, 0.0),
                    caller=caller,
                    outcome=row.outcome,
                    ended_by=row.ended_by,
                    kept=tuple(rules.get((row.call, Judgement.KEPT.value), ())),
                    broken=tuple(rules.get((row.call, Judgement.BROKEN.value), ())),
                    direction=direction,
                )
        return [found[call] for call in ids]

    def _trace(self, packed: bytes | None) -> tuple[TraceLine, ...]:
        trace = msgspec.json.decode(_unpacked(packed), type=tuple[TraceLine, ...])
        return trace if self._show_personal else tuple(map(mask_line, trace))

    def _beginning(self, text: str) -> tuple[Literal["inbound", "outbound", ""], str]:
        """Who rang whom, and the other end's number."""
        event = msgspec.json.decode(text, type=CallEvent)
        if not isinstance(event, CallBegun):
            return "", ""
        caller = event.caller if self._show_personal or not event.caller else MASK * 3
        return ("inbound" if isinstance(event, CallArrived) else "outbound"), caller

    def _happening(self, row: Row[Any]) -> Happening:
        event = msgspec.json.decode(row.event, type=CallEvent)
        actions = msgspec.json.decode(row.actions, type=tuple[Action, ...])
        return Happening(
            number=row.number,
            at=row.at,
            event=event if self._show_personal else mask_event(event),
            actions=actions if self._show_personal else tuple(map(mask_action, actions)),
        )


_CatalogueEntry = tuple[tuple[str, tuple[tuple[str, str], ...]], Prompt]

_IDS_AT_ONCE = 500
"""How many calls one statement asks about: well below every database's limit of parameters."""


def _lengths(connection: Connection, ids: Sequence[str]) -> dict[str, float]:
    """Seconds from the first to the last stored happening, per call."""
    at = happenings.c.at
    spans = select(happenings.c.call, func.min(at).label("first"), func.max(at).label("last"))
    spans = spans.where(happenings.c.call.in_(ids)).group_by(happenings.c.call)
    return {row.call: row.last - row.first for row in connection.execute(spans)}


def _rules(connection: Connection, ids: Sequence[str]) -> dict[tuple[str, str], list[str]]:
    """Ids of the rules per call and judgement."""
    found: dict[tuple[str, str], list[str]] = {}
    stored = select(judgements).where(judgements.c.call.in_(ids)).order_by(judgements.c.rule)
    for row in connection.execute(stored):
        found.setdefault((row.call, row.judgement), []).append(row.rule)
    return found


def _callback_of(connection: Connection, call: str) -> str:
    """Id of the callback for which the call was placed; earlier journals know of none."""
    if not inspect(connection).has_table(callback_tries.name):
        return ""
    return connection.scalar(select(callback_tries.c.callback).where(callback_tries.c.call == call).limit(1)) or ""


def _unpacked(packed: bytes | None) -> bytes:
    return zlib.decompress(packed) if packed is not None else b"[]"


def mask_event(event: CallEvent) -> CallEvent:
    """The event with everything personal replaced by `MASK`."""
    match event:
        case CallArrived() | CallOrdered():
            return msgspec.structs.replace(
                event, caller=MASK * 3 if event.caller else "", values=dict.fromkeys(event.values, MASK * 3)
            )
        case KeyPressed():
            return msgspec.structs.replace(event, key=MASK)
        case ValuesLearned() | AnswerReceived():
            return msgspec.structs.replace(event, values=dict.fromkeys(event.values, MASK * 3))
        case _:
            return event


def mask_action(action: Action) -> Action:
    """The action without the recordings that spell out values, without numbers and values."""
    match action:
        case Play():
            return msgspec.structs.replace(action, parts=(MASK,) * len(action.parts))
        case OrderCallback():
            return msgspec.structs.replace(
                action, caller=MASK * 3 if action.caller else "", values=dict.fromkeys(action.values, MASK * 3)
            )
        case Enquire():
            return msgspec.structs.replace(action, values=dict.fromkeys(action.values, MASK * 3))
        case _:
            return action


def mask_line(line: TraceLine) -> TraceLine:
    """The trace line with keyed digits replaced by as many `MASK`s."""
    return msgspec.structs.replace(line, key=MASK * len(line.key))
