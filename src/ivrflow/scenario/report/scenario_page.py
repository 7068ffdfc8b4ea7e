"""One scenario's page: everything the template writes down, worked out and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ivrflow.flow.problems import Location
from ivrflow.scenario.observation import Finding, Observation, PhoneSide, Result, ResultWord
from ivrflow.scenario.performer import source_in_words
from ivrflow.scenario.report import tables
from ivrflow.scenario.report.arrangement import Picture, opening, pictures
from ivrflow.scenario.report.engine_lane import engine_lane
from ivrflow.scenario.report.pauses import waits_shown
from ivrflow.scenario.report.phone_lanes import PhraseText, agent_lane, caller_lane, heard_lane
from ivrflow.scenario.report.privacy import Privacy
from ivrflow.scenario.report.scene import Lane, Pin, Scene
from ivrflow.scenario.report.sip_ladder import Ladder, ladder
from ivrflow.scenario.report.templating import duration
from ivrflow.scenario.report.words import (
    HEADINGS,
    STAGES,
    by_weight,
    capital,
    first_to_hang_up,
    hung_up,
    in_one_sentence,
)


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding, numbered as in the picture; `quote` is empty when it goes against another file."""

    number: int
    finding: Finding
    heading: str
    place: str
    anchor: str
    quote: tuple[tuple[tables.SourceLine, bool], ...]


@dataclass(frozen=True, slots=True)
class Player:
    """A sound file to listen to.

    Attributes:
        source: its address beside the page.
        begins: second of the call at which it begins.
    """

    name: str
    source: str
    begins: float


@dataclass(frozen=True, slots=True)
class HeardTable:
    """What one phone heard."""

    phone: str
    rows: tuple[tables.HeardRow, ...]


@dataclass(frozen=True, slots=True)
class ScenarioPage:
    """What stands on the page. Every `no_…` is the sentence that stands where something is missing; empty when nothing is."""

    title: str
    stage: str
    word: ResultWord
    sentence: str
    about: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    proves: tuple[tuple[str, str], ...]
    findings: tuple[ShownFinding, ...]
    remarks: tuple[ShownFinding, ...]
    troubles: tuple[str, ...]
    pictures: tuple[Picture, ...]
    opening: int
    players: tuple[Player, ...]
    no_audio: str
    heard: tuple[HeardTable, ...]
    clocks: tuple[tables.ClockRow, ...]
    no_clocks: str
    no_wire: str
    verdicts: tables.Verdicts | None
    trace: tuple[tables.TraceRow, ...]
    no_engine: str
    ladders: tuple[Ladder, ...]
    no_sip: str
    file: str
    line: int
    listing: tuple[tables.SourceLine, ...]
    is_covered: bool


def scenario_page(result: Result, players: Sequence[Player], *, show_personal: bool) -> ScenarioPage:
    """Work a result out for its page.

    Args:
        result: what came of it.
        players: the sound files that are there, beside the page.
        show_personal: whether keys and numbers stay readable.
    """
    scenario, observation = result.scenario, result.observation
    privacy = Privacy({scenario.number, *(agent.extension for agent in scenario.agents)}, show_personal)
    text = phrase_text(result)
    shown = _findings(result)
    pins = [
        Pin(one.number, one.finding.at, one.finding.fails, f"{one.number}: {one.heading}: {one.finding.observed}")
        for one in shown
        if one.finding.at is not None
    ]
    drawn = pictures(scene(result, observation, pins, privacy)) if observation else []
    engine = observation.engine if observation else None
    sides = [observation.caller, *observation.agents.values()] if observation else []
    ladders = tuple(ladder(side, privacy) for side in sides if side.sip)
    return ScenarioPage(
        title=scenario.title,
        stage=STAGES[result.stage],
        word=result.word,
        sentence=in_one_sentence(result),
        about=tuple(line.lstrip("# ").rstrip() for line in scenario.about),
        facts=tuple(_facts(result)),
        proves=tuple((rule, _situation(result, rule)) for rule in scenario.proves),
        findings=tuple(one for one in shown if one.finding.fails),
        remarks=tuple(one for one in shown if not one.finding.fails),
        troubles=tuple(f"{_who(side)}: {side.trouble}" for side in sides if side.trouble)
        + (tuple(observation.leaks) if observation else ()),
        pictures=tuple(drawn),
        opening=opening(drawn) if drawn else 0,
        players=tuple(players),
        no_audio=_no_audio(observation, players),
        heard=tuple(
            HeardTable(_who(side), tuple(tables.heard_rows(side, engine, scenario, text)))
            for side in sides
            if side.heard or side.name == "caller"
        ),
        clocks=tuple(tables.clock_rows(result.clocks, scenario.flow.limits.tolerance)),
        no_clocks=""
        if result.clocks or not observation
        else "No wait that the standard documents came about in this call.",
        no_wire=_no_wire(result),
        verdicts=tables.verdicts(engine) if engine else None,
        trace=tuple(tables.trace_rows(engine, text, privacy)) if engine else (),
        no_engine=_no_engine(observation),
        ladders=ladders,
        no_sip=_no_sip(observation, ladders),
        file=scenario.file,
        line=scenario.where.line,
        listing=tuple(tables.listing(scenario, [(one.number, one.finding.where, one.finding.fails) for one in shown])),
        is_covered=not show_personal,
    )


