"""The tables below the picture: what was heard, both clocks, the verdicts, the trace, and the scenario's own lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ivrflow.engine.trace import Fact, Judgement, TraceLine, Verdict
from ivrflow.flow.problems import Location
from ivrflow.scenario.judging.clock_pairs import recording_end
from ivrflow.scenario.observation import CLOCKS_APART_S, ClockPair, EngineSide, Heard, PhoneSide
from ivrflow.scenario.report.phone_lanes import WHOLE, PhraseText
from ivrflow.scenario.report.privacy import Privacy
from ivrflow.scenario.report.scene import Fit, fit_of
from ivrflow.scenario.script import Scenario
from ivrflow.timeline import Story, short_place


@dataclass(frozen=True, slots=True)
class HeardRow:
    """One sound. `silence`: how long it was quiet before, in seconds, counted from the end of the recording before.

    `key` is empty for what is no phrase.
    """

    start: float
    end: float
    silence: float
    text: str
    key: str
    share: float
    is_whole: bool
    kind: str
    rules: tuple[str, ...]
    understood: str


def heard_rows(side: PhoneSide, engine: EngineSide | None, scenario: Scenario, text: PhraseText) -> list[HeardRow]:
    """What a phone heard, in order."""
    rules = _rules_of_phrases(engine, scenario)
    rows: list[HeardRow] = []
    quiet_since = side.answered_at or 0.0
    for heard in sorted(side.heard, key=lambda heard: heard.start):
        rows.append(
            HeardRow(
                heard.start,
                heard.end,
                max(0.0, heard.start - quiet_since),
                _words(heard, text),
                heard.name if heard.kind == "phrase" else "",
                heard.completeness,
                heard.completeness >= WHOLE,
                heard.kind,
                rules.get(heard.name, ()) if heard.kind == "phrase" else (),
                heard.text,
            )
        )
        quiet_since = max(quiet_since, recording_end(heard))
    return rows


def _words(heard: Heard, text: PhraseText) -> str:
    match heard.kind:
        case "phrase":
            return text(heard.name) or heard.name
        case "music":
            return "hold music"
        case "tone":
            return f"a tone {heard.name}".rstrip()
        case "unknown":
            return "an unknown sound"


def _rules_of_phrases(engine: EngineSide | None, scenario: Scenario) -> Mapping[str, tuple[str, ...]]:
    """By phrase: the rules it was said for, by the trace; without one, those of the standard that have it."""
    found: dict[str, dict[str, None]] = {}
    if engine is not None:
        for line in engine.trace:
            if line.fact is Fact.PHRASE_STARTED:
                found.setdefault(line.phrase, {}).update({rule: None for rule in (line.rule, line.also_rule) if rule})
    else:
        for rule in scenario.flow.standard.rules.values():
            for rung in rule.rungs:
                if rung.say:
                    found.setdefault(rung.say, {})[rule.id] = None
    return {phrase: tuple(rules) for phrase, rules in found.items()}


@dataclass(frozen=True, slots=True)
class ClockRow:
    """One documented wait on both clocks; `fit` and `apart` are None where there is nothing to compare."""

    clock: ClockPair
    engine_fit: Fit | None
    wire_fit: Fit | None
    is_apart: bool


def clock_rows(clocks: Sequence[ClockPair], tolerance: float) -> list[ClockRow]:
    """By the second at which they began."""
    return [
        ClockRow(
            clock,
            None if clock.engine is None else fit_of(clock.engine, clock.least, clock.most, tolerance),
            None if clock.wire is None else fit_of(clock.wire, clock.least, clock.most, tolerance),
            clock.apart is not None and abs(clock.apart) > CLOCKS_APART_S,
        )
        for clock in sorted(clocks, key=lambda clock: clock.at)
    ]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The verdicts, by weight."""

    broken: tuple[Verdict, ...]
    kept: tuple[Verdict, ...]
    not_applicable: tuple[Verdict, ...]


def verdicts(engine: EngineSide) -> Verdicts:
    """Those of a call."""

    def those(judgement: Judgement) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in engine.verdicts if verdict.judgement is judgement)

    return Verdicts(those(Judgement.BROKEN), those(Judgement.KEPT), those(Judgement.NOT_APPLICABLE))


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One line of the trace; `at` in seconds since the caller was answered."""

    at: float
    words: str
    rule: str
    place: str
    where: str


def trace_rows(engine: EngineSide, text: PhraseText, privacy: Privacy) -> list[TraceRow]:
    """The engine's trace in words."""
    story = Story(engine.verdicts, text)
    files = {line.where.partition(":")[0] for line in engine.trace}
    return [
        TraceRow(
            line.at - engine.answered_at,
            story.words(privacy.line(line)),
            _rule(line),
            short_place(line.where, files),
            line.where,
        )
        for line in engine.trace
    ]


def _rule(line: TraceLine) -> str:
    rule = line.rule.rpartition("/")[2]
    return f"{rule} {line.rung}" if rule and line.rung else rule


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of the scenario; `findings`: numbers of those that go against it, and whether each fails."""

    number: int
    text: str
    findings: tuple[tuple[int, bool], ...] = ()

    @property
    def fails(self) -> bool:
        """Whether the scenario has failed by this line."""
        return any(fails for _, fails in self.findings)


def listing(scenario: Scenario, marks: Sequence[tuple[int, Location, bool]]) -> list[SourceLine]:
    """The scenario with its line numbers. `marks`: number of a finding, where it belongs, whether it fails."""
    found: dict[int, list[tuple[int, bool]]] = {}
    for number, where, fails in marks:
        if where.file == scenario.file:
            found.setdefault(where.line, []).append((number, fails))
    return [
        SourceLine(number, text, tuple(found.get(number, ())))
        for number, text in enumerate(scenario.text.splitlines(), 1)
    ]


def quoted(scenario: Scenario, where: Location, around: int = 1) -> Iterator[tuple[SourceLine, bool]]:
    """The line at `where` with its neighbours, and which of them it is; nothing when it is of another file."""
    lines = scenario.text.splitlines()
    if where.file != scenario.file or not 1 <= where.line <= len(lines):
        return
    for number in range(max(1, where.line - around), min(len(lines), where.line + around) + 1):
        yield SourceLine(number, lines[number - 1]), number == where.line