def scene(result: Result, observation: Observation, pins: Sequence[Pin], privacy: Privacy) -> Scene:
    """What is to be seen in the picture of the call."""
    text = phrase_text(result)
    caller = observation.caller
    lanes = [
        caller_lane(caller, source_in_words(result.scenario.background), privacy),
        heard_lane(caller, waits_shown(result), text, list(observation.agents.values())),
    ]
    if observation.engine is not None:
        lanes.append(engine_lane(observation.engine, privacy))
    else:
        lanes.append(Lane("engine", "engine trace", "no journal to look into", ()))
    lanes += [agent_lane(side, text, privacy, [caller]) for side in observation.agents.values()]
    ended = hung_up(first_to_hang_up(result)) or "call over"
    return Scene(tuple(lanes), tuple(pins), observation.stalls, caller.ended_at, ended)


def phrase_text(result: Result) -> PhraseText:
    """The wording of phrases as it is spoken when no value is known."""
    phrases = result.scenario.flow.phrases

    def text(key: str) -> str:
        phrase = phrases.get(key)
        return "" if phrase is None else phrase.without or phrase.text

    return text


def _findings(result: Result) -> list[ShownFinding]:
    return [
        ShownFinding(
            number,
            finding,
            capital(HEADINGS[finding.kind]),
            f"{finding.where.file}:{finding.where.line}",
            _anchor(result, finding.where),
            tuple(tables.quoted(result.scenario, finding.where)),
        )
        for number, finding in enumerate(by_weight(result.findings), 1)
    ]


def _anchor(result: Result, where: Location) -> str:
    return f"L{where.line}" if where.file == result.scenario.file else ""


def _facts(result: Result) -> list[tuple[str, str]]:
    scenario, observation = result.scenario, result.observation
    facts = [("called", f"{scenario.number} ({scenario.flow.title})")]
    if scenario.at is not None:
        facts.append(("local time of the call", f"{scenario.at:%A %Y-%m-%d %H:%M}"))
    if observation is not None and observation.caller.ended_at is not None:
        facts.append(("the call lasted", f"{observation.caller.ended_at:.1f} s"))
    if who := hung_up(first_to_hang_up(result)):
        facts.append(("its end", who))
    if observation is not None and observation.engine is not None and observation.engine.outcome:
        facts.append(("outcome", observation.engine.outcome))
    if observation is not None:
        facts.append(("played in", duration(result.took)))
    if result.tries > 1:
        facts.append(("played", f"{result.tries} times, because the machine stood still during a try before"))
    if observation is not None and observation.stalls:
        total = sum(seconds for _, seconds in observation.stalls)
        facts.append(
            (
                "the machine stood still",
                f"{total:.1f} s"
                if len(observation.stalls) == 1
                else f"{len(observation.stalls)} times, {total:.1f} s together",
            )
        )
    if observation is not None and observation.engine is not None and observation.engine.call:
        facts.append(("call in the journal", observation.engine.call))
    return facts


def _situation(result: Result, rule_id: str) -> str:
    rules = result.scenario.flow.standard.rules
    rule = rules.get(rule_id.partition("/")[2])
    return rule.trigger if rule and rule.id == rule_id else ""


def _who(side: PhoneSide) -> str:
    return "caller" if side.name == "caller" else f"agent {side.name}"


def _no_audio(observation: Observation | None, players: Sequence[Player]) -> str:
    if observation is None or players:
        return ""
    if observation.stage == "simulator":
        return "There is nothing to listen to: the simulator knows how long phrases are, and makes no sound."
    if observation.caller.audio is not None:
        return "There is nothing to listen to: the sound file was gone when this page was written."
    return "There is nothing to listen to: no sound was kept. With --keep-audio it is."


def _no_wire(result: Result) -> str:
    if not result.clocks or any(clock.wire is not None for clock in result.clocks):
        return ""
    if result.stage == "simulator":
        return "The simulator has no wire; there is one clock, the engine's."
    return "No wait was seen on the wire from its beginning to its end, so there is nothing to compare."


def _no_engine(observation: Observation | None) -> str:
    if observation is None or observation.engine is not None:
        return ""
    return (
        "There was no journal to look into, so nothing is known of the engine's side: no trace, no verdicts, no second "
        "clock."
    )


def _no_sip(observation: Observation | None, ladders: Sequence[Ladder]) -> str:
    if observation is None or ladders:
        return ""
    if observation.stage == "simulator":
        return "The simulator has no signalling."
    return "No signalling was recorded."
